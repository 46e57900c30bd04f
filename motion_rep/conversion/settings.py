"""Settings of the conversion.

This file does not import torch, so that commands start quickly.
"""

from __future__ import annotations

from dataclasses import dataclass

from motion_rep.hmr_results.names import LONGEST


@dataclass(frozen=True)
class Settings:
    """All settings that affect the result of a conversion."""

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
    refine: bool = False
