"""The SMPLest-X drop-ins, run in the real directory layout with stand-ins for the network and the detector."""

from __future__ import annotations

import ast
import importlib.util
import os
import shutil
import subprocess
import sys

import imageio_ffmpeg
import numpy as np
import pytest
import torch
from checkout import REPO, STAND_INS

DROP_INS = REPO / "motion_rep" / "smplest_x_scripts"
sys.path.insert(0, str(STAND_INS))
from videos import BLUE, RED, one_person, write_video  # noqa: E402

SHELL = shutil.which("dash") or "sh"


def load(path):
    spec = importlib.util.spec_from_file_location("drop_in_inference", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def drop_in():
    return load(DROP_INS / "inference.py")


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    """A folder with nothing but a link named ffmpeg."""
    folder = tmp_path_factory.mktemp("tools")
    (folder / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
    return folder


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A SMPLest-X checkout with stand-ins, with both drop-ins in place."""
    root = tmp_path_factory.mktemp("smplest x")
    shutil.copytree(STAND_INS / "smplest_x", root, dirs_exist_ok=True)
    shutil.copy(DROP_INS / "inference.py", root / "main")
    shutil.copy(DROP_INS / "inference.sh", root / "scripts")
    torch.save(
        {"network": {"scale": torch.ones(1)}}, root / "pretrained_models" / "smplest_x_h" / "smplest_x_h.pth.tar"
    )
    return root


@pytest.fixture(scope="module")
def run(checkout, tools, quick_python):
    def run(name, *arguments, path=None, **more):
        environment = {
            **os.environ,
            "PATH": path or f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PYTHON": quick_python,
            **more,
        }
        command = [SHELL, str(checkout / "scripts" / "inference.sh"), "smplest_x_h", name, *arguments]
        return subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, timeout=120)

    return run


def read(checkout, name):
    return torch.load(checkout / "demo" / f"{name}_params.pt", weights_only=True)


@pytest.fixture(scope="module")
def swapped(checkout, run):
    """Frames 0-1, 8 and 15 are empty; else two people, red in front, whom the detector gives in changing order."""
    two = [[(RED, 20 + 2 * number, 20, 40, 90), (BLUE, 115, 30, 30, 70)] for number in range(16)]
    frames = [[] if number in (0, 1, 8, 15) else people for number, people in enumerate(two)]
    write_video(checkout / "demo" / "two people.mp4", frames)
    other = checkout / "demo" / "input_frames" / "another video"
    other.mkdir(parents=True)
    done = run("two people.mp4", "16")
    assert done.returncode == 0, done.stderr
    assert other.is_dir(), "only this video's temporary folders are removed"
    assert not (other.parent / "two people").exists() and not (checkout / "demo" / "output_frames").exists()
    other.rmdir()
    return done, read(checkout, "two people")


def test_missing_frames_are_told_and_never_squeezed_out(swapped):
    done, result = swapped
    assert result["frame_index"].tolist() == [2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14]
    assert result["num_frames"].tolist() == [16]
    assert result["fps"].tolist() == [16.0]
    assert "0-1, 8, 15" in done.stdout


def test_documented_keys_and_shapes(swapped):
    result = swapped[1]
    rows = 12
    shapes = {
        "global_orient": 3,
        "body_pose": 63,
        "transl": 3,
        "focal_length": 1,
        "focal_length_xy": 2,
        "princpt": 2,
        "width": 1,
        "height": 1,
        "betas": 10,
        "bbox": 4,
    }
    shapes.update(transl_raw=3, focal_length_raw=1, focal_length_xy_raw=2, princpt_raw=2)
    for key, columns in shapes.items():
        assert result[key].shape == (rows, columns) and result[key].dtype == torch.float32, key
    assert result["detection_score"].shape == (rows,)
    assert result["retargeted_cam"].dtype == torch.uint8 and result["retargeted_cam"].tolist() == [1]
    assert set(result) == {*shapes, "detection_score", "frame_index", "num_frames", "fps", "retargeted_cam"}


def test_one_person_is_kept_when_the_detector_changes_its_order(swapped):
    result = swapped[1]
    assert torch.allclose(result["global_orient"][:, 1], torch.full((12,), 0.2)), "always the red person"
    expected_left = 20 + 2 * result["frame_index"].float()
    assert (result["bbox"][:, 0] - expected_left).abs().max() < 4
    assert torch.allclose(result["detection_score"], torch.full((12,), 0.8))


def test_one_camera_for_all_frames_keeps_the_pixel_of_the_body(swapped):
    result = swapped[1]

    def pixels(suffix):
        focal, centre, point = result["focal_length_xy" + suffix], result["princpt" + suffix], result["transl" + suffix]
        return focal * point[:, :2] / point[:, 2:] + centre

    assert torch.allclose(pixels(""), pixels("_raw"), atol=1e-2)
    assert torch.equal(result["princpt"], torch.tensor([[80.0, 60.0]]).expand(12, 2))
    assert torch.equal(result["focal_length"], result["focal_length_raw"][:1].expand(12, 1))
    height = 5000 / 256 * 1.2 * result["bbox"][0, 3]
    assert abs(float(result["focal_length"][0]) / float(height) - 1) < 0.02


def test_a_body_that_cannot_be_drawn_costs_only_the_drawing(swapped, checkout):
    done = swapped[0]
    assert done.stdout.count("cannot be drawn") == 1
    assert (checkout / "demo" / "result_two people.mp4").stat().st_size > 0


def test_the_result_converts(swapped, checkout, tmp_path):
    converter = REPO / "motion_rep" / "convert_hmr_to_motion.py"
    output = tmp_path / "motion.pt"
    command = [sys.executable, str(converter), "-i", str(checkout / "demo" / "two people_params.pt"), "-o", str(output)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    motion = torch.load(output, weights_only=True)["motion"]
    assert motion.shape == (12, 276), "frames 2 to 14 with frame 8 filled in, and one row fewer"


def test_native_rate_largest_person_own_cameras_and_an_encoder_that_fails(checkout, run, tools, tmp_path):
    frames = [[(RED, 10, 30, 30, 60), (BLUE, 90, 10, 30 + 4 * number, 100)] for number in range(6)]
    write_video(checkout / "demo" / "b & $c.mp4", frames, fps=12.5)
    (tmp_path / "ffmpeg").write_text(
        f'#!/bin/sh\ncase " $* " in *" libx264 "*|*nvenc*) exit 1;; esac\nexec \'{tools / "ffmpeg"}\' "$@"\n'
    )
    (tmp_path / "ffmpeg").chmod(0o755)
    done = run(
        "b & $c.mp4",
        "native",
        "--person",
        "largest",
        "--no_render",
        path=f"{tmp_path}:{os.environ['PATH']}",
        RETARGET_CAM="0",
    )
    assert done.returncode == 0, done.stderr
    result = read(checkout, "b & $c")
    assert result["fps"].tolist() == [12.5] and result["num_frames"].tolist() == [6]
    assert "retargeted_cam" not in result and "transl_raw" not in result
    assert torch.allclose(result["global_orient"][:, 1], torch.full((6,), -0.3)), "the blue person is larger"
    assert "Preview" in done.stdout and "libx264" not in done.stdout


def test_a_video_without_a_person_ends_with_a_message_and_no_file(checkout, run):
    write_video(checkout / "demo" / "empty room.mp4", [[]] * 4)
    stale = checkout / "demo" / "empty room_params.pt"
    stale.write_bytes(b"of an earlier run")
    done = run("empty room.mp4", "16")
    assert done.returncode == 1
    assert "no person was found in any of the 4 frames" in done.stderr and "Traceback" not in done.stderr
    assert not stale.exists() and not (checkout / "demo" / "result_empty room.mp4").exists()
    kept = checkout / "demo" / "empty room_params.pt.previous"
    assert kept.read_bytes() == b"of an earlier run" and f"kept as demo/{kept.name}" in done.stderr
    kept.unlink()
    assert not (checkout / "demo" / "input_frames").exists()


def test_wrong_use_is_one_line(checkout, run, tmp_path):
    write_video(checkout / "demo" / "short.mp4", one_person(2))
    (checkout / "demo" / "text.mp4").write_text("not a video")
    (tmp_path / "dirname").symlink_to(shutil.which("dirname"))
    for name, arguments, options, words in [
        ("missing.mp4", [], {}, "missing.mp4: not found"),
        ("../short.mp4", [], {}, "expected the name of a file"),
        ("short.mp4", ["fast"], {}, "FPS is fast"),
        ("short.mp4", ["16"], {"path": str(tmp_path)}, "ffmpeg is not on PATH"),
        ("text.mp4", ["16"], {}, "cannot take frames out of it"),
        ("text.mp4", ["native"], {}, "is not a video"),
    ]:
        done = run(name, *arguments, **options)
        assert done.returncode in (1, 2) and words in done.stderr, (name, done.stderr)
        assert "Traceback" not in done.stderr and not list(checkout.glob("demo/*_frames"))


def test_a_missing_checkpoint_is_named(checkout, tools):
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "PYTHON": sys.executable}
    write_video(checkout / "demo" / "short.mp4", one_person(2))
    done = subprocess.run(
        [SHELL, "scripts/inference.sh", "smplest_x_z", "short.mp4"],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1 and "pretrained_models/smplest_x_z/config_base.py: not found" in done.stderr


@pytest.mark.parametrize(("file", "words"), [("file/params.pt", "cannot be written"), ("new/params.pt", "not found")])
def test_the_params_file_is_of_the_users_folder_and_checked_first(file, words, checkout, tmp_path):
    (tmp_path / "file").write_text("kept")
    script = [sys.executable, str(checkout / "main" / "inference.py"), "--ckpt_name", "missing", "--params_file", file]
    done = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and words in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert (tmp_path / "new").is_dir() is (file == "new/params.pt")


# --------------------------------------------------------------------------------------------------- without a network


def boxes(*rows):
    return np.array(rows, dtype=np.float32).reshape(-1, 4)


def test_a_hidden_person_is_not_replaced_at_once(drop_in):
    person, bystander = [0, 0, 10, 20], [100, 0, 109, 19]
    chooser = drop_in.PersonChooser(tracked=True, patience=2)
    assert chooser.choose(boxes(bystander, person)) == 1, "the largest box to begin with"
    assert [chooser.choose(boxes(bystander)) for _ in range(3)] == [None, None, None]
    assert chooser.choose(boxes(bystander)) == 0, "after the patience, the largest one there"
    assert chooser.choose(boxes(person, bystander)) == 1, "and that one is followed from then on"


def test_empty_frames_before_the_first_person(drop_in):
    chooser = drop_in.PersonChooser(tracked=True, patience=1)
    assert [chooser.choose(boxes()) for _ in range(5)] == [None] * 5
    assert chooser.choose(boxes([0, 0, 5, 5], [0, 0, 9, 9])) == 1


def test_overlap_is_intersection_over_union(drop_in):
    overlaps = drop_in.box_overlaps(
        boxes([0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]), np.array([0, 0, 10, 10], dtype=np.float32)
    )
    assert np.allclose(overlaps, [1, 1 / 3, 0])


@pytest.mark.parametrize(("text", "rate"), [("30", 30), ("29.97", 29.97), ("30000/1001", 30000 / 1001)])
def test_frame_rates(drop_in, text, rate):
    assert drop_in.frame_rate(text) == pytest.approx(rate, rel=1e-12)


def test_cpu_is_used_where_cuda_is_not(drop_in):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    assert drop_in.choose_device("auto") in ("cpu", "mps")
    with pytest.raises(drop_in.CannotRun, match="--device cuda"):
        drop_in.choose_device("cuda")


@pytest.mark.parametrize(
    "path",
    [
        DROP_INS / "inference.py",
        REPO / "motion_rep" / "camerahmr_scripts" / "dump_params.py",
        REPO / "motion_rep" / "sam_3d_body_scripts" / "dump_params.py",
    ],
    ids=lambda path: path.parent.name,
)
def test_python_3_8_and_nothing_of_ours(path):
    tree = ast.parse(path.read_text(), feature_version=(3, 8))
    roots = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    roots |= {node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    assert not roots & {"motion_rep", "motion_gating", "scripts"}
    newer = {"removeprefix", "removesuffix", "pairwise", "cached_property", "is_relative_to", "file_digest", "batched"}
    assert not newer & {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    old_python = next((found for name in ("python3.8", "python3.9") if (found := shutil.which(name))), None)
    if old_python and subprocess.run([old_python, "--version"], capture_output=True).returncode == 0:
        done = subprocess.run([old_python, str(path), "--help"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
