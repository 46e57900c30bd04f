"""The SAM 3D Body dump script, run in a checkout with a stand-in for its package."""

from __future__ import annotations

import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
from checkout import REPO, STAND_INS
from hmr_layouts import known_person, sam_keypoints

from motion_rep.hmr_formats.reading import read_capture

sys.path.insert(0, str(STAND_INS))
from videos import RED, draw_frame  # noqa: E402


@pytest.fixture
def checkout(tmp_path):
    root = tmp_path / "sam 3d body"
    shutil.copytree(STAND_INS / "sam_3d_body", root)
    shutil.copy(REPO / "motion_rep" / "sam_3d_body_scripts" / "dump_params.py", root)
    points = sam_keypoints(known_person(1))[0]
    np.save(root / "sam_3d_body" / "keypoints.npy", (points - points[9:11].mean(0)).astype(np.float32))
    return root


def dump(checkout, frames, output, *arguments, cwd="/", sizes=((160, 120),)):
    folder = checkout.parent / "frames"
    folder.mkdir()
    for number, people in enumerate(frames):
        cv2.imwrite(str(folder / f"frame {number}.jpg"), draw_frame(people, sizes[number % len(sizes)]))
    command = [sys.executable, str(checkout / "dump_params.py"), "--image_folder", str(folder), "--output", str(output)]
    return subprocess.run([*command, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120)


def test_frames_become_one_file_that_is_read(checkout, tmp_path):
    frames = [[] if number == 2 else [(RED, 20 + 3 * number, 20, 40, 90)] for number in range(12)]
    done = dump(checkout, frames, tmp_path / "params.npz", "--fps", "16")
    assert done.returncode == 0 and "people in 11 of 12 frames" in done.stdout, done.stderr
    values = np.load(tmp_path / "params.npz")
    assert values["frame_index"].tolist() == [0, 1, *range(3, 12)] and values["pred_keypoints_3d"].shape == (11, 70, 3)
    capture = read_capture(tmp_path / "params.npz")
    assert (capture.fps, capture.width, capture.height) == (16.0, 160, 120)
    assert float(capture.focal_length[0]) == 300.0
    # The boxes go 3 pixels to the right in each frame, at 4 m through a lens of 300 pixels.
    across = capture.transl[:, 0] - capture.transl[0, 0]
    assert np.abs(across.numpy() - 3 * values["frame_index"] * 4 / 300).max() < 0.01


def test_nobody_and_another_version_are_one_line(checkout, tmp_path):
    done = dump(checkout, [[]] * 3, tmp_path / "params.npz")
    assert done.returncode == 1 and "no person was found in any of the 3 frames" in done.stderr
    (checkout / "sam_3d_body" / "__init__.py").write_text("")
    shutil.rmtree(checkout.parent / "frames")
    done = dump(checkout, [[]] * 3, tmp_path / "params.npz")
    assert done.returncode == 1 and "does not fit this script" in done.stderr and done.stderr.count("\n") == 1


def test_files_are_named_from_the_users_folder(checkout, tmp_path):
    package = checkout / "sam_3d_body" / "__init__.py"
    local = "\n\ndef load_sam_3d_body(path, device, mhr_path):\n    raise RuntimeError(f'{path} and {mhr_path}')\n"
    package.write_text(package.read_text() + local)
    (tmp_path / "model.ckpt").write_text("weights")
    people = [[(RED, 20, 20, 40, 90)]]
    done = dump(checkout, people, tmp_path / "params.npz", "--checkpoint", "model.ckpt", cwd=tmp_path)
    expected = f"{tmp_path / 'model.ckpt'} and {tmp_path / 'assets' / 'mhr_model.pt'}"
    assert done.returncode == 1 and f"stopped: {expected}" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("fault", ["is one of the frames", "have different sizes", "cannot be written"])
def test_frames_and_output_are_checked_before_the_network_is_loaded(fault, checkout, tmp_path):
    (checkout / "sam_3d_body" / "__init__.py").write_text("raise RuntimeError('the network was loaded')")
    output = {"is one": "frames/frame 1.jpg", "have d": "params.npz", "cannot": "model.ckpt/params.npz"}[fault[:6]]
    (tmp_path / "model.ckpt").write_text("kept")
    sizes = ((160, 120), (80, 60)) if fault.startswith("have") else ((160, 120),)
    done = dump(checkout, [[(RED, 20, 20, 40, 40)]] * 2, tmp_path / output, sizes=sizes)
    assert done.returncode == 1 and fault in done.stderr and done.stderr.count("\n") == 1
    assert cv2.imread(str(tmp_path / "frames" / "frame 1.jpg")) is not None and not (tmp_path / "params.npz").exists()
