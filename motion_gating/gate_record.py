"""One record of the quality report: the five documented keys first, then everything the decision rests on."""

from __future__ import annotations

from dataclasses import asdict

from motion_gating.decision import Decision
from motion_gating.joint_metrics import JointMetrics
from motion_gating.judges.interface import Verdict


def make_record(identifier: object, metrics: JointMetrics | None, metrics_error: str | None, verdict: Verdict | None, decision: Decision) -> dict:
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
    }


def _metric_keys(metrics: JointMetrics | None, error: str | None) -> dict:
    if metrics is None:
        return {"metrics_error": error}
    return {
        "metrics_error": None,
        "metrics_fps": metrics.fps,
        "jitter_degree_per_frame": metrics.jitter_degree_per_frame,
        "worst_half_second": asdict(metrics.worst_half_second),
        "ground_penetration": metrics.ground_penetration,
        "foot_sliding": metrics.foot_sliding,
        "foot_floating": metrics.foot_floating,
        "dynamic_degree": metrics.dynamic_degree,
    }
