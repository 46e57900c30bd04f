"""The joints of one rendered entry, read from its eval file."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import SupportsFloat

import numpy as np

from motion_gating.archives.content import JOINTS_NOTE, JUDGE_SHA256, MOTION_DIGEST
from motion_gating.archives.fields import IMAGE_FIT, REFINED
from motion_rep.common.errors import InputError, counted, one_line
from motion_rep.common.rates import require_rate
from motion_rep.files.limits import require_frames
from motion_rep.safe_loading.torch_files import read_torch_arrays

# Metres; a larger distance means a damaged file, and squares of such numbers could overflow.
FARTHEST_JOINT = 1e6


@dataclass(frozen=True)
class JointClip:
    """Joint positions over time.

    Attributes:
        joints: (T, 22, 3) float64, metres, y up, floor at y = 0.
        fps: rate of the frames; None if unknown.
    """

    joints: np.ndarray
    fps: float | None

    def __post_init__(self) -> None:
        if self.joints.ndim != 3 or self.joints.shape[1:] != (22, 3):
            raise InputError(f"joints have shape {self.joints.shape}, expected (T, 22, 3). Render the entry again.")
        require_frames(len(self.joints))
        if len(self.joints) < 3:
            raise InputError(
                f"joints have {counted(len(self.joints), 'frame')}, expected 3 or more (jitter is a second "
                "difference). "
                "Use a longer clip."
            )
        if not np.isfinite(self.joints).all():
            raise InputError(
                "joints contain NaN or infinite numbers, expected metres. Convert and render the entry again."
            )
        if (farthest := float(np.abs(self.joints).max())) > FARTHEST_JOINT:
            raise InputError(
                f"joints are up to {farthest:.3g} metres away, expected at most {FARTHEST_JOINT:g}. Render again."
            )
        if self.fps is not None:
            require_rate(self.fps)


@dataclass(frozen=True)
class EvalFile:
    """A clip and its origin; None for values that the file does not store, as in files of the benchmark's own renderer.

    motion, video_sha256, judge_video_sha256: digests of the motion, of the video, and of the video for a judge.
    joints_note: a sentence if the joints are not those of the motion's columns.
    """

    clip: JointClip
    motion: str | None = None
    video_sha256: str | None = None
    refined: dict | None = None
    joints_note: str | None = None
    image_fit: dict | None = None
    judge_video_sha256: str | None = None


def read_joint_clip(path: str | os.PathLike) -> JointClip:
    """The joints and the frame rate of an eval file.

    Raises:
        InputError: unreadable, no ``joints``, wrong shape, NaN, fewer than 3 frames, an impossible frame rate.
    """
    return read_eval_file(path).clip


def read_eval_file(path: str | os.PathLike) -> EvalFile:
    """An eval file with the digests of its sources; errors as :func:`read_joint_clip`."""
    content = read_torch_arrays(path)
    if not isinstance(content, dict) or "joints" not in content:
        raise InputError(
            f"{path}: has no key joints, expected the eval file that render_mbench_videos.py writes. "
            "Render the entry again."
        )
    made = (content.get(name) for name in (MOTION_DIGEST, "video_sha256", JOINTS_NOTE, JUDGE_SHA256))
    try:
        clip = JointClip(joints=_float_array(content["joints"]), fps=_fps(content.get("fps")))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    motion, video, note, for_judge = (value if isinstance(value, str) else None for value in made)
    refined, fit = (found if isinstance(found := content.get(name), dict) else None for name in (REFINED, IMAGE_FIT))
    return EvalFile(clip, motion, video, refined, note, fit, for_judge)


def _float_array(value: object) -> np.ndarray:
    try:
        return value.detach().double().numpy() if hasattr(value, "detach") else np.asarray(value).astype(np.float64)
    except (TypeError, ValueError, RuntimeError):
        raise InputError(
            f"joints are a {type(value).__name__} that is not numbers, expected a (T, 22, 3) tensor. "
            "Render the entry again."
        ) from None


def _fps(value: object) -> float | None:
    if value is None:
        return None
    try:
        fps = float(value) if isinstance(value, SupportsFloat) else math.nan
    except (TypeError, ValueError, RuntimeError):
        fps = math.nan
    if not math.isfinite(fps):
        raise InputError(f"fps is {one_line(repr(value))[:60]}, expected a number or nothing. Render the entry again.")
    return fps
