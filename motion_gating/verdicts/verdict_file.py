"""Read files with verdicts of reviewers, written by hand or exported by the review page.

A JSON list of ``{"id", "matches"}`` and, if known, ``analysis``, ``usable``, ``content``, ``reviewer``, ``time``,
``overruled``, and ``chosen`` for candidates of one group. A candidate that was not chosen is ``{"id", "chosen":
false}`` without ``matches``: this is no verdict on its description. The JSON export of Label Studio is accepted, too.
"""

from __future__ import annotations

import datetime
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from motion_gating.archives.content import Content, content_from
from motion_gating.verdicts.label_studio import is_task, verdicts_in
from motion_gating.verdicts.reviewer_names import ReviewerNames
from motion_rep.common.command_line import say_warning
from motion_rep.common.errors import InputError, UsageError
from motion_rep.files.json_files import read_json

# A time may be ahead of this clock by so much; a later one is an error of another clock, and is not used.
CLOCK_TOLERANCE = datetime.timedelta(minutes=10)
# Seconds since 1970, from 2001 to 2286; a thousand times as many are milliseconds.
EPOCH_SECONDS = range(10**9, 10**10)


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
    names, latest = ReviewerNames(), datetime.datetime.now(datetime.UTC) + CLOCK_TOLERANCE
    files = Counter(os.path.basename(path) for path in {os.path.realpath(path) for path in paths})
    for path in paths:
        ahead: list[HumanVerdict] = []
        name = os.path.basename(path)
        nameless = name if files[name] < 2 else os.fspath(path)
        for identifier, verdict in _read_file(path, nameless):
            if verdict.reviewer != nameless:
                verdict = replace(verdict, reviewer=names.of(verdict.reviewer))
            if verdict.time is not None and verdict.time > latest:
                ahead.append(verdict)
                verdict = replace(verdict, time=None)
            found[identifier] = _with(found.get(identifier, []), verdict)
        if ahead:
            say_warning(
                f"{path}: {len(ahead)} verdicts have a time in the future, for example {ahead[0].time:%Y-%m-%dT%H:%MZ} "
                f"of {ahead[0].reviewer}; they count as verdicts without a time. Correct the clock or the file"
            )
    for sentence in names.several_spellings():
        say_warning(sentence)
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


def _read_file(path: str | os.PathLike[str], nameless: str) -> Iterator[tuple[str, HumanVerdict]]:
    """Ids and verdicts of a file.

    Args:
        nameless: the reviewer of the verdicts without one.
    Raises:
        UsageError: see :func:`read_verdicts`.
    """
    try:
        items = read_json(path)
    except InputError as error:
        raise UsageError(str(error)) from None
    if not isinstance(items, list):
        raise UsageError(
            f'{path}: contains no list, expected [{{"id": 0, "matches": true, "analysis": "..."}}]. Correct the file.'
        )
    seen, left_out = set(), []
    for number, item in enumerate(items):
        if is_task(item):
            for found in verdicts_in(item):
                try:
                    yield _read_item(path, number, found, nameless)
                except UsageError as error:
                    left_out.append(str(error))
            continue
        identifier, verdict = _read_item(path, number, item, nameless)
        if (identifier, verdict.reviewer) in seen:
            raise UsageError(f"{path}: two verdicts of one reviewer on the id {identifier!r}. Keep one.")
        seen.add((identifier, verdict.reviewer))
        yield identifier, verdict
    if left_out:
        say_warning(f"{len(left_out)} annotations are left out, for example: {left_out[0]}")


def _read_item(path: str | os.PathLike[str], number: int, item: object, nameless: str) -> tuple[str, HumanVerdict]:
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
        reviewer=(item.get("reviewer") or "").strip() or nameless,
        time=_time(place, item.get("time")),
        chosen=item.get("chosen"),
        overruled=bool(item.get("overruled")),
    )


def _time(place: str, value: object) -> datetime.datetime | None:
    """The time in UTC; one without a zone is UTC. Seconds or milliseconds since 1970 are understood."""
    if value is None:
        return None
    try:
        seconds = _epoch_seconds(value)
        if seconds is not None:
            return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
        time = datetime.datetime.fromisoformat(str(value))
        return time.replace(tzinfo=time.tzinfo or datetime.UTC).astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{place} has the time {value!r}, expected ISO 8601 (2026-01-31T12:00:00Z).") from None


def _epoch_seconds(value: object) -> float | None:
    """A number, also as text, that can be a time since 1970; None for others."""
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"\d{10}(\d{3})?(\.\d{1,9})?", text):
        return None
    number = float(text)
    return next((number / unit for unit in (1, 1000) if int(number / unit) in EPOCH_SECONDS), None)


def _content(place: str, value: object) -> Content | None:
    """The digests of the content that the person saw."""
    content = content_from(value)
    if value is not None and content is None:
        raise UsageError(f"{place} has a content field without the digests motion, clip and text. Remove it.")
    return content
