"""Turn a video of one person into SMPL-X parameters per frame, on the CPU."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from motion_rep.captures.image_fit import ImageFit
from motion_rep.common.errors import InputError, counted
from motion_rep.common.sizes import DEFAULT_FIELD_OF_VIEW
from motion_rep.kinematics.array_rotations import rotation_vectors, turns_between
from motion_rep.preview_capture.body_fit import BodyEstimate, FittedBody, ImagePoints, fit_body
from motion_rep.preview_capture.chunks import fit_in_chunks, stretches
from motion_rep.preview_capture.identity import longest_part, parts_between, person_changes
from motion_rep.preview_capture.image_match import match_image
from motion_rep.preview_capture.landmarks import LandmarkTrack
from motion_rep.preview_capture.lifting import Lens, LiftedFrames, LiftingNetwork, MovingBody, TemporalNetwork
from motion_rep.preview_capture.markers import Markers, blazepose_markers
from motion_rep.preview_capture.people import Person, chosen_person, find_people
from motion_rep.preview_capture.sides import repaired, spike_weights
from motion_rep.preview_capture.tracking import FollowedPerson, PeopleFinder, PersonBox, TimedFrame, track
from motion_rep.preview_capture.up_direction import LEVEL, UpDirection, find_up
from motion_rep.preview_capture.weights import DEFAULT_FOLDER
from motion_rep.video.reading import VideoReader, frame_times, open_video
from motion_rep.video.timing import is_even, measured_rate, uneven_note

BACKEND = "blazepose-preview"
FEWEST_FRAMES = 5
LOW_DETECTION = 0.8
LONGEST_BRIDGE_SECONDS = 0.5
LEAST_VISIBILITY = 0.02
# Degrees, if the person does not stand upright long enough.
UNKNOWN_TILT = 20.0
LOW_IMAGE_FIT = 0.9
# Shortest and longest focal length, in sides of the picture: from a fisheye to a telescope.
FOCAL_LENGTHS = (0.1, 100.0)
CHOOSE = (
    "Choose another part or person with capture_preview.py: --start and --end, --person N (see --list-people), or "
    "--bbox x,y,w,h@seconds."
)

Progress = Callable[[Iterable[Any], str, int | None], Iterable[Any]]


@dataclass(frozen=True)
class PreviewCapture:
    """A capture of T frames, and the data from which it was made.

    body: in camera axes. fps: frames per second. frame_index: (T,) int64 numbers of the frames in the video.
    detected: (F,) bool for every read frame.
    visibility: (T, 33) of the capture's frames. up: the camera's up direction assumed by the fit.
    """

    body: FittedBody
    lens: Lens
    fps: float
    frame_index: np.ndarray
    detected: np.ndarray
    visibility: np.ndarray
    image_fit: ImageFit
    up: UpDirection
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """The documented capture file's contents."""
        frames, lens = len(self.frame_index), self.lens
        return {
            "global_orient": rotation_vectors(self.body.root).astype(np.float32),
            "body_pose": rotation_vectors(self.body.body).reshape(frames, -1).astype(np.float32),
            "transl": self.body.transl.astype(np.float32),
            "focal_length": np.full((frames, 1), lens.focal_length, np.float32),
            "width": np.full((frames, 1), lens.width, np.float32),
            "height": np.full((frames, 1), lens.height, np.float32),
            "fps": self.fps,
            "frame_index": self.frame_index,
            "detected": self.detected,
            "visibility": self.visibility.astype(np.float32),
            "backend": BACKEND,
            "up": self.up.direction.astype(np.float32),
            "up_spread": self.up.spread,
            **self.image_fit.to_dict(),
        }


@dataclass(frozen=True)
class CaptureOptions:
    """Settings for the capture of a video.

    field_of_view: vertical, degrees. focal_length: pixels, instead of the field of view. box: the person to follow.
    person: number of the person as :func:`people_in` lists them, instead of the box. start, end: seconds.
    weights: folder of the networks.
    """

    field_of_view: float = DEFAULT_FIELD_OF_VIEW
    focal_length: float | None = None
    box: PersonBox | None = None
    person: int | None = None
    start: float = 0.0
    end: float | None = None
    weights: Path = DEFAULT_FOLDER


@dataclass(frozen=True)
class FittedTrack:
    """The body in every frame with a detection of one person.

    rows: (T,) int64 numbers of these frames in the track. landmarks: T frames, with left and right as used by the fit.
    up: the camera's up direction.
    """

    body: FittedBody
    rows: np.ndarray
    landmarks: LandmarkTrack
    up: UpDirection


