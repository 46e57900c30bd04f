"""Archives from what lies in folders, CSV files and text files."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from motion_gating.archives.archive import entry_id, entry_writer, read_entries
from motion_gating.archives.fields import GLOBAL_ID, ID, MOTION_DETAILED, MOTION_PATH, PROMPT, VIDEO_DETAILED
from motion_gating.archives.paths import path_in_archive
from motion_rep.common.errors import UsageError

VIDEOS = (".mp4", ".mov", ".mkv", ".webm", ".avi")
DATA = (".pt", ".pth", ".pkl", ".npz", ".npy")
NAME = "name"  # the field that an entry is known by when entries are added


def make_archive(sources: Sequence[Path], output: Path) -> tuple[int, int]:
    """Write an archive with an entry for each file or prompt; entries that are in it already keep their ids.

    Returns:
        How many entries it has, and how many of them are new.
    Raises:
        UsageError: a source that cannot be read, or nothing in it.
    """
    earlier = list(read_entries(output)) if output.is_file() else []
    found: dict[str, dict] = {}
    for source in sources:
        for name, entry in _entries(source, output):
            found[name] = {**found.get(name, {}), **entry}
    if not found:
        raise UsageError(
            f"{', '.join(map(str, sources))}: nothing to make entries from. Give motions, videos or prompts."
        )
    names = {str(entry.get(NAME)) for entry in earlier}
    numbers = [number for entry in earlier if isinstance(number := entry_id(entry), int)]
    first = max(numbers, default=-1) + 1
    new = [name for name in found if name not in names]
    with entry_writer(output) as write:
        for entry in earlier:
            write({**entry, **found.get(str(entry.get(NAME)), {})})
        for number, name in enumerate(new, first):
            write(_with_texts({GLOBAL_ID: number, ID: number, NAME: name, **found[name]}, name))
    return len(earlier) + len(new), len(new)


def _with_texts(entry: dict, name: str) -> dict:
    prompt = entry.get(PROMPT) or name.replace("_", " ")
    return {**entry, **{key: entry.get(key) or prompt for key in (PROMPT, MOTION_DETAILED, VIDEO_DETAILED)}}


def _entries(source: Path, output: Path) -> Iterator[tuple[str, dict]]:
    if source.is_dir():
        for path in sorted(source.iterdir()):
            if path.suffix.lower() in DATA and not path.name.endswith("_eval.pt"):
                yield path.stem, {MOTION_PATH: path_in_archive(path, output)}
            elif path.suffix.lower() in VIDEOS:
                yield path.stem, {"source_video": path_in_archive(path, output)}
        return
    try:
        text = source.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{source}: cannot be read as text: {error}. Give a folder, a CSV or a text file.") from None
    if source.suffix.lower() == ".csv":
        yield from _csv_entries(source, text)
        return
    for line in filter(None, map(str.strip, text.splitlines())):
        yield line, {PROMPT: line}


def _csv_entries(source: Path, text: str) -> Iterator[tuple[str, dict]]:
    for number, row in enumerate(csv.DictReader(text.splitlines()), 2):
        named = row.get(NAME) or row.get("file") or row.get(PROMPT)
        if not named or not row.get(PROMPT):
            raise UsageError(f"{source}: line {number} has no prompt, expected the columns name and prompt.")
        others = {key: value for key, value in row.items() if key not in (NAME, "file", ID, GLOBAL_ID) and value}
        yield Path(named).stem if row.get("file") else named, others
