"""The built-in body: mannequin-x (Apache-2.0) bound to the 22 joints, with SMPL-X's relaxed hands."""

from __future__ import annotations

import functools
import importlib.metadata
from pathlib import Path

import numpy as np
from mannequin import Mannequin

from motion_rep.bodies.linear_skin import LinearSkin, bind
from motion_rep.bodies.mesh_normals import VertexNormals
from motion_rep.common.errors import UsageError
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.skeleton import JOINT_NAMES, JointPoses, forward_kinematics


class MannequinBody:
    """The skinned wooden figure of mannequin-x with zero betas; a :class:`motion_rep.bodies.body_models.Body`."""

    name = "built-in mannequin (mannequin-x)"

    def __init__(self, skin: LinearSkin | None = None) -> None:
        self.key = f"mannequin-x {importlib.metadata.version('mannequin-x')}"
        self._skin = _mannequin_skin() if skin is None else skin
        self.faces = self._skin.faces
        self.parts = self._skin.parts

    @property
    def skin(self) -> LinearSkin:
        """The mesh with its weights, for files that contain a skin."""
        return self._skin

    def vertices(self, parameters: BodyParameters) -> np.ndarray:
        """(N, V, 3) float32 metres, in the frame of the parameters."""
        return self._skin.vertices(_poses(parameters))

    def normals(self, parameters: BodyParameters, vertices: np.ndarray) -> np.ndarray:
        """(N, V, 3) float32 unit vectors, skinned like the vertices, which is faster than computing them from faces."""
        return self._skin.normals(_poses(parameters))

    def coarse(self) -> MannequinBody:
        """The same figure with a quarter of its triangles."""
        return MannequinBody(_coarse_skin())


def _poses(parameters: BodyParameters) -> JointPoses:
    return forward_kinematics(*(value.float() for value in parameters))


@functools.cache
def _coarse_skin() -> LinearSkin:
    """The vertices chosen by scripts/dev/make_coarse_mannequin.py; all if mannequin-x has a new mesh."""
    skin = _mannequin_skin()
    with np.load(Path(__file__).with_name("mannequin_coarse.npz")) as chosen:
        if int(chosen["full_count"]) != len(skin.parts):
            return skin
        return skin.subset(chosen["vertices"].astype(np.int64), chosen["faces"].astype(np.int32))


@functools.cache
def _mannequin_skin() -> LinearSkin:
    """Bind the mannequin's mesh.

    mannequin-x gives no public access to its weights, so this function reads its fields; its version is pinned and a
    test compares the result with its public ``vertices``.
    """
    model = Mannequin("wooden")
    rest = model.rest_pose()
    try:
        bound, bind_positions = model._identity["skin_vertices"], model._identity["skin_bind_positions"]
        joints, weights = model._skin_joint_indices, model._skin_weights
    except (AttributeError, KeyError) as error:
        raise UsageError(
            f"mannequin-x has changed inside ({error}). Install the version in requirements.txt: "
            "pip install 'mannequin-x>=0.3,<0.4'"
        ) from None
    transforms = model.joint_transforms(rest)
    owner = _body_joint_of(model.parents)
    local = bound[:, None] - bind_positions[joints]
    posed = np.einsum("vkij,vkj->vki", transforms[joints, :3, :3], local) + transforms[joints, :3, 3]
    local = posed - transforms[owner[joints], :3, 3]
    normals = VertexNormals(model.faces, model.num_vertices)(model.vertices(rest))
    return bind(local, weights, owner[joints], normals, model.faces)


def _body_joint_of(parents: tuple[int, ...]) -> np.ndarray:
    """For each joint of the model its body joint: fingers move with the wrist."""
    owner = list(range(len(parents)))
    for joint in range(len(JOINT_NAMES), len(parents)):
        owner[joint] = owner[parents[joint]]
    return np.array(owner)
