"""Make the judge that the flags choose, and list its settings for the run block."""

from __future__ import annotations

import argparse
import datetime
import os
import urllib.parse
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from motion_gating.archives.archive import entry_id, read_entries
from motion_gating.archives.fields import JUDGE_FPS, JUDGE_VIDEO_PATH, Fields
from motion_gating.archives.texts import text_of
from motion_gating.judges.answer_cache import AnswerCache
from motion_gating.judges.cost import Meter, price_of
from motion_gating.judges.flags import EVIDENCE, FACTS, GEMINI, MANUAL, OPENAI, STANDARD, TIMES
from motion_gating.judges.interface import Judge
from motion_gating.judges.manual import ManualJudge
from motion_gating.judges.protocols.distractors import Distractors
from motion_gating.judges.protocols.evidence import EvidenceInParts
from motion_gating.judges.protocols.interface import QuestionProtocol
from motion_gating.judges.protocols.single import SingleQuestion
from motion_gating.judges.retrying import Caller, Policy
from motion_gating.judges.service import CallFailure, Service, shown
from motion_gating.judges.transport import require_proxies
from motion_gating.judges.vlm_judge import VlmJudge
from motion_gating.verdicts.verdict_file import read_verdicts
from motion_rep.common.errors import UsageError
from motion_rep.common.hidden_secrets import without_secrets
from motion_rep.common.optional_packages import require_package
from motion_rep.files.locations import Location, RemotePath

PACKAGES = {GEMINI: "google-genai", OPENAI: "openai"}
NAMED_MODELS = 10


def cache_folder(args: argparse.Namespace, output: Location) -> Path | None:
    """The folder for paid answers: the one given with the flag, else one next to an output; None for a free judge.

    Raises:
        UsageError: the output is remote, and the flag is missing.
    """
    if args.cache_dir is not None or args.judge not in PACKAGES:
        folder: Path | None = args.cache_dir
        return folder
    if isinstance(output, RemotePath):
        raise UsageError(
            f"{output}: paid answers are cached next to the report, but only in a local folder. Give one with "
            "--cache-dir."
        )
    return output.with_name(output.stem + ".cache")


def make_judge(args: argparse.Namespace, cache_dir: Path | None, need_key: bool = True) -> Judge | None:
    """The judge that the flags choose; None for ``none``.

    Raises:
        UsageError: a key, a verdict file, an address or a model is missing.
    """
    files = _verdict_files(args)
    if args.judge == MANUAL and not files:
        raise UsageError(
            "--judge manual needs --verdicts FILE, the verdicts of reviewers (the review page exports them)."
        )
    people = read_verdicts(*files)
    model = None
    if args.judge in PACKAGES and cache_dir is not None:
        model = _vlm_judge(args, cache_dir, need_key)
    return ManualJudge(people, ", ".join(map(str, files)), model, args.conflicts) if files else model


def require_drawn_rate(args: argparse.Namespace, judge: Judge | None, fields: Fields) -> None:
    """Check that clips drawn for a model have the sampling rate of this run; clips of unknown rate pass.

    Raises:
        UsageError: a clip has another rate.
    """
    if judge is None or judge.model is None or args.vlm_media == FACTS:
        return
    for entry in read_entries(args.meta_json):
        drawn = entry.get(JUDGE_FPS)
        if fields.judged_video(entry) != JUDGE_VIDEO_PATH or type(drawn) not in (int, float):
            continue
        if drawn != args.sampling_fps:
            raise UsageError(
                f"{args.meta_json}: the clip of entry {entry_id(entry)} was drawn for --sampling-fps {drawn:g}, "
                f"expected {args.sampling_fps:g}. Give --sampling-fps {drawn:g}, or re-render with --for-judge "
                f"--sampling-fps {args.sampling_fps:g}."
            )


def judge_settings(args: argparse.Namespace, judge: Judge | None) -> dict[str, object]:
    """The judge's settings for the run block; no secrets."""
    files = [str(path) for path in _verdict_files(args)]
    settings = {"judge": args.judge, "verdicts": files[0] if len(files) == 1 else files or None}
    if len(files) > 1:
        settings["conflicts"] = args.conflicts
    model = None if judge is None else judge.model
    if model is None:
        return settings
    package = PACKAGES[args.judge]
    described = {"votes": args.votes, "service": model.settings(), "package": f"{package} {metadata.version(package)}"}
    return {**settings, **described, "prompt": model.wordings}


def _verdict_files(args: argparse.Namespace) -> list[Path]:
    return list(getattr(args, "verdicts", None) or ())  # evaluate_gate.py has no such flag


