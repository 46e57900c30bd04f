"""The two networks of MediaPipe's legacy Pose on a plain TFLite runtime: people in an image, and a person's 33
landmarks.

The steps around the networks follow MediaPipe 0.10.21 (Apache-2.0): modules/pose_detection/pose_detection_cpu.pbtxt and
modules/pose_landmark/pose_landmark_by_roi_cpu.pbtxt of https://github.com/google-ai-edge/mediapipe/tree/v0.10.21.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from motion_rep.common.end_signals import signals_held
from motion_rep.common.optional_packages import optional_module
from motion_rep.preview_capture.landmarks import COUNT
from motion_rep.preview_capture.network_file import without_output

DETECTOR_SIZE, LANDMARK_SIZE, HEATMAP_SIZE = 224, 256, 64
DETECTOR_STRIDES = (8, 16, 32, 32, 32)
ANCHORS_PER_CELL = 2
# Low, for half bodies from behind; the landmark network confirms what is found.
SCORE_THRESHOLD, OVERLAP_THRESHOLD = 0.12, 0.3
REGION_SCALE = 1.25
HEATMAP_REACH, HEATMAP_CONFIDENCE = 3, 0.5
AUXILIARY_CENTRE, AUXILIARY_EDGE = 33, 34
# The landmark network's output that nothing reads, the person's outline; a third of the network computes only this.
OUTLINE = 2


@dataclass(frozen=True)
class Region:
    """A turned square of the image: centre and side in pixels, angle in radians (0 is upright)."""

    x: float
    y: float
    size: float
    angle: float

    @classmethod
    def around(cls, centre: np.ndarray, edge: np.ndarray) -> Region:
        """The square around a circle, given the circle's centre and its point above the head."""
        across, down = edge - centre
        angle = math.pi / 2 - math.atan2(-down, across)
        angle -= 2 * math.pi * math.floor((angle + math.pi) / (2 * math.pi))
        return cls(float(centre[0]), float(centre[1]), 2 * REGION_SCALE * math.hypot(across, down), angle)

    @property
    def axes(self) -> np.ndarray:
        """(2, 2) image axes from the region's axes."""
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        return np.array([[cosine, -sine], [sine, cosine]])

    def usable(self) -> bool:
        """Whether it can be cut out."""
        return all(map(math.isfinite, (self.x, self.y, self.size, self.angle))) and self.size > 2.0


@dataclass(frozen=True)
class FrameLandmarks:
    """Landmarks of one frame and where to look in the next one.

    image: (33, 2) pixels. world: (33, 3) metres. visibility: (33,) in 0..1. score: in 0..1, whether there is a person.
    """

    image: np.ndarray
    world: np.ndarray
    visibility: np.ndarray
    score: float
    next_region: Region


class PersonDetector:
    """Finds people in a whole image."""

    def __init__(self, path: Path) -> None:
        self._net = _interpreter(path.read_bytes())
        self._anchors = _anchors()
        outputs = {tuple(o["shape"])[-1]: o["index"] for o in self._net.get_output_details()}
        self._boxes, self._scores = outputs[12], outputs[1]

    def find(self, rgb: np.ndarray) -> list[tuple[float, Region]]:
        """Score and region of every person found, best first.

        Args:
            rgb: (height, width, 3) uint8
        """
        height, width = rgb.shape[:2]
        side = max(height, width)
        crop = (
            _cut(rgb, Region(width / 2, height / 2, side, 0.0), DETECTOR_SIZE, "zero").astype(np.float32) / 127.5 - 1.0
        )
        _run(self._net, crop)
        scores = _sigmoid(self._net.get_tensor(self._scores)[0, :, 0])
        likely = scores >= SCORE_THRESHOLD
        raw = self._net.get_tensor(self._boxes)[0][likely].astype(np.float64) / DETECTOR_SIZE
        boxes = np.concatenate((raw[:, :2] + self._anchors[likely], raw[:, 2:4]), axis=1)
        points = raw[:, 4:].reshape(-1, 4, 2) + self._anchors[likely][:, None]
        shift = np.array([(width - side) / 2, (height - side) / 2])
        return [
            (score, Region.around(p[0] * side + shift, p[1] * side + shift))
            for score, p in _merge(boxes, points, scores[likely])
        ]


