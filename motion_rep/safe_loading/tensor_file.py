"""Dicts of tensors in torch.save files without torch: a fifth of torch.load's time, and no second for importing it.

Only the plain form that ``torch.save`` gives a dict of tensors, numbers and strings is read here; everything else is left to torch
(torch_files.py). Nothing in the file is run: its pickle is not unpickled. The few instructions that build such a dict are followed by code of
this file, on numbers, strings, tuples and dicts of its own; the names that a pickle may mention stand for markers; anything else ends the reading.
"""

from __future__ import annotations

import io
import math
import os
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# Bytes; in larger files nearly all time goes into the numbers.
LARGEST_FILE = 1 << 24
LARGEST_PICKLE = 100_000
MAX_DIMENSIONS = 32
ZIP_MAGIC = b"PK\x03\x04"
LOCAL_HEADER = struct.Struct("<4s22xHH")
# Storage types of torch by the name that a pickle has for them.
DTYPES = {
    f"torch\n{name}Storage".encode(): np.dtype(kind)
    for name, kind in (
        ("Bool", "?"),
        ("Byte", "u1"),
        ("Char", "i1"),
        ("Short", "<i2"),
        ("Int", "<i4"),
        ("Long", "<i8"),
        ("Half", "<f2"),
        ("Float", "<f4"),
        ("Double", "<f8"),
    )
}
REBUILD_TENSOR, ORDERED_DICT = b"torch._utils\n_rebuild_tensor_v2", b"collections\nOrderedDict"
NAMES = {**DTYPES, REBUILD_TENSOR: REBUILD_TENSOR, ORDERED_DICT: ORDERED_DICT}

# Instructions of a pickle (pickletools.py in the standard library describes them).
PROTOCOL_2, STOP = b"\x80\x02", ord(".")
REMEMBER, RECALL = ord("q"), ord("h")
MARK, TUPLE_FROM_MARK, TUPLES = ord("("), ord("t"), {0x85: 1, 0x86: 2, 0x87: 3}
TEXT, GLOBAL = ord("X"), ord("c")
NUMBERS = {
    ord("K"): struct.Struct("B"),
    ord("M"): struct.Struct("<H"),
    ord("J"): struct.Struct("<i"),
    ord("G"): struct.Struct(">d"),
}
CONSTANTS = {ord("N"): None, 0x88: True, 0x89: False, ord(")"): ()}
EMPTY_DICT, SET_ITEM, SET_ITEMS = ord("}"), ord("s"), ord("u")
PERSISTENT, REDUCE = ord("Q"), ord("R")


class _OtherForm(Exception):
    """Not the plain form."""


@dataclass(frozen=True)
class _Storage:
    """A record of numbers: their type and the record's name."""

    dtype: np.dtype
    record: str


@dataclass(frozen=True)
class _StoredTensor:
    """Where a tensor's numbers are."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]


def read_plain(path: Path) -> dict | None:
    """The dict in a torch.save file, tensors as arrays, or None where it is not of the plain form: a flat dict of dense tensors, numbers and strings."""
    try:
        with open(path, "rb", buffering=0) as file:
            if file.read(len(ZIP_MAGIC)) != ZIP_MAGIC or os.fstat(file.fileno()).st_size > LARGEST_FILE:
                return None
            data = bytearray(ZIP_MAGIC + file.read())
        return _plain_content(data)
    except (
        _OtherForm,
        ValueError,
        TypeError,
        LookupError,
        RuntimeError,
        OverflowError,
        OSError,
        EOFError,
        struct.error,
        zipfile.BadZipFile,
    ):
        return None


def _plain_content(data: bytearray) -> dict:
    """The arrays share the memory of ``data``."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    prefix = archive.namelist()[0].partition("/")[0]
    if _record(data, archive, f"{prefix}/byteorder") != b"little":
        raise _OtherForm
    content = _followed(bytes(_record(data, archive, f"{prefix}/data.pkl")))
    if not isinstance(content, dict):
        raise _OtherForm

    def value_of(found: object) -> object:
        if isinstance(found, _StoredTensor):
            return _array(_record(data, archive, f"{prefix}/data/{found.storage.record}"), found)
        if found is None or isinstance(found, bool | int | float | str):
            return found
        raise _OtherForm

    return {key: value_of(found) for key, found in content.items()}


