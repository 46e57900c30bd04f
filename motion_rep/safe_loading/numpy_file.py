"""Read ``.npy`` and ``.npz`` files without running code from them; arrays of objects go through the data unpickler."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator, Mapping
from typing import IO, BinaryIO

import numpy as np

from motion_rep.common.errors import InputError, located, one_line
from motion_rep.files.limits import MOST_HEADER_BYTES, limits_for
from motion_rep.files.local_files import open_file, require_version, version_at
from motion_rep.safe_loading.bounded_stream import BoundedStream, open_zip
from motion_rep.safe_loading.raw_arrays import checked_shape, plain_dtype, read_array
from motion_rep.safe_loading.unpickler import load_data

NPY_MAGIC = b"\x93NUMPY"


def read_npy(path: str | os.PathLike) -> np.ndarray:
    """The array of a ``.npy`` file.

    Raises:
        InputError: unreadable, truncated, or not plain data; the message starts with the path.
    """
    with open_file(path) as file, _in_one_line():
        return _read_array_file(file, os.fstat(file.fileno()).st_size)


class NpzArrays(Mapping):
    """The arrays of a ``.npz`` file by name, each read on access; other arrays need not be readable.

    Access raises an InputError that starts with the path if an array is truncated or not plain data.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self._path, self._version = path, version_at(path)
        with open_file(path) as file, _in_one_line(), open_zip(file) as archive:
            self._members = {
                info.filename.removesuffix(".npy"): info.filename
                for info in archive.infolist()
                if info.filename.endswith(".npy")
            }

    def __getitem__(self, name: str) -> np.ndarray:
        member = self._members[name]
        with open_file(self._path) as file, located(name), _in_one_line():
            require_version(file.fileno(), self._version)  # all arrays belong to one content
            with open_zip(file) as archive, archive.open(member) as content:
                return _read_array_file(content, archive.getinfo(member).compress_size)

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


def _read_array_file(file: IO[bytes], size: int) -> np.ndarray:
    """An array from an open file that occupies ``size`` bytes on disk."""
    shape, fortran, dtype = _read_header(file)
    stream = BoundedStream(file, limits_for(size))
    if not dtype.hasobject:
        return read_array(stream, plain_dtype(dtype.str), checked_shape(shape), fortran)
    objects = load_data(stream)
    if not isinstance(objects, np.ndarray):
        raise InputError(
            f"contains a {type(objects).__name__} in place of an array of objects. Write it again with np.save."
        )
    return objects


def _read_header(file: IO[bytes]) -> tuple[tuple, bool, np.dtype]:
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise InputError(f"is a numpy file of version {version}, expected 1.0 or 2.0. Write it again with np.save.")
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    size = file.read(2 if version == (1, 0) else 4)
    length = int.from_bytes(size, "little")
    if length > MOST_HEADER_BYTES:
        raise InputError(f"has a header of {length:,} bytes, expected at most {MOST_HEADER_BYTES:,}. It is damaged.")
    try:
        return read_header(io.BytesIO(size + file.read(length)))
    except Exception as error:  # noqa: BLE001 - numpy parses the header as Python source and raises many types
        raise InputError(
            f"has a header that numpy cannot read: {one_line(error)[:80]}. It is damaged; write it again."
        ) from None


@contextlib.contextmanager
def _in_one_line() -> Iterator[None]:
    """Turn any error of numpy and zipfile into an InputError."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - damaged files raise many types
        raise InputError(
            f"cannot be read as a numpy file: {one_line(error)[:120]}. It may be cut or of another kind; write it "
            "again."
        ) from None


def is_npz(file: BinaryIO) -> bool:
    """Whether an open zip file contains numpy arrays (torch files are zip files too)."""
    try:
        names = open_zip(file).namelist()
    except Exception:  # noqa: BLE001 - damaged zip files raise many types
        return False
    return bool(names) and all(name.endswith(".npy") for name in names)
