"""extract_motion.sh against stand-ins that reject what the real systems would."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from checkout import REPO, STAND_INS
from ffmpeg_support import ffmpeg, ffmpeg_path
from hmr_layouts import known_person, sam_keypoints

from motion_rep.video.writing import open_writer

SCRIPT = REPO / "scripts" / "extract_motion.sh"
sys.path.insert(0, str(STAND_INS))
from videos import RED, draw_frame, one_person, write_video  # noqa: E402

SMPLX_PELVIS = torch.tensor([0.00312326, -0.35140744, 0.01203655])
# Per model: start of its environment variables, folder of its stand-in.
SYSTEMS = {
    "4d-humans": ("HUMANS4D", "humans4d"),
    "wham": ("WHAM", "wham"),
    "gvhmr": ("GVHMR", "gvhmr"),
    "gem-smpl": ("GEM_SMPL", "gem_smpl"),
    "tokenhmr": ("TOKENHMR", "tokenhmr"),
    "tram": ("TRAM", "tram"),
    "prompthmr": ("PROMPTHMR", "prompthmr"),
    "smpler-x": ("SMPLER_X", "smpler_x"),
}
FRAMES = 40
DOCUMENTED = {
    "smplest-x": "sh scripts/inference.sh smplest_x_h a_clip.mp4 16.0",
    "camerahmr": "python dump_params.py --image_folder",
    "sam-3d-body": "--checkpoint facebook/sam-3d-body-dinov3",
    "4d-humans": "python track.py",
    "wham": "python demo.py --video /tmp/extract_motion/a_clip.mp4 --output_pth /tmp/extract_motion/out --save_pkl",
    "gvhmr": "python tools/demo/demo.py --video /tmp/extract_motion/a_clip.mp4 --output_root outputs/a_clip",
    "gem-smpl": "python scripts/demo/demo_smpl_hpe.py --video /tmp/extract_motion/a_clip.mp4 --output_root "
    "outputs/a_clip --no_render",
    "tokenhmr": "render.colors=slahmr '+checkpoint='",
    "tram": "python scripts/estimate_humans.py --video /tmp/extract_motion/a_clip.mp4",
    "prompthmr": "python scripts/demo_video.py --input_video /tmp/extract_motion/a_clip.mp4 --no-run-viser",
    "smpler-x": "--pretrained_model smpler_x_h32 --agora_benchmark agora_model "
    "--img_path /tmp/extract_motion/frames --start 1 --end 40 --show_verts",
}


@pytest.fixture
def video(tmp_path):
    return write_video(tmp_path / "videos" / "a clip.mp4", one_person(9))


@pytest.fixture
def long_video(tmp_path):
    """As many frames as the most demanding system needs."""
    return write_video(tmp_path / "videos" / "a clip.mp4", one_person(FRAMES))


@pytest.fixture
def programs(tmp_path, quick_python):
    """Environment for checkouts of all systems, with a link named ffmpeg first on PATH."""
    root = tmp_path / "the systems"
    shutil.copytree(STAND_INS / "hmr", root)
    shutil.copytree(STAND_INS / "smplest_x", root / "smplest_x")
    torch.save({"network": {}}, root / "smplest_x" / "pretrained_models" / "smplest_x_h" / "smplest_x_h.pth.tar")
    shutil.copytree(STAND_INS / "camerahmr", root / "camerahmr")
    shutil.copytree(STAND_INS / "sam_3d_body", root / "sam_3d_body")
    points = sam_keypoints(known_person(1))[0]
    np.save(root / "sam_3d_body" / "sam_3d_body" / "keypoints.npy", points - points[9:11].mean(0))
    (root / "bin").mkdir()
    (root / "bin" / "ffmpeg").symlink_to(ffmpeg_path())
    variables = dict(SYSTEMS.values())
    variables |= {"SMPLEST_X": "smplest_x", "CAMERAHMR": "camerahmr", "SAM_3D_BODY": "sam_3d_body"}
    environment = {f"{variable}_ROOT": str(root / folder) for variable, folder in variables.items()}
    environment |= {f"{variable}_PYTHON": quick_python for variable in variables} | {"PYTHON": quick_python}
    return environment | {"PATH": f"{root / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def extract(folder, programs, *arguments, **more):
    environment = {key: value for key, value in os.environ.items() if not key.endswith("_ROOT")}
    environment.update({"PYTHON": sys.executable, **programs}, **more)
    return subprocess.run(
        ["bash", str(SCRIPT), *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )


def contents(folder):
    """Every file below a folder with a digest, and every folder."""
    return {
        str(path.relative_to(folder)): hashlib.md5(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in Path(folder).rglob("*")
    }


def test_smplest_x_gets_its_drop_ins_once_and_nothing_else_changes(tmp_path, video, programs):
    root = Path(programs["SMPLEST_X_ROOT"])
    (root / "demo").mkdir()
    (root / "demo" / "a clip_params.pt").write_text("somebody's own result")
    before = contents(root)
    done = extract(tmp_path, programs, "--model", "smplest-x", "--video", "videos/a clip.mp4", "--output", "out/hmr.pt")
    assert done.returncode == 0, done.stderr
    values = torch.load(tmp_path / "out" / "hmr.pt", weights_only=True)
    assert (
        values["fps"].tolist() == [16.0] and values["transl"].shape == (9, 3) and values["num_frames"].tolist() == [9]
    )
    assert "retargeted_cam" in values and "betas" in values
    assert (tmp_path / "out" / "hmr_preview.mp4").stat().st_size > 0
    after = contents(root)
    drop_ins = {"main/inference.py", "scripts/inference.sh"}
    assert {name for name in after if after[name] != before.get(name)} == drop_ins | {
        f"{name}.original" for name in drop_ins
    }
    assert not set(before) - set(after)
    for name in drop_ins:
        assert after[f"{name}.original"] == before[name], "the original is kept"
        assert (root / name).read_bytes() == (REPO / "motion_rep" / "smplest_x_scripts" / Path(name).name).read_bytes()
    again = extract(
        tmp_path,
        programs,
        "--model",
        "smplest-x",
        "--video",
        str(video),
        "--output",
        "out/hmr.pt",
        "--fps=8",
        "--person=largest",
        "--",
        "--no_render",
    )
    assert again.returncode == 0, again.stderr
    assert torch.load(tmp_path / "out" / "hmr.pt", weights_only=True)["fps"].tolist() == [8.0]
    assert contents(root) == after, "the second run backs nothing up again"


def test_a_changed_script_of_somebody_is_never_lost(tmp_path, video, programs):
    script = Path(programs["SMPLEST_X_ROOT"]) / "scripts" / "inference.sh"
    script.with_name("inference.sh.original").write_text("kept earlier")
    done = extract(tmp_path, programs, "--model", "smplest-x", "--video", str(video), "--output", "hmr.pt")
    assert done.returncode == 2 and "Move one of them away" in done.stderr
    assert "the original inference.sh" in script.read_text()


def test_camerahmr(tmp_path, video, programs):
    root = Path(programs["CAMERAHMR_ROOT"])
    before = contents(root)
    real = programs | {"PYTHON": sys.executable, "CAMERAHMR_PYTHON": sys.executable}
    done = extract(tmp_path, real, "--model", "camerahmr", "--video", str(video), "--output", "hmr.pt")
    assert done.returncode == 0, done.stderr
    values = torch.load(tmp_path / "hmr.pt", weights_only=True)
    assert (
        values["fps"].tolist() == [16.0]
        and values["body_pose"].shape == (9, 63)
        and values["frame_index"].tolist() == list(range(9))
    )
    assert set(contents(root)) - set(before) == {"dump_params.py"}


def test_sam_3d_body(tmp_path, video, programs):
    root = Path(programs["SAM_3D_BODY_ROOT"])
    before = contents(root)
    done = extract(tmp_path, programs, "--model", "sam-3d-body", "--video", str(video), "--output", "hmr.pt")
    assert done.returncode == 0, done.stderr
    values = torch.load(tmp_path / "hmr.pt", weights_only=True)
    assert values["fps"].tolist() == [16.0] and values["body_pose"].shape == (9, 63)
    assert values["focal_length"].tolist() == [[300.0]] * 9 and values["num_frames"].tolist() == [9]
    assert set(contents(root)) - set(before) == {"dump_params.py"}


@pytest.mark.parametrize("model", SYSTEMS)
def test_a_system_is_run_and_what_it_wrote_is_imported(model, tmp_path, long_video, programs):
    """With a folder for temporary files whose name the systems' own command lines could misread."""
    root = Path(programs[f"{SYSTEMS[model][0]}_ROOT"])
    before = contents(root)
    odd = tmp_path / "a=b (c) [ü]"
    odd.mkdir()
    more = {"gvhmr": ["--static-camera"], "prompthmr": ["--static-camera"], "4d-humans": ["--focal-length", "500"]}.get(
        model, []
    )
    request = ("--model", model, "--video", str(long_video), "--output", "hmr.pt")
    done = extract(tmp_path, programs, *request, *more, TMPDIR=str(odd))
    assert done.returncode == 0 and not list(odd.iterdir()), done.stderr
    values = torch.load(tmp_path / "hmr.pt", weights_only=True)
    assert (
        values["fps"].tolist() == [16.0]
        and values["num_frames"].tolist() == [FRAMES]
        and values["body_pose"].shape == (FRAMES, 63)
    )
    time = torch.arange(FRAMES) / 16
    if model != "smpler-x":
        pelvis = torch.stack([0.1 * time, 0.2 + 0 * time], 1)
        assert torch.allclose((values["transl"] + SMPLX_PELVIS)[:, :2], pelvis, atol=1e-4)
    assert model != "4d-humans" or values["focal_length"].tolist() == [[500.0]] * FRAMES
    orient = torch.stack([torch.full((FRAMES,), torch.pi - 0.1), 0.3 * time, 0 * time], 1)
    assert torch.allclose(values["global_orient"], orient, atol=1e-4)
    assert contents(root) == before, "the checkout is as it was"


