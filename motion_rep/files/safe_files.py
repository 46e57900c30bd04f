"""Read files without running code from them; write files so that nobody ever sees half of one."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import io
import json
import os
import pickle
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from motion_rep.common.errors import InputError, UsageError, one_line

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None

# Bytes that a tensor may claim without their being in the file: harmless repetition.
LARGEST_CLAIM = 2**24
# What atomic_path makes: a dot, the name, eight random characters, .tmp, the suffix.
TEMPORARY_NAME = re.compile(r"\..+\.[a-z0-9_]{8}\.tmp(\.[A-Za-z0-9]+)?")


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike, durable: bool = True) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends without an error.

    The temporary name keeps the suffix (encoders choose the container by it) and starts with a dot.

    Args:
        durable: wait until the disk has it, so that a power failure leaves the old or the new file. Costs milliseconds; leave it
            out for one of many files that can be made again (it may then be empty after a power failure, never half a file).

    Raises:
        InputError: the folder cannot be made or written, or the disk is full.
    """
    with _atomic_file(Path(path), durable) as (_, temporary):
        yield temporary


@contextlib.contextmanager
def _atomic_file(path: Path, durable: bool) -> Iterator[tuple[int, Path]]:
    """:func:`atomic_path` with the handle of the temporary file besides, which is open for writing."""
    handle = temporary = None
    try:
        handle, temporary = _locked_temporary(path)
        yield handle, temporary
        _finish(temporary, path, durable)
        temporary = None
    except OSError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(cannot_write(path, error)) from None
    finally:
        if handle is not None:
            _discard(handle, temporary)


def _locked_temporary(path: Path) -> tuple[int, Path]:
    """A new file beside ``path``, open and locked for as long as this process uses it: what nobody holds was left by a run that was killed."""
    while True:
        handle, name = _temporary(path)
        locked = _lock(handle)
        if locked is None or (locked and os.fstat(handle).st_nlink):
            return handle, Path(name)
        # Swept away before it was locked.
        os.close(handle)


def _temporary(path: Path) -> tuple[int, str]:
    """A new file beside ``path``, in a folder that is made where it is not there."""
    parts = {"dir": path.parent, "prefix": f".{path.stem[:80]}.", "suffix": f".tmp{path.suffix}"}
    try:
        return tempfile.mkstemp(**parts)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return tempfile.mkstemp(**parts)


def _discard(handle: int, temporary: Path | None) -> None:
    """Close a temporary file and remove it where it is still there; on a drive that is gone that fails, and must not hide why the writing ended."""
    if temporary is not None:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        os.close(handle)


def _lock(handle: int) -> bool | None:
    """Take the lock of an open file; False where another process has it, None where the system has no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def sweep(folder: str | os.PathLike, recursive: bool = True) -> None:
    """Remove the temporary files that killed runs left in a folder; those in use by a running one stay.

    Args:
        recursive: look into the folders within, too.
    """
    for parent, folders, names in os.walk(folder):
        for name in names:
            if TEMPORARY_NAME.fullmatch(name):
                _remove_if_abandoned(os.path.join(parent, name))
        if not recursive:
            folders.clear()


@contextlib.contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Mark a folder of temporary files for as long as this process works in it; see :func:`remove_abandoned_folders`."""
    handle, mark = _locked_temporary(folder / "in_use")
    try:
        yield
    finally:
        _discard(handle, mark)


def remove_abandoned_folders(parent: Path, prefix: str) -> None:
    """Remove the folders that were in use by runs that were killed; one that was never marked is somebody else's."""
    for folder in parent.glob(f"{glob.escape(prefix)}*"):
        marks = list(folder.glob(".in_use.*.tmp"))
        for mark in marks:
            _remove_if_abandoned(str(mark))
        if marks and not any(map(os.path.lexists, marks)):
            shutil.rmtree(folder, ignore_errors=True)


def _remove_if_abandoned(path: str) -> None:
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDWR)
        try:
            if _lock(handle):
                os.unlink(path)
        finally:
            os.close(handle)


def _finish(temporary: Path, path: Path, durable: bool) -> None:
    """Flush to the disk and take the final name, with the permissions that a plain new file would have."""
    umask = os.umask(0)
    os.umask(umask)
    temporary.chmod(0o666 & ~umask)
    if durable:
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
    os.replace(temporary, path)


def cannot_write(path: str | os.PathLike, error: OSError) -> str:
    """The one line for a failed write."""
    return f"{path}: cannot be written: {error.strerror or error}. Choose a folder that you may write to, with free space."


def write_bytes(path: str | os.PathLike, data: bytes | memoryview, durable: bool = True) -> None:
    """Write a file atomically; ``durable`` as in :func:`atomic_path`."""
    with _atomic_file(Path(path), durable) as (handle, _):
        with open(handle, "wb", closefd=False) as file:
            file.write(data)
        # Some network drives say only when a file is closed that there was no room for it; the lock is kept.
        os.close(os.dup(handle))


def write_json(path: str | os.PathLike, value: object) -> None:
    """Write JSON atomically: two spaces, UTF-8, keys in the order they have."""
    write_bytes(path, (json_text(value, indent=2) + "\n").encode())


