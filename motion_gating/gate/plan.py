"""The planned calls of a run, for ``--dry-run``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from motion_gating.gate.gate import (
    GateOptions,
    count_entries,
    entries_to_examine,
    entries_with_metrics,
    judge_to_ask,
    question_of,
)
from motion_gating.judges.answers import prompt_for
from motion_gating.judges.cost import OUTPUT_TOKENS
from motion_gating.judges.interface import Judge, Model, Question
from motion_gating.metrics.entry_metrics import Measured
from motion_rep.common.errors import InputError, counted
from motion_rep.files.locations import Location
from motion_rep.files.remote_files import local_copy
from motion_rep.runs.engine import IN_THIS_PROCESS, Engine
from motion_rep.video.reading import frame_times, open_video

CHARACTERS_PER_TOKEN = 4


@dataclass
class _Plan:
    entries: int = 0
    questions: int = 0
    fewest_calls: int = 0
    most_calls: int = 0
    fewest_tokens: int = 0
    most_tokens: int = 0
    answered: int = 0
    by_people: int = 0
    skipped: int = 0
    unusable: int = 0


def plan_gate(options: GateOptions, judge: Judge | None, engine: Engine = IN_THIS_PROCESS) -> Iterator[str]:
    """Lines with the number of calls of a run, and their approximate number of prompt tokens.

    Computes metrics only if they affect the number of calls.
    """
    plan = _Plan()
    if judge is not None and options.skip_vlm_above_threshold:
        measured = entries_with_metrics(options, engine, count_entries(options))
    else:
        measured = ((entry, Measured(None)) for entry in entries_to_examine(options))
    for entry, figures in measured:
        plan.entries += 1
        asked = judge_to_ask(figures, options, judge)
        if asked is None:
            plan.skipped += judge is not None
            continue
        try:
            _add(plan, question_of(entry, options.fields, options.meta_json), asked)
        except InputError:
            plan.unusable += 1
    yield (
        f"{counted(plan.entries, 'entry', 'entries')}: {plan.by_people} judged by people, {plan.answered} "
        "answered in the cache, "
        f"{plan.skipped} rejected by jitter without a call, {plan.unusable} without a usable clip or description"
    )
    tokens = span(f"{plan.fewest_tokens:,}", f"{plan.most_tokens:,}")
    yield (
        f"{span(str(plan.fewest_calls), str(plan.most_calls))} calls about "
        f"{counted(plan.questions, 'entry', 'entries')}, about {tokens} "
        "prompt tokens without repeated calls; no call was made and nothing was written"
    )
    counts = (plan.fewest_calls, plan.most_calls), (plan.fewest_tokens, plan.most_tokens)
    yield from price_lines(None if judge is None else judge.model, *counts)


def price_lines(model: Model | None, calls: tuple[int, int], prompt_tokens: tuple[int, int]) -> Iterator[str]:
    """A line with the cost of the calls; none if the price is unknown or there are no calls.

    Args:
        calls, prompt_tokens: minimum and maximum.
    """
    price = None if model is None else model.meter.price
    if price is not None and calls[0]:
        least, most = (
            price.dollars(tokens, count * OUTPUT_TOKENS) for tokens, count in zip(prompt_tokens, calls, strict=True)
        )
        basis = f"at the prices of {price.as_of} ({OUTPUT_TOKENS} tokens an answer)"
        yield f"they cost {span(f'{least:.4f}', f'{most:.4f}')} dollars, {basis}"


def span(least: str, most: str) -> str:
    """Two numbers as a range, or one number if they are equal."""
    return least if least == most else f"{least} to {most}"


def _add(plan: _Plan, question: Question, judge: Judge) -> None:
    """Count a question.

    Raises:
        InputError: the question cannot be asked.
    """
    given, model = judge.people.get(str(question.identifier), ()), judge.model
    by_people = any(not human.says_nothing for human in given)
    if by_people or model is None:
        plan.by_people += by_people
        return
    missing = model.unanswered(question)
    if missing == 0:
        plan.answered += 1
        return
    plan.questions += 1
    plan.fewest_calls += missing
    plan.most_calls += missing + model.more_calls
    tokens = tokens_of(question, model)
    plan.fewest_tokens += missing * tokens
    plan.most_tokens += (missing + model.more_calls) * tokens


def tokens_of(question: Question, model: Model) -> int:
    """Prompt tokens of one call about a clip; only those of the text if the clip cannot be opened here."""
    text = len(prompt_for(question.description or "")) // CHARACTERS_PER_TOKEN
    if question.video is None:
        return text
    try:
        return text + model.estimate_tokens(*_video_size(question.video))
    except InputError:
        return text


def _video_size(path: Location) -> tuple[float, int, int]:
    with local_copy(path) as copy, open_video(copy) as video:
        return len(frame_times(copy)) / video.fps, video.width, video.height
