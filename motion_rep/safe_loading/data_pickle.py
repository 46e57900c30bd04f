"""Read pickles that hold data, plain or as joblib writes them, without running anything from them.

A pickle is a program: it names functions and has them called. This reader knows a handful of names, all of which make numpy or torch arrays or
plain containers, and answers each with its own code, so not even numpy's or torch's loaders see unchecked values. Every other name, and every
instruction that data does not need, ends the reading.

joblib puts the bytes of each array into the stream behind a small object that describes it; joblib's own reader hands arrays of objects to
``pickle.load``, which is why it is not used here.
"""

from __future__ import annotations

import io
import math
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from motion_rep.common.errors import InputError, one_line
from motion_rep.files.local_files import require_file, text_at_start
from motion_rep.safe_loading.bounded_stream import MAX_BYTES, BoundedStream, inflated
from motion_rep.safe_loading.raw_arrays import array_from_bytes, checked_shape, plain_dtype, read_array, require_size

TRUST_HINT = (
    "Nothing was run. If you trust whoever made the file, --trust-pickle loads it together with whatever it runs."
)

# What torch.save's older file format starts with; torch pickles the storage of a tensor within other pickles this way.
TORCH_LEGACY_MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."


class NotAPickle(InputError):
    """The bytes make no sense as a pickle, whole or in part."""


class NotData(pickle.UnpicklingError):
    """The pickle wants something that is not data."""


def read_data_pickle(path: str | os.PathLike, limit: int = MAX_BYTES) -> object:
    """What a pickle or joblib file holds, compressed or not.

    Args:
        limit: bytes that may be read from it after decompression.
    Raises:
        InputError: cannot be read, is cut, holds anything but data; the message starts with the path.
    """
    path = require_file(path)
    try:
        with open(path, "rb") as file:
            return load_data(BoundedStream(inflated(file), limit))
    except InputError as error:
        start = text_at_start(path)
        if start and (isinstance(error, NotAPickle) or _is_prose(start)):
            error = f"is not a torch, pickle, joblib or numpy file (it starts with {start}), expected a capture."
        raise InputError(f"{path}: {error}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or one_line(error)}.") from None


def _is_prose(start: str) -> bool:
    """Whether a quoted beginning is words with a space: letters are instructions of the oldest pickles, whose first line has no space."""
    return start[1].isalpha() and " " in start


def load_data(stream: BoundedStream) -> object:
    """What the next pickle of a stream holds.

    Raises:
        InputError: without the file's name.
    """
    try:
        return DataUnpickler(stream).load()
    except NotData as error:
        raise InputError(f"holds {error}; expected arrays, numbers, text and plain containers. {TRUST_HINT}") from None
    except InputError:
        raise
    except KeyError:
        raise NotAPickle("is not a complete pickle. It may be cut, or of another kind.") from None
    except Exception as error:  # noqa: BLE001 - damaged bytes can make an unpickler raise anything
        raise NotAPickle(
            f"is not a complete pickle ({one_line(error)[:80] or type(error).__name__}). It may be cut, or of another kind."
        ) from None


@dataclass(frozen=True)
class Admitted:
    """A name that a pickle may use, and what stands in for it (None where it is only mentioned, never called)."""

    name: str
    make: Callable | None = None


class PendingJoblibArray:
    """joblib's description of an array whose bytes follow in the stream."""


class PendingDtype:
    """A dtype before its byte order is known; never a real one, whose own unpickling could describe memory that is not there."""

    def __init__(self, text: object = "", *_: object) -> None:
        self.text, self.order = text, ""

    def resolve(self) -> np.dtype:
        """The dtype, if it is of numbers or text."""
        return plain_dtype(self.text).newbyteorder(self.order or "=")

    @property
    def holds_objects(self) -> bool:
        return isinstance(self.text, str) and self.text in ("O", "O8", "O4", "|O")


