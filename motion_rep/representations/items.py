"""Convert one file, which is replaced, or the files of a folder, where finished ones are kept.

A record next to each file of a folder run (``NAME.npy.json``) stores its source.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from motion_rep.common.errors import InputError
from motion_rep.common.outcomes import CONVERTED, KEPT, MADE_AGAIN, UNCHANGED, Outcome
from motion_rep.files.atomic_writing import write_bytes
from motion_rep.files.json_files import read_json, write_json
from motion_rep.files.local_files import file_sha256, unchanged
from motion_rep.files.remote_files import local_copy, local_output
from motion_rep.motions.stamp import content_digest
from motion_rep.representations.conversion import Settings, converted
from motion_rep.runs.pairing import Pairing

# Increase it whenever the numbers change, so that older files are regenerated.
VERSION = 1


def convert_pair(settings: Settings, overwrite: bool, pair: Pairing) -> Outcome:
    """Convert one file.

    Raises:
        InputError: the message names the file.
    """
    if pair.named:
        with local_copy(pair.source) as source, local_output(pair.target, fetch=False) as target:
            with unchanged(source):
                data, notes = converted(source, settings)
            write_bytes(target, data)
            return Outcome(CONVERTED, notes)
    return _convert_into_folder(settings, overwrite, pair)


def _convert_into_folder(settings: Settings, overwrite: bool, pair: Pairing) -> Outcome:
    """Convert unless that is done; files that another program wrote or changed are kept."""
    record_file = pair.target.with_name(pair.target.name + ".json")
    with (
        local_copy(pair.source) as source,
        local_output(pair.target, fetch=not overwrite) as target,
        local_output(record_file, fetch=not overwrite) as record,
    ):
        with content_digest(source, _settings_text(settings)) as made_from:
            found = None if overwrite else _kept(target, record, made_from)
            if found in (UNCHANGED, KEPT):
                return Outcome(found)
            data, notes = converted(source, settings)
        # The record comes first: a file without one counts as the user's own.
        write_json(
            record,
            {
                "representation": settings.target,
                "made_from": made_from,
                "sha256": hashlib.sha256(data).hexdigest(),
                "replaces": file_sha256(target) if found == MADE_AGAIN else None,
                "notes": list(notes),
            },
        )
        write_bytes(target, data, durable=False)
        return Outcome(found or CONVERTED, notes)


@functools.cache
def _settings_text(settings: Settings) -> str:
    skeleton = None if settings.skeleton is None else file_sha256(settings.skeleton)
    return json.dumps({"version": VERSION, **asdict(settings), "skeleton": skeleton}, sort_keys=True)


def _kept(target: Path, record: Path, made_from: str) -> str | None:
    """The outcome for an existing file; None if there is none. A killed run may have left only the record."""
    if not target.exists():
        return None
    try:
        value = read_json(record)
    except InputError:
        return KEPT
    digest = file_sha256(target)
    if not isinstance(value, dict) or digest not in (value.get("sha256"), value.get("replaces")):
        return KEPT
    finished = digest == value.get("sha256") and value.get("made_from") == made_from
    return UNCHANGED if finished else MADE_AGAIN
