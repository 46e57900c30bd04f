"""AMASS ``.npz``: motion capture of SMPL-H (``mocap_framerate``) or SMPL-X (``mocap_frame_rate``) bodies in a world
with z up.
"""

from __future__ import annotations

from collections.abc import Mapping

from motion_rep.captures.capture import Capture
from motion_rep.captures.plausibility import angles_beyond_joints, damaged_angles
from motion_rep.common.errors import InputError
from motion_rep.hmr_results.bodies import body_from_smpl, body_from_smplx, y_down_from_y_up, y_down_from_z_up
from motion_rep.hmr_results.documents import Document
from motion_rep.hmr_results.fields import number, numbers, rotation_vectors
from motion_rep.hmr_results.format import Format, Lookalike, has, has_any
from motion_rep.hmr_results.tracks import Person, Track

RATES = ("mocap_framerate", "mocap_frame_rate")
SMPLX_POSE = 165
WORLD_NOTE = "AMASS has no camera: the motion is in its gravity-aligned world and cannot be overlaid on a video"


def tracks(document: Document) -> tuple[Track, ...]:
    """The one person of the file."""
    if not isinstance(document.value, Mapping):
        raise InputError(f"contains a {type(document.value).__name__}, expected the arrays poses and trans.")
    frames = len(numbers(document.value, "trans", (None, 3)))
    return (Track(Person("0", frames), lambda _space: _capture(document.entries), spaces=("world",)),)


def _capture(values: Mapping) -> Capture:
    transl = numbers(values, "trans", (None, 3))
    rotations = rotation_vectors(values, "poses", len(transl), 22)
    # The pelvis of the gendered body shifts everything equally; the origin and floor of a motion remove this shift.
    body = body_from_smplx if _is_smplx(values) else body_from_smpl
    to_capture = y_down_from_y_up if _is_y_up(values) else y_down_from_z_up
    angles = numbers(values, "poses", (None, None))[:, :66].unflatten(-1, (22, 3)).norm(dim=-1)
    return Capture(
        *to_capture(body(rotations, transl)),
        fps=_rate(values),
        has_camera=False,
        up_axis="y" if _is_y_up(values) else "z",
        angles_beyond_joints=angles_beyond_joints(angles),
        source="amass",
        notes=(WORLD_NOTE, *damaged_angles(angles[:, 1:])),
    )


def _is_y_up(values: Mapping) -> bool:
    """AMASS is always z-up; ``export_motion.py --frame yup`` writes y-up and records it in ``up_axis``."""
    axis = str(values.get("up_axis", "z"))
    if axis not in ("y", "z"):
        raise InputError(f"up_axis is {axis[:20]!r}, expected y or z.")
    return axis == "y"


def _is_smplx(values: Mapping) -> bool:
    return "mocap_frame_rate" in values or numbers(values, "poses", (None, None)).shape[1] == SMPLX_POSE


def _rate(values: Mapping) -> float | None:
    name = next((name for name in RATES if name in values), None)
    return None if name is None else number(values, name)


FORMAT = Format(
    matches=lambda document: has(document.value, "poses", "trans") and has_any(document.value, RATES),
    tracks=tracks,
    lookalikes=(
        Lookalike(
            lambda document: has(document.value, "poses", "trans"),
            "looks like AMASS without its frame rate; read it with --format amass and give the rate with --fps",
        ),
    ),
    written_by_any_script=True,
)
