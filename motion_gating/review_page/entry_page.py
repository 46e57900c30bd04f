"""The page's data of one entry: a row for the list, and the details that the page loads when the entry is opened."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import torch

from motion_gating.archives.archive import require_valid
from motion_gating.archives.content import Content, clip_digest, motion_digest, text_digest
from motion_gating.archives.fields import (
    DEPTH_PATH,
    EVAL_PATH,
    MOTION_PATH,
    OVERLAY_PATH,
    PROMPT,
    SOURCE_VIDEO,
    VIDEO_PATH,
    VLM_ANALYSIS,
    VLM_MATCHES,
)
from motion_gating.archives.texts import text_of
from motion_gating.metrics.joint_clip import JointClip, read_joint_clip
from motion_gating.metrics.table import METRICS, Metric
from motion_gating.review_page.curves import curve_panels
from motion_gating.review_page.drawn_videos import DrawingTools, Painter
from motion_gating.review_page.media import Video, copied, url_from, video_rate, write_poster
from motion_gating.review_page.moments import worst_moments
from motion_gating.review_page.page import harmless_json, write_entry_script
from motion_gating.review_page.records import (
    ReviewEntry,
    capture_words,
    groups_of,
    problems_of,
    reasons_of,
    what_is_judged,
    worst_half_second,
)
from motion_gating.review_page.remarks import remarks_on
from motion_gating.review_page.reviewing import Reviewing
from motion_rep.common.errors import InputError
from motion_rep.common.rates import DRAWING, playback_rate
from motion_rep.drawing.mbench_scene import close_views
from motion_rep.drawing.side_view import close_side_views
from motion_rep.drawing.tinted_overlay import person_square
from motion_rep.files.local_files import OutputNames, file_sha256, safe_name
from motion_rep.files.locations import Location, RemotePath, resolve_from
from motion_rep.files.remote_files import local_copy
from motion_rep.kinematics.frames import y_up_from_z_up
from motion_rep.motions.layout import unpack
from motion_rep.motions.motion_file import MotionClip, read_motion

Read = TypeVar("Read")
# Metres, and parts of rotation matrices.
INVISIBLE = 1e-3
# For each view, kind and title of the same view of the raw motion.
BEFORE = {"front": ("before", "Front before refining"), "side": ("side_before", "Side before refining")}


@dataclass(frozen=True)
class PageOptions:
    """Inputs of the page, and which parts to make.

    drawing: tools for views and overlays; None omits these.
    checks: folder where motion_checker.py wrote ``<name>_overlay.mp4`` or ``<name>_depth.mp4``.
    raw_motions: folder with the motions before they were refined, under the same file names.
    names: names of the entries' files; None accepts only safe names.
    reviewing: the reviewers and their existing verdicts.
    """

    meta_json: Location
    output: Path
    threshold: float
    drawing: DrawingTools | None = None
    checks: Path | None = None
    copy_media: bool = False
    raw_motions: Path | None = None
    video_field: str = VIDEO_PATH
    eval_field: str = EVAL_PATH
    prompt_field: str = PROMPT
    names: OutputNames | None = None
    reviewing: Reviewing = field(default_factory=Reviewing)


@dataclass(frozen=True)
class EntryPage:
    """``row``: JSON inside the page; the details have their own file. ``missing``: why some parts are not shown."""

    row: str
    missing: tuple[str, ...]


@dataclass
class _Entry:
    """An entry while its page is made: its readable files, and why others cannot be read.

    copies, fetched: copies of remote files, which are deleted when the entry is finished.
    """

    item: ReviewEntry
    options: PageOptions
    copies: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    fetched: set[Path] = field(default_factory=set)
    lit: Path | None = None
    motion_path: Path | None = None
    motion: MotionClip | None = None
    joints: JointClip | None = None
    raw_path: Path | None = None
    raw: MotionClip | None = None
    raw_is_same: bool = False
    missing: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        names = self.options.names
        return safe_name(self.item.identifier) if names is None else names.of(self.item.identifier)

    @property
    def prompt(self) -> str:
        """The judged text; other contents of its field as JSON."""
        name = self.options.prompt_field
        text, value = text_of(self.item.entry, name), self.item.entry.get(name)
        if text is not None or not value:
            return text or ""
        return value if isinstance(value, str) else json.dumps(value)

    @property
    def fps(self) -> float | None:
        return (self.joints and self.joints.fps) or (self.motion and self.motion.fps) or None

    @property
    def frames(self) -> int | None:
        known = self.motion if self.joints is None else self.joints.joints
        return None if known is None else len(known)

    def output(self, folder: str, suffix: str) -> Path:
        """A file of this entry in the page's folder."""
        return self.options.output / folder / f"{self.key}{suffix}"

    def older(self, folder: str, suffix: str) -> Path | None:
        """The path at which an earlier version wrote a file of this entry, if different; such a file is used only if
        its content matches.
        """
        name = self.options.names and self.options.names.older(self.item.identifier)
        return self.options.output / folder / f"{name}{suffix}" if name else None

    def tried(self, read: Callable[[], Read], what: str) -> Read | None:
        """The result of a function; None if it raises InputError, which is recorded."""
        try:
            return read()
        except InputError as error:
            self.missing.append(f"{what}: {error}")
            return None

    def file(self, name: str, what: str) -> Path | None:
        """The file in a field, or a copy of a remote one; None if the field is empty or the file cannot be fetched."""
        path = self.item.path(name)
        if path is None:
            return None
        found = self.tried(lambda: resolve_from(path, self.options.meta_json), what)
        if not isinstance(found, RemotePath):
            return found
        copy = self.tried(lambda: self.copies.enter_context(local_copy(found)), what)
        if copy is not None:
            self.fetched.add(copy)
        return copy

    def read(self) -> None:
        """Read the motion and the joints."""
        motion_path = self.motion_path = self.file(MOTION_PATH, "motion")
        if motion_path is not None:
            self.motion = self.tried(lambda: read_motion(motion_path), "motion")
        eval_path = self.file(self.options.eval_field, "curves")
        if eval_path is not None:
            self.joints = self.tried(lambda: read_joint_clip(eval_path), "curves")
        raw_path = self._raw_path()
        if raw_path is not None:
            self.raw_path, self.raw = raw_path, self.tried(lambda: read_motion(raw_path), "motion before refining")
            if self.raw is not None and self.motion is not None and _are_same(self.raw, self.motion):
                self.raw, self.raw_is_same = None, True

    def _raw_path(self) -> Path | None:
        """The motion of the same name in the folder of raw motions, if this one was refined."""
        if self.options.raw_motions is None or self.motion_path is None or not (self.motion and self.motion.refined):
            return None
        path = self.options.raw_motions / self.motion_path.name
        return path if path.is_file() else None

    @property
    def raw_joints(self) -> JointClip | None:
        """The joints before refining, y-up."""
        if self.raw is None:
            return None
        joints, fps = y_up_from_z_up(unpack(self.raw.motion.double()).joints), self.raw.fps
        return self.tried(lambda: JointClip(joints.numpy(), fps), "curves before refining")

    @property
    def lead(self) -> float:
        """Seconds by which the raw motion begins earlier."""
        return self.motion.start_time - self.raw.start_time if self.motion and self.raw else 0.0

    def linked(self, video: Video, path: Path | None, rate: float | None, fps: float, offset: float = 0.0) -> Video:
        """A video with a link to a file whose frames correspond one to one to the motion's frames, at ``rate``."""
        if path is None:
            return replace(video, error="the entry names none")
        if rate is None:
            return replace(video, error=f"{path.name} is missing or not a video")
        if self.options.copy_media or path in self.fetched:
            path = copied(path, self.output("media", f"_{video.kind}{path.suffix}"))
        return replace(video, url=url_from(self.options.output, path), scale=fps / rate, offset=offset)


