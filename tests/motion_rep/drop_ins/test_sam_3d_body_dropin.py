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


def dump(checkout, frames, output, *arguments):
    folder = checkout.parent / "frames"
    folder.mkdir()
    for number, people in enumerate(frames):
        cv2.imwrite(str(folder / f"frame {number}.jpg"), draw_frame(people, (160, 120)))
    command = [sys.executable, str(checkout / "dump_params.py"), "--image_folder", str(folder), "--output", str(output)]
    return subprocess.run([*command, *arguments], cwd="/", capture_output=True, text=True, timeout=120)


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
