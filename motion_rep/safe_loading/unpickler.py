"""Read data from pickles of pickle, joblib, numpy and torch without running code from them.

A pickle is a program: it names functions and calls them. This reader accepts a few names (admitted.py), which make
arrays, tensors or plain containers, and replaces each by its own code, so that even the loaders of numpy and torch
never see unchecked values. Any other name, and any instruction that data does not need, is an error.

joblib writes the bytes of each array into the stream after a small object that describes it. joblib's own reader is not
used because it passes arrays of objects to ``pickle.load``. torch writes the bytes of tensors into storages, to which
the pickle refers.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from pickle import _Stop  # type: ignore[attr-defined]  # not in the stubs
from typing import Any, ClassVar, TypeVar

import numpy as np

from motion_rep.common.errors import InputError, one_line
from motion_rep.files.limits import MOST_BITS, MOST_DEPTH, MOST_STEPS
from motion_rep.safe_loading.admitted import (
    ADMITTED,
    JOBLIB_ARRAY,
    STORAGE_BYTES,
    UNFILLED_ARRAY,
    Admitted,
    NotData,
    PendingDtype,
    byte_order,
    checked_array_state,
    dict_key,
    other_data,
)
from motion_rep.safe_loading.bounded_stream import BoundedStream
from motion_rep.safe_loading.raw_arrays import checked_shape, read_array
from motion_rep.safe_loading.torch_tensors import StorageType

# First bytes of torch.save's older file format, which also stands for a tensor's storage within other pickles.
TORCH_LEGACY_MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."

# Type, key and length of a storage -> its numbers.
Storages = Callable[[StorageType, str, int], np.ndarray]
# Array -> the object that represents a tensor.
TensorMaker = Callable[[np.ndarray], object]


Container = TypeVar("Container")

# Checking a value of a call's arguments as a key takes about as long as this many instructions.
STEPS_PER_VALUE = 4


class NotAPickle(InputError):
    """The bytes are not a complete pickle."""


class NotPlainData(InputError):
    """A pickle that contains more than data."""


def torch_tensor(array: np.ndarray) -> object:
    """A tensor over an array's memory."""
    import torch

    return torch.from_numpy(array)


def load_data(stream: BoundedStream, storages: Storages | None = None, as_tensor: TensorMaker = torch_tensor) -> object:
    """The contents of the next pickle of a stream.

    Args:
        storages: gives the numbers of torch's storages.
        as_tensor: makes a tensor from its array.
    Raises:
        InputError: without the file's name.
    """
    value = _load(stream, storages, as_tensor)
    _require_shallow(value)
    return value


def load_legacy_torch(stream: BoundedStream, as_tensor: TensorMaker = torch_tensor) -> object:
    """The contents of a file in torch's older format: three header pickles, the contents, a list of storages, bytes.

    Raises:
        InputError: without the file's name.
    """
    _, version, system = (_load(stream, None, as_tensor) for _ in range(3))
    little = type(system) is not dict or system.get("little_endian", True)
    waiting: dict[str, tuple[StorageType, np.ndarray]] = {}
    claimed = 0

    def storage(kind: StorageType, key: str, count: int) -> np.ndarray:
        nonlocal claimed
        if key not in waiting:
            claimed += count * kind.stored.itemsize
            stream.require(claimed)
            waiting[key] = kind, np.zeros(count, kind.read)
        return waiting[key][1]

    value = load_data(stream, storage, as_tensor)
    keys = _load(stream, None, as_tensor)
    if version != 1001 or type(keys) is not list or set(map(str, keys)) != set(waiting):
        raise NotAPickle("is not a complete torch file. Write it again with torch.save.")
    for kind, numbers in (waiting[key] for key in keys):
        if int.from_bytes(stream.read(8), "little" if little else "big") != len(numbers):
            raise NotAPickle("is not a complete torch file. Write it again with torch.save.")
        raw = stream.read_writable(len(numbers) * kind.stored.itemsize)
        numbers[:] = kind.numbers(raw, "<" if little else ">")
    return value


def _load(stream: BoundedStream, storages: Storages | None, as_tensor: TensorMaker) -> object:
    try:
        return Unpickler(stream, storages, as_tensor).load()
    except NotData as error:
        raise NotPlainData(
            f"contains {error}; expected tensors, arrays, numbers, text and plain containers. Nothing was run."
        ) from None
    except InputError:
        raise
    except (KeyError, IndexError):
        raise NotAPickle("is not a complete pickle. It may be cut, or of another kind.") from None
    except Exception as error:  # noqa: BLE001 - damaged bytes can make an unpickler raise anything
        raise NotAPickle(
            f"is not a complete pickle ({one_line(error)[:80] or type(error).__name__}). It may be cut, or of "
            "another kind."
        ) from None


