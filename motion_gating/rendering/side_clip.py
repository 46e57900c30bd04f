"""A side view of a motion, drawn when a judge needs it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from motion_gating.archives.content import motion_digest
from motion_gating.rendering.clip_render import SIDE, STYLE_VERSION, Drawing, RenderSettings, draw_video
from motion_rep.bodies.body_models import BUILT_IN, load_body
from motion_rep.common.rates import DRAWING, playback_rate
from motion_rep.drawing.flags import SMALL
from motion_rep.drawing.opencv_renderer import OpenCvRenderer
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.motion_file import MotionClip

_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class SideClip:
    """A :class:`motion_gating.judges.inquiry.OtherView`; the same bytes on every machine, so that answers stay valid.

    sampling_fps: frames per second that the model sees.
    """

    motion: MotionClip
    sampling_fps: float

    @property
    def settings(self) -> RenderSettings:
        """The settings: built-in mannequin, drawn on the CPU, close camera."""
        return RenderSettings(SMALL, SMALL, body=BUILT_IN, framing=SIDE, sampling_fps=self.sampling_fps)

    @property
    def digest(self) -> str:
        """The digest of the motion and the settings."""
        made_with = json.dumps({"style": STYLE_VERSION, **asdict(self.settings)}, sort_keys=True)
        return hashlib.sha256(f"{motion_digest(self.motion)} {made_with}".encode()).hexdigest()

    @contextlib.contextmanager
    def drawn(self) -> Iterator[Path]:
        """The clip in a temporary folder, which exists until the block ends.

        Raises:
            InputError: it cannot be written.
        """
        parameters = body_parameters(self.motion.motion.double())
        fps, _ = playback_rate(DRAWING, None, self.motion.fps)
        with tempfile.TemporaryDirectory() as folder:
            path, renderer = Path(folder) / "side.mp4", OpenCvRenderer(supersampling=1)
            drawing = Drawing(load_body(model_path=BUILT_IN), renderer, self.settings, threads=0)
            with _ONE_AT_A_TIME:
                draw_video(path, parameters, fps, drawing)
            yield path
