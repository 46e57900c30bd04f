"""Check whether an existing motion file is finished work of this run."""

from __future__ import annotations

from pathlib import Path

from motion_rep.common.errors import InputError
from motion_rep.common.outcomes import KEPT, MADE_AGAIN, UNCHANGED
from motion_rep.motions.motion_file import motion_clip
from motion_rep.motions.stamp import is_foreign, is_made_from
from motion_rep.safe_loading.torch_files import read_torch


def earlier_outcome(target: Path, made_from: str) -> str | None:
    """The outcome for an existing output; None if it is missing or unreadable (after a power failure)."""
    if not target.exists():
        return None
    try:
        value = read_torch(target)
    except InputError:
        return None
    # Before the checks of a motion: a file that a user edited may fail them, and must still not be replaced.
    if is_foreign(value):
        return KEPT
    try:
        motion_clip(value)
    except InputError:
        return None
    return UNCHANGED if is_made_from(value, made_from) else MADE_AGAIN
