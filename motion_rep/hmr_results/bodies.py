"""Convert each system's body model and frame to that of a capture: neutral SMPL-X with zero betas, OpenCV axes."""

from __future__ import annotations

import torch
from torch import Tensor

from motion_rep.common.errors import InputError
from motion_rep.kinematics.frames import OPENCV_FROM_UP, basis
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.skeleton import JOINT_NAMES, pelvis_at_rest, rest_joints

# The pelvis of SMPL's neutral body v1.0.0 (basicModel_neutral_lbs_10_207_0_v1.0.0) at rest without shape, metres.
# Public in simulators' smpl_humanoid.xml (pelvis at -0.0018 -0.2233 0.0282) and in smpl_neutral_nobetas_24J.npz.
# 4D-Humans, WHAM and TRAM all use this release.
SMPL_PELVIS = (-0.00179506, -0.22333382, 0.02821918)

# How the pelvis of neutral SMPL-X at rest moves with each of the first ten betas, metres (x, y, z rows): it is lower in
# the model's axes for taller people. From mannequin-x 0.3 (Apache-2.0), joint_dirs[0] of smplx_calibration.npz.
SMPLX_PELVIS_BY_BETA = (
    (
        -8.69904907e-05, 2.67653348e-04, 1.98956972e-04, 2.64748291e-04, 1.19663666e-04,
        6.43828316e-05, 4.68688850e-05, -5.52125784e-05, 6.22796360e-05, 2.70389069e-06,
    ),
    (
        -2.05707867e-02, 1.07459887e-03, -1.01209665e-02, 3.72016127e-03, 1.82905712e-03,
        4.94111050e-03, -9.69827408e-04, -6.46396307e-04, -2.19631824e-03, -1.19016200e-04,
    ),
    (
        2.28887401e-03, 4.13536467e-03, 1.90774235e-03, -9.75980365e-05, -2.11918401e-03,
        3.23998835e-03, 9.59983736e-05, 2.34635256e-04, 1.67307945e-03, -3.58783553e-04,
    ),
)  # fmt: skip

SMPL_NOTE = (
    "SMPL's joint rotations are used for SMPL-X (without its two hand joints), with the pelvis at the same place; "
    "the two bodies' rest poses differ slightly"
)


def body_from_smpl(rotations: Tensor, transl: Tensor) -> BodyParameters:
    """SMPL or SMPL-H rotations (T, 22 or more, 3, 3), root first, and transl (T, 3); the pelvis keeps its position.

    The first 22 joints are the same in all three models (https://github.com/vchoutas/smplx, smplx/joint_names.py).
    """
    smpl_pelvis = torch.tensor(SMPL_PELVIS, dtype=transl.dtype)
    return BodyParameters(rotations[:, 0], rotations[:, 1:22], transl + smpl_pelvis - pelvis_at_rest(transl))


def body_from_smplx(rotations: Tensor, transl: Tensor, betas: Tensor | None = None) -> BodyParameters:
    """SMPL-X rotations (T, 22 or more, 3, 3), root first, transl (T, 3) and betas (T, 10 or more) of the neutral body.

    Betas move the pelvis at rest, and a capture has none: transl compensates, so that the pelvis keeps its position.
    """
    if betas is None:
        return BodyParameters(rotations[:, 0], rotations[:, 1:22], transl)
    directions = torch.tensor(SMPLX_PELVIS_BY_BETA, dtype=transl.dtype)
    if betas.shape[1] < directions.shape[1]:
        directions = directions[:, : betas.shape[1]]
    return BodyParameters(rotations[:, 0], rotations[:, 1:22], transl + betas[:, : directions.shape[1]] @ directions.T)


def y_down_from_y_up(path: BodyParameters) -> BodyParameters:
    """A gravity-aligned world with y up to one with OpenCV's axes, as a capture stores it."""
    return path.turned(basis(OPENCV_FROM_UP["y"], path.transl))


def y_down_from_z_up(path: BodyParameters) -> BodyParameters:
    """A gravity-aligned world with z up to one with OpenCV's axes."""
    return path.turned(basis(OPENCV_FROM_UP["z"], path.transl))


def with_mid_hip_at(path: BodyParameters, mid_hip: Tensor) -> BodyParameters:
    """The body moved so that the midpoint of its hips is at (T, 3)."""
    rest = rest_joints(path.transl.dtype)
    hips = (rest[JOINT_NAMES.index("left_hip")] + rest[JOINT_NAMES.index("right_hip")]) / 2
    pelvis = mid_hip - path.root @ (hips - rest[0])
    return path._replace(transl=pelvis - rest[0])


def neutral_betas(betas: Tensor, frames: int) -> Tensor:
    """Betas, given once or per frame, as (T, K)."""
    rows = betas.reshape(1, -1) if betas.ndim == 1 else betas
    if rows.ndim != 2 or rows.shape[0] not in (1, frames):
        raise InputError(
            f"betas has shape {tuple(betas.shape)}, expected one row, or one for each of the {frames} frames."
        )
    return rows.expand(frames, -1)
