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
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from motion_gating.archives.archive import read_items
from motion_gating.archives.content import Content, content_from
from motion_gating.archives.json_stream import Unreadable
from motion_gating.verdicts.label_studio import is_task, verdicts_in
from motion_gating.verdicts.reviewer_names import ReviewerNames
from motion_rep.common.errors import InputError, UsageError, counted
from motion_rep.common.messages import say_error, say_first, say_warning

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


class ReadVerdicts(dict[str, tuple[HumanVerdict, ...]]):
    """The verdicts of files. ``left_out``: the number of items that cannot be used."""

    left_out = 0


def left_out(verdicts: Verdicts) -> int:
    """The number of items of verdict files that cannot be used; each was reported."""
    return verdicts.left_out if isinstance(verdicts, ReadVerdicts) else 0


def read_verdicts(*paths: str | os.PathLike[str]) -> ReadVerdicts:
    """The verdicts of several files: one per reviewer, entry and content.

    Of two verdicts by one reviewer, the later one counts. If they differ and have no times, both are kept, which makes
    the entry a conflict. An item that is no verdict is left out with an error line. So are two verdicts of one reviewer
    on one content in one file, because it is unknown which counts.

    Raises:
        UsageError: not a list, or no item is a verdict.
    """
    faults: list[str] = []
    found: dict[str, list[HumanVerdict]] = {}
    names, latest = ReviewerNames(), datetime.datetime.now(datetime.UTC) + CLOCK_TOLERANCE
    files = Counter(os.path.basename(path) for path in {os.path.realpath(path) for path in paths})
    for path in paths:
        ahead: list[HumanVerdict] = []
        name = os.path.basename(path)
        nameless = name if files[name] < 2 else os.fspath(path)
        for identifier, verdict in _read_file(path, nameless, faults):
            if verdict.reviewer != nameless:
                verdict = replace(verdict, reviewer=names.of(verdict.reviewer))
            if verdict.time is not None and verdict.time > latest:
                ahead.append(verdict)
                verdict = replace(verdict, time=None)
            found[identifier] = _with(found.get(identifier, []), verdict)
        if ahead:
            say_warning(
                f"{path}: {counted(len(ahead), 'verdict has', 'verdicts have')} a time in the future, for "
                f"example {ahead[0].time:%Y-%m-%dT%H:%MZ} "
                f"of {ahead[0].reviewer}; they count as verdicts without a time. Correct the clock or the file"
            )
    for sentence in names.several_spellings():
        say_warning(sentence)
    say_first(say_error, faults, lambda more: f"{counted(more, 'more verdict')} cannot be used")
    result = ReadVerdicts({identifier: tuple(verdicts) for identifier, verdicts in found.items()})
    result.left_out = len(faults)
    return result


def reviewers_of(verdicts: Verdicts) -> list[str]:
    """All reviewers, by name."""
    return sorted({verdict.reviewer for found in verdicts.values() for verdict in found})


def last_of_each(verdicts: Iterable[HumanVerdict]) -> tuple[HumanVerdict, ...]:
    """The verdict of each reviewer that counts, of those on an entry's current content."""
    found: list[HumanVerdict] = []
    for verdict in verdicts:
        found = _with(found, verdict, any_content=True)
    return tuple(found)


def _with(others: list[HumanVerdict], verdict: HumanVerdict, any_content: bool = False) -> list[HumanVerdict]:
    """Add a verdict to those on an entry; an existing one of the same reviewer is merged with it, or the later one
    stays.

    Args:
        any_content: whether a later verdict also replaces one on other content; that one may be the current content.
    """
    for place, other in enumerate(others):
        if other.reviewer != verdict.reviewer:
            continue
        times = {other.time, verdict.time}
        one_is_later = len(times) == 2 and None not in times
        if one_is_later and (any_content or other.content == verdict.content):
            return [*others[:place], max(other, verdict, key=_time_of), *others[place + 1 :]]
        if not one_is_later and _same(other, verdict):
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


def _read_file(path: str | os.PathLike[str], nameless: str, faults: list[str]) -> Iterator[tuple[str, HumanVerdict]]:
    """Ids and verdicts of a file.

    Args:
        nameless: the reviewer of the verdicts without one.
        faults: receives a sentence for each item that cannot be used.
    Raises:
        UsageError: see :func:`read_verdicts`.
    """
    expected = 'a list like [{"id": 0, "matches": true, "analysis": "..."}]'
    annotations: list[tuple[str, HumanVerdict]] = []
    given: list[tuple[str, HumanVerdict]] = []
    wrong: list[str] = []
    odd_annotations: list[str] = []
    try:
        for number, item in enumerate(read_items(Path(path), expected)):
            task = is_task(item)
            for one in verdicts_in(item) if is_task(item) else (item,):
                try:
                    (annotations if task else given).append(_read_item(path, number, one, nameless))
                except UsageError as error:
                    (odd_annotations if task else wrong).append(str(error))
    except InputError as error:
        raise UsageError(str(error)) from None
    if odd_annotations:
        say_warning(
            f"{counted(len(odd_annotations), 'annotation is', 'annotations are')} left out, for "
            f"example: {odd_annotations[0]}"
        )
    counts = Counter((identifier, verdict.reviewer, verdict.content) for identifier, verdict in given)
    wrong += (
        f"{path}: two verdicts of one reviewer on the id {identifier!r}. Keep one."
        for (identifier, _, _), count in counts.items()
        if count > 1
    )
    single = [(name, one) for name, one in given if counts[name, one.reviewer, one.content] == 1]
    if wrong and not (single or annotations):
        raise UsageError(wrong[0])
    faults += wrong
    yield from (*annotations, *single)


def _read_item(path: str | os.PathLike[str], number: int, item: object, nameless: str) -> tuple[str, HumanVerdict]:
    if isinstance(item, Unreadable):
        raise UsageError(f"{path}: item {number} {item.why}")
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
