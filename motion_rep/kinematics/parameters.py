"""SMPL-X body parameters over time, with joint poses, the pelvis, and changes of frame."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from motion_rep.kinematics.frames import transform_transl
from motion_rep.kinematics.skeleton import JointPoses, forward_kinematics, pelvis_at_rest


class BodyParameters(NamedTuple):
    """The neutral SMPL-X body over N frames, in any right-handed frame.

    root: (N, 3, 3) orientation of the pelvis.
    body: (N, 21, 3, 3) rotations of the other joints relative to their parents.
    transl: (N, 3) metres; the pelvis is at J0 + transl.
    """

    root: Tensor
    body: Tensor
    transl: Tensor

    def joint_poses(self) -> JointPoses:
        """Global rotations (N, 22, 3, 3) and positions (N, 22, 3) of all joints, by forward kinematics."""
        return forward_kinematics(*self)

    def joints(self) -> Tensor:
        """(N, 22, 3) joint positions, metres."""
        return self.joint_poses().positions

    def pelvis(self) -> Tensor:
        """(N, 3) position of the pelvis, metres."""
        return self.transl + pelvis_at_rest(self.transl)

    def rows(self, rows: slice) -> BodyParameters:
        """Some of the frames."""
        return BodyParameters(*(value[rows] for value in self))

    def turned(self, rotation: Tensor, shift: Tensor | None = None) -> BodyParameters:
        """The body in another frame: p' = rotation p + shift.

        Args:
            rotation: (3, 3), or (N, 3, 3) with one rotation per frame.
            shift: (3,) or (N, 3) metres.
        """
        transl = transform_transl(rotation, self.transl)
        return BodyParameters(rotation @ self.root, self.body, transl if shift is None else transl + shift)

    def without_translation(self) -> BodyParameters:
        """The same poses; the pelvis keeps its position of the first row."""
        return self._replace(transl=self.transl[:1].expand_as(self.transl))
