"""Motion files survive writing and reading in every documented form, open with ``weights_only=True``, and refuse the
rest.
"""

from __future__ import annotations

import dataclasses
import os

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from motion_rep.captures.capture_file import capture_from_dict
from motion_rep.common.errors import InputError
from motion_rep.kinematics.camera import Camera, rigid_transform
from motion_rep.kinematics.rotations import rotvec_to_matrix
from motion_rep.motions.encoding import encode_capture
from motion_rep.motions.motion_file import MotionClip, read_motion, write_motion


@pytest.fixture
def clip(make_capture):
    encoded = encode_capture(capture_from_dict(make_capture()))
    return MotionClip(encoded.motion.float(), encoded.camera, fps=16.0, start_time=0.25)


@pytest.mark.parametrize("extrinsic_format, shape", [("matrix", (4, 4)), ("rows", (11, 9))])
def test_both_forms_come_back_as_they_were(clip, tmp_path, extrinsic_format, shape):
    path = tmp_path / "clip.pt"
    write_motion(path, clip, extrinsic_format)
    raw = torch.load(path, weights_only=True)
    assert {key: tuple(raw[key].shape) for key in ("motion", "intrinsic", "extrinsic")} == {
        "motion": (11, 276),
        "intrinsic": (3, 3),
        "extrinsic": shape,
    }
    assert raw["motion"].dtype == torch.float32 and raw["fps"] == 16.0 and isinstance(raw["fps"], float)
    read = read_motion(path)
    assert torch.equal(read.motion, clip.motion) and (read.fps, read.start_time) == (16.0, 0.25)
    assert_close(read.camera.intrinsic, clip.camera.intrinsic, atol=1e-4, rtol=0)
    assert_close(read.camera.world_to_camera, clip.camera.world_to_camera, atol=1e-5, rtol=0)


def test_a_moving_camera_comes_back_in_both_forms(clip, tmp_path):
    turns = rotvec_to_matrix(
        torch.linspace(0, 1, 11, dtype=torch.float64)[:, None] * torch.tensor([0.1, 0.7, 0.2], dtype=torch.float64)
    )
    poses = torch.stack(
        [
            rigid_transform(turn, torch.tensor([0.0, 1.0, 4.0 + i / 10], dtype=torch.float64))
            for i, turn in enumerate(turns)
        ]
    )
    moving = dataclasses.replace(clip, camera=Camera(clip.camera.intrinsic, poses))
    for form in ("matrix", "rows"):
        write_motion(tmp_path / "clip.pt", moving, form)
        assert_close(read_motion(tmp_path / "clip.pt").camera.world_to_camera, poses, atol=1e-5, rtol=0)


def test_an_unknown_camera_is_written_as_identity_and_read_as_unknown(clip, tmp_path):
    path = tmp_path / "clip.pt"
    write_motion(path, dataclasses.replace(clip, camera=None, fps=None, start_time=0.0))
    raw = torch.load(path, weights_only=True)
    assert torch.equal(raw["intrinsic"], torch.eye(3)) and torch.equal(raw["extrinsic"], torch.eye(4))
    assert set(raw) == {"motion", "intrinsic", "extrinsic"}
    read = read_motion(path)
    assert read.camera is None and read.fps is None


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_a_bare_tensor_of_any_float_type_is_a_motion(clip, tmp_path, dtype):
    torch.save(clip.motion.to(dtype), tmp_path / "bare.pt")
    read = read_motion(tmp_path / "bare.pt")
    assert read.motion.dtype == torch.float32 and read.camera is None and len(read) == 11


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ">f4"])
def test_arrays_and_numbers_of_numpy_count_as_tensors(clip, tmp_path, dtype):
    path = tmp_path / "clip.pt"
    write_motion(path, clip)
    tensors = torch.load(path, weights_only=True)
    arrays = {key: value.numpy().astype(dtype) for key, value in tensors.items() if torch.is_tensor(value)}
    torch.save({**arrays, "fps": np.float32(29.97), "start_time": np.array([1.5])}, path)
    read = read_motion(path)
    assert_close(read.motion, torch.from_numpy(arrays["motion"].astype(np.float32)), atol=0, rtol=0)
    assert read.fps == float(np.float32(29.97)) and read.start_time == 1.5 and read.camera is not None
    torch.save(arrays["motion"], path)
    assert torch.equal(read_motion(path).motion, read.motion)


