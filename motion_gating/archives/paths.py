"""Paths in an archive: relative to its folder for files below it, so that the folder can be moved."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from motion_gating.archives.archive import InvalidEntry, fields_of, read_entries
from motion_gating.archives.fields import OTHER_PATH_FIELDS, PATH_FIELDS, PATH_SUFFIX
from motion_rep.common.errors import InputError, counted
from motion_rep.common.messages import say_warning
from motion_rep.common.overwriting import NamedPath
from motion_rep.files.locations import (
    Location,
    RemotePath,
    folders_of,
    only_in_current_folder,
    parse_location,
    place_of,
    resolve_from,
)


def path_in_archive(path: Location, archive: Location) -> str:
    """A file's path in an archive: relative to the archive's folder for a file below it, else absolute or a URL."""
    if isinstance(path, RemotePath) or isinstance(archive, RemotePath):
        same = isinstance(path, RemotePath) and isinstance(archive, RemotePath) and path.scheme == archive.scheme
        if same and path.place.is_relative_to(archive.parent.place):  # type: ignore[union-attr]
            return path.place.relative_to(archive.parent.place).as_posix()  # type: ignore[union-attr]
        return str(path) if isinstance(path, RemotePath) else os.path.abspath(path)
    absolute, folder = Path(os.path.abspath(path)), Path(os.path.abspath(archive.parent))
    return absolute.relative_to(folder).as_posix() if absolute.is_relative_to(folder) else str(absolute)


def rebased(entry: dict, source: Location, target: Location) -> dict:
    """An entry of one archive with its paths rewritten for another archive.

    A path to a missing file is resolved from the source archive's folder.
    """
    if place_of(source.parent) == place_of(target.parent):
        return entry
    if isinstance(entry, InvalidEntry):
        item = rebased(entry.fields, source, target) if entry.fields else entry.item
        return InvalidEntry(entry.identifier, entry.problem, item)
    paths = {key: entry.get(key) for key in (*PATH_FIELDS, *OTHER_PATH_FIELDS)}
    named = {key: value for key, value in paths.items() if isinstance(value, str) and value}
    return {**entry, **{key: _rebased_path(value, source, target) for key, value in named.items()}}


def warn_of_stray_paths(archive: Location) -> None:
    """Warn if paths of entries exist only relative to the current folder, not to the archive's."""
    paths = ([entry.get(field) for field in PATH_FIELDS] for entry in read_entries(archive))
    count = sum(
        any(isinstance(path, str) and path and only_in_current_folder(path, archive) for path in some) for some in paths
    )
    if count:
        which = counted(count, "entry has", "entries have")
        say_warning(f"{archive}: {which} paths that exist only relative to the current folder, not the archive's")


def files_in(archive: Location, *fields: str) -> Iterator[NamedPath]:
    """Every file that the entries of an archive may name; see :func:`files_named`."""
    return files_named(read_entries(archive), archive, fields)


def files_named(entries: Iterable[dict], archive: Location, fields: Iterable[str] = ()) -> Iterator[NamedPath]:
    """Every file that entries may name, for :func:`motion_rep.common.overwriting.refuse_overwriting`.

    A relative path is resolved from each folder from which it may start.

    Args:
        fields: fields with paths, in addition to those whose names end in _path.
    """
    folders = [] if isinstance(archive, RemotePath) else [os.fspath(folder) for folder in folders_of(archive)]
    others = frozenset(fields)
    for entry in entries:
        for field, value in fields_of(entry).items():
            if isinstance(value, str) and value and (field in others or field.endswith(PATH_SUFFIX)):
                for path in _readings(value, archive, folders):
                    yield f"{field} in --meta-json", path


def _readings(text: str, archive: Location, folders: list[str]) -> list[Location | str]:
    if "://" in text or not folders:
        with contextlib.suppress(InputError):
            return [resolve_from(text, archive)]
        return []
    return [os.path.join(folder, text) for folder in folders]


def _rebased_path(text: str, source: Location, target: Location) -> str:
    try:
        given, found = parse_location(text), resolve_from(text, source)
    except InputError:
        return text
    if isinstance(given, RemotePath):
        return text
    missing = not isinstance(found, RemotePath) and not os.path.exists(found)
    if missing and not isinstance(source, RemotePath):
        found = source.parent / given
    return path_in_archive(found, target)
