"""The CameraHMR dump script, run in a checkout with stand-ins for its estimator."""

from __future__ import annotations

import argparse
import ast
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from checkout import REPO, STAND_INS
from forked_script import run_forked

SCRIPTS = REPO / "motion_rep"
sys.path.insert(0, str(STAND_INS))
from videos import BLUE, RED, draw_frame  # noqa: E402

SMPLX_PELVIS = torch.tensor([0.00312326, -0.35140744, 0.01203655])
# The stand-in's body: vertices at y = -0.2 and -0.3 with the pelvis between them, 0.5 m lower for a first shape number
# of 1.
STAND_IN_PELVIS = torch.tensor([0.0, -0.25 + 0.1 * 0.5, 0.05])


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    root = tmp_path_factory.mktemp("camera hmr")
    shutil.copy(STAND_INS / "camerahmr" / "mesh_estimator.py", root)
    shutil.copy(SCRIPTS / "camerahmr_scripts" / "dump_params.py", root)
    return root


def write_frames(folder, frames):
    """Names without leading zeros, so that the order of text is not the order of time."""
    folder.mkdir(parents=True)
    for number, people in enumerate(frames):
        cv2.imwrite(str(folder / f"frame {number}.jpg"), draw_frame(people, (160, 120)))
    return folder


def dump(checkout, folder, output, *arguments):
    script = str(checkout / "dump_params.py")
    words = [script, "--image_folder", str(folder), "--output", str(output), *arguments]
    return run_forked(words, Path("/"), dict(os.environ))


@pytest.fixture(scope="module")
def result(checkout, tmp_path_factory):
    folder = tmp_path_factory.mktemp("frames")
    two = [[(RED, 20 + 3 * number, 20, 40, 90), (BLUE, 115, 30, 30, 70)] for number in range(12)]
    frames = write_frames(folder / "in", [[] if number in (0, 5) else people for number, people in enumerate(two)])
    done = dump(checkout, frames, folder / "hmr.pt", "--fps", "16")
    assert done.returncode == 0, done.stderr
    assert "Without the person: 0, 5" in done.stdout
    return torch.load(folder / "hmr.pt", weights_only=True)


def test_frames_are_in_the_order_of_their_numbers_with_gaps_told(result):
    assert result["frame_index"].tolist() == [1, 2, 3, 4, 6, 7, 8, 9, 10, 11]
    assert result["num_frames"].tolist() == [12] and result["fps"].tolist() == [16.0]
    centre = result["bbox"][:, 0] + result["bbox"][:, 2] / 2
    assert (centre - (40 + 3 * result["frame_index"])).abs().max() < 3


def test_one_person_in_axis_angle_with_21_joints(result):
    assert torch.allclose(result["global_orient"], torch.tensor([[0.0, 0.2, 0.0]]).expand(10, 3), atol=1e-6), (
        "always the red person"
    )
    assert result["body_pose"].shape == (10, 63)
    assert result["betas"].shape == (10, 10)


def test_one_focal_length_and_the_formula_of_the_weak_camera(result):
    focal = float(result["focal_length"][0])
    assert focal == 210 and torch.equal(result["focal_length"], torch.full((10, 1), focal)), (
        "the median of 200, 210 and 220"
    )
    size = result["bbox"][:, 2:3]
    centre = result["bbox"][:, :2] + size / 2
    expected = torch.cat(
        [
            0.01 + 2 * (centre[:, :1] - 80) / (0.9 * size),
            0.02 + 2 * (centre[:, 1:] - 60) / (0.9 * size),
            2 * focal / (0.9 * size),
        ],
        1,
    )
    assert torch.allclose(result["transl"] + SMPLX_PELVIS, expected + STAND_IN_PELVIS, atol=1e-4), (
        "the pelvis stays where SMPL has it"
    )


def test_smplx_focal_length_overlays_and_largest(checkout, tmp_path):
    frames = write_frames(tmp_path / "in", [[(RED, 20, 20, 40, 60), (BLUE, 90, 10, 50, 100)]] * 3)
    done = dump(
        checkout, frames, tmp_path / "hmr.pt", "--model_type", "smplx", "--focal_length", "500", "--person", "largest"
    )
    assert done.returncode == 0, done.stderr
    captured = torch.load(tmp_path / "hmr.pt", weights_only=True)
    assert torch.allclose(captured["global_orient"][:, 1], torch.full((3,), -0.3)), "blue is larger"
    assert (
        captured["focal_length"].tolist() == [[500.0]] * 3
        and "fps" not in captured
        and captured["betas"].shape == (3, 16)
    )
    drawn = dump(checkout, frames, tmp_path / "drawn.pt", "--overlay_folder", str(tmp_path / "overlays"))
    assert "no OpenGL here" in drawn.stderr, "only asked-for pictures need OpenGL"


@pytest.mark.parametrize(("name", "warned"), [("body_model", False), ("other_model", True)])
def test_the_body_model_under_its_newer_name_and_a_warning_without_one(name, warned, checkout, result, tmp_path):
    root = tmp_path / "newer"
    shutil.copytree(checkout, root)
    estimator = root / "mesh_estimator.py"
    estimator.write_text(estimator.read_text().replace("smpl_model", name))
    frames = write_frames(tmp_path / "in", [[(RED, 20 + 3 * number, 20, 40, 90)] for number in (1, 2)])
    done = dump(root, frames, tmp_path / "hmr.pt", "--focal_length", "210")
    assert done.returncode == 0 and ("warning" in done.stdout) is warned, done.stderr
    pelvis = torch.load(tmp_path / "hmr.pt", weights_only=True)["transl"] + SMPLX_PELVIS
    known = (result["transl"] + SMPLX_PELVIS)[:2]
    smpl_pelvis = torch.tensor([-0.00179506, -0.22333382, 0.02821918])
    moved = smpl_pelvis - STAND_IN_PELVIS if warned else torch.zeros(3)
    assert torch.allclose(pelvis - known, moved.expand(2, 3), atol=1e-4)


