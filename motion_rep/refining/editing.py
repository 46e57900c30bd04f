"""Edits that users request, exact in the body parameters: trim, mirror, keep in place, close a loop."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from motion_rep.common.errors import InputError, counted
from motion_rep.kinematics.frames import transform_transl
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.rotations import matrix_to_rotvec, rotvec_to_matrix
from motion_rep.kinematics.skeleton import JOINT_NAMES
from motion_rep.refining.moving_body import MovingBody, continued

# A body moves while its fastest joint exceeds this speed in the world (m/s); standing people sway more slowly.
MOVING = 0.3
# Seconds kept before the first movement and after the last one.
MARGIN = 0.25
# Seconds before the end over which a loop is closed.
LOOP_SECONDS = 1.0
# A motion needs two frames, and a jitter three rows.
FEWEST_FRAMES = 4


def trimmed(body: MovingBody, start: float, end: float) -> MovingBody:
    """The frames from one second to another, counted from the motion's first row.

    Raises:
        InputError: fewer than four frames remain.
    """
    first = max(0, round(start * body.fps))
    last = min(len(body), round(min(end, 1e6) * body.fps) + 1)
    if last - first < FEWEST_FRAMES:
        raise InputError(
            f"{counted(max(last - first, 0), 'frame lies', 'frames lie')} from {start:g} to {end:g} s, expected "
            f"at least {FEWEST_FRAMES}. It has "
            f"{counted(len(body), 'frame')} at {body.fps:g} fps."
        )
    return body.rows(first, last)


def action_span(body: MovingBody) -> tuple[float, float]:
    """Seconds of the first and the last movement, with a margin; the whole clip if nothing moves."""
    speeds = body.joints.diff(dim=0).norm(dim=-1).amax(dim=1) * body.fps
    moving = torch.nonzero(speeds > MOVING).flatten()
    if len(moving) == 0:
        return 0.0, len(body) / body.fps
    return int(moving[0]) / body.fps - MARGIN, (int(moving[-1]) + 1) / body.fps + MARGIN


def cut(body: MovingBody, frames: tuple[int, ...]) -> list[MovingBody]:
    """Cut the motion before the given rows; each part after the first starts with one of these rows.

    All rows are kept. The frame after the last row of a part is extrapolated, as the next row may show another shot.

    Raises:
        InputError: a part would have fewer than four frames.
    """
    edges = [0, *sorted(set(frames)), len(body) - 1]
    lengths = [last - first for first, last in zip(edges, edges[1:])]
    if min(lengths) < FEWEST_FRAMES:
        raise InputError(
            f"cut at {', '.join(map(str, frames))} gives a part of {counted(max(min(lengths), 0), 'row')}, "
            "expected at least "
            f"{FEWEST_FRAMES} in each; the motion has {counted(len(body) - 1, 'row')}."
        )
    parts = [continued(body.rows(first, last)) for first, last in zip(edges[:-2], edges[1:-1])]
    return [*parts, body.rows(edges[-2], len(body))]


def mirrored(body: MovingBody) -> MovingBody:
    """Exchange left and right: the motion seen in a mirror at x = 0. Doing it twice gives the original motion.

    The camera is mirrored as well, so that the overlay fits the mirrored video.
    """
    flip = torch.diag(torch.tensor((-1.0, 1.0, 1.0), dtype=torch.float64))
    root, parts, transl = body.parameters
    other = [JOINT_NAMES.index(_other_side(name)) - 1 for name in JOINT_NAMES[1:]]
    parameters = BodyParameters(flip @ root @ flip, flip @ parts[:, other] @ flip, transform_transl(flip, transl))
    if body.camera is None:
        return body.posed(parameters)
    flip_all = torch.diag(torch.tensor((-1.0, 1.0, 1.0, 1.0), dtype=torch.float64))
    return replace(body.posed(parameters), camera=flip_all @ body.camera @ flip_all)


def _other_side(name: str) -> str:
    side, _, part = name.partition("_")
    return f"{ {'left': 'right', 'right': 'left'}[side] }_{part}" if part else name


def in_place(body: MovingBody) -> MovingBody:
    """Keep the pelvis above its position in the first frame. Heights and poses do not change; the camera moves
    along.
    """
    pelvis = body.joints[:, 0]
    shift = (pelvis[:1] - pelvis) * pelvis.new_tensor((1.0, 1.0, 0.0))
    return body.moved(torch.eye(3, dtype=torch.float64), shift)


def closed_loop(body: MovingBody) -> MovingBody:
    """The frame after the last row becomes the first frame, so that the motion repeats without a jump.

    The difference is spread over the last second, or over the second half of a shorter clip.
    """
    count = min(max(2, round(LOOP_SECONDS * body.fps)), len(body) // 2)
    part = torch.linspace(0, 1, count + 1, dtype=torch.float64)[1:]
    weight = torch.cat((torch.zeros(len(body) - count, dtype=torch.float64), part**2 * (3 - 2 * part)))
    root, parts, transl = body.parameters
    return body.posed(
        BodyParameters(
            _turned_towards(root, root[0], weight),
            _turned_towards(parts, parts[0], weight[:, None].expand(-1, parts.shape[1])),
            transl + weight[:, None] * (transl[0] - transl[-1]),
        )
    )


def loop_gap(body: MovingBody) -> float:
    """Metres on the ground from the first place of the pelvis to the last."""
    return float((body.joints[-1, 0] - body.joints[0, 0])[:2].norm())


def _turned_towards(rotations: Tensor, start: Tensor, weight: Tensor) -> Tensor:
    """Rotations (T, ..., 3, 3) turned by a share (T, ...) of the turn that brings the last one to ``start``."""
    turn = matrix_to_rotvec(rotations[-1].mT @ start)
    return rotations @ rotvec_to_matrix(weight[..., None] * turn)
