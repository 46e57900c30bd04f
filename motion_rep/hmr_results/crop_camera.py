"""Map the virtual cameras of SMPLest-X and SMPLer-X, one per crop of the person, to one camera."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from motion_rep.common.errors import InputError


@dataclass(frozen=True)
class CropCameras:
    """One pinhole camera per frame, pixels of the whole image: focal (T, 2) fx, fy; centre (T, 2) principal point."""

    focal: Tensor
    centre: Tensor

    @classmethod
    def checked(cls, focal: Tensor, centre: Tensor, frames: int) -> CropCameras:
        """The cameras; an InputError for wrong shapes or numbers."""
        for name, value in (("focal length", focal), ("principal point", centre)):
            if tuple(value.shape) != (frames, 2):
                raise InputError(f"the {name} of the frames has shape {tuple(value.shape)}, expected ({frames}, 2).")
            if not bool(value.isfinite().all()):
                raise InputError(f"the {name} of the frames is not finite everywhere. Run the capture again.")
        if not bool((focal > 0).all()):
            raise InputError("the focal length of some frames is not above zero. Run the capture again.")
        return cls(focal, centre)


def to_one_camera(transl: Tensor, cameras: CropCameras, centre: Tensor) -> tuple[Tensor, Tensor]:
    """Translations in a fixed camera with the first frame's focal length; every transl keeps its pixel.

    z' = z f/fx, x' = x + (cx - cx') z/fx, y' = y + (cy - cy') z/fy. Exact for the point transl, approximate for the
    rest of the body (ViMoGen, motion_rep/smplest_x_scripts/inference.py).

    Args:
        transl: (T, 3) metres, each in its own frame's camera.
        centre: (2,) principal point of the fixed camera, pixels.
    Returns:
        transl (T, 3) and the focal length (), pixels.
    """
    focal = cameras.focal[0, 0]
    depth = transl[:, 2:]
    moved = transl.clone()
    moved[:, :2] += (cameras.centre - centre) * depth / cameras.focal
    moved[:, 2:] = depth * focal / cameras.focal[:, :1]
    return moved, focal
