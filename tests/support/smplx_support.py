"""A body in the schema of SMPL-X's file, made up."""

from __future__ import annotations

import numpy as np

SMPLX_VERTICES = 10475


def smplx_arrays() -> dict[str, np.ndarray]:
    """The arrays of the fixture ``smplx_file``."""
    from motion_rep.kinematics.skeleton import PARENTS, REST_JOINTS

    parents = [*PARENTS, 15, 15, 15, *(20 + i % 2 for i in range(30))]
    joints = np.array(
        [*REST_JOINTS, *[(0.0, 0.3, 0.05)] * 3, *[(0.72, 0.03, -0.06), (-0.72, 0.03, -0.06)] * 15], np.float32
    )
    template, weights = np.tile(joints[0], (SMPLX_VERTICES, 1)), np.zeros((SMPLX_VERTICES, 55), np.float32)
    template[:55] = joints
    weights[:, 0] = 1.0
    weights[:55] = np.eye(55)
    regressor = np.zeros((55, SMPLX_VERTICES), np.float32)
    regressor[:, :55] = np.eye(55)
    return {
        "v_template": template,
        "f": np.array([[0, 1, 2], [3, 6, 9], [12, 13, 14]], np.uint32),
        "weights": weights,
        "J_regressor": regressor,
        "kintree_table": np.array([parents, range(55)], np.int64),
        "shapedirs": np.zeros((SMPLX_VERTICES, 3, 400), np.float16),
        "posedirs": np.zeros((SMPLX_VERTICES, 3, 486), np.float16),
        "hands_meanl": np.full(45, 0.1, np.float32),
        "hands_meanr": np.full(45, -0.1, np.float32),
        "hands_componentsl": np.eye(45, dtype=np.float32),
        "hands_componentsr": np.eye(45, dtype=np.float32),
        "lmk_faces_idx": np.zeros(51, np.int64),
        "lmk_bary_coords": np.full((51, 3), 1 / 3, np.float32),
        "dynamic_lmk_faces_idx": np.zeros((79, 17), np.int64),
        "dynamic_lmk_bary_coords": np.full((79, 17, 3), 1 / 3, np.float32),
    }