def json_text(value: object, indent: int | None = None) -> str:
    """JSON with readable characters; all escaped where a text holds half of a surrogate pair, which JSON can say and UTF-8 cannot."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return text


def write_torch(path: str | os.PathLike, value: object, durable: bool = True) -> None:
    """``torch.save`` atomically; keep to plain tensors, numbers and strings, so that ``weights_only=True`` reads it.

    Goes through memory: torch writes the file's name into the file, so a temporary name would make equal contents differ, and
    its own writer answers a full disk with an error that does not say so.
    """
    import torch

    data = io.BytesIO()
    torch.save(value, data)
    write_bytes(path, data.getbuffer(), durable)


def require_file(path: str | os.PathLike) -> Path:
    """The path, if a file is there that is not empty.

    Raises:
        InputError: nothing there, a folder, or no bytes.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise InputError(f"{path}: is a folder, expected a file.")
        if path.stat().st_size == 0:
            raise InputError(f"{path}: is empty (0 bytes). The program that wrote it was probably interrupted; run it again.")
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: characters that no path can have
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or one_line(error)}. Check the path.") from None
    return path


def read_bytes(path: str | os.PathLike) -> bytes:
    """The bytes of a file that is there and not empty."""
    path = require_file(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}.") from None


def read_json(path: str | os.PathLike) -> object:
    """JSON from a UTF-8 file.

    Raises:
        InputError: missing, empty, not UTF-8 or not JSON (with line and column).
    """
    data = read_bytes(path)
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8 text, expected a JSON file.") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: is not JSON: {error.msg} at line {error.lineno}, column {error.colno}. Correct it there.") from None
    except (RecursionError, ValueError):  # ValueError: a whole number of thousands of digits
        raise InputError(f"{path}: is nested too deeply, or has a number too long, for JSON data of this toolkit.") from None


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
        raise InputError(f"{path}: holds tuples of tuples without end, expected tensors, arrays, numbers and strings. Nothing was run.") from None
    except pickle.UnpicklingError as error:
        raise InputError(_unpickling_message(path, str(error))) from None
    except Exception as error:  # noqa: BLE001 - on damaged bytes torch raises whatever its steps raise, struct.error among them
        if isinstance(error, (KeyError, IndexError)) or text_at_start(path):
            raise InputError(_unpickling_message(path, "")) from None
        raise InputError(f"{path}: cannot be read as a torch file: {one_line(error)[:160]}. It may be cut or of another kind; write it again.") from None
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
                raise InputError(f"{path}: holds a sparse or quantized tensor, expected plain ones. Write it again with .to_dense() or .dequantize().")
            claimed = found.numel() * found.element_size()
            if claimed > LARGEST_CLAIM and claimed > found.untyped_storage().nbytes():
                raise InputError(f"{path}: holds a tensor of shape {tuple(found.shape)} whose numbers are not in the file. Write it again with .contiguous().")


def _unpickling_message(path: Path, text: str) -> str:
    found = re.search(r"(?:GLOBAL|global) ([\w.]+)", text)
    if found:
        return f"{path}: holds a Python object ({found.group(1)}) that could run code; expected tensors, arrays, numbers and strings. Nothing was run."
    start = text_at_start(path)
    if start:
        return f"{path}: is not a torch file (it starts with {start}), expected a .pt written by torch.save."
    return f"{path}: is not a torch file, or is damaged. Write it again with torch.save."


def text_at_start(path: str | os.PathLike) -> str | None:
    """The beginning of a file's first line, in quotes, where it is readable text; None where it is not, as in torch files and most pickles."""
    with open(path, "rb") as file:
        line = file.read(80).decode("utf-8", "replace").lstrip("\ufeff \t\r\n").partition("\n")[0].rstrip()
    # ascii(): text of a file must not steer a terminal.
    return ascii(line[:24]) if len(line) > 1 and line[:24].isprintable() and "\ufffd" not in line[:24] else None


def _numpy_globals() -> list:
    """What numpy arrays and scalars need to be rebuilt: data types and two functions that only make arrays."""
    import numpy as np

    core = np._core.multiarray if hasattr(np, "_core") else np.core.multiarray
    kinds = [np.bool_, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64, np.float16, np.float32, np.float64, np.str_]
    named = [(core._reconstruct, "numpy.core.multiarray._reconstruct"), (core.scalar, "numpy.core.multiarray.scalar")]
    return [np.ndarray, np.dtype, core._reconstruct, core.scalar, *named, *{type(np.dtype(kind)) for kind in kinds}]


def file_sha256(path: str | os.PathLike) -> str:
    """Hex digest of a file's bytes, read in pieces."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}.") from None


def safe_name(identifier: object) -> str:
    """A file name for an id: its own text where that is harmless, else a cleaned text and a short digest.

    ``7`` and ``"7"`` give ``7``; ``"../a b"`` gives ``a_b-`` and eight hex digits. Never a path, never hidden, at most 110 characters.
    """
    text = str(identifier)
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", text):
        return text
    clean = re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_-")[:80] or "id"
    return f"{clean}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def require_folder(path: str | os.PathLike) -> Path:
    """Make a folder for outputs, and check that files can be written there.

    Raises:
        UsageError: it cannot be made or written to.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as error:
        raise UsageError(cannot_write(path, error)) from None