@pytest.mark.parametrize("model", ["wham", "tram"])
def test_the_world_of_systems_that_have_one(model, tmp_path, long_video, programs):
    static = [] if model == "wham" else ["--static-camera"]
    done = extract(
        tmp_path,
        programs,
        "--model",
        model,
        "--video",
        str(long_video),
        "--output",
        "hmr.pt",
        "--space",
        "world",
        *static,
    )
    assert done.returncode == 0, done.stderr
    assert "focal_length" not in torch.load(tmp_path / "hmr.pt", weights_only=True)


@pytest.mark.parametrize("model", [*DOCUMENTED])
def test_a_dry_run_prints_the_documented_commands_and_does_nothing(model, tmp_path, long_video):
    before = contents(tmp_path)
    done = extract(
        tmp_path, {"TMPDIR": "/tmp"}, "--model", model, "--video", str(long_video), "--output", "hmr.pt", "--dry-run"
    )
    assert done.returncode == 0 and DOCUMENTED[model] in done.stdout, done.stdout + done.stderr
    assert "_ROOT is not set" in done.stderr
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("mode", "words"), [("crash", "ended with code 1"), ("no file", "ended without an error but wrote no")]
)
@pytest.mark.parametrize("model", ["wham", "tram", "smpler-x"])
def test_a_system_that_fails_is_told_and_leaves_nothing(model, mode, words, tmp_path, long_video, programs):
    if (model, mode) == ("tram", "no file"):
        words = "ended with code 1"  # its second script misses the first one's camera
    root = Path(programs[f"{SYSTEMS[model][0]}_ROOT"])
    before = contents(root)
    done = extract(
        tmp_path, programs, "--model", model, "--video", str(long_video), "--output", "hmr.pt", STAND_IN_MODE=mode
    )
    assert done.returncode == 1 and f"{model} {words}" in done.stderr
    assert contents(root) == before and not (tmp_path / "hmr.pt").exists()