class DataUnpickler(pickle._Unpickler):
    """The standard library's unpickler in Python (joblib builds on it too, because only it can stop between two instructions), cut down to data."""

    def __init__(self, stream: BoundedStream) -> None:
        super().__init__(stream)
        self._source = stream
        self._unfilled: dict[int, np.ndarray] = {}

    def find_class(self, module: str, name: str) -> Admitted:
        found = ADMITTED.get(f"{module}.{name}")
        if found is None:
            # ascii(): text of a file must not steer a terminal.
            raise NotData(f"a Python object ({ascii(f'{module}.{name}'[:120])[1:-1]}) that could run code")
        return found

    def load_global(self) -> None:
        module = self.readline()[:-1].decode()
        name = self.readline()[:-1].decode()
        self.append(self.find_class(module, name))

    def load_reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if not isinstance(function, Admitted) or function.make is None or type(arguments) is not tuple:
            raise NotData("a call of something that is not a known way to make data")
        made = function.make(*arguments)
        self._source.spend(_weight(made))
        if function is UNFILLED_ARRAY:
            self._unfilled[id(made)] = made
        self.append(made)

    def load_newobj(self) -> None:
        arguments, kind = self.stack.pop(), self.stack.pop()
        if kind is not JOBLIB_ARRAY or arguments != ():
            raise NotData("an object of a class that is not known as data")
        self.append(PendingJoblibArray())

    def load_build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, PendingDtype):
            target.order = _byte_order(state)
        elif isinstance(target, PendingJoblibArray):
            self.stack[-1] = _joblib_array(state, self._source)
        elif self._unfilled.pop(id(target), None) is not None:
            np.ndarray.__setstate__(target, _checked_array_state(state))
            self._source.spend(target.nbytes)
        else:
            raise NotData("the inner state of an object that is not known as data")

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        _plain(self.stack[-1], dict)[_key(key)] = value

    def load_setitems(self) -> None:
        items = self.pop_mark()
        _plain(self.stack[-1], dict).update(zip(map(_key, items[::2]), items[1::2], strict=True))

    def load_dict(self) -> None:
        items = self.pop_mark()
        self.append(dict(zip(map(_key, items[::2]), items[1::2], strict=True)))

    def load_append(self) -> None:
        value = self.stack.pop()
        _plain(self.stack[-1], list).append(value)

    def load_appends(self) -> None:
        items = self.pop_mark()
        _plain(self.stack[-1], list).extend(items)

    def load_additems(self) -> None:
        items = self.pop_mark()
        _plain(self.stack[-1], set).update(map(_key, items))

    def load_frozenset(self) -> None:
        items = self.pop_mark()
        self.append(frozenset(map(_key, items)))

    def load_bytearray8(self) -> None:
        """The standard library's own makes room for the claimed length before it reads."""
        size = int.from_bytes(self.read(8), "little")
        self._source.require(size)
        self.append(bytearray(self.read(size)))

    def load_unknown(self) -> None:
        raise NotData("an instruction that data does not need")


def _plain(value: object, kind: type):
    if type(value) is not kind:
        raise NotData(f"a {type(value).__name__} that is filled like a {kind.__name__}")
    return value


def _key(value: object) -> object:
    """A dict key or set member; hashing anything nested could exhaust the stack."""
    if not isinstance(value, str | bytes | int | float | None | np.generic):
        raise NotData(f"a {type(value).__name__} as the key of a dict")
    return value


def _weight(made: object) -> int:
    """About how much memory a call took: a few bytes of a pickle can ask again and again for copies of something large."""
    if isinstance(made, dict | list | set | frozenset):
        return 8 * len(made)
    return getattr(made, "nbytes", 0)


def _byte_order(state: object) -> str:
    order = state[1] if type(state) is tuple and len(state) > 4 else None
    if order not in ("<", ">", "|", "=") or state[3] is not None or state[2] is not None:
        raise NotData("an array of structures")
    return order


def _checked_array_state(state: object) -> tuple:
    """numpy's (version, shape, dtype, fortran order, bytes or list of objects), with sizes that fit each other."""
    if type(state) is not tuple or len(state) != 5 or not isinstance(state[2], PendingDtype):
        raise NotData("an array that is not described as numpy does it")
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


def _joblib_array(state: object, source: BoundedStream) -> np.ndarray:
    """An array whose bytes come next (joblib/numpy_pickle.py, NumpyArrayWrapper.read_array)."""
    if type(state) is not dict or not isinstance(state.get("dtype"), PendingDtype):
        raise NotData("an array that is not described as joblib does it")
    dtype, shape = state["dtype"], checked_shape(state.get("shape"))
    if dtype.holds_objects:
        return _as_object_array(load_data(source))
    kind = dtype.resolve()
    if state.get("numpy_array_alignment_bytes") is not None:
        source.read(int.from_bytes(source.read(1), "little"))
    return read_array(source, kind, shape, state.get("order") == "F")


def _as_object_array(value: object) -> np.ndarray:
    if not isinstance(value, np.ndarray):
        raise NotData(f"a {type(value).__name__} in place of an array of objects")
    return value


def _array_scalar(dtype: object, content: object = None) -> np.generic:
    if not isinstance(dtype, PendingDtype) or not isinstance(content, bytes):
        raise NotData("a number that is not described as numpy does it")
    return array_from_bytes(content, dtype.resolve(), (), False)[()]


