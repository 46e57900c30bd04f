"""Read motions and videos, and show them until the user ends the viewer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from motion_rep.bodies.body_models import load_body
from motion_rep.common.errors import UsageError, counted
from motion_rep.common.messages import say, say_warning
from motion_rep.common.rates import TIMING, playback_rate
from motion_rep.motions.consistency import joints_note
from motion_rep.motions.motion_file import read_motion
from motion_rep.viewer.session import Viewer
from motion_rep.viewer.stage import Shown, side_by_side
from motion_rep.viewer.video_frames import read_video_frames


def view_motions(
    paths: Sequence[Path],
    videos: Sequence[Path],
    fps: float | None,
    model_path: str | None = None,
    host: str = "127.0.0.1",
    port: int = 8080,
) -> None:
    """Show motions side by side until Ctrl-C.

    Args:
        videos: none, one for all motions, or one for each.
        fps: rate of the motions; None means each motion's own.
        model_path: see :func:`motion_rep.bodies.body_models.load_body`.
    Raises:
        InputError: a file cannot be used; the message names it.
    """
    if len(videos) not in (0, 1, len(paths)):
        raise UsageError(
            f"--video names {counted(len(videos), 'video')} for {counted(len(paths), 'motion')}. Give one for "
            "all, or one for each."
        )
    body = load_body("smplx", model_path)
    of_each = list(videos) * (len(paths) // len(videos)) if videos else [None] * len(paths)
    viewer = Viewer(load_motions(paths, of_each, fps), body, host, port)
    try:
        say(
            f"{viewer.address} shows {counted(len(paths), 'motion')} with the {body.name}. "
            "Open it in a browser; Ctrl-C ends."
        )
        viewer.run()
    except KeyboardInterrupt:
        viewer.stop()


def load_motions(paths: Sequence[Path], videos: Sequence[Path | None], fps: float | None) -> list[Shown]:
    """The motions with the videos of their cameras, placed side by side. Errors as in :func:`view_motions`."""
    clips = [read_motion(path) for path in paths]
    motions = []
    for path, name, video, clip, offset in zip(paths, names_of(paths), videos, clips, side_by_side(clips), strict=True):
        if note := joints_note(path, clip.motion):
            say_warning(note)
        rate, guess = playback_rate(TIMING, fps, clip.fps)
        if guess:
            say_warning(f"{path}: {guess}")
        if video is not None and clip.camera is None:
            say_warning(f"{path}: its camera is unknown, so {video} has no place on the stage")
            video = None
        frames = None if video is None else read_video_frames(video, len(clip), rate, clip.start_time)
        motions.append(Shown(name, clip, rate, offset, frames))
    return motions


def names_of(paths: Sequence[Path]) -> list[str]:
    """The name of each file, with its folder and its number if several files have the same."""
    names = [path.stem for path in paths]
    return [
        name if names.count(name) == 1 else f"{path.absolute().parent.name}/{name} ({number})"
        for number, (path, name) in enumerate(zip(paths, names, strict=True), 1)
    ]
