"""The evaluation of a gate: with labels first, which cost nothing, then with controls."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from motion_gating.archives.fields import FAST, Fields
from motion_gating.evaluation.control_run import ask_blank, ask_controls, control_figures
from motion_gating.evaluation.controls import Control, choose_controls
from motion_gating.evaluation.labels import compare_with_labels
from motion_gating.evaluation.threshold_curve import best_point, draw_curve
from motion_gating.judges.choice import judge_settings, make_judge
from motion_gating.judges.interface import Judge, Verdict
from motion_rep.common.command_line import DONE, SOME_FAILED
from motion_rep.common.errors import UsageError
from motion_rep.files.atomic_writing import require_folder
from motion_rep.files.json_files import write_json
from motion_rep.files.temporaries import remove_stale_temporaries

SAID, WARNED, FAILED = "said", "warned", "failed"
Answers = Iterable[tuple[Control, Verdict]]
Watch = Callable[[Answers, int], Answers]


@dataclass(frozen=True)
class Line:
    """A line for the user, and whether it is said, a warning or an error. ``exit_code``: the command's, so far."""

    kind: str
    text: str
    exit_code: int = DONE


def evaluate(args: argparse.Namespace, watch: Watch) -> Iterator[Line]:
    """Evaluate, write the figures, and say what was found, line by line.

    Args:
        watch: wraps the answers as they come, with their number, for a progress bar.
    Raises:
        UsageError: flags or files that do not fit together.
    """
    _require_inputs(args)
    judge = make_judge(args, _cache_dir(args)) if args.controls is not None else None
    remove_stale_temporaries(require_folder(args.output.parent), recursive=False)
    figures: dict[str, object] = {}
    if args.labels is not None:
        figures["labels"] = yield from _compare_with_labels(args)
        write_json(args.output, figures)  # before the first call is paid for
    if judge is not None:
        figures["controls"] = yield from _ask_controls(args, judge, watch)
        write_json(args.output, figures)
    yield Line(SAID, f"figures in {args.output}")


def _require_inputs(args: argparse.Namespace) -> None:
    if args.controls is None and args.labels is None:
        raise UsageError(
            "nothing to do. Give --controls K with --meta-json, or --labels FILE with --quality-report, or all four."
        )
    if args.controls is not None and args.meta_json is None:
        raise UsageError("--controls needs --meta-json, the archive of rendered entries.")
    if args.labels is not None and args.quality_report is None:
        raise UsageError("--labels needs --quality-report, the gate's report on the labelled entries.")


def _cache_dir(args: argparse.Namespace) -> Path:
    folder: Path = args.cache_dir or args.output.with_name(args.output.stem + ".cache")
    return folder


def _compare_with_labels(args: argparse.Namespace) -> Generator[Line, None, dict[str, Any]]:
    used, picture = args.jitter_threshold, args.output.with_suffix(".png")
    figures, curve = compare_with_labels(args.labels, args.quality_report, used, args.seed)
    yield from (Line(SAID, _agreement_line(name, figures[name])) for name in ("vlm", "gate"))
    if (fast := figures[FAST])["labelled"]:
        use = f"people would use {fast['usable']} of these {fast['labelled']}; see --smoothness of the gate"
        yield Line(SAID, f"high jitter, but fast and not trembling: {use}")
    yield from (Line(WARNED, warning) for warning in figures["warnings"])
    best = best_point(curve, used)
    if best is not None:
        draw_curve(curve, used, best, picture)
        agreement = f"{best.threshold:.4g} agrees best with the labels (kappa {_number(best.counts.kappa)})"
        yield Line(SAID, f"jitter threshold: {agreement}; curve in {picture}")
    return figures


def _agreement_line(name: str, figures: dict[str, Any]) -> str:
    rates = ", ".join(f"{key} {_number(figures[key])}" for key in ("precision", "recall", "kappa"))
    interval = f"({_number(figures['kappa_low'])} to {_number(figures['kappa_high'])})"
    decided = f"{figures['decided']} of {figures['labelled']} labelled entries decided"
    return f"{name}: {rates} {interval}, coverage {_number(figures['coverage'])}, {decided}"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"


def _ask_controls(args: argparse.Namespace, judge: Judge, watch: Watch) -> Generator[Line, None, dict[str, object]]:
    fields = Fields(video=args.video_field, prompt=args.prompt_field)
    controls = choose_controls(args.meta_json, fields, args.controls, args.seed)
    if len(controls) < args.controls:
        yield Line(WARNED, f"{len(controls)} controls instead of {args.controls}: {TOO_FEW}")
    blank = ask_blank(judge, controls[0].question, _cache_dir(args))
    answers = watch(ask_controls(judge, controls, args.num_threads), len(controls))
    verdicts = [verdict for _, verdict in answers]
    figures = control_figures(controls, verdicts, blank) | judge_settings(args, judge)
    yield from _lines_on_controls(figures, verdicts, blank)
    if judge.stop is not None:
        yield Line(FAILED, f"the judge was stopped: {judge.stop.message}", judge.stop.exit_code)
    return figures


TOO_FEW = "there are no more rendered entries with descriptions that differ"


def _lines_on_controls(figures: dict[str, Any], verdicts: Sequence[Verdict], blank: Verdict) -> Iterator[Line]:
    if figures["rate"] is None:
        yield Line(WARNED, "no control was answered; nothing is known about false accepts", SOME_FAILED)
    else:
        interval = f"{figures['rate']:.2f}, 95 % interval {figures['low']:.2f} to {figures['high']:.2f}"
        yield Line(SAID, f"false accepts: {figures['accepted']} of {figures['decided']} ({interval})")
    undecided = [verdict for verdict in verdicts if verdict.matches is None]
    if undecided:
        text = f"{len(undecided)} of {figures['asked']} controls are undecided, for example: {undecided[0].error}"
        yield Line(WARNED, text, SOME_FAILED)
    if blank.matches is None:
        yield Line(WARNED, f"the blank clip got no verdict: {blank.error}", SOME_FAILED)
    elif blank.matches:
        text = "the judge is blind: it says that a blank clip matches a description. Do not use its verdicts."
        yield Line(WARNED, text, SOME_FAILED)
    else:
        yield Line(SAID, "the blank clip was rejected")
