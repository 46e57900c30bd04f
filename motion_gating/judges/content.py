"""Whether a verdict is about an entry's present content."""

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

PARTS = ("motion", "clip", "text")


def changed_part(judged: Content | None, question: Question) -> str | None:
    """The part of a question that differs from the judged content; None where all known parts agree."""
    if judged is None:
        return None
    now = Content(
        motion=_digest(question.motion if judged.motion else None, lambda path: motion_digest(read_motion(path))),
        clip=_digest(question.video if judged.clip else None, clip_digest),
    )
    if question.description is not None:
        now = replace(now, text=text_digest(question.description))
    for part in PARTS:
        before, found = getattr(judged, part), getattr(now, part)
        if before is not None and found is not None and before != found:
            return part
    return None


def _digest(location: Location | None, digest: Callable[[Path], str]) -> str | None:
    try:
        if location is None:
            return None
        with local_copy(location) as path:
            return digest(path)
    except InputError:
        return None
