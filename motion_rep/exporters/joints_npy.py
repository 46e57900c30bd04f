"""Joint positions over time as one numpy array, for code that measures or draws joints."""

from __future__ import annotations

import os

import numpy as np

from motion_rep.exporters.posed_motion import PosedMotion
from motion_rep.files.atomic_writing import atomic_path


def write_joints_npy(path: str | os.PathLike, motion: PosedMotion) -> None:
    """Write (T, 22, 3) float32 joint positions by forward kinematics, metres; ``numpy.load`` reads them."""
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.save(file, motion.joints().numpy().astype(np.float32), allow_pickle=False)
