"""SMPL-X parameters under AMASS's key names, for viewers and code that read AMASS."""

from __future__ import annotations

import os

import numpy as np

from motion_rep.exporters.posed_motion import PosedMotion
from motion_rep.files.atomic_writing import atomic_path
from motion_rep.kinematics.rotations import continuous_rotvecs

BETAS = 16


def write_amass_npz(path: str | os.PathLike, motion: PosedMotion) -> None:
    """Write an npz as https://github.com/nghorbani/moshpp does for SMPL-X: neutral body, zero betas, face and hands at
    rest.

    The frame rate is stored under both of AMASS's key names; ``up_axis`` names the up axis.
    """
    with atomic_path(path) as temporary:
        np.savez(temporary, allow_pickle=False, **amass_arrays(motion))


def amass_arrays(motion: PosedMotion) -> dict[str, np.ndarray]:
    """The arrays of the file, float64; rotations as rotation vectors in radians, ``trans`` in metres (pelvis = J0 +
    trans).
    """
    frames = len(motion)
    root = continuous_rotvecs(motion.parameters.root).numpy()
    body = continuous_rotvecs(motion.parameters.body).flatten(1).numpy()
    face, hands = np.zeros((frames, 9)), np.zeros((frames, 90))
    return {
        "gender": np.array("neutral"),
        "surface_model_type": np.array("smplx"),
        "mocap_frame_rate": np.array(float(motion.fps)),
        "mocap_framerate": np.array(float(motion.fps)),
        "mocap_time_length": np.array(frames / motion.fps),
        "up_axis": np.array(motion.frame[0]),
        "trans": motion.parameters.transl.numpy(),
        "poses": np.concatenate((root, body, face, hands), axis=1),
        "betas": np.zeros(BETAS),
        "num_betas": np.array(BETAS),
        "root_orient": root,
        "pose_body": body,
        "pose_hand": hands,
        "pose_jaw": face[:, :3],
        "pose_eye": face[:, 3:],
    }
