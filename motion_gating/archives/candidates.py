"""Groups of candidates: several videos of one text, from which the best is chosen.

Fields of an entry that is a candidate:

- ``group``: the same for all candidates of one text; a number or a text (7 and "7" are one group). Without it, an
  entry is not a candidate.
- ``seed``: the seed of the text-to-video model, a whole number.
- ``rank``: 1 for the best; null for a candidate that dropped out. Added by ``rank_candidates.py``, as are:
- ``chosen``: true for the winner of the group, false for every other candidate.
- ``rank_reasons``: sentences with the reasons for this rank.

``rank_candidates.py`` writes two archives. That of ``--output-json`` (``gated.json``) has one entry for each group. The
one next to it (``gated_candidates.json``, see :func:`candidates_path`) has all entries of the input with these fields;
the review page shows the groups from it. A candidate that is not chosen keeps its ``use_ref_motion``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from motion_gating.archives.archive import Entry, entry_id
from motion_gating.archives.entry_number import number_for
from motion_gating.archives.fields import (
    CHOSEN,
    GLOBAL_ID,
    GROUP,
    ID,
    JUDGED_CONTENT,
    MOTION_DURATION,
    MOTION_PATH,
    OTHER_PATH_FIELDS,
    PATH_FIELDS,
    RANK,
    RANK_REASONS,
    SEED,
    SOURCE_CAPTURE,
    SOURCE_VIDEO,
    USE_REF_MOTION,
    VIDEO_PATH,
)
from motion_rep.common.errors import UsageError
from motion_rep.files.locations import Location

T = TypeVar("T")
DEFAULT_SEED = 42
LARGEST_SEED = 2**31 - 1
MADE_OF = (SOURCE_VIDEO, SOURCE_CAPTURE, MOTION_PATH)  # files from which a candidate may be made
GIVEN = (*MADE_OF, VIDEO_PATH)


def candidates_path(archive: Location) -> Location:
    """The archive with all candidates, next to the archive with the chosen ones."""
    return archive.with_name(f"{archive.stem}_candidates{archive.suffix}")


def group_of(entry: Mapping[str, object]) -> str | None:
    """The group of an entry as text; None if it is not a candidate.

    Raises:
        UsageError: the group is neither a number nor a text.
    """
    value = entry.get(GROUP)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UsageError(
            f"entry {entry_id(dict(entry))!r} has the group {value!r}, expected a number or a text. Correct it."
        )
    return str(value)


def seed_of(entry: Mapping[str, object]) -> int | None:
    """The seed of an entry; None if it has none. A text of digits is accepted, because CSV files contain texts.

    Raises:
        UsageError: the seed is not a whole number from 0 to 2147483647.
    """
    value = entry.get(SEED)
    if value is None or value == "":
        return None
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 11 else value
    if type(number) is not int or not 0 <= number <= LARGEST_SEED:
        raise UsageError(
            f"entry {entry_id(dict(entry))!r} has the seed {value!r}, expected a whole number from 0 to {LARGEST_SEED}."
        )
    return number


def require_candidate(entry: Mapping[str, object]) -> None:
    """Check the group and the seed of an entry.

    Raises:
        UsageError: one is invalid.
    """
    group_of(entry)
    seed_of(entry)


def problem_of(entry: Mapping[str, object]) -> str | None:
    """Why an entry cannot be used: its group, its seed, or a field of a source file has another type; else None."""
    try:
        require_candidate(entry)
        for field in GIVEN:
            _paths(entry, field)
    except UsageError as error:
        return str(error)
    return None


def valid_group(entry: Mapping[str, object]) -> str | None:
    """The group of an entry; None also for an invalid one, which :func:`problem_of` describes."""
    return _unless_invalid(group_of, entry)


def valid_seed(entry: Mapping[str, object]) -> int | None:
    """The seed of an entry; None also for an invalid one, which :func:`problem_of` describes."""
    return _unless_invalid(seed_of, entry)


def _unless_invalid(read: Callable[[Mapping[str, object]], T], entry: Mapping[str, object]) -> T | None:
    try:
        return read(entry)
    except UsageError:
        return None


def with_candidates(entry: Entry, count: int, first_seed: int = DEFAULT_SEED) -> Iterator[Entry]:
    """The candidates of an entry: one for each file if a field lists several, else one for each of ``count`` seeds.

    Seeds start at the entry's own, else at ``first_seed``; ids are ``<id>_s<seed>``, or ``<id>_v<number>`` for files.
    An entry that already is a candidate, or already has a file, stays one entry.

    Raises:
        UsageError: the seed is invalid, or a list of files contains something else.
    """
    listed = next((field for field in MADE_OF if isinstance(entry.get(field), list)), None)
    if group_of(entry) is not None or (listed is None and any(entry.get(field) for field in GIVEN)):
        yield entry
    elif listed is not None:
        for number, path in enumerate(_paths(entry, listed), 1):
            yield _candidate(entry, f"v{number}", {listed: path})
    else:
        own = seed_of(entry)
        start = first_seed if own is None else own
        for seed in range(start, start + count):
            yield _candidate(entry, f"s{seed}", {SEED: seed}) if count > 1 else {**entry, SEED: seed}


def missing_candidates(candidates: Sequence[Entry], count: int) -> list[Entry]:
    """The additional candidates that a group from :func:`with_candidates` needs to have ``count`` seeds.

    Args:
        candidates: the current group.
    """
    seeds = {seed for one in candidates if (seed := seed_of(one)) is not None}
    if not seeds:
        return []
    dropped = (GLOBAL_ID, GROUP, RANK, CHOSEN, RANK_REASONS, USE_REF_MOTION, JUDGED_CONTENT, MOTION_DURATION)
    made = (*dropped, *PATH_FIELDS, *OTHER_PATH_FIELDS)
    first = {key: value for key, value in candidates[0].items() if key not in made}
    original = {**first, ID: candidates[0][GROUP], SEED: min(seeds)}
    return [one for one in with_candidates(original, count) if one[SEED] not in seeds] if count > 1 else []


class FreeSeeds:
    """Seeds for texts; no two videos of one text get the same seed.

    Args:
        given: text and seed of the entries that have one; None for others.
        first: the first seed to assign.
        count: number of seeds that are assigned together.
    """

    def __init__(self, given: Iterable[tuple[str, int | None]], first: int, count: int = 1) -> None:
        self._first, self._count = first, count
        self._taken: dict[str, set[int]] = {}
        self._next: dict[str, int] = {}
        for text, seed in given:
            self._taken.setdefault(text, set()).update(() if seed is None else (seed,))

    def of(self, text: str) -> int:
        """The first of ``count`` consecutive seeds that no other video of the text has."""
        seed, taken = self._next.get(text, self._first), self._taken.get(text, set())
        while not taken.isdisjoint(range(seed, seed + self._count)):
            seed += self._count
        self._next[text] = seed + self._count
        return seed


def distinct_seeds(entries: Sequence[tuple[str, int | None]], first_seed: int) -> list[int]:
    """A seed for each entry: its own, else the first one that no entry with the same text has.

    Args:
        entries: text and own seed.
    """
    free = FreeSeeds(entries, first_seed)
    return [free.of(text) if own is None else own for text, own in entries]


def _candidate(entry: Entry, suffix: str, values: dict[str, object]) -> Entry:
    """One candidate of an entry, with its own id and number."""
    original = entry_id(entry)
    identifier = f"{original}_{suffix}"
    return {**entry, ID: identifier, GLOBAL_ID: number_for(identifier), GROUP: original, **values}


def _paths(entry: Mapping[str, object], field: str) -> list[str]:
    """The paths in a field, which contains one path or a list; empty if it contains none."""
    value = entry.get(field)
    if value is None or value == "":
        return []
    paths = value if isinstance(value, list) else [value]
    if not paths or not all(isinstance(path, str) and path for path in paths):
        raise UsageError(f"entry {entry_id(dict(entry))!r} has {field} {value!r:.80}, expected paths. Correct it.")
    return list(paths)
