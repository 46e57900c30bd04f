"""Digests of what a verdict is about: the motion, the rendered clip and the description."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from motion_gating.judges.interface import Question
from motion_rep.common.errors import InputError
from motion_rep.files.local_files import file_sha256
from motion_rep.files.locations import Location
from motion_rep.files.remote_files import local_copy

MOTION, CLIP, TEXT = CONTENT_KEYS = ("motion", "clip", "text")
DIGEST_LENGTH = 64


def text_sha256(text: str) -> str:
    """Hex digest of a description."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def other_content(verdict_content: Mapping[str, str] | None, question: Question) -> str | None:
    """Which part of a question differs from what a verdict was given on; None where all parts that are known agree."""
    for name, digest in (verdict_content or {}).items():
        found = _digest(name, question)
        if found is not None and found != digest:
            return name
    return None


def _digest(name: str, question: Question) -> str | None:
    """The digest of a part of a question as it is now, None where it is not there."""
    if name == TEXT:
        return None if question.description is None else text_sha256(question.description)
    return _file_digest(question.motion if name == MOTION else question.video)


def _file_digest(location: Location | None) -> str | None:
    try:
        if location is None:
            return None
        with local_copy(location) as path:
            return file_sha256(path)
    except InputError:
        return None
