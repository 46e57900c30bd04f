"""Train the preview capture's lifting network: first draw examples (make), then train on them (train)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, Parser, positive_int, run_command
from motion_rep.common.overwriting import folder_path, written_path

REPOSITORY = Path(__file__).resolve().parents[2]


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        "step",
        choices=["make", "train"],
        help="make: draw random poses of random people and read their landmarks; train: learn from all of them",
    )
    parser.add_argument(
        "--folder", type=folder_path, default=REPOSITORY / "data" / "capture_lifting", help="where the examples are"
    )
    parser.add_argument("--seed", type=int, default=1, help="make: another seed, other examples; train: the start")
    parser.add_argument("--count", type=positive_int, default=1000, help="make: how many pictures")
    parser.add_argument("--width", type=positive_int, default=384, help="train: width of the network")
    parser.add_argument("--epochs", type=positive_int, default=40, help="train: how often every example is seen")
    parser.add_argument(
        "--output",
        type=written_path,
        default=REPOSITORY / "motion_rep" / "preview_capture" / "lifting_network.npz",
        help="train: the file to write",
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    from scripts.dev.capture_evaluation.lifting_run import draw_examples, train_network

    if args.step == "make":
        draw_examples(args.folder, args.seed, args.count)
    else:
        train_network(args.folder, args.output, args.width, args.epochs, args.seed)
    return DONE


if __name__ == "__main__":
    raise SystemExit(main())
