"""Video pictures for every frame of a motion, scaled down and compressed, so that long clips fit into memory."""

from __future__ import annotations

import os

import cv2
import numpy as np

from motion_rep.video.reading import open_video

LONGER_SIDE = 480
QUALITY = 85


class VideoFrames:
    """Pictures of a video at a motion's times; ``frames[k]`` is (h, w, 3) uint8 RGB, or None after the video's end."""

    def __init__(self, packed: list[bytes], of_row: list[int | None]) -> None:
        self._packed = packed
        self._of_row = of_row

    def __len__(self) -> int:
        return len(self._of_row)

    def __getitem__(self, row: int) -> np.ndarray | None:
        number = self._of_row[row]
        if number is None:
            return None
        picture = cv2.imdecode(np.frombuffer(self._packed[number], np.uint8), cv2.IMREAD_COLOR)
        return None if picture is None else cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def read_video_frames(path: str | os.PathLike, rows: int, fps: float, start_time: float) -> VideoFrames:
    """Select the video frame at the time of each row of a motion.

    Raises:
        InputError: the video cannot be read.
    """
    wanted = [start_time + row / fps for row in range(rows)]
    packed: list[bytes] = []
    of_row: list[int | None] = []
    with open_video(path) as video:
        half = 0.5 / video.fps
        for time, rgb in video:
            if len(of_row) == rows:
                break
            shown_first = len(of_row)
            while len(of_row) < rows and wanted[len(of_row)] < time + half:
                of_row.append(len(packed))
            if len(of_row) > shown_first:
                packed.append(_packed(rgb))
    return VideoFrames(packed, of_row + [None] * (rows - len(of_row)))


def _packed(rgb: np.ndarray) -> bytes:
    scale = min(1.0, LONGER_SIDE / max(rgb.shape[:2]))
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[
        1
    ].tobytes()
