"""Find where the tracker moved to another person: by jumps of the trunk and by the looks of torso and legs."""

from __future__ import annotations

import cv2
import numpy as np

from motion_rep.preview_capture import landmarks as lm
from motion_rep.preview_capture.landmarks import LandmarkTrack
from motion_rep.preview_capture.sides import torso_sizes

TRUNK = (lm.LEFT_SHOULDER, lm.RIGHT_SHOULDER, lm.LEFT_HIP, lm.RIGHT_HIP)
LEG_BONES = (
    (lm.LEFT_HIP, lm.LEFT_KNEE),
    (lm.RIGHT_HIP, lm.RIGHT_KNEE),
    (lm.LEFT_KNEE, lm.LEFT_ANKLE),
    (lm.RIGHT_KNEE, lm.RIGHT_ANKLE),
)
# Largest plausible speed in torso lengths per second (about 12 m/s); jumps below one torso length count as noise.
FASTEST_TORSOS, LEAST_JUMP_TORSOS = 24.0, 1.0
# Landmarks count if seen in both frames; if fewer than these are, all count.
VISIBLE, FEWEST_LANDMARKS = 0.5, 6
# The same person grows or shrinks by at most this factor at once, and by this factor more in every second out of sight.
LARGEST_GROWTH, GROWTH_PER_SECOND = 1.6, 2.0
# Looks: quantiles of luma, red and blue difference; light changes luma most, so it counts least.
QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
CHANNEL_WEIGHTS = np.array([0.5, 2.0, 2.0])[:, None]
LOOKS_SHAPE = (2, 3, len(QUANTILES))
FEWEST_PIXELS = 10
# Clothes of one person changed by up to 0.06 in half a second of somersaults and lunges; those of two people differ by
# 0.04 to 0.18. A person who was lost for a moment may come back as another one, so less is needed there.
OTHER_LOOKS, OTHER_LOOKS_AFTER_LOSS = 0.1, 0.07
LOOKS_SECONDS = 0.3


def looks_of(rgb: np.ndarray, image: np.ndarray) -> np.ndarray:
    """(2, 3, 5) colours of the torso and of the legs as quantiles of each channel; NaN where out of the picture.

    Args:
        rgb: (height, width, 3) uint8. image: (33, 2) landmarks, pixels.
    """
    across, down = (np.linspace(0.15, 0.85, 10)[:, None] for _ in range(2))
    left, right, left_hip, right_hip = image[list(TRUNK)]
    upper, lower = left + (right - left) * across, left_hip + (right_hip - left_hip) * across
    torso = upper[None] + (lower - upper)[None] * down[:, None]
    along = np.linspace(0.1, 0.9, 20)[:, None]
    legs = np.concatenate([image[a] + (image[b] - image[a]) * along for a, b in LEG_BONES])
    return np.stack([_colours(rgb, torso.reshape(-1, 2)), _colours(rgb, legs)])


def _colours(rgb: np.ndarray, points: np.ndarray) -> np.ndarray:
    x, y = points.round().astype(int).T
    inside = (x >= 0) & (x < rgb.shape[1]) & (y >= 0) & (y < rgb.shape[0])
    if inside.sum() < FEWEST_PIXELS:
        return np.full(LOOKS_SHAPE[1:], np.nan)
    pixels = cv2.cvtColor(rgb[y[inside], x[inside]][None], cv2.COLOR_RGB2YCrCb)[0] / 255.0
    return np.quantile(pixels, QUANTILES, axis=0).T


def person_changes(track: LandmarkTrack, fps: float, looks: np.ndarray | None = None) -> np.ndarray:
    """Numbers of the frames that show another person than the previous detected frame.

    Args:
        fps: frames per second.
        looks: (T, 2, 3, 5) of :func:`looks_of`, or None to judge by position alone.
    """
    seen = np.flatnonzero(track.detected)
    if len(seen) < 2:
        return seen[:0]
    moved, growth = _moves(track[seen])
    seconds = np.diff(seen) / fps
    most = np.log(LARGEST_GROWTH) + np.log(GROWTH_PER_SECOND) * (seconds - 1 / fps)
    changed = (moved > np.maximum(LEAST_JUMP_TORSOS, FASTEST_TORSOS * seconds)) | (growth > most)
    if looks is not None:
        lost = (seconds > 1.5 / fps) | (moved > LEAST_JUMP_TORSOS)
        changed |= _other_looks(looks[seen], lost, max(2, round(LOOKS_SECONDS * fps)))
    return seen[1:][changed]


def _moves(seen: LandmarkTrack) -> tuple[np.ndarray, np.ndarray]:
    """(S - 1,) movement of the trunk in torso lengths and (S - 1,) growth (absolute, logarithmic) to the next frame.

    Only landmarks visible in both frames count, so that guesses of hidden legs have no effect.
    """
    size = torso_sizes(seen.image)
    both = (seen.visibility[1:] > VISIBLE) & (seen.visibility[:-1] > VISIBLE)
    both[both.sum(1) < FEWEST_LANDMARKS] = True
    trunk = both & np.isin(np.arange(lm.COUNT), TRUNK)
    trunk = np.where(trunk.any(1, keepdims=True), trunk, both)
    path = (np.diff(seen.image, axis=0) * trunk[..., None]).sum(1) / trunk.sum(1)[:, None]
    before, after = (_extent(image, both) for image in (seen.image[:-1], seen.image[1:]))
    return np.linalg.norm(path, axis=-1) / np.minimum(size[1:], size[:-1]), np.abs(np.log(after / before))


def _extent(image: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(T,) root mean square distance of the chosen landmarks from their mean, pixels."""
    weight = chosen / chosen.sum(1, keepdims=True)
    away = image - (image * weight[..., None]).sum(1, keepdims=True)
    return np.sqrt(((away**2).sum(-1) * weight).sum(1)).clip(1)


def _other_looks(looks: np.ndarray, lost: np.ndarray, window: int) -> np.ndarray:
    """(S - 1,) bool: whether the mean looks of the frames before and after differ, at the largest difference nearby.

    Args:
        looks: (S, 2, 3, 5). lost: (S - 1,) bool, where the tracker had to search. window: frames.
    """
    apart = np.zeros(len(looks) - 1)
    for index in range(window, len(looks) - window + 1):
        apart[index - 1] = _distance(looks[index - window : index].mean(0), looks[index : index + window].mean(0))
    other = apart > np.where(lost, OTHER_LOOKS_AFTER_LOSS, OTHER_LOOKS)
    highest = np.array([apart[max(0, k - window) : k + window + 1].max() for k in range(len(apart))])
    return other & (apart >= highest)


def _distance(first: np.ndarray, second: np.ndarray) -> float:
    """Mean difference of the parts that both show; 0 if none."""
    apart = (np.abs(first - second) * CHANNEL_WEIGHTS).mean((1, 2))
    known = ~np.isnan(apart)
    return float(apart[known].mean()) if known.any() else 0.0


def parts_between(frames: int, edges: np.ndarray) -> list[slice]:
    """The parts of a clip between the frames that begin a new shot or a new person."""
    borders = [0, *sorted({int(edge) for edge in edges if 0 < edge < frames}), frames]
    return [slice(a, b) for a, b in zip(borders[:-1], borders[1:], strict=True)]


def longest_part(track: LandmarkTrack, parts: list[slice]) -> int:
    """Number of the part with the most detections."""
    return int(np.argmax([track.detected[part].sum() for part in parts]))
