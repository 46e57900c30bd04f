"""The side view of an entry, drawn for the page and kept while motion and settings stay the same."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from motion_gating.rendering.clip_render import RenderSettings, render_fingerprint
from motion_rep.bodies.body_models import Body, load_body
from motion_rep.drawing.lit_clip import ViewOfScene, lit_frames
from motion_rep.drawing.renderers import Renderer, load_renderer
from motion_rep.drawing.side_view import side_view
from motion_rep.files.atomic_writing import write_bytes
from motion_rep.files.local_files import file_sha256
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.motion_file import MotionClip
from motion_rep.video.writing import open_writer


@dataclass(frozen=True)
class SideTools:
    """The body and renderer of side views; see :class:`motion_gating.rendering.clip_render.Tools`.

    size: pixels of the square picture.
    """

    model_path: str | None = None
    renderer: str = "opencv"
    size: int = 480
    threads: int | None = None

    def load(self) -> SidePainter:
        """The painter."""
        return SidePainter(load_body("smplx", self.model_path), load_renderer(self.renderer), self.size, self.threads)


@dataclass(frozen=True)
class SidePainter:
    """Draws side views with one body and one renderer.

    size: pixels of the square picture.
    """

    body: Body
    renderer: Renderer
    size: int = 480
    threads: int | None = None

    def draw(
        self, motion_path: Path, clip: MotionClip, target: Path, fps: float, view_of: ViewOfScene = side_view
    ) -> None:
        """Write the video, unless the existing one was made from the same motion with the same settings.

        Raises:
            InputError: it cannot be drawn or written.
        """
        seal = target.with_suffix(".txt")
        made_from = render_fingerprint(
            motion_path, RenderSettings(self.size, self.size, fps, self.renderer.name, self.body.key)
        )
        if _sealed(seal, target, made_from):
            return
        seal.unlink(missing_ok=True)
        with open_writer(target, self.size, self.size, fps) as writer:
            for picture in lit_frames(
                self.body,
                self.renderer,
                body_parameters(clip.motion.double()),
                self.size,
                self.size,
                view_of,
                self.threads,
            ):
                writer.write(picture)
        write_bytes(seal, f"{made_from} {file_sha256(target)}\n".encode())


def _sealed(seal: Path, target: Path, made_from: str) -> bool:
    if not (seal.is_file() and target.is_file()):
        return False
    return seal.read_bytes().split() == [made_from.encode(), file_sha256(target).encode()]
