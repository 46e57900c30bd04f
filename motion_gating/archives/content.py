"""Digests of the motion, the clip and the text of a decision, which prevent using it for other content.

The digest of a motion covers its rows and its rate, not the file: a copy, or a file with other notes, is the same
motion.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass, field

from motion_gating.archives.archive import claims_use
from motion_gating.archives.fields import JUDGED_CONTENT, MOTION_PATH, PROMPT, USE_REF_MOTION
from motion_gating.archives.texts import text_of
from motion_rep.common.errors import InputError
from motion_rep.files.local_files import file_sha256
from motion_rep.files.locations import Location, resolve_from
from motion_rep.files.remote_files import local_copy
from motion_rep.motions.motion_file import MotionClip, read_motion

DIGITS = 32
# Keys of an eval file.
MOTION_DIGEST, JOINTS_NOTE, JUDGE_SHA256 = "motion_digest", "joints_note", "judge_video_sha256"


@dataclass(frozen=True)
class Content:
    """Hex digests of the judged content; None if an entry has no such file, or it was not read.

    text_field: the entry field from which the text came.
    """

    motion: str | None = None
    clip: str | None = None
    text: str | None = None
    text_field: str | None = field(default=None, compare=False)

    def as_dict(self) -> dict[str, str | None]:
        """The values for a record or an entry."""
        return asdict(self)

    def changed_in(self, now: Content) -> str | None:
        """The first part that differs; a part that is unknown in either counts as unchanged."""
        for part in ("motion", "clip", "text"):
            judged, found = getattr(self, part), getattr(now, part)
            if judged is not None and found is not None and judged != found:
                return part
        return None


def content_from(value: object) -> Content | None:
    """The inverse of :meth:`Content.as_dict`; None for other values."""
    names = ("motion", "clip", "text", "text_field")
    if not isinstance(value, dict) or not all(isinstance(value.get(name), str | None) for name in names):
        return None
    return Content(*(value.get(name) for name in names))


def motion_digest(clip: MotionClip) -> str:
    """The digest of a motion's (N, 276) float32 rows, and of its rate if known."""
    rows = clip.motion.detach().cpu().float().contiguous().numpy()
    rate = "" if clip.fps is None else f"{clip.fps:.6g}"
    return hashlib.sha256(f"{rows.shape} {rate} ".encode() + rows.tobytes()).hexdigest()[:DIGITS]


def clip_digest(path: str | os.PathLike) -> str:
    """The digest of a rendered clip's bytes."""
    return file_sha256(path)[:DIGITS]


def text_digest(text: str) -> str:
    """The digest of a description without leading and trailing space."""
    return hashlib.sha256(text.strip().encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]


def why_no_decision(entry: dict) -> str | None:
    """The fault of a decision that is neither true nor false; None if it is one of them, or there is none."""
    value = entry.get(USE_REF_MOTION)
    if value is None or isinstance(value, bool):
        return None
    return f"{USE_REF_MOTION} is {value!r:.60}, expected true or false"


def why_not_judged(entry: dict, motion: str | None) -> str | None:
    """The reason why an entry's decision is about other content; None if it is about this content, or has no digests.

    Args:
        motion: the digest of the entry's current motion.
    """
    if (why := why_no_decision(entry)) is not None:
        return why
    judged = content_from(entry.get(JUDGED_CONTENT))
    if judged is None:
        return None
    if judged.motion is not None and judged.motion != motion:
        return "the motion was replaced after it was judged"
    text = text_of(entry, judged.text_field or PROMPT)
    if judged.text is not None and (text is None or text_digest(text) != judged.text):
        return "the text was changed after it was judged"
    return None


def is_stale(entry: dict, archive: Location) -> bool:
    """Whether an entry that this run does not examine has a ``true`` about other content or without a motion."""
    if not claims_use(entry):
        return False
    try:
        with local_copy(resolve_from(str(entry.get(MOTION_PATH) or ""), archive)) as path:
            return why_not_judged(entry, motion_digest(read_motion(path))) is not None
    except InputError:
        return True
