"""The documented capture file: every admitted form gives the same capture, everything else one clear line, and nothing
in a file is ever run.
"""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from motion_rep.captures.capture_file import capture_from_dict, read_standard_capture
from motion_rep.common.errors import InputError
from motion_rep.kinematics.rotations import rotvec_to_matrix


def same(first, second, tolerance=1e-6):
    for name in ("root_rotations", "body_rotations", "transl", "focal_length"):
        assert_close(getattr(first, name), getattr(second, name), atol=tolerance, rtol=0)
    assert (first.width, first.height, first.fps) == (second.width, second.height, second.fps)


def as_matrices(capture):
    frames = len(capture["transl"])
    return {
        "global_orient": rotvec_to_matrix(capture["global_orient"]).reshape(frames, 1, 3, 3),
        "body_pose": rotvec_to_matrix(capture["body_pose"].reshape(frames, 21, 3)),
    }


@pytest.mark.parametrize(
    "change",
    [
        lambda c: {"global_orient": c["global_orient"][:, None]},
        lambda c: {"body_pose": c["body_pose"].reshape(-1, 21, 3)},
        lambda c: {"transl": c["transl"][:, None]},
        as_matrices,
        lambda c: {"global_orient": rotvec_to_matrix(c["global_orient"])},
        lambda c: {key: c[key].numpy() for key in ("global_orient", "body_pose", "transl")},
        lambda c: {key: c[key].numpy().astype(np.float64) for key in ("global_orient", "body_pose", "transl")},
        lambda c: {"body_pose": c["body_pose"].requires_grad_()},
        lambda c: {"transl": c["transl"].tolist()},
    ],
)
def test_every_documented_form_of_the_body_means_the_same(make_capture, change):
    capture = make_capture()
    same(capture_from_dict({**capture, **change(capture)}), capture_from_dict(make_capture()))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, np.float16])
def test_any_float_type_is_read_as_float64(make_capture, dtype):
    capture = make_capture()
    cast = (lambda x: x.to(dtype)) if isinstance(dtype, torch.dtype) else (lambda x: x.numpy().astype(dtype))
    read = capture_from_dict(
        {**capture, **{key: cast(capture[key]) for key in ("global_orient", "body_pose", "transl")}}
    )
    assert read.root_rotations.dtype == read.transl.dtype == torch.float64
    same(read, capture_from_dict(capture), tolerance=0.05)


@pytest.mark.parametrize(
    "form",
    [
        lambda v, n: v,
        lambda v, n: torch.tensor(v),
        lambda v, n: torch.tensor([v]),
        lambda v, n: torch.full((n,), v),
        lambda v, n: np.full((n, 1), v),
        lambda v, n: np.float32(v),
    ],
    ids=["scalar", "0-d", "(1,)", "(T,)", "(T, 1)", "numpy"],
)
def test_every_documented_form_of_the_camera_means_the_same(make_capture, form):
    capture = make_capture()
    numbers = {key: form(capture[key], 12) for key in ("focal_length", "width", "height", "fps")}
    same(capture_from_dict({**capture, **numbers}), capture_from_dict(capture))


def test_a_focal_length_of_each_frame_is_kept(make_capture):
    focal = torch.linspace(500, 600, 12)
    assert_close(capture_from_dict(make_capture(focal_length=focal)).focal_length, focal.double())


def test_a_file_without_a_camera_has_an_unknown_one(make_capture):
    capture = capture_from_dict(make_capture(focal_length=None, width=None, height=None, fps=None))
    assert (capture.focal_length, capture.width, capture.height, capture.fps) == (None, None, None, None)


def test_frame_numbers_are_kept(make_capture):
    index = torch.tensor([3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15])
    assert capture_from_dict(make_capture(frame_index=index)).frame_index.tolist() == index.tolist()


