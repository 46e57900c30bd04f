"""Draw with OpenGL through pyrender (package ``pyrender2``), on machines with a GPU or on request.

Shows the same scene as the CPU renderer: vertex colours include the light, so no lights are set here.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from motion_rep.common.errors import UsageError, one_line
from motion_rep.common.optional_packages import optional_module
from motion_rep.drawing.scene import NEAR, Mesh, Region, View
from motion_rep.drawing.shading import BACKGROUND_COLOR
from motion_rep.kinematics.frames import OPENGL_FROM_OPENCV

SUPERSAMPLING = 2
# OpenGL implementations on the CPU, which are slower than the OpenCV renderer.
SOFTWARE_NAMES = ("llvmpipe", "softpipe", "swrast", "software")


class GlRenderer:
    """A :class:`motion_rep.drawing.renderers.Renderer` on OpenGL; keeps one off-screen buffer for one picture size.

    Raises:
        UsageError: pyrender is missing, or no OpenGL context can be created.
    """

    name = "gl"
    threads = 0

    def __init__(self) -> None:
        os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
        self._pyrender = optional_module("pyrender", "pyrender2", "--renderer gl")
        self._context: Any = None
        self._size: tuple[int, int] | None = None
        self._offscreen(64, 64)

    @property
    def is_hardware(self) -> bool:
        """Whether a GPU draws, not a software OpenGL."""
        gl = optional_module("OpenGL.GL", "pyrender2", "--renderer gl")
        self._context._platform.make_current()
        name = (gl.glGetString(gl.GL_RENDERER) or b"").decode(errors="replace").lower()
        return bool(name) and not any(word in name for word in SOFTWARE_NAMES)

    def draw(self, view: View, meshes: list[Mesh], background: np.ndarray) -> tuple[np.ndarray, Region]:
        """Draw coloured meshes over a background; see :class:`motion_rep.drawing.opencv_renderer.OpenCvRenderer`."""
        flags = self._pyrender.RenderFlags.FLAT | self._pyrender.RenderFlags.SKIP_CULL_FACES
        color, depth = self._render(view, meshes, flags, SUPERSAMPLING)
        seen = (depth > 0).astype(np.float32)[..., None]
        drawn, cover = _halve(color.astype(np.float32) * seen), _halve(seen)
        return np.clip(np.round(drawn + background * (1.0 - cover)), 0, 255).astype(np.uint8), Region(
            0, 0, view.width, view.height
        )

    def draw_depth(
        self, view: View, vertices: np.ndarray, faces: np.ndarray, scale: int = 1
    ) -> tuple[np.ndarray, Region]:
        """Distances along the viewing axis; see :class:`motion_rep.drawing.opencv_renderer.OpenCvRenderer`."""
        mesh = Mesh(vertices, faces, np.ones_like(vertices, dtype=np.float32))
        flags = self._pyrender.RenderFlags.DEPTH_ONLY | self._pyrender.RenderFlags.SKIP_CULL_FACES
        depth = np.array(self._render(view, [mesh], flags, scale))
        depth[(depth <= 0) | (depth > 0.999 * _far(view, [mesh]))] = np.inf
        return depth, Region(0, 0, view.width * scale, view.height * scale)

    def _render(self, view: View, meshes: list[Mesh], flags: int, scale: int) -> Any:
        renderer = self._offscreen(view.width * scale, view.height * scale)
        scene = self._pyrender.Scene(bg_color=(*BACKGROUND_COLOR, 1.0), ambient_light=(1.0, 1.0, 1.0))
        for mesh in meshes:
            primitive = self._pyrender.Primitive(
                positions=mesh.vertices,
                indices=mesh.faces,
                color_0=np.c_[mesh.colors, np.ones(len(mesh.colors), np.float32)],
            )
            scene.add(self._pyrender.Mesh([primitive]))
        k = view.enlarged(scale).intrinsic
        camera = self._pyrender.IntrinsicsCamera(
            k[0, 0], k[1, 1], k[0, 2], k[1, 2], znear=NEAR, zfar=_far(view, meshes)
        )
        pose = np.linalg.inv(view.world_to_camera)
        pose[:3, :3] = pose[:3, :3] @ np.asarray(OPENGL_FROM_OPENCV).T
        scene.add(camera, pose=pose)
        return renderer.render(scene, flags=flags)

    def _offscreen(self, width: int, height: int) -> Any:
        if self._size != (width, height):
            if self._context is not None:
                self._context.delete()
            try:
                self._context = self._pyrender.OffscreenRenderer(width, height)
            except Exception as error:  # each platform raises its own types
                platform = os.environ["PYOPENGL_PLATFORM"]
                raise UsageError(
                    f"--renderer gl: OpenGL could not start with PYOPENGL_PLATFORM={platform}: "
                    f"{one_line(error)[:120]}. Use --renderer opencv."
                ) from None
            self._size = (width, height)
        return self._context


def _far(view: View, meshes: list[Mesh]) -> float:
    """A far plane just behind the scene: closer planes give OpenGL a finer depth."""
    deepest = max(float(view.to_camera(mesh.vertices)[:, 2].max()) for mesh in meshes)
    return 1.1 * max(deepest, 10 * NEAR)


def _halve(picture: np.ndarray) -> np.ndarray:
    """(2H, 2W, C) to (H, W, C) by averaging."""
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    return picture[: 2 * height, : 2 * width].reshape(height, 2, width, 2, -1).mean(axis=(1, 3))
