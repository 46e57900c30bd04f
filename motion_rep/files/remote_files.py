"""Files at fsspec URLs (``s3://``, ``gs://``, ``sftp://``): fetched before an item's work, stored after it.

fsspec comes with torch; users install the package of a scheme (s3fs, gcsfs, ...). Keys and passwords belong into the
environment, a profile or fsspec's configuration, never into the URL, which ends up in archives and messages.
"""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any

from motion_rep.common.errors import InputError, UsageError, one_line, system_failure
from motion_rep.common.overwriting import require_replaceable
from motion_rep.files.atomic_writing import require_folder
from motion_rep.files.locations import ARCHIVE_SCHEMES, Location, RemotePath
from motion_rep.files.temporaries import in_use, remove_abandoned_folders, remove_stale_temporaries

# Prefix of the folders of local copies.
COPIES = "reference-motion-"


def resolve_existing(path: Location) -> Location:
    """Check that a location exists; a remote one then knows whether it is a folder.

    Raises:
        InputError: missing or unreachable.
    """
    if not isinstance(path, RemotePath):
        try:
            os.lstat(path)
        except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: characters that no path can have
            raise InputError(f"{path}: does not exist. Check the path.") from None
        except OSError as error:
            raise InputError(system_failure(error)) from None
        return path
    with _remote_errors(path, "read"):
        if path.scheme in ARCHIVE_SCHEMES:
            _http().require_there(str(path))
            return RemotePath(path.scheme, path.place)
        return RemotePath(
            path.scheme, path.place, _file_system(path.scheme, str(path)).info(_inner(path))["type"] == "directory"
        )


def remote_files_below(folder: RemotePath) -> list[PurePosixPath]:
    """The files below a remote folder as sorted relative paths. Names that would leave a local copy are an error.

    Raises:
        InputError: the folder cannot be listed, or has such a name.
    """
    with _remote_errors(folder, "listed"):
        fs, inner = _file_system(folder.scheme, str(folder)), _inner(folder)
        names = [found[len(inner) :].lstrip("/") for found in fs.find(inner)]
    for name in names:
        if "\\" in name or "//" in name or {"..", "."} & set(name.split("/")):
            raise InputError(f"{folder}: contains a file with the name {name!r}, expected plain names. Rename it.")
    return sorted(PurePosixPath(name) for name in names if name)


def files_in(folder: Location, suffixes: tuple[str, ...]) -> list[Location]:
    """The files below a folder with these suffixes (in any case), in order, without hidden ones.

    Raises:
        InputError: as :func:`remote_files_below`.
    """
    if isinstance(folder, RemotePath):
        seen = [name for name in remote_files_below(folder) if not any(part.startswith(".") for part in name.parts)]
        return [folder / name for name in seen if name.name.lower().endswith(suffixes)]
    found: list[Location] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        shown = (name for name in names if name.lower().endswith(suffixes) and not name.startswith("."))
        found += [Path(parent) / name for name in shown]
    return sorted(found)


@contextlib.contextmanager
def local_copy(path: Location) -> Iterator[Path]:
    """A local path with the same contents: the path itself, or a temporary copy of a remote file.

    Errors name the remote file.

    Raises:
        InputError: it cannot be fetched.
    """
    if not isinstance(path, RemotePath):
        yield path
        return
    with _folder_for_copies() as folder, _naming(folder / path.name, path):
        _fetch(path, folder / path.name)
        yield folder / path.name


@contextlib.contextmanager
def local_output(path: Location, fetch: bool = True) -> Iterator[Path]:
    """A local path to write to; a remote file is uploaded when the block ends without an error.

    Args:
        fetch: download an existing remote file first, and upload it only if it changed.
    Raises:
        InputError: it cannot be fetched or stored, or something else than a file has the name.
    """
    if not isinstance(path, RemotePath):
        require_replaceable(path)
        yield path
        return
    with _folder_for_copies() as folder, _naming(folder / path.name, path):
        copy = folder / path.name
        if fetch:
            with contextlib.suppress(_Missing):
                _fetch(path, copy)
        before = _identity(copy)
        yield copy
        if _identity(copy) != before:
            with _remote_errors(path, "written"):
                _file_system(path.scheme, str(path)).put_file(str(copy), _inner(path))


