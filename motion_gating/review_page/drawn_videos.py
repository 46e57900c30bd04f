"""Draw the page's videos of an entry; they are reused until the motion, the source or the settings change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from motion_gating.rendering.clip_render import RenderSettings, render_fingerprint
from motion_gating.review_page.media import copied
from motion_rep.bodies.body_models import Body, load_body
from motion_rep.common.errors import located
from motion_rep.drawing.contact_marks import contact_marks
from motion_rep.drawing.lit_clip import lit_frames
from motion_rep.drawing.mbench_scene import CLOSE, ViewOfScene
from motion_rep.drawing.renderers import Renderer, load_renderer
from motion_rep.drawing.tinted_overlay import write_tinted_overlay
from motion_rep.files.atomic_writing import remove_file, write_bytes
from motion_rep.files.local_files import file_sha256, require_version, version_at
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.motion_file import MotionClip
from motion_rep.video.writing import open_writer


@dataclass(frozen=True)
class DrawingTools:
    """The body and renderer of the page's own videos; see :class:`motion_gating.rendering.clip_render.Tools`.

    size: side of the square pictures in pixels.
    """

    model_path: str | None = None
    renderer: str = "opencv"
    size: int = 480
    threads: int | None = None

    def load(self) -> Painter:
        """Load the body and the renderer."""
        return Painter(load_body("smplx", self.model_path), load_renderer(self.renderer), self.size, self.threads)


@dataclass(frozen=True)
class Painter:
    """Draws videos with one body and one renderer; feet that stand or slide are marked.

    size: side of the square pictures in pixels.
    """

    body: Body
    renderer: Renderer
    size: int = 480
    threads: int | None = None

    def draw_view(
        self,
        motion_sha256: str,
        clip: MotionClip,
        target: Path,
        fps: float,
        view_of: ViewOfScene,
        older: Path | None = None,
    ) -> None:
        """Write a video of the motion through close cameras.

        Args:
            motion_sha256: digest of the file with the motion.
            older: path at which an earlier version wrote it.
        Raises:
            InputError: it cannot be drawn or written.
        """

        def draw() -> None:
            parameters, size = body_parameters(clip.motion.double()), self.size
            marks = contact_marks(parameters, fps)
            frames = lit_frames(self.body, self.renderer, parameters, size, size, view_of, self.threads, marks)
            with open_writer(target, size, size, fps) as writer:
                for picture in frames:
                    writer.write(picture)

        _unless_made(target, self._made_from(motion_sha256, fps), draw, older)

    def draw_overlay(
        self, motion_sha256: str, clip: MotionClip, video: Path, target: Path, fps: float, older: Path | None = None
    ) -> None:
        """Write the source video with the body in it.

        Args:
            motion_sha256: digest of the file with the motion.
            older: path at which an earlier version wrote it.
        Raises:
            InputError: see :func:`motion_rep.drawing.tinted_overlay.write_tinted_overlay`.
        """
        version, video_sha256 = version_at(video), file_sha256(video)

        def draw() -> None:
            marks = contact_marks(body_parameters(clip.motion.double()), fps)
            write_tinted_overlay(clip, video, target, self.body, self.renderer, marks, self.threads)
            with located(video):
                require_version(video, version)

        _unless_made(target, f"{self._made_from(motion_sha256, fps)}{video_sha256}", draw, older)

    def _made_from(self, motion_sha256: str, fps: float) -> str:
        renderer, body = self.renderer.name, self.body.key
        settings = RenderSettings(self.size, self.size, fps, renderer, body, show_contacts=True, framing=CLOSE)
        return render_fingerprint(motion_sha256, settings)


def _unless_made(target: Path, made_from: str, draw: Callable[[], None], older: Path | None) -> None:
    """Draw a video, unless the existing one was made from the same inputs."""
    seal = target.with_suffix(".txt")
    if _sealed(seal, target, made_from):
        return
    remove_file(seal)
    if older is not None and _sealed(older.with_suffix(".txt"), older, made_from):
        copied(older, target)
    else:
        draw()
    write_bytes(seal, f"{made_from} {file_sha256(target)}\n".encode())


def _sealed(seal: Path, target: Path, made_from: str) -> bool:
    if not (seal.is_file() and target.is_file()):
        return False
    return seal.read_bytes().split() == [made_from.encode(), file_sha256(target).encode()]
