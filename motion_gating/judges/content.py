"""Check whether a verdict applies to an entry's current content."""

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
    now = Content(
        motion=_digest(question.motion if judged.motion else None, lambda path: motion_digest(read_motion(path))),
        clip=_judged_clip(judged, question),
    )
    if question.description is not None:
        now = replace(now, text=text_digest(question.description))
    return judged.changed_in(now)


def _judged_clip(judged: Content, question: Question) -> str | None:
    """The digest of the judged clip; people may have seen another clip than a model sees."""
    found = [_digest(clip, clip_digest) for clip in (question.video, question.for_people) if judged.clip]
    return judged.clip if judged.clip in found else next(filter(None, found), None)


def _digest(location: Location | None, digest: Callable[[Path], str]) -> str | None:
    try:
        if location is None:
            return None
        with local_copy(location) as path:
            return digest(path)
    except InputError:
        return None
