"""Entries with their quality records, and the groups and reasons that the page shows."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from motion_gating.archives.archive import entry_id, read_entries, read_items
from motion_gating.archives.fields import FAST, GLOBAL_ID, JUDGE_VIDEO_PATH
from motion_gating.archives.upstream_report import upstream_records
from motion_gating.gate.record import NO_FAILURES
from motion_gating.metrics.table import DEFAULT_JITTER
from motion_rep.captures.image_fit import stored_image_fit
from motion_rep.common.errors import InputError, UsageError
from motion_rep.common.messages import say_warning
from motion_rep.files.json_files import read_json
from motion_rep.files.locations import Location
from motion_rep.files.remote_files import local_copy


@dataclass(frozen=True)
class ReviewEntry:
    """One entry of the archive with its record; None if the report has none."""

    entry: dict
    record: dict | None

    @property
    def identifier(self) -> object:
        return entry_id(self.entry)

    @property
    def decision(self) -> bool | None:
        """use_ref_motion; None without a decision."""
        value = (self.record if self.record is not None else self.entry).get("use_ref_motion")
        return value if isinstance(value, bool) else None

    def text(self, key: str) -> str | None:
        """A string of the record; None if it is missing or empty."""
        value = (self.record or {}).get(key)
        return value if isinstance(value, str) and value else None

    def number(self, key: str) -> float | None:
        """A finite number of the record."""
        value = (self.record or {}).get(key)
        return (
            float(value)
            if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
            else None
        )

    def path(self, field: str) -> str | None:
        """A path of the entry."""
        value = self.entry.get(field)
        return value if isinstance(value, str) and value else None

    def lit_field(self, field: str) -> str:
        """The field of the lit video: the given one, or that of the judge's clip if only this clip exists."""
        return JUDGE_VIDEO_PATH if not self.path(field) and self.path(JUDGE_VIDEO_PATH) else field


@dataclass(frozen=True)
class KeptRecords:
    """The records of a report in a file, one per line, with the offset of each id's record."""

    file: IO[bytes]
    places: dict[str, int]

    def of(self, entry: dict) -> dict | None:
        """The record of an entry; reports of ViMoGen's own gate identify entries only by ``global_id``."""
        found = self.get(entry_id(entry))
        return self.get(entry[GLOBAL_ID]) if found is None and GLOBAL_ID in entry else found

    def has(self, identifier: object) -> bool:
        """Whether there is a record; ids 7 and "7" are the same."""
        return str(identifier) in self.places

    def get(self, identifier: object) -> dict | None:
        """The record of an id; None if there is none."""
        place = self.places.get(str(identifier))
        if place is None:
            return None
        self.file.seek(place)
        return json.loads(self.file.readline())


def keep_records(quality_report: Location | None, file: IO[bytes]) -> KeptRecords:
    """Copy a report's records into a file with an index by id; of several records with one id, the last one counts.

    Args:
        quality_report: a JSON list, or JSON lines; None gives no records.
        file: an empty file; see :func:`motion_gating.archives.scratch_file.scratch_file`.
    Raises:
        UsageError: not a report, or no item of it is a record; other items are omitted with a warning.
    """
    places, place = {}, 0
    for record in () if quality_report is None else _read_report(quality_report):
        places[str(record["id"])] = place
        place += file.write(json.dumps(record).encode() + b"\n")
    return KeptRecords(file, places)


def _read_report(path: Location) -> Iterator[dict]:
    try:
        theirs = upstream_records(path)
        expected, odd, usable = "a list of records from apply_quality_gate.py", 0, False
        for item in read_items(path, expected) if theirs is None else theirs:
            if not isinstance(item, dict) or "id" not in item:
                odd += 1
                continue
            usable = True
            yield item
    except InputError as error:
        raise UsageError(str(error)) from None
    if odd and not usable:
        raise UsageError(f"{path}: is not a list of records with an id, expected the report of apply_quality_gate.py.")
    if odd:
        say_warning(f"{path}: {odd} items are no records with an id; they were omitted")


def read_reviewed(meta_json: Location, records: KeptRecords) -> Iterator[ReviewEntry]:
    """The archive's entries, in order, with their records.

    Raises:
        UsageError: the archive cannot be used.
    """
    for entry in read_entries(meta_json):
        yield ReviewEntry(entry, records.of(entry))


def run_block(quality_report: Location) -> Location:
    """The gate's file about the run that made a report."""
    return quality_report.with_name(quality_report.stem + ".run.json")


