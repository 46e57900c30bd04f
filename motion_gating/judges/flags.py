"""The flags that choose a judge. :mod:`motion_gating.judges.choice` makes the judge."""

from __future__ import annotations

import argparse

from motion_gating.verdicts.flags import add_conflicts_flag
from motion_rep.common.command_line import Parser, YesNo
from motion_rep.common.flag_values import frame_rate, positive_int, positive_number, thread_count
from motion_rep.common.overwriting import folder_path, read_path

SINGLE, EVIDENCE = "single", "evidence"
STANDARD, FLEX = "standard", "flex"
# Seconds for one call, and for one question with all attempts.
TIMES = {STANDARD: (120.0, 300.0), FLEX: (900.0, 2700.0)}
SAMPLING_FPS = 5.0  # frames per second that a model sees by default
VIDEO, FRAMES, FACTS = "video", "frames", "facts"
GEMINI, OPENAI, MANUAL, NONE = "gemini", "openai", "manual", "none"
DEFAULT_GEMINI_MODEL = "gemini-3.8-flash"


def add_judge_flags(parser: Parser, judges: tuple[str, ...], asks_about_pairs: bool = False) -> None:
    """Add the flags; ``judges`` are the names that make sense for the command.

    Args:
        asks_about_pairs: omit the flags about questions on one clip.
    """
    group = parser.add_argument_group("judge")
    question = "which of two clips is better" if asks_about_pairs else "whether a clip matches its description"
    group.add_argument("--judge", choices=judges, default=GEMINI, help=f"who judges {question}")
    if not asks_about_pairs:
        _add_protocol_flags(group)
    facts = "send the model the facts measured on the motion"
    group.add_argument(
        "--facts",
        action=YesNo,
        default=None,
        help=facts if asks_about_pairs else f"{facts} (default: only with --protocol evidence)",
    )
    group.add_argument(
        "--sampling-fps", type=frame_rate, default=SAMPLING_FPS, help="frames per second that the model sees"
    )
    group.add_argument("--temperature", type=float, help="sent only if given; newer models reject it")
    _add_service_flags(group)
    _add_call_flags(group)


def _add_protocol_flags(group: argparse._ActionsContainer) -> None:
    """Add the flags for questions about one clip."""
    group.add_argument(
        "--protocol",
        choices=(SINGLE, EVIDENCE),
        default=SINGLE,
        help="single: one yes/no question, as published; evidence: a blind description, a choice among descriptions, "
        "checks of events, and, if these disagree, a view from the side",
    )
    group.add_argument(
        "--votes",
        type=_odd,
        default=1,
        metavar="N",
        help="odd number; ask each question until N // 2 + 1 answers agree",
    )


def add_verdicts_flag(parser: Parser) -> None:
    """Add ``--verdicts``, which may be given several times, and ``--conflicts``."""
    parser.add_argument(
        "--verdicts",
        type=read_path,
        action="append",
        metavar="FILE",
        help="verdicts of reviewers; they override a model's; repeat the flag for several files",
    )
    add_conflicts_flag(parser)


def _add_service_flags(group: argparse._ActionsContainer) -> None:
    """Add the flags for keys, addresses and models."""
    group.add_argument(
        "--gemini-api-key",
        metavar="KEY",
        help="better set GEMINI_API_KEY or GOOGLE_API_KEY: other users of the machine can read command lines",
    )
    group.add_argument(
        "--gemini-model",
        metavar="M",
        default=DEFAULT_GEMINI_MODEL,
        help="model; names are retired over time, see the service's list",
    )
    group.add_argument(
        "--vlm-base-url",
        metavar="URL",
        help="OpenAI-compatible server (default: OPENAI_BASE_URL); the key is read from OPENAI_API_KEY",
    )
    group.add_argument("--vlm-model", metavar="M", help="model of that server; optional if the server lists only one")
    group.add_argument(
        "--vlm-media",
        choices=(VIDEO, FRAMES, FACTS),
        default=VIDEO,
        help="frames: for servers that accept only pictures; facts: send no clip, only the facts measured on the "
        "motion, for models that read only text",
    )


def _add_call_flags(group: argparse._ActionsContainer) -> None:
    """Add the flags for concurrency and time limits of calls, and for the cache of answers."""
    group.add_argument("--num-threads", type=thread_count, default=2, help="concurrent calls")
    group.add_argument("--rpm", type=positive_number, metavar="N", help="maximum number of calls per minute")
    group.add_argument(
        "--call-timeout",
        type=positive_number,
        metavar="S",
        help=f"seconds for one call (default: {TIMES[STANDARD][0]:g}; flex {TIMES[FLEX][0]:g})",
    )
    group.add_argument(
        "--service-tier",
        choices=(STANDARD, FLEX),
        default=STANDARD,
        help="tier of Gemini; flex costs half, takes up to 15 minutes per call, and may be refused if the service is "
        "busy",
    )
    group.add_argument(
        "--max-cost", type=positive_number, metavar="USD", help="end the run when its calls have cost this much"
    )
    group.add_argument(
        "--prices",
        type=read_path,
        metavar="FILE",
        help="list of prices in the format of judges/prices.json (the default)",
    )
    group.add_argument(
        "--deadline",
        type=positive_number,
        metavar="S",
        help=f"seconds for one question with all attempts (default: {TIMES[STANDARD][1]:g}; flex {TIMES[FLEX][1]:g})",
    )
    group.add_argument(
        "--retry-delay",
        type=positive_number,
        default=1.0,
        help="seconds before the first retry; doubles with each retry",
    )
    group.add_argument(
        "--cache-dir",
        type=folder_path,
        metavar="DIR",
        help="cache of answers, to pay for each answer only once (default: next to the report)",
    )


def _odd(text: str) -> int:
    votes = positive_int(text)
    if votes % 2 == 0:
        raise argparse.ArgumentTypeError(f"{text} votes can end in a tie; give an odd number")
    return votes
