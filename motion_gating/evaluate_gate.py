"""Measure how often the gate is wrong, with controls (which need no labels) or against labels of reviewers."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_gating.archives.flags import add_archive_flag, add_field_flags
from motion_gating.gate.flags import add_jitter_flag
from motion_gating.judges.flags import GEMINI, OPENAI, add_judge_flags
from motion_gating.verdicts.flags import add_conflicts_flag
from motion_rep.common.command_line import Parser, command_main
from motion_rep.common.flag_values import positive_int, share, whole_number
from motion_rep.common.overwriting import read_path, written_path


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        "--output",
        type=written_path,
        default=Path("gate_evaluation.json"),
        metavar="E",
        help="file for the figures; the curve is written next to it as .png",
    )
    parser.add_argument(
        "--seed", type=whole_number, default=0, help="the same seed gives the same controls and resamples"
    )
    _add_control_flags(parser)
    _add_label_flags(parser)
    add_judge_flags(parser, (GEMINI, OPENAI))
    return parser


def _add_control_flags(parser: Parser) -> None:
    controls = parser.add_argument_group("controls")
    controls.add_argument(
        "--controls",
        type=positive_int,
        metavar="K",
        help="ask the judge about K clips with other entries' descriptions, up to K near misses of each kind, and one "
        "blank clip",
    )
    controls.add_argument(
        "--max-false-accept",
        type=share,
        metavar="P",
        help="report whether at most this share of known-bad clips is accepted, at 95 %% confidence, and how many "
        "clips that takes",
    )
    add_archive_flag(controls, required=False)
    add_field_flags(controls, "video", "prompt")


def _add_label_flags(parser: Parser) -> None:
    labels = parser.add_argument_group("labels")
    labels.add_argument(
        "--labels",
        type=read_path,
        action="append",
        metavar="FILE",
        help="labels of reviewers: a verdict file, in which an item may also have usable if that differs from "
        "matches; with several files (repeat the flag), the command also prints how well the reviewers agree",
    )
    add_conflicts_flag(labels)
    labels.add_argument(
        "--quality-report", type=read_path, metavar="R", help="the gate's report on the labelled entries"
    )
    labels.add_argument(
        "--compare",
        type=read_path,
        nargs="+",
        metavar="R",
        help="print one table that compares several reports (of other judges, models or protocols) on the labelled "
        "clips",
    )
    add_jitter_flag(labels, "threshold in use; the curve marks it")


def _run(args: argparse.Namespace) -> int:
    from motion_gating.evaluation.evaluation_run import evaluate

    return evaluate(args)


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
