"""The 22 body joints of the neutral SMPL-X body with zero betas: names, tree and places. Imports no library."""

from __future__ import annotations

JOINT_NAMES = (
    "pelvis", "left_hip", "right_hip", "spine1", "left_knee", "right_knee", "spine2", "left_ankle", "right_ankle",
    "spine3", "left_foot", "right_foot", "neck", "left_collar", "right_collar", "head", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist",
)  # fmt: skip
PARENTS = (-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19)

# Metres, y up, facing +z. Constants of the format, which always refers to this body; a test compares them with
# mannequin-x (Apache-2.0).
REST_JOINTS = (
    (0.0031232578, -0.35140747, 0.012036551),
    (0.06131266, -0.44417095, -0.013964634),
    (-0.06014422, -0.45531547, -0.00921382),
    (0.00036056433, -0.24151687, -0.015581081),
    (0.11600812, -0.8229243, -0.023360701),
    (-0.10435418, -0.81769556, -0.026037704),
    (0.009808259, -0.109663606, -0.021521065),
    (0.07255466, -1.2259837, -0.055236645),
    (-0.088937365, -1.2284234, -0.046229973),
    (-0.0015221555, -0.05742845, 0.0069258325),
    (0.119811974, -1.2839811, 0.06297968),
    (-0.12774976, -1.2867517, 0.072819024),
    (-0.013686612, 0.107738614, -0.024689507),
    (0.044842005, 0.027515277, -0.00029465044),
    (-0.049217083, 0.026910223, -0.0064740693),
    (0.011096872, 0.2681904, -0.0039522424),
    (0.16408102, 0.0852433, -0.01575559),
    (-0.15179482, 0.08043467, -0.019142598),
    (0.41820386, 0.013092782, -0.05821444),
    (-0.42294437, 0.04394219, -0.045609683),
    (0.67019063, 0.03631401, -0.060686525),
    (-0.6722118, 0.039409645, -0.06093487),
)


def _depths() -> tuple[int, ...]:
    depths: list[int] = []
    for parent in PARENTS:
        depths.append(0 if parent < 0 else depths[parent] + 1)
    return tuple(depths)


# Joints at the same depth of the tree are independent: one batched product per level.
LEVELS = tuple(
    tuple(j for j, depth in enumerate(_depths()) if depth == level) for level in range(1, max(_depths()) + 1)
)