def test_the_result_converts(result, tmp_path):
    converter = SCRIPTS / "convert_hmr_to_motion.py"
    torch.save(result, tmp_path / "hmr.pt")
    command = [sys.executable, str(converter), "-i", str(tmp_path / "hmr.pt"), "-o", str(tmp_path / "motion.pt")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert torch.load(tmp_path / "motion.pt", weights_only=True)["motion"].shape == (10, 276)


def test_failures_are_one_line_and_leave_no_file(checkout, tmp_path):
    nobody = write_frames(tmp_path / "nobody", [[]] * 3)
    (tmp_path / "none").mkdir()
    broken = write_frames(tmp_path / "broken", [[]])
    (broken / "frame 1.jpg").write_text("text")
    for folder, words in [
        (nobody, "no person was found in any of the 3 frames"),
        (tmp_path / "none", "has no pictures"),
        (tmp_path / "x", "is not a folder"),
        (broken, "is not a picture"),
    ]:
        done = dump(checkout, folder, tmp_path / "hmr.pt")
        assert done.returncode == 1 and words in done.stderr, done.stderr
        assert done.stderr.count("\n") == 1 and not (tmp_path / "hmr.pt").exists()


def test_an_output_is_checked_before_the_network_is_loaded(checkout, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(checkout, other)
    (other / "mesh_estimator.py").write_text("raise RuntimeError('the network was loaded')")
    frames = write_frames(tmp_path / "in", [[(RED, 20, 20, 40, 60)]])
    (tmp_path / "file").write_text("kept")
    for output, words in [(tmp_path / "file" / "hmr.pt", "cannot be written"), (tmp_path, "is a folder")]:
        done = dump(other, frames, output)
        assert done.returncode == 1 and words in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert (tmp_path / "file").read_text() == "kept"
    done = dump(other, frames, tmp_path / "new folder" / "hmr.pt")
    assert done.returncode == 1 and "stopped: the network was loaded" in done.stderr and done.stderr.count("\n") == 1


def test_a_missing_folder_of_the_output_is_made(checkout, tmp_path):
    frames = write_frames(tmp_path / "in", [[(RED, 20, 20, 40, 60)]] * 2)
    assert dump(checkout, frames, tmp_path / "new" / "folder" / "hmr.pt").returncode == 0
    assert torch.load(tmp_path / "new" / "folder" / "hmr.pt", weights_only=True)["num_frames"].tolist() == [2]


def test_another_version_of_the_checkout_is_named(checkout, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(checkout, other)
    source = (other / "mesh_estimator.py").read_text()
    (other / "mesh_estimator.py").write_text(source.replace('"box_size"', '"size"'))
    frames = write_frames(tmp_path / "in", [[(RED, 20, 20, 40, 60)]] * 2)
    done = dump(other, frames, tmp_path / "hmr.pt")
    assert done.returncode == 1 and "batch has no box_size" in done.stderr


DROP_INS = {
    name: SCRIPTS / name
    for name in (
        "camerahmr_scripts/dump_params.py",
        "sam_3d_body_scripts/dump_params.py",
        "smplest_x_scripts/inference.py",
    )
}


def load(path):
    spec = importlib.util.spec_from_file_location("drop_in", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def definitions(path):
    text = path.read_text()
    return {node.name: ast.get_source_segment(text, node) for node in ast.parse(text).body if hasattr(node, "name")}


def test_what_drop_ins_share_has_the_same_code():
    """Each must stand alone in a foreign checkout, so code is there two or three times; it must not drift apart."""
    camerahmr, sam, smplest_x = map(definitions, DROP_INS.values())
    for name in ("frame_rate", "require_writable", "fail", "one_line", "what_stopped", "CannotRun"):
        assert camerahmr[name] == sam[name] == smplest_x[name], name
    for name in ("PersonChooser", "box_areas", "box_overlaps", "frame_ranges", "save", "report", "say"):
        assert camerahmr[name] == smplest_x[name], name
    assert camerahmr["list_frames"] == sam["list_frames"]


@pytest.mark.parametrize("path", DROP_INS.values(), ids=DROP_INS)
@pytest.mark.parametrize("text", ["1e400", "1e999999999", "1e9/1e-9", "nan", "30/0", "/", "1000", "-1"])
def test_no_frame_rate(path, text):
    with pytest.raises(argparse.ArgumentTypeError, match="is not a frame rate"):
        load(path).frame_rate(text)


def test_names_with_digits_of_other_scripts(checkout, tmp_path):
    for name in ("frame 10", "frame 2", "frame ²", "²"):
        cv2.imwrite(str(tmp_path / f"{name}.jpg"), draw_frame([], (160, 120)))
    assert [path.stem for path in load(checkout / "dump_params.py").list_frames(tmp_path)][:2] == [
        "frame 2",
        "frame 10",
    ]


def test_rotation_at_half_a_turn(checkout):
    half_turn = "numpy.diag([1.0, -1.0, -1.0])[None, None]"
    code = f"import dump_params, numpy; print(numpy.abs(dump_params.rotation_vectors({half_turn})).round(9).tolist())"
    done = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == str([[round(float(np.pi), 9), 0.0, 0.0]])
