"""The names that a pickle may use, and this toolkit's replacement for each."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from motion_rep.files.limits import MOST_KEY_BITS, MOST_KEY_CHARACTERS, MOST_KEY_PARTS
from motion_rep.safe_loading.raw_arrays import (
    BYTE_ORDERS,
    ByteOrder,
    array_from_bytes,
    checked_shape,
    plain_dtype,
    require_size,
)
from motion_rep.safe_loading.torch_tensors import (
    STORAGES,
    TENSOR_TYPES,
    StorageType,
    TensorType,
    rebuild_tensor,
    rebuild_typed_tensor,
)

# First parts of the names of data that is not read: what it is, and how to write it instead.
OTHER_DATA = {
    "torch._utils._rebuild_sparse": ("a sparse tensor", "with .to_dense()"),
    "torch._utils._rebuild_nested": ("a nested tensor", "with .to_padded_tensor(0)"),
    "torch._utils._rebuild_qtensor": ("a quantised tensor", "with .dequantize()"),
    "torch._utils._rebuild_meta": ("a tensor of the device meta, which has no numbers", "from the CPU"),
    "torch._tensor._rebuild_from_type": ("a tensor of another class", "with .as_subclass(torch.Tensor)"),
    "torch.float8": ("a tensor of float8", "with .float()"),
    "torch.complex32": ("a tensor of complex numbers", "as real numbers"),
    "numpy.ma.": ("a masked array", "with .filled(float('nan'))"),
    "numpy.matrix": ("a numpy matrix", "with numpy.asarray(...)"),
    "numpy.rec.recarray": ("a record array", "with numpy.asarray(...)"),
    "pandas.": ("a table of pandas", "with .to_numpy()"),
    "scipy.spatial.transform": ("rotations of scipy", "with .as_rotvec()"),
    "fractions.Fraction": ("a fraction", "as float(...)"),
    "decimal.Decimal": ("a decimal number", "as float(...)"),
    "pathlib.": ("a path", "as str(...)"),
}
KEY_PARTS = (str, bytes, int, float, type(None), np.integer, np.floating, np.bool_)


class NotData(pickle.UnpicklingError):
    """The pickle contains something other than data."""


@dataclass(frozen=True)
class Admitted:
    """A name that a pickle may use.

    Attributes:
        make: the replacement; None for a name that is mentioned but never called.
        tensor: whether it makes tensors.
    """

    name: str
    make: Callable | None = None
    tensor: bool = False


class PendingDtype:
    """A dtype before its byte order is known; not a numpy dtype, whose unpickling could describe invalid memory."""

    def __init__(self, text: object = "", *_: object) -> None:
        self.text = text
        self.order: ByteOrder = "="

    def resolve(self) -> np.dtype:
        """The dtype, if it contains numbers or text."""
        return plain_dtype(self.text).newbyteorder(self.order)

    @property
    def holds_objects(self) -> bool:
        return isinstance(self.text, str) and self.text in ("O", "O8", "O4", "|O")


def dict_key(value: object) -> object:
    """Check the key of a dict or the member of a set: hashing or comparing some keys could take forever."""
    if type(value) is str and len(value) <= MOST_KEY_CHARACTERS:
        return value
    parts = value if type(value) is tuple else (value,)
    if len(parts) > MOST_KEY_PARTS or not all(isinstance(part, KEY_PARTS) for part in parts):
        found = "tuples of tuples" if type(value) is tuple else f"a {type(value).__name__}"
        raise NotData(f"{found} as the key of a dict")
    if sum(map(_key_bits, parts)) > MOST_KEY_BITS and not isinstance(value, float | np.floating):
        raise NotData("a number beyond 60 bits as the key of a dict")
    if any(isinstance(part, str | bytes) and len(part) > MOST_KEY_CHARACTERS for part in parts):
        raise NotData(f"a text of more than {MOST_KEY_CHARACTERS:,} characters as the key of a dict")
    return value


def _key_bits(part: object) -> int:
    """The bits of a whole number; a fraction in a tuple counts as too many."""
    if isinstance(part, float | np.floating):
        return MOST_KEY_BITS + 1
    return int(part).bit_length() if isinstance(part, int | np.integer) else 0


def other_data(name: str) -> tuple[str, str] | None:
    """What a name makes, and how to write it instead, if it is known data that is not read."""
    return next((words for start, words in OTHER_DATA.items() if name.startswith(start)), None)


def byte_order(state: object) -> ByteOrder:
    """The byte order in the state of a numpy dtype."""
    fields = state if isinstance(state, tuple) and len(state) > 4 else (None,) * 5
    order = next((order for order in BYTE_ORDERS if order == fields[1]), None)
    if order is None or fields[2] is not None or fields[3] is not None:
        raise NotData("an array of structures")
    return order


def checked_array_state(state: object) -> tuple:
    """numpy's (version, shape, dtype, fortran order, bytes or list of objects), with consistent sizes."""
    if type(state) is not tuple or len(state) != 5 or not isinstance(state[2], PendingDtype):
        raise NotData("an array that is not described like numpy's")
    _, shape, pending, fortran, content = state
    shape, fortran = checked_shape(shape), bool(fortran)
    if pending.holds_objects:
        if type(content) is not list or len(content) != math.prod(shape):
            raise NotData("an array of objects without its objects")
        return 1, shape, np.dtype(object), fortran, content
    if not isinstance(content, bytes):
        raise NotData("an array without bytes")
    dtype = pending.resolve()
    require_size(len(content), dtype, shape)
    return 1, shape, dtype, fortran, content


