"""The targets of the repairs, each with the figure measured."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from motion_rep.conversion.capture_to_motion import convert
from motion_rep.hmr_formats.reading import read_capture
from motion_rep.kinematics.foot_contact import foot_contacts
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.motions.closing_frame import with_closing_frame
from motion_rep.motions.encoding import encode_parameters
from motion_rep.motions.motion_file import MotionClip, read_motion
from motion_rep.refining.figures import LIMBS
from motion_rep.refining.refinement import Refinement, refine
from motion_rep.refining.settings import OFF, Settings
from scripts.dev.refining_evaluation.clips import IN_PLACE, SAMPLES, clip_of, noisy, sample, tilt
from scripts.dev.refining_evaluation.steps import MAKERS, make_steps

FPS = 16.0
PITCHES, ROLLS = (-20, -10, -5, 0, 5, 10, 20), (-5, 0, 5)
SEEDS, HEADING_SEEDS = 4, 12
TIMED_RUNS = 30


@dataclass(frozen=True)
class Target:
    """The target and the measured value."""

    name: str
    found: float
    least: float | None = None
    most: float | None = None

    @property
    def met(self) -> bool:
        """Whether the figure is within the target."""
        return (self.least is None or self.found >= self.least) and (self.most is None or self.found <= self.most)

    @property
    def wanted(self) -> str:
        """The target in words."""
        return f"at least {self.least:g}" if self.least is not None else f"at most {self.most:g}"


def measure(real: Path | None) -> Iterator[Target]:
    """All targets, one after the other.

    Args:
        real: folder with ``wan22_motion.pt`` and ``mocap/*.pt``, or None.
    """
    yield from _identity()
    yield from _contacts()
    yield from _clean()
    yield from _tilted()
    yield from _noise()
    yield from _jump()
    yield from _speed()
    if real is not None:
        yield from _real_capture(read_motion(real / "wan22_motion.pt"))
        for path in sorted((real / "mocap").glob("*.pt")):
            yield from _motion_captured(path)


def _identity() -> Iterator[Target]:
    off = Settings(level=OFF, smooth=OFF, feet=OFF)
    worst = max(_largest(refine(clip, off).clips[0].motion - clip.motion) for clip in map(_sample_clip, SAMPLES))
    yield Target("rows to parameters and back, largest difference", worst, most=1e-6)


def _contacts() -> Iterator[Target]:
    for name in MAKERS:
        steps = make_steps(name)
        found = foot_contacts(steps.parameters.joints(), FPS)
        both = float((found & steps.contacts).sum())
        yield Target(f"contacts of {name}, precision", both / float(found.sum()), least=0.95)
        yield Target(f"contacts of {name}, recall", both / float(steps.contacts.sum()), least=0.95)


def _clean() -> Iterator[Target]:
    bodies = {**{name: sample(name) for name in SAMPLES}, **{n: make_steps(n).parameters for n in MAKERS}}
    for name, body in bodies.items():
        clip = clip_of(body)
        moved = (_joints(refine(clip, Settings()).clips[0]) - _joints(clip)).norm(dim=-1) * 1000
        yield Target(f"clean {name}, mean change mm", float(moved.mean()), most=3)
        yield Target(f"clean {name}, worst frame mm", float(moved.mean(dim=1).max()), most=10)


def _tilted() -> Iterator[Target]:
    for name in SAMPLES:
        body, leans, worse = sample(name), [], []
        for pitch in PITCHES:
            for roll in ROLLS:
                turn = tilt(pitch, roll)
                before = clip_of(body.turned(turn))
                after = refine(before, Settings(smooth=OFF, feet=OFF)).clips[0]
                leans.append(_lean(body, after))
                worse.append(leans[-1] - _lean(body, before))
        yield Target(f"tilted {name}, lean larger than before, degrees", max(worse), most=0.01)
        if name in IN_PLACE:
            yield Target(f"tilted {name}, worst lean after repair, degrees", max(leans), most=2)


def _noise() -> Iterator[Target]:
    """If the heading comes from the first frame, its noise is random: the mean of more seeds counts."""
    for name in SAMPLES:
        for kind, clip, seeds in (("", _as_it_is, SEEDS), (" and its heading", clip_of, HEADING_SEEDS)):
            errors, kept = _errors_left(clip, sample(name), seeds)
            yield Target(f"noise on {name}{kind}, limb speed kept (mean of {seeds})", sum(kept) / seeds, least=0.97)
            if clip is _as_it_is:
                yield Target(f"noise on {name}, error left (worst of {seeds})", max(errors), most=0.6)
            else:
                yield Target(f"noise on {name}{kind}, error left (mean of {seeds})", sum(errors) / seeds, most=0.6)


def _errors_left(
    clip: Callable[[BodyParameters], MotionClip], body: BodyParameters, seeds: int
) -> tuple[list[float], list[float]]:
    """For each seed: the error after repair over that before, and the limb speed after it over that of the truth."""
    clean, errors, kept = clip(body), [], []
    for seed in range(seeds):
        raw = clip(noisy(body, seed=seed))
        mended = refine(raw, Settings()).clips[0]
        errors.append(_error(clean, mended) / _error(clean, raw))
        kept.append(_limb_speed(mended) / _limb_speed(clean))
    return errors, kept


def _as_it_is(body: BodyParameters) -> MotionClip:
    """A motion whose heading and floor are not taken from the body."""
    return MotionClip(encode_parameters(body).float(), None, FPS)


def _jump() -> Iterator[Target]:
    for name, body in (
        ("jumps", make_steps("jumps").parameters),
        ("noisy jumps", noisy(make_steps("jumps").parameters)),
    ):
        clean, mended = clip_of(make_steps("jumps").parameters), refine(clip_of(body), Settings()).clips[0]
        change = abs(_flight(mended) - _flight(clean)) * 100
        yield Target(f"{name}, change of the flight's height, cm", change, most=1)


def _speed() -> Iterator[Target]:
    clip = clip_of(noisy(sample("jumping_jack").turned(tilt(10, 2))))
    refine(clip, Settings())
    start = time.process_time()
    for _ in range(TIMED_RUNS):
        refine(clip, Settings())
    yield Target("81 frames, processor time ms", (time.process_time() - start) / TIMED_RUNS * 1000, most=10)


def _real_capture(clip: MotionClip) -> Iterator[Target]:
    result = refine(clip, Settings())
    raw, now = result.done["raw_figures"], result.done["figures"]
    yield Target("real capture, skate ratio", now["skate_ratio"], most=0.15)
    yield Target("real capture, foot sliding", now["foot_sliding"], most=0.0025)
    yield Target("real capture, jitter over that before", now["jitter_degree"] / raw["jitter_degree"], most=1)
    yield Target("real capture, pose moved mm", _pose_change(clip, result), most=5)


def _motion_captured(path: Path) -> Iterator[Target]:
    clip = convert(read_capture(path), target_fps=FPS).clip
    result = refine(clip, Settings(feet=OFF))
    yield Target(f"{path.stem} without feet, pose moved mm", _pose_change(clip, result), most=5)
    yield Target(f"{path.stem} without feet, limb speed kept", result.done["speed_kept"], least=0.97)
    planted = refine(clip, Settings()).clips[0]
    yield Target(f"{path.stem}, limb speed kept", _limb_speed(planted) / _limb_speed(clip), least=0.97)


def _sample_clip(name: str) -> MotionClip:
    return clip_of(sample(name))


def _largest(values: Tensor) -> float:
    return float(values.abs().max())


def _body(clip: MotionClip) -> BodyParameters:
    return with_closing_frame(clip.motion.double())


def _joints(clip: MotionClip) -> Tensor:
    return _body(clip).joints()


def _error(truth: MotionClip, clip: MotionClip) -> float:
    return float((_joints(clip) - _joints(truth)).norm(dim=-1).mean())


def _pose_change(clip: MotionClip, result: Refinement) -> float:
    before, after = (joints - joints[:, :1] for joints in (_joints(clip), _joints(result.clips[0])))
    return float((after - before).norm(dim=-1).mean()) * 1000


def _limb_speed(clip: MotionClip) -> float:
    return float(_joints(clip)[:, LIMBS].diff(dim=0).norm(dim=-1).flatten().quantile(0.95))


def _lean(truth: BodyParameters, clip: MotionClip) -> float:
    """Degrees between up in the motion and true up, from how the roots are turned; median over the frames."""
    up = (_body(clip).root @ truth.root.mT)[..., 2]
    return math.degrees(float(torch.acos(up[:, 2].clamp(-1, 1)).median()))


def _flight(clip: MotionClip) -> float:
    """Metres between the lowest and the highest place of the lower toe."""
    lower = _joints(replace(clip))[:, (10, 11), 2].amin(dim=1)
    return float(lower.max() - lower.median())
