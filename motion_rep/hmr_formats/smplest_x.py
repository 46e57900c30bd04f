"""SMPLest-X with this toolkit's (or ViMoGen's) drop-in: the documented keys, with a camera for each frame unless
``retargeted_cam`` is set.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import torch

from motion_rep.captures.capture import Capture
from motion_rep.captures.capture_file import capture_from_dict, float_tensor
from motion_rep.captures.fields import REQUIRED
from motion_rep.hmr_formats.standard import person_in
from motion_rep.hmr_results.crop_camera import CropCameras, to_one_camera
from motion_rep.hmr_results.documents import Document
from motion_rep.hmr_results.format import Format, has, has_any
from motion_rep.hmr_results.tracks import Track

# A principal point further from the centre than this (pixels) is not rounding.
OFF_CENTRE = 0.5
FOCAL_CHANGE = 1e-3
# Share of frames in which a person's box may be centred outside the picture.
MOST_OUTSIDE = 0.5
OUTSIDE = (
    "the centres of the person's boxes (princpt) are outside the picture of {0}x{1} pixels in most frames: width or "
    "height is probably wrong, and so are the directions"
)

# The drop-in stores at least one of these in addition to the documented keys.
OWN_KEYS = ("retargeted_cam", "focal_length_xy", "princpt", "detection_score")


def tracks(document: Document) -> tuple[Track, ...]:
    """The one person of the file."""
    capture = dataclasses.replace(capture_from_dict(document.value), source="smplest-x")
    return (Track(person_in(capture), lambda _space: _in_one_camera(capture, document.entries)),)


def _in_one_camera(capture: Capture, values: Mapping) -> Capture:
    """Map the cameras of the crops to a fixed one, as the drop-in's ``--retarget_cam`` does, unless already done."""
    cameras = _crop_cameras(capture, values)
    if cameras is None or _retargeted(values):
        return capture
    centre = torch.tensor([capture.width, capture.height], dtype=torch.float64) / 2
    off_centre = float((cameras.centre - centre).abs().max())
    change = float(cameras.focal.max() / cameras.focal.min()) - 1
    if off_centre <= OFF_CENTRE and change <= FOCAL_CHANGE:
        return capture
    transl, focal = to_one_camera(capture.transl, cameras, centre)
    mapped = dataclasses.replace(capture, transl=transl, focal_length=focal.expand(len(capture)).clone())
    if bool(((cameras.centre < 0) | (cameras.centre > 2 * centre)).any(1).double().mean() > MOST_OUTSIDE):
        mapped = mapped.with_notes(OUTSIDE.format(capture.width, capture.height))
    return mapped.with_notes(
        "every frame had its own camera; mapped to one camera (focal length of the first frame), like SMPLest-X's "
        "--retarget_cam"
    )


def _crop_cameras(capture: Capture, values: Mapping) -> CropCameras | None:
    if capture.focal_length is None or values.get("princpt") is None:
        return None
    focal = values.get("focal_length_xy")
    focal_xy = capture.focal_length[:, None].expand(-1, 2) if focal is None else float_tensor("focal_length_xy", focal)
    return CropCameras.checked(focal_xy, float_tensor("princpt", values["princpt"]), len(capture))


def _retargeted(values: Mapping) -> bool:
    flag = values.get("retargeted_cam")
    return flag is not None and bool(float_tensor("retargeted_cam", flag).any())


FORMAT = Format(lambda document: has(document.value, *REQUIRED) and has_any(document.value, OWN_KEYS), tracks)
