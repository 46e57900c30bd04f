"""Outputs never meet inputs: paths are declared as read or written, and compared before anything is written."""

from __future__ import annotations

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

from motion_rep.common.errors import UsageError, one_line

# What a command does with the file of a flag. Into a folder it writes files, which the command names itself.
READ, WRITTEN, FOLDER = "read", "written", "folder"
# Names of a folder that are tried to find out whether it takes Walk and walk for one name.
MOST_TRIED = 50

# A flag, or something that says as text whose path it is.
NamedPath = tuple[object, Any]


@dataclass(frozen=True)
class PathFlag:
    """The argparse type of a flag with a path.

    Attributes:
        role: READ, WRITTEN or FOLDER.
        parse: makes the value from the text.
        replaces: a flag whose file this one may name with the same words, because replacing it is documented.
    """

    role: str
    parse: Callable[[str], Any] = Path
    replaces: str = ""

    def __call__(self, text: str) -> Any:
        return self.parse(text)


read_path, written_path, folder_path = PathFlag(READ), PathFlag(WRITTEN), PathFlag(FOLDER)


@dataclass(frozen=True)
class GivenPath:
    """The value of a flag with a path."""

    flag: str
    kind: PathFlag
    path: Any


def require_apart(given: Iterable[GivenPath]) -> None:
    """Check the flags of a command against each other; see :func:`refuse_overwriting`."""
    given = list(given)
    known = {one.flag: one.path for one in given}
    outputs = [
        (one.flag, one.path)
        for one in given
        if one.kind.role == WRITTEN and not (one.kind.replaces and one.path == known.get(one.kind.replaces))
    ]
    refuse_overwriting(outputs, ((one.flag, one.path) for one in given if one.kind.role == READ))


def refuse_overwriting(outputs: Iterable[NamedPath], inputs: Iterable[NamedPath]) -> None:
    """Check that no output is an input, or another output, by any spelling, link or folding of names.

    Args:
        outputs: flag and path of each file that will be written; held in memory as one number each.
        inputs: flag and path of each file that is read. Not looked at where no output is there yet: a file that is
            there cannot be one that is not.
    Raises:
        UsageError: names both flags and the file. Or an output is a device, a pipe or a socket.
    """
    identities = _Identities()
    written: dict[int | str, object] = {}
    for name, path in outputs:
        identity = identities.of_output(name, path)
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
    """What is the same for every name of a file; None for a folder, and where nothing is there."""
    if not isinstance(path, str | os.PathLike):
        return str(path)  # behind a URL
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return None if stat.S_ISDIR(found.st_mode) else _number(found)


def _number(found: os.stat_result) -> int:
    return found.st_dev << 64 | found.st_ino


class _Identities:
    """What files are, those that are not there yet included: by the folder that will hold them."""

    def __init__(self) -> None:
        self._folders: dict[str, tuple[int, str, bool]] = {}
        self.some_are_there = False

    def of_output(self, name: object, path: Any) -> int | str | None:
        """What is the same for every name of a file; None for a folder.

        Raises:
            UsageError: a device, a pipe or a socket, which would be replaced by a file.
        """
        if not isinstance(path, str | os.PathLike):
            self.some_are_there = True  # perhaps: only its file system could tell
            return str(path)
        try:
            found = os.stat(path)
        except (OSError, ValueError):
            return self._future(os.fspath(path))
        self.some_are_there = True
        if stat.S_ISDIR(found.st_mode):
            return None
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"{name} {one_line(path)}: is no regular file, and would be replaced. Give another name.")
        return _number(found)

    def _future(self, path: str) -> int:
        try:
            # What a link leads to is written.
            path = os.path.realpath(path) if os.path.islink(path) else path
        except ValueError:
            return hash(path)
        folder, name = os.path.split(path)
        if folder not in self._folders:
            self._folders[folder] = _place(folder or ".")
        number, rest, folds = self._folders[folder]
        return hash((number, rest, _folded(name) if folds else name))


def _place(folder: str) -> tuple[int, str, bool]:
    """The next folder that is there, what lies between, and whether names are folded there."""
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
    """Whether a folder takes names for one that differ in capitals."""
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
