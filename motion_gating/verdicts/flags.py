"""Flags for several reviewers."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from motion_gating.verdicts.reviewer_names import person
from motion_rep.common.errors import UsageError
from motion_rep.common.flag_values import share

UNDECIDED, LATEST, MAJORITY = RULES = ("undecided", "latest", "majority")


def add_conflicts_flag(parser: argparse._ActionsContainer) -> None:
    """Add ``--conflicts``."""
    parser.add_argument(
        "--conflicts",
        choices=RULES,
        default=UNDECIDED,
        help="which verdict counts if reviewers contradict each other: none, the latest, or the majority's",
    )


def add_reviewer_flags(parser: argparse._ActionsContainer) -> None:
    """Add ``--reviewers`` and ``--overlap``."""
    parser.add_argument(
        "--reviewers",
        type=_names,
        default=(),
        metavar="A,B",
        help="divide the entries among these reviewers; the page then has a filter for each reviewer's own entries",
    )
    parser.add_argument(
        "--overlap",
        type=share,
        metavar="P",
        help="share of the entries that all reviewers get, to measure how well they agree",
    )


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if len(set(map(person, names))) < len(names) or not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of different names like Ann,Bea")
    return names


def require_reviewers(reviewers: Sequence[str], overlap: float | None) -> None:
    """Check that ``--overlap`` has reviewers.

    Raises:
        UsageError: it has fewer than two.
    """
    if overlap is not None and len(reviewers) < 2:
        raise UsageError(f"--overlap {overlap:g} needs --reviewers with two names or more.")
