"""One motion on the viewer's stage: body, path of the pelvis, foot contacts, camera with the video."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import viser

from motion_rep.bodies.body_models import Body
from motion_rep.bodies.mannequin_body import MannequinBody
from motion_rep.bodies.rest_skin import mannequin_rest_skin
from motion_rep.kinematics.camera import Camera
from motion_rep.kinematics.foot_contact import FEET, foot_contacts
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.rotations import matrix_to_quaternion
from motion_rep.kinematics.skeleton import JointPoses, rest_joints
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.motion_file import MotionClip
from motion_rep.viewer.clock import frame_at
from motion_rep.viewer.video_frames import VideoFrames

BODY_COLORS = ((28, 135, 204), (217, 95, 2), (27, 158, 119), (117, 112, 179), (231, 41, 138), (102, 166, 30))
CONTACT_COLOR = (46, 204, 113)
FRUSTUM_SIZE, FRUSTUM_LINE = 0.25, 0.008
# Metres above the highest joint.
LABEL_HEIGHT = 0.2
# Metres between bodies side by side.
GAP = 1.0


@dataclass(frozen=True)
class Shown:
    """A motion to show.

    name: label in the viewer.
    fps: frames per second.
    offset: (3,) metres, position of its origin on the stage.
    video: pictures for its camera, one per frame, or None.
    """

    name: str
    clip: MotionClip
    fps: float
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    video: VideoFrames | None = None

    @property
    def seconds(self) -> float:
        return len(self.clip) / self.fps


class Actor:
    """A motion's objects in a viser scene; :meth:`show` moves them to a time."""

    def __init__(self, scene: viser.SceneApi, shown: Shown, body: Body, number: int) -> None:
        self.shown = shown
        self._parameters = body_parameters(shown.clip.motion.double())
        self._poses = self._parameters.joint_poses()
        self._contacts = foot_contacts(self._poses.positions, shown.fps).numpy()
        self._frame = -1
        self._place = f"/motion {number}"
        self.root = scene.add_frame(self._place, show_axes=False, position=shown.offset)
        color = BODY_COLORS[number % len(BODY_COLORS)]
        figure = SkinnedFigure if isinstance(body, MannequinBody) else MeshFigure
        self.figure = figure(scene, f"{self._place}/body", body, self._parameters, self._poses, color)
        self.path = scene.add_line_segments(
            f"{self._place}/path", *_path(self._poses.positions[:, 0].numpy(), color), thickness=0.012
        )
        self.feet = [
            scene.add_icosphere(
                f"{self._place}/foot {side}", radius=0.06, color=CONTACT_COLOR, opacity=0.75, visible=False
            )
            for side in range(2)
        ]
        self.label = scene.add_label(f"{self._place}/name", shown.name, anchor="bottom-center")
        self.camera = (
            None if shown.clip.camera is None else _frustum(scene, f"{self._place}/camera", shown.clip.camera, color)
        )
        self.show(0.0)

    @property
    def frame(self) -> int:
        """The shown frame."""
        return self._frame

    @property
    def picture(self) -> np.ndarray | None:
        """(h, w, 3) uint8 RGB: the video picture of the shown frame; None without one."""
        return None if self.shown.video is None else self.shown.video[self._frame]

    def stand_at(self, offset: tuple[float, float, float], opacity: float | None) -> None:
        """Move the motion's origin (metres, world); an opacity below 1 makes the body a ghost, None makes it solid."""
        self.root.position = offset
        self.figure.handle.opacity = opacity

    def show(self, time: float, contacts: bool = True) -> None:
        """Show the motion at a time in seconds."""
        frame = frame_at(time, self.shown.fps, len(self.shown.clip))
        for side, sphere in enumerate(self.feet):
            sphere.visible = contacts and bool(self._contacts[frame, side])
        if frame == self._frame:
            return
        self._frame = frame
        self.figure.show(frame)
        positions = self._poses.positions[frame].numpy()
        for sphere, foot in zip(self.feet, FEET, strict=True):
            sphere.position = positions[foot]
        self.label.position = (*positions[15, :2], positions[:, 2].max() + LABEL_HEIGHT)
        self._show_camera(frame)

    def _show_camera(self, frame: int) -> None:
        if self.camera is None or self.shown.clip.camera is None:
            return
        self.camera.wxyz, self.camera.position = camera_pose(self.shown.clip.camera, frame)
        if self.shown.video is not None:
            self.camera.image = self.picture