def _array_from_buffer(content: object, dtype: object, shape: object, order: object = "C") -> np.ndarray:
    if not isinstance(dtype, PendingDtype) or not isinstance(content, bytes | bytearray):
        raise NotData("an array that is not described as numpy does it")
    return array_from_bytes(content, dtype.resolve(), checked_shape(shape), order == "F")


def _latin1_bytes(text: object = "", encoding: object = "latin1") -> bytes:
    """How old pickle protocols write bytes."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise NotData("encoded text that is not bytes")
    return text.encode("latin1")


def _plain_dict(*arguments: object) -> dict:
    """An OrderedDict (with its pairs, in old protocols) as a dict; its items follow like any dict's."""
    pairs = arguments[0] if arguments and isinstance(arguments[0], list) else []
    return {_key(key): value for key, value in pairs}


def _plain_set(items: object = ()) -> set:
    return {_key(item) for item in items} if isinstance(items, list | tuple) else set()


def _torch_storage(content: object):
    """The storage of tensors as a flat tensor: itself a torch file in the older format, which torch reads with its own restricted loader."""
    import torch

    if not isinstance(content, bytes) or not content.startswith(TORCH_LEGACY_MAGIC):
        raise NotData("a tensor that is not stored as torch does it")
    storage = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    if not isinstance(storage, torch.storage.TypedStorage):
        raise NotData("a tensor without its storage")
    return torch.empty(0, dtype=storage.dtype).set_(storage)


def _torch_tensor(flat: object, offset: object, size: object, stride: object, *_: object):
    """A tensor on the CPU as its own copy; the size must be covered by the storage."""
    import torch

    if not isinstance(flat, torch.Tensor) or flat.ndim != 1:
        raise NotData("a tensor without its storage")
    size, stride = checked_shape(size), checked_shape(stride)
    if len(size) != len(stride) or torch.Size(size).numel() > flat.numel():
        raise InputError(
            f"holds {flat.numel():,} numbers for a tensor of shape {str(size)[:80]}; it is damaged. Write it again."
        )
    return torch.as_strided(flat, size, stride, *checked_shape((offset,))).clone()


def _first(value: object, *_: object) -> object:
    return value


JOBLIB_ARRAY = Admitted("joblib array")
UNFILLED_ARRAY = Admitted("array", lambda *_: np.ndarray((0,), np.int8))
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

ADMITTED: dict[str, Admitted] = {
    "numpy.ndarray": Admitted("ndarray"),
    "numpy.dtype": _DTYPE,
    **{f"{core}.multiarray._reconstruct": UNFILLED_ARRAY for core in _NUMPY_CORES},
    **{f"{core}.multiarray.scalar": Admitted("scalar", _array_scalar) for core in _NUMPY_CORES},
    **{f"{core}.numeric._frombuffer": Admitted("array", _array_from_buffer) for core in _NUMPY_CORES},
    "joblib.numpy_pickle.NumpyArrayWrapper": JOBLIB_ARRAY,
    "torch._utils._rebuild_tensor_v2": Admitted("tensor", _torch_tensor),
    "torch._utils._rebuild_parameter": Admitted("parameter", _first),
    "torch.storage._load_from_bytes": Admitted("storage", _torch_storage),
    "torch.Size": Admitted("size", lambda sizes=(): checked_shape(sizes)),
    "_codecs.encode": Admitted("bytes", _latin1_bytes),
    "collections.OrderedDict": _DICT,
    "collections.defaultdict": _DICT,
    **{f"{module}.{name}": admitted for module in ("builtins", "__builtin__") for name, admitted in _BUILTINS.items()},
}

# Instructions that data needs; those for classes, instances, extensions, outside objects and buffers are not among them.
DATA_INSTRUCTIONS = """
    PROTO FRAME STOP MARK POP POP_MARK DUP NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT
    STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8
    EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST LIST EMPTY_DICT EMPTY_SET GET BINGET LONG_BINGET PUT BINPUT LONG_BINPUT MEMOIZE
"""
OWN_INSTRUCTIONS = "GLOBAL REDUCE NEWOBJ BUILD SETITEM SETITEMS DICT APPEND APPENDS ADDITEMS FROZENSET BYTEARRAY8"


def _instructions() -> dict[int, Callable]:
    table = dict.fromkeys(pickle._Unpickler.dispatch, DataUnpickler.load_unknown)
    for name in (*DATA_INSTRUCTIONS.split(), "STACK_GLOBAL"):
        code = getattr(pickle, name)[0]
        table[code] = pickle._Unpickler.dispatch[code]
    for name in OWN_INSTRUCTIONS.split():
        table[getattr(pickle, name)[0]] = getattr(DataUnpickler, f"load_{name.lower()}")
    return table


DataUnpickler.dispatch = _instructions()
