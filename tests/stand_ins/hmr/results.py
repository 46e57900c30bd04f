"""What the stand-ins of the HMR systems share: reading the video they got, one turning person, and the ways to fail."""

import os
import pickle
import sys
import time
from pathlib import Path

import cv2
import numpy as np

sys.dont_write_bytecode = True
SMPL_PELVIS = np.array([-0.00179506, -0.22333382, 0.02821918])
SMPLX_PELVIS = np.array([0.00312326, -0.35140744, 0.01203655])


def video_frames(path):
    """How many frames a video has, and its (width, height)."""
    video = cv2.VideoCapture(str(path))
    count, size = 0, None
    while True:
        found, image = video.read()
        if not found:
            break
        count, size = count + 1, (image.shape[1], image.shape[0])
    assert count, f"{path}: cannot be read"
    return count, size


def person(count):
    """A person who walks to the right and turns, with the pelvis at (0.1 t, 0.2, 4): global orient (T, 3) and pelvis
    (T, 3).
    """
    time = np.arange(count) / 16
    orient = np.stack([np.full(count, np.pi - 0.1), 0.3 * time, 0 * time], 1)
    return orient.astype(np.float32), np.stack([0.1 * time, 0 * time + 0.2, 0 * time + 4], 1).astype(np.float32)


def matrices(rotvecs):
    """(..., 3) axis times angle to (..., 3, 3)."""
    flat = np.asarray(rotvecs, dtype=np.float64).reshape(-1, 3)
    return np.stack([cv2.Rodrigues(vector)[0] for vector in flat]).reshape(*np.shape(rotvecs), 3).astype(np.float32)


def maybe_fail():
    """Fail in one of the ways of the real programs, as STAND_IN_MODE says."""
    mode = os.environ.get("STAND_IN_MODE")
    if mode == "crash":
        sys.exit("CUDA out of memory")
    if mode == "no file":
        sys.exit(0)


def fail_at_the_end():
    """Fail after the result was written, or wait for ever as a viewer does."""
    mode = os.environ.get("STAND_IN_MODE")
    if mode == "late crash":
        sys.exit("CUDA error while drawing")
    if mode == "serve":
        print("viewer at http://localhost:8080", flush=True)
        while True:
            time.sleep(1)


def write_pickle(path, value):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        pickle.dump(value, file)
