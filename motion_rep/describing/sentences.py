"""Facts of a motion as plain sentences."""

from __future__ import annotations

from collections.abc import Iterator

from motion_rep.common.errors import counted
from motion_rep.describing.actions import BOTH, DEGREES, Action
from motion_rep.describing.facts import STANDING, MotionFacts

SMALLEST_WAY, SMALLEST_PATH, SMALLEST_TURN = 0.3, 1.0, 25  # metres, degrees
FEWEST_STEPS = 2
WORDS = {
    "raise_arm": ("raises the {side} arm", "raises both arms"),
    "wave_hand": ("swings the raised {side} hand from side to side", "swings both raised hands from side to side"),
    "thrust_hand": ("thrusts the {side} hand forward", "thrusts both hands forward"),
    "kick": ("kicks with the {side} leg", "kicks with both legs"),
    "lift_knee": ("lifts the {side} knee", "lifts both knees"),
    "squat": ("squats", ""),
    "lunge": ("lunges with the {side} foot in front", ""),
    "bend_forward": ("bends the trunk forward", ""),
    "jump": ("jumps with both feet off the floor", ""),
}
TIMES = {1: "once", 2: "twice"}


def sentences(facts: MotionFacts) -> list[str]:
    """One sentence each about path, turn, postures and actions."""
    return [*_way(facts), *_turn(facts), *_postures(facts), *map(action_sentence, facts.actions)]


def action_sentence(action: Action) -> str:
    """A sentence on what the person does, how often, how far and when."""
    one, both = WORDS[action.name]
    words = both if action.side == BOTH else one.format(side=action.side)
    way = f" {action.way}" if action.way and action.way not in words else ""
    times = ", ".join(f"{time:.1f}" for time in action.times)
    return f"The person {words}{way} {_count(action.count)} (at {times} s; {_size(action)})."


def _count(count: int) -> str:
    return TIMES.get(count, f"{count} times")


def _size(action: Action) -> str:
    amount = f"{action.size:.0f} degrees" if action.unit == DEGREES else f"{action.size:.2f} {action.unit}"
    return f"up to {amount}" + (f", {action.seconds:.2f} s in the air" if action.seconds is not None else "")


def _way(facts: MotionFacts) -> Iterator[str]:
    walked = sum(facts.steps.values()) >= FEWEST_STEPS and facts.path >= SMALLEST_PATH
    if max(abs(facts.ahead), abs(facts.left)) < SMALLEST_WAY and not walked:
        yield f"The person stays in place for {facts.seconds:.1f} s."
        return
    ways = [
        f"{abs(value):.1f} m {word}"
        for value, word in (
            (facts.ahead, "forward" if facts.ahead > 0 else "backward"),
            (facts.left, "to the left" if facts.left > 0 else "to the right"),
        )
        if abs(value) >= SMALLEST_WAY
    ]
    ends = " and ".join(ways) or "where it began"
    yield f"The body moves {facts.path:.1f} m {facts.pace} ({facts.speed:.1f} m/s) and ends {ends}."
    if sum(facts.steps.values()) >= FEWEST_STEPS:
        left = counted(facts.steps["left"], "step")
        yield f"The feet take {left} with the left and {facts.steps['right']} with the right."


def _turn(facts: MotionFacts) -> Iterator[str]:
    if abs(facts.turn) >= SMALLEST_TURN:
        yield f"The body turns {abs(facts.turn):.0f} degrees to the {'left' if facts.turn > 0 else 'right'}."


def _postures(facts: MotionFacts) -> Iterator[str]:
    names = {posture.name for posture in facts.postures}
    if names <= {STANDING}:
        return
    spans = ", ".join(f"{posture.name} from {posture.start:.1f} to {posture.end:.1f} s" for posture in facts.postures)
    yield f"The person is {spans}."