def _record(data: bytearray, archive: zipfile.ZipFile, name: str) -> memoryview:
    """The bytes of a record, if it is stored as it is: nothing is unpacked, so nothing grows."""
    info = archive.getinfo(name)
    magic, name_size, extra_size = LOCAL_HEADER.unpack_from(data, info.header_offset)
    start = info.header_offset + LOCAL_HEADER.size + name_size + extra_size
    found = memoryview(data)[start : start + info.file_size]
    if (
        magic != ZIP_MAGIC
        or info.compress_type != zipfile.ZIP_STORED
        or info.flag_bits & 1
        or len(found) != info.file_size
    ):
        raise _OtherForm
    return found


def _followed(pickle: bytes) -> object:
    """What the instructions of a pickle build.

    Strings are the only keys: hashing tuples of tuples could take forever.
    """
    if len(pickle) > LARGEST_PICKLE or not pickle.startswith(PROTOCOL_2):
        raise _OtherForm
    stack, below, memory, place = [], [], {}, len(PROTOCOL_2)
    while (code := pickle[place]) != STOP:
        place += 1
        if code == REMEMBER:
            memory[pickle[place]] = stack[-1]
            place += 1
        elif code == RECALL:
            stack.append(memory[pickle[place]])
            place += 1
        elif code in NUMBERS:
            stack.append(NUMBERS[code].unpack_from(pickle, place)[0])
            place += NUMBERS[code].size
        elif code in CONSTANTS:
            stack.append(CONSTANTS[code])
        elif code == TEXT:
            end = place + 4 + int.from_bytes(pickle[place : place + 4], "little")
            stack.append(pickle[place + 4 : end].decode("utf-8", "surrogatepass"))
            place = end
        elif code == GLOBAL:
            end = pickle.index(b"\n", pickle.index(b"\n", place) + 1)
            stack.append(NAMES[pickle[place:end]])
            place = end + 1
        elif code == MARK:
            below.append(stack)
            stack = []
        elif code in TUPLES:
            stack[-TUPLES[code] :] = [tuple(stack[-TUPLES[code] :])]
        elif code == EMPTY_DICT:
            stack.append({})
        elif code == SET_ITEM:
            stack[-2:], pair = [], stack[-2:]
            _set_items(stack[-1], pair)
        elif code in (TUPLE_FROM_MARK, SET_ITEMS):
            items, stack = stack, below.pop()
            stack.append(tuple(items)) if code == TUPLE_FROM_MARK else _set_items(stack[-1], items)
        elif code == PERSISTENT:
            stack.append(_storage(stack.pop()))
        elif code == REDUCE:
            arguments = stack.pop()
            stack.append(_made(stack.pop(), arguments))
        else:
            raise _OtherForm
    return stack[-1]


def _set_items(target: object, items: list) -> None:
    if type(target) is not dict or not all(type(key) is str for key in items[::2]):
        raise _OtherForm
    target.update(zip(items[::2], items[1::2], strict=True))


def _storage(identifier: tuple) -> _Storage:
    """torch's name for the numbers of a tensor: what it is, its type, its record, its device, its size."""
    kind, dtype, record, _, _ = identifier
    if kind != "storage" or not isinstance(dtype, np.dtype) or type(record) is not str:
        raise _OtherForm
    return _Storage(dtype, record)


def _made(function: object, arguments: tuple) -> object:
    """What torch makes of a tensor's description (torch._utils._rebuild_tensor_v2), for numbers that lie one after the other; an empty dict of hooks."""
    if function is ORDERED_DICT and arguments == ():
        return {}
    storage, offset, shape, stride, _, _ = arguments
    if (
        function is not REBUILD_TENSOR
        or not isinstance(storage, _Storage)
        or type(shape) is not tuple
        or len(shape) > MAX_DIMENSIONS
    ):
        raise _OtherForm
    # Types before sizes: a text times a number is a long text.
    if not all(type(size) is int and size >= 0 for size in (offset, *shape)) or stride != tuple(
        math.prod(shape[axis + 1 :]) for axis in range(len(shape))
    ):
        raise _OtherForm
    return _StoredTensor(storage, offset, shape)


def _array(record: memoryview, tensor: _StoredTensor) -> np.ndarray:
    dtype = tensor.storage.dtype
    found = np.frombuffer(record, dtype, math.prod(tensor.shape), tensor.offset * dtype.itemsize).reshape(tensor.shape)
    if not found.flags.aligned:
        raise _OtherForm
    return found