def _array_scalar(dtype: object, content: object = None) -> object:
    if not isinstance(dtype, PendingDtype) or not isinstance(content, bytes):
        raise NotData("a number that is not described like numpy's")
    return array_from_bytes(content, dtype.resolve(), (), False)[()]


def _array_from_buffer(content: object, dtype: object, shape: object, order: object = "C") -> np.ndarray:
    if not isinstance(dtype, PendingDtype) or not isinstance(content, bytes | bytearray):
        raise NotData("an array that is not described like numpy's")
    return array_from_bytes(content, dtype.resolve(), checked_shape(shape), order == "F")


def _latin1_bytes(text: object = "", encoding: object = "latin1") -> bytes:
    """Bytes as old pickle protocols write them."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise NotData("encoded text that is not bytes")
    return text.encode("latin1")


def _plain_dict(*arguments: object) -> dict:
    """An OrderedDict (with its pairs, in old protocols) as a dict; its items follow like any dict's."""
    pairs = arguments[0] if arguments and isinstance(arguments[0], list) else []
    return {dict_key(key): value for key, value in pairs}


def _plain_set(items: object = ()) -> set:
    return {dict_key(item) for item in items} if isinstance(items, list | tuple) else set()


def _first(value: object, *_: object) -> object:
    return value


JOBLIB_ARRAY = Admitted("joblib array")
UNFILLED_ARRAY = Admitted("array", lambda *_: np.ndarray((0,), np.int8))
STORAGE_BYTES = Admitted("storage", _first)
_DTYPE = Admitted("dtype", PendingDtype)
_DICT = Admitted("dict", _plain_dict)
_BUILTINS = {
    "dict": _DICT,
    "list": Admitted("list", lambda items=(): list(items) if isinstance(items, list | tuple) else []),
    "set": Admitted("set", _plain_set),
    "frozenset": Admitted("frozenset", lambda items=(): frozenset(_plain_set(items))),
    "bytes": Admitted("bytes", lambda: b""),
}
_NUMPY_CORES = ("numpy.core", "numpy._core")

ADMITTED: dict[str, object] = {
    "numpy.ndarray": Admitted("ndarray"),
    "numpy.dtype": _DTYPE,
    **{f"{core}.multiarray._reconstruct": UNFILLED_ARRAY for core in _NUMPY_CORES},
    **{f"{core}.multiarray.scalar": Admitted("scalar", _array_scalar) for core in _NUMPY_CORES},
    **{f"{core}.numeric._frombuffer": Admitted("array", _array_from_buffer) for core in _NUMPY_CORES},
    "joblib.numpy_pickle.NumpyArrayWrapper": JOBLIB_ARRAY,
    "torch._utils._rebuild_tensor_v2": Admitted("tensor", rebuild_tensor, tensor=True),
    "torch._utils._rebuild_tensor_v3": Admitted("tensor", rebuild_typed_tensor, tensor=True),
    "torch._utils._rebuild_parameter": Admitted("parameter", _first),
    "torch.storage._load_from_bytes": STORAGE_BYTES,
    "torch.storage.UntypedStorage": StorageType(STORAGES["Untyped"]),
    **{f"torch.{name}Storage": StorageType(kind) for name, kind in STORAGES.items() if name != "Untyped"},
    **{f"torch.{name}": TensorType(kind) for name, kind in TENSOR_TYPES.items()},
    "torch.Size": Admitted("size", lambda sizes=(): checked_shape(sizes)),
    "torch.device": Admitted("device", _first),
    "_codecs.encode": Admitted("bytes", _latin1_bytes),
    "collections.OrderedDict": _DICT,
    "collections.defaultdict": _DICT,
    **{f"{module}.{name}": admitted for module in ("builtins", "__builtin__") for name, admitted in _BUILTINS.items()},
}
