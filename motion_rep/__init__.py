"""Reference motions: HMR captures to the 276-dim representation, checked and drawn.

The names below are loaded on first use, so ``import motion_rep`` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from motion_rep.conversion.capture_to_motion import convert as convert
    from motion_rep.hmr_formats.reading import read_capture as read_capture
    from motion_rep.motions.figure import motion_figure as motion_figure
    from motion_rep.motions.motion_file import read_motion as read_motion
    from motion_rep.motions.motion_file import write_motion as write_motion

__version__ = "0.1.0"

_HOMES = {
    "convert": "motion_rep.conversion.capture_to_motion",
    "motion_figure": "motion_rep.motions.figure",
    "read_capture": "motion_rep.hmr_formats.reading",
    "read_motion": "motion_rep.motions.motion_file",
    "write_motion": "motion_rep.motions.motion_file",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'motion_rep' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
