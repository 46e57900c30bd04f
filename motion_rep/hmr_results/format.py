"""The record ``Format`` of an adapter, and predicates on a file's contents for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice

from motion_rep.hmr_results.documents import Document
from motion_rep.hmr_results.tracks import Track
from motion_rep.safe_loading.numpy_file import NpzArrays


@dataclass(frozen=True)
class Lookalike:
    """A file of a system that is not a capture: how to recognise it, and advice."""

    matches: Callable[[Document], bool]
    advice: str


@dataclass(frozen=True)
class Format:
    """How the files of one system are recognised and read.

    matches: whether a document is of this system.
    tracks: the people in it; raises InputError without the file's name.
    lookalikes: files of the system that are not captures.
    needs: advice for a file without people.
    written_by_any_script: other people's scripts write this layout too, so axes and units may be wrong.
    """

    matches: Callable[[Document], bool]
    tracks: Callable[[Document], tuple[Track, ...]]
    lookalikes: tuple[Lookalike, ...] = ()
    needs: str = "Check that a person is visible in the video."
    written_by_any_script: bool = False


def has(value: object, *keys: object) -> bool:
    """Whether a value is a dict with all these keys."""
    return isinstance(value, Mapping) and all(key in value for key in keys)


def has_any(value: object, keys: tuple[str, ...]) -> bool:
    """Whether a value is a dict with one of these keys."""
    return any(has(value, key) for key in keys)


def every_entry_has(value: object, *keys: str) -> bool:
    """Whether the first entries of a dict are dicts with these keys (later ones are checked when they are read)."""
    return (
        isinstance(value, Mapping)
        and len(value) > 0
        and not isinstance(value, NpzArrays)
        and all(has(entry, *keys) for entry in islice(value.values(), 3))
    )


def folder_holds(document: Document, *patterns: str) -> bool:
    """Whether a document is a folder with a file of one of these patterns."""
    return document.path.is_dir() and any(next(document.path.glob(pattern), None) is not None for pattern in patterns)
