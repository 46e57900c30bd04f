"""Write torch files without torch, whose import takes longer than most of what is written.

The format is that of torch.save: a zip file with a pickle, in which tensors are calls of torch/_utils.py on storages,
and a record of bytes for each storage.
"""

from __future__ import annotations

import io
import os
import pickle
import zipfile

import numpy as np

from motion_rep.files.atomic_writing import write_bytes
from motion_rep.safe_loading.torch_tensors import STORAGES

_START, _END = pickle.PROTO + b"\x02", pickle.STOP
_STORAGES = {
    np.dtype(numbers): f"{name}Storage" for name, numbers in STORAGES.items() if name not in ("Untyped", "BFloat16")
}


def write_torch_arrays(path: str | os.PathLike, value: dict[str, object], durable: bool = True) -> None:
    """Write a file like that of ``torch.save``, atomically.

    Args:
        value: arrays, which become tensors, and numbers, texts and lists of these.
    """
    storages: list[bytes] = []
    items = b"".join(_instructions(part, storages) for item in value.items() for part in item)
    records = {
        "data.pkl": _START + pickle.EMPTY_DICT + pickle.MARK + items + pickle.SETITEMS + _END,
        "byteorder": b"little",
        **{f"data/{key}": numbers for key, numbers in enumerate(storages)},
        "version": b"3\n",
    }
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, record in records.items():
            archive.writestr(zipfile.ZipInfo(f"archive/{name}"), record)
    write_bytes(path, data.getbuffer(), durable)


def _instructions(value: object, storages: list[bytes]) -> bytes:
    """The pickle's instructions that make a value; the bytes of an array are added to the storages."""
    if not isinstance(value, np.ndarray):
        return pickle.dumps(value, 2)[len(_START) : -len(_END)]
    array = value.astype(value.dtype.newbyteorder("<"), order="C", copy=False)
    key = str(len(storages))
    storages.append(array.tobytes())
    strides = tuple(step // array.itemsize for step in array.strides)
    storage = ("storage", _name("torch", _STORAGES[value.dtype.newbyteorder("=")]), key, "cpu", array.size)
    hooks = _name("collections", "OrderedDict") + pickle.EMPTY_TUPLE + pickle.REDUCE
    tensor = (_tuple(*storage) + pickle.BINPERSID, 0, array.shape, strides, False, hooks)
    return _name("torch._utils", "_rebuild_tensor_v2") + _tuple(*tensor) + pickle.REDUCE


def _name(module: str, name: str) -> bytes:
    return pickle.GLOBAL + f"{module}\n{name}\n".encode()


def _tuple(*parts: object) -> bytes:
    """A tuple of values; bytes are the instructions for one."""
    return pickle.MARK + b"".join(p if isinstance(p, bytes) else _instructions(p, []) for p in parts) + pickle.TUPLE
