"""Compare the gate's report with people's labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from motion_gating.archives.archive import read_entries
from motion_gating.archives.content import content_from
from motion_gating.archives.fields import CONTENT, FAILED_CHECKS, FAST, JITTER, USE_REF_MOTION, VLM_MATCHES
from motion_gating.archives.upstream_report import upstream_records
from motion_gating.evaluation.agreement import measure_agreement
from motion_gating.evaluation.threshold_curve import CurvePoint, LabelledCase, best_point, threshold_curve
from motion_gating.verdicts.verdict_file import HumanVerdict, Verdicts
from motion_rep.common.errors import UsageError, counted
from motion_rep.common.messages import say_warning

FEW_LABELS = 20
# Larger numbers are not measurements, and do not fit on the axis of the curve.
LARGEST_JITTER = 1e9


def compare_with_labels(
    labels: Mapping[str, HumanVerdict], report: Path, used_threshold: float, seed: int
) -> tuple[dict, list[CurvePoint]]:
    """Agreement of the judge and of the whole gate with people, and of the gate at other thresholds.

    Args:
        labels: the verdict that counts on each entry.
    Raises:
        UsageError: an unusable report, or no label on one of its entries.
    """
    records = [(labels[str(record["id"])], record) for record in report_records(report) if str(record["id"]) in labels]
    matching = [(matches, record["vlm_matches"]) for label, record in records if (matches := label.matches) is not None]
    using = [(usable, record) for label, record in records if (usable := _should_use(label)) is not None]
    if not matching and not using:
        raise UsageError(f"--labels: no label (true or false) is on an entry of {report}. Label entries of the report.")
    vlm = measure_agreement([label for label, _ in matching], [decision for _, decision in matching], seed)
    gate = measure_agreement([label for label, _ in using], [record["use_ref_motion"] for _, record in using], seed)
    curve = threshold_curve([case for label, record in using if (case := _case(label, record)) is not None])
    best = best_point(curve, used_threshold)
    fast = [usable for usable, record in using if record.get(FAST) is True]
    figures = {
        "vlm": vlm.as_dict(),
        "gate": gate.as_dict(),
        FAST: {"labelled": len(fast), "usable": sum(fast)},
        "used_threshold": used_threshold,
        "best_threshold": best.threshold if best else None,
        "best_kappa": best.counts.kappa if best else None,
        "curve": [_curve_row(point) for point in curve],
        "warnings": list(_warnings(labels, records, [label for label, _ in matching])),
    }
    return figures, curve


def labels_about(verdicts: Verdicts, reports: Iterable[Path]) -> dict[str, tuple[HumanVerdict, ...]]:
    """The verdicts that were given on the motions and texts of reports.

    Clips are not compared: a model may have seen a smaller one than people.

    Raises:
        UsageError: an unusable report.
    """
    found = dict(verdicts)
    for report in reports:
        for record in report_records(report):
            content, name = content_from(record.get(CONTENT)), str(record["id"])
            if content is not None and name in found:
                judged = replace(content, clip=None if content.motion else content.clip)
                about = (one for one in found[name] if one.content is None or one.content.changed_in(judged) is None)
                found[name] = tuple(about)
    return {name: about for name, about in found.items() if about}


def report_records(report: Path) -> Iterator[dict]:
    """The records of a report; other items are omitted with a warning.

    Raises:
        UsageError: the report cannot be read, or has no other records.
    """
    theirs, usable, odd = upstream_records(report), 0, []
    for number, record in enumerate(read_entries(report) if theirs is None else theirs):
        decisions = (record.get(key, "absent") for key in (VLM_MATCHES, USE_REF_MOTION))
        if not (
            all(decision is None or isinstance(decision, bool) for decision in decisions)
            and _is_jitter(record.get(JITTER, "absent"))
            and _are_names(record.get(FAILED_CHECKS, []))
        ):
            odd.append(number)
            continue
        usable += 1
        yield record
    if not odd:
        return
    problem = f"record {odd[0]} is not a record of a quality report, expected the report of apply_quality_gate.py."
    if not usable:
        raise UsageError(f"{report}: {problem}")
    say_warning(f"{report}: {counted(len(odd), 'record was', 'records were')} omitted: {problem}")


def _is_jitter(value: object) -> bool:
    return value is None or (
        isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= LARGEST_JITTER
    )


def _are_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _should_use(label: HumanVerdict) -> bool | None:
    """The person's opinion on what the gate should do: ``usable`` if given, else ``matches``."""
    return label.matches if label.usable is None else label.usable


def _case(label: bool, record: dict) -> LabelledCase | None:
    """The entry for the curve; None if its figures or its verdict are missing."""
    if record["jitter_degree"] is None or record["vlm_matches"] is None:
        return None
    return LabelledCase(
        label,
        record["jitter_degree"],
        not set(record.get("failed_checks", ())) - {"jitter_degree"} and record["vlm_matches"],
    )


def _curve_row(point: CurvePoint) -> dict:
    return {
        "threshold": point.threshold,
        "precision": point.counts.precision,
        "recall": point.counts.recall,
        "kappa": point.counts.kappa,
    }


def _warnings(
    labels: Mapping[str, HumanVerdict], records: list[tuple[HumanVerdict, dict]], matching: list[bool]
) -> Iterator[str]:
    if len(records) < len(labels):
        yield f"{len(labels) - len(records)} of {len(labels)} labels are on entries that are not in the report"
    if any(record.get("judge") == "manual" for _, record in records):
        yield "some verdicts in the report come from people; agreement with them does not measure a model"
    if len(records) < FEW_LABELS:
        yield f"{counted(len(records), 'labelled entry is', 'labelled entries are')} few; note the wide interval"
    if len(set(matching)) == 1:
        yield f"all labels say {'match' if matching[0] else 'mismatch'}; kappa needs both kinds"
