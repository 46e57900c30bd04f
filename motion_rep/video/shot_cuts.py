"""Find the cuts between the shots of a video from its frames, without decoding them again."""

from __future__ import annotations

import cv2
import numpy as np

SIDE, BINS = 32, 4
# Sampled before shrinking, so that a large picture costs no more than a small one.
SAMPLED_SIDE = 128
# Grey levels of noise: an empty picture has no structure to compare.
NOISE = 3.0
# A cut changes structure and colours together by LEAST_CHANGE, and structure by LEAST_STRUCTURE: switching a light
# changes only the colours. A fast camera changes much, too, but in neighbouring frames as well.
LEAST_CHANGE, LEAST_STRUCTURE, TIMES_NEIGHBOURS = 0.4, 0.15, 4.0
NEIGHBOURS = 5
# A picture that comes back within this many frames was interrupted (a flash, an empty frame), not cut.
LONGEST_INTERRUPTION = 15


class ShotWatcher:
    """Looks at every frame of a video once, in order; afterwards, it lists the cuts."""

    def __init__(self) -> None:
        self._thumbnails: list[np.ndarray] = []
        self._changes: list[tuple[float, float]] = []

    def look(self, rgb: np.ndarray) -> bool:
        """Whether the frame may be the first of a new shot, judged only by the previous frame.

        Args:
            rgb: (height, width, 3) uint8
        """
        self._thumbnails.append(_thumbnail(rgb))
        if len(self._thumbnails) == 1:
            return False
        self._changes.append(_difference(*self._thumbnails[-2:]))
        return _is_large(*self._changes[-1])

    def cuts(self) -> tuple[int, ...]:
        """Numbers of the frames that begin a new shot.

        A flash is not a cut: the picture after it resembles the one before it.
        """
        total = np.array([sum(pair) for pair in self._changes])
        return tuple(
            index + 1
            for index, pair in enumerate(self._changes)
            if _is_large(*pair) and total[index] > TIMES_NEIGHBOURS * _usual(total, index) and not self._returns(index)
        )

    def _returns(self, index: int) -> bool:
        """Whether the change after frame ``index`` is undone soon, or undoes one that came shortly before."""
        before, after = self._thumbnails[index], self._thumbnails[index + 1]
        later = self._thumbnails[index + 2 : index + 2 + LONGEST_INTERRUPTION]
        earlier = self._thumbnails[max(0, index - LONGEST_INTERRUPTION) : index]
        return any(not _is_large(*_difference(before, picture)) for picture in later) or any(
            not _is_large(*_difference(picture, after)) for picture in earlier
        )


def _thumbnail(rgb: np.ndarray) -> np.ndarray:
    step = max(1, min(rgb.shape[:2]) // SAMPLED_SIDE)
    return cv2.resize(rgb[::step, ::step], (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _difference(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Change of structure (0 equal, 1 unrelated) and of the colour histogram (0 to 1)."""
    structure = 0.5 * ((_structure(first) - _structure(second)) ** 2).mean()
    colours = 0.5 * np.abs(_histogram(first) - _histogram(second)).sum()
    return float(structure), float(colours)


def _structure(thumbnail: np.ndarray) -> np.ndarray:
    grey = thumbnail.mean(-1)
    return (grey - grey.mean()) / np.sqrt(grey.var() + NOISE**2)


def _histogram(thumbnail: np.ndarray) -> np.ndarray:
    counts = cv2.calcHist([thumbnail], [0, 1, 2], None, [BINS] * 3, [0, 256] * 3).ravel()
    return counts / counts.sum()


def _is_large(structure: float, colours: float) -> bool:
    return structure > LEAST_STRUCTURE and structure + colours > LEAST_CHANGE


def _usual(changes: np.ndarray, index: int) -> float:
    """The median change of the neighbouring frames."""
    around = np.concatenate((changes[max(0, index - NEIGHBOURS) : index], changes[index + 1 : index + 1 + NEIGHBOURS]))
    return float(np.median(around)) if len(around) else 0.0
