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

from motion_rep.common.errors import InputError
from motion_rep.safe_loading.admitted import ADMITTED
from motion_rep.safe_loading.torch_files import read_torch, read_torch_arrays
from motion_rep.safe_loading.torch_tensors import rebuild_tensor


def saved(content) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


KINDS = (
    torch.bool,
    torch.uint8,
    torch.int8,
    torch.int16,
    torch.int32,
    torch.int64,
    torch.float16,
    torch.float32,
    torch.float64,
)


@pytest.fixture
def without_torch(monkeypatch):
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("torch's own loader was used"))


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("fps", [None, 16, 29.97, True, -3, 10**6])
def test_the_plain_form_is_read_without_torch(tmp_path, without_torch, dtype, fps):
    numbers = (3 * torch.randn(5, 22, 3)).to(dtype)
    content = {
        "joints": numbers,
        "other": torch.zeros(3),
        "one": numbers[0, 0, 0].clone(),
        "fps": fps,
        "text": "\u00e9\U0001f600",
    }
    path = tmp_path / "a.pt"
    path.write_bytes(saved(content))
    arrays, tensors = read_torch_arrays(path), read_torch(path)
    assert list(arrays) == list(tensors) == list(content)
    for name in ("joints", "other", "one"):
        assert torch.equal(tensors[name], content[name]) and tensors[name].dtype == content[name].dtype
        assert np.array_equal(arrays[name], content[name].numpy())
    for read in (arrays, tensors):
        assert (read["fps"], type(read["fps"]), read["text"]) == (fps, type(fps), content["text"])


def test_tensors_that_share_their_numbers_take_them_once(tmp_path, without_torch):
    path = tmp_path / "a.pt"
    numbers = torch.arange(1e5)
    path.write_bytes(saved({str(n): numbers for n in range(20)} | {"end": numbers[-3:]}))
    read = read_torch(path)
    assert len({read[str(n)].data_ptr() for n in range(20)}) == 1
    assert torch.equal(read["end"], numbers[-3:])


@pytest.mark.parametrize(
    "joints",
    [
        torch.randn(3, 22, 5).transpose(1, 2),
        torch.randn(4, 22, 3)[1:],
        torch.randn(22, 3).expand(4, 22, 3),
        torch.randn(4, 22, 3, requires_grad=True),
        torch.nn.Parameter(torch.randn(4, 22, 3)),
        torch.ones(4, 22, 3, dtype=torch.bfloat16),
        torch.zeros(0, 22, 3),
        torch.ones(4, dtype=torch.uint16),
        torch.ones(4, dtype=torch.complex64),
        torch.nn.Linear(2, 2).state_dict(),
        torch.randn(4, 22, 3).numpy(),
        [torch.randn(4, 22, 3)],
        {"nested": torch.randn(4, 22, 3)},
        10**30,
    ],
    ids=range(14),
)
@pytest.mark.parametrize("zipped", [True, False])
def test_other_forms_give_the_same_as_torch(tmp_path, joints, zipped):
    path = tmp_path / "a.pt"
    torch.save({"joints": joints}, path, _use_new_zipfile_serialization=zipped)
    if not zipped and getattr(joints, "dtype", None) == torch.uint16:
        pytest.skip("torch itself cannot read them in its older format")
    there = torch.load(path, weights_only=False)["joints"]
    if isinstance(there, torch.Tensor) and there.dtype == torch.bfloat16:
        there = there.float()  # numpy has no such numbers
    for here in (read_torch(path)["joints"], read_torch_arrays(path)["joints"]):
        assert same(here, there)


def same(here, there) -> bool:
    if isinstance(there, list | dict):
        pairs = zip(here.values(), there.values()) if isinstance(there, dict) else zip(here, there)
        return all(same(*pair) for pair in pairs)
    return (
        torch.equal(torch.as_tensor(here).detach(), torch.as_tensor(there).detach())
        if hasattr(there, "shape")
        else here == there
    )


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
        read_torch(path)
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
        read_torch(tmp_path / "bad.pt")
    assert not (tmp_path / "made").exists()


def in_file(path, pickle: bytes):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", pickle)
        file.writestr("archive/byteorder", "little")
        file.writestr("archive/data/0", bytes(4))
    return path


