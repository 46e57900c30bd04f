"""Read files with verdicts of reviewers, written by hand or exported by the review page.

A JSON list of ``{"id", "matches"}`` and, if known, ``analysis``, ``usable``, ``content``, ``reviewer``, ``time``,
``overruled``, and ``chosen`` for candidates of one group. A candidate that was not chosen is ``{"id", "chosen":
false}`` without ``matches``: this is no verdict on its description. The JSON export of Label Studio is accepted, too.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from motion_gating.archives.content import Content, content_from
from motion_gating.verdicts.label_studio import is_task, verdicts_in
from motion_rep.common.errors import InputError, UsageError
from motion_rep.files.json_files import read_json


@dataclass(frozen=True)
class HumanVerdict:
    """A person's decision on one entry.

    Attributes:
        matches: None if the person was unsure, or only chose another candidate.
        usable: the person's opinion whether the motion may condition a model; only for evaluating the gate.
        content: digests of the motion, clip and text that the person saw.
        reviewer: the person's name; the file's name if the verdict has none.
        time: UTC; None if the verdict has none.
        chosen: whether this is the best of its group of candidates; None if the person did not choose.
        overruled: a person settled a conflict against this verdict; it counts only for agreement.
    """

    matches: bool | None
    analysis: str | None
    usable: bool | None = None
    content: Content | None = None
    reviewer: str = ""
    time: datetime.datetime | None = None
    chosen: bool | None = None
    overruled: bool = False

    @property
    def says_nothing(self) -> bool:
        """Whether the person only chose another candidate."""
        return self.matches is None and self.usable is None and self.chosen is False


# All verdicts on an entry, keyed by the text of its id: 7 and "7" are the same.
Verdicts = Mapping[str, tuple[HumanVerdict, ...]]


def read_verdicts(*paths: str | os.PathLike[str]) -> dict[str, tuple[HumanVerdict, ...]]:
    """The verdicts of several files: one per reviewer and entry.

    Of two verdicts by one reviewer, the later one counts. If they differ and have no times, both are kept, which makes
    the entry a conflict.

    Raises:
        UsageError: not a list of verdicts, or two on one id by one reviewer in one file.
    """
    found: dict[str, list[HumanVerdict]] = {}
    for path in paths:
        seen = set()
        for identifier, verdict in _read_file(path):
            if (identifier, verdict.reviewer) in seen:
                raise UsageError(f"{path}: two verdicts of one reviewer on the id {identifier!r}. Keep one.")
            seen.add((identifier, verdict.reviewer))
            others = found.setdefault(identifier, [])
            found[identifier] = _with(others, verdict)
    return {identifier: tuple(verdicts) for identifier, verdicts in found.items()}


def reviewers_of(verdicts: Verdicts) -> list[str]:
    """All reviewers, by name."""
    return sorted({verdict.reviewer for found in verdicts.values() for verdict in found})


def _with(others: list[HumanVerdict], verdict: HumanVerdict) -> list[HumanVerdict]:
    """Add a verdict to those on an entry; an existing one of the same reviewer is merged with it, or the later one
    stays.
    """
    for place, other in enumerate(others):
        if other.reviewer != verdict.reviewer:
            continue
        known = other.time is not None and verdict.time is not None
        if known and other.time != verdict.time:
            return [*others[:place], max(other, verdict, key=_time_of), *others[place + 1 :]]
        if _same(other, verdict):
            return [*others[:place], _joined(other, verdict), *others[place + 1 :]]
    return [*others, verdict]


def _same(first: HumanVerdict, second: HumanVerdict) -> bool:
    contents = {first.content, second.content} - {None}
    return len(contents) < 2 and all(
        getattr(first, key) == getattr(second, key) for key in ("matches", "usable", "chosen")
    )


def _joined(first: HumanVerdict, second: HumanVerdict) -> HumanVerdict:
    """Merge two copies of one verdict, with all that either knows."""
    return replace(
        first,
        analysis=first.analysis or second.analysis,
        content=first.content or second.content,
        time=first.time or second.time,
        overruled=first.overruled or second.overruled,
    )


def _time_of(verdict: HumanVerdict) -> datetime.datetime:
    return verdict.time or datetime.datetime.min.replace(tzinfo=datetime.UTC)


def _read_file(path: str | os.PathLike[str]) -> Iterator[tuple[str, HumanVerdict]]:
    try:
        items = read_json(path)
    except InputError as error:
        raise UsageError(str(error)) from None
    if not isinstance(items, list):
        raise UsageError(
            f'{path}: contains no list, expected [{{"id": 0, "matches": true, "analysis": "..."}}]. Correct the file.'
        )
    for number, item in enumerate(items):
        for found in verdicts_in(item) if is_task(item) else (item,):
            yield _read_item(path, number, found)


def _read_item(path: str | os.PathLike[str], number: int, item: object) -> tuple[str, HumanVerdict]:
    if not isinstance(item, dict) or "id" not in item or not ("matches" in item or item.get("chosen") is False):
        raise UsageError(f"{path}: item {number} is not an object with id and matches. Correct it.")
    identifier = item["id"]
    if isinstance(identifier, bool) or not isinstance(identifier, (int, float, str)):
        raise UsageError(f"{path}: item {number} has the id {identifier!r}, expected a number or a string.")
    place = f"{path}: item {number} (id {identifier!r})"
    for key in ("matches", "usable", "chosen", "overruled"):
        if not isinstance(item.get(key), bool | None):
            raise UsageError(f"{place} has {key} {item[key]!r}, expected true, false or null. Correct it.")
    for key, what in (("analysis", "an analysis"), ("reviewer", "a reviewer")):
        if not isinstance(item.get(key), str | None):
            raise UsageError(f"{place} has {what} that is not text. Correct it.")
    return str(identifier), HumanVerdict(
        matches=item.get("matches"),
        analysis=item.get("analysis"),
        usable=item.get("usable"),
        content=_content(place, item.get("content")),
        reviewer=item.get("reviewer") or Path(path).name,
        time=_time(place, item.get("time")),
        chosen=item.get("chosen"),
        overruled=bool(item.get("overruled")),
    )


def _time(place: str, value: object) -> datetime.datetime | None:
    """The time in UTC; one without a zone is UTC."""
    if value is None:
        return None
    try:
        time = datetime.datetime.fromisoformat(str(value))
        return time.replace(tzinfo=time.tzinfo or datetime.UTC).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{place} has the time {value!r}, expected ISO 8601 (2026-01-31T12:00:00Z).") from None


def _content(place: str, value: object) -> Content | None:
    """The digests of the content that the person saw."""
    content = content_from(value)
    if value is not None and content is None:
        raise UsageError(f"{place} has a content field without the digests motion, clip and text. Remove it.")
    return content
