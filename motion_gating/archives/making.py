"""Make archives from folders, CSV files and text files."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from motion_gating.archives.archive import InvalidEntry, entry_id, entry_writer, fields_of, read_entries
from motion_gating.archives.archive_lock import archive_lock
from motion_gating.archives.candidates import (
    DEFAULT_SEED,
    GIVEN,
    MADE_OF,
    FreeSeeds,
    missing_candidates,
    valid_group,
    valid_seed,
    with_candidates,
)
from motion_gating.archives.csv_rows import FILE, HAS_NUL, Row, csv_rows
from motion_gating.archives.entry_number import FIRST_MADE, entry_number
from motion_gating.archives.fields import (
    GLOBAL_ID,
    GROUP,
    ID,
    MOTION_DURATION,
    MOTION_PATH,
    NAME,
    PROMPT,
    SOURCE_CAPTURE,
    SOURCE_VIDEO,
    TEXT_KEYS,
)
from motion_gating.archives.paths import files_named, path_in_archive
from motion_gating.archives.texts import text_of
from motion_rep.common.errors import InputError, UsageError
from motion_rep.common.overwriting import refuse_overwriting
from motion_rep.common.rates import LOADER_FPS
from motion_rep.files.local_files import read_text, unchanged
from motion_rep.hmr_results.names import is_capture_folder
from motion_rep.motions.motion_file import MotionClip, motion_clip
from motion_rep.runs.attempt import Failed, attempt
from motion_rep.safe_loading.torch_files import read_torch

MOTION_KEY = "motion"  # the suffix of a motion file
VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi")
TORCH = (".pt", ".pth")
DATA = (*TORCH, ".pkl", ".npz", ".npy")


@dataclass(frozen=True)
class Made:
    """The number of entries of an archive, the number of new ones, sentences about odd inputs, and sentences about rows
    that give no entry.
    """

    total: int
    new: int
    warnings: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def make_archive(sources: Sequence[Path], output: Path, candidates: int = 1, seed: int | None = None) -> Made:
    """Write an archive with an entry for each file or prompt; existing entries keep their ids.

    Args:
        candidates: number of entries for each prompt without a file; see :mod:`motion_gating.archives.candidates`.
        seed: seed of the first candidate, or of every prompt without a file; None gives seeds only to candidates.
    Raises:
        UsageError: a source cannot be read or is empty, or an entry of the archive has no candidates.
    """
    unreadable: list[str] = []
    left_out: list[str] = []
    found, repeated = _gathered(sources, output, unreadable, left_out)
    if not found and left_out:
        raise UsageError(left_out[0])
    if not found:
        raise UsageError(
            f"{', '.join(map(str, sources))}: nothing to make entries from. Give motions, videos or prompts."
        )
    named = files_named(found.values(), output)
    refuse_overwriting([("--output-json", output)], named)
    with archive_lock(output), entry_writer(output) as write, unchanged(output):
        earlier = list(read_entries(output)) if output.is_file() else []
        added = _added(earlier, found, output, candidates, seed)
        for entry in (*(_updated(entry, found.get(_name_of(entry) or "", {})) for entry in earlier), *added):
            write(entry)
    invalid = [f"entry {one.identifier} {one.problem}" for one in earlier if isinstance(one, InvalidEntry)]
    warnings = (*invalid, *unreadable, *repeated_note(repeated))
    return Made(len(earlier) + len(added), len(added), warnings, tuple(left_out))


def _added(earlier: list[dict], found: dict[str, dict], output: Path, candidates: int, seed: int | None) -> list[dict]:
    """The new entries of an archive; see :func:`make_archive`."""
    names = {_name_of(entry) for entry in earlier}
    numbers = (number for entry in earlier for number in _own_numbers(fields_of(entry)) if number < FIRST_MADE)
    first = max(numbers, default=-1) + 1
    added = [] if candidates == 1 else _further_candidates(earlier, found, output, candidates)
    given = ((str(text_of(entry)), valid_seed(entry)) for entry in (*earlier, *added, *found.values()))
    free = FreeSeeds(given, DEFAULT_SEED if seed is None else seed, candidates)
    for number, name in enumerate((name for name in found if name not in names), first):
        entry = _with_texts({GLOBAL_ID: number, ID: number, NAME: name, **found[name]}, name)
        one = (candidates == 1 and seed is None) or any(entry.get(field) for field in GIVEN)
        added += [entry] if one else with_candidates(entry, candidates, free.of(entry[PROMPT]))
    return added


def _gathered(
    sources: Sequence[Path], output: Path, unreadable: list[str], left_out: list[str]
) -> tuple[dict[str, dict], list[str]]:
    """The fields of the entries by name, and the names that occur twice.

    A later source completes an entry or changes its text. Another file, or another text in the same source, makes
    another entry.
    """
    found: dict[str, dict] = {}
    repeated: list[str] = []
    for source in sources:
        seen: set[str] = set()
        for name, entry in entries_at(source, output, unreadable):
            if isinstance(entry, InvalidEntry):
                left_out.append(entry.problem)
                continue
            if adds_nothing(found.get(name), entry):
                repeated.append(name)
            name = free_name(found, name, entry, (*MADE_OF, PROMPT) if name in seen else MADE_OF)
            seen.add(name)
            found[name] = {**found.get(name, {}), **entry}
    return found, repeated


def adds_nothing(known: Mapping[str, object] | None, entry: Mapping[str, object]) -> bool:
    """Whether an entry of this name has all these fields already."""
    return known is not None and all(known.get(key) == value for key, value in entry.items())


def free_name(found: Mapping[str, Mapping], name: str, entry: Mapping, fields: Sequence[str]) -> str:
    """The name, if necessary with a number, whose entry has no other values in these fields."""
    names = itertools.chain([name], (f"{name}_{number}" for number in itertools.count(2)))
    return next(one for one in names if fits(found.get(one, {}), entry, fields))


def fits(one: Mapping, other: Mapping, fields: Sequence[str]) -> bool:
    """Whether two entries can be merged: their files and texts do not differ."""
    return all(one.get(field) in (None, other.get(field)) or other.get(field) is None for field in fields)


def repeated_note(names: Sequence[str]) -> list[str]:
    """A sentence about repeated inputs; empty if there are none."""
    if not names:
        return []
    return [
        f"{len(names)} inputs are there more than once, for example {names[0]!r:.80}; each makes one entry. "
        "--candidates makes several videos of one text"
    ]


def _name_of(entry: dict) -> str | None:
    return None if entry.get(NAME) is None else str(entry[NAME])


def _own_numbers(entry: dict) -> Iterator[int]:
    """The number of an entry, and the group, which may be the number of the entry of which it is a candidate."""
    yield entry_number(entry)
    if isinstance(group := entry.get(GROUP), int):
        yield group


def _further_candidates(earlier: Sequence[dict], found: dict[str, dict], output: Path, count: int) -> list[dict]:
    """The candidates that the groups of an archive lack.

    Raises:
        UsageError: an entry that is made from a prompt is not a candidate.
    """
    groups: dict[str, list[dict]] = {}
    for entry in earlier:
        name, group = _name_of(entry), valid_group(entry)
        if name is None or name not in found or (group is None and any(entry.get(field) for field in GIVEN)):
            continue
        if group is None:
            raise UsageError(
                f"{output}: entry {entry_id(entry)!r} is already there without candidates, and ids in an archive do "
                "not change. Give another --output-json."
            )
        groups.setdefault(group, []).append(_updated(entry, found[name]))
    return [one for candidates in groups.values() for one in missing_candidates(candidates, count)]


def seconds_of(clip: MotionClip) -> float:
    """The length of a motion; if its rate is unknown, at the rate at which TM2M plays it."""
    return len(clip) / (clip.fps or LOADER_FPS)


def _with_texts(entry: dict, name: str) -> dict:
    prompt = entry.get(PROMPT) or name.replace("_", " ")
    return {**entry, **{key: entry.get(key) or prompt for key in (PROMPT, *TEXT_KEYS)}}


def _updated(entry: dict, found: dict) -> dict:
    """An earlier entry with its new fields; detailed texts that were copies of the prompt change with it."""
    if not found:
        return entry
    following = [key for key in TEXT_KEYS if entry.get(key) == entry.get(PROMPT)]
    texts = dict.fromkeys(following, found[PROMPT]) if PROMPT in found else {}
    return {**entry, **texts, **found}


def _file_entry(path: Path, output: Path, unreadable: list[str]) -> dict | None:
    """The fields of a video, a capture, or a motion with its length; None for a renderer's eval file."""
    named = path_in_archive(path, output)
    if path.suffix.lower() in VIDEOS:
        return {SOURCE_VIDEO: named}
    if path.name.endswith("_eval.pt"):
        return None
    if os.path.isdir(path) or path.suffix.lower() not in TORCH:
        return {SOURCE_CAPTURE: named}
    found = attempt(_torch_entry, (path, named))
    if isinstance(found, Failed):
        unreadable.append(found.message if str(path) in found.message else f"{path}: {found.message}")
        return {MOTION_PATH: named}
    return found


