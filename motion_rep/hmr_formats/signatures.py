"""Which system wrote a file: one line per system, tried in this order."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from motion_rep.hmr_formats.documents import Document

STANDARD_KEYS = ("global_orient", "body_pose", "transl")
SMPLEST_X_KEYS = ("retargeted_cam", "focal_length_xy", "princpt", "detection_score")


def _has(value: object, *keys: object) -> bool:
    return isinstance(value, Mapping) and all(key in value for key in keys)


def _is_smplest_x(document: Document) -> bool:
    return _has(document.value, *STANDARD_KEYS) and any(key in document.value for key in SMPLEST_X_KEYS)


SIGNATURES: dict[str, Callable[[Document], bool]] = {
    "smplest-x": _is_smplest_x,
    "standard": lambda document: _has(document.value, *STANDARD_KEYS),
}


def detect(document: Document) -> str | None:
    """The format's name, or None where no signature fits."""
    return next((name for name, fits in SIGNATURES.items() if fits(document)), None)