def start_pages(options: PageOptions) -> Callable[[ReviewEntry], EntryPage]:
    """The work of a worker process; see :func:`entry_page`."""
    return functools.partial(entry_page, options, options.drawing.load() if options.drawing is not None else None)


def entry_page(options: PageOptions, painter: Painter | None, item: ReviewEntry) -> EntryPage:
    """Read an entry's files, make its poster and its videos, and write its data for the page.

    The page and ``missing`` name a missing or broken file; it never ends the run.

    Raises:
        InputError: the entry is invalid, or the page's folder cannot be written.
    """
    require_valid(item.entry)
    with contextlib.ExitStack() as copies:
        entry = _Entry(item, options, copies)
        entry.read()
        field = item.lit_field(options.video_field)
        lit = entry.file(field, "lit video")
        lit_fps = entry.tried(lambda: video_rate(lit), "lit video") if lit else None
        # A motion without a rate is shown at the rate of the lit video; the judge's clip has fewer frames.
        fps = playback_rate(DRAWING, entry.fps, lit_fps if field == options.video_field else None)[0]
        lit_fps = fps if lit_fps is not None and field != options.video_field else lit_fps
        if lit is not None and lit_fps is not None:
            entry.lit = lit
            entry.tried(lambda: write_poster(lit, entry.output("posters", ".jpg")), "poster")
        named = item.path(field)
        shown = entry.linked(Video("lit", "Lit video"), lit or (Path(named) if named else None), lit_fps, fps)
        videos = _videos(entry, painter, fps, shown)
        return _described(entry, fps, videos)


