"""Find the actions in a motion and count them. Each action is found in one signal over time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from motion_rep.describing.body_signals import LEFT, RIGHT, SIDES, BodySignals
from motion_rep.describing.cycles import peaks, span_around, spans

BOTH = "both"
TOGETHER_SECONDS = 0.25  # peaks of left and right that are this close form one action of both
DEGREES, METRES, SPEED = "degrees", "m", "m/s"
UPRIGHT_LEAN, KICKING_LEAN = 60.0, 80.0  # degrees
FOLDED = 0.45  # metres of drop from which a body no longer stands on its legs
ON_FLOOR = 0.03  # metres
STEADY_ELBOW = 0.4  # m/s
GAIT_SECONDS, GAIT_SWING = 0.45, 15.0  # each thigh swings ahead of the other by this many degrees within this time
CROUCH_SECONDS, DEEP_CROUCH = 0.7, 0.35  # metres; a body dips before and after a jump
GRAVITY = 9.81
LEAST_BALLISTIC = 0.2  # share of the height that the flight time implies; a body that stays lower is not in flight


@dataclass(frozen=True)
class Action:
    """One kind of movement.

    name: for programs, such as ``raise_arm``; see :mod:`motion_rep.describing.sentences` for the words.
    side: left, right, both, or empty for an action of the whole body.
    times: seconds of the peaks, one for each repetition.
    size: the largest value that the action reaches, in ``unit``.
    way: direction or extent (forward, overhead, ...); empty if it adds nothing.
    seconds: the longest duration; None for an action that has no duration.
    """

    name: str
    side: str
    times: tuple[float, ...]
    size: float
    unit: str
    way: str = ""
    seconds: float | None = None

    @property
    def count(self) -> int:
        """The number of repetitions."""
        return len(self.times)


def find_actions(body: BodySignals) -> list[Action]:
    """All actions that are found, in the order of their first time."""
    of_sides = (_raised_arms, _waves, _thrusts, _kicks, _lifted_knees)
    of_body = (_squats, _lunges, _bends, _jumps)
    found = [action for finder in of_sides for action in _both_sides(body, finder)]
    found += [action for finder in of_body for action in finder(body)]
    return sorted(found, key=lambda action: action.times[0])


def _both_sides(body: BodySignals, finder: Callable[[BodySignals, str], Action | None]) -> list[Action]:
    """Actions of the left and the right side; merged where both sides act together."""
    left, right = (finder(body, side) for side in SIDES)
    if left and right and left.count == right.count and _gap(left.times, right.times) <= TOGETHER_SECONDS:
        larger = max(left, right, key=lambda action: action.size)
        return [Action(left.name, BOTH, left.times, larger.size, left.unit, larger.way, left.seconds)]
    return [action for action in (left, right) if action]


def _gap(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    return max(abs(a - b) for a, b in zip(first, second, strict=True))


def _action(
    body: BodySignals, name: str, side: str, frames: Iterable[int], size: np.ndarray, unit: str, way: str = ""
) -> Action | None:
    """The action; None if it never occurs."""
    frames = sorted(frames)
    if not frames:
        return None
    largest = max(float(size[frame]) for frame in frames)
    return Action(name, side, tuple(round(frame / body.fps, 2) for frame in frames), round(largest, 2), unit, way)


def _raised_arms(body: BodySignals, side: str) -> Action | None:
    """The whole arm raised to shoulder height or higher."""
    height = body.elevation(f"{side}_shoulder", f"{side}_wrist")
    upright = np.abs(body.lean) < UPRIGHT_LEAN
    frames = [frame for frame in peaks(height, prominence=35, least=68) if upright[frame]]
    if not frames:
        return None
    top = max(frames, key=lambda frame: height[frame])
    return _action(body, "raise_arm", side, frames, height, DEGREES, _arm_way(body, side, top, height[top]))


def _arm_way(body: BodySignals, side: str, frame: int, height: float) -> str:
    if height > 130:
        return "overhead"
    outward = body.leftward(f"{side}_shoulder", f"{side}_wrist")[frame] * (1 if side == LEFT else -1)
    return "forward" if body.ahead(f"{side}_shoulder", f"{side}_wrist")[frame] > outward else "sideways"


def _waves(body: BodySignals, side: str) -> Action | None:
    """The forearm moves from side to side, twice or more, while the hand is above the elbow."""
    swing = body.leftward(f"{side}_elbow", f"{side}_wrist")
    hand, elbow, shoulder = (body.place(f"{side}_{name}")[:, 1] for name in ("wrist", "elbow", "shoulder"))
    steady = body.speed(f"{side}_elbow") < STEADY_ELBOW
    frames: list[int] = []
    for first, last in spans((hand > elbow + 0.1) & (hand > shoulder - 0.05) & steady, max(3, round(0.3 * body.fps))):
        frames += [first + frame for frame in _swings(swing[first : last + 1])]
    return _action(body, "wave_hand", side, frames, np.abs(swing), METRES) if len(frames) >= 2 else None


def _swings(swing: np.ndarray) -> list[int]:
    """Frames of the turning points on the side that has fewer of them; the ends of the span do not count."""
    sides = [peaks(sign * swing, prominence=0.05, least=-1) for sign in (1, -1)]
    return min(([frame for frame in side if 1 < frame < len(swing) - 2] for side in sides), key=len)


def _thrusts(body: BodySignals, side: str) -> Action | None:
    """The hand moves forward as the elbow straightens: punches and reaches."""
    reach = body.ahead(f"{side}_shoulder", f"{side}_wrist")
    straight = -body.bend(f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")
    frames = [frame for frame in peaks(straight, prominence=40, least=-75) if reach[frame] > 0.25]
    if not frames:
        return None
    window = max(1, round(0.3 * body.fps))
    speed = body.speed(f"{side}_wrist")
    fastest = np.array([speed[max(0, frame - window) : frame + 1].max() for frame in range(len(speed))])
    return _action(body, "thrust_hand", side, frames, fastest, SPEED, "forward")


def _kicks(body: BodySignals, side: str) -> Action | None:
    """A leg that swings up while the body stands on the other one."""
    height = body.elevation(f"{side}_hip", f"{side}_ankle")
    ahead = body.ahead(f"{side}_hip", f"{side}_ankle")
    frames = [
        frame
        for frame in peaks(height, prominence=30, least=42)
        if _stands_on_other(body, side, frame) and not (ahead[frame] < 0 and _is_gait(body, frame))
    ]
    if not frames:
        return None
    top = max(frames, key=lambda frame: height[frame])
    aside = abs(body.leftward(f"{side}_hip", f"{side}_ankle")[top])
    way = "sideways" if aside > abs(ahead[top]) else "forward" if ahead[top] > 0 else "back"
    return _action(body, "kick", side, frames, height, DEGREES, way)


def _lifted_knees(body: BodySignals, side: str) -> Action | None:
    """A knee rises towards hip height, with the shank hanging."""
    height = body.elevation(f"{side}_hip", f"{side}_knee")
    leg = body.elevation(f"{side}_hip", f"{side}_ankle")
    frames = [
        frame
        for frame in peaks(height, prominence=30, least=45)
        if _stands_on_other(body, side, frame) and leg[frame] < 42
    ]
    return _action(body, "lift_knee", side, frames, height, DEGREES)


def _stands_on_other(body: BodySignals, side: str, frame: int) -> bool:
    own, other = (0, 1) if side == LEFT else (1, 0)
    feet = body.clearance[frame]
    thigh = body.elevation(f"{SIDES[other]}_hip", f"{SIDES[other]}_knee")[frame]
    upright = abs(body.lean[frame]) < KICKING_LEAN and body.drop[frame] < FOLDED
    return bool(upright and feet[own] > feet[other] + 0.08 and thigh < 45)


def _is_gait(body: BodySignals, frame: int) -> bool:
    """Whether the thighs swing past each other around this frame, as in walking and running."""
    frames = round(2 * GAIT_SECONDS * body.fps)
    first = max(0, min(frame - frames // 2, len(body.joints) - frames - 1))
    ahead = body.thigh_swing[first : first + frames + 1]
    return bool(ahead.max() > GAIT_SWING and ahead.min() < -GAIT_SWING)


def _squats(body: BodySignals) -> Iterator[Action]:
    """The pelvis sinks over two bent knees."""
    knees = [body.bend(f"{side}_hip", f"{side}_knee", f"{side}_ankle") for side in SIDES]
    frames = [
        frame
        for frame in _low_points(body)
        if min(knees[0][frame], knees[1][frame]) > 40 and _stride(body)[frame] < 0.4 and not _is_crouch(body, frame)
    ]
    action = _action(body, "squat", "", frames, body.drop, METRES, _depth(body, frames))
    yield from [action] if action else []


def _is_crouch(body: BodySignals, frame: int) -> bool:
    """Whether the body only dips before or after a jump."""
    near = any(abs(frame - jump) <= CROUCH_SECONDS * body.fps for jump in _flights(body))
    return near and bool(body.drop[frame] < DEEP_CROUCH)


def _depth(body: BodySignals, frames: list[int]) -> str:
    """Deep if the thighs become about level."""
    thighs = [body.elevation(f"{side}_hip", f"{side}_knee") for side in SIDES]
    deepest = max((min(thigh[frame] for thigh in thighs) for frame in frames), default=0.0)
    return "deep" if deepest > 75 else ""


def _lunges(body: BodySignals) -> Iterator[Action]:
    """The pelvis sinks between a foot in front and one behind."""
    stride = body.ahead("right_ankle", "left_ankle")
    for side, sign in ((LEFT, 1.0), (RIGHT, -1.0)):
        frames = [frame for frame in _low_points(body) if sign * stride[frame] >= 0.4]
        action = _action(body, "lunge", side, frames, body.drop, METRES)
        yield from [action] if action else []


def _low_points(body: BodySignals) -> list[int]:
    """Frames in which a standing body is lowest, with an upright trunk."""
    found = peaks(body.drop, prominence=0.09, least=0.13)
    return [frame for frame in found if abs(body.lean[frame]) < UPRIGHT_LEAN and body.drop[frame] < 0.62]


def _stride(body: BodySignals) -> np.ndarray:
    return np.abs(body.ahead("right_ankle", "left_ankle"))


def _bends(body: BodySignals) -> Iterator[Action]:
    """The trunk leans forward over nearly straight legs."""
    frames = [frame for frame in peaks(body.lean, prominence=25, least=38) if body.drop[frame] < 0.25]
    action = _action(body, "bend_forward", "", frames, body.lean, DEGREES)
    yield from [action] if action else []


def _jumps(body: BodySignals) -> Iterator[Action]:
    """Both feet leave the floor at once, but not in a stride; the height is that of the lower foot."""
    flights = _flights(body)
    action = _action(body, "jump", "", flights, body.clearance.min(axis=1), METRES)
    if action:
        longest = max((last - first + 1) / body.fps for first, last in flights.values())
        yield replace(action, seconds=round(longest, 2))


def _flights(body: BodySignals) -> dict[int, tuple[int, int]]:
    """The highest frame of each flight, with its first and last frame."""
    height = body.clearance.min(axis=1)
    found = {}
    for frame in peaks(height, prominence=0.025, least=0.035):
        first, last = span_around(height >= min(max(ON_FLOOR, 0.2 * height[frame]), height[frame]), frame)
        fall = GRAVITY * ((last - first + 1) / body.fps) ** 2 / 8
        if height[frame] > LEAST_BALLISTIC * fall and body.drop[first] < FOLDED and not _is_gait(body, frame):
            found[frame] = (first, last)
    return found
