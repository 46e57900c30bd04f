"""See a capture through another focal length: some systems assume one so long that the depth they give says little."""

from __future__ import annotations

import dataclasses

import torch

from motion_rep.captures.capture import Capture
from motion_rep.common.errors import InputError


def with_focal_length(capture: Capture, focal_length: float) -> Capture:
    """The same person at the same pixels through a lens of ``focal_length`` pixels: x and y stay, the depth follows the
    focal length.

    Exact for the point transl, close for the body around it. Depth noise shrinks with the distance.

    Raises:
        InputError: the capture's own focal length is unknown.
    """
    if capture.focal_length is None:
        raise InputError(
            "has no focal length that could be replaced (it is unknown, or this is a world frame). Leave "
            "--focal-length out."
        )
    transl = capture.transl.clone()
    transl[:, 2] *= focal_length / capture.focal_length
    changed = dataclasses.replace(
        capture, transl=transl, focal_length=torch.full_like(capture.focal_length, focal_length)
    )
    return changed.with_notes(
        f"seen through a focal length of {focal_length:g} pixels instead of "
        f"{float(capture.focal_length.median()):.0f}, as asked; the depth follows it"
    )
