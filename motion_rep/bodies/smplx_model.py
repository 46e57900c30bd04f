"""SMPL-X and SMPL-H bodies through the ``smplx`` package, for users who have the registered model files."""

from __future__ import annotations

import contextlib
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import smplx
import torch
from torch import Tensor

from motion_rep.bodies.mesh_normals import VertexNormals
from motion_rep.common.errors import InputError, one_line
from motion_rep.files.local_files import file_sha256
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.rotations import rotvec_to_matrix
from motion_rep.kinematics.skeleton import pelvis_at_rest

# Joints of the models; each but the root has nine rows of pose corrections.
JOINTS = {"smplx": 55, "smplh": 52}


class SmplxBody:
    """A neutral body, zero betas, relaxed hands, from a model file; a :class:`motion_rep.bodies.body_models.Body`.

    Raises:
        InputError: ``smplx`` cannot use the file.
    """

    def __init__(self, path: Path, smpl_type: str, device: str = "cpu") -> None:
        self.name = model_name(path, smpl_type)
        self.key = f"{smpl_type} {file_sha256(path)}"
        self._device = device
        self._layer = _layer(path, smpl_type).to(device)
        self._hands = {side: _mean_hand(self._layer, side) for side in ("left", "right")}
        self.faces = np.ascontiguousarray(self._layer.faces.astype(np.int64), np.int32)
        self.parts = _parts(self._layer)
        self._vertex_normals = VertexNormals(self.faces, len(self._layer.v_template))
        self._pelvis = self._layer.J_regressor[0].double() @ self._layer.v_template.double()

    @torch.no_grad()
    def vertices(self, parameters: BodyParameters) -> np.ndarray:
        """(N, V, 3) float32 metres, in the frame of the parameters."""
        root, body, transl = (value.to(self._device, torch.float32) for value in parameters)
        frames = len(transl)
        # SMPL-H's pelvis has another rest position; it is moved to that of the motion's SMPL-X joints.
        shift = (pelvis_at_rest(self._pelvis) - self._pelvis).float()
        hands = {f"{side}_hand_pose": pose.expand(frames, -1, -1, -1) for side, pose in self._hands.items()}
        output = self._layer(
            global_orient=root[:, None],
            body_pose=body,
            transl=transl + shift,
            betas=_zeros(self._layer, frames),
            **hands,
            **_face(self._layer, frames),
        )
        return output.vertices.cpu().numpy()

    def normals(self, parameters: BodyParameters, vertices: np.ndarray) -> np.ndarray:
        """(N, V, 3) float32 unit vectors that point outwards."""
        return np.stack([self._vertex_normals(frame) for frame in vertices])

    def coarse(self) -> SmplxBody:
        """Itself: there is no coarser mesh."""
        return self


def model_name(path: Path, smpl_type: str) -> str:
    """The name of a model for messages."""
    return f"{'SMPL-X' if smpl_type == 'smplx' else 'SMPL-H'} ({path})"


def _layer(path: Path, smpl_type: str) -> Any:
    kind = smplx.SMPLXLayer if smpl_type == "smplx" else smplx.SMPLHLayer
    if path.suffix != ".npz":
        raise InputError(
            f"{path}: is not an .npz file. The older .pkl models are pickles, and reading one can run code; "
            "give the .npz of the same model."
        )
    try:
        with _without_pickles(path) as plain:
            layer = kind(
                str(plain), gender="neutral", ext="npz", num_betas=10, flat_hand_mean=False, dtype=torch.float32
            )
        if len(layer.posedirs) != 9 * (JOINTS[smpl_type] - 1):
            raise ValueError(f"the file is of another model than {smpl_type}")
        return layer
    except (
        LookupError,
        ValueError,
        OSError,
        AttributeError,
        AssertionError,
        RuntimeError,
        TypeError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        reason = f"{path}: smplx cannot use it as a body model: {one_line(error)[:160]}"
        raise InputError(f"{reason}. Give the original model file, or omit the flag to draw the mannequin.") from None


@contextlib.contextmanager
def _without_pickles(path: Path) -> Iterator[Path]:
    """The model file, or a copy without its pickled objects.

    ``smplx`` makes numpy unpickle every entry, which can run code. Original files contain two pickled tables
    (joint2num, part2num), which are not needed here.
    """
    with np.load(path, allow_pickle=False) as arrays, zipfile.ZipFile(path) as archive:
        pickled = {name for name in arrays.files if _is_pickled(archive, name)}
        if not pickled:
            yield path
            return
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / path.name
            np.savez(copy, **{name: arrays[name] for name in arrays.files if name not in pickled})
            yield copy


def _is_pickled(archive: zipfile.ZipFile, name: str) -> bool:
    """Whether an entry is an array of objects, from its header alone."""
    member = name if name in archive.namelist() else f"{name}.npy"
    with archive.open(member) as file:
        if np.lib.format.read_magic(file) == (1, 0):
            _, _, dtype = np.lib.format.read_array_header_1_0(file)
        else:
            _, _, dtype = np.lib.format.read_array_header_2_0(file)
    return dtype.hasobject


def _parts(layer: Any) -> np.ndarray:
    """(V,) the body joint with the largest weight at each vertex; face and fingers count for their parent joint."""
    parents = layer.parents.tolist()
    owner = list(range(len(parents)))
    for joint in range(22, len(parents)):
        owner[joint] = owner[parents[joint]]
    return np.array(owner)[layer.lbs_weights.argmax(dim=1).cpu().numpy()]


def _mean_hand(layer: Any, side: str) -> Tensor:
    """(1, 15, 3, 3) the relaxed hand of the model file."""
    return rotvec_to_matrix(getattr(layer, f"{side}_hand_mean").reshape(1, 15, 3))


def _zeros(layer: Any, frames: int) -> Tensor:
    return torch.zeros(frames, layer.num_betas, device=layer.v_template.device)


def _face(layer: Any, frames: int) -> dict[str, Tensor]:
    """A still face for SMPL-X; SMPL-H has none."""
    if not hasattr(layer, "num_expression_coeffs"):
        return {}
    eye = torch.eye(3, device=layer.v_template.device).expand(frames, 1, 3, 3)
    expression = torch.zeros(frames, layer.num_expression_coeffs, device=layer.v_template.device)
    return {"jaw_pose": eye, "leye_pose": eye, "reye_pose": eye, "expression": expression}