def test_the_published_motion_is_read_with_its_camera(shared):
    path = shared / "real" / "wan22_motion.pt"
    if not path.is_file():
        pytest.skip("the published example is not beside this checkout")
    clip = read_motion(path)
    assert len(clip) == 79 and clip.camera.world_to_camera.shape == (4, 4) and clip.camera.size == (480, 832)


@pytest.mark.parametrize(
    "change, fault",
    [
        ({"motion": torch.zeros(3, 275)}, "shape .3, 275."),
        ({"motion": torch.zeros(276)}, "shape .276,."),
        ({"motion": torch.zeros(0, 276)}, "no rows"),
        ({"motion": torch.zeros(3, 276)}, "span no plane"),
        ({"motion": torch.full((3, 276), float("nan"))}, "finite"),
        ({"motion": torch.zeros(3, 276, dtype=torch.int64)}, "int64"),
        ({"motion": [1, 2]}, "a list under motion, expected a tensor"),
        ({"motion": None}, "expected a tensor"),
        ({"intrinsic": torch.eye(4)}, "intrinsic has shape"),
        ({"extrinsic": torch.eye(3)}, "extrinsic has shape"),
        ({"extrinsic": torch.zeros(4, 9)}, "extrinsic has shape"),
        ({"extrinsic": "none"}, "extrinsic is a str"),
        ({"intrinsic": torch.full((3, 3), float("nan"))}, "finite"),
        ({"fps": "16"}, "fps is '16'"),
        ({"fps": -1.0}, "fps is -1"),
        ({"fps": float("nan")}, "fps is nan"),
        ({"fps": True}, "fps is True"),
        ({"interpolated_from": -1.0}, "interpolated_from is -1"),
        ({"extrinsic": torch.eye(4, dtype=torch.complex64)}, "extrinsic contains complex numbers"),
        ({"start_time": -3.0}, "start_time"),
    ],
)
def test_each_fault_is_one_line_with_the_files_name(clip, tmp_path, change, fault):
    path = tmp_path / "clip.pt"
    write_motion(path, clip)
    torch.save({**torch.load(path, weights_only=True), **change}, path)
    with pytest.raises(InputError, match=fault) as error:
        read_motion(path)
    assert str(error.value).startswith(f"{path}: ") and "\n" not in str(error.value)


def test_a_capture_is_not_a_motion(make_capture, tmp_path):
    torch.save(make_capture(), tmp_path / "capture.pt")
    with pytest.raises(InputError, match="convert_hmr_to_motion.py first"):
        read_motion(tmp_path / "capture.pt")


def test_empty_and_cut_files_are_refused(clip, tmp_path):
    path = tmp_path / "clip.pt"
    write_motion(path, clip)
    data = path.read_bytes()
    for content in (b"", data[:100], data[:-200]):
        path.write_bytes(content)
        with pytest.raises(InputError, match="clip.pt: "):
            read_motion(path)


class Malice:
    def __init__(self, proof):
        self.proof = proof

    def __reduce__(self):
        return os.system, (f"touch {self.proof}",)


def test_code_in_a_motion_file_is_not_run(clip, tmp_path):
    proof = tmp_path / "executed"
    torch.save({"motion": clip.motion, "extra": Malice(proof)}, tmp_path / "clip.pt")
    with pytest.raises(InputError, match="Nothing was run"):
        read_motion(tmp_path / "clip.pt")
    assert not proof.exists()


def test_a_clip_is_checked_when_it_is_made(clip):
    with pytest.raises(InputError, match="fps"):
        dataclasses.replace(clip, fps=0.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        clip.fps = 20.0