def _require_shallow(value: object) -> None:
    """Reject containers that are nested too deeply, cyclic, or shared too often to walk through them."""
    level, left = [value], MOST_STEPS
    for _ in range(MOST_DEPTH):
        inner: list = []
        for values in filter(None, map(_values, level)):
            left -= len(values)
            if left < 0:
                break
            inner += [found for found in values if isinstance(found, dict | list | tuple | np.ndarray)]
        if not inner and left >= 0:
            return
        level = inner
    raise NotPlainData("contains endlessly nested containers, expected tensors, arrays, numbers and text.")


def _values(container: object) -> list | tuple:
    """The values in a container."""
    if isinstance(container, dict):
        return list(container.values())
    if isinstance(container, np.ndarray):
        return container.ravel().tolist() if container.dtype.hasobject else ()
    return container if isinstance(container, list | tuple) else ()


class PendingJoblibArray:
    """joblib's description of an array whose bytes follow in the stream."""


class Unpickler(pickle._Unpickler):
    """The standard library's pure-Python unpickler, restricted to data.

    joblib extends the same class, because only the Python version can stop between two instructions.
    """

    dispatch: ClassVar[dict[int, Callable[[Any], None]]]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, stream: BoundedStream, storages: Storages | None, as_tensor: TensorMaker) -> None:
        super().__init__(stream)
        self._source, self._storages, self._as_tensor = stream, storages, as_tensor
        self._unfilled: dict[int, np.ndarray] = {}

    def load(self) -> object:
        """Execute the instructions; frame lengths are ignored, because they only affect buffering."""
        self.read, self.readline = self._source.read, self._source.readline
        self.metastack: list[list[Any]] = []
        self.stack: list[Any] = []
        self.proto = 0
        self.append = self.stack.append
        read, dispatch = self.read, self.dispatch
        try:
            for _ in self._source.steps:
                dispatch[read(1)[0]](self)
        except _Stop as stop:
            return stop.value
        raise InputError("has more instructions than data in a file of its size needs. Nothing was run.")

    def load_frame(self) -> None:
        self.read(8)

    def find_class(self, module: str, name: str) -> object:
        found = ADMITTED.get(f"{module}.{name}")
        if found is None:
            if (other := other_data(f"{module}.{name}")) is not None:
                raise InputError(f"contains {other[0]}, expected plain tensors and arrays. Write it again {other[1]}.")
            # ascii(): text of a file must not steer a terminal.
            raise NotData(f"a Python object ({ascii(f'{module}.{name}'[:120])[1:-1]}) that could run code")
        return found

    def load_global(self) -> None:
        module = self.readline()[:-1].decode()
        name = self.readline()[:-1].decode()
        self.append(self.find_class(module, name))

    def load_binpersid(self) -> None:
        """torch's reference to a storage: tag, type, key, device, length, and in old files a part of it."""
        identifier = self.stack.pop()
        if self._storages is None or type(identifier) is not tuple or identifier[0] != "storage":
            raise NotData("an instruction that data does not need")
        _, kind, key, _, count, *part = identifier
        if not isinstance(kind, StorageType) or type(key) is not str or part not in ([], [None]):
            raise NotData("a tensor without its storage")
        self.append(self._storages(kind, key, *checked_shape((count,))))

    def load_reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if not isinstance(function, Admitted) or function.make is None or type(arguments) is not tuple:
            raise NotData("a call of something that is not a known way to make data")
        self._source.spend_steps(STEPS_PER_VALUE * sum(map(_count, arguments)))
        if function is STORAGE_BYTES:
            self.append(self._storage_within(*arguments))
            return
        made = function.make(*arguments)
        if not function.tensor:  # a view takes no memory
            self._source.spend(max(_weight(made), sum(map(_weight, arguments))))
        if function is UNFILLED_ARRAY:
            self._unfilled[id(made)] = made
        self.append(self._as_tensor(made) if function.tensor else made)

    def _storage_within(self, content: object) -> object:
        """The storage of a tensor that was pickled alone: a file in torch's older format."""
        if not isinstance(content, bytes) or not content.startswith(TORCH_LEGACY_MAGIC):
            raise NotData("a tensor that is not stored like torch's")
        return load_legacy_torch(self._source.within(content))

    def load_newobj(self) -> None:
        arguments, kind = self.stack.pop(), self.stack.pop()
        if kind is not JOBLIB_ARRAY or arguments != ():
            raise NotData("an object of a class that is not known as data")
        self.append(PendingJoblibArray())

    def load_build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, PendingDtype):
            target.order = byte_order(state)
        elif isinstance(target, PendingJoblibArray):
            self.stack[-1] = self._joblib_array(state)
        elif self._unfilled.pop(id(target), None) is not None:
            np.ndarray.__setstate__(target, checked_array_state(state))
            self._source.spend(target.nbytes)
        elif type(target) is not dict:  # attributes of a dict (a network's _metadata) are no data
            raise NotData("the inner state of an object that is not known as data")

    def _joblib_array(self, state: object) -> np.ndarray:
        """An array whose bytes follow (joblib/numpy_pickle.py, NumpyArrayWrapper.read_array)."""
        if type(state) is not dict or not isinstance(state.get("dtype"), PendingDtype):
            raise NotData("an array that is not described like joblib's")
        dtype, shape = state["dtype"], checked_shape(state.get("shape"))
        if dtype.holds_objects:
            objects = _load(self._source, None, self._as_tensor)
            if not isinstance(objects, np.ndarray):
                raise NotData(f"a {type(objects).__name__} in place of an array of objects")
            return objects
        kind = dtype.resolve()
        if state.get("numpy_array_alignment_bytes") is not None:
            self._source.read(int.from_bytes(self._source.read(1), "little"))
        return read_array(self._source, kind, shape, state.get("order") == "F")

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        _plain(self.stack[-1], dict)[dict_key(key)] = value

    def load_setitems(self) -> None:
        items = self.pop_mark()
        _plain(self.stack[-1], dict).update(zip(map(dict_key, items[::2]), items[1::2], strict=True))

    def load_dict(self) -> None:
        items = self.pop_mark()
        self.append(dict(zip(map(dict_key, items[::2]), items[1::2], strict=True)))

    def load_append(self) -> None:
        value = self.stack.pop()
        _plain(self.stack[-1], list).append(value)

    def load_appends(self) -> None:
        items = self.pop_mark()
        _plain(self.stack[-1], list).extend(items)

    def load_additems(self) -> None:
        items = self.pop_mark()
        _plain(self.stack[-1], set).update(map(dict_key, items))

    def load_frozenset(self) -> None:
        items = self.pop_mark()
        self.append(frozenset(map(dict_key, items)))

    def load_bytearray8(self) -> None:
        """The standard library's version allocates the claimed length before it reads."""
        size = int.from_bytes(self.read(8), "little")
        self._source.require(size)
        self.append(bytearray(self.read(size)))

    def load_unknown(self) -> None:
        raise NotData("an instruction that data does not need")


