"""Oddities of a capture that users should know before they use the motion."""

from __future__ import annotations

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


def check_capture(capture: Capture) -> tuple[str, ...]:
    """One sentence for each oddity found: changing focal length, sudden jumps."""
    found = (_changing_focal_length(capture), _jumps(capture))
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