def failed_page(options: PageOptions, item: ReviewEntry, why: str) -> EntryPage:
    """The page's data of an entry whose work failed; its files are not read again."""
    return _described(_Entry(item, options, missing=[why]), playback_rate(DRAWING)[0], [])


def _described(entry: _Entry, fps: float, videos: list[Video]) -> EntryPage:
    item, options, joints = entry.item, entry.options, entry.joints
    poster = entry.output("posters", ".jpg")
    content = _content(entry)
    before, lead = entry.raw_joints, entry.lead
    panels = [] if joints is None else curve_panels(joints, fps, options.threshold, before, lead)
    row = {
        "key": entry.key,
        "id": str(item.identifier),
        "idJson": json.dumps(item.identifier),
        "prompt": entry.prompt,
        "decision": item.decision,
        "vlm": (item.record or {}).get(VLM_MATCHES),
        "groups": groups_of(item, options.threshold),
        "poster": url_from(options.output, poster) if poster.is_file() else None,
        "figures": [_scaled(item, figure) for figure in METRICS],
        "seconds": None if joints is None else len(joints.joints) / fps,
        "about": what_is_judged(entry.prompt, _motion_digest(entry) or content.clip or item.path(MOTION_PATH) or ""),
        "content": content.as_dict(),
        **options.reviewing.row(item.entry, content),
    }
    details = {
        "reasons": [*reasons_of(item, options.threshold), *capture_words(item)],
        "analysis": item.text(VLM_ANALYSIS),
        "judge": _judge_words(item),
        **remarks_on(item, joints, fps, entry.prompt).as_dict(),
        "problems": [*problems_of(item), *entry.missing],
        "videos": [video.as_dict() for video in videos if video.url is not None],
        "absent": _absent(videos, entry.missing),
        "panels": panels,
        "moments": [] if joints is None else worst_moments(joints, fps, panels),
        "worst": worst_half_second(item, fps),
        "seconds": None if entry.frames is None else entry.frames / fps,
        "fps": fps,
        "rateKnown": entry.fps is not None,
        "interpolatedFrom": None if entry.motion is None else entry.motion.interpolated_from,
        "frames": entry.frames,
        "motion": item.path(MOTION_PATH),
        "startTime": 0.0 if entry.motion is None else entry.motion.start_time,
    }
    write_entry_script(entry.output("entries", ".js"), entry.key, details)
    return EntryPage(harmless_json(row), tuple(entry.missing))


def _content(entry: _Entry) -> Content:
    """Digests of the content that the reviewer sees, for exported verdicts."""
    return Content(
        motion=None if entry.motion is None else motion_digest(entry.motion),
        clip=None if entry.lit is None else clip_digest(entry.lit),
        text=text_digest(entry.prompt) if entry.prompt else None,
    )


def _absent(videos: list[Video], problems: list[str]) -> list[str]:
    """The missing videos that no problem mentions."""
    missing = [video for video in videos if video.url is None]
    named = {problem.partition(":")[0] for problem in problems}
    return [f"{video.title}: {video.error}" for video in missing if video.title.lower() not in named]


