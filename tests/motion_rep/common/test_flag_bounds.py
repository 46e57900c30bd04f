"""What a newcomer can get wrong: numbers beyond reason, outputs that cannot be written, files of another kind. One line
each, before any work.
"""

from __future__ import annotations

import argparse
import importlib

import pytest
import torch
from command_support import assert_error_lines, save_json, save_motion

from motion_rep.common import flag_values
from motion_rep.common.command_line import run_command
from motion_rep.common.errors import InputError
from motion_rep.common.messages import say
from motion_rep.safe_loading.torch_files import read_torch

HUGE = "9" * 20
LOOK = """
import sys
sys.path.insert(0, sys.argv[2])
from motion_rep.video.reading import open_video
try:
    open_video(sys.argv[1]).__enter__()
except ValueError as error:
    print(error)
"""

BEYOND = [
    *[
        ("motion_rep.convert_hmr_to_motion", f"-i a.pt -o b.pt {flags}")
        for flags in ("--target-fps 1e30", "--target-fps 1e9", "--target-fps 100000", "--fps 1e-9")
    ],
    ("motion_rep.convert_hmr_to_motion", "-i a.pt -o b.pt --image-size 100000x4"),
    *[
        ("motion_rep.convert_hmr_to_motion", f"-i a.pt -o b.pt {flags}")
        for flags in (f"--workers {HUGE}", f"--focal-length {HUGE}", f"--fps {'9' * 5000}")
    ],
    *[
        ("motion_gating.apply_quality_gate", f"--meta-json a --quality-report r {flags}")
        for flags in (f"--max-samples {HUGE}", "--judge openai --num-threads 100000")
    ],
    *[
        ("motion_gating.apply_quality_gate", f"--meta-json a --quality-report r {flags}")
        for flags in ("--sampling-fps 1e30", "--call-timeout 1e300", "--rpm 1e-300")
    ],
    ("motion_rep.plot_motion", "a.pt -o a.png --fps 1e300"),
    ("motion_rep.export_motion", "a.pt -o a.bvh --fps 1e-300"),
    ("scripts.view_motion", "a.pt --port 99999999"),
    ("scripts.view_motion", "a.pt --fps 1e30"),
    *[
        ("motion_rep.motion_checker", f"--motion-file a --output-dir o {flags}")
        for flags in ("--fps 1e30", "--H 100000", "--H 1 --W 1", f"--batch-size {HUGE}")
    ],
    *[
        ("motion_gating.render_mbench_videos", f"--meta-json a --output-json b --output-dir o {flags}")
        for flags in ("--fps 1e30", "--width 99999", "--width 3", f"--limit {HUGE}")
    ],
    ("motion_gating.build_report", "--meta-json a --output o --side-size 3"),
    ("motion_gating.evaluate_gate", f"--controls {HUGE} --meta-json a"),
    ("motion_rep.capture_preview", "--video v --output o --focal 1e300"),
]


@pytest.mark.parametrize(
    ("module", "flags"), BEYOND, ids=[f"{module.rpartition('.')[2]} {flags[-40:]}" for module, flags in BEYOND]
)
def test_number_beyond_reason_is_one_line(module, flags, capsys):
    with pytest.raises(SystemExit) as stop:
        importlib.import_module(module).main(flags.split())
    assert stop.value.code == 2
    (line,) = assert_error_lines(capsys.readouterr().err, 1)
    assert "argument --" in line and " to " in line and len(line) < 300


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("frame_rate", "0.1", 0.1),
        ("frame_rate", "1000", 1000.0),
        ("frame_rate", "30000/1001", 30000 / 1001),
        ("port", "65535", 65535),
        ("picture_side", "16384", 16384),
        ("thread_count", "256", 256),
    ]
    + [("worker_count", "0", 0), ("whole_number", "0", 0), ("positive_int", "2147483647", 2**31 - 1)],
)
def test_bounds_are_within(kind, text, value):
    assert getattr(flag_values, kind)(text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("frame_rate", "0.09"),
        ("frame_rate", "1000.1"),
        ("frame_rate", "nan"),
        ("frame_rate", "30/0"),
        ("frame_rate", "1/100"),
        ("frame_rate", "30/1/1"),
        ("positive_number", "inf"),
        ("positive_int", "9" * 5000),
    ]
    + [
        ("port", "0"),
        ("port", "65536"),
        ("picture_side", "15"),
        ("thread_count", "257"),
        ("positive_int", "2147483648"),
    ],
)
def test_just_outside_is_refused(kind, text):
    with pytest.raises(argparse.ArgumentTypeError, match=" to "):
        getattr(flag_values, kind)(text)