@dataclass(frozen=True)
class _Part:
    """The captured part of a clip: frames, its number among all parts, and frames that begin other parts."""

    frames: slice
    number: int
    count: int
    cuts: tuple[int, ...]
    changes: tuple[int, ...]


def capture_video(
    path: str | os.PathLike[str],
    options: CaptureOptions = CaptureOptions(),
    progress: Progress = lambda items, *_: items,
    notice: Callable[[str], None] = lambda _: None,
) -> PreviewCapture:
    """Capture the person in a video.

    Args:
        progress: wraps an iterable in a bar: (items, what is done, how many).
        notice: receives sentences while the video is still being read.
    Raises:
        InputError: not a video, no frames in the given span, or a person in fewer than 5 frames.
        UsageError: the networks or their runtime are missing, or no person has the given number.
    """
    finder, times = PeopleFinder(options.weights), _Times.of(path)
    _require_span(path, options, times)
    box = options.box
    if options.person is not None:
        box = chosen_person(_people(path, options, times, finder, progress), options.person).box
    if times.note:
        notice(times.note)
    with _span_of(path, options, times) as span:
        lens, fps = _lens(options, span.video), span.fps
        followed = track(progress(span.frames(), "reading", span.video.frame_count), finder, box, notice)
    found, first = followed.track, span.first
    part = _part_of(followed, fps)
    _require_person(path, found, part, options)
    fitted = fit_track(found, lens, fps, progress, part.frames)
    rows = fitted.rows
    changes, cuts = (tuple(frame + first for frame in frames) for frames in (part.changes, part.cuts))
    match = match_image(fitted.body, fitted.landmarks, lens, followed.most_people, changes, cuts)
    warnings = (*span.damage(), *_warnings(found, fitted, match, part, first))
    visibility = found.visibility[rows]
    return PreviewCapture(fitted.body, lens, fps, rows + first, found.detected, visibility, match, fitted.up, warnings)


def people_in(
    path: str | os.PathLike[str],
    options: CaptureOptions = CaptureOptions(),
    progress: Progress = lambda items, *_: items,
) -> list[Person]:
    """The people in a span of a video.

    Raises:
        InputError: not a video.
        UsageError: the networks or their runtime are missing.
    """
    finder, times = PeopleFinder(options.weights), _Times.of(path)
    _require_span(path, options, times)
    return _people(path, options, times, finder, progress)


def _people(
    path: str | os.PathLike[str], options: CaptureOptions, times: _Times, finder: PeopleFinder, progress: Progress
) -> list[Person]:
    with _span_of(path, options, times) as span:
        return find_people(progress(span.frames(), "looking for people", span.video.frame_count), finder)


def _part_of(followed: FollowedPerson, fps: float) -> _Part:
    """The part in which the user selected the person, else the longest part."""
    found = followed.track
    changes = person_changes(found, fps, followed.looks)
    seen = np.flatnonzero(found.detected)
    before = {int(c): int(seen[np.searchsorted(seen, c) - 1]) for c in changes}
    # A new shot shows the person elsewhere; that is not a change of person.
    changes = np.array([c for c in before if not any(before[c] < cut <= c for cut in followed.cuts)], np.int64)
    parts = parts_between(len(found), np.concatenate((changes, np.array(followed.cuts, np.int64))))
    number = longest_part(found, parts)
    if followed.start is not None:
        number = next(k for k, part in enumerate(parts) if part.start <= followed.start < part.stop)
    return _Part(parts[number], number, len(parts), followed.cuts, tuple(map(int, changes)))


def _require_person(path: str | os.PathLike[str], found: LandmarkTrack, part: _Part, options: CaptureOptions) -> None:
    """Raise an InputError if the track is empty or no person was found."""
    if not len(found):
        raise _no_frames(path, options)
    seen = int(found.detected[part.frames].sum())
    if seen < FEWEST_FRAMES:
        raise InputError(
            f"{path}: a person was found in {seen} of {len(found)} frames, expected at least {FEWEST_FRAMES}. "
            "Use a video in which one person is seen from head to foot, or point to the person with --bbox of "
            "capture_preview.py."
        )


def _no_frames(path: str | os.PathLike[str], options: CaptureOptions) -> InputError:
    end = "its end" if options.end is None else f"{options.end:g} s"
    return InputError(f"{path}: has no frames between {options.start:g} s and {end}. Choose another span.")


def _require_span(path: str | os.PathLike[str], options: CaptureOptions, times: _Times) -> None:
    """Raise an InputError, before any frame is decoded, if the span or the box is at a time without frames."""
    half, last = times.interval / 2, float(times.each[-1])
    if len(times.each) < FEWEST_FRAMES:
        found = counted(len(times.each), "frame")
        raise InputError(f"{path}: has {found}, expected at least {FEWEST_FRAMES}. Use a longer video.")
    if options.start > last + half:
        raise _no_frames(path, options)
    at, end = options.box.seconds if options.box else 0.0, last if options.end is None else min(last, options.end)
    if at and not options.start - half <= at <= end + half:
        raise InputError(
            f"{path}: --bbox is at {at:g} s, expected a time from {options.start:g} s to {end:.2f} s. Correct it."
        )


