"""The videos of an entry in the order of the page: linked, drawn, or with the reason why there is none."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from motion_gating.archives.fields import DEPTH_PATH, OVERLAY_PATH, SOURCE_VIDEO
from motion_gating.review_page.drawn_videos import Painter
from motion_gating.review_page.entry_files import Entry
from motion_gating.review_page.media import Video, url_from, video_rate
from motion_rep.drawing.mbench_scene import close_views
from motion_rep.drawing.side_view import close_side_views
from motion_rep.drawing.tinted_overlay import person_square
from motion_rep.motions.motion_file import MotionClip

# For each view, kind and title of the same view of the raw motion.
BEFORE = {"front": ("before", "Front before refining"), "side": ("side_before", "Side before refining")}


def videos_of(entry: Entry, painter: Painter | None, fps: float, lit: Video) -> list[Video]:
    """The videos in the order of the page; a front view replaces the lit video, which is then shown only on demand."""
    tinted = _tinted_video(entry, painter, fps)
    checks = _camera_video(entry, fps)
    if tinted and tinted[0].url is not None:
        checks = [replace(video, extra=True) for video in checks]
    views = _views(entry, painter, fps)
    replaced = lit.url is not None and any(video.kind == "front" and video.url is not None for video in views)
    return [*tinted, *checks, *views, replace(lit, extra=True)] if replaced else [lit, *tinted, *checks, *views]


def _tinted_video(entry: Entry, painter: Painter | None, fps: float) -> list[Video]:
    """The body over the source video, and the source alone; empty if the entry has no source.

    A missing source is no failure of the entry, because no other step needs it.
    """
    named, motion, sha256 = entry.item.path(SOURCE_VIDEO), entry.motion, entry.motion_sha256
    if painter is None or named is None or motion is None or sha256 is None:
        return []
    tinted, problems = Video("tinted", "Body on the source", offset=motion.start_time), len(entry.missing)
    source, target = entry.file(SOURCE_VIDEO, "source video"), entry.output("overlay", ".mp4")
    if source is not None and source.is_file():
        older = entry.older("overlay", ".mp4")
        drawing = functools.partial(painter.draw_overlay, sha256, motion, source, target, fps, older)
        entry.tried(drawing, "source video")
    else:
        entry.missing.append(f"{named} is missing")
    if len(entry.missing) > problems:
        why = entry.missing.pop()
        return [replace(tinted, error=why)]
    # A motion without a rate was drawn over the source frame by frame.
    rate = fps if entry.fps is not None or source is None else video_rate(source)
    shown = entry.linked(replace(tinted, kind="source", title="Source"), source, rate, fps, motion.start_time)
    shown = replace(shown, crop=_crop(motion))
    url = url_from(entry.options.output, target)
    return [replace(shown, kind=tinted.kind, title=tinted.title, url=url, below=shown.url), shown]


def _crop(motion: MotionClip) -> tuple[float, float, float, float] | None:
    """See :class:`motion_gating.review_page.media.Video`."""
    square = person_square(motion)
    if square is None or motion.camera is None:
        return None
    (left, top, side), (width, height) = square, motion.camera.size
    return (-100 * left / side, -100 * top / side, 100 * width / side, 100 * height / side)


def _camera_video(entry: Entry, fps: float) -> list[Video]:
    """The overlay, else the depth video: the entry's own, else one from the folder of checks; empty without one."""
    overlay, depth = Video("overlay", "Overlay on the source"), Video("depth", "Depth from the camera")
    for video, path_field in ((overlay, OVERLAY_PATH), (depth, DEPTH_PATH)):
        what = video.title.lower()
        path = entry.file(path_field, what) or _in_checks(entry, video.kind)
        if path is None:
            continue
        rate = entry.tried(functools.partial(video_rate, path), what)
        if video.kind == "depth":
            return [entry.linked(video, path, rate, fps)]
        # The overlay has the frames and times of the source; a motion without a rate was drawn over it frame by frame.
        own_time = rate if rate is None or entry.fps is None else fps
        return [entry.linked(video, path, own_time, fps, entry.motion.start_time if entry.motion else 0.0)]
    return []


def _in_checks(entry: Entry, kind: str) -> Path | None:
    if entry.options.checks is None or entry.motion_path is None:
        return None
    path = entry.options.checks / f"{entry.motion_path.stem}_{kind}.mp4"
    return path if path.is_file() else None


def _views(entry: Entry, painter: Painter | None, fps: float) -> list[Video]:
    """Front and side view of the motion, each followed by the same view before refining."""
    if painter is None:
        return []
    if entry.motion is None or entry.motion_sha256 is None:
        return [Video("side", "Side view", error="the entry has no motion to draw")]
    draw, videos = painter.draw_view, []
    for kind, title, view_of in (("front", "Front view", close_views), ("side", "Side view", close_side_views)):
        target = entry.output(kind, ".mp4")
        drawing = functools.partial(
            draw, entry.motion_sha256, entry.motion, target, fps, view_of, entry.older(kind, ".mp4")
        )
        videos.append(_drawn(entry, Video(kind, title), target, drawing))
        if entry.raw is not None and entry.raw_sha256 is not None:
            before = Video(*BEFORE[kind], offset=entry.lead)
            place = ("before", f"_{before.kind}.mp4")
            target = entry.output(*place)
            drawing = functools.partial(draw, entry.raw_sha256, entry.raw, target, fps, view_of, entry.older(*place))
            videos.append(_drawn(entry, before, target, drawing))
    same = Video("before", "Before refining", error="refining changed nothing")
    return [*videos, same] if entry.raw_is_same else videos


def _drawn(entry: Entry, video: Video, target: Path, draw: Callable[[], None]) -> Video:
    """The video with its file, or with an error."""
    failures = len(entry.missing)
    entry.tried(draw, video.title.lower())
    if len(entry.missing) > failures:
        return replace(video, error="it could not be drawn")
    return replace(video, url=url_from(entry.options.output, target))
