"""The converter as a user meets it: what it takes, what it refuses and how, what it leaves in the output folder."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from command_support import CONVERTER, RunsCode, assert_error_lines, files_in, save_motion

from motion_rep.convert_hmr_to_motion import build_parser, main
from motion_rep.kinematics.rotations import rotvec_to_matrix


@pytest.fixture
def save(tmp_path, make_capture):
    """Save a capture dict (see conftest's make_capture) under a name in tmp_path."""

    def save(name: str, **changes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(make_capture(**changes), path)
        return path

    return save


def convert(source: Path, target: Path, *flags: object) -> dict:
    """Convert in this process; what the file holds."""
    assert main(["-i", str(source), "-o", str(target), *map(str, flags)]) == 0
    return torch.load(target, weights_only=True)


# --- by subprocess, from another folder


def test_one_file_by_path_from_another_folder(run_script, save, tmp_path):
    save("here/clip.pt", frames=12)
    done = run_script(CONVERTER, "--input", "here/clip.pt", "--output", "there/motion.pt", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "here/clip.pt -> there/motion.pt" in done.stdout
    made = torch.load(tmp_path / "there/motion.pt", weights_only=True)
    assert {key: tuple(made[key].shape) for key in ("motion", "intrinsic", "extrinsic")} == {
        "motion": (11, 276),
        "intrinsic": (3, 3),
        "extrinsic": (4, 4),
    }
    assert made["fps"] == 16.0 and made["motion"].dtype == torch.float32


def test_it_runs_as_a_module(save, tmp_path, repo):
    command = [sys.executable, "-m", "motion_rep.convert_hmr_to_motion", "-i", save("a.pt"), "-o", tmp_path / "b.pt"]
    done = subprocess.run(list(map(str, command)), cwd=repo, capture_output=True, text=True)
    assert done.returncode == 0 and (tmp_path / "b.pt").exists(), done.stderr


def test_workers_give_the_same_bytes_and_keep_going_past_bad_files(run_script, save, tmp_path):
    for number in range(6):
        save(f"in/{number}.pt", seed=number)
    (tmp_path / "in/3.pt").write_bytes(b"")
    one = run_script(CONVERTER, "-i", "in", "-o", "one", "--workers", 0, cwd=tmp_path)
    two = run_script(CONVERTER, "-i", "in", "-o", "two", "--workers", 2, "--failures", "failures.json", cwd=tmp_path)
    assert one.returncode == two.returncode == 1
    (line,) = assert_error_lines(two.stderr, 1)
    assert "in/3.pt" in line and "empty" in line
    assert files_in(tmp_path / "one") == files_in(tmp_path / "two") and len(files_in(tmp_path / "two")) == 5
    failures = json.loads((tmp_path / "failures.json").read_text())
    assert failures["counts"] == {"converted": 5, "failed": 1}
    assert [failure["item"] for failure in failures["failures"]] == ["in/3.pt"]


@pytest.mark.parametrize("script", [CONVERTER, "motion_rep/motion_checker.py", "motion_gating/render_mbench_videos.py"])
def test_help_loads_nothing_heavy(repo, tmp_path, script):
    program = (
        "import runpy, sys\n"
        f"sys.argv = [{script!r}, '--help']\n"
        "try:\n"
        f"    runpy.run_path({str(repo / script)!r}, run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    heavy = "
        "{'torch', 'numpy', 'cv2', 'scipy', 'smplx', 'mannequin', 'tqdm', 'google', 'ray', 'multiprocessing'} & "
        "set(sys.modules)\n"
        "    sys.exit(f'{end.code} {sorted(heavy)}' if end.code or heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--help" in done.stdout


# --- what it takes


@pytest.mark.parametrize("kind", [torch.float16, torch.float32, torch.float64])
def test_any_float_type(save, tmp_path, make_capture, kind):
    plain = make_capture()
    wanted = convert(save("a.pt"), tmp_path / "a_out.pt")["motion"]
    arrays = {key: plain[key].to(kind) for key in ("global_orient", "body_pose", "transl")}
    found = convert(save("b.pt", **arrays), tmp_path / "b_out.pt")["motion"]
    assert found.dtype == torch.float32
    # Velocities are differences of numbers with three digits, so only float16 is far off.
    assert torch.allclose(found, wanted, atol=2e-2 if kind == torch.float16 else 1e-6)


def as_numpy(plain):
    return {key: plain[key].numpy() for key in ("global_orient", "body_pose", "transl")}


def as_matrices(plain):
    root, body = (
        rotvec_to_matrix(plain[key].double().reshape(len(plain[key]), -1, 3)) for key in ("global_orient", "body_pose")
    )
    return {"global_orient": root, "body_pose": body}


def with_person_axis(plain):
    return {
        "global_orient": plain["global_orient"][:, None],
        "transl": plain["transl"][:, None],
        "body_pose": plain["body_pose"].reshape(-1, 21, 3),
    }


def with_long_camera(plain):
    frames = len(plain["transl"])
    return {
        "focal_length": torch.full((frames, 1), 600.0),
        "width": torch.full((frames,), 480),
        "height": np.array([832]),
    }


@pytest.mark.parametrize("form", [as_numpy, as_matrices, with_person_axis, with_long_camera])
def test_every_documented_form_means_the_same(save, tmp_path, make_capture, form):
    wanted = convert(save("plain.pt"), tmp_path / "plain_out.pt")
    found = convert(save("other.pt", **form(make_capture())), tmp_path / "other_out.pt")
    assert torch.allclose(found["motion"], wanted["motion"], atol=2e-6)
    assert torch.equal(found["intrinsic"], wanted["intrinsic"]) and torch.allclose(
        found["extrinsic"], wanted["extrinsic"], atol=1e-6
    )


def test_without_a_camera_the_intrinsic_is_the_identity(save, tmp_path):
    made = convert(save("a.pt", focal_length=None, width=None, height=None), tmp_path / "b.pt")
    assert torch.equal(made["intrinsic"], torch.eye(3)) and torch.equal(made["extrinsic"], torch.eye(4))


def test_extrinsic_rows(save, tmp_path):
    assert tuple(convert(save("a.pt"), tmp_path / "b.pt", "--extrinsic-format", "rows")["extrinsic"].shape) == (11, 9)


def test_target_fps_changes_the_number_of_rows(save, tmp_path):
    made = convert(save("a.pt", frames=31, fps=30.0), tmp_path / "b.pt", "--target-fps", 16)
    assert made["fps"] == 16.0 and len(made["motion"]) == 16


def test_flags_are_taken_with_dashes_and_underscores():
    parser = build_parser()
    flags = [
        "-i a",
        "-o b",
        "--target-fps 16",
        "--extrinsic-format rows",
        "--trust-pickle",
        "--list-people",
        "--image-size 32x48",
        "--smplx-model-path m",
    ]
    dashes = parser.parse_args(" ".join(flags).split())
    lines = parser.parse_args(" ".join(flag[:2] + flag[2:].replace("-", "_") for flag in flags).split())
    assert dashes == lines and dashes.image_size == (32, 48)


def test_an_unneeded_flag_says_so(save, tmp_path, capsys):
    convert(save("a.pt"), tmp_path / "b.pt", "--smplx_model_path", "nowhere")
    assert "not needed" in capsys.readouterr().out


def test_people_are_listed_and_nothing_is_written(save, tmp_path, capsys):
    path = save("in/a.pt")
    assert main(["-i", str(tmp_path / "in"), "--list-people"]) == 0
    assert f"{path}: person" in capsys.readouterr().out and list(files_in(tmp_path / "in")) == ["a.pt"]


# --- what it warns about


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"fps": 30.0}, "--target-fps 16"),
        ({"focal_length": torch.linspace(500, 700, 12)}, "focal length changes"),
        ({"frame_index": torch.tensor([*range(6), *range(7, 13)])}, "filled 1 missing frame by interpolation: 6"),
        ({"transl": torch.tensor([[0.0, 0, 4]] * 6 + [[2.0, 0, 4]] * 6)}, "jumps"),
        ({"global_orient": torch.zeros(12, 3)}, "head is below the pelvis"),
    ],
)
def test_oddities_are_told(save, tmp_path, capsys, changes, said):
    convert(save("a.pt", **changes), tmp_path / "b.pt")
    (line,) = [line for line in capsys.readouterr().err.splitlines() if said in line]
    assert line.startswith("warning: ") and "a.pt" in line


