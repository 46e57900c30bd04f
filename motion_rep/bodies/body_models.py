"""Choose the body to draw: SMPL-X (or SMPL-H) if its file is found, else the built-in mannequin.

All bodies use the same 22 joints, so a motion looks the same with each.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import numpy as np

from motion_rep.bodies.mannequin_body import MannequinBody
from motion_rep.bodies.smplx_model import SmplxBody, model_name
from motion_rep.common.errors import UsageError
from motion_rep.kinematics.parameters import BodyParameters

# Type of body -> the environment variables with the path of its model; the first one that is set counts.
MODEL_PATH_VARIABLES = {"smplx": ("SMPLX_MODEL_PATH",), "smplh": ("SMPLH_MODEL_PATH", "SMPLX_MODEL_PATH")}
DEFAULT_MODEL_FOLDER = Path("data/body_models")
BUILT_IN = "mannequin"


class Body(Protocol):
    """A skinned body.

    name: for messages.
    key: identifies the body on any machine, for recognising finished files.
    faces: (F, 3) int32, counter-clockwise seen from outside.
    parts: (V,) int, which of the 22 joints has the largest weight at each vertex.
    """

    name: str
    key: str
    faces: np.ndarray
    parts: np.ndarray

    def vertices(self, parameters: BodyParameters) -> np.ndarray:
        """(N, V, 3) float32 metres, in the frame of the parameters."""
        ...

    def normals(self, parameters: BodyParameters, vertices: np.ndarray) -> np.ndarray:
        """(N, V, 3) float32 unit vectors that point outwards."""
        ...

    def coarse(self) -> Body:
        """The same body with fewer triangles for small pictures, or itself if there is none."""
        ...


def load_body(smpl_type: str = "smplx", model_path: str | os.PathLike | None = None, device: str = "cpu") -> Body:
    """The body to draw.

    Searches ``model_path`` (a file, or a folder that contains it directly or under its type), then the environment
    variable SMPLX_MODEL_PATH (for SMPL-H first SMPLH_MODEL_PATH), then data/body_models. ``mannequin`` always selects
    the built-in body.

    Raises:
        UsageError: no model at the given path, or SMPL-H requested and not found.
    """
    path = None if str(model_path) == BUILT_IN else find_model(smpl_type, model_path)
    if path is None:
        return MannequinBody()
    return SmplxBody(path, smpl_type, device)


def body_name(smpl_type: str = "smplx", model_path: str | os.PathLike | None = None) -> str:
    """The name of the body that :func:`load_body` would load; same errors."""
    path = None if str(model_path) == BUILT_IN else find_model(smpl_type, model_path)
    if path is None:
        return MannequinBody.name
    return model_name(path, smpl_type)


def find_model(smpl_type: str = "smplx", model_path: str | os.PathLike | None = None) -> Path | None:
    """The model file, or None if no path was given and the default folders have none.

    Raises:
        UsageError: no model at the given path, or SMPL-H requested and not found.
    """
    named = model_path or _place_in_environment(smpl_type)
    found = _model_in(Path(named) if named else DEFAULT_MODEL_FOLDER, smpl_type)
    if found is None and (named or smpl_type != "smplx"):
        where = named or DEFAULT_MODEL_FOLDER
        wanted = f"no {smpl_type.upper()} model was found there, expected {_model_names(smpl_type)[0]}"
        raise UsageError(f"{where}: {wanted}. Correct the path, or omit it to draw the built-in mannequin.")
    return found


def _place_in_environment(smpl_type: str) -> Path | None:
    """The first path that is set. If SMPL-H is wanted, a file of SMPL-X stands for its folder."""
    for variable in MODEL_PATH_VARIABLES[smpl_type]:
        if text := os.environ.get(variable):
            of_other_type = smpl_type.upper() not in variable and Path(text).is_file()
            return Path(text).parent if of_other_type else Path(text)
    return None


def _model_in(place: Path, smpl_type: str) -> Path | None:
    if place.is_file():
        return place
    candidates = [place / folder / name for folder in ("", smpl_type) for name in _model_names(smpl_type)]
    return next((path for path in candidates if path.is_file()), None)


def _model_names(smpl_type: str) -> tuple[str, ...]:
    """File names of neutral models. Only ``.npz``: the older ``.pkl`` files are pickles, and reading one runs code."""
    return (f"{smpl_type.upper()}_NEUTRAL.npz",)
