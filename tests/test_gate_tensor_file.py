"""Reading tensors without torch gives what torch gives, and runs nothing."""

from __future__ import annotations

import io
import os
import pickle
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from motion_gating import tensor_file
from motion_gating.tensor_file import read_tensor_dict
from motion_rep.errors import InputError


def saved(content) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def read_both(path):
    """What is read here and what torch reads."""
    return read_tensor_dict(path, ("joints", "fps")), torch.load(path, weights_only=True)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("fps", [None, 16, 29.97, True, -3, 10**6])
def test_the_plain_form_is_read_without_torch(tmp_path, monkeypatch, dtype, fps):
    content = {"joints": torch.randn(5, 22, 3).to(dtype), "other": torch.zeros(3), "fps": fps, "text": "x"}
    path = tmp_path / "a.pt"
    path.write_bytes(saved(content))
    monkeypatch.setattr(tensor_file, "read_torch", lambda path: pytest.fail("not read as the plain form"))
    read = read_tensor_dict(path, ("joints", "fps", "absent"))
    assert np.array_equal(read["joints"], content["joints"].numpy())
    assert read["fps"] == fps
    assert set(read) == {"joints", "fps"}


@pytest.mark.parametrize(
    "joints",
    [
        torch.randn(3, 22, 5).transpose(1, 2),
        torch.randn(4, 22, 3)[1:],
        torch.randn(22, 3).expand(4, 22, 3),
        torch.randn(4, 22, 3, requires_grad=True),
        torch.nn.Parameter(torch.randn(4, 22, 3)),
        torch.ones(4, 22, 3, dtype=torch.int32),
        torch.ones(4, 22, 3, dtype=torch.bfloat16),
        torch.zeros(0, 22, 3),
    ],
    ids=range(8),
)
def test_other_forms_give_the_same_numbers(tmp_path, joints):
    path = tmp_path / "a.pt"
    path.write_bytes(saved({"joints": joints, "fps": 20.0}))
    here, there = read_both(path)
    mine = here["joints"]
    mine = mine.detach().float().numpy() if isinstance(mine, torch.Tensor) else mine
    assert np.array_equal(mine, there["joints"].detach().float().numpy())


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_files_end_in_one_line_or_in_numbers(tmp_path_factory, data):
    whole = bytearray(saved({"joints": torch.ones(3, 22, 3), "fps": 20.0}))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    path = tmp_path_factory.getbasetemp() / "damaged.pt"
    path.write_bytes(bytes(whole[: cut or None]))
    try:
        read_tensor_dict(path, ("joints", "fps"))
    except InputError as error:
        assert "\n" not in str(error)


class Touch:
    """Makes a file when it is unpickled the careless way."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_pickle_that_wants_to_run_something_is_refused(tmp_path, compression):
    with zipfile.ZipFile(tmp_path / "bad.pt", "w", compression) as file:
        file.writestr("archive/data.pkl", pickle.dumps({"joints": Touch(tmp_path / "made"), "fps": 1.0}, protocol=2))
        file.writestr("archive/byteorder", "little")
        file.writestr("archive/version", "3\n")
    with pytest.raises(InputError):
        read_tensor_dict(tmp_path / "bad.pt", ("joints", "fps"))
    assert not (tmp_path / "made").exists()


def test_a_pickle_that_asks_for_memory_is_refused_before_it_is_followed(tmp_path, monkeypatch):
    bomb = b"\x80\x02}r\xff\xff\xff\x7f."  # remember the dict under a number in the thousands of millions
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w") as file:
        file.writestr("archive/data.pkl", bomb)
        file.writestr("archive/byteorder", "little")
    monkeypatch.setattr(tensor_file, "read_torch", lambda path: "left to torch")
    monkeypatch.setattr(tensor_file._Unpickler, "load", lambda self: pytest.fail("followed"))
    assert read_tensor_dict(tmp_path / "bomb.pt", ("joints",)) == "left to torch"


def test_a_shape_beyond_the_numbers_is_refused(tmp_path):
    content = saved({"joints": torch.ones(3, 22, 3)})
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(tmp_path / "a.pt", "w") as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, data[:40] if "/data/" in name else data)
    with pytest.raises(InputError):
        read_tensor_dict(tmp_path / "a.pt", ("joints",))