def fit_track(
    found: LandmarkTrack,
    lens: Lens,
    fps: float,
    progress: Progress = lambda items, *_: items,
    run: slice | None = None,
) -> FittedTrack:
    """The body in every frame of ``run`` (default: all) with a detection of one person."""
    run = run or slice(0, len(found))
    network, moving, markers = LiftingNetwork.load(), TemporalNetwork.load(), blazepose_markers()
    pieces = [
        slice(run.start + part.start, run.start + part.stop)
        for part in stretches(found.detected[run], round(LONGEST_BRIDGE_SECONDS * fps))
    ]
    tracks = [repaired(_bridged(found[piece]), fps) for piece in pieces]
    bodies = [moving.lift(seen, lens, fps) for seen in tracks]
    up = _up_of(tracks, bodies)
    level = turns_between(up.direction, LEVEL) if up is not None and up.tilted else None
    parts, rows = [], []
    for piece, seen, moved in zip(pieces, tracks, bodies, strict=True):
        lifted = moved.joined(network.lift(seen, lens, level))
        trust = seen.visibility * spike_weights(seen, fps)

        def fit(
            chunk: slice, seen: LandmarkTrack = seen, lifted: LiftedFrames = lifted, trust: np.ndarray = trust
        ) -> FittedBody:
            return fit_body(_estimate(lifted, chunk), _points(seen[chunk], trust[chunk], lens, markers), markers, fps)

        body = fit_in_chunks(len(seen), fit, lambda chunks: progress(chunks, "fitting", None))
        kept = np.flatnonzero(seen.detected)
        parts.append((FittedBody(body.root[kept], body.body[kept], body.transl[kept]), seen[kept]))
        rows.append(kept + piece.start)
    joined = FittedBody(*(np.concatenate([getattr(p, name) for p, _ in parts]) for name in ("root", "body", "transl")))
    return FittedTrack(joined, np.concatenate(rows), _joined([seen for _, seen in parts]), _assumed(up))


def _joined(tracks: list[LandmarkTrack]) -> LandmarkTrack:
    names = ("image", "world", "visibility", "detected")
    return LandmarkTrack(*(np.concatenate([getattr(part, name) for part in tracks]) for name in names))


def _up_of(tracks: list[LandmarkTrack], bodies: list[MovingBody]) -> UpDirection | None:
    joints, up = (np.concatenate(parts) for parts in zip(*((b.frames.joints, b.up) for b in bodies), strict=True))
    return find_up(_joined(tracks), joints, up)


def _assumed(up: UpDirection | None) -> UpDirection:
    """The up direction that the fit used.

    If the tilt is uncertain, that of a level camera, with the possible tilt as its spread.
    """
    if up is not None and up.tilted:
        return up
    missed = UNKNOWN_TILT if up is None else max(up.spread, float(np.degrees(np.arccos(-up.direction[1]))))
    return UpDirection(LEVEL, missed)


@dataclass(frozen=True)
class _Times:
    """The frame times of a video.

    each: (F,) seconds. rate: the even rate to which uneven times are resampled, with a sentence about it; else None.
    """

    each: np.ndarray
    rate: float | None = None
    note: str | None = None

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> _Times:
        times = frame_times(path)
        rate = None if is_even(times) else measured_rate(times)
        return cls(times, rate, uneven_note(times, rate)) if rate else cls(times)

    @property
    def interval(self) -> float:
        """Seconds between frames, on average; 0 if unknown."""
        return float(self.each[-1]) / max(len(self.each) - 1, 1)


