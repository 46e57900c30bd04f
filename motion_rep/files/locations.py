"""Where a file is: a local path, or an fsspec URL (``s3://``, ``gs://``, ``sftp://``) that can be taken apart like one."""

from __future__ import annotations

import argparse
import os
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from motion_rep.common.errors import InputError

URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.*)", re.DOTALL)
LOCAL_SCHEMES = ("file", "local")


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
        raise InputError(
            f"{text}: chains several file systems, expected one. Unpack the archive first, and give the address of the files."
        )
    if "@" in place.partition("/")[0]:
        user = place.partition("@")[2]
        raise InputError(
            f"{scheme}://...@{user}: holds a user or password, which would end up in files and messages. Put them where fsspec's configuration has them."
        )
    if not place.strip("/"):
        raise InputError(f"{text}: names no bucket or host.")
    if "//" in place or {"..", "."} & set(place.split("/")):
        raise InputError(f"{text}: has an empty, '.' or '..' part, expected a plain path.")
    return RemotePath(scheme, PurePosixPath(place), folder=place.endswith("/"))


def is_remote(path: object) -> bool:
    """Whether a location is behind a URL."""
    return isinstance(path, RemotePath)


def place_of(path: Location) -> str:
    """The same text for two names of one place."""
    return str(path) if is_remote(path) else str(path.resolve())


def resolve_from(text: str, json_location: Location) -> Location:
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
        raise InputError(
            f"{given}: leads out of {json_location.scheme}://{json_location.place.parts[0]}, expected a path in there or an address of its own."
        )
    return place