def _torch_entry(file: tuple[Path, str]) -> dict:
    """The fields of a capture, or of a motion with its length.

    Raises:
        InputError: the file can be read as neither.
    """
    path, named = file
    value = read_torch(path)
    if isinstance(value, dict) and MOTION_KEY not in value:
        return {SOURCE_CAPTURE: named}
    return {MOTION_PATH: named, MOTION_DURATION: seconds_of(motion_clip(value))}


def entries_at(source: Path, archive: Path, unreadable: list[str]) -> Iterator[tuple[str, dict]]:
    """Name and fields of each entry from a source: a folder, a file of one entry, or a CSV or text file of prompts.

    A row or line that gives no entry is an :class:`InvalidEntry`.

    Args:
        archive: the archive to which the paths are relative.
        unreadable: receives a sentence for each file without a readable motion.
    Raises:
        UsageError: the source cannot be read.
    """
    if is_capture_folder(source) or source.suffix.lower() in (*VIDEOS, *DATA):
        entry = _file_entry(source, archive, unreadable)
        yield from [] if entry is None else [(source.name if source.is_dir() else source.stem, entry)]
    elif source.is_dir():
        for path in sorted(source.iterdir()):
            if not path.name.startswith(".") and (path.is_file() or is_capture_folder(path)):
                yield from entries_at(path, archive, unreadable) if _is_entry_file(path) else ()
    else:
        yield from _prompt_entries(source, archive, unreadable)