class _Span:
    """Frames of an open video between two times; stores the number of the first one, and of those without image."""

    def __init__(self, video: VideoReader, options: CaptureOptions, times: _Times) -> None:
        rate = times.rate
        self._even = rate is None
        self.first, self.video, self.fps = 0, video, rate or video.fps
        self._options = options
        self._damaged: list[int] = []
        self._read: int | None = None  # number of all frames, once they are read to the end
        self._timed: Iterable[TimedFrame] = (
            ((number / rate, rgb) for number, rgb in enumerate(video.at_rate(rate)))
            if rate
            else _with_damaged(video, times)
        )
        box = options.box
        if box and not (-box.width < box.left < video.width and -box.height < box.top < video.height):
            raise InputError(
                f"{video.path}: --bbox lies outside the picture, which has {video.width}x{video.height} pixels. "
                "Correct it."
            )

    def damage(self) -> tuple[str, ...]:
        """Sentences about a video that is cut, and about the frames that could not be decoded."""
        cut = [] if self._read is None else [f"{note}." for note in self.video.length_notes(self._read)]
        if self._damaged:
            frames = counted(len(self._damaged), "frame")
            cut.append(f"{frames} could not be decoded (first: frame {self._damaged[0]}); the motion has a gap there.")
        return tuple(cut)

    def frames(self) -> Iterator[TimedFrame]:
        """Seconds and images of the span; the image is None if it cannot be decoded."""
        half, end, number = 0.5 / self.fps, self._options.end, -1
        for number, (seconds, rgb) in enumerate(self._timed):
            if seconds < self._options.start - half:
                self.first = number + 1
                continue
            if end is not None and seconds > end + half:
                return
            if rgb is None:
                self._damaged.append(number)
            yield seconds, rgb
        self._read = number + 1 if self._even else None


def _with_damaged(video: Iterable[tuple[float, np.ndarray]], times: _Times) -> Iterator[TimedFrame]:
    """Every frame of a video with even times; the reader skips those that it cannot decode, which get no image."""
    number, late = 0, 0.75 * times.interval
    for seconds, rgb in video:
        while late and number < len(times.each) and seconds > times.each[number] + late:
            yield float(times.each[number]), None
            number += 1
        yield seconds, rgb
        number += 1


@contextlib.contextmanager
def _span_of(path: str | os.PathLike[str], options: CaptureOptions, times: _Times) -> Iterator[_Span]:
    with open_video(path) as video:
        yield _Span(video, options, times)


def _lens(options: CaptureOptions, video: VideoReader) -> Lens:
    if options.focal_length is not None:
        side = max(video.width, video.height)
        least, most = (round(times * side) for times in FOCAL_LENGTHS)
        if not least <= options.focal_length <= most:
            raise InputError(
                f"{video.path}: --focal {options.focal_length:g} is no focal length of a picture with "
                f"{video.width}x{video.height} pixels, expected {least} to {most} pixels."
            )
        return Lens(options.focal_length, video.width, video.height)
    return Lens.from_field_of_view(options.field_of_view, video.width, video.height)


def _bridged(found: LandmarkTrack) -> LandmarkTrack:
    """Frames without a detection get the landmarks of the last detection, with weight zero."""
    last = np.maximum.accumulate(np.where(found.detected, np.arange(len(found)), 0))
    return LandmarkTrack(found.image[last], found.world[last], found.visibility[last], found.detected)


def _estimate(lifted: LiftedFrames, chunk: slice) -> BodyEstimate:
    return BodyEstimate(
        *(getattr(lifted, name)[chunk].astype(np.float32) for name in ("joints", "spread", "view", "rotations"))
    )


def _points(found: LandmarkTrack, trust: np.ndarray, lens: Lens, markers: Markers) -> ImagePoints:
    """Markers in the image, weighted by (T, 33) trust in 0..1."""
    chosen = markers.landmark
    sure = np.clip(trust[:, chosen], LEAST_VISIBILITY, 1.0) ** 2 * found.detected[:, None]
    centre = np.array([lens.width / 2, lens.height / 2], np.float32)
    weight = sure.astype(np.float32) * markers.trust
    return ImagePoints(found.image[:, chosen].astype(np.float32), weight, lens.focal_length, centre)


def _warnings(found: LandmarkTrack, fitted: FittedTrack, match: ImageFit, part: _Part, first: int) -> tuple[str, ...]:
    warnings = []
    share = found.detected.mean()
    if share < LOW_DETECTION:
        warnings.append(f"a person was found in only {share:.0%} of the frames; the others are left out.")
    if part.count > 1:
        reasons = [
            f"{what} {', '.join(map(str, frames))}"
            for what, frames in (
                ("a new shot begins at frame", match.cuts),
                ("the tracker moved to another person at frame", match.changes),
            )
            if frames
        ]
        warnings.append(
            f"{'; '.join(reasons)}; only part {part.number + 1} of {part.count} is kept, frames "
            f"{fitted.rows[0] + first} to {fitted.rows[-1] + first}. {CHOOSE}"
        )
    if match.unseen:
        warnings.append(f"never seen: {', '.join(match.unseen)}; their pose is a guess.")
    if match.share < LOW_IMAGE_FIT:
        warnings.append(f"only {match.share:.0%} of the visible landmarks lie on the body; look at the overlay.")
    if match.most_people > 1:
        warnings.append(f"{match.most_people} people were seen at once; one was followed. {CHOOSE}")
    return tuple(warnings)
