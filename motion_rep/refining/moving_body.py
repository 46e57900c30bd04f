"""A body over time with the camera that sees it: the input and output of every repair."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from motion_rep.kinematics.camera import Camera
from motion_rep.kinematics.frames import heading
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.motions.closing_frame import posed_with_closing_frame
from motion_rep.motions.encoding import encode_parameters
from motion_rep.motions.motion_file import MotionClip

# Metres, and radians.
SAME_PLACE = SAME_HEADING = 1e-3


@dataclass(frozen=True)
class MovingBody:
    """The frames of a motion, including the frame after its last row.

    parameters: T frames, float64, z up. joints: (T, 22, 3) their joints, metres.
    camera: world to camera (4, 4), or (T, 4, 4); None if unknown.
    fps: frames per second used for it.
    first: the frame of the input motion at which this body starts.
    """

    parameters: BodyParameters
    joints: Tensor
    camera: Tensor | None
    fps: float
    first: int = 0

    def __len__(self) -> int:
        return len(self.parameters.transl)

    def posed(self, parameters: BodyParameters, joints: Tensor | None = None) -> MovingBody:
        """Another body in front of the same camera. Known ``joints`` save the forward kinematics."""
        return replace(self, parameters=parameters, joints=parameters.joints() if joints is None else joints)

    def moved(self, rotation: Tensor, shift: Tensor) -> MovingBody:
        """The body in another frame, p' = rotation p + shift, and the camera with it, so that the picture stays.

        Args:
            rotation: (3, 3). shift: (3,), or (T, 3) for a moving frame.
        """
        moved = self.posed(self.parameters.turned(rotation, shift), self.joints @ rotation.T + shift[..., None, :])
        if self.camera is None:
            return moved
        new_from_old = torch.eye(4, dtype=torch.float64).expand(*shift.shape[:-1], 4, 4).clone()
        new_from_old[..., :3, :3], new_from_old[..., :3, 3] = rotation, shift
        return replace(moved, camera=self.camera @ torch.linalg.inv(new_from_old))

    def rows(self, first: int, last: int) -> MovingBody:
        """The frames from ``first`` up to, but not including, ``last``."""
        camera = self.camera if self.camera is None or self.camera.ndim == 2 else self.camera[first:last]
        rows = self.posed(self.parameters.rows(slice(first, last)), self.joints[first:last])
        return replace(rows, camera=camera, first=self.first + first)


def moving_body(clip: MotionClip, fps: float) -> MovingBody:
    """The body of a motion. If its velocities give no next frame, that frame is extrapolated from the last ones.

    Args:
        fps: frames per second used for it.
    """
    motion = clip.motion.double()
    camera = None if clip.camera is None else clip.camera.world_to_camera.double()
    parameters, joints = posed_with_closing_frame(motion)
    lacking = len(parameters.transl) == len(clip)
    if camera is not None and camera.ndim == 3 and not lacking:
        camera = torch.cat((camera, camera[-1:]))
    body = MovingBody(parameters, joints, camera, fps)
    return continued(body) if lacking else body


def motion_clip_of(body: MovingBody, clip: MotionClip, refined: dict | None = None) -> MotionClip:
    """The 276 numbers of a body, with the metadata of the clip from which it came.

    Args:
        refined: the record of the repairs; None keeps the clip's record.
    """
    camera = body.camera
    if camera is not None and camera.ndim == 3:
        camera = camera[:-1]
    return replace(
        clip,
        motion=encode_parameters(body.parameters, body.joints).float(),
        camera=None if camera is None or clip.camera is None else Camera(clip.camera.intrinsic, camera),
        start_time=clip.start_time + body.first / body.fps,
        refined=clip.refined if refined is None else refined,
    )


def in_canonical_frame(body: MovingBody, facing: float = 0.0) -> MovingBody:
    """Move the first pelvis above the origin, turn the person to face +y, and put the lowest joint of all frames at z =
    0.

    Args:
        facing: degrees to the left of +y, seen from above, that the person faces instead.
    """
    turn = turn_about_z(facing, body.joints) @ heading(body.joints[0]).canonical_from_z_up
    return body.moved(turn, -_ground(body.joints @ turn.T))


def on_the_floor(body: MovingBody) -> MovingBody:
    """Move the first pelvis above the origin and the lowest joint of all frames to z = 0, without a turn."""
    return body.moved(torch.eye(3, dtype=torch.float64), -_ground(body.joints))


def is_on_the_floor(body: MovingBody) -> bool:
    """Whether :func:`on_the_floor` would change nothing but rounding."""
    return float(_ground(body.joints).abs().max()) < SAME_PLACE


def faces_ahead(body: MovingBody) -> bool:
    """Whether the person faces +y in the first frame."""
    facing = heading(body.joints[0]).canonical_from_z_up
    return float(facing[0, 0]) > 0 and abs(float(facing[0, 1])) < SAME_HEADING


def _ground(joints: Tensor) -> Tensor:
    """(3,) the point below the first pelvis at the height of the lowest joint."""
    return torch.stack((joints[0, 0, 0], joints[0, 0, 1], joints[..., 2].min()))


def turn_about_z(degrees: float, like: Tensor) -> Tensor:
    """(3, 3) turn to the left, seen from above."""
    angle = torch.deg2rad(torch.tensor(float(degrees), dtype=like.dtype))
    sine, cosine, zero, one = angle.sin(), angle.cos(), angle * 0, angle * 0 + 1
    return torch.stack((cosine, -sine, zero, sine, cosine, zero, zero, zero, one)).reshape(3, 3)


def continued(body: MovingBody) -> MovingBody:
    """Add one frame, which continues the last turn and movement; a single frame is repeated."""
    parameters = body.parameters
    previous, last = parameters.rows(slice(-2, None)).rows(slice(0, 1)), parameters.rows(slice(-1, None))
    following = BodyParameters(
        last.root @ previous.root.mT @ last.root,
        last.body @ previous.body.mT @ last.body,
        2 * last.transl - previous.transl,
    )
    camera = body.camera
    if camera is not None and camera.ndim == 3:
        camera = torch.cat((camera, camera[-1:]))
    longer = BodyParameters(*(torch.cat(pair) for pair in zip(parameters, following, strict=True)))
    return replace(body.posed(longer, torch.cat((body.joints, following.joints()))), camera=camera)
