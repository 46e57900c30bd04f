"""Locations of files: local paths, and fsspec URLs (``s3://``, ``gs://``, ``sftp://``) with the parts of a path."""

from __future__ import annotations

import argparse
import contextlib
import filecmp
import functools
import os
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from motion_rep.common.allowed_schemes import LOCAL_SCHEMES, URL, allowed_schemes
from motion_rep.common.errors import InputError
from motion_rep.common.overwriting import FOLDER, READ, WRITTEN, PathFlag

IPV6_HOST = re.compile(r"\A\[[0-9A-Fa-f:.]+\]")
# In the environment, because worker processes read it, too.
OWN_FOLDER = "MOTION_REP_OWN_FOLDER"
# Schemes that a JSON file may always contain; the command line allows more.
ARCHIVE_SCHEMES = ("http", "https")


@dataclass(frozen=True, order=True)
class RemotePath:
    """A URL with the interface of :class:`pathlib.Path`.

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

    def as_folder(self) -> RemotePath:
        return RemotePath(self.scheme, self.place, folder=True)

    def is_dir(self) -> bool:
        return self.folder


Location = Path | RemotePath


def location(text: str) -> Location:
    """argparse type: a local path or a URL."""
    try:
        return parse_location(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error).rstrip(".")) from None


read_location, written_location = PathFlag(READ, location), PathFlag(WRITTEN, location)
folder_location = PathFlag(FOLDER, location)


def parse_location(text: str) -> Location:
    """A local path, or the URL of a remote one; ``file://`` is local.

    Raises:
        InputError: an unsupported URL.
    """
    found = URL.fullmatch(text)
    if found is None:
        return Path(text)
    scheme, place = found[1].lower(), found[2]
    if scheme in LOCAL_SCHEMES:
        return Path(place)
    if "::" in IPV6_HOST.sub("", place):
        raise InputError(
            f"{text}: chains several file systems, expected one. Unpack the archive first and give the URL of "
            "the files."
        )
    if "@" in place.partition("/")[0]:
        user = place.partition("@")[2]
        raise InputError(
            f"{scheme}://...@{user}: contains a user or password, which would end up in files and messages. Put them "
            "into fsspec's configuration."
        )
    if not place.strip("/"):
        raise InputError(f"{text}: names no bucket or host.")
    if "//" in place or {"..", "."} & set(place.split("/")):
        raise InputError(f"{text}: has an empty, '.' or '..' part, expected a plain path.")
    return RemotePath(scheme, PurePosixPath(place), folder=place.endswith("/"))


def is_remote(path: object) -> bool:
    """Whether a location is a URL."""
    return isinstance(path, RemotePath)


def place_of(path: Location) -> str:
    """A canonical text of a location; two names of one file give the same text."""
    return str(path) if isinstance(path, RemotePath) else os.path.realpath(path)  # also of a link to itself


def resolve_from(text: str, json_location: Location) -> Location:
    """A location from a JSON file: a URL, an absolute path, or a path relative to one of three folders.

    The folders are that of the JSON, its nearest parent with a README.md (the convention of published archives) and the
    current folder. A path that exists in none of them is returned unchanged; see also :func:`own_folder`.

    Raises:
        InputError: an unsupported URL, a scheme that the command line does not allow, or two different files.
    """
    given = parse_location(text)
    if isinstance(given, RemotePath):
        _require_allowed(given, json_location)
        return given
    if given.is_absolute():
        return given
    if isinstance(json_location, RemotePath):
        return given if os.path.exists(given) else RemotePath(json_location.scheme, _within(json_location, given))
    found = [path for path in _candidates(given, json_location) if os.path.exists(path)]
    for other in () if _is_own(json_location) else found[1:]:
        if not same_content(found[0], other):
            raise InputError(
                f"{text}: two different files, {os.path.abspath(found[0])} and {os.path.abspath(other)}. "
                "Remove one of them, or write an absolute path."
            )
    return found[0] if found else given


@contextlib.contextmanager
def own_folder(folder: Path) -> Iterator[None]:
    """Within a block, the JSON files of a folder are the run's own: their paths are first those of its own files.

    Other files of the same names, in the current folder, are then no contradiction.
    """
    before = os.environ.get(OWN_FOLDER)
    os.environ[OWN_FOLDER] = os.path.abspath(folder)
    try:
        yield
    finally:
        del os.environ[OWN_FOLDER]
        if before is not None:
            os.environ[OWN_FOLDER] = before


def _is_own(json_location: Path) -> bool:
    return os.environ.get(OWN_FOLDER) == os.path.abspath(json_location.parent)


def _require_allowed(given: RemotePath, json_location: Location) -> None:
    own = json_location.scheme if isinstance(json_location, RemotePath) else ""
    if given.scheme not in (*ARCHIVE_SCHEMES, own, *allowed_schemes()):
        raise InputError(
            f"{given}: an archive may contain file paths and http addresses, {given.scheme}:// must be allowed by the "
            f"command line. Add --allow-scheme {given.scheme} if you trust the archive."
        )


def only_in_current_folder(text: str, json_location: Location) -> bool:
    """Whether a path from a local JSON file exists only in the current folder, not relative to the JSON."""
    try:
        given = parse_location(text)
    except InputError:
        return False
    if isinstance(given, RemotePath) or isinstance(json_location, RemotePath) or given.is_absolute():
        return False
    *own, here = _candidates(given, json_location)
    return os.path.exists(here) and not any(os.path.exists(path) for path in own)


def _candidates(given: Path, json_location: Path) -> list[Path]:
    return [folder / given for folder in folders_of(json_location)]


def folders_of(json_location: Path) -> list[Path]:
    """The folders from which a local JSON file's relative paths may start; see :func:`resolve_from`."""
    folder = json_location.parent
    root = _published_root(Path(os.path.abspath(folder)))
    return [folder, *([] if root is None else [root]), Path()]


@functools.lru_cache(maxsize=16)  # each entry of an archive asks several times
def _published_root(folder: Path) -> Path | None:
    """The nearest folder above that has a README.md; None if it is the folder itself, or there is none."""
    root = next((parent for parent in (folder, *folder.parents) if (parent / "README.md").is_file()), None)
    return None if root == folder else root


def same_content(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, or to two with the same bytes."""
    try:
        return os.path.samefile(one, other) or (
            one.is_file() and other.is_file() and filecmp.cmp(one, other, shallow=False)
        )
    except OSError:
        return False


def _within(json_location: RemotePath, given: Path) -> PurePosixPath:
    """Resolve ``..``; the result may be outside the JSON's folder, but not outside its bucket or host."""
    place = PurePosixPath(posixpath.normpath(json_location.place.parent / given.as_posix()))
    if ".." in place.parts or place.parts[0] != json_location.place.parts[0]:
        raise InputError(
            f"{given}: leads out of {json_location.scheme}://{json_location.place.parts[0]}, expected a path "
            "within it or a full URL."
        )
    return place
