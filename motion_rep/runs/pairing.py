"""Pair inputs with output files before anything is written."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from motion_rep.common.errors import UsageError
from motion_rep.common.overwriting import NamedPath, refuse_overwriting
from motion_rep.files.locations import Location, RemotePath

# Extensions of other file types: no folder is created under such a name.
OTHER_FILES = (
    ".npz",
    ".npy",
    ".pkl",
    ".pth",
    ".bvh",
    ".glb",
    ".fbx",
    ".csv",
    ".json",
    ".jsonl",
    ".txt",
    ".png",
    ".mp4",
    ".mov",
)


@dataclass(frozen=True)
class Pairing:
    """One input and the file to make from it.

    Attributes:
        named: the user named this file; it is replaced, and written without the record that a folder run adds.
    """

    source: Location
    target: Location
    named: bool = False

    def __str__(self) -> str:
        return f"--output for {self.source}"


def pair_outputs(
    inputs: Sequence[Location],
    output: Location,
    suffix: str,
    is_one: Callable[[Location], bool],
    find: Callable[[Location], Sequence[Location]],
) -> list[Pairing]:
    """Pair inputs with outputs: one input into a file, or several inputs and folders into a folder.

    Args:
        output: a file if it ends in ``suffix`` and there is one input; else a folder, which mirrors the subfolders.
        is_one: whether a path is one input (a file, or a folder that is a single capture).
        find: the inputs within a folder.
    Raises:
        UsageError: no input, two inputs for one output, an output that is an input, or several inputs for one file.
    """
    into_file = len(inputs) == 1 and is_one(inputs[0]) and output.suffix == suffix and not output.is_dir()
    pairs = (
        [Pairing(inputs[0], output, named=True)]
        if into_file
        else [pair for path in inputs for pair in _pairs_in_folder(path, output, suffix, is_one, find)]
    )
    if not into_file and (output.suffix == suffix or _is_local_file(output)):
        if len(pairs) == 1 and is_one(inputs[0]):
            found = "is a folder with the name of a file" if output.is_dir() else "is another kind of file"
            raise UsageError(f"{output}: {found}, expected a {suffix} file or a folder. Give another name.")
        raise UsageError(
            f"{output}: is the name of one file, but there are several inputs or a folder of them. Give a folder as "
            "the output."
        )
    if not into_file and output.suffix.lower() in OTHER_FILES and not output.is_dir():
        raise UsageError(
            f"{output}: ends in {output.suffix}, expected a {suffix} file or a folder. "
            f"Convert to {output.with_name(output.stem + suffix).name} first; export_motion.py "
            f"writes other kinds of files."
        )
    _require_one_source(pairs)
    if not pairs:
        raise UsageError(f"{', '.join(map(str, inputs))}: contains no input files. Check the path.")
    return pairs


def _require_one_source(pairs: Sequence[Pairing]) -> None:
    """Raise a UsageError if two inputs, of the same name, would become one file."""
    sources: dict[str, Location] = {}
    for pair in pairs:
        other = sources.setdefault(str(pair.target), pair.source)
        if other is not pair.source:
            raise UsageError(
                f"the outputs of {other} and {pair.source} are the same file, {pair.target}. Rename an input, or run "
                "the command once for each of their folders."
            )


def _pairs_in_folder(
    path: Location,
    output: Location,
    suffix: str,
    is_one: Callable[[Location], bool],
    find: Callable[[Location], Sequence[Location]],
) -> list[Pairing]:
    if is_one(path):
        return [Pairing(path, output / _target_name(path, suffix))]
    return [
        Pairing(found, output / PurePath(str(found)).relative_to(str(path)).parent / _target_name(found, suffix))
        for found in find(path)
    ]


def _is_local_file(path: Location) -> bool:
    return isinstance(path, Path) and path.is_file()


def _target_name(path: Location, suffix: str) -> str:
    """A folder keeps its whole name, even with a dot."""
    return f"{path.name if path.is_dir() else path.stem}{suffix}"


def require_apart(pairs: Sequence[Pairing], others: Iterable[NamedPath] = ()) -> None:
    """Check that no output is another output, an input, or a file of an input that is a folder.

    Args:
        others: flag and path of other written files.
    Raises:
        UsageError: one is; the message contains both flags and the file.
    """
    inputs = (("--input", path) for pair in pairs for path in _files_of(pair.source))
    refuse_overwriting([*others, *((pair, pair.target) for pair in pairs)], inputs)


def _files_of(source: Location) -> Iterator[Location]:
    if isinstance(source, RemotePath) or not source.is_dir():
        yield source
        return
    for parent, _, names in os.walk(source):
        yield from (Path(parent) / name for name in names)
