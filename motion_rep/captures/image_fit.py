"""How well a captured body matches the person in the image, as stored in a capture file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from motion_rep.common.errors import InputError

# A landmark matches if its error is at most this share of the torso's length in the image.
CLOSE_TORSOS = 0.2


@dataclass(frozen=True)
class ImageFit:
    """How well the body fits the visible landmarks of a clip.

    per_frame: (T,) share of visible limb landmarks within 0.2 torso lengths; 1 in a frame without any.
    share: the same over the clip. miss_95: 95th percentile of the distance, in torso lengths.
    most_people: the largest number of people seen at once.
    changes: source frames at which the tracker switched to another person; the capture ends or starts there.
    unseen: body parts that were never visible.
    cuts: source frames that begin a new shot; the capture ends or starts there.
    """

    per_frame: np.ndarray
    share: float
    miss_95: float
    most_people: int = 1
    changes: tuple[int, ...] = ()
    unseen: tuple[str, ...] = ()
    cuts: tuple[int, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """The keys of a capture file."""
        return {
            "image_fit": self.share,
            "image_fit_per_frame": self.per_frame.astype(np.float32),
            "image_miss_95": self.miss_95,
            "most_people": self.most_people,
            "person_changes": list(self.changes),
            "unseen": list(self.unseen),
            "shot_cuts": list(self.cuts),
        }

    def summary(self) -> dict[str, Any]:
        """The figures of the clip as plain values, for motion and eval files."""
        kept = self.to_dict()
        del kept["image_fit_per_frame"]
        return kept

    def __str__(self) -> str:
        parts = [
            f"{self.share:.0%} of visible landmarks within {CLOSE_TORSOS:g} torso lengths "
            f"(95 % within {self.miss_95:.2f})"
        ]
        if self.most_people > 1:
            parts.append(f"{self.most_people} people in view")
        if self.cuts:
            parts.append(f"new shot at frame {', '.join(map(str, self.cuts))}")
        if self.changes:
            parts.append(f"person changes at frame {', '.join(map(str, self.changes))}")
        if self.unseen:
            parts.append(f"never seen: {', '.join(self.unseen)}")
        return "; ".join(parts)


def stored_image_fit(capture: object) -> ImageFit | None:
    """The image fit in a capture file's contents, or None if absent.

    Raises:
        InputError: the stored values are not as documented.
    """
    if not isinstance(capture, Mapping) or capture.get("image_fit") is None:
        return None
    try:
        fit = ImageFit(
            np.asarray(capture.get("image_fit_per_frame", ()), np.float64).reshape(-1),
            float(capture["image_fit"]),
            float(capture.get("image_miss_95", 0.0)),
            int(capture.get("most_people", 1)),
            tuple(int(frame) for frame in capture.get("person_changes", ())),
            tuple(str(part)[:40] for part in capture.get("unseen", ())),
            tuple(int(frame) for frame in capture.get("shot_cuts", ())),
        )
    except (TypeError, ValueError):
        raise InputError("image_fit is not a number with its details. Capture the video again.") from None
    if not (0 <= fit.share <= 1 and math.isfinite(fit.miss_95)):
        raise InputError(f"image_fit is {fit.share:g}, expected 0 to 1. Capture the video again.")
    return fit
