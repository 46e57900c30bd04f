"""Which system wrote a file: one line per system, tried in this order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice

from motion_rep.hmr_formats.amass import RATES
from motion_rep.hmr_formats.camerahmr import holds_smpl_body
from motion_rep.hmr_results.documents import Document
from motion_rep.hmr_results.names import SMPLER_X_FILES, TRAM_FILES
from motion_rep.safe_loading.numpy_file import NpzArrays

STANDARD_KEYS = ("global_orient", "body_pose", "transl")
SMPLEST_X_KEYS = ("retargeted_cam", "focal_length_xy", "princpt", "detection_score")


def _has(value: object, *keys: object) -> bool:
    return isinstance(value, Mapping) and all(key in value for key in keys)


def _has_any(value: object, keys: tuple[str, ...]) -> bool:
    return any(_has(value, key) for key in keys)


def _every_entry_has(value: object, *keys: str) -> bool:
    """Whether the first entries of a dict are dicts with these keys (later ones are checked when they are read)."""
    return (
        isinstance(value, Mapping)
        and len(value) > 0
        and not isinstance(value, NpzArrays)
        and all(_has(entry, *keys) for entry in islice(value.values(), 3))
    )


def _folder_holds(document: Document, *patterns: str) -> bool:
    return document.path.is_dir() and any(next(document.path.glob(pattern), None) is not None for pattern in patterns)


def _is_camerahmr(document: Document) -> bool:
    value = document.value
    return _has(value, *STANDARD_KEYS) and (
        value.get("source") == "camerahmr" or "body_model" in value or holds_smpl_body(value)
    )


def _is_one_frame_of_smpler_x(document: Document) -> bool:
    return isinstance(document.value, NpzArrays) and _has(document.value, "global_orient", "expression")


SIGNATURES: dict[str, Callable[[Document], bool]] = {
    "smpler-x": lambda document: _folder_holds(document, SMPLER_X_FILES),
    "tram": lambda document: (
        _folder_holds(document, *TRAM_FILES) or _has(document.value, "pred_rotmat", "pred_trans", "frame")
    ),
    "gvhmr": lambda document: _has(document.value, "smpl_params_incam"),
    "prompthmr": lambda document: _has(document.value, "people", "camera"),
    "amass": lambda document: _has(document.value, "poses", "trans") and _has_any(document.value, RATES),
    "camerahmr": _is_camerahmr,
    "smplest-x": lambda document: _has(document.value, *STANDARD_KEYS) and _has_any(document.value, SMPLEST_X_KEYS),
    "standard": lambda document: _has(document.value, *STANDARD_KEYS) and not _is_one_frame_of_smpler_x(document),
    "4dhumans": lambda document: _every_entry_has(document.value, "smpl", "camera", "tid"),
    "wham": lambda document: _every_entry_has(document.value, "pose", "trans", "frame_ids"),
}

# Files that are met beside captures, and what to do instead.
LOOKALIKES: tuple[tuple[Callable[[Document], bool], str], ...] = (
    (lambda document: _has(document.value, "motion"), "is a converted motion, not a capture; it needs no conversion"),
    (_is_one_frame_of_smpler_x, "is one frame of SMPLer-X; give the folder that holds smplx and meta"),
    (
        lambda document: _has(document.value, "world_cam_R"),
        "is TRAM's camera; give the folder above it, or one of hps/hps_track_<number>.npy",
    ),
    (
        lambda document: _has(document.value, "poses", "trans"),
        "looks like AMASS without its frame rate; read it with --format amass and give the rate with --fps",
    ),
    (
        lambda document: _every_entry_has(document.value, "poses_body"),
        "comes from WHAM's wham_api.py; run WHAM's demo.py with --save_pkl and give wham_output.pkl",
    ),
    (
        lambda document: (
            _folder_holds(document, "tracking_results.pth") or _every_entry_has(document.value, "frame_id", "bbox")
        ),
        "is an intermediate result of WHAM; run its demo.py with --save_pkl and give wham_output.pkl",
    ),
    (
        lambda document: document.path.is_dir(),
        "is a folder in which no system's result was found; give the file, or the folder of SMPLer-X or TRAM",
    ),
)


def detect(document: Document) -> str | None:
    """The format's name, or None where no signature fits."""
    return next((name for name, fits in SIGNATURES.items() if fits(document)), None)


def is_partly_standard(document: Document) -> bool:
    """Whether some of the documented keys are there, so that the reader of the documented format can say what is missing."""
    return _has_any(document.value, STANDARD_KEYS)


def lookalike(document: Document) -> str | None:
    """What a file is that is no capture, and what to do; None where that is unknown too."""
    return next((text for fits, text in LOOKALIKES if fits(document)), None)
