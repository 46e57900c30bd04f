"""Recognise files that are not captures, and give the command that helps, if there is one."""

from __future__ import annotations

from collections.abc import Mapping

from motion_rep.common.errors import keys_text

CONVERT = "Convert it with convert_representation.py --from {0} --to 276"
# Numbers per frame -> the format with this width, and advice.
WIDTHS = {
    276: ("a 276-dim motion, which needs no conversion", "Other representations: convert_representation.py"),
    272: ("272-dim-Motion-Representation (MotionStreamer, MotionMillion)", CONVERT.format("272")),
    201: ("HY-Motion 1.0", CONVERT.format("201")),
    263: (
        "HumanML3D's 263",
        "It has joint positions and no SMPL rotations, so no tool here reads it; recover the joints with HumanML3D's "
        "recover_from_ric and fit a body to them",
    ),
    251: ("KIT-ML's 251", "It has another skeleton, and no tool here reads it"),
    135: ("21 or 22 rotations and a translation", "No tool here reads it: its axes and its order are unknown"),
}
JOINTS_ADVICE = "Joint positions alone have no rotations, and no tool here fits a body to them"
# Keys of a file -> its system, and advice.
KEYS = (
    (
        ("posed_joints", "global_rot_mats"),
        "a file of Kimodo",
        "Write SMPL-X parameters with Kimodo's own export, as AMASS's keys, and convert those",
    ),
    (
        ("smpl_thetas", "cam_trans"),
        "a result of ROMP or BEV",
        "Their camera is not documented well enough; run 4D-Humans, WHAM or GVHMR on the video",
    ),
    (
        ("pred_vertices", "pred_cam_t"),
        "a result with a mesh and no parameters",
        "Save the program's parameters as well",
    ),
    (("vertices", "faces"), "a mesh", "Parameters cannot be taken from it"),
)
# Kinds of files from motion_rep/files/file_kind.py -> advice.
KIND_ADVICE = {
    "a BVH file": "No tool here reads it; save the motion as AMASS npz with the program that made it",
    "an fbx model": "No tool here reads it; save the motion as AMASS npz with the program that made it",
    "a glb model": "No tool here reads it; export_motion.py writes them",
    "an HDF5 file": "Save its arrays as an npz",
    "a MATLAB file": "Save its arrays as an npz",
}


def looks_like(value: object) -> str | None:
    """The format that a file's contents resemble, and advice."""
    if isinstance(value, Mapping):
        if "motion" in value:
            shape = tuple(getattr(value["motion"], "shape", ()))
            return None if shape[1:] == (276,) else _shape_text(shape)
        found = next((f"{what}. {do}" for keys, what, do in KEYS if all(key in value for key in keys)), None)
        return None if found is None else f"looks like {found}"
    return _shape_text(tuple(getattr(value, "shape", ())))


def _shape_text(shape: tuple[int, ...]) -> str | None:
    if len(shape) == 2 and shape[1] in WIDTHS:
        what, do = WIDTHS[shape[1]]
        return f"looks like {what}. {do}"
    if len(shape) == 2 and shape[0] in WIDTHS:
        what, _, _ = WIDTHS[shape[0]][0].partition(",")
        return f"looks like {what} with frames as columns. Transpose it"
    if len(shape) == 3 and shape[0] == 1:
        return f"{_shape_text(shape[1:]) or 'has a batch of one'}. Save it without the first dimension"
    if len(shape) == 3 and shape[2] == 3 and shape[1] in (17, 21, 22, 24, 52, 55, 127, 133):
        return f"looks like the positions of {shape[1]} joints. {JOINTS_ADVICE}"
    return None


def found_text(value: object) -> str:
    """The contents of a file in words: the keys of a dict, or the shape and type of an array."""
    shape = getattr(value, "shape", None)
    if shape is None or isinstance(value, Mapping):
        return keys_text(value)
    return f"numbers of shape {tuple(shape)} ({str(value.dtype).removeprefix('torch.')})"  # type: ignore[attr-defined]