def run_facts(quality_report: Location | None) -> dict:
    """The run block of a report; empty if missing."""
    if quality_report is None:
        return {}
    try:
        with local_copy(run_block(quality_report)) as path:
            facts = read_json(path)
    except InputError:
        return {}
    return facts if isinstance(facts, dict) else {}


def jitter_threshold(facts: dict, default: float = DEFAULT_JITTER) -> float:
    """The threshold of the run."""
    limits = facts.get("limits")
    value = limits.get("jitter_degree") if isinstance(limits, dict) else None
    return (
        float(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value > 0
        else default
    )


def groups_of(item: ReviewEntry, threshold: float) -> list[str]:
    """The groups of an entry, one or more of pass, mismatch, jitter, fast, other, undecided and failed."""
    record = item.record or {}
    jitter = item.number("jitter_degree")
    checks = record.get("failed_checks")
    failed_checks = [check for check in checks if isinstance(check, str)] if isinstance(checks, list) else None
    membership = {
        "pass": item.decision is True,
        "mismatch": record.get("vlm_matches") is False,
        "jitter": jitter is not None and jitter >= threshold
        if failed_checks is None
        else "jitter_degree" in failed_checks,
        "fast": record.get(FAST) is True,
        "other": bool(set(failed_checks or ()) - {"jitter_degree", "vlm"}),
        "undecided": item.decision is None and not problems_of(item),
        "failed": bool(problems_of(item)),
    }
    return [name for name, member in membership.items() if member]


def problems_of(item: ReviewEntry) -> list[str]:
    """The failures of an entry, in words."""
    problems = []
    if item.text("metrics_error"):
        problems.append(f"no figures: {item.text('metrics_error')}")
    if item.text("vlm_error") and item.text("vlm_error_kind") not in NO_FAILURES:
        problems.append(f"no verdict: {item.text('vlm_error')}")
    return problems


def reasons_of(item: ReviewEntry, threshold: float) -> list[str]:
    """The reasons of a decision, in words; from the documented keys if the record lists none."""
    record = item.record
    if record is None:
        return ["the quality report has no record of this entry"]
    given = record.get("reasons")
    if isinstance(given, list) and given:
        causes = [cause for key in ("metrics_error", "vlm_error") if (cause := item.text(key)) and problems_of(item)]
        reasons = [str(reason) for reason in given if not any(cause in str(reason) for cause in causes)]
        return sorted(reasons, key=lambda reason: not _rejects(reason, record.get("failed_checks")))
    jitter, matches = item.number("jitter_degree"), record.get("vlm_matches")
    does = {True: "matches", False: "does not match"}.get(matches) if isinstance(matches, bool) else None
    about_jitter = (
        "no jitter figure"
        if jitter is None
        else f"jitter {jitter:.4g} is {'below' if jitter < threshold else 'not below'} {threshold:g}"
    )
    return [about_jitter, f"the judge says that the clip {does} the description" if does else "no verdict"]


def capture_words(item: ReviewEntry) -> list[str]:
    """How well the captured body fits the video, in words; empty if the capture stores nothing readable."""
    try:
        fit = stored_image_fit((item.record or {}).get("capture_fit"))
    except InputError:
        return []
    return [] if fit is None else [f"capture: {fit}"]


def _rejects(reason: str, failed_checks: object) -> bool:
    """Whether a reason belongs to a failed check: it begins with the check's name, or is the judge's."""
    failed = [name for name in failed_checks if isinstance(name, str)] if isinstance(failed_checks, list) else []
    return any(reason.startswith(f"{name} ") for name in failed) or ("vlm" in failed and "does not match" in reason)


def worst_half_second(item: ReviewEntry, fps: float) -> list[float] | None:
    """Start and end in seconds of the span with the highest jitter."""
    span = (item.record or {}).get("worst_half_second")
    if not isinstance(span, dict):
        return None
    for first, last, rate in (("start_seconds", "end_seconds", 1.0), ("first_frame", "last_frame", fps)):
        ends = [float(end) / rate for end in (span.get(first), span.get(last)) if isinstance(end, int | float)]
        if len(ends) == 2 and all(map(math.isfinite, ends)):
            return ends
    return None


def what_is_judged(prompt: str, motion: str) -> str:
    """A short digest of the reviewed content, which prevents using a verdict for another clip with the same id."""
    return hashlib.sha256(json.dumps([prompt, motion]).encode()).hexdigest()[:16]
