"""The flags of the gate's conditions."""

from __future__ import annotations

import argparse

from motion_gating.archives.fields import JITTER_RAW, REFINED
from motion_gating.metrics.table import DEFAULT_JITTER, METRICS, RAW, SUGGESTED_TREMBLE, TREMBLE
from motion_rep.common.command_line import Parser
from motion_rep.common.flag_values import positive_number


def add_jitter_flag(parser: argparse._ActionsContainer, meaning: str, default: float | None = DEFAULT_JITTER) -> None:
    """Add ``--jitter-threshold`` to a parser or a group of one."""
    parser.add_argument("--jitter-threshold", type=positive_number, default=default, metavar="X", help=meaning)


def add_limit_flags(parser: Parser) -> None:
    """Add the jitter threshold, the limits of the other metrics, and ``--any-fps``."""
    group = parser.add_argument_group("conditions")
    add_jitter_flag(group, "jitter must be below this")
    group.add_argument(
        "--jitter-of",
        choices=(REFINED, RAW),
        default=REFINED,
        help="for refined motions: whether the jitter of the refined or of the raw motion decides; the record contains "
        "both",
    )
    group.add_argument(
        "--max-jitter-raw", type=positive_number, metavar="X", help="the jitter before refining must be below this, too"
    )
    group.add_argument(
        "--smoothness",
        choices=("jitter", TREMBLE, "both"),
        default="jitter",
        help="what must be low: jitter (as published; also rejects fast movement), tremble (default limit "
        f"{SUGGESTED_TREMBLE:g}), or both",
    )
    for metric in METRICS:
        for kind in metric.limits:
            hint = f"{kind}imum {metric.name}, off by default" + (f" ({metric.meaning})" if metric.meaning else "")
            name = f"{kind}_{metric.key}"
            group.add_argument(*metric.flags(kind), dest=name, type=positive_number, metavar="X", help=hint)
    group.add_argument(
        "--any-fps",
        action="store_true",
        help="accept motions whose frame rate is not 16, the rate at which TM2M plays every motion",
    )


def add_undecided_flags(parser: argparse._ActionsContainer) -> None:
    """Add ``--skip-vlm-above-threshold`` and ``--on-undecided``."""
    parser.add_argument(
        "--skip-vlm-above-threshold",
        action="store_true",
        help="do not ask the judge about a motion that its jitter already rejects",
    )
    parser.add_argument(
        "--on-undecided",
        choices=("keep", "reject"),
        default="keep",
        help="keep: leave an undecided entry unchanged; reject: set its use_ref_motion to false",
    )


def given_limits(args: argparse.Namespace) -> list[tuple[str, str, float]]:
    """Metric, max or min, and bound of each limit that the flags give."""
    bounds = [(metric.key, kind, getattr(args, f"{kind}_{metric.key}")) for metric in METRICS for kind in metric.limits]
    if args.smoothness != "jitter" and args.max_tremble is None:
        bounds.append((TREMBLE, "max", SUGGESTED_TREMBLE))
    bounds.append((JITTER_RAW, "max", args.max_jitter_raw))
    return [bound for bound in bounds if bound[2] is not None]


def given_jitter(args: argparse.Namespace) -> float | None:
    """The jitter threshold; None if only tremble decides."""
    threshold: float = args.jitter_threshold
    return None if args.smoothness == TREMBLE else threshold
