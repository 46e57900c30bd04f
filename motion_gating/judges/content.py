"""Check whether a verdict, and what a judge reads, are about the content that was measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from motion_gating.archives.content import Content, clip_digest, motion_digest, text_digest
from motion_gating.judges.interface import Question
from motion_rep.common.errors import InputError
from motion_rep.files.locations import Location
from motion_rep.files.remote_files import local_copy
from motion_rep.motions.motion_file import read_motion


def changed_part(judged: Content | None, question: Question) -> str | None:
    """The part of a question that differs from the judged content; None if all known parts agree."""
    if judged is None:
        return None
    motion = question.motion if judged.motion else None
    now = Content(
        motion=question.measured.motion or _digest(motion, lambda path: motion_digest(read_motion(path))),
        clip=_judged_clip(judged, question),
    )
    if question.description is not None:
        now = replace(now, text=text_digest(question.description))
    return judged.changed_in(now)


def _judged_clip(judged: Content, question: Question) -> str | None:
    """The digest of the judged clip; people may have seen another clip than a model sees."""
    if judged.clip is None:
        return None
    found = [question.measured.clip or _digest(question.video, clip_digest), _digest(question.for_people, clip_digest)]
    return judged.clip if judged.clip in found else next(filter(None, found), None)


def require_measured(question: Question, read: Content) -> None:
    """Check that a judge reads the content that was measured.

    Raises:
        InputError: a file was replaced between the two.
    """
    if (part := question.measured.changed_in(read)) is not None:
        raise InputError(f"the {part} was replaced after it was measured. Re-run the command.")


def _digest(location: Location | None, digest: Callable[[Path], str]) -> str | None:
    try:
        if location is None:
            return None
        with local_copy(location) as path:
            return digest(path)
    except InputError:
        return None
