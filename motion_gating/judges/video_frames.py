"""Still pictures from a clip, for models that accept no video."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import cv2

from motion_rep.common.errors import InputError
from motion_rep.video.reading import open_video

JPEG_QUALITY = 85
MOST_FRAMES = 256


def jpeg_frames(path: Path, fps: float) -> Iterator[tuple[float, bytes]]:
    """Pairs of (seconds, JPEG) at about ``fps``, evenly spaced in time.

    Raises:
        InputError: the clip cannot be read, or has more frames at this rate than a request can carry.
    """
    count, due = 0, 0.0
    with open_video(path) as video:
        for seconds, rgb in video:
            if seconds + 1e-6 < due:
                continue
            due = (math.floor((seconds + 1e-6) * fps) + 1) / fps  # after a pause, no frames are added to catch up
            if count == MOST_FRAMES:
                raise InputError(
                    f"{path}: has more than {MOST_FRAMES} frames at {fps:g} per second. Lower --sampling-fps."
                )
            count += 1
            bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
            yield seconds, cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
