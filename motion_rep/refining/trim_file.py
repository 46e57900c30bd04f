"""Trim marks of many motions in one file, as exported by the review page."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath

from motion_rep.common.errors import InputError, UsageError, located
from motion_rep.common.rates import require_rate
from motion_rep.files.json_files import read_json
from motion_rep.files.locations import Location
from motion_rep.refining.settings import Trim

LONGEST_SECONDS = 1e6
KEYS = ("id", "motion", "seconds", "fps", "start_time")
EXPECTED = 'expected a list of {"id": ..., "motion": PATH, "seconds": [START, END], "fps": N, "start_time": S}'


@dataclass(frozen=True)
class TrimFile:
    """The trims of a file, each with the name of its motion: the parts of a path, without the extension."""

    path: Path
    trims: tuple[tuple[tuple[str, ...], Trim], ...]

    @functools.cached_property
    def _by_name(self) -> dict[str, list[tuple[tuple[str, ...], Trim]]]:
        found: dict[str, list[tuple[tuple[str, ...], Trim]]] = {}
        for named, trim in self.trims:
            found.setdefault(named[-1], []).append((named, trim))
        return found

    def of(self, motion: Location) -> Trim | None:
        """The trim of a motion: of those with its name, the one that matches most of its path.

        Raises:
            UsageError: two different ones match equally well.
        """
        parts = _parts(str(motion))
        common = [(_common(parts, named), trim) for named, trim in self._by_name.get(parts[-1], ())]
        most = max((count for count, _ in common), default=0)
        found = {trim for count, trim in common if count == most}
        if len(found) > 1:
            raise UsageError(f"{self.path}: has {len(found)} different trims for {motion}. Keep one of them.")
        return next(iter(found), None)

    def unused(self, motions: Iterable[Location]) -> list[str]:
        """The names in the file that match no motion."""
        return sorted(set(self._by_name) - {_parts(str(motion))[-1] for motion in motions})


def read_trim_file(path: Path) -> TrimFile:
    """Read trims: a JSON list of objects.

    ``seconds`` is required, and ``motion`` (a path; its name without the extension counts) or else ``id``; ``fps`` and
    ``start_time`` belong to the motion on which the seconds were marked.

    Raises:
        InputError: with the file, the found and the expected contents.
    """
    value = read_json(path)
    with located(path):
        if not isinstance(value, list) or not value:
            raise InputError(f"contains {'no trims' if value == [] else f'a {type(value).__name__}'}, {EXPECTED}.")
        return TrimFile(path, tuple(_read_item(item, f"item {number}") for number, item in enumerate(value, 1)))


def _read_item(item: object, place: str) -> tuple[tuple[str, ...], Trim]:
    if not isinstance(item, dict):
        raise InputError(f"{place} is {item!r:.60}, {EXPECTED}.")
    if unknown := [key for key in item if key not in KEYS]:
        raise InputError(f"{place} has the unknown key {unknown[0]!r:.60}, {EXPECTED}.")
    named = item.get("motion") if item.get("motion") is not None else item.get("id")
    if isinstance(named, bool) or not isinstance(named, str | int | float) or not _parts(str(named)):
        raise InputError(f"{place} has no motion or id, {EXPECTED}.")
    place = f"{place} ({named!r:.60})"
    seconds = item.get("seconds")
    if not isinstance(seconds, list) or len(seconds) != 2:
        raise InputError(f"{place}: seconds is {seconds!r:.60}, expected [START, END].")
    start, end = (_number(second, place, "seconds") for second in seconds)
    if not 0 <= start < end <= LONGEST_SECONDS:
        raise InputError(f"{place}: seconds is {seconds!r:.60}, expected 0 <= START < END.")
    fps, start_time = (None if item.get(key) is None else _number(item[key], place, key) for key in KEYS[3:])
    if fps is not None:
        require_rate(fps)
    if start_time is not None and not 0 <= start_time <= LONGEST_SECONDS:
        raise InputError(f"{place}: start_time is {start_time:g}, expected 0 to {LONGEST_SECONDS:g} seconds.")
    return _parts(str(named)), Trim(start, end, fps, start_time)


def _number(value: object, place: str, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{place}: {key} is {value!r:.60}, expected a number.")
    return float(value)


def _parts(path: str) -> tuple[str, ...]:
    """The parts of a path, the last one without the extension of a motion file."""
    parts = PurePath(path.replace("\\", "/")).parts
    return (*parts[:-1], parts[-1].removesuffix(".pt")) if parts else ()


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """The number of equal parts at the ends of two paths."""
    count = 0
    for first, second in zip(reversed(one), reversed(other), strict=False):
        if first != second:
            break
        count += 1
    return count
