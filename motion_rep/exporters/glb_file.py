"""A glb file: the built-in body, its skeleton and the motion as an animation, for web viewers and Blender (glTF 2.0).

Always uses the built-in mannequin: its licence permits distribution, and it needs only linear skinning, the only kind
in glTF.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pygltflib
import torch

from motion_rep.bodies.rest_skin import RestSkin, mannequin_rest_skin
from motion_rep.exporters.posed_motion import PosedMotion
from motion_rep.files.atomic_writing import write_bytes
from motion_rep.kinematics.rotations import continuous_quaternions, matrix_to_quaternion
from motion_rep.kinematics.skeleton import JOINT_NAMES, PARENTS, rest_joints

# glTF's constants for the type and use of arrays.
FLOAT, UNSIGNED_BYTE, UNSIGNED_INT = 5126, 5121, 5125
VERTEX_BUFFER, INDEX_BUFFER = 34962, 34963
KINDS = {1: "SCALAR", 3: "VEC3", 4: "VEC4", 16: "MAT4"}
BODY_NODE = len(JOINT_NAMES)
# Linear light; the blue of the lit videos.
BASE_COLOR = [0.0116, 0.2423, 0.6038, 1.0]


def write_glb(path: str | os.PathLike, motion: PosedMotion) -> None:
    """Write the skinned body with one animation, ``motion``; metres, seconds, y up."""
    arrays = _Arrays()
    skin = mannequin_rest_skin()
    document = pygltflib.GLTF2(
        asset=pygltflib.Asset(version="2.0", generator="motion_rep/export_motion.py"),
        scene=0,
        scenes=[pygltflib.Scene(name="motion", nodes=[0, BODY_NODE])],
        nodes=[*_joint_nodes(), pygltflib.Node(name="body", mesh=0, skin=0)],
        meshes=[_mesh(arrays, skin)],
        materials=[_material()],
        skins=[
            pygltflib.Skin(
                name="skeleton",
                joints=list(range(BODY_NODE)),
                skeleton=0,
                inverseBindMatrices=arrays.add(_inverse_bind_matrices()),
            )
        ],
        animations=[_animation(arrays, motion)],
        extras={"fps": motion.fps},
    )
    arrays.attach(document)
    write_bytes(path, b"".join(document.save_to_bytes()))


class _Arrays:
    """The binary part of the file, and the descriptions of its arrays."""

    _types = {np.dtype(np.float32): FLOAT, np.dtype(np.uint8): UNSIGNED_BYTE, np.dtype(np.uint32): UNSIGNED_INT}

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._views: list = []
        self._accessors: list = []

    def add(self, values: np.ndarray, target: int | None = None, bounds: bool = False) -> int:
        """Append an array (n,) or (n, k); returns its number."""
        values = np.ascontiguousarray(values)
        width = values.shape[1] if values.ndim == 2 else 1
        data = values.tobytes()
        self._views.append(
            pygltflib.BufferView(buffer=0, byteOffset=len(self._bytes), byteLength=len(data), target=target)
        )
        self._bytes += data + b"\0" * (-len(data) % 4)
        rows = values.reshape(-1, width)
        limits = {"min": rows.min(0).tolist(), "max": rows.max(0).tolist()} if bounds else {}
        number = len(self._views) - 1
        kind = {"componentType": self._types[values.dtype], "type": KINDS[width]}
        self._accessors.append(pygltflib.Accessor(bufferView=number, count=len(values), **kind, **limits))
        return number

    def attach(self, document: Any) -> None:
        document.bufferViews, document.accessors = self._views, self._accessors
        document.buffers = [pygltflib.Buffer(byteLength=len(self._bytes))]
        document.set_binary_blob(bytes(self._bytes))


def _joint_nodes() -> list:
    """The skeleton at rest; each joint's position is relative to its parent."""
    rest = rest_joints().numpy()
    nodes = []
    for joint, parent in enumerate(PARENTS):
        children = [child for child, above in enumerate(PARENTS) if above == joint]
        offset = rest[joint] - (rest[parent] if joint else 0.0)
        nodes.append(
            pygltflib.Node(
                name=JOINT_NAMES[joint], translation=offset.tolist(), rotation=[0.0, 0.0, 0.0, 1.0], children=children
            )
        )
    return nodes


def _mesh(arrays: _Arrays, skin: RestSkin) -> Any:
    attributes = pygltflib.Attributes(
        POSITION=arrays.add(skin.vertices, VERTEX_BUFFER, bounds=True),
        NORMAL=arrays.add(skin.normals, VERTEX_BUFFER),
        JOINTS_0=arrays.add(skin.joints, VERTEX_BUFFER),
        WEIGHTS_0=arrays.add(skin.weights, VERTEX_BUFFER),
    )
    indices = arrays.add(skin.faces.astype(np.uint32).reshape(-1), INDEX_BUFFER)
    return pygltflib.Mesh(
        name="body", primitives=[pygltflib.Primitive(attributes=attributes, indices=indices, material=0)]
    )


def _material() -> Any:
    surface = pygltflib.PbrMetallicRoughness(baseColorFactor=BASE_COLOR, metallicFactor=0.0, roughnessFactor=0.6)
    return pygltflib.Material(name="body", pbrMetallicRoughness=surface, alphaCutoff=None)


def _inverse_bind_matrices() -> np.ndarray:
    """(22, 16) column by column: a vertex at rest relative to each joint at rest."""
    matrices = np.tile(np.eye(4, dtype=np.float32), (BODY_NODE, 1, 1))
    matrices[:, 3, :3] = -rest_joints().numpy()
    return matrices.reshape(BODY_NODE, 16)


def _animation(arrays: _Arrays, motion: PosedMotion) -> Any:
    times = arrays.add((np.arange(len(motion)) / motion.fps).astype(np.float32), bounds=True)
    rotations = torch.cat((motion.parameters.root[:, None], motion.parameters.body), dim=1)
    quaternions = continuous_quaternions(matrix_to_quaternion(rotations)).numpy()[..., [1, 2, 3, 0]].astype(np.float32)
    tracks = [(0, "translation", motion.parameters.pelvis().numpy().astype(np.float32))]
    tracks += [(joint, "rotation", quaternions[:, joint]) for joint in range(BODY_NODE)]
    samplers = [
        pygltflib.AnimationSampler(input=times, output=arrays.add(values), interpolation="LINEAR")
        for _, _, values in tracks
    ]
    targets = [pygltflib.AnimationChannelTarget(node=node, path=path) for node, path, _ in tracks]
    channels = [pygltflib.AnimationChannel(sampler=number, target=target) for number, target in enumerate(targets)]
    return pygltflib.Animation(name="motion", samplers=samplers, channels=channels)
