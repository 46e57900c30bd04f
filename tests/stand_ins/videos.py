"""Small videos for the tests: grey frames with coloured rectangles where people stand."""

from pathlib import Path

import cv2
import numpy as np

RED, BLUE = (30, 30, 220), (220, 30, 30)  # BGR


def write_video(path, frames, fps=16.0, size=(160, 120)):
    """``frames``: one list of (colour, x, y, w, h) per frame. Written as MPEG-4, which every OpenCV can do."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, size)
    assert writer.isOpened(), "this OpenCV cannot write MPEG-4"
    for people in frames:
        writer.write(draw_frame(people, size))
    writer.release()
    return path


def draw_frame(people, size):
    """A (H, W, 3) uint8 BGR image with one rectangle for each (colour, x, y, w, h)."""
    image = np.full((size[1], size[0], 3), 120, np.uint8)
    for colour, x, y, w, h in people:
        image[y : y + h, x : x + w] = colour
    return image


def one_person(count):
    """Frames with one person who walks to the right."""
    return [[(RED, 20 + 2 * number, 30, 30, 70)] for number in range(count)]
