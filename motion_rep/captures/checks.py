"""Oddities of a capture that users should know before they use the motion."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from motion_rep.captures.capture import Capture
from motion_rep.captures.resampling import frame_ranges
from motion_rep.common.errors import listed
from motion_rep.common.rates import LOADER_FPS
from motion_rep.kinematics.rotations import angle_between
from motion_rep.kinematics.skeleton import JOINT_NAMES

# A sprinter's pelvis moves at up to 8 m/s; noise in the depth alone can move it by 0.35 m within a frame.
FASTEST_PELVIS = 8.0
SMALLEST_JUMP = 0.35
LARGEST_TURN = 2.0
FOCAL_CHANGE = 1e-3
# Joints that bend one way: the axis of the bone after them in a T-pose, and the sign that makes the forward part of the
# bent bone positive for elbows and the backward part for knees.
HINGES = {"left_knee": (1, 1), "right_knee": (1, 1), "left_elbow": (0, 1), "right_elbow": (0, -1)}
SPINE = ("spine1", "spine2", "spine3")
# Radians: noisy captures overstretch straight limbs a little, and deep bends share the angle among the spine's joints.
LARGEST_BACKWARD_ANGLE, LARGEST_SPINE_ANGLE = 0.5, 1.3
WRONG_BENDS_SHARE = 0.3
# Steps (m) of numbers with few bits: 16-bit floats have them at the distance of a person, whole metres at any.
STEPS = tuple(2.0**-power for power in range(9))
FEWEST_STEPS, MOST_STEPS_AT_ONCE = 4, 2.5
STILL = 1e-6  # metres between frames that count as no move


def check_capture(capture: Capture) -> tuple[str, ...]:
    """One sentence for each oddity found: changing focal length, rounding, jumps, joints that bend the wrong way."""
    found = (_changing_focal_length(capture), _rounded(capture), _jumps(capture), _wrong_bends(capture))
    return tuple(note for note in found if note)


def _changing_focal_length(capture: Capture) -> str | None:
    focal = capture.focal_length
    if focal is None or float(focal.max() - focal.min()) <= FOCAL_CHANGE * float(focal.median()):
        return None
    return (
        f"the focal length changes over time, from {float(focal.min()):.1f} to {float(focal.max()):.1f} pixels; the "
        f"motion keeps one camera ({float(focal.median()):.1f}, the median), so an overlay fits only roughly. "
        "SMPLest-X maps all frames to one camera with --retarget_cam"
    )


def _rounded(capture: Capture) -> str | None:
    """Translations in 16-bit floats or whole numbers make the body tremble."""
    moves = capture.transl.diff(dim=0)
    if len(moves) < FEWEST_STEPS:
        return None
    # Multiples of a step are also multiples of the smallest one; most captures have none.
    apart = ((moves / STEPS[-1]).round() * STEPS[-1] - moves).abs().amax(dim=0).tolist()
    even = ((axis, along) for axis, along, rest in zip("xyz", moves.T, apart, strict=True) if rest <= STILL)
    found = {axis: step for axis, along in even if (step := _step_of(along))}
    if not found:
        return None
    axis = max(found, key=lambda name: found[name])
    return (
        f"transl changes in steps of {1000 * found[axis]:.0f} mm along {axis}: its numbers were rounded, perhaps to 16 "
        "bits, so the body trembles. Save them as 32-bit floats"
    )


def _step_of(moves: Tensor) -> float | None:
    """The largest step of which all moves (T-1,) along an axis are multiples, if single moves are that small."""
    sizes = moves.abs()[moves.abs() > STILL]
    if len(sizes) < FEWEST_STEPS or len(moves.unique()) < 2:
        return None
    for step in STEPS:
        if bool(((sizes / step).round() * step - sizes).abs().max() < 1e-7):
            return step if float(sizes.min()) < MOST_STEPS_AT_ONCE * step else None
    return None


def _jumps(capture: Capture) -> str | None:
    step = capture.transl.diff(dim=0).norm(dim=-1)
    turn = angle_between(capture.root_rotations[1:], capture.root_rotations[:-1])
    limit = max(SMALLEST_JUMP, FASTEST_PELVIS / (capture.fps or LOADER_FPS))
    jumps = torch.nonzero((step > limit) | (turn > LARGEST_TURN)).flatten()
    if not len(jumps):
        return None
    numbers = _source_frames(capture)[jumps + 1].tolist()
    how_far = f"{float(step[jumps].max()):.2f} m and {float(turn[jumps].max()):.1f} rad"
    return (
        f"the root jumps by up to {how_far} at the frames {listed(numbers, most=8)}; the capture may have switched to "
        "another person there"
    )


def _wrong_bends(capture: Capture) -> str | None:
    """Files with transposed matrices, exchanged sides or another order of joints look like this."""
    backwards, folded = wrong_bends(capture.body_rotations)
    share = float((backwards | folded).double().mean())
    if share < WRONG_BENDS_SHARE:
        return None
    found = {"knees or elbows bend backwards": backwards, "the spine folds": folded}
    what = " and ".join(words for words, frames in found.items() if bool(frames.any()))
    return (
        f"{what} in {share:.0%} of the frames; the joints may be in another order than SMPL's, left and right "
        "exchanged, the body mirrored, or its matrices transposed"
    )


def wrong_bends(body: Tensor) -> tuple[Tensor, Tensor]:
    """Whether a knee or an elbow bends backwards, and whether one joint of the spine bends too far.

    Args:
        body: (T, 21, 3, 3) rotations of the joints other than the root.
    Returns:
        Two (T,) bool.
    """
    bends = torch.stack([sign * body[:, JOINT_NAMES.index(name) - 1, 2, axis] for name, (axis, sign) in HINGES.items()])
    spine = body[:, [JOINT_NAMES.index(name) - 1 for name in SPINE]]
    # The trace of a rotation is 1 + 2 cos(angle).
    folded = spine.diagonal(dim1=-2, dim2=-1).sum(-1) < 1 + 2 * math.cos(LARGEST_SPINE_ANGLE)
    return (bends < -math.sin(LARGEST_BACKWARD_ANGLE)).any(0), folded.any(1)


def check_upright(joints: Tensor) -> tuple[str, ...]:
    """A sentence if the head is below the pelvis from the first row on.

    Args:
        joints: (N, 22, 3) z-up, metres.
    """
    below = joints[:, JOINT_NAMES.index("head"), 2] < joints[:, JOINT_NAMES.index("pelvis"), 2]
    if not bool(below[0]):
        return ()
    last = len(below) - 1 if bool(below.all()) else int(torch.nonzero(~below)[0]) - 1
    cause = "the camera was tilted or the axes are not OpenCV's (x right, y down, z forward)"
    return (
        f"the head is below the pelvis from the start (rows {frame_ranges([(0, last)])}); if the person is standing, "
        f"{cause}",
    )


def _source_frames(capture: Capture) -> Tensor:
    return torch.arange(len(capture)) if capture.frame_index is None else capture.frame_index