def _is_entry_file(path: Path) -> bool:
    return os.path.isdir(path) or path.suffix.lower() in (*VIDEOS, *DATA)


def _prompt_entries(source: Path, archive: Path, unreadable: list[str]) -> Iterator[tuple[str, dict]]:
    try:
        text = read_text(source)
    except InputError as error:
        raise UsageError(f"{error} Entries are made from a folder, a CSV or a text file.") from None
    if source.suffix.lower() == ".csv":
        yield from _csv_entries(source, text, archive, unreadable)
        return
    for number, line in enumerate(text.splitlines(), 1):
        if "\0" in line:
            yield f"line {number}", InvalidEntry(f"line {number}", f"{source}: line {number} {HAS_NUL}", line)
        elif prompt := line.strip():
            yield prompt, {PROMPT: prompt}


def _row_problem(row: Row, prompt: str) -> str | None:
    """Why a row of a CSV gives no entry."""
    if None in row:
        return "has more columns than the header. Put texts with commas in quotes."
    if not prompt:
        return "has no prompt, expected the columns name and prompt."
    return HAS_NUL if any("\0" in (value or "") for value in row.values()) else None


def _csv_entries(source: Path, text: str, output: Path, unreadable: list[str]) -> Iterator[tuple[str, dict]]:
    for number, row in csv_rows(source, text):
        file, prompt = row.get(FILE), (row.get(PROMPT) or "").strip()
        named = row.get(NAME) or file or prompt
        if (problem := _row_problem(row, prompt)) is not None:
            name = named or f"row {number}"
            yield name, InvalidEntry(name, f"{source}: row {number} {problem}", {str(key): row[key] for key in row})
            continue
        skipped = (None, NAME, FILE, ID, GLOBAL_ID)
        others = {str(key): value for key, value in row.items() if key not in skipped and value}
        path = source.parent / file if file else None
        entry = _file_entry(path, output, unreadable) if path is not None and _is_entry_file(path) else None
        yield Path(named).stem if file else named, {**(entry or {}), **others}