def _plain(value: object, kind: type[Container]) -> Container:
    if not isinstance(value, kind) or type(value) is not kind:
        raise NotData(f"a {type(value).__name__} that is filled like a {kind.__name__}")
    return value


def _weight(made: object) -> int:
    """Memory of an argument or a made object: a few bytes of a pickle can request many copies of a large object."""
    if isinstance(made, dict | list | set | frozenset | str | bytes | bytearray):
        return sys.getsizeof(made)
    return getattr(made, "nbytes", 0)


def _count(argument: object) -> int:
    """The values in a container, each of which a call visits."""
    return len(argument) if isinstance(argument, list | tuple) else 0


# Instructions that data needs: none for classes, instances, extensions, external objects or buffers.
DATA_INSTRUCTIONS = """
    PROTO STOP MARK POP POP_MARK DUP NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 FLOAT BINFLOAT
    STRING BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES BINBYTES8
    EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST LIST EMPTY_DICT GET BINGET LONG_BINGET PUT BINPUT
    LONG_BINPUT MEMOIZE
    STACK_GLOBAL
"""
OWN_INSTRUCTIONS = """
    FRAME GLOBAL BINPERSID REDUCE NEWOBJ BUILD SETITEM SETITEMS DICT APPEND APPENDS ADDITEMS FROZENSET BYTEARRAY8
"""
WHOLE_NUMBERS = "INT LONG LONG1 LONG4"
# What takes several times more memory than bytes in the file: a text up to four times, an empty set 216 bytes.
LARGE = "UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8 EMPTY_SET"


def _bounded(instruction: Callable[[Any], None]) -> Callable[[Any], None]:
    """An instruction that pushes a whole number, rejected if the number exceeds the range of floats."""

    def load(self: Unpickler) -> None:
        instruction(self)
        if self.stack[-1].bit_length() > MOST_BITS:
            bits = self.stack[-1].bit_length()
            raise InputError(f"contains a whole number of {bits:,} bits, expected at most {MOST_BITS:,}.")

    return load


def _weighed(instruction: Callable[[Any], None]) -> Callable[[Any], None]:
    """An instruction that pushes a value whose memory is counted."""

    def load(self: Unpickler) -> None:
        instruction(self)
        self._source.spend(_weight(self.stack[-1]))

    return load


def _instructions() -> dict[int, Callable[[Any], None]]:
    standard: dict[int, Callable[[Any], None]] = pickle._Unpickler.dispatch
    table: dict[int, Callable[[Any], None]] = dict.fromkeys(standard, Unpickler.load_unknown)
    table |= {code: standard[code] for code in _codes(DATA_INSTRUCTIONS)}
    table |= {code: _bounded(standard[code]) for code in _codes(WHOLE_NUMBERS)}
    table |= {code: _weighed(standard[code]) for code in _codes(LARGE)}
    names = OWN_INSTRUCTIONS.lower().split()
    return table | dict(
        zip(_codes(OWN_INSTRUCTIONS), (getattr(Unpickler, f"load_{name}") for name in names), strict=True)
    )


def _codes(names: str) -> list[int]:
    return [getattr(pickle, name)[0] for name in names.split()]


Unpickler.dispatch = _instructions()
