"""Facts of made-up motions against their truth: counts, sides, turns and heights."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from motion_rep.common.messages import say
from motion_rep.describing.actions import BOTH
from motion_rep.describing.body_signals import LEFT, RIGHT
from motion_rep.describing.facts import MotionFacts, motion_facts
from motion_rep.kinematics.rotations import rotvec_to_matrix
from motion_rep.kinematics.skeleton import JOINT_NAMES, forward_kinematics
from scripts.dev.capture_evaluation.motions import make_motion
from scripts.dev.samples import motions as samples
from scripts.dev.samples.figure import Figure

COUNT, SIDE, TURN, HEIGHT = "counts", "sides", "turns", "heights"
SWAP = {"left": "right", "right": "left"}
MIRROR = [JOINT_NAMES.index(re.sub("^(left|right)", lambda side: SWAP[side[0]], name)) for name in JOINT_NAMES]
OPPOSITE = {LEFT: RIGHT, RIGHT: LEFT, BOTH: BOTH, "": ""}


@dataclass(frozen=True)
class Truth:
    """The known facts of a synthetic motion.

    actions: name -> side -> how often; a side that is not named does not do it.
    loose: actions whose count may be off by one.
    sizes: name -> metres.
    """

    actions: dict[str, dict[str, int]]
    loose: tuple[str, ...] = ()
    sizes: dict[str, float] | None = None
    turn: float = 0.0
    steps: int | None = None


@dataclass(frozen=True)
class Made:
    """A clip, y up, with its truth."""

    name: str
    root: torch.Tensor
    body: torch.Tensor
    transl: torch.Tensor
    fps: float
    truth: Truth

    def joints(self, degrees: float = 0.0) -> np.ndarray:
        """(T, 22, 3), with noise of some degrees on each axis of each joint."""
        random = torch.Generator().manual_seed(0)
        turns = math.radians(degrees) * torch.randn(len(self.transl), 22, 3, generator=random, dtype=torch.float64)
        noise = rotvec_to_matrix(turns)
        return forward_kinematics(self.root @ noise[:, 0], self.body @ noise[:, 1:], self.transl).positions.numpy()


def score_facts(seeds: int, noise: float, show: bool) -> None:
    """Print a table: the number of right facts of each kind; with ``show``, also each wrong one.

    Args:
        seeds: copies of each sample motion.
        noise: degrees on each axis of each joint.
    """
    right, asked = Counter[str](), Counter[str]()
    for made in (*_samples(seeds), *_sketches()):
        joints = made.joints(noise)
        for mirrored in (False, True):
            facts = motion_facts(_mirrored(joints) if mirrored else joints, made.fps)
            for kind, what, good in _checks(facts, made.truth, mirrored):
                asked[kind] += 1
                right[kind] += good
                if show and not good:
                    say(f"{made.name}{' mirrored' * mirrored} at {made.fps:g} fps: {what}")
    say("| kind | right | asked | share |")
    say("| --- | --- | --- | --- |")
    for kind in (COUNT, SIDE, TURN, HEIGHT):
        say(f"| {kind} | {right[kind]} | {asked[kind]} | {right[kind] / asked[kind]:.3f} |")


def _checks(facts: MotionFacts, truth: Truth, mirrored: bool) -> Iterator[tuple[str, str, bool]]:
    """(kind, words, right) of each thing that is known."""
    for name, sides in truth.actions.items():
        expected = {OPPOSITE[side] if mirrored else side: count for side, count in sides.items()}
        found = {action.side: action.count for action in facts.actions if action.name == name}
        what = f"{name} {found}, expected {expected}"
        if not sides:
            yield COUNT, what, not found
            continue
        if set(sides) != {""}:
            yield SIDE, what, set(found) == set(expected)
        slack = int(name in truth.loose)
        yield COUNT, what, all(abs(found.get(side, 0) - count) <= slack for side, count in expected.items())
    for name, size in (truth.sizes or {}).items():
        measured = max((action.size for action in facts.actions if action.name == name), default=0.0)
        yield HEIGHT, f"{name} {measured} m, expected {size:.3f} m", abs(measured - size) <= 0.03 + 0.1 * size
    turn = -truth.turn if mirrored else truth.turn
    yield TURN, f"turn {facts.turn}, expected {turn}", abs(facts.turn - turn) <= 15
    if truth.steps is not None:
        steps = sum(facts.steps.values())
        yield COUNT, f"{steps} steps, expected {truth.steps}", abs(steps - truth.steps) <= 1


def _mirrored(joints: np.ndarray) -> np.ndarray:
    return joints[:, MIRROR] * (-1.0, 1.0, 1.0)


def _samples(seeds: int) -> Iterator[Made]:
    waving = {"wave_hand": 4, "raise_arm": 1}
    makers: dict[str, tuple[Callable[[int], Figure], Truth]] = {
        "jumping jack": (
            samples.jumping_jack,
            Truth({"raise_arm": {BOTH: 2}, "jump": {"": 4}, "squat": {}}, sizes={"jump": 0.085}),
        ),
        "squat": (samples.squat, Truth({"squat": {"": 2}, "raise_arm": {BOTH: 2}, "jump": {}}, sizes={"squat": 0.466})),
        "circle walk": (samples.circle_walk, Truth({"jump": {}, "kick": {}}, turn=360, steps=8)),
        "wave": (samples.wave, Truth({name: {RIGHT: count} for name, count in waving.items()})),
        "left wave": (lambda seed: samples.wave(seed, LEFT), Truth({n: {LEFT: count} for n, count in waving.items()})),
        "arm raise": (samples.arm_raise, Truth({"raise_arm": {BOTH: 2}, "wave_hand": {}})),
    }
    for name, (make, truth) in makers.items():
        for seed in range(seeds):
            figure = make(seed)
            yield Made(name, figure.root, figure.body, figure.transl, float(samples.FPS), truth)


def _sketches() -> Iterator[Made]:
    """Motions of the capture evaluation, of whole numbers of cycles."""
    for name, (hertz, truth_of) in SKETCHES.items():
        for cycles in (4, 6, 8) if name == "wave_hand" else (2, 3, 5):
            for fps, heading in ((16.0, 0.0), (30.0, 130.0), (60.0, 250.0)):
                frames = round(cycles / hertz * fps) + 1
                made = make_motion(name, frames, heading, fps)
                yield Made(name, made.root, made.body, made.transl, fps, truth_of(cycles))


def _alternating(name: str) -> Callable[[int], Truth]:
    return lambda cycles: Truth({name: {LEFT: cycles, RIGHT: cycles}, "jump": {}})


def _one(name: str, side: str = "") -> Callable[[int], Truth]:
    return lambda cycles: Truth({name: {side: cycles}})


# Name of the motion -> its cycles per second, and what is known of so many cycles.
SKETCHES: dict[str, tuple[float, Callable[[int], Truth]]] = {
    "walk": (0.95, lambda cycles: Truth({"jump": {}, "squat": {}}, steps=2 * cycles)),
    "fast_walk": (1.2, lambda cycles: Truth({"jump": {}, "squat": {}}, steps=2 * cycles)),
    "run_in_place": (1.4, _alternating("lift_knee")),
    "high_knees": (0.9, _alternating("lift_knee")),
    "boxing": (1.0, _alternating("thrust_hand")),
    "jumping_jack": (
        0.9,
        lambda cycles: Truth({"raise_arm": {BOTH: cycles}, "jump": {"": 2 * cycles}}, sizes={"jump": 0.09}),
    ),
    "squat": (0.5, _one("squat")),
    "half_squat": (0.5, _one("squat")),
    "lunge": (0.5, _one("lunge", LEFT)),
    "kick": (0.75, _one("kick", RIGHT)),
    "bow": (0.4, _one("bend_forward")),
    "arm_circles": (0.7, _one("raise_arm", BOTH)),
    "wave_hand": (1.4, lambda cycles: Truth({"wave_hand": {RIGHT: cycles - 1}}, loose=("wave_hand",))),
    "turn": (1.25, lambda cycles: Truth({"jump": {}, "kick": {}}, turn=360)),
}
