"""The page's data of one entry: a row for the list, and the details that the page loads when it is opened."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from motion_gating.archives.content import Content, clip_digest, motion_digest, text_digest
from motion_gating.metrics.joint_clip import JointClip, read_joint_clip
from motion_gating.metrics.table import METRICS, Metric
from motion_gating.review_page.curves import curve_panels
from motion_gating.review_page.media import Video, copied, url_from, video_rate, write_poster
from motion_gating.review_page.page import harmless_json, write_entry_script
from motion_gating.review_page.records import (
    ReviewEntry,
    groups_of,
    problems_of,
    reasons_of,
    what_is_judged,
    worst_half_second,
)
from motion_gating.review_page.side_video import SidePainter, SideTools
from motion_rep.common.errors import InputError
from motion_rep.common.rates import DRAWING, playback_rate
from motion_rep.files.local_files import file_sha256, safe_name
from motion_rep.files.locations import Location, RemotePath, resolve_from
from motion_rep.files.remote_files import local_copy
from motion_rep.motions.motion_file import MotionClip, read_motion

Read = TypeVar("Read")


@dataclass(frozen=True)
class PageOptions:
    """Inputs of the page, and which parts to make.

    side: what side views are drawn with; None leaves them out.
    checks: folder where motion_checker.py wrote ``<name>_overlay.mp4`` or ``<name>_depth.mp4``.
    """

    meta_json: Location
    output: Path
    threshold: float
    side: SideTools | None = None
    checks: Path | None = None
    copy_media: bool = False
    video_field: str = "video_path"
    eval_field: str = "mbench_eval_path"
    prompt_field: str = "prompt"


@dataclass(frozen=True)
class EntryPage:
    """``row``: JSON inside the page; the details have their own file. ``missing``: reasons for what is not shown."""

    row: str
    missing: tuple[str, ...]


@dataclass
class _Sources:
    """The readable files of an entry, and the reasons for the others.

    fetched: copies of remote files, which are gone when the entry is done.
    """

    copies: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    fetched: set[Path] = field(default_factory=set)
    lit: Path | None = None
    motion_path: Path | None = None
    motion: MotionClip | None = None
    joints: JointClip | None = None
    missing: list[str] = field(default_factory=list)


def start_pages(options: PageOptions) -> Callable[[ReviewEntry], EntryPage]:
    """The work of a worker; see :func:`entry_page`."""
    return functools.partial(entry_page, options, options.side.load() if options.side is not None else None)


def entry_page(options: PageOptions, painter: SidePainter | None, item: ReviewEntry) -> EntryPage:
    """Read an entry's files, make its poster and its side view, and write its data for the page.

    The page and ``missing`` name a missing or broken file; it never ends the run.

    Raises:
        InputError: the page's folder cannot be written.
    """
    with contextlib.ExitStack() as copies:
        return _entry_page(options, painter, item, _read_sources(item, options, copies))


def _entry_page(options: PageOptions, painter: SidePainter | None, item: ReviewEntry, sources: _Sources) -> EntryPage:
    key, lit = safe_name(item.identifier), item.path(options.video_field)
    lit_path = _near(lit, sources, "lit video", options)
    lit_fps = _tried(lambda: video_rate(lit_path), sources, "lit video") if lit_path else None
    fps = _show_fps(sources, lit_fps)
    if lit_path is not None and lit_fps is not None:
        sources.lit = lit_path
        _tried(functools.partial(write_poster, lit_path, _poster(key, options)), sources, "poster")
    videos = [
        _linked(
            "lit", "Lit video", lit_path or (None if lit is None else Path(lit)), lit_fps, fps, key, sources, options
        ),
        *_camera_video(item, sources, fps, key, options),
        *_side_video(sources, painter, fps, key, options),
    ]
    return _described(item, options, sources, fps, videos)


def failed_page(options: PageOptions, item: ReviewEntry, why: str) -> EntryPage:
    """The page's data of an entry whose work failed; does not read its files again."""
    return _described(item, options, _Sources(missing=[why]), playback_rate(DRAWING)[0], [])


def _described(
    item: ReviewEntry, options: PageOptions, sources: _Sources, fps: float, videos: list[Video]
) -> EntryPage:
    key, prompt = safe_name(item.identifier), _prompt(item, options)
    row = {
        "key": key,
        "id": str(item.identifier),
        "idJson": json.dumps(item.identifier),
        "prompt": prompt,
        "decision": item.decision,
        "vlm": (item.record or {}).get("vlm_matches"),
        "groups": groups_of(item, options.threshold),
        "poster": url_from(options.output, poster) if (poster := _poster(key, options)).is_file() else None,
        "figures": [_scaled(item, figure) for figure in METRICS],
        "seconds": None if sources.joints is None else len(sources.joints.joints) / fps,
        "about": what_is_judged(prompt, _motion_digest(item, sources)),
        "content": _content(prompt, sources).as_dict(),
    }
    details = {
        "reasons": reasons_of(item, options.threshold),
        "analysis": item.text("vlm_analysis"),
        "judge": _judge_words(item),
        "problems": [*problems_of(item), *sources.missing],
        "videos": [video.as_dict() for video in videos if video.url is not None],
        "absent": _absent(videos, sources),
        "panels": [] if sources.joints is None else curve_panels(sources.joints, fps, options.threshold),
        "worst": worst_half_second(item, fps),
        "seconds": _seconds(sources, fps),
        "fps": fps,
        "rateKnown": _known_fps(sources) is not None,
        "frames": None if sources.joints is None else len(sources.joints.joints),
        "motion": item.path("motion_path"),
    }
    write_entry_script(options.output / "entries" / f"{key}.js", key, details)
    return EntryPage(harmless_json(row), tuple(sources.missing))


