"""Refine one motion: trim, smooth, level, plant the feet, and the exact changes, in this order.

All steps change body parameters; the rows are encoded again at the end. Uncertain repairs are skipped and reported.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch

from motion_rep.common.rates import TIMING, playback_rate
from motion_rep.kinematics.frames import Z_UP_FROM_OPENCV, basis
from motion_rep.motions.motion_file import MotionClip
from motion_rep.motions.stamp import motion_digest
from motion_rep.refining.editing import action_span, closed_loop, cut, in_place, loop_gap, mirrored, trimmed
from motion_rep.refining.figures import change, figures_of, limb_speed
from motion_rep.refining.levelling import Balance, balance, level_from, up_of_tilted_camera
from motion_rep.refining.moving_body import (
    MovingBody,
    faces_ahead,
    in_canonical_frame,
    is_on_the_floor,
    motion_clip_of,
    moving_body,
    on_the_floor,
)
from motion_rep.refining.planting import planted
from motion_rep.refining.settings import AUTO, OFF, Settings, Trim
from motion_rep.refining.smoothing import smoothed

# Metres. A loop whose end is farther from its start slides back on the way.
FARTHEST_LOOP = 0.3
# These do not change the facing direction, but a smoothed motion that faced +y is turned to +y again: its hips in the
# first frame have less noise than the raw ones that defined the heading. A motion whose first pelvis was above the
# origin and whose lowest joint was at 0 keeps both; any other motion keeps its place.
KEEP_HEADING = {"smooth", "feet"}


@dataclass(frozen=True)
class Refinement:
    """A refined motion: its parts (one, unless it was cut), what was done, and sentences for the user."""

    clips: tuple[MotionClip, ...]
    done: dict
    notes: tuple[str, ...]


@dataclass
class _Work:
    """A body during refining, with the record of its repairs."""

    body: MovingBody
    done: dict = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@torch.inference_mode()
def refine(clip: MotionClip, settings: Settings) -> Refinement:
    """Refine a motion.

    Returns:
        New clips; ``refined`` in them contains what was done, the digest of the raw motion, and the figures of both. If
        there is nothing to do, the body does not change, but its columns are made consistent.
    Raises:
        InputError: trim or cut leaves too few frames.
    """
    fps, guess = playback_rate(TIMING, settings.fps, clip.fps)
    own_fps, clip = clip.fps, clip if settings.fps is None else replace(clip, fps=settings.fps)
    work = _Work(moving_body(clip, fps), notes=[guess] if guess else [])
    grounded = is_on_the_floor(work.body)
    raw_balance = balance(work.body.joints, fps)
    raw_figures = figures_of(work.body, raw_balance)
    _trim(work, settings, clip.start_time, own_fps)
    before = work.body
    _smooth(work, settings)
    _level(work, settings, clip, None if work.done else raw_balance)
    _plant(work, settings)
    figures = raw_figures if work.done == {} else figures_of(work.body, balance(work.body.joints, fps))
    changed = change(before, work.body)
    _edit(work, settings)
    record = _record(clip, work.done, raw_figures.as_dict(), figures.as_dict(), changed, limb_speed(before))
    parts = cut(work.body, settings.cut_at) if settings.cut_at else [work.body]
    if set(work.done) - KEEP_HEADING or ("smooth" in work.done and faces_ahead(before)):
        parts = [in_canonical_frame(part, settings.heading or 0.0) for part in parts]
    elif work.done and grounded:
        parts = [on_the_floor(part) for part in parts]
    clips = tuple(motion_clip_of(part, clip, record) for part in parts)
    return Refinement(clips, record, tuple(work.notes))


def _trim(work: _Work, settings: Settings, start_time: float, own_fps: float | None) -> None:
    if settings.trim == OFF:
        return
    if isinstance(settings.trim, Trim):
        start, end = settings.trim.seconds_of(start_time, own_fps, work.body.fps)
    else:
        start, end = settings.trim if isinstance(settings.trim, tuple) else action_span(work.body)
    frames = len(work.body)
    work.body = trimmed(work.body, start, end)
    if len(work.body) < frames:
        first = work.body.first
        work.done["trim"] = [first, first + len(work.body) - 1]


def _smooth(work: _Work, settings: Settings) -> None:
    if settings.smooth == OFF:
        return
    strength = None if settings.smooth == AUTO else float(settings.smooth)
    result = smoothed(work.body, strength)
    if result.pose or result.path:
        work.body = result.body
        work.done["smooth"] = {"pose": round(result.pose, 3), "path": round(result.path, 3)}


def _level(work: _Work, settings: Settings, clip: MotionClip, known: Balance | None) -> None:
    """Turn the motion upright if the tilt is reliable, or by the given tilt."""
    up = None
    if isinstance(settings.level, tuple):
        up = _up_of_camera(work.body, *settings.level)
    elif settings.level == AUTO:
        up = _sure_up(work, clip, known)
    if up is None:
        return
    level = level_from(up)
    work.body = work.body.moved(level, torch.zeros(3, dtype=torch.float64))
    work.done["level"] = round(float(torch.rad2deg(torch.acos(level[2, 2].clamp(-1, 1)))), 2)


def _sure_up(work: _Work, clip: MotionClip, known: Balance | None) -> torch.Tensor | None:
    if clip.up_from or (clip.refined or {}).get("level"):
        return None
    found = known or balance(work.body.joints, work.body.fps)
    if found is None or found.doubt:
        reason = found.doubt if found else "it is too short"
        work.notes.append(f"not levelled: {reason}. refine_motion.py --level PITCH,ROLL levels by a known camera tilt")
        return None
    return None if found.is_level else found.up


def _up_of_camera(body: MovingBody, pitch: float, roll: float) -> torch.Tensor:
    """(3,) up in the motion's frame, which assumes a level camera; without a camera, one in front is assumed."""
    up = up_of_tilted_camera(pitch, roll)
    if body.camera is None:
        return basis(Z_UP_FROM_OPENCV, up) @ up
    first = body.camera if body.camera.ndim == 2 else body.camera[0]
    return first[:3, :3].T @ up


def _plant(work: _Work, settings: Settings) -> None:
    if settings.feet == OFF:
        return
    result = planted(work.body, was_noisy="smooth" in work.done)
    if result.stands:
        work.body = result.body
        work.done["feet"] = len(result.stands)


def _edit(work: _Work, settings: Settings) -> None:
    for name, edit in (("mirror", mirrored), ("in_place", in_place), ("loop", closed_loop)):
        if getattr(settings, name):
            if name == "loop" and loop_gap(work.body) > FARTHEST_LOOP:
                work.notes.append(
                    f"the loop ends {loop_gap(work.body):.1f} m from its start and slides back; --in-place avoids this"
                )
            work.body = edit(work.body)
            work.done[name] = True
    if settings.heading is not None:
        work.done["heading"] = float(settings.heading)
    if settings.cut_at:
        work.done["cut_at"] = sorted(set(settings.cut_at))


def _record(clip: MotionClip, done: dict, raw: dict, figures: dict, changed: float, raw_speed: float) -> dict:
    """The record of the repairs for the file; the raw motion of an earlier refinement remains the raw one."""
    earlier = clip.refined or {}
    speed = figures["limb_speed"]
    return {
        **{name: earlier[name] for name in ("level",) if name in earlier},
        **done,
        "raw_motion": earlier.get("raw_motion") or motion_digest(clip.motion),
        "raw_figures": earlier.get("raw_figures") or raw,
        "figures": figures,
        "moved_mm": round(changed * 1000, 3),
        "speed_kept": round(speed / raw_speed, 4) if raw_speed else 1.0,
    }
