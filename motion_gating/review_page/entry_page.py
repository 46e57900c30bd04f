"""The page's data of one entry: a row for the list, and the details that the page loads when the entry is opened."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from motion_gating.archives.archive import require_valid
from motion_gating.archives.content import Content, clip_digest, motion_digest, text_digest
from motion_gating.archives.fields import MOTION_PATH, VLM_ANALYSIS, VLM_MATCHES
from motion_gating.metrics.table import METRICS, Metric
from motion_gating.review_page.curves import curve_panels
from motion_gating.review_page.drawn_videos import Painter
from motion_gating.review_page.entry_files import Entry, PageOptions
from motion_gating.review_page.entry_videos import videos_of
from motion_gating.review_page.media import Video, url_from, video_rate, write_poster
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
from motion_rep.common.rates import DRAWING, playback_rate


@dataclass(frozen=True)
class EntryPage:
    """``row``: JSON inside the page; the details have their own file. ``missing``: why some parts are not shown."""

    row: str
    missing: tuple[str, ...]


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
        entry = Entry(item, options, copies)
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
        videos = videos_of(entry, painter, fps, shown)
        return _described(entry, fps, videos)


def failed_page(options: PageOptions, item: ReviewEntry, why: str) -> EntryPage:
    """The page's data of an entry whose work failed; its files are not read again."""
    return _described(Entry(item, options, missing=[why]), playback_rate(DRAWING)[0], [])


def _described(entry: Entry, fps: float, videos: list[Video]) -> EntryPage:
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
        "about": what_is_judged(entry.prompt, entry.motion_sha256 or content.clip or item.path(MOTION_PATH) or ""),
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


def _content(entry: Entry) -> Content:
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


def _scaled(item: ReviewEntry, figure: Metric) -> float | None:
    value = item.number(figure.key)
    return None if value is None else value * figure.scale


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
