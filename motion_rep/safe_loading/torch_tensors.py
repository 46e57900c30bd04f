"""Tensors in torch's pickles as numpy arrays over their storages. Does not import torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from motion_rep.common.errors import InputError
from motion_rep.files.limits import MOST_REPEATED_BYTES
from motion_rep.safe_loading.raw_arrays import ByteOrder, checked_shape

BFLOAT16 = "bfloat16"
# torch's names of its storage types -> numpy's of their numbers; an untyped storage counts bytes.
STORAGES = {
    **{"Bool": "?", "Byte": "u1", "Char": "i1", "Short": "i2", "Int": "i4", "Long": "i8", "Untyped": "u1"},
    **{"Half": "f2", "Float": "f4", "Double": "f8", "ComplexFloat": "c8", "ComplexDouble": "c16", "BFloat16": BFLOAT16},
}
# Types of tensors in untyped storages.
TENSOR_TYPES = {
    **{"bool": "?", "uint8": "u1", "int8": "i1", "int16": "i2", "int32": "i4", "int64": "i8"},
    **{"uint16": "u2", "uint32": "u4", "uint64": "u8", "float16": "f2", "float32": "f4", "float64": "f8"},
}


@dataclass(frozen=True)
class StorageType:
    """Number type of a storage: numpy's name, or ``bfloat16``, which is read as float32."""

    name: str

    @property
    def stored(self) -> np.dtype:
        """The type in the file, in native byte order."""
        return np.dtype("u2" if self.name == BFLOAT16 else self.name)

    @property
    def read(self) -> np.dtype:
        """The type in memory."""
        return np.dtype("f4" if self.name == BFLOAT16 else self.name)

    def numbers(self, raw: bytearray | bytes, order: ByteOrder = "<") -> np.ndarray:
        """The numbers of a storage, without a copy if no conversion is needed.

        Args:
            order: byte order, ``<`` or ``>``.
        """
        found = np.frombuffer(raw, self.stored.newbyteorder(order))
        if not found.dtype.isnative:
            found = found.astype(self.stored)
        return (found.astype(np.uint32) << 16).view(np.float32) if self.name == BFLOAT16 else found


@dataclass(frozen=True)
class TensorType:
    """Type of a tensor whose storage has none; numpy's name."""

    name: str


def rebuild_tensor(
    storage: object, offset: object, size: object, stride: object, _grad: object = False, _hooks: object = None,
    metadata: object = None,
) -> np.ndarray:  # fmt: skip
    """A view of a storage (torch._utils._rebuild_tensor_v2).

    Raises:
        InputError: it exceeds the storage, or repeats a number too often; without the file's name.
    """
    if metadata:  # a conjugate or negative bit
        raise InputError("contains a tensor with metadata, expected plain ones. Write it again with .resolve_conj().")
    if type(storage) is not np.ndarray or storage.ndim != 1:
        raise InputError("contains a tensor without its storage; it is damaged. Write it again.")
    size, stride, (offset,) = checked_shape(size), checked_shape(stride), checked_shape((offset,))
    last = offset + sum((count - 1) * step for count, step in zip(size, stride, strict=False))
    if len(size) != len(stride) or (last >= len(storage) and 0 not in size):
        raise InputError(
            f"contains {len(storage):,} numbers for a tensor of shape {str(size)[:80]}; it is damaged. Write it again."
        )
    if math.prod(size) * storage.itemsize > max(MOST_REPEATED_BYTES, storage.nbytes):
        raise InputError(
            f"contains a tensor of shape {size} whose numbers are not in the file. Write it again with .contiguous()."
        )
    steps = [step * storage.itemsize for step in stride]
    array = (
        np.zeros(size, storage.dtype)
        if 0 in size
        else np.ndarray(size, storage.dtype, storage, offset * storage.itemsize, steps)
    )
    return array


def rebuild_typed_tensor(
    storage: object, offset: object, size: object, stride: object, _grad: object, _hooks: object, kind: object,
    metadata: object = None,
) -> np.ndarray:  # fmt: skip
    """The same for an untyped storage, whose bytes are read as ``kind`` (torch._utils._rebuild_tensor_v3)."""
    if (
        type(storage) is not np.ndarray
        or not isinstance(kind, TensorType)
        or storage.nbytes % np.dtype(kind.name).itemsize
    ):
        raise InputError("contains a tensor of a type that is not read. Write it again with .float().")
    return rebuild_tensor(storage.view(kind.name), offset, size, stride, None, None, metadata)
