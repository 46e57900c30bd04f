"""Write decisions into the archive: a ``true`` is valid only for the judged content."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from motion_gating.archives.archive import (
    InvalidEntry,
    claims_use,
    entry_id,
    entry_writer,
    read_entries,
    without_decision,
    without_true,
)
from motion_gating.archives.content import Content, is_stale, why_not_judged
from motion_gating.archives.fields import (
    CONTENT,
    DROPPED,
    JUDGED_CONTENT,
    KEPT,
    METRICS_ERROR,
    MOTION_PATH,
    REASONS,
    USE_REF_MOTION,
    VLM_ERROR_KIND,
    Fields,
)
from motion_gating.archives.paths import rebased
from motion_gating.archives.texts import text_of
from motion_gating.judges.interface import RUN_ENDED
from motion_rep.files.local_files import Changed, unchanged
from motion_rep.files.locations import Location

# How often the archive may change while it is written.
MOST_TRIES = 5
# The record and the signature of an entry; None if it was not examined.
Find = Callable[[dict], tuple[dict, str] | None]


def settled(record: dict, entry: dict, content: Content) -> dict:
    """A record with the digests of its content; it states whether an undecided entry keeps a ``true`` of the
    archive.
    """
    record = {**record, CONTENT: content.as_dict()}
    undecided = record[USE_REF_MOTION] is None and record[VLM_ERROR_KIND] != RUN_ENDED
    if not undecided or not claims_use(entry):
        return record
    why = record[METRICS_ERROR] or why_not_judged(entry, content.motion)
    said = f"the archive's true was dropped: {why}" if why else "kept from the archive: use_ref_motion true"
    return {**record, REASONS: [*record[REASONS], said], DROPPED if why else KEPT: True}


def signature(entry: dict, fields: Fields) -> str:
    """A digest of the archive's fields that a decision rests on."""
    named = [entry.get(name) for name in (MOTION_PATH, fields.video, fields.judged_video(entry), fields.evaluation)]
    return hashlib.sha256(json.dumps([named, text_of(entry, fields.prompt)]).encode()).hexdigest()


@dataclass(frozen=True)
class Written:
    """The number of examined entries that were edited during the run, and the number of others that lost a stale
    ``true``.
    """

    edited: int = 0
    stale: int = 0


def write_decisions(meta_json: Location, target: Location, kept: IO[bytes], fields: Fields) -> Written:
    """Write the archive with the decisions; an undecided entry keeps an earlier decision about the same content.

    The archive is read again: entries that were added, removed or edited during the run are preserved, and an edited
    one gets no decision. An entry that was not examined loses a ``true`` if its motion or text was replaced.

    Args:
        kept: a line for each examined entry, its record and its signature; see :func:`signature`.
    Raises:
        InputError: the archive cannot be read or written, or other programs keep changing it.
    """
    find = _index(kept)
    for _ in range(MOST_TRIES - 1):
        with contextlib.suppress(Changed):
            return _write_once(meta_json, target, find, fields)
    return _write_once(meta_json, target, find, fields)


def _write_once(meta_json: Location, target: Location, find: Find, fields: Fields) -> Written:
    edited = stale = 0
    with entry_writer(target) as write, unchanged(meta_json):
        for entry in read_entries(meta_json):
            found = None if isinstance(entry, InvalidEntry) else find(entry)
            if found is not None and found[1] != signature(entry, fields):
                edited += 1
                entry = without_true(entry)
            elif found is not None:
                entry = decided(entry, found[0])
            elif is_stale(entry, meta_json):
                stale += 1
                entry = without_decision(entry)
            write(rebased(entry, meta_json, target))
    return Written(edited, stale)


def decided(entry: dict, record: dict) -> dict:
    """An entry with the decision of its record."""
    if record[USE_REF_MOTION] is not None:
        return {**entry, USE_REF_MOTION: record[USE_REF_MOTION], JUDGED_CONTENT: record[CONTENT]}
    if record.get(DROPPED):
        return without_decision(entry)
    return {**entry, JUDGED_CONTENT: record[CONTENT]} if record.get(KEPT) and JUDGED_CONTENT not in entry else entry


def _index(kept: IO[bytes]) -> Find:
    places, place = {}, 0
    kept.seek(0)
    for line in kept:
        places[str(json.loads(line)[0]["id"])] = place
        place += len(line)

    def find(entry: dict) -> tuple[dict, str] | None:
        if str(entry_id(entry)) not in places:
            return None
        kept.seek(places[str(entry_id(entry))])
        record, signed = json.loads(kept.readline())
        return record, signed

    return find
