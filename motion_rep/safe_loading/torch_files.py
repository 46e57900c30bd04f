"""Torch files of plain data: written atomically, read without torch's loader and without running code."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from functools import cache
from typing import BinaryIO

import numpy as np

from motion_rep.common.errors import InputError, one_line
from motion_rep.files.atomic_writing import write_bytes
from motion_rep.files.file_kind import found_at_start
from motion_rep.files.limits import limits_for
from motion_rep.files.local_files import open_file
from motion_rep.safe_loading.bounded_stream import BoundedStream, open_zip
from motion_rep.safe_loading.torch_tensors import StorageType
from motion_rep.safe_loading.unpickler import (
    TORCH_LEGACY_MAGIC,
    NotAPickle,
    TensorMaker,
    load_data,
    load_legacy_torch,
    torch_tensor,
)

ZIP_MAGIC = b"PK\x03\x04"
LOCAL_HEADER = struct.Struct("<4s22xHH")


def write_torch(path: str | os.PathLike, value: object, durable: bool = True) -> None:
    """``torch.save`` atomically; pass plain tensors, numbers and strings, so that ``weights_only=True`` can read it.

    The data goes through memory: torch writes the file's name into the file, so a temporary name would make equal
    contents differ, and its own writer reports a full disk with an unclear error.
    """
    import torch

    data = io.BytesIO()
    torch.save(value, data)
    write_bytes(path, data.getbuffer(), durable)


def read_torch(path: str | os.PathLike) -> object:
    """The contents of a ``torch.save`` file: tensors on the CPU, arrays, numbers, text and plain containers.

    Raises:
        InputError: missing, empty, truncated, not a torch file, or not plain data.
    """
    return _read(path, torch_tensor)


def read_torch_arrays(path: str | os.PathLike) -> object:
    """Like :func:`read_torch`, with arrays instead of tensors, so that torch is not imported."""
    return _read(path, lambda array: array)


def _read(path: str | os.PathLike, as_tensor: TensorMaker) -> object:
    with open_file(path) as file:
        return load_torch(file, as_tensor)


def load_torch(file: BinaryIO, as_tensor: TensorMaker = torch_tensor) -> object:
    """The contents of an open file in one of torch's two formats.

    Raises:
        InputError: without the file's name.
    """
    magic = file.read(len(TORCH_LEGACY_MAGIC))
    file.seek(0)
    try:
        if magic.startswith(ZIP_MAGIC):
            return _load_zip(file, as_tensor)
        if magic == TORCH_LEGACY_MAGIC:
            return load_legacy_torch(BoundedStream(file, limits_for(_size(file))), as_tensor)
    except NotAPickle:
        raise InputError("is not a torch file, or is damaged. Write it again with torch.save.") from None
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - damaged zip files raise many types
        raise InputError(
            f"cannot be read as a torch file: {one_line(error)[:120]}. It may be cut or of another kind; write it "
            "again."
        ) from None
    if (found := found_at_start(file)) is not None:
        raise InputError(f"is not a torch file ({found}), expected a .pt written by torch.save.")
    raise InputError("is not a torch file, or is damaged. Write it again with torch.save.")


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _load_zip(file: BinaryIO, as_tensor: TensorMaker) -> object:
    """The zip format: a pickle, and a record for each of its storages."""
    archive, limits = open_zip(file), limits_for(_size(file))
    # torch ignores case.
    pickle = next((name for name in archive.namelist() if name.lower().endswith("/data.pkl")), None)
    if pickle is None:
        raise InputError("is a zip file without a torch pickle, expected a .pt written by torch.save.")
    folder = pickle.rpartition("/")[0]
    records = BoundedStream(file, limits)

    def record(name: str) -> bytearray:
        return _record(file, archive, archive.getinfo(f"{folder}/{name}"), records)

    big = f"{folder}/byteorder" in archive.NameToInfo and record("byteorder") == b"big"

    @cache
    def storage(kind: StorageType, key: str, count: int) -> np.ndarray:
        return kind.numbers(record(f"data/{key}"), ">" if big else "<")

    stream = BoundedStream(io.BytesIO(record(pickle.rpartition("/")[2])), limits)
    return load_data(stream, storage, as_tensor)


def _record(file: BinaryIO, archive: zipfile.ZipFile, info: zipfile.ZipInfo, records: BoundedStream) -> bytearray:
    """The bytes of a record; torch stores them uncompressed, so they are read without a copy."""
    records.require(info.file_size)
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
        with archive.open(info) as unpacked:
            records.spend(info.file_size)
            return bytearray(unpacked.read(info.file_size))
    file.seek(info.header_offset)
    magic, name_size, extra_size = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
    file.seek(name_size + extra_size, io.SEEK_CUR)
    found = records.read_writable(info.file_size)
    if magic != ZIP_MAGIC or len(found) != info.file_size:
        raise NotAPickle("is cut")
    return found