def test_a_video_without_a_person(tmp_path, programs):
    write_video(tmp_path / "empty.mp4", [[]] * 4)
    done = extract(tmp_path, programs, "--model", "smplest-x", "--video", "empty.mp4", "--output", "hmr.pt")
    assert done.returncode == 1 and "no person was found in any of the 4 frames" in done.stderr
    assert not (tmp_path / "hmr.pt").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "hmr3"], "unknown --model hmr3"),
        (["--model", "wham", "--fps", "30"], "Use --fps native"),
        (["--fps", "fast"], "expected frames per second"),
        (["--fps", "0"], "expected frames per second"),
        (["--focal-length", "wide"], "expected pixels"),
        (["--model", "smplest-x", "--person", "2"], "tracked or largest"),
        (["--model", "preview", "--person", "2"], "--bbox"),
        (["--model", "wham", "--space", "moon"], "expected camera or world"),
        (["--model", "camerahmr", "--space", "world"], "camerahmr has no world frame"),
        (["--model", "wham", "--static-camera"], "works only with gvhmr, gem-smpl, tram and prompthmr"),
        (["--video", "none.mp4"], "none.mp4: not found"),
        (["--output", "hmr.pkl"], "ending in .pt"),
        (["--video"], "--video needs a value"),
        (["--device", "cpu"], "unknown flag --device"),
    ],
)
def test_wrong_use_is_one_line_with_code_2(arguments, words, tmp_path, video, programs):
    usual = {"--model": "wham", "--video": str(video), "--output": "hmr.pt"}
    given = [word for flag, value in usual.items() if flag not in arguments for word in (flag, value)]
    done = extract(tmp_path, programs, *given, *arguments)
    assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_missing_programs_say_how_to_set_them(tmp_path, video, programs):
    request = ("--video", str(video), "--output", "hmr.pt")
    for model, (variable, _) in SYSTEMS.items():
        for value, words in [("", f"{variable}_ROOT is not set"), (str(tmp_path), f"Correct {variable}_ROOT")]:
            done = extract(tmp_path, {**programs, f"{variable}_ROOT": value}, "--model", model, *request)
            assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1, done.stderr
    done = extract(tmp_path, {**programs, "WHAM_PYTHON": "no-python"}, "--model", "wham", *request)
    assert done.returncode == 2 and "set WHAM_PYTHON" in done.stderr
    (tmp_path / "broken.mp4").write_text("text")
    done = extract(tmp_path, programs, "--model", "wham", "--video", "broken.mp4", "--output", "hmr.pt")
    assert done.returncode == 1 and "cannot be read as a video" in done.stderr


