"""Train the preview capture's lifting network: first draw examples (make), then train on them (train)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, Parser, positive_int, run_command, say

REPOSITORY = Path(__file__).resolve().parents[2]


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument(
        "step",
        choices=["make", "train"],
        help="make: draw random poses of random people and read their landmarks; train: learn from all of them",
    )
    parser.add_argument(
        "--folder", type=Path, default=REPOSITORY / "data" / "capture_lifting", help="where the examples are"
    )
    parser.add_argument("--seed", type=int, default=1, help="make: another seed, other examples; train: the start")
    parser.add_argument("--count", type=positive_int, default=1000, help="make: how many pictures")
    parser.add_argument("--width", type=positive_int, default=384, help="train: width of the network")
    parser.add_argument("--epochs", type=positive_int, default=40, help="train: how often every example is seen")
    parser.add_argument(
        "--output",
        type=Path,
        default=REPOSITORY / "motion_rep" / "preview_capture" / "lifting_network.npz",
        help="train: the file to write",
    )
    return parser


def main(argv=None) -> int:
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    import torch

    torch.set_num_threads(1)
    return _make(args) if args.step == "make" else _train(args)


def _make(args: argparse.Namespace) -> int:
    from motion_rep.files.atomic_writing import atomic_path
    from scripts.dev.capture_evaluation.lifting_training import make_examples

    path = args.folder / f"{args.seed}.npz"
    with atomic_path(path) as temporary:
        say(f"{path}: {make_examples(args.count, args.seed, temporary)} of {args.count} poses recognised")
    return DONE


def _train(args: argparse.Namespace) -> int:
    import numpy as np

    from motion_rep.files.atomic_writing import atomic_path
    from scripts.dev.capture_evaluation.lifting_training import read_examples, train

    paths = sorted(args.folder.glob("*.npz"))
    examples = read_examples(paths)
    say(f"{len(examples.features)} examples of {len(paths)} files, mirror images included")
    network = train(
        examples, args.width, args.epochs, args.seed, lambda epoch, error: say(f"epoch {epoch + 1}: {error:.1f} mm")
    )
    with atomic_path(args.output) as temporary:
        np.savez_compressed(temporary, **network.arrays())
    say(f"{args.output}: {args.output.stat().st_size / 1e6:.2f} MB")
    return DONE


if __name__ == "__main__":
    raise SystemExit(main())
