"""Controls that nearly match: one word of the description is changed, or the clip is reversed, mirrored or frozen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from motion_gating.evaluation.controls import Control
from motion_gating.judges.interface import Question
from motion_rep.files.locations import Location
from motion_rep.files.remote_files import local_copy
from motion_rep.runs.attempt import Failed, attempt
from motion_rep.video.reading import open_video
from motion_rep.video.writing import open_writer

MOST_FRAMES = 300
# Words of a description -> their replacements; only the first match is replaced, once.
SIDES = {"left": "right", "right": "left", "clockwise": "counter-clockwise"}
COUNTS = {"once": "three times", "twice": "five times", "two": "five", "three": "six", "four": "seven", "one": "four"}
VERBS = {
    **{"walks": "crawls", "runs": "crawls", "jumps": "sits down", "squats": "jumps", "waves": "claps", "kicks": "bows"},
    **{"throws": "kicks", "sits": "jumps", "stands up": "lies down", "raises": "lowers", "dances": "crawls"},
    **{"jumping jacks": "push-ups", "jumping jack": "push-up", "squat": "lunge", "cartwheel": "bow", "turns": "jumps"},
    **{"bends": "jumps", "bows": "kicks", "punches": "kicks", "crawls": "runs", "climbs": "sits", "does": "avoids"},
}
NEAR_MISSES = {"near miss: verb": VERBS, "near miss: count": COUNTS, "near miss: side": SIDES}
# A clip that is played backwards no longer matches its description if that contains one of these words.
DIRECTED = re.compile(
    r"\b(?:walk|run|crawl|climb|throw|jump(?:s|ing)? (?:over|forward|onto)|sit|stands? up|gets? up|lies? down|fall|"
    r"pick|lift|push|pull|forward|backward)\w*",
    re.IGNORECASE,
)
Frames = list[np.ndarray]


@dataclass(frozen=True)
class ClipChange:
    """A change of a clip, and the descriptions that it makes wrong."""

    kind: str
    change: Callable[[Frames], Frames]
    applies: Callable[[str], bool]


CHANGES = (
    ClipChange("clip reversed", lambda frames: frames[::-1], lambda text: DIRECTED.search(text) is not None),
    ClipChange(
        "clip mirrored",
        lambda frames: [np.ascontiguousarray(frame[:, ::-1]) for frame in frames],
        lambda text: re.search(r"\b(?:left|right)\b", text.lower()) is not None,
    ),
    ClipChange("clip frozen", lambda frames: frames[:1] * len(frames), lambda text: True),
)


def hard_controls(questions: Sequence[Question], count: int, folder: Path) -> Iterator[Control]:
    """Up to ``count`` controls of each kind, from the first suitable questions; changed clips go into ``folder``."""
    for kind, words in NEAR_MISSES.items():
        changed = ((question, near_miss(question.description or "", words)) for question in questions)
        fitting = [(question, text) for question, text in changed if text is not None]
        for question, text in fitting[:count]:
            yield Control(replace(question, description=text), question.identifier, kind)
    for change in CHANGES:
        fitting_questions = [question for question in questions if change.applies(question.description or "")]
        for number, question in enumerate(fitting_questions[:count]):
            target = folder / f"{change.kind.replace(' ', '_')}_{number}.mp4"
            if _changed_clip(question, change, target):
                yield Control(replace(question, video=target, motion=None), question.identifier, change.kind)


def near_miss(text: str, words: dict[str, str]) -> str | None:
    """The text with the first of the words replaced; None if it contains none of them."""
    found = [match for word in words if (match := re.search(rf"\b{word}\b", text, re.IGNORECASE)) is not None]
    if not found:
        return None
    first = min(found, key=lambda match: (match.start(), -match.end()))
    return text[: first.start()] + words[first[0].lower()] + text[first.end() :]


def _frames_and_rate(clip: Location) -> tuple[Frames, float]:
    """The frames, at most one more than a control may have, and the frames per second."""
    with local_copy(clip) as path, open_video(path) as video:
        return [frame for _, (_, frame) in zip(range(MOST_FRAMES + 1), video, strict=False)], video.fps


def _changed_clip(question: Question, change: ClipChange, target: Path) -> bool:
    """Write the changed clip; returns False if it cannot be read or is too long."""
    found = None if question.video is None else attempt(_frames_and_rate, question.video)
    if found is None or isinstance(found, Failed) or not 0 < len(found[0]) <= MOST_FRAMES:
        return False
    frames, fps = found
    with open_writer(target, frames[0].shape[1], frames[0].shape[0], fps) as writer:
        for frame in change.change(frames):
            writer.write(frame)
    return True
