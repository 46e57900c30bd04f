"""Figures in metres and seconds, which are comparable across frame rates, on joints (T, 22, 3) in metres, y up."""

from __future__ import annotations

import numpy as np

from motion_rep.kinematics.vectors import lengths, unit

PELVIS, LEFT_HIP, RIGHT_HIP, SPINE, NECK, HEAD = 0, 1, 2, 3, 12, 15
TOES, ANKLES = (10, 11), (7, 8)
LOW_TOE = 0.05  # metres
SKATING = 0.2  # metres per second
FLOATING = 0.005  # metres
Y_UP = np.array([0.0, 1.0, 0.0])
ANKLE_HEIGHT = 0.06  # metres above the sole
LIFTED_FOOT = 0.04  # metres

# Segments from joint to joint, with their share of the mass and the position of their centre from the first joint:
# de Leva, "Adjustments to Zatsiorsky-Seluyanov's segment inertia parameters", 1996, for the joints of this skeleton.
SEGMENTS = (
    (NECK, HEAD, 0.0694, 0.9),
    (PELVIS, NECK, 0.4346, 0.55),
    *((shoulder, elbow, 0.0271, 0.577) for shoulder, elbow in ((16, 18), (17, 19))),
    *((elbow, wrist, 0.0223, 0.6) for elbow, wrist in ((18, 20), (19, 21))),
    *((hip, knee, 0.1416, 0.41) for hip, knee in ((1, 4), (2, 5))),
    *((knee, ankle, 0.0433, 0.446) for knee, ankle in ((4, 7), (5, 8))),
    *((ankle, toe, 0.0137, 0.5) for ankle, toe in ((7, 10), (8, 11))),
)

# (22,) the weight of each joint's position in the centre of mass.
MASSES = np.zeros(22)
for _start, _end, _mass, _place in SEGMENTS:
    MASSES[_start] += _mass * (1 - _place)
    MASSES[_end] += _mass * _place


def foot_clearance(joints: np.ndarray, fps: float) -> float:
    """Mean height (metres) of the lower foot over the frames in which it is above 5 mm; 0 if there are none.

    The float metric of PhysDiff (https://arxiv.org/abs/2212.02500) with the toe joints instead of the lowest vertex.
    """
    lower = joints[:, TOES, 1].min(axis=1)
    above = lower[lower > FLOATING]
    return float(above.mean()) if above.size else 0.0


def skate_ratio(joints: np.ndarray, fps: float) -> float:
    """Share of the toes' steps near the ground that are faster than 0.2 m/s; 0 if no toe is near the ground."""
    speeds = _ground_speeds(joints, fps)
    return float((speeds > SKATING).mean()) if speeds.size else 0.0


def skate_speed(joints: np.ndarray, fps: float) -> float:
    """Mean horizontal speed (m/s) of the toes near the ground; 0 if none is."""
    speeds = _ground_speeds(joints, fps)
    return float(speeds.mean()) if speeds.size else 0.0


def support_distance(joints: np.ndarray, fps: float) -> float:
    """Median horizontal distance (metres) from the centre of mass to the support, over the calmer half of the frames.

    A level person stays below about 0.06; a clip whose camera was tilted by 10 degrees gives 0.12 or more.
    """
    offset = (centre_of_mass(joints) - support(joints, Y_UP))[:, [0, 2]]
    return float(np.median(lengths(offset)[calm_frames(joints)]))


def root_speed(joints: np.ndarray, fps: float) -> float:
    """Highest speed of the pelvis, m/s."""
    return float(lengths(np.diff(joints[:, PELVIS], axis=0)).max() * fps)


def root_turn(joints: np.ndarray, fps: float) -> float:
    """Highest turning rate of the pelvis, rad/s, from the joints that are fixed to it."""
    axes = _pelvis_axes(joints)
    traces = np.einsum("tij,tij->t", axes[1:], axes[:-1])
    return float(np.arccos(((traces - 1) / 2).clip(-1, 1)).max() * fps)


def height_range(joints: np.ndarray, fps: float) -> float:
    """Height range of the pelvis, metres."""
    return float(np.ptp(joints[:, PELVIS, 1]))


def joint_speed(joints: np.ndarray, fps: float) -> float:
    """Highest speed of any joint, m/s."""
    return float(lengths(np.diff(joints, axis=0)).max() * fps)


def joint_jerk(joints: np.ndarray, fps: float) -> float:
    """Highest third derivative of the joints' paths, mean over the joints, m/s^3; 0 for fewer than four frames."""
    return float(lengths(np.diff(joints, n=3, axis=0)).mean(axis=1).max(initial=0.0) * fps**3)


def centre_of_mass(joints: np.ndarray) -> np.ndarray:
    """(T, 3) centre of mass of an average body."""
    return np.einsum("tjc,j->tc", joints, MASSES)


def support(joints: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(T, 3) the point under the feet that supports the body: low points count most, a lifted foot does not count.

    Args:
        up: (3,) unit vector.
    """
    points = joints[:, (*TOES, *ANKLES)]  # left, right; left, right
    height = points @ up
    height[:, 2:] -= ANKLE_HEIGHT
    lowest = np.minimum(height[:, :2], height[:, 2:])
    ground = lowest.min(axis=1, keepdims=True)
    weight = np.exp(-10 * (height - ground))
    weight.reshape(-1, 2, 2)[...] *= (lowest <= ground + LIFTED_FOOT)[:, None]
    weight /= weight.sum(axis=1, keepdims=True)
    # The ankles' points lie at the sole.
    return np.einsum("tpc,tp->tc", points, weight) - ANKLE_HEIGHT * weight[:, 2:].sum(axis=1, keepdims=True) * up


def calm_frames(joints: np.ndarray) -> np.ndarray:
    """(T,) bool: the half of the frames in which the joints move least."""
    if len(joints) < 2:
        return np.ones(len(joints), bool)
    speed = lengths(central_steps(joints)).mean(axis=1)
    return speed <= np.median(speed)


def central_steps(paths: np.ndarray) -> np.ndarray:
    """(T, ...) half the difference between the next and the previous frame, a whole step at the ends; T >= 2."""
    steps = np.empty_like(paths)
    steps[1:-1] = (paths[2:] - paths[:-2]) / 2
    steps[0], steps[-1] = paths[1] - paths[0], paths[-1] - paths[-2]
    return steps


def _ground_speeds(joints: np.ndarray, fps: float) -> np.ndarray:
    """(n,) horizontal speeds of all toe steps, m/s, that begin and end near the ground."""
    toes = joints[:, TOES]
    low = toes[..., 1] < LOW_TOE
    return lengths(np.diff(toes[..., [0, 2]], axis=0))[low[1:] & low[:-1]] * fps


def _pelvis_axes(joints: np.ndarray) -> np.ndarray:
    """(T, 3, 3) an orthonormal frame of the pelvis, in rows."""
    across = unit(joints[:, LEFT_HIP] - joints[:, RIGHT_HIP])
    up = joints[:, SPINE] - joints[:, PELVIS]
    up = unit(up - across * np.einsum("tc,tc->t", across, up)[:, None])
    return np.stack((across, up, np.cross(across, up)), axis=1)