def test_ffmpeg_is_asked_for_by_name(tmp_path, video, programs):
    tools = tmp_path / "no ffmpeg"
    tools.mkdir()
    for name in (
        "bash",
        "sh",
        "env",
        "dirname",
        "basename",
        "sed",
        "cut",
        "tr",
        "mktemp",
        "rm",
        "rmdir",
        "mkdir",
        "ln",
        "cp",
        "mv",
        "cmp",
        "grep",
    ):
        (tools / name).symlink_to(shutil.which(name))
    done = extract(
        tmp_path, {**programs, "PATH": str(tools)}, "--model", "smplest-x", "--video", str(video), "--output", "hmr.pt"
    )
    assert done.returncode == 1 and "ffmpeg is not on PATH" in done.stderr


def test_auto_takes_the_preview_in_one_line_where_there_is_no_gpu(tmp_path, video, programs):
    for environment, reason in [
        ({**programs, "SMPLEST_X_ROOT": ""}, "SMPLEST_X_ROOT is not set"),
        (programs, "finds no GPU"),
    ]:
        if reason == "finds no GPU" and torch.cuda.is_available():
            continue
        done = extract(tmp_path, environment, "--video", str(video), "--output", "hmr.pt", "--dry-run")
        assert done.returncode == 0 and reason in done.stdout
        words = shlex.split(done.stdout.splitlines()[1])
        place = words.index("--video")
        assert done.stdout.count("\n") == 2 and words[place - 1] == str(REPO / "motion_rep/capture_preview.py")
        assert words[place + 1 : place + 3] == [str(video), "--output"]


def test_auto_takes_smplest_x_where_a_gpu_is(tmp_path, video, programs):
    pretend = tmp_path / "python with a gpu"
    pretend.write_text(f'#!/bin/sh\ncase "$2" in *cuda.is_available*) exit 0;; esac\nexec \'{sys.executable}\' "$@"\n')
    pretend.chmod(0o755)
    done = extract(
        tmp_path,
        {**programs, "SMPLEST_X_PYTHON": f"./{pretend.name}"},
        "--video",
        str(video),
        "--output",
        "hmr.pt",
        "--dry-run",
    )
    assert done.returncode == 0 and done.stdout.startswith("Model: SMPLest-X"), done.stderr
    assert f"'PYTHON={pretend}' sh scripts/inference.sh" in done.stdout, "run in another folder, so by its whole path"


def test_more_frames_than_there_are_is_warned_about(tmp_path, video, programs):
    done = extract(
        tmp_path,
        programs,
        "--model",
        "camerahmr",
        "--video",
        str(video),
        "--output",
        "hmr.pt",
        "--fps",
        "30",
        "--dry-run",
    )
    assert done.returncode == 0 and "repeats frames" in done.stderr and done.stdout.count("--fps 30") == 3


