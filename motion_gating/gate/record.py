"""One record of the quality report: first the five documented keys, then everything behind the decision."""

from __future__ import annotations

from dataclasses import asdict

from motion_gating.archives.fields import IMAGE_FIT, JITTER_RAW, REFINED
from motion_gating.gate.decision import Decision
from motion_gating.judges.interface import Verdict
from motion_gating.metrics.joint_metrics import JointMetrics
from motion_rep.runs.report import ItemFailure

# These are not failures, although the entry stays undecided: people who are unsure, disagree or give no verdict, and
# split evidence.
NO_FAILURES = ("unsure", "no_verdict", "other_content", "conflict", "split")


def make_record(
    identifier: object,
    metrics: JointMetrics | None,
    metrics_error: str | None,
    verdict: Verdict | None,
    decision: Decision,
) -> dict:
    """The record of one entry; see README.md for each key."""
    documented = {
        "id": identifier,
        "jitter_degree": None if metrics is None else metrics.jitter_degree,
        "vlm_analysis": None if verdict is None else verdict.analysis,
        "vlm_matches": None if verdict is None else verdict.matches,
        "use_ref_motion": decision.use_ref_motion,
    }
    reasons = {"reasons": [check.reason for check in decision.checks], "failed_checks": list(decision.failed)}
    return {**documented, **reasons, **_verdict_keys(verdict), **_metric_keys(metrics, metrics_error)}


def failure_of(record: dict, traceback: str = "") -> ItemFailure | None:
    """The missing figures or verdict of an entry, with the reason; None if nothing is missing."""
    figures, verdict = (
        record["metrics_error"],
        record["vlm_error"] if record["vlm_error_kind"] not in NO_FAILURES else None,
    )
    words = [
        f"no figures: {figures}" if figures else None,
        f"no verdict ({record['vlm_error_kind']}): {verdict}" if verdict and verdict != figures else None,
    ]
    said = "; ".join(filter(None, words))
    return ItemFailure(record["id"], said, traceback) if said else None


def _verdict_keys(verdict: Verdict | None) -> dict:
    if verdict is None:
        return {"judge": None, "vlm_error": None, "vlm_error_kind": None}
    return {
        "judge": verdict.judge,
        "vlm_error": verdict.error,
        "vlm_error_kind": verdict.error_kind,
        "vlm_votes": {"match": verdict.votes_for, "mismatch": verdict.votes_against},
        "vlm_model_version": ", ".join(verdict.model_versions) or None,
        "vlm_cached_answers": verdict.cached,
        "vlm_prompt_tokens": verdict.prompt_tokens,
        "vlm_output_tokens": verdict.output_tokens,
        **({"vlm_evidence": list(verdict.evidence)} if verdict.evidence else {}),
        **({"remarks": list(verdict.remarks)} if verdict.remarks else {}),
    }


def _metric_keys(metrics: JointMetrics | None, error: str | None) -> dict:
    if metrics is None:
        return {"metrics_error": error}
    return {
        "metrics_error": None,
        "metrics_fps": metrics.fps,
        "jitter_degree_per_frame": metrics.jitter_degree_per_frame,
        "worst_half_second": asdict(metrics.worst_half_second),
        "motion_fps": metrics.clip_fps,
        **metrics.figures,
        IMAGE_FIT: metrics.image_fit,
        **({} if metrics.capture_fit is None else {"capture_fit": metrics.capture_fit}),
        **({} if metrics.refined is None else {JITTER_RAW: metrics.raw_jitter, REFINED: metrics.refined}),
    }
