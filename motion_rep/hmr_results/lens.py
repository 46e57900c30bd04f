"""Change the focal length of a capture: some systems assume so long a lens that their depth is unreliable."""

from __future__ import annotations

import dataclasses

import torch

from motion_rep.captures.capture import Capture
from motion_rep.common.errors import InputError


def with_focal_length(capture: Capture, focal_length: float) -> Capture:
    """The same person at the same pixels with a focal length of ``focal_length`` pixels: only the depth is scaled.

    Exact for the point transl, approximate for the rest of the body. Depth noise shrinks with the distance.

    Raises:
        InputError: the capture's own focal length is unknown.
    """
    if capture.focal_length is None:
        raise InputError(
            "has no focal length to replace (it is unknown, or this is a world frame). Omit --focal-length."
        )
    transl = capture.transl.clone()
    transl[:, 2] *= focal_length / capture.focal_length
    changed = dataclasses.replace(
        capture, transl=transl, focal_length=torch.full_like(capture.focal_length, focal_length)
    )
    return changed.with_notes(
        f"the focal length is {focal_length:g} pixels instead of "
        f"{float(capture.focal_length.median()):.0f}, as requested; the depth is scaled with it"
    )
