"""Train the preview capture's lifting networks.

First draw examples (make). Then train the network of single frames (train) and the network of movement (temporal) on
them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, Parser, command_main
from motion_rep.common.flag_values import positive_int
from motion_rep.common.overwriting import folder_path, read_path, written_path

REPOSITORY = Path(__file__).resolve().parents[2]
WEIGHTS = REPOSITORY / "motion_rep" / "preview_capture"
WIDTH, TEMPORAL_WIDTH = 384, 160


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        "step",
        choices=["make", "train", "temporal"],
        help="make: draw random poses of random people and read their landmarks; train: train on all examples; "
        "temporal: train on simulated movement with the errors of all examples (needs pybullet==3.2.7)",
    )
    parser.add_argument(
        "--folder", type=folder_path, default=REPOSITORY / "data" / "capture_lifting", help="folder of the examples"
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        help="make: another seed makes different examples; train, temporal: seed of the initial weights",
    )
    parser.add_argument("--count", type=positive_int, default=1000, help="make: number of pictures")
    parser.add_argument(
        "--width", type=positive_int, help=f"width of the network (default {WIDTH}; temporal {TEMPORAL_WIDTH})"
    )
    parser.add_argument("--epochs", type=positive_int, default=40, help="train: number of passes over the examples")
    parser.add_argument("--steps", type=positive_int, default=26000, help="temporal: number of batches (13 per second)")
    parser.add_argument(
        "--start", type=read_path, help="temporal: continue from this network's weights, at half the learning rate"
    )
    parser.add_argument(
        "--output",
        type=written_path,
        help="file to write (default: the package's lifting_network.npz; temporal: temporal_network.npz)",
    )
    return parser


def _run(args: argparse.Namespace) -> int:
    from scripts.dev.capture_evaluation.lifting_run import draw_examples, train_network, train_temporal

    if args.step == "make":
        draw_examples(args.folder, args.seed, args.count)
    elif args.step == "train":
        output = args.output or WEIGHTS / "lifting_network.npz"
        train_network(args.folder, output, args.width or WIDTH, args.epochs, args.seed)
    else:
        output = args.output or WEIGHTS / "temporal_network.npz"
        train_temporal(args.folder, output, args.width or TEMPORAL_WIDTH, args.steps, args.seed, args.start)
    return DONE


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
