"""Follow people through a video by the overlap of their boxes, for programs that do not track them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

# Smallest overlap (intersection over union) of a person's boxes in neighbouring frames, and the number of frames after
# which a missing person is forgotten.
MIN_OVERLAP = 0.1
MAX_FRAMES_AWAY = 15


@dataclass(frozen=True)
class Box:
    """A person in a frame: corner x, y (left, top), width and height, pixels."""

    frame: int
    corner_and_size: tuple[float, float, float, float]


def overlap(one: Box, other: Box) -> float:
    """Intersection over union, 0 to 1."""
    (ax, ay, aw, ah), (bx, by, bw, bh) = one.corner_and_size, other.corner_and_size
    width = max(0.0, min(ax + aw, bx + bw) - max(ax, bx))
    height = max(0.0, min(ay + ah, by + bh) - max(ay, by))
    union = aw * ah + bw * bh - width * height
    return width * height / union if union > 0 else 0.0


def link_boxes(boxes: Sequence[Box]) -> list[list[int]]:
    """Group boxes into people, each as indices in order of time; people in order of appearance.

    In each frame the pairs of (known person, box) with the largest overlap are matched first; remaining boxes start new
    people.

    Args:
        boxes: sorted by frame.
    """
    people: list[list[int]] = []
    for frame, group in itertools.groupby(range(len(boxes)), key=lambda index: boxes[index].frame):
        here = list(group)
        recent = [person for person in people if frame - boxes[person[-1]].frame <= MAX_FRAMES_AWAY]
        owners = _owners(boxes, recent, here)
        for index in here:
            if index in owners:
                recent[owners[index]].append(index)
            else:
                people.append([index])
    return people


def _owners(boxes: Sequence[Box], people: Sequence[list[int]], here: Sequence[int]) -> dict[int, int]:
    """Box index -> person index for one frame; boxes of new people are omitted."""
    pairs = [
        (overlap(boxes[person[-1]], boxes[index]), order, index)
        for order, person in enumerate(people)
        for index in here
    ]
    owners: dict[int, int] = {}
    for value, order, index in sorted(pairs, key=lambda pair: -pair[0]):
        if value >= MIN_OVERLAP and index not in owners and order not in owners.values():
            owners[index] = order
    return owners