def _videos(entry: _Entry, painter: Painter | None, fps: float, lit: Video) -> list[Video]:
    """The videos in the order of the page; a front view replaces the lit video, which is then shown only on demand."""
    tinted = _tinted_video(entry, painter, fps)
    checks = _camera_video(entry, fps)
    if tinted and tinted[0].url is not None:
        checks = [replace(video, extra=True) for video in checks]
    views = _views(entry, painter, fps)
    replaced = lit.url is not None and any(video.kind == "front" and video.url is not None for video in views)
    return [*tinted, *checks, *views, replace(lit, extra=True)] if replaced else [lit, *tinted, *checks, *views]


def _tinted_video(entry: _Entry, painter: Painter | None, fps: float) -> list[Video]:
    """The body over the source video, and the source alone; empty if the entry has no source.

    A missing source is no failure of the entry, because no other step needs it.
    """
    named, motion, motion_path = entry.item.path(SOURCE_VIDEO), entry.motion, entry.motion_path
    if painter is None or named is None or motion is None or motion_path is None:
        return []
    tinted, problems = Video("tinted", "Body on the source", offset=motion.start_time), len(entry.missing)
    source, target = entry.file(SOURCE_VIDEO, "source video"), entry.output("overlay", ".mp4")
    if source is not None and source.is_file():
        older = entry.older("overlay", ".mp4")
        drawing = functools.partial(painter.draw_overlay, motion_path, motion, source, target, fps, older)
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


def _camera_video(entry: _Entry, fps: float) -> list[Video]:
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


def _in_checks(entry: _Entry, kind: str) -> Path | None:
    if entry.options.checks is None or entry.motion_path is None:
        return None
    path = entry.options.checks / f"{entry.motion_path.stem}_{kind}.mp4"
    return path if path.is_file() else None


def _views(entry: _Entry, painter: Painter | None, fps: float) -> list[Video]:
    """Front and side view of the motion, each followed by the same view before refining."""
    if painter is None:
        return []
    if entry.motion_path is None or entry.motion is None:
        return [Video("side", "Side view", error="the entry has no motion to draw")]
    draw, videos = painter.draw_view, []
    for kind, title, view_of in (("front", "Front view", close_views), ("side", "Side view", close_side_views)):
        target = entry.output(kind, ".mp4")
        drawing = functools.partial(
            draw, entry.motion_path, entry.motion, target, fps, view_of, entry.older(kind, ".mp4")
        )
        videos.append(_drawn(entry, Video(kind, title), target, drawing))
        if entry.raw_path is not None and entry.raw is not None:
            before = Video(*BEFORE[kind], offset=entry.lead)
            place = ("before", f"_{before.kind}.mp4")
            target = entry.output(*place)
            drawing = functools.partial(draw, entry.raw_path, entry.raw, target, fps, view_of, entry.older(*place))
            videos.append(_drawn(entry, before, target, drawing))
    same = Video("before", "Before refining", error="refining changed nothing")
    return [*videos, same] if entry.raw_is_same else videos


def _are_same(raw: MotionClip, refined: MotionClip) -> bool:
    """Whether refining made no visible change."""
    rows, others = raw.motion, refined.motion
    return rows.shape == others.shape and bool(torch.allclose(rows, others, rtol=0.0, atol=INVISIBLE))


def _drawn(entry: _Entry, video: Video, target: Path, draw: Callable[[], None]) -> Video:
    """The video with its file, or with an error."""
    failures = len(entry.missing)
    entry.tried(draw, video.title.lower())
    if len(entry.missing) > failures:
        return replace(video, error="it could not be drawn")
    return replace(video, url=url_from(entry.options.output, target))


def _scaled(item: ReviewEntry, figure: Metric) -> float | None:
    value = item.number(figure.key)
    return None if value is None else value * figure.scale


def _motion_digest(entry: _Entry) -> str | None:
    return None if entry.motion_path is None or entry.motion is None else file_sha256(entry.motion_path)


def _judge_words(item: ReviewEntry) -> str | None:
    """The judge, with the votes if there were several."""
    judge, votes = item.text("judge"), (item.record or {}).get("vlm_votes")
    version = item.text("vlm_model_version")
    words = " ".join(part for part in (judge, f"({version})" if version else None) if part)
    if (
        isinstance(votes, dict)
        and all(isinstance(votes.get(side), int) for side in ("match", "mismatch"))
        and sum(votes[side] for side in ("match", "mismatch")) > 1
    ):
        words += f", votes {votes['match']} for a match and {votes['mismatch']} against"
    return words or None
