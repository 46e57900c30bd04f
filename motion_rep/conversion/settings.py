"""How captures are converted, and how the conversion of one ended.

Nothing here needs torch, which only those who convert import.
"""

from __future__ import annotations

from dataclasses import dataclass

from motion_rep.hmr_results.names import LONGEST

CONVERTED, MADE_AGAIN, UNCHANGED, KEPT = "converted", "made again", "unchanged", "kept"


@dataclass(frozen=True)
class Settings:
    """What decides how a capture is converted."""

    fps: float | None = None
    target_fps: float | None = None
    extrinsic_format: str = "matrix"
    format: str = "auto"
    person: str = LONGEST
    space: str = "camera"
    trust_pickle: bool = False
    image_size: tuple[int, int] | None = None
    focal_length: float | None = None
    up: str | None = None
    units: str = "m"
    degrees: bool = False
    up_from: str = "capture"


@dataclass(frozen=True)
class Converted:
    """How a capture of a folder run ended: one of the words above, and notes for the user, one sentence each."""

    how: str
    notes: tuple[str, ...] = ()
