"""Read the contents of a path by its bytes, not by its extension; code in a file never runs unless explicitly
trusted.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
import torch

from motion_rep.common.errors import InputError, UsageError, one_line
from motion_rep.files.file_kind import kind_at_start
from motion_rep.files.local_files import open_file
from motion_rep.hmr_results.known_layouts import KIND_ADVICE
from motion_rep.hmr_results.names import RESULT_FILES
from motion_rep.safe_loading.numpy_file import NPY_MAGIC, NpzArrays, is_npz, read_npy
from motion_rep.safe_loading.pickle_file import load_data_pickle
from motion_rep.safe_loading.torch_files import ZIP_MAGIC, load_torch
from motion_rep.safe_loading.unpickler import TORCH_LEGACY_MAGIC, NotPlainData

Loaded = TypeVar("Loaded")
TRUST_HINT = "If you trust its source, --trust-pickle loads it and runs the code in it."


@dataclass(frozen=True)
class Document:
    """A file's contents (``value``; None for a folder), with settings for its adapter.

    image_size: (width, height) in pixels from the user, for systems that do not store it, or None.
    """

    path: Path
    value: object
    image_size: tuple[int, int] | None = None
    trust_pickle: bool = False

    @property
    def entries(self) -> Mapping[object, object]:
        """The contents if they are a dict, else an empty one."""
        return self.value if isinstance(self.value, Mapping) else {}


def open_document(path: Path, image_size: tuple[int, int] | None = None, trust_pickle: bool = False) -> Document:
    """Read a file, or the result file in a system's output folder; a folder of many files is left to its adapter.

    Raises:
        InputError: the message starts with the path.
    """
    if not path.is_dir():
        return Document(path, load_value(path, trust_pickle), image_size, trust_pickle)
    result = next((path / name for name in RESULT_FILES if (path / name).is_file()), None)
    return (
        Document(path, None, image_size, trust_pickle)
        if result is None
        else open_document(result, image_size, trust_pickle)
    )


def load_value(path: Path, trust_pickle: bool | None = None) -> object:
    """The contents of a torch file, a pickle (plain or joblib), a ``.npz`` or a ``.npy`` file.

    A single object in a ``.npy`` file is returned without its array.

    Args:
        trust_pickle: the flag's value, which an error then names; None in commands without the flag.
    Raises:
        InputError: the message starts with the path.
    """
    with open_file(path) as file:
        magic = file.read(len(TORCH_LEGACY_MAGIC))
        if magic.startswith(ZIP_MAGIC) and is_npz(file):
            return NpzArrays(path)
        file.seek(0)
        try:
            if magic.startswith(NPY_MAGIC):
                return _single(_load_trusted(path, _trusted_npy) if trust_pickle else read_npy(path))
            if magic.startswith(ZIP_MAGIC) or magic == TORCH_LEGACY_MAGIC:
                return _load_trusted(path, _trusted_torch) if trust_pickle else load_torch(file)
            return _load_trusted(path, _trusted_pickle) if trust_pickle else _load_pickle(file)
        except NotPlainData as error:
            raise error if trust_pickle is None else InputError(f"{error} {TRUST_HINT}") from None


def _load_pickle(file: BinaryIO) -> object:
    """The contents of a pickle; an error with advice for other files."""
    try:
        return load_data_pickle(file)
    except InputError as error:
        advice = KIND_ADVICE.get(kind_at_start(file) or "")
        raise error if advice is None else InputError(f"{error} {advice}.") from None


def _single(array: np.ndarray) -> object:
    return array.item() if array.dtype.hasobject and array.size == 1 else array


def _load_trusted(path: Path, load: Callable[[Path], Loaded]) -> Loaded:
    """Load with the ordinary loaders, which run code from the file."""
    try:
        return load(path)
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - arbitrary code runs here
        raise InputError(
            f"{path}: cannot be loaded even with --trust-pickle: {type(error).__name__}: {one_line(error)[:160]}."
        ) from None


def _trusted_npy(path: Path) -> np.ndarray:
    return np.load(path, allow_pickle=True)


def _trusted_torch(path: Path) -> object:
    return torch.load(path, map_location="cpu", weights_only=False)


def _trusted_pickle(path: Path) -> object:
    try:
        import joblib
    except ImportError:
        data = path.read_bytes()
        if b"joblib.numpy_pickle" in data or data[:1] != b"\x80":
            raise UsageError(
                f"{path}: is a joblib file, which --trust-pickle reads only with joblib. Run: pip install joblib"
            ) from None
        return pickle.load(io.BytesIO(data))
    return joblib.load(path)
