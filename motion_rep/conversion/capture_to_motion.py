"""Step 3 as a function: convert a capture to a motion clip, with notes on the steps and findings."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from motion_rep.captures.capture import Capture
from motion_rep.captures.checks import check_capture, check_upright
from motion_rep.captures.plausibility import check_plausible
from motion_rep.captures.resampling import fill_gaps, resample
from motion_rep.common.errors import InputError, counted
from motion_rep.common.rates import LOADER_FPS
from motion_rep.motions.encoding import encode_capture
from motion_rep.motions.layout import unpack
from motion_rep.motions.motion_file import MotionClip

# Degrees: a less certain up direction is ignored, and a smaller tilt counts as level.
LARGEST_UP_SPREAD, LEAST_TILT = 10.0, 0.5


@dataclass(frozen=True)
class Conversion:
    """A converted clip, and notes for the user, one sentence each."""

    clip: MotionClip
    notes: tuple[str, ...]


def convert(
    capture: Capture, fps: float | None = None, target_fps: float | None = None, up_from: str = "capture"
) -> Conversion:
    """Fill short gaps, resample if asked, and encode.

    Args:
        fps: the source's true rate, if the file does not store it or is wrong.
        target_fps: the rate of the result; None keeps the source's.
        up_from: "capture" levels by the capture's up direction if it is certain, "level" assumes a level camera.
    Raises:
        InputError: long gaps, no heading, or resampling at an unknown rate.
    """
    levelled, up_note = _levelled(capture, up_from)
    timed = levelled if fps is None else dataclasses.replace(levelled, fps=fps)
    whole = fill_gaps(timed)
    start_time = 0.0 if whole.frame_index is None or whole.fps is None else int(whole.frame_index[0]) / whole.fps
    sampled = whole if target_fps is None or whole.fps == target_fps else resample(whole, target_fps)
    joints = sampled.parameters().joints()
    odd = check_plausible(sampled, joints)
    try:
        encoded = encode_capture(sampled, joints)
        known_up = "world" if not sampled.has_camera else "capture" if sampled.up is not None else None
        source_fps = sampled.interpolated_from
        clip = MotionClip(
            encoded.motion.float(),
            encoded.camera,
            sampled.fps,
            start_time,
            known_up,
            interpolated_from=source_fps,
            image_fit=capture.image_fit,
        )
    except InputError as error:
        raise error if odd is None else InputError(f"{error} Perhaps because {odd}.") from None
    # One warning names the cause; its consequences are not reported.
    oddities = (odd,) if odd else (*check_capture(timed), *check_upright(unpack(clip.motion).joints))
    return Conversion(clip, (*encoded.notes, *up_note, *oddities, *_source_note(sampled), *_rate_note(sampled.fps)))


def _levelled(capture: Capture, up_from: str) -> tuple[Capture, tuple[str, ...]]:
    """The capture with the up direction to use, and a note if it tilts the camera."""
    if capture.up is None:
        return capture, ()
    tilt = math.degrees(math.acos(max(-1.0, min(1.0, -float(capture.up[1])))))
    if up_from == "level" or capture.up_axis != "-y" or capture.up_spread > LARGEST_UP_SPREAD or tilt < LEAST_TILT:
        return dataclasses.replace(capture, up=None), ()
    note = f"the camera is tilted by {tilt:.0f} degrees (spread {capture.up_spread:.0f}); the motion was levelled"
    return capture, (f"{note}; --up-from level assumes a level camera",)


def _source_note(sampled: Capture) -> tuple[str, ...]:
    if sampled.interpolated_from is None:
        return ()
    return (f"interpolated from {counted(sampled.interpolated_from, 'frame')} per second, and marked so in the file",)


def _rate_note(fps: float | None) -> tuple[str, ...]:
    if fps is None or abs(fps - LOADER_FPS) < 1e-6:
        return ()
    speed = f"the TM2M loader assumes {LOADER_FPS:g} and would play it {LOADER_FPS / fps:.2g} times as fast"
    return (
        f"this motion has {counted(fps, 'frame')} per second; {speed}. Convert with --target-fps {LOADER_FPS:g} for it",
    )
