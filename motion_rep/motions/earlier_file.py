"""Whether a motion file that is there already is this run's finished work."""

from __future__ import annotations

from pathlib import Path

from motion_rep.common.errors import InputError
from motion_rep.common.outcomes import KEPT, MADE_AGAIN, UNCHANGED
from motion_rep.motions.motion_file import motion_clip
from motion_rep.motions.stamp import is_foreign, is_made_from
from motion_rep.safe_loading.torch_files import read_torch


def earlier_outcome(target: Path, made_from: str) -> str | None:
    """How a file that is there ends this run.

    None where there is none, or one that cannot be read (a power failure left it).
    """
    if not target.exists():
        return None
    try:
        value = read_torch(target)
    except InputError:
        return None
    # Before the checks of a motion: somebody's edited file may fail them, and is theirs all the same.
    if is_foreign(value):
        return KEPT
    try:
        motion_clip(value)
    except InputError:
        return None
    return UNCHANGED if is_made_from(value, made_from) else MADE_AGAIN
