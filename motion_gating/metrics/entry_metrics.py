"""Compute the figures of an archive's entries, in order: in this process, in worker processes, or on a cluster."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from motion_gating.archives.archive import InvalidEntry, require_valid
from motion_gating.archives.content import DIGITS, Content, motion_digest
from motion_gating.archives.fields import JUDGE_VIDEO_PATH, MOTION_PATH, VIDEO_PATH, Fields
from motion_gating.metrics.joint_clip import JointClip, read_eval_file
from motion_gating.metrics.joint_metrics import JointMetrics, measure
from motion_rep.common.errors import InputError
from motion_rep.files.local_files import file_sha256
from motion_rep.files.locations import Location, resolve_from
from motion_rep.files.remote_files import local_copy
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.motion_file import MotionClip, read_motion
from motion_rep.runs.attempt import Failed
from motion_rep.runs.engine import Engine

SAME_BODY = 0.02  # metres: largest distance of an eval file's joints from those of its motion


@dataclass(frozen=True)
class Measured:
    """Figures of an entry, or the reason why there are none.

    traceback: traceback of an unexpected error.
    content: digests of the measured content.
    notes: sentences about the motion, for the record.
    interpolated_from: rate of the source if rows of the motion were interpolated between its frames.
    """

    metrics: JointMetrics | None
    error: str | None = None
    traceback: str = ""
    content: Content = Content()
    notes: tuple[str, ...] = ()
    interpolated_from: float | None = None


INTERRUPTED = "the run was interrupted before. Re-run the command."
NOT_REACHED = Measured(None, INTERRUPTED)


def measured_entries(
    read: Callable[[], Iterator[dict]],
    count: int,
    fields: Fields,
    meta_json: Location,
    engine: Engine,
    cancelled: threading.Event | None = None,
) -> Iterator[tuple[dict, Measured]]:
    """Each entry with its figures; after ``cancelled`` is set, the others follow immediately with NOT_REACHED.

    Args:
        read: starts reading the entries; a limited number is read ahead.
        count: the number of items.
        fields: names of the fields with the eval file and the clip.
        meta_json: the archive; its relative paths start at its folder.
    """
    done = 0
    start = functools.partial(start_measuring, fields, meta_json)
    names = (fields.evaluation, fields.video, JUDGE_VIDEO_PATH, MOTION_PATH)

    def sent(entry: dict) -> dict:
        return entry if isinstance(entry, InvalidEntry) else {name: entry.get(name) for name in names}

    results = engine.run(start, read(), count, sent)
    with contextlib.closing(results):
        for entry, result in results:
            yield entry, Measured(None, result.message, result.detail) if isinstance(result, Failed) else result
            done += 1
            if cancelled is not None and cancelled.is_set():
                break
        else:
            return
    yield from ((entry, NOT_REACHED) for entry in islice(read(), done, None))


def start_measuring(fields: Fields, meta_json: Location) -> Callable[[dict], Measured]:
    """The work of a worker process; see :func:`measure_entry`."""
    return functools.partial(measure_entry, fields, meta_json)


def measure_entry(fields: Fields, meta_json: Location, entry: dict) -> Measured:
    """The figures of an entry, and the digests of its motion and clip.

    Args:
        entry: its eval file, motion and clip; other fields are ignored.
    Raises:
        InputError: it is invalid or has no eval file, a file cannot be read, or the files do not belong together.
    """
    require_valid(entry)
    value = entry.get(fields.evaluation)
    if not isinstance(value, str) or not value:
        raise InputError(f"the entry has no {fields.evaluation}. Render it first, or give its field with --eval-field.")
    motion = _motion(entry.get(MOTION_PATH), meta_json)
    digest = None if motion is None else motion_digest(motion)
    video = fields.judged_video(entry)
    clip = _clip_sha256(entry.get(video), meta_json)
    with local_copy(resolve_from(value, meta_json)) as path:
        file = read_eval_file(path)
        _require_same(path, "motion", file.motion, digest)
        if video in (VIDEO_PATH, JUDGE_VIDEO_PATH):
            made_with = file.video_sha256 if video == VIDEO_PATH else file.judge_video_sha256
            _require_same(path, "clip", made_with, clip)
        if file.motion is None and motion is not None:
            _require_joints_of(path, file.clip, motion)
        rate = file.clip.fps or (None if motion is None else motion.fps)
        try:
            figures = measure(replace(file.clip, fps=rate))
            metrics = replace(figures, refined=file.refined, capture_fit=file.image_fit)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
    content, source = Content(digest, clip and clip[:DIGITS]), None if motion is None else motion.interpolated_from
    marked = None if source is None else f"the motion was interpolated from {source:g} frames per second"
    notes = tuple(note for note in (file.joints_note, marked) if note)
    return Measured(metrics, content=content, notes=notes, interpolated_from=source)


def _motion(value: object, meta_json: Location) -> MotionClip | None:
    if not isinstance(value, str) or not value:
        return None
    with local_copy(resolve_from(value, meta_json)) as path:
        return read_motion(path)


def _clip_sha256(value: object, meta_json: Location) -> str | None:
    """The digest; None if the clip is missing, which the judge reports. Remote clips are fetched to notice
    replacements.
    """
    if not isinstance(value, str) or not value:
        return None
    try:
        with local_copy(resolve_from(value, meta_json)) as path:
            return file_sha256(path) if path.is_file() else None
    except (InputError, OSError, ValueError):
        return None


def _require_same(path: Path, what: str, made_from: str | None, found: str | None) -> None:
    if made_from is not None and found is not None and made_from != found:
        raise InputError(f"{path}: was made with another {what} than the entry names now. Render the entry again.")


def _require_joints_of(path: Path, clip: JointClip, motion: MotionClip) -> None:
    """Check that an eval file without digests shows this motion, in any axes, by the distances to the pelvis."""
    joints = body_parameters(motion.motion.double()).joints().numpy()
    found, expected = (np.linalg.norm(each - each[:, :1], axis=-1) for each in (clip.joints, joints))
    if found.shape != expected.shape or float(np.abs(found - expected).max()) > SAME_BODY:
        raise InputError(
            f"{path}: its joints are not those of the motion that the entry names now. Render the entry again."
        )
