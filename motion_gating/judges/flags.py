"""The flags that choose a judge, and the judge they choose."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from motion_gating.judges.gemini import DEFAULT_MODEL
from motion_rep.common.command_line import Parser, frame_rate, positive_int, positive_number, thread_count
from motion_rep.common.errors import UsageError

GEMINI, OPENAI, MANUAL, NONE = "gemini", "openai", "manual", "none"
PACKAGES = {GEMINI: "google-genai", OPENAI: "openai"}


def add_judge_flags(parser: Parser, judges: tuple[str, ...]) -> None:
    """Add the flags; ``judges`` are the names that make sense for the command."""
    group = parser.add_argument_group("judge")
    group.add_argument(
        "--judge", choices=judges, default=GEMINI, help="who says whether a clip matches its description"
    )
    group.add_argument(
        "--gemini-api-key",
        metavar="KEY",
        help="better in GEMINI_API_KEY or GOOGLE_API_KEY: other users can read command lines",
    )
    group.add_argument(
        "--gemini-model", metavar="M", default=DEFAULT_MODEL, help="names retire; see the service's list"
    )
    group.add_argument(
        "--vlm-base-url",
        metavar="URL",
        help="OpenAI-compatible server, else OPENAI_BASE_URL; the key comes from OPENAI_API_KEY",
    )
    group.add_argument("--vlm-model", metavar="M", help="model name at that server")
    group.add_argument(
        "--vlm-media", choices=("video", "frames"), default="video", help="frames: for servers that take pictures only"
    )
    group.add_argument("--sampling-fps", type=frame_rate, default=5.0, help="frames per second that the model sees")
    group.add_argument("--temperature", type=float, help="sent only where given; newer models reject it")
    group.add_argument(
        "--votes",
        type=_odd,
        default=1,
        metavar="N",
        help="odd; a question is asked until one side has the majority of N",
    )
    group.add_argument("--num-threads", type=thread_count, default=2, help="calls at a time")
    group.add_argument("--rpm", type=positive_number, metavar="N", help="calls per minute at most")
    group.add_argument("--call-timeout", type=positive_number, default=120.0, help="seconds for one call")
    group.add_argument(
        "--deadline", type=positive_number, default=300.0, help="seconds for one question with all its attempts"
    )
    group.add_argument(
        "--retry-delay",
        type=positive_number,
        default=1.0,
        help="seconds before the second attempt; doubles with each further one",
    )
    group.add_argument(
        "--cache-dir", type=Path, metavar="DIR", help="answers that were paid for (default: beside the report)"
    )


def make_judge(args: argparse.Namespace, cache_dir: Path | None, need_key: bool = True):
    """The judge that the flags choose, None for ``none``.

    Raises:
        UsageError: a key, a verdict file, an address or a model is missing.
    """
    from motion_gating.judges.manual import ManualJudge, read_verdicts

    verdicts_file = getattr(args, "verdicts", None)
    if args.judge == MANUAL and verdicts_file is None:
        raise UsageError(
            "--judge manual needs --verdicts FILE, the verdicts that people gave (the review page exports them)."
        )
    judge = _vlm_judge(args, cache_dir, need_key) if args.judge in (GEMINI, OPENAI) else None
    if verdicts_file is None:
        return judge
    return ManualJudge(read_verdicts(verdicts_file), str(verdicts_file), otherwise=judge)


def _vlm_judge(args: argparse.Namespace, cache_dir: Path, need_key: bool):
    from motion_gating.judges.answer_cache import AnswerCache
    from motion_gating.judges.retrying import Caller, Policy
    from motion_gating.judges.vlm_judge import VlmJudge

    _require_package(PACKAGES[args.judge])
    service = _gemini(args, need_key) if args.judge == GEMINI else _openai(args)
    policy = Policy(
        calls_per_minute=args.rpm, first_delay=args.retry_delay, call_timeout=args.call_timeout, deadline=args.deadline
    )
    cache = AnswerCache(cache_dir)
    if need_key:
        cache.require_writable()
    return VlmJudge(service, Caller(policy), cache, votes=args.votes)


def _require_package(name: str) -> None:
    from importlib import metadata

    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        raise UsageError(f"this judge needs the package {name}. Install it: pip install {name}") from None


def _gemini(args: argparse.Namespace, need_key: bool):
    from motion_gating.judges.gemini import GeminiService, resolve_key

    return GeminiService(
        key=resolve_key(args.gemini_api_key) if need_key else None,
        model=args.gemini_model,
        sampling_fps=args.sampling_fps,
        temperature=args.temperature,
        base_url=os.environ.get("GOOGLE_GEMINI_BASE_URL") or None,
    )


def _openai(args: argparse.Namespace):
    from motion_gating.judges.openai_compatible import OpenAICompatibleService

    base_url = args.vlm_base_url or os.environ.get("OPENAI_BASE_URL")
    if not base_url or not args.vlm_model:
        raise UsageError(
            "--judge openai needs --vlm-base-url URL (or OPENAI_BASE_URL) and --vlm-model M, for example http://localhost:8000/v1."
        )
    return OpenAICompatibleService(
        key=os.environ.get("OPENAI_API_KEY", "").strip() or None,
        model=args.vlm_model,
        base_url=base_url,
        media=args.vlm_media,
        sampling_fps=args.sampling_fps,
        temperature=args.temperature,
    )


def judge_settings(args: argparse.Namespace, judge) -> dict:
    """What a run block says about the judge; no secrets."""
    from importlib import metadata

    from motion_gating.judges.answers import PROMPT

    verdicts_file, vlm = getattr(args, "verdicts", None), getattr(judge, "otherwise", judge)
    settings = {"judge": args.judge, "verdicts": None if verdicts_file is None else str(verdicts_file)}
    if vlm is None or not hasattr(vlm, "service"):
        return settings
    package = PACKAGES[args.judge]
    return settings | {
        "votes": args.votes,
        "service": vlm.service.settings(),
        "package": f"{package} {metadata.version(package)}",
        "prompt": PROMPT,
    }


def _odd(text: str) -> int:
    votes = positive_int(text)
    if votes % 2 == 0:
        raise argparse.ArgumentTypeError(f"{text} votes can end in a draw; give an odd number")
    return votes
