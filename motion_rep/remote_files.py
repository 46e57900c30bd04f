"""Files behind an fsspec URL (``s3://``, ``gs://``, ``sftp://``): fetched before an item's work, stored after it.

fsspec comes with torch; the package behind a scheme (s3fs, gcsfs, ...) is the user's. Keys and passwords are where those packages look for
them (environment, profile, fsspec's configuration), never in the URL, which ends up in archives and messages.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import os
import posixpath
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from motion_rep.errors import InputError, UsageError, one_line, system_failure
from motion_rep.safe_files import in_use, remove_abandoned_folders, require_folder, sweep

URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)
LOCAL_SCHEMES = ("file", "local")
# Folders of copies are called so.
COPIES = "reference-motion-"


@dataclass(frozen=True, order=True)
class RemotePath:
    """A URL that can be taken apart as :class:`pathlib.Path` can.

    Attributes:
        scheme: ``s3``, ``gs``, ...
        place: bucket or host, then the path there.
        folder: whether it is known to be a folder.
    """

    scheme: str
    place: PurePosixPath
    folder: bool = False

    def __str__(self) -> str:
        return f"{self.scheme}://{self.place}"

    def __truediv__(self, name: str | PurePath) -> RemotePath:
        return RemotePath(self.scheme, self.place / (name.as_posix() if isinstance(name, PurePath) else name))

    @property
    def parent(self) -> RemotePath:
        return RemotePath(self.scheme, self.place.parent, folder=True)

    @property
    def name(self) -> str:
        return self.place.name

    @property
    def stem(self) -> str:
        return self.place.stem

    @property
    def suffix(self) -> str:
        return self.place.suffix

    def with_name(self, name: str) -> RemotePath:
        return RemotePath(self.scheme, self.place.with_name(name))

    def relative_to(self, folder: RemotePath) -> PurePosixPath:
        return self.place.relative_to(folder.place)

    def as_folder(self) -> RemotePath:
        return RemotePath(self.scheme, self.place, folder=True)

    def is_dir(self) -> bool:
        return self.folder


Location = Path | RemotePath


def location(text: str) -> Location:
    """The type of a flag that takes a local path or a URL."""
    try:
        return parse_location(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error).rstrip(".")) from None


def parse_location(text: str) -> Location:
    """A local path, or the URL of a remote one; ``file://`` is local.

    Raises:
        InputError: a URL that cannot name a file for us.
    """
    found = URL.fullmatch(text)
    if found is None:
        return Path(text)
    scheme, place = found[1].lower(), found[2]
    if scheme in LOCAL_SCHEMES:
        return Path(place)
    if "::" in text:
        raise InputError(f"{text}: chains several file systems, expected one. Unpack the archive first, and give the address of the files.")
    if "@" in place.partition("/")[0]:
        user = place.partition("@")[2]
        raise InputError(f"{scheme}://...@{user}: holds a user or password, which would end up in files and messages. Put them where fsspec's configuration has them.")
    if not place.strip("/"):
        raise InputError(f"{text}: names no bucket or host.")
    if "//" in place or {"..", "."} & set(place.split("/")):
        raise InputError(f"{text}: has an empty, '.' or '..' part, expected a plain path.")
    return RemotePath(scheme, PurePosixPath(place), folder=place.endswith("/"))


def is_remote(path: object) -> bool:
    """Whether a location is behind a URL."""
    return isinstance(path, RemotePath)


def looked_up(path: Location) -> Location:
    """The location, which must be there; of a remote one it is now known whether it is a folder.

    Raises:
        InputError: it is not there, or cannot be reached.
    """
    if not isinstance(path, RemotePath):
        try:
            os.lstat(path)
        except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: characters that no path can have
            raise InputError(f"{path}: is not there. Check the path.") from None
        except OSError as error:
            raise InputError(system_failure(error)) from None
        return path
    with _telling(path, "read"):
        return RemotePath(path.scheme, path.place, _file_system(path.scheme, str(path)).info(_inner(path))["type"] == "directory")


def remote_files_below(folder: RemotePath) -> list[PurePosixPath]:
    """The files below a remote folder, as paths within it, in order. Names that would lead out of a local copy are an error.

    Raises:
        InputError: the folder cannot be listed, or has such a name.
    """
    with _telling(folder, "listed"):
        fs, inner = _file_system(folder.scheme, str(folder)), _inner(folder)
        names = [found[len(inner) :].lstrip("/") for found in fs.find(inner)]
    for name in names:
        if "\\" in name or "//" in name or {"..", "."} & set(name.split("/")):
            raise InputError(f"{folder}: holds a file with the name {name!r}, expected plain names. Give it another.")
    return sorted(PurePosixPath(name) for name in names if name)


@contextlib.contextmanager
def near(path: Location) -> Iterator[Path]:
    """A local path with the same contents: itself, or a copy of what is remote, which is gone afterwards. Errors name the remote one.

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
def near_output(path: Location, fetch: bool = True) -> Iterator[Path]:
    """A local path to write; what is written there is stored at a remote location when the block ends without an error.

    Args:
        fetch: what is there already is brought first, and stored again only if it was changed.
    Raises:
        InputError: it cannot be fetched or stored.
    """
    if not isinstance(path, RemotePath):
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
            with _telling(path, "written"):
                _file_system(path.scheme, str(path)).put_file(str(copy), _inner(path))


