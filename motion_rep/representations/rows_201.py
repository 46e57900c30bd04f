"""The 201 numbers per frame of HY-Motion 1.0: y up, 30 fps, T rows for T frames.

Columns: 0:3 transl, 3:9 root rotation, 9:135 rotations of the other 21 joints (first two columns, as in the 276),
135:201 the 22 posed joints without translation. https://github.com/Tencent-Hunyuan/HY-Motion-1.0
"""

from __future__ import annotations

import torch
from torch import Tensor

from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.rotations import matrix_to_rot6d, rot6d_to_matrix

WIDTH = 201
TRANSL, ROTATIONS, JOINTS = slice(0, 3), slice(3, 135), slice(135, 201)


def encode_201(parameters: BodyParameters) -> Tensor:
    """Encode T frames of a y-up body as (T, 201)."""
    rotations = torch.cat((parameters.root[:, None], parameters.body), dim=1)
    still = parameters._replace(transl=torch.zeros_like(parameters.transl))
    return torch.cat((parameters.transl, matrix_to_rot6d(rotations).flatten(1), still.joints().flatten(1)), dim=1)


def decode_201(motion: Tensor) -> tuple[BodyParameters, Tensor]:
    """Decode (T, 201) to the y-up body and the stored joints (T, 22, 3) without translation."""
    rotations = rot6d_to_matrix(motion[:, ROTATIONS].unflatten(1, (22, 6)))
    return BodyParameters(rotations[:, 0], rotations[:, 1:], motion[:, TRANSL]), motion[:, JOINTS].unflatten(1, (22, 3))