def _content(prompt: str, sources: _Sources) -> Content:
    """Digests of what the reviewer sees, for exported verdicts."""
    return Content(
        motion=None if sources.motion is None else motion_digest(sources.motion),
        clip=None if sources.lit is None else clip_digest(sources.lit),
        text=text_digest(prompt) if prompt else None,
    )


def _absent(videos: list[Video], sources: _Sources) -> list[str]:
    """The missing videos, unless an error names them already."""
    missing = [video for video in videos if video.url is None]
    named = {problem.partition(":")[0] for problem in sources.missing}
    return [f"{video.title}: {video.error}" for video in missing if video.title.lower() not in named]


def _poster(key: str, options: PageOptions) -> Path:
    return options.output / "posters" / f"{key}.jpg"


def _read_sources(item: ReviewEntry, options: PageOptions, copies: contextlib.ExitStack) -> _Sources:
    sources = _Sources(copies)
    motion_path = sources.motion_path = _near(item.path("motion_path"), sources, "motion", options)
    if motion_path is not None:
        sources.motion = _tried(lambda: read_motion(motion_path), sources, "motion")
    eval_path = _near(item.path(options.eval_field), sources, "curves", options)
    if eval_path is not None:
        sources.joints = _tried(lambda: read_joint_clip(eval_path), sources, "curves")
    return sources


def _tried(read: Callable[[], Read], sources: _Sources, what: str) -> Read | None:
    try:
        return read()
    except InputError as error:
        sources.missing.append(f"{what}: {error}")
        return None


def _known_fps(sources: _Sources) -> float | None:
    return (sources.joints and sources.joints.fps) or (sources.motion and sources.motion.fps) or None


def _show_fps(sources: _Sources, lit_fps: float | None) -> float:
    """The motion's rate; where it is unknown, the lit video's, so that both run together."""
    return playback_rate(DRAWING, _known_fps(sources), lit_fps)[0]


def _seconds(sources: _Sources, fps: float) -> float | None:
    if sources.joints is not None:
        return len(sources.joints.joints) / fps
    return None if sources.motion is None else len(sources.motion) / fps


def _near(path: str | None, sources: _Sources, what: str, options: PageOptions) -> Path | None:
    """A file that an entry names, or a copy of a remote one; None where it names none, or it cannot be fetched."""
    if path is None:
        return None
    found = _tried(lambda: resolve_from(path, options.meta_json), sources, what)
    if not isinstance(found, RemotePath):
        return found
    copy = _tried(lambda: sources.copies.enter_context(local_copy(found)), sources, what)
    if copy is not None:
        sources.fetched.add(copy)
    return copy


def _linked(
    kind: str,
    title: str,
    path: Path | None,
    rate: float | None,
    fps: float,
    key: str,
    sources: _Sources,
    options: PageOptions,
    offset: float = 0.0,
) -> Video:
    """A link to a video whose frames are the motion's frames, one to one, at ``rate``."""
    if path is None:
        return Video(kind, title, error="the entry names none")
    if rate is None:
        return Video(kind, title, error=f"{path.name} is missing or not a video")
    if options.copy_media or path in sources.fetched:
        path = copied(path, options.output / "media" / f"{key}_{kind}{path.suffix}")
    return Video(kind, title, url_from(options.output, path), fps / rate, offset)


def _camera_video(item: ReviewEntry, sources: _Sources, fps: float, key: str, options: PageOptions) -> list[Video]:
    """The overlay, else the depth video: as the entry names it, else from the folder of checks; empty without one."""
    for kind, title in (("overlay", "Overlay on the source"), ("depth", "Depth from the camera")):
        path = _near(item.path(f"{kind}_path"), sources, title.lower(), options) or _in_checks(sources, kind, options)
        if path is None:
            continue
        rate = _tried(lambda: video_rate(path), sources, title.lower())  # noqa: B023 - called at once
        if kind == "depth":
            return [_linked(kind, title, path, rate, fps, key, sources, options)]
        # The overlay has the source's own frames and time; a motion without a rate was laid over it frame by frame.
        own_time = rate if rate is None or _known_fps(sources) is None else fps
        return [
            _linked(
                kind,
                title,
                path,
                own_time,
                fps,
                key,
                sources,
                options,
                sources.motion.start_time if sources.motion else 0.0,
            )
        ]
    return []


def _in_checks(sources: _Sources, kind: str, options: PageOptions) -> Path | None:
    if options.checks is None or sources.motion_path is None:
        return None
    path = options.checks / f"{sources.motion_path.stem}_{kind}.mp4"
    return path if path.is_file() else None


def _side_video(
    sources: _Sources, painter: SidePainter | None, fps: float, key: str, options: PageOptions
) -> list[Video]:
    if painter is None:
        return []
    path, motion = sources.motion_path, sources.motion
    if path is None or motion is None:
        return [Video("side", "Side view", error="there is no motion to draw it from")]
    target = options.output / "side" / f"{key}.mp4"
    failures = len(sources.missing)
    _tried(lambda: painter.draw(path, motion, target, fps), sources, "side view")
    if len(sources.missing) > failures:
        return [Video("side", "Side view", error="it could not be drawn")]
    return [Video("side", "Side view", url_from(options.output, target))]


def _prompt(item: ReviewEntry, options: PageOptions) -> str:
    value = item.entry.get(options.prompt_field)
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _scaled(item: ReviewEntry, figure: Metric) -> float | None:
    value = item.number(figure.key)
    return None if value is None else value * figure.scale


def _motion_digest(item: ReviewEntry, sources: _Sources) -> str:
    path = sources.motion_path if sources.motion is not None else None
    return item.path("motion_path") or "" if path is None else file_sha256(path)


def _judge_words(item: ReviewEntry) -> str | None:
    """The judge, with the votes where there were several."""
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
