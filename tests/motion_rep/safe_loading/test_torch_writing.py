"""Files that are written without torch are torch's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from motion_rep.safe_loading.torch_files import read_torch_arrays
from motion_rep.safe_loading.torch_writing import write_torch_arrays

ARRAYS = {
    "f4": np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3),
    "turned": np.arange(6.0).reshape(2, 3).T,
    "i8": np.array([3, -1]),
    "flags": np.array([True, False]),
    "empty": np.zeros((0, 3), np.float32),
    "one": np.array(2.5),
    "big": np.array([1.0, 2.0], ">f8"),
    **{f"x{key}": np.full(1, key) for key in range(300)},
}
PLAIN = {"fps": 23.976, "count": 70000, "large": 1 << 40, "name": "ä b", "parts": ["left leg", 3], "none": None, "": []}


@pytest.mark.parametrize("mmap", [False, True])
def test_torch_and_the_own_reader_find_what_was_written(tmp_path, mmap):
    write_torch_arrays(tmp_path / "a.pt", {**ARRAYS, **PLAIN})
    found, own = torch.load(tmp_path / "a.pt", weights_only=True, mmap=mmap), read_torch_arrays(tmp_path / "a.pt")
    assert list(found) == list(own) == [*ARRAYS, *PLAIN]
    assert {key: found[key] for key in PLAIN} == {key: own[key] for key in PLAIN} == PLAIN
    for key, array in ARRAYS.items():
        assert np.array_equal(found[key].numpy(), array) and np.array_equal(own[key], array)
        assert found[key].numpy().dtype == own[key].dtype == array.dtype.newbyteorder("=")
        assert found[key].is_contiguous() and found[key].shape == array.shape


def test_equal_values_give_equal_bytes(tmp_path):
    for name in ("a.pt", "b.pt"):
        write_torch_arrays(tmp_path / name, {**ARRAYS, **PLAIN})
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()