@pytest.mark.parametrize("fps", [1e30, 1001.0, 0.0, -1.0, float("nan")])
def test_rate_in_a_file_is_checked(fps, make_capture, tmp_path, capsys):
    from motion_rep.convert_hmr_to_motion import main
    from motion_rep.motions.motion_file import read_motion

    torch.save(make_capture(fps=fps), tmp_path / "capture.pt")
    assert main(["-i", str(tmp_path / "capture.pt"), "-o", str(tmp_path / "motion.pt")]) == 1
    assert "capture.pt: fps " in assert_error_lines(capsys.readouterr().err, 1)[0]
    with pytest.raises(InputError, match="m.pt: fps is"):
        read_motion(save_motion(tmp_path / "m.pt", make_capture(), fps=fps))


@pytest.fixture
def no_folder(tmp_path):
    """A path that can be written by nobody, root included: its folder is a file."""
    (tmp_path / "file").write_text("x")
    return tmp_path / "file" / "f.json"


def test_unwritable_failures_stop_the_conversion(no_folder, make_capture, tmp_path, capsys):
    from motion_rep.convert_hmr_to_motion import main

    torch.save(make_capture(), tmp_path / "capture.pt")
    assert (
        main(["-i", str(tmp_path / "capture.pt"), "-o", str(tmp_path / "motion.pt"), "--failures", str(no_folder)]) == 2
    )
    assert "cannot be written" in assert_error_lines(capsys.readouterr().err, 1)[0]
    assert not (tmp_path / "motion.pt").exists()


@pytest.mark.parametrize("flag", ["--failures", "--output-json"])
def test_unwritable_results_stop_the_rendering(flag, no_folder, make_capture, tmp_path, capsys):
    from motion_gating.render_mbench_videos import main

    save_motion(tmp_path / "a.pt", make_capture())
    archive = save_json(tmp_path / "meta.json", [{"id": "a", "motion_path": "a.pt"}])
    outputs = {"--output-json": tmp_path / "out.json", flag: no_folder}
    flags = [str(part) for pair in outputs.items() for part in pair]
    assert main(["--meta-json", str(archive), "--output-dir", str(tmp_path / "videos"), *flags]) == 2
    assert "cannot be written" in assert_error_lines(capsys.readouterr().err, 1)[0]
    assert not list(tmp_path.glob("videos/*"))


@pytest.mark.parametrize(
    "text",
    [
        "hello\n",
        "import os\n",
        '{"motion": 1}',
        "version https://git-lfs",
        "<!DOCTYPE html>\n",
        "\ufeffGrüße an alle\n",
    ],
)
def test_text_is_not_taken_for_a_damaged_file(text, tmp_path):
    path = tmp_path / "text.pt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(
        InputError,
        match=r"text\.pt: is not a torch file \(it starts with '.*'\), expected a \.pt written by torch\.save\.",
    ):
        read_torch(path)


@pytest.mark.parametrize("text", ["hello", "import os", "capture of a person"])
def test_text_is_not_taken_for_a_capture(text, tmp_path, capsys):
    from motion_rep.inspect_capture import main

    (tmp_path / "text.pt").write_text(text + "\n")
    assert main([str(tmp_path / "text.pt")]) == 1
    assert (
        f"is not a torch, pickle, joblib or numpy file (it starts with {text!r})"
        in assert_error_lines(capsys.readouterr().err, 1)[0]
    )


def test_damaged_bytes_show_no_bare_key(tmp_path):
    (tmp_path / "m.pt").write_bytes(b"\x80\x02he.")
    with pytest.raises(InputError, match="is not a torch file, or is damaged"):
        read_torch(tmp_path / "m.pt")


def test_file_that_is_no_video_is_one_line(tmp_path, run_script, repo):
    """In a process of its own: OpenCV writes past Python's stderr."""
    (tmp_path / "v.mp4").write_text("not a video\n")
    (tmp_path / "look.py").write_text(LOOK)
    result = run_script(tmp_path / "look.py", tmp_path / "v.mp4", repo)
    assert result.stderr == "" and "cannot be read as a video" in result.stdout and result.stdout.count("\n") == 1


def test_what_is_said_stays_one_line(capsys):
    say("a\nb  c.pt -> d\r\ne")
    assert capsys.readouterr().out == "a b  c.pt -> d e\n"


def test_output_of_a_plot_is_not_blamed_on_the_motion(no_folder, make_capture, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    from motion_rep.plot_motion import main

    motion = save_motion(tmp_path / "squat.pt", make_capture())
    picture = no_folder.with_suffix(".png")
    assert main([str(motion), "-o", str(picture)]) == 1
    assert assert_error_lines(capsys.readouterr().err, 1)[0].startswith(f"error: {picture}: cannot be written")


def test_missing_package_is_one_line(capsys):
    def command(args):
        import package_that_nobody_has.part  # noqa: F401

    assert run_command(command, argparse.Namespace()) == 2
    assert (
        "the package package_that_nobody_has is missing; run bash scripts/setup_environment.sh"
        in assert_error_lines(capsys.readouterr().err, 1)[0]
    )


def test_missing_part_of_our_own_is_not_hidden():
    def command(args):
        import motion_rep.nothing_of_that_name  # noqa: F401

    with pytest.raises(ModuleNotFoundError):
        run_command(command, argparse.Namespace())