def test_rounded_matrices_are_made_exact(make_capture):
    capture = make_capture()
    rounded = {key: (value * 1000).round() / 1000 for key, value in as_matrices(capture).items()}
    body = capture_from_dict({**capture, **rounded}).body_rotations
    assert_close(body @ body.mT, torch.eye(3, dtype=torch.float64).expand_as(body), atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    "changes, fault",
    [
        ({"global_orient": None}, "has no global_orient; found the keys body_pose"),
        ({"transl": None, "body_pose": None}, "has no body_pose and no transl"),
        ({"body_pose": torch.zeros(12, 69)}, r"\(12, 69\), expected \(12, 63\).*SMPL's body"),
        ({"body_pose": torch.zeros(12, 66)}, "leave out the first 3"),
        ({"body_pose": torch.zeros(12, 62)}, "expected .12, 63"),
        ({"body_pose": torch.zeros(11, 63)}, "same length"),
        ({"global_orient": torch.zeros(12, 4)}, "global_orient has shape"),
        ({"global_orient": torch.tensor(1.0)}, "global_orient has shape"),
        ({"transl": torch.zeros(12, 2)}, "transl"),
        ({"transl": torch.zeros(3)}, "transl"),
        ({"transl": torch.full((12, 3), float("nan"))}, "transl is not a finite number in 12 of 12"),
        ({"body_pose": torch.full((12, 63), float("nan"))}, "finite"),
        ({"global_orient": torch.full((12, 3), float("inf"))}, "finite"),
        ({"body_pose": torch.ones(12, 21, 3, 3)}, "not rotations"),
        ({"body_pose": -torch.eye(3).expand(12, 21, 3, 3)}, "not rotations"),
        ({"body_pose": torch.full((12, 21, 3, 3), float("nan"))}, "finite"),
        ({"body_pose": "hello"}, "expected numbers"),
        ({"body_pose": {"a": 1}}, "expected numbers"),
        ({"focal_length": torch.zeros(5)}, "one number or one for each"),
        ({"focal_length": -5.0}, "above zero"),
        ({"width": None}, "all three"),
        ({"width": 480.5}, "whole number"),
        ({"width": torch.linspace(400, 480, 12)}, "width changes"),
        ({"height": float("nan")}, "height|whole number"),
        ({"fps": 0}, "fps"),
        ({"fps": "fast"}, "expected numbers"),
        ({"fps": True}, "fps contains bool values, expected real numbers"),
        ({"fps": torch.tensor(True)}, "fps contains torch.bool values"),
        ({"transl": torch.zeros(12, 3, dtype=torch.complex64, requires_grad=True)}, "transl contains torch.complex64"),
        ({"transl": np.zeros((12, 3), dtype=complex)}, "transl contains complex128 values, expected real numbers"),
        ({"frame_index": torch.linspace(0, 5, 12)}, "fractions"),
        ({"frame_index": torch.zeros(12)}, "does not increase"),
        ({"frame_index": torch.arange(5)}, "frame_index has shape"),
    ],
)
def test_each_fault_is_one_line_that_says_what_was_found(make_capture, changes, fault):
    with pytest.raises(InputError, match=fault) as error:
        capture_from_dict(make_capture(**changes))
    assert "\n" not in str(error.value)


def test_one_frame_is_refused(make_capture):
    with pytest.raises(InputError, match="1 frame, expected at least 2"):
        capture_from_dict(make_capture(frames=1))


def test_no_frames_are_refused(make_capture):
    with pytest.raises(InputError):
        capture_from_dict(make_capture(frames=0))


@pytest.mark.parametrize(
    "value, fault",
    [
        (torch.zeros(3), "Tensor"),
        ([1, 2], "list"),
        ({}, "found an empty dict"),
        ({"motion": torch.zeros(3, 276)}, "motion already"),
    ],
)
def test_other_contents_are_refused(value, fault):
    with pytest.raises(InputError, match=fault):
        capture_from_dict(value)


def test_reading_from_a_file_names_the_file_in_every_error(make_capture, tmp_path):
    path = tmp_path / "good.pt"
    torch.save(make_capture(), path)
    assert len(read_standard_capture(path)) == 12
    bad = tmp_path / "bad.pt"
    torch.save(make_capture(transl=None), bad)
    with pytest.raises(InputError, match="bad.pt: has no transl"):
        read_standard_capture(bad)


