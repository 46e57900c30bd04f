"""Choose the renderer: OpenCV on the CPU, or OpenGL if a GPU is available or on request."""

from __future__ import annotations

import os
from typing import Protocol

import numpy as np

from motion_rep.common.errors import UsageError
from motion_rep.drawing.gl_renderer import GlRenderer
from motion_rep.drawing.opencv_renderer import OpenCvRenderer
from motion_rep.drawing.scene import Mesh, Region, View

RENDERERS = ("auto", "opencv", "gl")


class Renderer(Protocol):
    """Draws meshes; both renderers show the same scene.

    threads: number of threads that may draw at once: None for all cores, 0 for only the creating thread.
    """

    name: str

    @property
    def threads(self) -> int | None: ...

    def draw(self, view: View, meshes: list[Mesh], background: np.ndarray) -> tuple[np.ndarray, Region]:
        """The changed rectangle as (h, w, 3) uint8 RGB over a (H, W, 3) uint8 background, and its position."""
        ...

    def draw_depth(
        self, view: View, vertices: np.ndarray, faces: np.ndarray, scale: int = 1
    ) -> tuple[np.ndarray, Region]:
        """Depth (h, w) float32 metres, infinite in empty places; its rectangle in a view ``scale`` times as large."""
        ...


def load_renderer(name: str = "auto") -> Renderer:
    """A renderer by name; ``auto`` selects OpenGL only on an NVIDIA or DRM render device with hardware drawing.

    Raises:
        UsageError: ``gl`` cannot start, or the name is unknown.
    """
    if name not in RENDERERS:
        raise UsageError(f"renderer {name!r} is unknown, expected one of {', '.join(RENDERERS)}.")
    if name == "gl":
        return GlRenderer()
    return (_hardware_gl() if name == "auto" else None) or OpenCvRenderer()


def _hardware_gl() -> Renderer | None:
    """The OpenGL renderer if a GPU draws; without a device file OpenGL is not loaded."""
    if not any(os.path.exists(device) for device in ("/dev/nvidia0", "/dev/dri/renderD128")):
        return None
    try:
        renderer = GlRenderer()
    except UsageError:
        return None
    return renderer if renderer.is_hardware else None
