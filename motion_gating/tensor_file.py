"""Tensors of a small torch.save file as arrays, without torch: a third of torch.load's time, and no second for importing it.

Only the plain form that ``torch.save`` gives a dict of tensors, numbers and strings is read here; everything else is left to
``motion_rep.safe_files.read_torch``. Nothing in the file is run: its pickle may use instructions that build data only, checked before the
first is followed, and three names, each answered by code of this file.
"""

from __future__ import annotations

import io
import math
import os
import pickle
import pickletools
import zipfile
from dataclasses import dataclass

import numpy as np

from motion_rep.safe_files import read_torch

LARGEST_PICKLE = 100_000  # bytes; an eval file has 500
DTYPES = {"HalfStorage": np.dtype("<f2"), "FloatStorage": np.dtype("<f4"), "DoubleStorage": np.dtype("<f8")}
DATA_ONLY = frozenset((
    "PROTO", "EMPTY_DICT", "EMPTY_TUPLE", "BINPUT", "BINGET", "MARK", "BINUNICODE", "GLOBAL", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3",
    "BININT", "BININT1", "BININT2", "BINFLOAT", "BINPERSID", "NEWFALSE", "NEWTRUE", "NONE", "REDUCE", "SETITEM", "SETITEMS", "STOP",
))  # fmt: skip
# By instruction: the bytes of its argument. Below zero: lines, or a length in front.
ARGUMENT_BYTES = {ord(opcode.code): opcode.arg.n if opcode.arg else 0 for opcode in pickletools.opcodes if opcode.name in DATA_ONLY}
BINUNICODE, GLOBAL = ord("X"), ord("c")


class _OtherForm(Exception):
    """Not the plain form."""


@dataclass(frozen=True)
class _StoredTensor:
    """Where a tensor's numbers are."""

    dtype: np.dtype
    record: str
    offset: int
    shape: tuple[int, ...]


def read_tensor_dict(path: str | os.PathLike, wanted: tuple[str, ...]) -> object:
    """The ``wanted`` keys of a dict in a torch.save file, tensors as arrays; a file of another form as ``read_torch`` gives it.

    Raises:
        InputError: as ``read_torch``.
    """
    try:
        with zipfile.ZipFile(path) as file:
            return _read_plain(file, wanted)
    except (_OtherForm, OSError, EOFError, ValueError, TypeError, LookupError, AttributeError, RuntimeError, NotImplementedError, OverflowError,
            pickle.UnpicklingError, zipfile.BadZipFile):  # fmt: skip
        return read_torch(path)


def _read_plain(file: zipfile.ZipFile, wanted: tuple[str, ...]) -> dict:
    prefix = file.namelist()[0].partition("/")[0]
    if _record(file, f"{prefix}/byteorder") not in (b"little",):
        raise _OtherForm
    content = _unpickled(_record(file, f"{prefix}/data.pkl", LARGEST_PICKLE))
    if not isinstance(content, dict):
        raise _OtherForm
    return {key: _array(file, prefix, content[key]) for key in wanted if key in content}


def _record(file: zipfile.ZipFile, name: str, largest: int | None = None) -> bytes:
    """The bytes of a record, if it is stored as it is: nothing is unpacked, so nothing grows."""
    info = file.getinfo(name)
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size or (largest is not None and info.file_size > largest):
        raise _OtherForm
    return file.read(info)


def _unpickled(data: bytes) -> object:
    _require_data_only(data)
    return _Unpickler(io.BytesIO(data)).load()


def _require_data_only(data: bytes) -> None:
    """Walk over the instructions without following them (pickletools.genops is three times slower, as slow as the rest of the reading)."""
    place = 0
    while place < len(data):
        instruction = data[place]
        size = ARGUMENT_BYTES.get(instruction)
        if size is None:
            raise _OtherForm
        if instruction == BINUNICODE:
            size = 4 + int.from_bytes(data[place + 1 : place + 5], "little")
        elif instruction == GLOBAL:
            size = data.index(b"\n", data.index(b"\n", place) + 1) - place
        place += 1 + size


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _stored_tensor
        if (module, name) == ("collections", "OrderedDict"):
            return dict
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        raise _OtherForm

    def persistent_load(self, identifier: object) -> object:
        return identifier


def _stored_tensor(storage: tuple, offset: int, shape: tuple[int, ...], stride: tuple[int, ...], *_: object) -> _StoredTensor:
    """torch's way of pickling a tensor, for numbers that lie one after the other."""
    _, dtype, record, _, _ = storage
    packed = tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))
    if not isinstance(dtype, np.dtype) or stride != packed or min(offset, *shape) < 0:
        raise _OtherForm
    return _StoredTensor(dtype, record, offset, shape)


def _array(file: zipfile.ZipFile, prefix: str, value: object) -> object:
    if not isinstance(value, _StoredTensor):
        return value
    data = _record(file, f"{prefix}/data/{value.record}")
    return np.frombuffer(data, value.dtype, math.prod(value.shape), value.offset * value.dtype.itemsize).reshape(value.shape)
