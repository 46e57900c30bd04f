"""Compare the fitted body with the detected landmarks."""

from __future__ import annotations

import numpy as np

from motion_rep.captures.image_fit import CLOSE_TORSOS, ImageFit
from motion_rep.preview_capture import landmarks as lm
from motion_rep.preview_capture.body_fit import NEAREST_DEPTH, FittedBody
from motion_rep.preview_capture.landmarks import LandmarkTrack
from motion_rep.preview_capture.lifting import Lens
from motion_rep.preview_capture.markers import blazepose_markers
from motion_rep.preview_capture.sides import torso_sizes

VISIBLE, EVER_VISIBLE, UNSEEN_SHARE = 0.5, 0.5, 0.05


def match_image(
    body: FittedBody,
    seen: LandmarkTrack,
    lens: Lens,
    most_people: int = 1,
    changes: tuple[int, ...] = (),
    cuts: tuple[int, ...] = (),
) -> ImageFit:
    """How well T frames of a body match the T frames of landmarks from which it was made.

    Args:
        most_people, changes, cuts: as in the result.
    """
    markers = blazepose_markers()
    columns = [markers.landmark.tolist().index(landmark) for landmark in lm.LIMBS]
    placed = markers.place(body.pose()).T[:, columns]
    off = np.linalg.norm(_pixels(placed, lens) - seen.image[:, lm.LIMBS], axis=-1) / torso_sizes(seen.image)[:, None]
    visible = seen.visibility[:, lm.LIMBS] > VISIBLE
    close = (off < CLOSE_TORSOS) & visible
    per_frame = np.where(visible.any(1), close.sum(1) / np.maximum(visible.sum(1), 1), 1.0)
    misses = off[visible] if visible.any() else np.zeros(1)
    share = float(close.sum() / max(visible.sum(), 1))
    return ImageFit(per_frame, share, float(np.percentile(misses, 95)), most_people, changes, unseen_parts(seen), cuts)


def unseen_parts(seen: LandmarkTrack) -> tuple[str, ...]:
    """Names of the parts whose landmarks are visible in hardly any detected frame."""
    visibility = seen.visibility[seen.detected]
    return tuple(
        name
        for name, landmarks in lm.PARTS.items()
        if (visibility[:, landmarks].mean(1) > EVER_VISIBLE).mean() < UNSEEN_SHARE
    )


def _pixels(points: np.ndarray, lens: Lens) -> np.ndarray:
    flat = points[..., :2] / points[..., 2:].clip(NEAREST_DEPTH)
    pixels: np.ndarray = flat * lens.focal_length + (lens.width / 2, lens.height / 2)
    return pixels
