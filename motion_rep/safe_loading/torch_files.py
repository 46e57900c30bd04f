"""Torch files of plain data: written atomically, read without running code from them."""

from __future__ import annotations

import io
import os
import pickle
import re
import warnings
from pathlib import Path

from motion_rep.common.errors import InputError, one_line
from motion_rep.files.atomic_writing import write_bytes
from motion_rep.files.local_files import require_file, text_at_start

# Bytes that a tensor may claim without their being in the file: harmless repetition.
LARGEST_CLAIM = 2**24


def write_torch(path: str | os.PathLike, value: object, durable: bool = True) -> None:
    """``torch.save`` atomically; keep to plain tensors, numbers and strings, so that ``weights_only=True`` reads it.

    Goes through memory: torch writes the file's name into the file, so a temporary name would make equal contents differ, and
    its own writer answers a full disk with an error that does not say so.
    """
    import torch

    data = io.BytesIO()
    torch.save(value, data)
    write_bytes(path, data.getbuffer(), durable)


def read_torch(path: str | os.PathLike) -> object:
    """A ``torch.save`` file of tensors and plain containers, on the CPU; never runs code from it.

    Numpy arrays and scalars inside are admitted.

    Raises:
        InputError: missing, empty, cut, not a torch file, or holding objects other than data.
    """
    path = require_file(path)
    found = read_plain_torch(path)
    return load_with_torch(path) if found is None else found


def read_plain_torch(path: Path) -> dict | None:
    """A torch file of the plain form (see tensor_file.py), in a quarter of the time; None for every other file."""
    from motion_rep.safe_loading.tensor_file import read_plain

    found = read_plain(path)
    if found is None:
        return None
    import numpy as np
    import torch

    return {key: torch.from_numpy(value) if isinstance(value, np.ndarray) else value for key, value in found.items()}


def read_torch_arrays(path: str | os.PathLike) -> object:
    """Like :func:`read_torch`, but with arrays in place of tensors where the file is of the plain form, so that torch need not be imported."""
    from motion_rep.safe_loading.tensor_file import read_plain

    path = require_file(path)
    found = read_plain(path)
    return load_with_torch(path) if found is None else found


def load_with_torch(path: Path) -> object:
    """What :func:`read_torch` does with a file that is there and not of the plain form."""
    import torch

    from motion_rep.safe_loading.pickle_cost import EndlessKey, require_quick_keys

    try:
        require_quick_keys(path)
        with torch.serialization.safe_globals(_numpy_globals()), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's remarks on pickles it then refuses
            value = torch.load(path, map_location="cpu", weights_only=True)
    except EndlessKey:
        raise InputError(
            f"{path}: holds tuples of tuples without end, expected tensors, arrays, numbers and strings. Nothing was run."
        ) from None
    except pickle.UnpicklingError as error:
        raise InputError(_unpickling_message(path, str(error))) from None
    except Exception as error:  # noqa: BLE001 - on damaged bytes torch raises whatever its steps raise, struct.error among them
        if isinstance(error, (KeyError, IndexError)) or text_at_start(path):
            raise InputError(_unpickling_message(path, "")) from None
        raise InputError(
            f"{path}: cannot be read as a torch file: {one_line(error)[:160]}. It may be cut or of another kind; write it again."
        ) from None
    _require_held(path, value)
    return value


def _require_held(path: Path, value: object) -> None:
    """Refuse tensors that claim far more numbers than are in the file (one number repeated a billion times): working with them fills the memory.

    Raises:
        InputError: such a tensor, or one that does not hold its numbers one by one.
    """
    import torch

    waiting, seen = [value], set()
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, dict):
            waiting.extend(found.values())
        elif isinstance(found, (list, tuple)):
            waiting.extend(found)
        elif isinstance(found, torch.Tensor):
            if found.layout != torch.strided or found.is_quantized:
                raise InputError(
                    f"{path}: holds a sparse or quantized tensor, expected plain ones. Write it again with .to_dense() or .dequantize()."
                )
            claimed = found.numel() * found.element_size()
            if claimed > LARGEST_CLAIM and claimed > found.untyped_storage().nbytes():
                raise InputError(
                    f"{path}: holds a tensor of shape {tuple(found.shape)} whose numbers are not in the file. Write it again with .contiguous()."
                )


def _unpickling_message(path: Path, text: str) -> str:
    found = re.search(r"(?:GLOBAL|global) ([\w.]+)", text)
    if found:
        return f"{path}: holds a Python object ({found.group(1)}) that could run code; expected tensors, arrays, numbers and strings. Nothing was run."
    start = text_at_start(path)
    if start:
        return f"{path}: is not a torch file (it starts with {start}), expected a .pt written by torch.save."
    return f"{path}: is not a torch file, or is damaged. Write it again with torch.save."


def _numpy_globals() -> list:
    """What numpy arrays and scalars need to be rebuilt: data types and two functions that only make arrays."""
    import numpy as np

    core = np._core.multiarray if hasattr(np, "_core") else np.core.multiarray
    kinds = [
        np.bool_,
        np.int8,
        np.int16,
        np.int32,
        np.int64,
        np.uint8,
        np.uint16,
        np.uint32,
        np.uint64,
        np.float16,
        np.float32,
        np.float64,
        np.str_,
    ]
    named = [(core._reconstruct, "numpy.core.multiarray._reconstruct"), (core.scalar, "numpy.core.multiarray.scalar")]
    return [np.ndarray, np.dtype, core._reconstruct, core.scalar, *named, *{type(np.dtype(kind)) for kind in kinds}]
