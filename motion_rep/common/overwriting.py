"""Prevent outputs from overwriting inputs: paths are declared as read or written, and compared before anything is
written.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import stat
import sys
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from motion_rep.common.allowed_schemes import LOCAL_SCHEMES, URL
from motion_rep.common.errors import InputError, UsageError, one_line

# Use of a flag's path. For a folder, the command chooses the names of the files in it.
READ, WRITTEN, FOLDER = "read", "written", "folder"
# Names tried to find out whether a folder ignores capitals.
MOST_TRIED = 50
A_FOLDER = "a folder"
OTHER_KINDS = ((stat.S_ISDIR, A_FOLDER), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))

# A flag (or an object whose text describes the path), and the path.
NamedPath = tuple[object, Any]


def local_path(text: str) -> Path:
    """argparse type: a path on this machine, also as ``file://``.

    Raises:
        ArgumentTypeError: another URL, which would become folders with odd names.
    """
    found = URL.fullmatch(text)
    if found is None:
        return Path(text)
    if found[1].lower() in LOCAL_SCHEMES:
        return Path(found[2])
    raise argparse.ArgumentTypeError(f"{one_line(text)}: is a URL, expected a path on this machine")


@dataclass(frozen=True)
class PathFlag:
    """The argparse type of a flag with a path.

    Attributes:
        role: READ, WRITTEN or FOLDER.
        parse: converts the text.
        replaces: a flag that may have the same path, because replacing its file is documented.
    """

    role: str
    parse: Callable[[str], Any] = local_path
    replaces: str = ""

    def __call__(self, text: str) -> Any:
        if not text.strip():
            raise argparse.ArgumentTypeError("the path is empty. Check the shell variable that should contain it")
        return self.parse(text)


read_path, written_path, folder_path = PathFlag(READ), PathFlag(WRITTEN), PathFlag(FOLDER)


@dataclass(frozen=True)
class GivenPath:
    """The value of a flag with a path."""

    flag: str
    kind: PathFlag
    path: Any


def require_apart(
    given: Iterable[GivenPath], written: Iterable[NamedPath] = (), read: Iterable[NamedPath] = ()
) -> None:
    """Check the flags of a command against each other; see :func:`refuse_overwriting`.

    Args:
        written, read: files that no flag names.
    Raises:
        UsageError: an output is an input, or a file would replace a device, a pipe or a socket.
    """
    given = list(given)
    for one in given:
        if one.kind.role == WRITTEN and _kind_at(one.path) not in (None, A_FOLDER):
            raise UsageError(
                f"{one.flag} {one_line(one.path)}: is not a regular file, and would be replaced. Give another name."
            )
    known = {one.flag: one.path for one in given}
    outputs = [
        (one.flag, one.path)
        for one in given
        if one.kind.role == WRITTEN and not (one.kind.replaces and one.path == known.get(one.kind.replaces))
    ]
    inputs = ((one.flag, one.path) for one in given if one.kind.role == READ)
    refuse_overwriting(itertools.chain(outputs, written), itertools.chain(inputs, read))


def require_file_places(*paths: Any) -> None:
    """Check before the work that each of these paths, of outputs of the whole run, has a file or nothing.

    Raises:
        UsageError: with the path and what is there.
    """
    for path in paths:
        try:
            require_replaceable(path)
        except InputError as error:
            raise UsageError(str(error)) from None


def require_replaceable(path: Any) -> None:
    """Check that writing to a path replaces only a file or nothing.

    Raises:
        InputError: a folder, a device, a pipe or a socket.
    """
    if (kind := _kind_at(path)) is not None:
        raise InputError(
            f"{one_line(path)}: is {kind}, expected a file. It was not changed: move it away, or write elsewhere."
        )


def _kind_at(path: Any) -> str | None:
    """See :func:`other_kind`; also None if it cannot be determined here."""
    try:
        return other_kind(os.stat(path))
    except (OSError, ValueError, TypeError):  # TypeError: a URL
        return None


def other_kind(found: os.stat_result) -> str | None:
    """The kind of a path that is not a regular file; None for a file."""
    if stat.S_ISREG(found.st_mode):
        return None
    return next((name for is_kind, name in OTHER_KINDS if is_kind(found.st_mode)), "a device")


def refuse_overwriting(outputs: Iterable[NamedPath], inputs: Iterable[NamedPath]) -> None:
    """Check that no output is an input, or another output, by any spelling, link or folding of names.

    Args:
        outputs: flag and path of each file that will be written; held in memory as one number each.
        inputs: flag and path of each file that is read; ignored if no output exists yet, because then none can be
            an input.
    Raises:
        UsageError: two paths are one file; the message contains both flags.
    """
    identities = _Identities()
    written: dict[int | str, object] = {}
    for name, path in outputs:
        identity = identities.of_output(path)
        if identity in written:
            raise _same(name, written[identity], path)
        if identity is not None:
            written[identity] = name
    for name, path in inputs if identities.some_are_there else ():
        identity = _existing(path)
        if identity in written:
            raise _same(written[identity], name, path)


def _same(output: object, other: object, path: Any) -> UsageError:
    both = f"{output} and {other} are" if str(other) != str(output) else f"{output}: two outputs are"
    return UsageError(f"{both} the same file, {one_line(path)}. Give {output} another name.")


def _existing(path: Any) -> int | str | None:
    """An identity of a file that is the same for all its names; None for a folder or a missing file."""
    if not isinstance(path, str | os.PathLike):
        return str(path)  # a URL
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return None if stat.S_ISDIR(found.st_mode) else _number(found)


def _number(found: os.stat_result) -> int:
    return found.st_dev << 64 | found.st_ino


class _Identities:
    """Identities of files; that of a missing file is its future folder and name."""

    def __init__(self) -> None:
        self._folders: dict[str, tuple[int, str, bool]] = {}
        self.some_are_there = False

    def of_output(self, path: Any) -> int | str | None:
        """An identity of an output that is equal for all its names; None for what no file may replace."""
        if not isinstance(path, str | os.PathLike):
            self.some_are_there = True  # possibly; its file system is not asked
            return str(path)
        try:
            found = os.stat(path)
        except (OSError, ValueError):
            return self._future(os.fspath(path))
        self.some_are_there = True
        return _number(found) if stat.S_ISREG(found.st_mode) else None

    def _future(self, path: str) -> int:
        try:
            # Writing goes to the target of a link.
            path = os.path.realpath(path) if os.path.islink(path) else path
        except ValueError:
            return hash(path)
        folder, name = os.path.split(path)
        if folder not in self._folders:
            self._folders[folder] = _place(folder or ".")
        number, rest, folds = self._folders[folder]
        return hash((number, rest, _folded(name) if folds else name))


def _place(folder: str) -> tuple[int, str, bool]:
    """The nearest existing folder, the missing parts below it, and whether it ignores capitals."""
    try:
        folder = os.path.realpath(folder)
    except (OSError, ValueError):
        return 0, folder, False
    missing: list[str] = []
    while True:
        try:
            number = _number(os.stat(folder))
        except (OSError, ValueError):
            if os.path.dirname(folder) == folder:
                return 0, os.path.join(folder, *missing), False
            folder, name = os.path.split(folder)
            missing.insert(0, name)
        else:
            folds, rest = _folds_names(folder), "/".join(missing)
            return number, _folded(rest) if folds else rest, folds


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _folds_names(folder: str) -> bool:
    """Whether a folder ignores capitals in names."""
    if sys.platform in ("darwin", "win32"):
        return True
    names = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        names = [entry.name for entry in itertools.islice(entries, MOST_TRIED)]
    parent, own = os.path.split(folder)
    with contextlib.suppress(OSError):
        if os.stat(parent).st_dev == os.stat(folder).st_dev:
            names.append(os.path.join(os.pardir, own))
    return any(_is_one(folder, name) for name in names if name.swapcase() != name)


def _is_one(folder: str, name: str) -> bool:
    try:
        one, other = (os.lstat(os.path.join(folder, text)) for text in (name, name.swapcase()))
    except OSError:
        return False
    return os.path.samestat(one, other)