@contextlib.contextmanager
def prepared_folders(*folders: Location) -> Iterator[None]:
    """Check that folders are writable, and remove temporary files of killed runs before and after the block.

    Raises:
        UsageError: a folder cannot be written to.
    """
    with contextlib.ExitStack() as after:
        for folder in folders:
            require_location(folder)
            remove_stale_temporaries_at(folder)
            after.callback(remove_stale_temporaries_at, folder)
        yield


def require_location(folder: Location) -> None:
    """Check that a folder is writable; a local one is created.

    Raises:
        UsageError: it is not.
    """
    if isinstance(folder, RemotePath):
        _require_remote(folder)
    else:
        require_folder(folder)


def _require_remote(folder: RemotePath) -> None:
    probe = folder / ".write_test"
    try:
        with _remote_errors(probe, "written"):
            fs = _file_system(folder.scheme, str(folder))
            fs.pipe_file(_inner(probe), b"empty")
            # Some accounts may write but not delete.
            with contextlib.suppress(PermissionError):
                fs.rm_file(_inner(probe))
    except InputError as error:
        raise UsageError(str(error)) from None


def remove_stale_temporaries_at(folder: Location, recursive: bool = True) -> None:
    """Remove temporary files of killed runs from a local folder, or from the copies of remote files."""
    if isinstance(folder, RemotePath):
        remove_abandoned_folders(Path(tempfile.gettempdir()), COPIES)
    else:
        remove_stale_temporaries(folder, recursive)


def is_there(path: Location) -> bool:
    """Whether a location is an existing file."""
    if not isinstance(path, RemotePath):
        return path.is_file()
    try:
        return not resolve_existing(path).is_dir()
    except InputError:
        return False


class _Missing(InputError):
    """The remote file does not exist."""


def _http() -> ModuleType:
    """Its imports (ssl, http) would double the time of ``--help``."""
    from motion_rep.files import http_files

    return http_files


def _fetch(path: RemotePath, copy: Path) -> None:
    if path.scheme in ARCHIVE_SCHEMES:
        with _remote_errors(path, "read"):
            _http().download(str(path), copy)
        return
    fs = _file_system(path.scheme, str(path))
    if not path.folder:
        with _remote_errors(path, "read"):
            fs.get_file(_inner(path), str(copy))
        return
    for name in remote_files_below(path):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        with _remote_errors(path / name, "read"):
            fs.get_file(_inner(path / name), str(copy / name))


def _identity(copy: Path) -> tuple | None:
    """Inode, time and size: they change whenever a file is replaced."""
    try:
        found = os.stat(copy)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _inner(path: RemotePath) -> str:
    """The path as its file system names it."""
    return _file_system(path.scheme, str(path))._strip_protocol(str(path))


@functools.cache
def _class_of(scheme: str) -> Any:
    import fsspec

    return fsspec.get_filesystem_class(scheme)


def _file_system(scheme: str, url: str) -> Any:
    """The file system of a URL; fsspec keeps one for each scheme and host."""
    try:
        kind = _class_of(scheme)
        return kind(**kind._get_kwargs_from_urls(url))
    except ValueError:
        raise UsageError(
            f"{url}: fsspec does not support {scheme}:// URLs. Check the spelling, or give a local path."
        ) from None
    except ImportError as error:
        raise UsageError(f"{url}: the package for {scheme}:// is missing: {one_line(error)[:160]}.") from None


@contextlib.contextmanager
def _folder_for_copies() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=COPIES) as folder, in_use(Path(folder)):
        yield Path(folder)


@contextlib.contextmanager
def _naming(copy: Path, path: RemotePath) -> Iterator[None]:
    """Replace the name of a copy by that of the remote file in errors."""
    try:
        yield
    except InputError as error:
        raise type(error)(str(error).replace(str(copy), str(path))) from None


@contextlib.contextmanager
def _remote_errors(path: RemotePath, what: str) -> Iterator[None]:
    """Turn any error of a file system into an InputError."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError:
        problem = "does not exist" if what != "written" else "cannot be written: its bucket or folder does not exist"
        raise _Missing(f"{path}: {problem}. Check the URL.") from None
    except Exception as error:  # noqa: BLE001 - each file system raises its own types
        detail = one_line(error)[:200]
        raise InputError(
            f"{path}: cannot be {what}: {type(error).__name__}{': ' + detail if detail else ''}. Check the URL, "
            "your access and the network."
        ) from None