def test_an_uneven_turned_video_is_given_to_systems_as_an_even_upright_copy(tmp_path, programs):
    """Twelve frames at 16 fps, then thirteen at 32 fps: at 16 fps these are 19 frames."""
    times = [number / 16 if number < 12 else 0.75 + (number - 12) / 32 for number in range(25)]
    with open_writer(tmp_path / "lying.mp4", 160, 120, 16.0, even=False) as writer:
        for number, time in enumerate(times):
            picture = draw_frame([(RED, 20 + 2 * number, 30, 30, 70)], (160, 120))
            writer.write(np.ascontiguousarray(picture[:, :, ::-1]), time)
    ffmpeg("-display_rotation", "90", "-i", tmp_path / "lying.mp4", "-c", "copy", tmp_path / "v.mp4")
    for system in ("gvhmr", "camerahmr"):
        done = extract(tmp_path, programs, "--model", system, "--video", "v.mp4", "--output", f"{system}.pt")
        assert done.returncode == 0, done.stderr
        assert "evenly timed" in done.stderr or "even 16 frames per second" in done.stderr
        capture = torch.load(tmp_path / f"{system}.pt", weights_only=False)
        assert len(capture["transl"]) == 19 and float(capture["fps"]) == 16.0
        if "width" in capture:
            assert (float(capture["width"][0]), float(capture["height"][0])) == (120, 160)


@pytest.mark.parametrize("model", ["wham", "prompthmr", "smpler-x", "tokenhmr"])
def test_a_result_is_imported_although_the_system_fails_after_it(model, tmp_path, long_video, programs):
    done = extract(
        tmp_path,
        programs,
        *("--model", model, "--video", str(long_video), "--output", "hmr.pt"),
        STAND_IN_MODE="late crash",
    )
    assert done.returncode == 0 and "ended with code 1, but its result is there and is imported" in done.stderr
    assert len(torch.load(tmp_path / "hmr.pt", weights_only=True)["transl"]) == FRAMES


def test_half_a_result_is_kept_and_named_but_not_imported(tmp_path, long_video, programs):
    request = ("--model", "smpler-x", "--video", str(long_video), "--output", "hmr.pt")
    done = extract(tmp_path, programs, *request, STAND_IN_MODE="crash halfway")
    assert done.returncode == 1 and "smpler-x ended with code 1" in done.stderr
    assert not (tmp_path / "hmr.pt").exists()
    assert len(list((tmp_path / "hmr_smpler-x" / "out" / "smplx").glob("*.npz"))) == FRAMES // 2


def test_a_result_that_cannot_be_imported_is_kept_and_the_printed_command_imports_it(tmp_path, long_video, programs):
    request = ("--model", "wham", "--video", str(long_video), "--output", "hmr.pt")
    done = extract(tmp_path, programs, *request, "--person", "7")
    assert done.returncode == 1 and "has no person 7" in done.stderr and "Import it with:" in done.stderr
    kept = tmp_path / "hmr_wham" / "wham_output.pkl"
    assert kept.is_file() and not (tmp_path / "hmr.pt").exists()
    printed = done.stderr.strip().splitlines()[-1]
    again = subprocess.run(
        ["bash", "-c", printed.replace("--person=7", "--person=0")], cwd=tmp_path, capture_output=True, text=True
    )
    assert again.returncode == 0 and len(torch.load(tmp_path / "hmr.pt", weights_only=True)["transl"]) == FRAMES
    second = extract(tmp_path, programs, *request, "--person", "7")
    assert second.returncode == 1 and (tmp_path / "hmr_wham_2" / "wham_output.pkl").is_file() and kept.is_file()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_keeps_its_result(number, code, tmp_path, long_video, programs):
    """The program has written its result and goes on for ever, as a viewer does."""
    root = Path(programs["WHAM_ROOT"])
    before = contents(root)
    python = {"PYTHON": sys.executable, "WHAM_PYTHON": sys.executable}  # a process of the group that is told to end
    environment = {**os.environ, **programs, **python, "STAND_IN_MODE": "serve"}
    request = ["--model", "wham", "--video", str(long_video), "--output", "hmr.pt"]
    with subprocess.Popen(
        ["bash", str(SCRIPT), *request],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as run:
        for line in run.stderr:
            if "viewer at" in line:
                os.killpg(run.pid, number)
                break
        told = run.stderr.read()
        assert run.wait(120) == code
    assert "Kept what wham wrote" in told and (tmp_path / "hmr_wham" / "wham_output.pkl").is_file()
    assert contents(root) == before


@pytest.mark.parametrize(
    ("model", "frames"), [("wham", "at least 30 frames"), ("tram", "16 frames in a row"), ("4d-humans", "5 frames")]
)
def test_a_video_too_short_for_a_system_is_refused_before_the_run(model, frames, tmp_path, programs):
    write_video(tmp_path / "short.mp4", one_person(4))
    done = extract(tmp_path, programs, "--model", model, "--video", "short.mp4", "--output", "hmr.pt")
    assert done.returncode == 2 and "has 4 frames" in done.stderr and frames in done.stderr
