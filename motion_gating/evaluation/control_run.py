"""Ask a judge about controls."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from motion_gating.evaluation.controls import OTHER_DESCRIPTION, Control, false_accepts, write_blank_clip
from motion_gating.gate.gate import verdict_on
from motion_gating.judges.interface import Judge, Question, Verdict
from motion_rep.runs.ordered_threads import in_order


def blank_clip(folder: Path) -> Path:
    """The path of the blank clip."""
    return folder / "blank.mp4"


def ask_blank(judge: Judge, question: Question, folder: Path) -> Verdict:
    """The verdict on a blank clip with the question's description, and without its motion."""
    shown = replace(question, identifier="blank", video=write_blank_clip(blank_clip(folder)), motion=None)
    return verdict_on(shown, judge)[0]


def ask_controls(judge: Judge, controls: Sequence[Control], threads: int) -> Iterator[tuple[Control, Verdict]]:
    """Each control with its verdict."""

    def ask(control: Control) -> Verdict:
        return verdict_on(control.question, judge)[0]

    answers = in_order(ask, controls, threads if judge.is_remote_service else 0, threading.Event())
    yield from ((control, verdict) for control, verdict in answers if verdict is not None)


def control_figures(controls: Sequence[Control], verdicts: Sequence[Verdict], blank: Verdict) -> dict[str, object]:
    """The figures for the evaluation file, with every control."""
    records = [
        {
            "id": control.question.identifier,
            "kind": control.kind,
            "description_of": control.description_of,
            "vlm_matches": verdict.matches,
            "vlm_analysis": verdict.analysis,
            "vlm_error": verdict.error,
            "vlm_model_version": ", ".join(verdict.model_versions) or None,
        }
        for control, verdict in zip(controls, verdicts, strict=True)
    ]
    kinds = {kind: [v for c, v in zip(controls, verdicts, strict=True) if c.kind == kind] for kind in _kinds(controls)}
    return {
        **asdict(false_accepts(kinds.get(OTHER_DESCRIPTION, []))),
        "by_kind": {kind: asdict(false_accepts(some)) for kind, some in kinds.items()},
        "blind": blank.matches,
        "blank_analysis": blank.analysis,
        "blank_error": blank.error,
        "records": records,
    }


def _kinds(controls: Sequence[Control]) -> list[str]:
    """The kinds of controls, in order."""
    return list(dict.fromkeys(control.kind for control in controls))