def test_empty_cut_and_foreign_files_are_refused(make_capture, tmp_path):
    whole = tmp_path / "whole.pt"
    torch.save(make_capture(), whole)
    data = whole.read_bytes()
    contents = {
        "empty": b"",
        "half": data[: len(data) // 2],
        "last": data[:-30],
        "text": b"not a torch file\n" * 50,
        "zip": b"PK\x03\x04" + bytes(200),
    }
    for name, content in contents.items():
        path = tmp_path / f"{name}.pt"
        path.write_bytes(content)
        with pytest.raises(InputError, match=f"{name}.pt: ") as error:
            read_standard_capture(path)
        assert "\n" not in str(error.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "nothing.pt", tmp_path):
        with pytest.raises(InputError, match=str(path)):
            read_standard_capture(path)


class Malice:
    """Writes a file when it is unpickled."""

    def __init__(self, proof):
        self.proof = proof

    def __reduce__(self):
        return os.system, (f"touch {self.proof}",)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize(
    "save",
    [lambda value, path: torch.save(value, path), lambda value, path: path.write_bytes(pickle.dumps(value))],
    ids=["torch", "pickle"],
)
def test_code_in_a_file_is_not_run(make_capture, tmp_path, save):
    proof, path = tmp_path / "executed", tmp_path / "malicious.pt"
    save({**make_capture(), "extra": Malice(proof)}, path)
    with pytest.raises(InputError, match="malicious.pt"):
        read_standard_capture(path)
    assert not proof.exists()


def test_objects_inside_numpy_arrays_are_not_run(make_capture, tmp_path):
    proof, path = tmp_path / "executed", tmp_path / "malicious.pt"
    torch.save({**make_capture(), "transl": np.array([Malice(proof)], dtype=object)}, path)
    with pytest.raises(InputError, match="malicious.pt"):
        read_standard_capture(path)
    assert not proof.exists()


def test_complex_numbers_are_refused(make_capture):
    values = make_capture()
    for transl in (values["transl"].to(torch.complex64), values["transl"].numpy().astype(complex)):
        with pytest.raises(InputError, match="expected real numbers"):
            capture_from_dict({**values, "transl": transl})


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int16, torch.int64, np.int32, np.uint16])
@pytest.mark.parametrize("name", ["global_orient", "body_pose"])
def test_whole_numbers_are_no_radians(make_capture, name, dtype):
    values = make_capture()
    whole = (values[name] * 100).round().abs()
    values[name] = whole.to(dtype) if isinstance(dtype, torch.dtype) else whole.numpy().astype(dtype)
    with pytest.raises(InputError, match=f"{name} contains whole numbers"):
        capture_from_dict(values)
    values[name] = values[name] * 0
    assert len(capture_from_dict(values)) == len(values[name])


@pytest.mark.parametrize(
    ("name", "size", "what"),
    [("body_pose", (84,), "quaternions"), ("global_orient", (4,), "quaternions"), ("body_pose", (21, 6), "6D")],
)
def test_other_rotations_are_named(make_capture, name, size, what):
    values = make_capture()
    with pytest.raises(InputError, match=what):
        capture_from_dict({**values, name: torch.zeros(len(values["transl"]), *size)})


OTHER_NUMBERS = {
    "sparse": (lambda x: x.to_sparse(), "to_dense"),
    "compressed": (lambda x: x.to_sparse_csr(), "to_dense"),
    "quantised": (lambda x: torch.quantize_per_tensor(x, 0.01, 0, torch.qint8), "dequantize"),
    "meta": (lambda x: x.to("meta"), "meta"),
    "float8": (lambda x: x.to(torch.float8_e4m3fn), "float8"),
    "masked": (lambda x: np.ma.masked_less(x.numpy(), 0), "masked array"),
    "matrix": (lambda x: np.matrix(x.numpy()), "numpy matrix"),
    "records": (lambda x: x.numpy().view(np.recarray), "record array"),
}


@pytest.mark.parametrize("name", ["global_orient", "body_pose", "transl"])
@pytest.mark.parametrize(("change", "said"), OTHER_NUMBERS.values(), ids=OTHER_NUMBERS)
@pytest.mark.filterwarnings("ignore")
def test_numbers_in_other_forms_are_named(make_capture, tmp_path, name, change, said):
    values = make_capture()
    torch.save({**values, name: change(values[name].float())}, tmp_path / "c.pt")
    with pytest.raises(InputError, match=said) as error:
        read_standard_capture(tmp_path / "c.pt")
    assert "run code" not in str(error.value)


@pytest.mark.parametrize(
    "change", [lambda x: x.to_sparse(), lambda x: torch.quantize_per_tensor(x, 0.01, 0, torch.qint8)]
)
def test_tensors_of_trusted_files_are_plain_or_refused(make_capture, change):
    values = make_capture()
    with pytest.raises(InputError, match="transl is not a plain tensor"):
        capture_from_dict({**values, "transl": change(values["transl"].float())})


def test_text_is_no_number_because_it_may_be_cut(make_capture):
    values = make_capture()
    with pytest.raises(InputError, match="transl contains text"):
        capture_from_dict({**values, "transl": values["transl"].numpy().astype("S20")})
    assert capture_from_dict({**values, "fps": "30"}).fps == 30
