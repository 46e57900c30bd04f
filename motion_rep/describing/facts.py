"""Facts of a motion: path, turns, postures, steps and actions."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from motion_rep.common.errors import InputError, counted
from motion_rep.describing.actions import Action, find_actions
from motion_rep.describing.body_signals import SIDES, BodySignals
from motion_rep.describing.cycles import smoothed, spans

STANDING, CROUCHING, KNEELING, LYING, CRAWLING = (
    "standing",
    "low on bent legs",
    "kneeling",
    "lying",
    "on hands and feet",
)
UPSIDE_DOWN = "upside down"
SHORTEST_POSTURE, SHORTEST_CROUCH = 0.4, 1.6  # seconds
WAY_SECONDS = 0.2  # width of the filter over the body's path, so that sway does not count as distance
STEP, FOOT_DOWN = 0.15, 0.12  # metres
PACES = ((0.1, "in place"), (0.7, "slowly"), (1.6, "at walking pace"), (2.5, "fast"), (1e9, "at running speed"))
FEWEST_FRAMES = 4


@dataclass(frozen=True)
class Posture:
    """A posture, with its start and end in seconds."""

    name: str
    start: float
    end: float


@dataclass(frozen=True)
class MotionFacts:
    """What a motion does, in seconds, metres and degrees.

    ahead, left: where the body ends, relative to its first place and facing direction.
    path: length of the body's path on the floor.
    pace: speed along the path, in a word; ``speed`` in m/s.
    turn: from the first to the last frame; positive is to the left.
    steps: number of steps of the left and of the right foot.
    """

    seconds: float
    ahead: float
    left: float
    path: float
    speed: float
    pace: str
    turn: float
    steps: dict[str, int]
    postures: tuple[Posture, ...]
    actions: tuple[Action, ...]

    def as_dict(self) -> dict[str, object]:
        """The values for JSON; every action with its count."""
        return {
            **asdict(self),
            "postures": [asdict(posture) for posture in self.postures],
            "actions": [{**asdict(action), "count": action.count} for action in self.actions],
        }


def motion_facts(joints: np.ndarray, fps: float) -> MotionFacts:
    """The facts of a clip.

    Args:
        joints: (T, 22, 3) metres, y up.
        fps: frames per second.
    Raises:
        InputError: fewer than 4 frames.
    """
    if len(joints) < FEWEST_FRAMES:
        raise InputError(f"has {counted(len(joints), 'frame')}, expected at least {FEWEST_FRAMES} to say what moves.")
    body = BodySignals.of(joints, fps)
    seconds = (len(joints) - 1) / fps
    way = smoothed(body.place("pelvis"), fps, WAY_SECONDS)[:, [0, 2]]
    path = float(np.linalg.norm(np.diff(way, axis=0), axis=1).sum())
    forward = body.forward[0, [0, 2]]
    end, speed = way[-1] - way[0], path / seconds
    return MotionFacts(
        seconds=round(seconds, 2),
        ahead=round(float(end @ forward), 2),
        left=round(float(end @ (forward[1], -forward[0])), 2),
        path=round(path, 2),
        speed=round(speed, 2),
        pace=next(word for most, word in PACES if speed < most),
        turn=round(float(body.heading[-1])),
        steps={side: _steps(body, side) for side in SIDES},
        postures=tuple(_postures(body)),
        actions=tuple(find_actions(body)),
    )


def _steps(body: BodySignals, side: str) -> int:
    """Number of times that a foot rests and then rests in another place."""
    foot = body.place(f"{side}_foot")[:, [0, 2]]
    speed = np.linalg.norm(np.gradient(foot, axis=0), axis=1) * body.fps
    low = body.clearance[:, SIDES.index(side)] < FOOT_DOWN
    swings = spans(speed > max(0.25, 0.15 * float(speed.max())))
    return sum(
        float(np.linalg.norm(foot[last] - foot[first])) >= STEP and bool(low[first] and low[last])
        for first, last in swings
    )


def _postures(body: BodySignals) -> list[Posture]:
    """Held postures in order of time."""
    names = _posture_of_frames(body)
    found = [(name, span) for name in np.unique(names) for span in spans(names == name, _shortest(name, body.fps))]
    return [
        Posture(str(name), round(first / body.fps, 2), round(last / body.fps, 2))
        for name, (first, last) in sorted(found, key=lambda item: item[1])
    ]


def _shortest(name: str, fps: float) -> int:
    """Minimum number of frames of a held posture; a shorter dip on bent legs is an action."""
    return (
        1 if name == UPSIDE_DOWN else max(2, round((SHORTEST_CROUCH if name == CROUCHING else SHORTEST_POSTURE) * fps))
    )


def _posture_of_frames(body: BodySignals) -> np.ndarray:
    pelvis = body.place("pelvis")[:, 1] - body.floor
    head = body.place("head")[:, 1] - body.floor
    hands = np.minimum(*(body.place(f"{side}_wrist")[:, 1] for side in SIDES)) - body.floor
    knees = np.minimum(*(body.place(f"{side}_knee")[:, 1] for side in SIDES)) - body.floor
    lean = np.abs(body.lean)
    conditions = [
        (head < pelvis - 0.1) & (lean > 100),
        (pelvis < 0.4) & (lean > 55),
        (hands < 0.25) & (lean > 40),
        (knees < 0.2) & (pelvis > 0.3),
        body.drop > 0.25,
    ]
    return np.select(conditions, [UPSIDE_DOWN, LYING, CRAWLING, KNEELING, CROUCHING], STANDING)