TENSOR = (
    b"ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nByteStorage\nX\1\0\0\0"
    + b"0X\3\0\0\0cpuK\1tQK\0%sK\1\x85\x89ccollections\nOrderedDict\n)RtR"
)
NESTED = b")q\0" + b"h\0h\0\x86q\0" * 100


@pytest.mark.parametrize(
    "pickle",
    [
        NESTED + b"}h\0Ns.",  # a key whose hash takes 2**100 steps
        b"}X\1\0\0\0a"
        + TENSOR % b"X\1\0\0\0aJ\xff\xff\xff\x7f\x86"
        + b"s.",  # a shape that, multiplied, is a text of 2 GB
        b"}X\1\0\0\0a" + TENSOR % (b"(" + b"J\xff\xff\xff\x7f" * 20_000 + b"t") + b"s.",  # a product of 600,000 bits
        b"}X\1\0\0\0a" + TENSOR % b"J\xff\xff\xff\x7f\x85" + b"s.",  # more numbers than are there
        b"}X\xff\xff\xff\x7fa.",
        b"}X\1\0\0\0a" + b"(" * 90_000 + b".",
        b"cos\nsystem\n(X\4\0\0\0exittR.",
        b"}h\5.",
        b"}",
        b".",
    ],
    ids=range(10),
)
def test_instructions_that_ask_for_much_or_lead_nowhere_are_not_followed(tmp_path, pickle):
    with pytest.raises(InputError):
        read_torch_arrays(in_file(tmp_path / "a.pt", b"\x80\2" + pickle))


def test_a_place_in_memory_in_the_thousands_of_millions_takes_none(tmp_path):
    assert read_torch_arrays(in_file(tmp_path / "a.pt", b"\x80\2}r\xff\xff\xff\x7f.")) == {}


@pytest.mark.parametrize("change", [lambda x: x.conj(), lambda x: x.conj().imag, lambda x: x.real.to_sparse()])
@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_that_are_not_plain_are_refused(tmp_path, change, zipped):
    changed = {"joints": change(torch.ones(4, 22, dtype=torch.complex64))}
    torch.save(changed, tmp_path / "a.pt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputError, match=r"a\.pt: contains a"):
        read_torch(tmp_path / "a.pt")


def test_the_same_instructions_with_plain_numbers_are_followed(tmp_path):
    read = read_torch_arrays(in_file(tmp_path / "a.pt", b"\x80\2}X\1\0\0\0a" + TENSOR % b"K\1\x85" + b"s."))
    assert list(read) == ["a"] and read["a"].tolist() == [0.0]


def test_nothing_of_torch_or_the_system_stands_behind_a_name():
    made = [entry.make for entry in ADMITTED.values() if getattr(entry, "make", None)]
    assert made and all(function.__module__.startswith("motion_rep.safe_loading.") for function in made)


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [(1, (4,), (1,)), (0, (2, 3), (2, 1)), (0, (2,), (4,)), (5, (), ()), (0, (2,), (1, 1)), (4, (1,), (1,))],
)
def test_a_view_lies_within_its_storage(offset, size, stride):
    with pytest.raises(InputError, match="numbers for a tensor of shape"):
        rebuild_tensor(np.zeros(4), offset, size, stride)


def test_byte_orders(tmp_path):
    content = saved({"joints": torch.arange(6.0).reshape(2, 3)})
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(tmp_path / "a.pt", "w") as target:
        for name in source.namelist():
            data = source.read(name)
            data = np.frombuffer(data, "<f4").astype(">f4").tobytes() if "/data/" in name else data
            target.writestr(name, b"big" if name.endswith("byteorder") else data)
    assert torch.equal(read_torch(tmp_path / "a.pt")["joints"], torch.arange(6.0).reshape(2, 3))


def test_a_zip_of_many_instructions_is_stopped(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.pt", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data.pkl", b"\x80\2]" + b"(" + b"N" * 20_000_000 + b"e.")
    with pytest.raises(InputError, match="more instructions|more bytes"):
        read_torch(tmp_path / "a.pt")


def test_a_shape_beyond_the_numbers_is_refused(tmp_path):
    content = saved({"joints": torch.ones(3, 22, 3)})
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(tmp_path / "a.pt", "w") as target:
        for name in source.namelist():
            data = source.read(name)
            target.writestr(name, data[:40] if "/data/" in name else data)
    with pytest.raises(InputError):
        read_torch(tmp_path / "a.pt")
