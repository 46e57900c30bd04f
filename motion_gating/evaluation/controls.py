"""Negative controls: questions whose right answer is "no"; they need no labels."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from motion_gating.archives.archive import read_entries
from motion_gating.archives.fields import Fields
from motion_gating.evaluation.agreement import wilson_interval
from motion_gating.gate.gate import question_of
from motion_gating.judges.interface import Question, Verdict
from motion_rep.common.errors import UsageError
from motion_rep.files.locations import Location
from motion_rep.files.remote_files import is_there
from motion_rep.runs.attempt import Failed, attempt
from motion_rep.video.writing import open_writer

POOL_PER_CONTROL, SMALLEST_POOL = 4, 200
MOST_COMMON_WORDS = 0.5  # two descriptions with a larger share of common words may mean the same motion
OTHER_DESCRIPTION = "other description"
BLANK_SIZE, BLANK_FPS, BLANK_SECONDS, BLANK_GREY = 480, 20, 3, 128


@dataclass(frozen=True)
class Control:
    """A clip with a wrong description.

    description_of: id of the entry with this description.
    kind: the way in which it is wrong.
    """

    question: Question
    description_of: object
    kind: str = OTHER_DESCRIPTION


@dataclass(frozen=True)
class FalseAccepts:
    """The rate of wrong matches of a judge; the interval is Wilson's at 95 %."""

    asked: int
    decided: int
    accepted: int
    rate: float | None
    low: float | None
    high: float | None


def control_questions(meta_json: Location, fields: Fields, count: int, seed: int) -> list[Question]:
    """Questions about entries with a clip and a description, in random order; the same for the same seed."""
    chance = random.Random(seed)
    pool = _sample(_usable(meta_json, fields), max(count * POOL_PER_CONTROL, SMALLEST_POOL), chance)
    chance.shuffle(pool)
    return pool


def choose_controls(meta_json: Location, fields: Fields, count: int, seed: int) -> list[Control]:
    """Clips, each with a different description from another entry; the same for the same seed.

    Raises:
        UsageError: fewer than two entries with a clip and a description, or only equal descriptions.
    """
    pool, chance = control_questions(meta_json, fields, count, seed), random.Random(f"controls {seed}")
    controls = [control for question in pool if (control := _mismatched(question, pool, chance)) is not None]
    if not controls:
        raise UsageError(
            f"{meta_json}: controls need two rendered entries with different descriptions. Render more entries."
        )
    return controls[:count]


def write_blank_clip(path: Path) -> Path:
    """Write a plain grey clip; the same bytes each time, so that its answer is cached."""

    with open_writer(path, BLANK_SIZE, BLANK_SIZE, BLANK_FPS) as writer:
        frame = np.full((BLANK_SIZE, BLANK_SIZE, 3), BLANK_GREY, np.uint8)
        for _ in range(BLANK_FPS * BLANK_SECONDS):
            writer.write(frame)
    return path


def false_accepts(verdicts: Iterable[Verdict]) -> FalseAccepts:
    """The false-accept rate, without undecided answers."""
    matches = [verdict.matches for verdict in verdicts]
    decided, accepted = len(matches) - matches.count(None), matches.count(True)
    low, high = wilson_interval(accepted, decided) or (None, None)
    return FalseAccepts(len(matches), decided, accepted, accepted / decided if decided else None, low, high)


def _usable(meta_json: Location, fields: Fields) -> Iterator[Question]:
    for entry in read_entries(meta_json):
        question = attempt(lambda one: question_of(one, fields, meta_json), entry)
        if isinstance(question, Failed) or question.description is None or question.video is None:
            continue
        if attempt(is_there, question.video) is True:
            yield question


def _sample(questions: Iterable[Question], size: int, chance: random.Random) -> list[Question]:
    """A uniform random sample of at most ``size`` items, in one pass."""
    pool: list[Question] = []
    for number, question in enumerate(questions):
        if number < size:
            pool.append(question)
        elif (place := chance.randrange(number + 1)) < size:
            pool[place] = question
    return pool


def _mismatched(question: Question, pool: list[Question], chance: random.Random) -> Control | None:
    """The clip with a random description that shares few words with its own; None if all are too similar."""
    own = _words(question.description or "")
    for other in chance.sample(pool, len(pool)):
        words = _words(other.description or "")
        if len(own & words) <= MOST_COMMON_WORDS * min(len(own), len(words)) and own != words:
            return Control(replace(question, description=other.description), other.identifier)
    return None


def _words(text: str) -> frozenset[str]:
    """The words that probably carry meaning: four letters or more."""
    words = frozenset(re.findall(r"\w+", text.lower()))
    return (
        frozenset(word for word in words if len(word) >= 4) - {"person", "someone", "their", "with", "while", "then"}
        or words
    )