def _merge(boxes: np.ndarray, points: np.ndarray, scores: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """Weighted non-maximum suppression: overlapping detections become one, weighted by score."""
    merged = []
    while len(scores):
        best = int(scores.argmax())
        same = _overlap(boxes, boxes[best]) > OVERLAP_THRESHOLD
        same[best] = True
        weight = scores[same] / scores[same].sum()
        merged.append((float(scores[best]), (points[same] * weight[:, None, None]).sum(0)))
        boxes, points, scores = boxes[~same], points[~same], scores[~same]
    return merged


def _overlap(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (n, 4) as centre and size with one box."""
    low = np.maximum(boxes[:, :2] - boxes[:, 2:] / 2, box[:2] - box[2:] / 2)
    high = np.minimum(boxes[:, :2] + boxes[:, 2:] / 2, box[:2] + box[2:] / 2)
    common = np.prod((high - low).clip(min=0), axis=1)
    return common / (np.prod(boxes[:, 2:], axis=1) + np.prod(box[2:]) - common + 1e-9)


class LandmarkNetwork:
    """Finds the 33 landmarks of the person in a region."""

    def __init__(self, path: Path) -> None:
        self._net = _interpreter(without_output(path.read_bytes(), OUTLINE))
        outputs = {tuple(o["shape"]): o["index"] for o in self._net.get_output_details()}
        self._points, self._score, self._heat, self._world = (
            outputs[s] for s in ((1, 195), (1, 1), (1, 64, 64, 39), (1, 117))
        )

    def read(self, rgb: np.ndarray, region: Region) -> FrameLandmarks:
        """Landmarks of the person in the region; the score says whether there is one.

        Args:
            rgb: (height, width, 3) uint8
        """
        _run(self._net, _cut(rgb, region, LANDMARK_SIZE, "edge").astype(np.float32) / 255.0)
        score, heat = (self._net.get_tensor(index)[0] for index in (self._score, self._heat))
        raw = self._net.get_tensor(self._points).reshape(39, 5).astype(np.float64)
        world = self._net.get_tensor(self._world).reshape(39, 3).astype(np.float64)
        place = _refine(raw[:, :2] / LANDMARK_SIZE, heat)
        image = (place - 0.5) * region.size @ region.axes.T + (region.x, region.y)
        world[:, :2] = world[:, :2] @ region.axes.T
        following = Region.around(image[AUXILIARY_CENTRE], image[AUXILIARY_EDGE])
        return FrameLandmarks(image[:COUNT], world[:COUNT], _sigmoid(raw[:COUNT, 3]), float(score[0]), following)


def _refine(points: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Points (39, 2) in 0..1, moved to the nearby centre of their heatmap (64, 64, 39) where the heatmap is
    confident.
    """
    cells = (points * HEATMAP_SIZE).astype(int)
    near = cells[..., None] + np.arange(-HEATMAP_REACH, HEATMAP_REACH + 1)
    columns, rows = near.clip(0, HEATMAP_SIZE - 1).transpose(1, 0, 2)
    there = (near >= 0) & (near < HEATMAP_SIZE)
    values = heat[rows[:, :, None], columns[:, None], np.arange(len(points))[:, None, None]]
    weight = _sigmoid(values.astype(np.float64)) * (there[:, 1, :, None] & there[:, 0, None])
    sure = (weight.max((1, 2)) >= HEATMAP_CONFIDENCE) & there[..., HEATMAP_REACH].all(1)
    total = np.maximum(weight.sum((1, 2)), 1e-9)[:, None]
    centre = np.stack(((weight.sum(1) * near[:, 0]).sum(1), (weight.sum(2) * near[:, 1]).sum(1)), axis=1)
    return np.where(sure[:, None], centre / total / HEATMAP_SIZE, points)


def _anchors() -> np.ndarray:
    """(2254, 2) centres of the detector's cells in 0..1; layers of the same stride share a grid."""
    grids = []
    for stride in sorted(set(DETECTOR_STRIDES)):
        cells = math.ceil(DETECTOR_SIZE / stride)
        y, x = np.mgrid[0:cells, 0:cells]
        centres = (np.stack((x, y), -1).reshape(-1, 2) + 0.5) / cells
        grids.append(np.repeat(centres, ANCHORS_PER_CELL * DETECTOR_STRIDES.count(stride), axis=0))
    return np.concatenate(grids)


def _cut(rgb: np.ndarray, region: Region, size: int, outside: str) -> np.ndarray:
    """The region as a (size, size, 3) uint8 image; outside, it is black ("zero") or repeats the edge ("edge")."""
    half = region.size / 2
    corners = np.array([[-half, -half], [half, -half], [-half, half]]) @ region.axes.T + (region.x, region.y)
    target = np.array([[0, 0], [size, 0], [0, size]], np.float32)
    border = cv2.BORDER_CONSTANT if outside == "zero" else cv2.BORDER_REPLICATE
    return cv2.warpAffine(
        rgb,
        cv2.getAffineTransform(corners.astype(np.float32), target),
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=border,
    )


def _interpreter(model: bytes) -> Any:
    runtime = optional_module("ai_edge_litert.interpreter", "ai-edge-litert", "the preview capture")
    with signals_held(), _silent_stderr():  # the line about a signal must be seen
        net = runtime.Interpreter(model_content=model, num_threads=1)
        net.allocate_tensors()
    return net


@contextlib.contextmanager
def _silent_stderr() -> Iterator[None]:
    """Mute stderr: the runtime's native code announces its delegate there, which users would mistake for a problem."""
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _run(net: Any, image: np.ndarray) -> None:
    net.set_tensor(net.get_input_details()[0]["index"], image[None])
    net.invoke()


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -80, 80)))