class SkinnedFigure:
    """The built-in body; only its 22 joints are sent to the browser per frame."""

    def __init__(
        self,
        scene: viser.SceneApi,
        place: str,
        body: Body,
        parameters: BodyParameters,
        poses: JointPoses,
        color: tuple[int, int, int],
    ) -> None:
        skin = mannequin_rest_skin()
        upright = np.tile([1.0, 0.0, 0.0, 0.0], (22, 1))
        self._quaternions, self._positions = matrix_to_quaternion(poses.rotations).numpy(), poses.positions.numpy()
        self.handle = scene.add_mesh_skinned(
            place,
            skin.vertices,
            skin.faces,
            bone_wxyzs=upright,
            bone_positions=rest_joints().numpy(),
            skin_weights=skin.weights_of_joints(),
            color=color,
        )

    def show(self, frame: int) -> None:
        for bone, quaternion, position in zip(
            self.handle.bones, self._quaternions[frame], self._positions[frame], strict=True
        ):
            bone.wxyz, bone.position = quaternion, position


class MeshFigure:
    """An SMPL-X body; its vertices are sent to the browser per frame."""

    def __init__(
        self,
        scene: viser.SceneApi,
        place: str,
        body: Body,
        parameters: BodyParameters,
        poses: JointPoses,
        color: tuple[int, int, int],
    ) -> None:
        self._body, self._parameters = body, parameters
        self.handle = scene.add_mesh_simple(place, self._vertices(0), body.faces, color=color)

    def show(self, frame: int) -> None:
        self.handle.vertices = self._vertices(frame)

    def _vertices(self, frame: int) -> np.ndarray:
        return self._body.vertices(self._parameters.rows(slice(frame, frame + 1)))[0]


def camera_pose(camera: Camera, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """Orientation (w, x, y, z) of a camera's axes (x right, y down, z forward) in the world, and its position."""
    pose = camera.pose(frame).double()
    world_from_camera = pose[:3, :3].T
    return matrix_to_quaternion(world_from_camera).numpy(), (-world_from_camera @ pose[:3, 3]).numpy()


def field_of_view(camera: Camera) -> float:
    """The vertical field of view in radians."""
    return float(2 * torch.atan(camera.size[1] / 2 / camera.intrinsic[1, 1]))


def side_by_side(clips: list[MotionClip]) -> list[tuple[float, float, float]]:
    """Origins of the motions that keep their paths apart, with a metre between bodies.

    They are placed along -x, which is left to right for a viewer in front of the people.
    """
    offsets, edge = [], 0.0
    for number, clip in enumerate(clips):
        x = body_parameters(clip.motion.double()).joints()[..., 0]
        offsets.append((0.0 if number == 0 else edge - GAP - float(x.max()), 0.0, 0.0))
        edge = offsets[-1][0] + float(x.min())
    return offsets


def _frustum(
    scene: viser.SceneApi, place: str, camera: Camera, color: tuple[int, int, int]
) -> viser.CameraFrustumHandle:
    width, height = camera.size
    return scene.add_camera_frustum(
        place, fov=field_of_view(camera), aspect=width / height, scale=FRUSTUM_SIZE, thickness=FRUSTUM_LINE, color=color
    )


def _path(pelvis: np.ndarray, color: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Line segments (M, 2, 3) of the pelvis and of its shadow on the ground, and their colours (M, 2, 3)."""
    points = pelvis if len(pelvis) > 1 else np.repeat(pelvis, 2, axis=0)
    shadow = points * (1.0, 1.0, 0.0) + (0.0, 0.0, 0.005)
    segments = np.concatenate([np.stack((line[:-1], line[1:]), axis=1) for line in (points, shadow)])
    colors = np.concatenate((np.tile(color, (len(points) - 1, 2, 1)), np.full((len(points) - 1, 2, 3), 120)))
    return segments.astype(np.float32), colors.astype(np.uint8)
