"""Joint positions over time as a table for spreadsheets and statistics programs."""

from __future__ import annotations

import os

from motion_rep.exporters.posed_motion import PosedMotion
from motion_rep.files.atomic_writing import atomic_path
from motion_rep.kinematics.skeleton import JOINT_NAMES


def write_csv(path: str | os.PathLike, motion: PosedMotion) -> None:
    """Write one line per frame: number, seconds, then x, y and z of every joint in metres."""
    header = ["frame", "time_s", *(f"{name}_{axis}_m" for name in JOINT_NAMES for axis in "xyz")]
    with atomic_path(path) as temporary, open(temporary, "w", encoding="ascii", newline="") as file:
        file.write(",".join(header) + "\r\n")
        for number, joints in enumerate(motion.joints().flatten(1).tolist()):
            values = (f"{value:.6f}" for value in joints)
            file.write(f"{number},{number / motion.fps:.6f}," + ",".join(values) + "\r\n")