def require_location(folder: Location) -> None:
    """Check that files can be written to a folder, before the work begins; a local one is made.

    Raises:
        UsageError: they cannot.
    """
    if not isinstance(folder, RemotePath):
        require_folder(folder)
        return
    probe = folder / ".write_test"
    try:
        with _telling(probe, "written"):
            fs = _file_system(folder.scheme, str(folder))
            fs.pipe_file(_inner(probe), b"empty")
            # Some may write and not delete.
            with contextlib.suppress(PermissionError):
                fs.rm_file(_inner(probe))
    except InputError as error:
        raise UsageError(str(error)) from None


def sweep_location(folder: Location, recursive: bool = True) -> None:
    """Remove what killed runs left in a local folder, see :func:`motion_rep.safe_files.sweep`, or in the copies of remote files."""
    if isinstance(folder, RemotePath):
        remove_abandoned_folders(Path(tempfile.gettempdir()), COPIES)
    else:
        sweep(folder, recursive)


def place_of(path: Location) -> str:
    """The same text for two names of one place."""
    return str(path) if is_remote(path) else str(path.resolve())


def is_there(path: Location) -> bool:
    """Whether a location is a file that is there."""
    if not isinstance(path, RemotePath):
        return path.is_file()
    try:
        return not looked_up(path).folder
    except InputError:
        return False


def beside(text: str, json_location: Location) -> Location:
    """A location from a JSON file: a URL, or a path from the current folder if it is there, else from the JSON's folder.

    Raises:
        InputError: a URL that cannot name a file for us.
    """
    given = parse_location(text)
    if is_remote(given) or given.is_absolute() or os.path.exists(given):
        return given
    if is_remote(json_location):
        return RemotePath(json_location.scheme, _within(json_location, given))
    there = json_location.parent / given
    return there if os.path.exists(there) else given


def _within(json_location: RemotePath, given: Path) -> PurePosixPath:
    """A relative path without ``..``, which may lead out of the JSON's folder but not out of its bucket or host."""
    place = PurePosixPath(posixpath.normpath(json_location.place.parent / given.as_posix()))
    if ".." in place.parts or place.parts[0] != json_location.place.parts[0]:
        raise InputError(f"{given}: leads out of {json_location.scheme}://{json_location.place.parts[0]}, expected a path in there or an address of its own.")
    return place


class _Missing(InputError):
    """Nothing is there."""


def _fetch(path: RemotePath, copy: Path) -> None:
    fs = _file_system(path.scheme, str(path))
    if not path.folder:
        with _telling(path, "read"):
            fs.get_file(_inner(path), str(copy))
        return
    for name in remote_files_below(path):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        with _telling(path / name, "read"):
            fs.get_file(_inner(path / name), str(copy / name))


def _identity(copy: Path) -> tuple | None:
    """Changes whenever a file is replaced."""
    try:
        found = os.stat(copy)
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _inner(path: RemotePath) -> str:
    """What the file system calls it."""
    return _file_system(path.scheme, str(path))._strip_protocol(str(path))


@functools.cache
def _class_of(scheme: str):
    import fsspec

    return fsspec.get_filesystem_class(scheme)


def _file_system(scheme: str, url: str):
    """The file system of a URL; fsspec keeps one for each scheme and host."""
    import fsspec

    try:
        options = _class_of(scheme)._get_kwargs_from_urls(url)
        return fsspec.filesystem(scheme, **options)
    except ValueError:
        raise UsageError(f"{url}: fsspec knows no {scheme}:// addresses. Check the spelling, or give a local path.") from None
    except ImportError as error:
        raise UsageError(f"{url}: the package for {scheme}:// is missing: {one_line(error)[:160]}.") from None


@contextlib.contextmanager
def _folder_for_copies() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix=COPIES) as folder, in_use(Path(folder)):
        yield Path(folder)


@contextlib.contextmanager
def _naming(copy: Path, path: RemotePath) -> Iterator[None]:
    """Errors that name the remote file where they named its copy."""
    try:
        yield
    except InputError as error:
        raise type(error)(str(error).replace(str(copy), str(path))) from None


@contextlib.contextmanager
def _telling(path: RemotePath, what: str) -> Iterator[None]:
    """Whatever a file system raises, in one line."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError:
        problem = "is not there" if what != "written" else "cannot be written: its bucket or folder is not there"
        raise _Missing(f"{path}: {problem}. Check the address.") from None
    except Exception as error:  # noqa: BLE001 - each file system has errors of its own
        detail = one_line(error)[:200]
        raise InputError(f"{path}: cannot be {what}: {type(error).__name__}{': ' + detail if detail else ''}. Check the address, your access and the network.") from None
