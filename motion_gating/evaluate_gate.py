"""Say how often the gate is wrong: with controls that need no labels, and against people's labels."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_gating.judges.flags import GEMINI, OPENAI, add_judge_flags, judge_settings, make_judge
from motion_rep.common.command_line import (
    DONE,
    SOME_FAILED,
    Parser,
    positive_int,
    positive_number,
    progress,
    run_command,
    say,
    say_error,
    say_warning,
    whole_number,
)
from motion_rep.common.errors import UsageError
from motion_rep.files.locations import location


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("gate_evaluation.json"),
        metavar="E",
        help="figures to write; the curve goes beside it as .png",
    )
    parser.add_argument(
        "--seed", type=whole_number, default=0, help="the same seed chooses the same controls and resamples alike"
    )
    controls = parser.add_argument_group("controls")
    controls.add_argument(
        "--controls",
        type=positive_int,
        metavar="K",
        help="ask about K clips with other entries' descriptions, and about a blank clip",
    )
    controls.add_argument("--meta-json", type=location, metavar="A", help="archive of rendered entries")
    controls.add_argument("--video-field", default="video_path", help="entry field with the clip")
    controls.add_argument("--prompt-field", default="prompt", help="entry field with the description")
    labels = parser.add_argument_group("labels")
    labels.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="what people said: a verdict file, with usable beside matches where they differ",
    )
    labels.add_argument("--quality-report", type=Path, metavar="R", help="the gate's report on the labelled entries")
    labels.add_argument(
        "--jitter-threshold", type=positive_number, default=0.04, help="the threshold in use, marked in the curve"
    )
    add_judge_flags(parser, (GEMINI, OPENAI))
    return parser


def main(argv: list[str] | None = None) -> int:
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    _require_inputs(args)
    from motion_rep.files.atomic_writing import require_folder
    from motion_rep.files.json_files import write_json
    from motion_rep.files.temporaries import remove_stale_temporaries

    remove_stale_temporaries(require_folder(args.output.parent), recursive=False)
    figures, code = {}, DONE
    if args.labels is not None:
        figures["labels"] = _compare_with_labels(args)
        write_json(args.output, figures)  # before the first call is paid for
    if args.controls is not None:
        figures["controls"], code = _ask_controls(args)
        write_json(args.output, figures)
    say(f"figures in {args.output}")
    return code


def _require_inputs(args: argparse.Namespace) -> None:
    if args.controls is None and args.labels is None:
        raise UsageError(
            "nothing to do. Give --controls K with --meta-json, or --labels FILE with --quality-report, or all four."
        )
    if args.controls is not None and args.meta_json is None:
        raise UsageError("--controls needs --meta-json, the archive of rendered entries.")
    if args.labels is not None and args.quality_report is None:
        raise UsageError("--labels needs --quality-report, the gate's report on the labelled entries.")


def _compare_with_labels(args: argparse.Namespace) -> dict:
    from motion_gating.evaluation.labels import compare_with_labels

    figures, curve = compare_with_labels(args.labels, args.quality_report, args.jitter_threshold, args.seed)
    for name in ("vlm", "gate"):
        say(_agreement_line(name, figures[name]))
    for warning in figures["warnings"]:
        say_warning(warning)
    if figures["best_threshold"] is not None:
        from motion_gating.evaluation.threshold_curve import best_point, draw_curve

        picture = args.output.with_suffix(".png")
        draw_curve(curve, args.jitter_threshold, best_point(curve, args.jitter_threshold), picture)
        say(
            f"jitter threshold: {figures['best_threshold']:.4g} would have agreed best (kappa {figures['best_kappa']:.2f}); curve in {picture}"
        )
    return figures


def _agreement_line(name: str, figures: dict) -> str:
    interval = f" ({_number(figures['kappa_low'])} to {_number(figures['kappa_high'])})"
    rates = ", ".join(f"{key} {_number(figures[key])}" for key in ("precision", "recall", "kappa"))
    return f"{name}: {rates}{interval}, coverage {_number(figures['coverage'])}, {figures['decided']} of {figures['labelled']} labelled entries decided"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.2f}"


def _ask_controls(args: argparse.Namespace) -> tuple[dict, int]:
    import threading

    from motion_gating.archives.fields import Fields
    from motion_gating.evaluation.control_run import ask_blank, ask_controls, control_figures
    from motion_gating.evaluation.controls import choose_controls

    cache_dir = args.cache_dir or args.output.with_name(args.output.stem + ".cache")
    judge = make_judge(args, cache_dir)
    controls = choose_controls(
        args.meta_json, Fields(video=args.video_field, prompt=args.prompt_field), args.controls, args.seed
    )
    if len(controls) < args.controls:
        say_warning(
            f"{len(controls)} controls instead of {args.controls}: there are no more rendered entries with descriptions that differ"
        )
    blank = ask_blank(judge, controls[0].question, cache_dir)
    answers = ask_controls(judge, controls, args.num_threads, threading.Event())
    verdicts = [verdict for _, verdict in progress(answers, "controls", total=len(controls), unit="control")]
    figures = control_figures(controls, verdicts, blank) | judge_settings(args, judge)
    _say_controls(figures, blank)
    if judge.stop is not None:
        say_error(f"the judge was stopped: {judge.stop.message}")
        return figures, judge.stop.exit_code
    complete = blank.matches is not None and figures["decided"] == figures["asked"]
    return figures, DONE if complete else SOME_FAILED


def _say_controls(figures: dict, blank) -> None:
    if figures["rate"] is None:
        say_warning("no control was answered; nothing is known about false accepts")
    else:
        say(
            f"false accepts: {figures['accepted']} of {figures['decided']} ({figures['rate']:.2f}, 95 % interval {figures['low']:.2f} to {figures['high']:.2f})"
        )
    if figures["decided"] < figures["asked"]:
        say_warning(f"{figures['asked'] - figures['decided']} of {figures['asked']} controls stayed undecided")
    if blank.matches is None:
        say_warning(f"the blank clip got no verdict: {blank.error}")
    elif blank.matches:
        say_warning("the judge is blind: it says that a blank clip matches a description. Do not use its verdicts.")
    else:
        say("the blank clip was rejected")


if __name__ == "__main__":
    raise SystemExit(main())
