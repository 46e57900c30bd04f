"""Quality reports of ViMoGen's own gate: ``{"source_meta", "records": [{"global_id", "motion_metrics", ...}]}``."""

from __future__ import annotations

from pathlib import Path

from motion_gating.archives.archive import is_lines
from motion_gating.archives.fields import GLOBAL_ID, ID, JITTER, USE_REF_MOTION, VLM_ANALYSIS, VLM_MATCHES
from motion_rep.files.json_files import read_json
from motion_rep.files.locations import Location
from motion_rep.files.remote_files import local_copy

RECORDS, METRICS, THEIR_JITTER = "records", "motion_metrics", "Jitter_Degree"


def upstream_records(report: Location) -> list[dict] | None:
    """The records of such a report with our keys added; None for other files.

    Raises:
        InputError: missing, or not JSON.
    """
    if is_lines(report):
        return None
    with local_copy(report) as path:
        if not path.is_file() or not _begins_with_object(path):
            return None
        value = read_json(path)
    records = value.get(RECORDS) if isinstance(value, dict) else None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        return None
    return [_as_ours(record) for record in records if GLOBAL_ID in record or ID in record]


def _begins_with_object(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def _as_ours(record: dict) -> dict:
    """One record. Verdicts are next to the metrics, or in a separate object."""
    metrics = record.get(METRICS)
    inner = {key: value for part in record.values() if isinstance(part, dict) for key, value in part.items()}
    named = {"matches": VLM_MATCHES, "analysis": VLM_ANALYSIS}
    known = {ours: inner.get(ours, inner.get(theirs)) for theirs, ours in named.items()}
    jitter = metrics.get(THEIR_JITTER) if isinstance(metrics, dict) else None
    identifier = record[GLOBAL_ID] if record.get(GLOBAL_ID) is not None else record.get(ID)
    return {**known, JITTER: jitter, USE_REF_MOTION: inner.get(USE_REF_MOTION), **record, ID: identifier}