def test_a_note_that_many_share_is_told_a_few_times(save, tmp_path, capsys):
    for number in range(9):
        save(f"in/{number}.pt", fps=30.0)
    assert main(["-i", str(tmp_path / "in"), "-o", str(tmp_path / "out")]) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "--target-fps 16" in line]
    assert len(lines) == 4 and "6 more" in lines[-1]


# --- what it refuses


REFUSED = {
    "a missing key": ({"transl": None}, "transl"),
    "no keys of a capture": ({"global_orient": None, "transl": None, "body_pose": None}, "known system"),
    "SMPL's body": ({"body_pose": torch.zeros(12, 69)}, "69"),
    "another shape": ({"global_orient": torch.zeros(12, 4)}, "global_orient"),
    "an array without frames": ({"transl": torch.zeros(3)}, "transl"),
    "unequal lengths": ({"body_pose": torch.zeros(11, 63)}, "same length"),
    "one frame": (
        {"global_orient": torch.zeros(1, 3), "body_pose": torch.zeros(1, 63), "transl": torch.zeros(1, 3)},
        "1 frame",
    ),
    "no frames": (
        {"global_orient": torch.zeros(0, 3), "body_pose": torch.zeros(0, 63), "transl": torch.zeros(0, 3)},
        "frames",
    ),
    "NaN": ({"transl": torch.full((12, 3), torch.nan)}, "finite"),
    "infinity": ({"body_pose": torch.full((12, 63), torch.inf)}, "finite"),
    "matrices that are no rotations": ({"body_pose": torch.ones(12, 21, 3, 3)}, "rotation"),
    "half a camera": ({"width": None}, "focal_length, width and height"),
    "a camera without length": ({"focal_length": 0.0}, "above zero"),
    "a negative rate": ({"fps": -3.0}, "fps"),
    "text for numbers": ({"transl": "here"}, "transl"),
    "a long gap": ({"frame_index": torch.tensor([*range(6), *range(40, 46)])}, "6-39"),
    "frames that go back": ({"frame_index": torch.arange(12).flip(0)}, "frame_index"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_captures(save, tmp_path, capsys, name):
    changes, said = REFUSED[name]
    source = save("in/clip.pt", **changes)
    # Other systems' bodies are read where the format is not named; here they are what does not fit.
    form = "auto" if name == "no keys of a capture" else "standard"
    assert main(["-i", str(source), "-o", str(tmp_path / "out.pt"), "--format", form]) == 1
    (line,) = assert_error_lines(capsys.readouterr().err, 1)
    assert line.startswith(f"error: {source}: ") and said in line
    assert not (tmp_path / "out.pt").exists()


def cut(path: Path, capture: dict) -> None:
    torch.save(capture, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def other_kind(path: Path, capture: dict) -> None:
    path.write_text("not a capture")


def a_motion(path: Path, capture: dict) -> None:
    save_motion(path, capture)


def a_list(path: Path, capture: dict) -> None:
    torch.save([1, 2, 3], path)


def objects_in_torch(path: Path, capture: dict) -> None:
    torch.save({**capture, "more": RunsCode(path.with_name("ran"))}, path)


def objects_in_pickle(path: Path, capture: dict) -> None:
    path.write_bytes(pickle.dumps({**capture, "more": RunsCode(path.with_name("ran"))}))


@pytest.mark.parametrize(
    "make",
    [cut, other_kind, a_motion, a_list, objects_in_torch, objects_in_pickle, lambda path, _: path.write_bytes(b"")],
)
def test_refused_files(tmp_path, make_capture, capsys, make):
    source = tmp_path / "clip.pt"
    make(source, make_capture())
    assert main(["-i", str(source), "-o", str(tmp_path / "out.pt")]) == 1
    (line,) = assert_error_lines(capsys.readouterr().err, 1)
    assert str(source) in line
    assert {path.name for path in tmp_path.iterdir()} == {"clip.pt"}, "something was made, or run"


def usage_errors(tmp: Path) -> dict[str, list]:
    return {
        "nothing there": ["-i", tmp / "nothing.pt", "-o", tmp / "out.pt"],
        "no output": ["-i", tmp / "a.pt"],
        "several into one file": ["-i", tmp / "a.pt", tmp / "sub/b.pt", "-o", tmp / "out.pt"],
        "a folder into a file": ["-i", tmp / "sub", "-o", tmp / "out.pt"],
        "onto itself": ["-i", tmp / "a.pt", "-o", tmp / "a.pt"],
        "onto an input": ["-i", tmp / "sub", "-o", tmp / "sub"],
        "two onto one": ["-i", tmp / "a.pt", tmp / "sub/a.pt", "-o", tmp / "out"],
        "an empty folder": ["-i", tmp / "empty", "-o", tmp / "out"],
        "a device that is not there": ["-i", tmp / "a.pt", "-o", tmp / "out.pt", "--device", "warp"],
        "a file where a folder must be": ["-i", tmp / "sub", "-o", tmp / "a.pt/out"],
    }


@pytest.mark.parametrize("name", usage_errors(Path()))
def test_wrong_usage_ends_with_2_and_leaves_everything(save, tmp_path, capsys, name):
    for path in ("a.pt", "sub/a.pt", "sub/b.pt"):
        save(path)
    (tmp_path / "empty").mkdir()
    before = files_in(tmp_path)
    assert main([*map(str, usage_errors(tmp_path)[name])]) == 2
    assert_error_lines(capsys.readouterr().err, 1)
    assert files_in(tmp_path) == before


@pytest.mark.parametrize(
    "flags",
    ["--fps 0", "--fps nan", "--target-fps -1", "--workers -1", "--image-size 12", "--format nothing", "--unknown"],
)
def test_wrong_flags_end_with_2(tmp_path, capsys, flags):
    with pytest.raises(SystemExit) as end:
        main(["-i", "a.pt", "-o", "b.pt", *flags.split()])
    assert end.value.code == 2
    assert_error_lines(capsys.readouterr().err, 1)


def test_a_single_output_is_replaced_only_by_a_whole_one(save, tmp_path):
    source, target = save("a.pt"), tmp_path / "out.pt"
    convert(source, target)
    before = target.read_bytes()
    source.write_bytes(b"broken")
    assert main(["-i", str(source), "-o", str(target)]) == 1
    assert target.read_bytes() == before and {path.name for path in tmp_path.iterdir()} == {"a.pt", "out.pt"}


# --- a folder run that is started again


@pytest.fixture
def folder(save, tmp_path, capsys):
    """Three converted captures, and a function that runs again and returns what was said."""
    for name in ("a", "b", "sub/c"):
        save(f"in/{name}.pt", seed=len(name))

    def again(*flags: object, code: int = 0) -> str:
        assert main(["-i", str(tmp_path / "in"), "-o", str(tmp_path / "out"), *map(str, flags)]) == code
        return capsys.readouterr().out

    assert "3 converted" in again()
    return again


def test_finished_files_are_not_touched(folder, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.pt")}
    assert "3 unchanged" in folder() and len(before) == 3
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_overwrite_makes_all_again(folder):
    assert "3 converted" in folder("--overwrite")


def test_other_settings_and_inputs_make_files_again(folder, save):
    assert "3 regenerated" in folder("--extrinsic-format", "rows")
    save("in/a.pt", seed=99)
    assert "1 regenerated (input or settings changed), 2 unchanged" in folder("--extrinsic-format", "rows")


def test_files_of_other_origin_are_kept(folder, tmp_path, make_capture):
    changed, foreign = tmp_path / "out/a.pt", tmp_path / "out/b.pt"
    value = torch.load(changed, weights_only=True)
    torch.save({**value, "motion": value["motion"] + 1}, changed)
    save_motion(foreign, make_capture(seed=5))
    before = files_in(tmp_path / "out")
    said = folder("--fps", 20)
    assert "2 kept (not written by such a run, or edited since" in said and "1 regenerated" in said
    after = files_in(tmp_path / "out")
    assert {name for name in before if before[name] != after[name]} == {"sub/c.pt"}


@pytest.mark.parametrize("broken", [b"", b"half a file"])
def test_broken_outputs_are_made_again(folder, tmp_path, broken):
    before = files_in(tmp_path / "out")
    (tmp_path / "out/b.pt").write_bytes(broken)
    assert "1 converted, 2 unchanged" in folder()
    assert files_in(tmp_path / "out") == before


def test_what_killed_runs_left_is_swept_and_what_is_in_use_is_not(folder, tmp_path):
    from motion_rep.files.atomic_writing import atomic_path, locked_temporary

    handle, left = locked_temporary(tmp_path / "out/sub/c.pt", ".pt")
    os.close(handle)
    with atomic_path(tmp_path / "out/other.pt") as in_use:
        in_use.write_bytes(b"being written by somebody else")
        folder()
        assert in_use.exists() and not left.exists()
    assert (tmp_path / "out/other.pt").exists()


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc/self").exists(), reason="root may write everywhere")
def test_a_read_only_folder_is_one_clear_line(save, tmp_path, capsys):
    source = save("a.pt")
    # Nobody, not even root, can make files in /proc.
    assert main(["-i", str(source), "-o", "/proc/out.pt"]) == 1
    (line,) = assert_error_lines(capsys.readouterr().err, 1)
    assert "cannot be written" in line


@pytest.mark.parametrize("name", ["squat.npz", "squat.BVH", "squat.pkl"])
def test_a_file_of_another_kind_is_no_folder(name, make_capture, tmp_path, capsys):
    torch.save(make_capture(), tmp_path / "one.pt")
    assert main(["-i", str(tmp_path / "one.pt"), "-o", str(tmp_path / name)]) == 2
    assert "export_motion.py" in assert_error_lines(capsys.readouterr().err, 1)[0]
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("redirection", ["2>&-", ">&-", ">&- 2>&-", "</dev/null | true"])
@pytest.mark.parametrize("workers", [0, 1])
def test_closed_streams_do_not_stop_the_work(repo, redirection, workers, make_capture, tmp_path):
    for number in range(2):
        torch.save(make_capture(seed=number), tmp_path / f"{number}.pt")
    (tmp_path / "broken.pt").write_bytes(b"broken")
    command = f"'{sys.executable}' '{repo / CONVERTER}' -i '{tmp_path}' -o '{tmp_path}/out' --workers {workers}"
    subprocess.run(["bash", "-c", f"{command} {redirection}"], stderr=subprocess.DEVNULL, check=False)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.pt", "1.pt"]


def test_an_ascii_terminal_gets_escapes(repo, make_capture, tmp_path):
    torch.save(make_capture(), tmp_path / "h\u00fcpfen.pt")
    done = subprocess.run(
        [sys.executable, repo / CONVERTER, "-i", tmp_path / "h\u00fcpfen.pt", "-o", tmp_path / "\u00fc.pt"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0 and b"h\\xfcpfen.pt" in done.stdout, done.stderr


def test_too_few_file_handles_for_the_workers_are_one_line(repo, make_capture, tmp_path):
    for number in range(8):
        torch.save(make_capture(), tmp_path / f"{number}.pt")
    command = f"'{sys.executable}' '{repo / CONVERTER}' -i '{tmp_path}' -o '{tmp_path}/out' --workers 8"
    done = subprocess.run(["bash", "-c", f"ulimit -n 20; {command}"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "--workers" in assert_error_lines(done.stderr, 1)[0]
