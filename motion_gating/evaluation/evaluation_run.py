"""The evaluation of a gate: first with labels, which cost nothing, then with controls."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from motion_gating.archives.archive import say_invalid
from motion_gating.archives.fields import FAST
from motion_gating.archives.flags import fields_from
from motion_gating.archives.paths import files_in
from motion_gating.evaluation.claims import claim_holds, clips_needed
from motion_gating.evaluation.comparison import HEADER, compare_reports
from motion_gating.evaluation.control_run import ask_blank, ask_controls, control_figures
from motion_gating.evaluation.controls import OTHER_DESCRIPTION, choose_controls, control_questions
from motion_gating.evaluation.hard_controls import hard_controls
from motion_gating.evaluation.labels import compare_with_labels, labels_about
from motion_gating.evaluation.reviewers import reviewer_agreement
from motion_gating.evaluation.threshold_curve import best_point, draw_curve
from motion_gating.judges.choice import cache_folder, judge_settings, make_judge, require_drawn_rate
from motion_gating.judges.interface import Judge, Verdict
from motion_gating.verdicts.settling import settle_all
from motion_gating.verdicts.verdict_file import HumanVerdict, Verdicts, read_verdicts
from motion_rep.common.command_line import DONE, SOME_FAILED
from motion_rep.common.errors import UsageError, counted
from motion_rep.common.messages import progress, say, say_error, say_warning
from motion_rep.common.overwriting import require_apart, require_file_places
from motion_rep.files.atomic_writing import require_folder
from motion_rep.files.json_files import write_json
from motion_rep.files.temporaries import remove_stale_temporaries


def evaluate(args: argparse.Namespace) -> int:
    """Evaluate, write the figures, and print the findings; returns the exit code.

    Raises:
        UsageError: flags or files that do not fit together.
    """
    _require_inputs(args)
    _require_apart(args)
    require_file_places(args.output)
    judge = make_judge(args, cache_folder(args, args.output)) if args.controls is not None else None
    remove_stale_temporaries(require_folder(args.output.parent), recursive=False)
    figures: dict[str, object] = {}
    given = read_verdicts(*(args.labels or ()))
    code, verdicts = SOME_FAILED if given.left_out else DONE, _labels(args, given)
    labels = settle_all(verdicts, args.conflicts)
    if (agreement := reviewer_agreement(verdicts, args.seed)) is not None:
        figures["reviewers"] = agreement.as_dict()
        for line in agreement.lines():
            say(line)
    if args.quality_report is not None:
        figures["labels"] = _compare_with_labels(args, labels)
        write_json(args.output, figures)  # before the first paid call
    if args.compare is not None:
        figures["compared"] = _compare_reports(args, labels)
        write_json(args.output, figures)
    if judge is not None:
        figures["controls"], asked = _ask_controls(args, judge)
        code = max(code, asked)
        write_json(args.output, figures)
    say(f"figures in {args.output}")
    return code


def _labels(args: argparse.Namespace, given: Verdicts) -> Verdicts:
    """The labels on the content of the reports; prints the number of labels on other content."""
    found = labels_about(given, [path for path in (args.quality_report, *(args.compare or ())) if path is not None])
    if other := sum(map(len, given.values())) - sum(map(len, found.values())):
        say_warning(
            f"{counted(other, 'label was', 'labels were')} given on another motion or text than the report's; "
            "they do not count"
        )
    return found


def _require_inputs(args: argparse.Namespace) -> None:
    if args.controls is None and args.labels is None:
        raise UsageError(
            "nothing to do. Give --controls K with --meta-json, or --labels FILE with --quality-report, or all four."
        )
    if args.controls is not None and args.meta_json is None:
        raise UsageError("--controls needs --meta-json, the archive of rendered entries.")
    if args.labels is not None and args.quality_report is None and args.compare is None:
        raise UsageError("--labels needs --quality-report, the gate's report on the labelled entries.")
    if args.labels is None and args.compare is not None:
        raise UsageError("--compare needs --labels, the labels of reviewers.")


def _require_apart(args: argparse.Namespace) -> None:
    """Check that no output is an input.

    Raises:
        UsageError: an output is; the message contains both flags and the file.
    """
    curve = ("the curve of --output", args.output.with_suffix(".png"))
    named = () if args.controls is None else files_in(args.meta_json, fields_from(args).video)
    require_apart(args.given_paths, [curve], named)


def _compare_with_labels(args: argparse.Namespace, labels: Mapping[str, HumanVerdict]) -> dict[str, Any]:
    used, picture = args.jitter_threshold, args.output.with_suffix(".png")
    figures, curve = compare_with_labels(labels, args.quality_report, used, args.seed)
    for name in ("vlm", "gate"):
        say(_agreement_line(name, figures[name]))
    if (fast := figures[FAST])["labelled"]:
        use = f"people would use {fast['usable']} of these {fast['labelled']}; see --smoothness of the gate"
        say(f"high jitter, but fast and not trembling: {use}")
    for warning in figures["warnings"]:
        say_warning(warning)
    best = best_point(curve, used)
    if best is not None:
        draw_curve(curve, used, best, picture)
        agreement = f"{best.threshold:.4g} agrees best with the labels (kappa {_number(best.counts.kappa)})"
        say(f"jitter threshold: {agreement}; curve in {picture}")
    return figures


def _compare_reports(args: argparse.Namespace, labels: Mapping[str, HumanVerdict]) -> list[dict[str, object]]:
    """Print the table, and return its rows for the file."""
    compared = compare_reports(args.compare, labels, args.seed)
    for line in (*HEADER, *(one.row() for one in compared)):
        say(line)
    return [one.as_dict() for one in compared]


def _agreement_line(name: str, figures: dict[str, Any]) -> str:
    rates = ", ".join(f"{key} {_number(figures[key])}" for key in ("precision", "recall", "kappa"))
    interval = f"({_number(figures['kappa_low'])} to {_number(figures['kappa_high'])})"
    decided = f"{figures['decided']} of {figures['labelled']} labelled entries decided"
    return f"{name}: {rates} {interval}, coverage {_number(figures['coverage'])}, {decided}"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"


def _ask_controls(args: argparse.Namespace, judge: Judge) -> tuple[dict[str, object], int]:
    """Ask about the controls; returns the figures and the exit code."""
    require_drawn_rate(args, judge, fields_from(args))
    invalid = say_invalid(args.meta_json)
    controls = choose_controls(args.meta_json, fields_from(args), args.controls, args.seed)
    if len(controls) < args.controls:
        too_few = "there are no more rendered entries with different descriptions"
        say_warning(f"{len(controls)} controls instead of {args.controls}: {too_few}")
    with tempfile.TemporaryDirectory() as folder:
        blank = ask_blank(judge, controls[0].question, Path(folder))
        questions = control_questions(args.meta_json, fields_from(args), args.controls, args.seed)
        controls += hard_controls(questions, args.controls, Path(folder))
        asked = ask_controls(judge, controls, args.num_threads)
        verdicts = [verdict for _, verdict in progress(asked, "controls", total=len(controls), unit="control")]
    figures = control_figures(controls, verdicts, blank) | judge_settings(args, judge)
    reliable = _say_false_accepts(figures, verdicts) & _say_blank(blank) & _say_claim(args, figures)
    if judge.stop is not None:
        say_error(f"the judge was stopped: {judge.stop.message}")
        return figures, judge.stop.exit_code
    return figures, DONE if reliable and not invalid else SOME_FAILED


def _say_false_accepts(figures: dict[str, Any], verdicts: Sequence[Verdict]) -> bool:
    """Print the rate, and return whether every control was decided."""
    if figures["rate"] is None:
        say_warning("no control was answered, so the false-accept rate is unknown")
    else:
        interval = f"{figures['rate']:.2f}, 95 % interval {figures['low']:.2f} to {figures['high']:.2f}"
        say(f"false accepts: {figures['accepted']} of {figures['decided']} ({interval})")
    for kind, found in figures["by_kind"].items():
        if kind != OTHER_DESCRIPTION and found["decided"]:
            interval = f"95 % interval {found['low']:.2f} to {found['high']:.2f}"
            say(f"  {kind}: {found['accepted']} of {found['decided']} accepted ({interval})")
    undecided = [verdict for verdict in verdicts if verdict.matches is None]
    if undecided:
        example = f"for example: {undecided[0].error}"
        say_warning(f"{len(undecided)} of {len(verdicts)} controls are undecided, {example}")
    return figures["rate"] is not None and not undecided


def _say_claim(args: argparse.Namespace, figures: dict[str, Any]) -> bool:
    """Print whether ``--max-false-accept`` holds over all kinds; returns True if it does, or if it was not given."""
    rate = args.max_false_accept
    if rate is None:
        return True
    accepted, decided = (sum(found[key] for found in figures["by_kind"].values()) for key in ("accepted", "decided"))
    holds = claim_holds(accepted, decided, rate)
    figures["max_false_accept"] = {"rate": rate, "needed": clips_needed(rate), "holds": holds}
    claim = f"at most {rate:g} false accepts: {accepted} of {decided} known-bad clips were accepted"
    need = f"at 95 % this takes {clips_needed(rate)} without a single one, or more"
    say(f"{claim}; the claim {'holds' if holds else 'is not shown'} ({need})")
    return holds


def _say_blank(blank: Verdict) -> bool:
    """Print the verdict on the blank clip; returns whether it was rejected."""
    if blank.matches is None:
        say_warning(f"the blank clip got no verdict: {blank.error}")
    elif blank.matches:
        say_warning("the judge is blind: it accepts a blank clip as a match. Do not use its verdicts.")
    else:
        say("the blank clip was rejected")
    return blank.matches is False