def _vlm_judge(args: argparse.Namespace, cache_dir: Path, need_key: bool) -> VlmJudge:
    require_package(PACKAGES[args.judge], f"--judge {args.judge}")
    require_proxies()
    service = _gemini(args, need_key) if args.judge == GEMINI else _openai(args)
    policy = Policy(
        calls_per_minute=args.rpm,
        first_delay=args.retry_delay,
        call_timeout=_call_timeout(args),
        deadline=args.deadline or TIMES[args.service_tier][1],
    )
    cache = AnswerCache(cache_dir)
    if need_key:
        cache.require_writable()
    sees_clip = args.vlm_media != FACTS
    facts = not sees_clip or (args.protocol == EVIDENCE if args.facts is None else args.facts)
    return VlmJudge(
        service, Caller(policy), cache, _protocol(args), _meter(args, service), facts, sees_clip, args.sampling_fps
    )


def _call_timeout(args: argparse.Namespace) -> float:
    seconds: float = args.call_timeout or TIMES[args.service_tier][0]
    return seconds


def _meter(args: argparse.Namespace, service: Service) -> Meter:
    """A meter of the calls at today's price."""
    model = str(service.settings()["model"])
    price = price_of(model, args.service_tier, datetime.datetime.now(datetime.UTC).date(), args.prices)
    if args.max_cost is not None and price is None:
        raise UsageError(f"--max-cost: the price of {model} is unknown. Add it to a list of prices and give --prices.")
    return Meter(price, args.max_cost)


def _protocol(args: argparse.Namespace) -> QuestionProtocol:
    """The protocol of questions; evidence takes wrong descriptions from the archive."""
    if args.protocol != EVIDENCE:
        return SingleQuestion(args.votes)
    if args.votes != 1:
        raise UsageError(f"--votes {args.votes} works only with --protocol single; evidence asks each part once.")
    archive = getattr(args, "meta_json", None)
    texts = (text_of(entry, args.prompt_field) for entry in (read_entries(archive) if archive is not None else ()))
    return EvidenceInParts(Distractors.of(text for text in texts if text is not None))


def _gemini(args: argparse.Namespace, need_key: bool) -> Service:
    from motion_gating.judges.gemini import GeminiService, has_service_tiers, resolve_key

    if args.service_tier != STANDARD and not has_service_tiers():
        raise UsageError("--service-tier flex needs google-genai 1.69 or newer. Upgrade: pip install -U google-genai")
    return GeminiService(
        key=resolve_key(args.gemini_api_key) if need_key else None,
        model=args.gemini_model,
        sampling_fps=args.sampling_fps,
        service_tier=args.service_tier,
        temperature=args.temperature,
        base_url=_address("GOOGLE_GEMINI_BASE_URL", os.environ.get("GOOGLE_GEMINI_BASE_URL")) or None,
    )


def _address(name: str, address: str | None) -> str:
    """Check that an address can be parsed; the error does not show it, because it may contain a key."""
    try:
        parts = urllib.parse.urlsplit(address or "")
        valid = parts.port is None or parts.port > 0
    except ValueError:
        valid = False
    if not valid or (address and not (parts.scheme in ("http", "https") and parts.hostname)):
        raise UsageError(
            f"{name}: is not a valid address, expected http(s)://HOST[:PORT]/PATH. Write special characters of a "
            "password as percent codes, such as %2F."
        )
    return address or ""


def _openai(args: argparse.Namespace) -> Service:
    from motion_gating.judges.openai_compatible import OpenAICompatibleService

    base_url = args.vlm_base_url or os.environ.get("OPENAI_BASE_URL")
    if not base_url:
        raise UsageError(
            "--judge openai needs --vlm-base-url URL (or OPENAI_BASE_URL), for example http://localhost:8000/v1."
        )
    service = OpenAICompatibleService(
        key=os.environ.get("OPENAI_API_KEY", "").strip() or None,
        model=args.vlm_model or "",
        base_url=_address("--vlm-base-url or OPENAI_BASE_URL", base_url),
        media=args.vlm_media,
        sampling_fps=args.sampling_fps,
        temperature=args.temperature,
    )
    if args.vlm_model:
        return service
    try:
        names = service.model_names(_call_timeout(args))
    except CallFailure as failure:
        reason = shown(failure.message, service.secrets)
        raise UsageError(f"--vlm-model is missing, and the server does not list its models: {reason}") from None
    if len(names) != 1:
        listed = shown(", ".join(names[:NAMED_MODELS]), service.secrets) or "none"
        raise UsageError(f"--vlm-model is missing, and the server lists {len(names)} models: {listed}. Name one.")
    if without_secrets(names[0], service.secrets) != names[0]:
        raise UsageError("--vlm-model is missing, and the server names a model after the key. Give --vlm-model.")
    return replace(service, model=names[0])
