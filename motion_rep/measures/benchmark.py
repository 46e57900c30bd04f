"""The fast metrics of the benchmark MBench, exactly as published, on joints (T, 22, 3) in metres, y up.

Nothing is divided by the time step. Velocities are forward differences, with the last one repeated to give T values.
The published code reads heights from axis 2 of joints that are y up, so its published tables of penetration, sliding
and floating are not comparable with these figures; its formulas on z-up joints are.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from motion_rep.common.errors import InputError, counted
from motion_rep.common.rates import LOADER_FPS
from motion_rep.kinematics.vectors import lengths

METRIC_FPS = LOADER_FPS  # the rate for which the threshold was published
FEET = (10, 11)
PENETRATION = 0.005  # metres
CONTACT_SPEED, CONTACT_HEIGHT = 0.01, 0.02  # metres per frame, metres
STILL_ROOT = 0.001  # metres per frame
MOVING = 1.2e-4  # metres per frame
# speed of a foot relative to the root, divided by the root's speed
SLOWER_THAN_ROOT, FASTER_THAN_ROOT, WITH_ROOT = 0.6, 1.75, 0.4
SHORTEST_FLIGHT = 4  # frames
MOST_SWINGS = 2


def at_metric_rate(joints: np.ndarray, fps: float | None) -> np.ndarray:
    """(T', 22, 3) joints at 16 fps, linear between the given frames; unchanged if the rate is unknown or 16.

    Raises:
        InputError: fewer than 3 frames are left.
    """
    if fps is None or fps == METRIC_FPS:
        return joints
    last = len(joints) - 1
    frames = np.arange(int(last / fps * METRIC_FPS + 1e-6) + 1) * (fps / METRIC_FPS)
    if len(frames) < 3:
        raise InputError(
            f"{counted(last + 1, 'frame')} at {fps:g} fps last {last / fps:.3f} s, expected {2 / METRIC_FPS} s "
            "or more. "
            "Use a longer clip."
        )
    before = np.minimum(frames.astype(int), last - 1)
    weight = (frames - before)[:, None, None]
    return joints[before] * (1 - weight) + joints[before + 1] * weight


def jitter_per_frame(joints: np.ndarray) -> np.ndarray:
    """(T - 2,) mean size of the joints' second differences, plus the same relative to the pelvis.

    The mean over the frames is the published jitter degree.
    """
    acceleration = joints[2:] - 2 * joints[1:-1] + joints[:-2]
    return _mean_length(acceleration) + _mean_length(acceleration - acceleration[:, :1])


def dynamic_degree(joints: np.ndarray) -> float:
    """Mean joint speed, plus the mean speed relative to the pelvis; metres per frame."""
    velocity = joints[1:] - joints[:-1]
    return float((_mean_length(velocity) + _mean_length(velocity - velocity[:, :1])).mean())


def ground_penetration(joints: np.ndarray) -> float:
    """Mean depth (metres, positive) of the foot positions lower than -5 mm; 0 if there are none."""
    height = joints[:, FEET, 1]
    below = height[height < -PENETRATION]
    return float(-below.mean()) if below.size else 0.0


def foot_sliding(joints: np.ndarray) -> float:
    """Mean horizontal step (metres per frame) of each foot while in contact, then the mean of both feet.

    Contact is a speed below 1 cm per frame or a height below 2 cm, so a low swinging foot counts as in contact.
    """
    velocity, contact = _feet(joints)
    steps = np.sqrt(velocity[..., 0] ** 2 + velocity[..., 2] ** 2) * contact
    return float((steps.sum(axis=0) / (contact.sum(axis=0) + 1e-6)).mean())


def foot_floating(joints: np.ndarray) -> float:
    """Share of frames in which the feet move unlike those of a standing or stepping body."""
    velocity, contact = _feet(joints)
    root = _velocity(joints[:, 0])
    root_speed, foot_speed = lengths(root), lengths(velocity)
    rate = lengths(velocity - root[:, None]) / (root_speed + 1e-6)[:, None]
    still = root_speed < STILL_ROOT
    flights = [list(_runs(~contact[:, foot])) for foot in (0, 1)]
    standing = _unsupported(contact, _bad(rate, foot_speed, root_speed), still)
    carried = sum(_carried(rate[:, foot], still, flights[foot]) for foot in (0, 1))
    return (standing + carried / 2 + _swinging(joints[:, FEET[0]], *flights)) / len(joints)


def _bad(rate: np.ndarray, foot_speed: np.ndarray, root_speed: np.ndarray) -> np.ndarray:
    """(T, 2) whether a foot moves with the root or much faster than it."""
    moving = foot_speed > MOVING
    return moving & ((rate < SLOWER_THAN_ROOT) | ((rate > FASTER_THAN_ROOT) & (root_speed > MOVING)[:, None]))


def _unsupported(contact: np.ndarray, bad: np.ndarray, still: np.ndarray) -> int:
    """Frames with a moving root in which both feet, or the only one, are in contact and bad."""
    both = contact.all(axis=1)
    return int((~still & np.where(both, bad.all(axis=1), (contact & bad).any(axis=1))).sum())


def _carried(rate: np.ndarray, still: np.ndarray, flights: list[slice]) -> int:
    """Frames without contact in which a foot is carried along with the root."""
    return sum(int((rate[flight] < WITH_ROOT).sum()) for flight in flights if still[flight].mean() <= 0.5)


def _swinging(foot: np.ndarray, left: list[slice], right: list[slice]) -> int:
    """Frames of flights of both feet in which the direction of the left foot from its start turns back and forth."""
    both = [slice(max(a.start, b.start), min(a.stop, b.stop)) for a in left for b in right]
    long = [flight for flight in both if flight.stop - flight.start >= SHORTEST_FLIGHT]
    return sum(flight.stop - flight.start for flight in long if _peaks(_turns(foot[flight])) > MOST_SWINGS)


def _turns(path: np.ndarray) -> np.ndarray:
    """(n,) degrees between the direction from a path's start to each of its points and that to its end."""
    way = path - path[0]
    sizes = lengths(way) * lengths(way[-1])
    cosines = np.divide(way @ way[-1], sizes, out=np.ones(len(way)), where=sizes > 0)
    return np.degrees(np.arccos(cosines.clip(-1, 1)))


def _peaks(values: np.ndarray) -> int:
    """The number of local maxima, as counted by scipy's find_peaks: a flat top is one, an end is none."""
    changes = np.diff(values)
    rising = changes[changes != 0] > 0
    return int((rising[:-1] & ~rising[1:]).sum())


def _runs(flags: np.ndarray) -> Iterator[slice]:
    """The runs of true flags of at least SHORTEST_FLIGHT frames."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False]))))
    for start, stop in edges.reshape(-1, 2).tolist():
        if stop - start >= SHORTEST_FLIGHT:
            yield slice(start, stop)


def _feet(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(T, 2, 3) velocities of the feet, and (T, 2) whether each is in contact."""
    feet = joints[:, FEET]
    velocity = _velocity(feet)
    return velocity, (lengths(velocity) < CONTACT_SPEED) | (feet[..., 1] < CONTACT_HEIGHT)


def _velocity(places: np.ndarray) -> np.ndarray:
    steps = np.diff(places, axis=0)
    return np.concatenate((steps, steps[-1:]))


def _mean_length(vectors: np.ndarray) -> np.ndarray:
    return lengths(vectors).mean(axis=1)
