"""Stand-in for ultralytics: red and blue rectangles are people; their order changes with every frame."""

import numpy as np
import torch


class _Boxes:
    def __init__(self, boxes, scores):
        self.xyxy, self.conf = (
            torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
            torch.tensor(scores, dtype=torch.float32),
        )


class _Result:
    def __init__(self, boxes):
        self.boxes = boxes


class YOLO:
    def __init__(self, model):
        assert model == "./pretrained_models/yolov8x.pt"
        self.calls = 0

    def predict(self, source, *, device, classes, conf, save, verbose):
        assert source.dtype == np.uint8 and source.ndim == 3 and source.flags["C_CONTIGUOUS"]
        assert (device, classes, conf, save, verbose) == ("cpu", 0, 0.5, False, False)
        self.calls += 1
        blue, red = source[:, :, 0].astype(int), source[:, :, 2].astype(int)
        people = [
            (_box(mask), score) for mask, score in ((red - blue > 90, 0.8), (blue - red > 90, 0.9)) if mask.sum() > 30
        ]
        people = people[:: -1 if self.calls % 2 else 1]
        return [_Result(_Boxes([box for box, _ in people], [score for _, score in people]))]


def _box(mask):
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    return [float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)]
