"""A video of one person to SMPL-X parameters per frame, on a CPU."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from motion_rep.captures.capture import Capture
from motion_rep.captures.image_fit import ImageFit
from motion_rep.common.errors import InputError
from motion_rep.common.sizes import DEFAULT_FIELD_OF_VIEW
from motion_rep.kinematics.frames import level_from_camera
from motion_rep.kinematics.rotations import matrix_to_rotvec, nearest_rotation
from motion_rep.preview_capture.body_fit import BodyEstimate, FittedBody, ImagePoints, fit_body
from motion_rep.preview_capture.chunks import fit_in_chunks, stretches
from motion_rep.preview_capture.identity import longest_run, person_changes
from motion_rep.preview_capture.image_match import match_image
from motion_rep.preview_capture.landmarks import LandmarkTrack
from motion_rep.preview_capture.lifting import Lens, LiftedFrames, LiftingNetwork
from motion_rep.preview_capture.markers import Markers, blazepose_markers
from motion_rep.preview_capture.sides import repaired, spike_weights
from motion_rep.preview_capture.tracking import PersonBox, PersonTracker, track
from motion_rep.preview_capture.up_direction import LEVEL, UpDirection, find_up
from motion_rep.preview_capture.weights import DEFAULT_FOLDER
from motion_rep.video.reading import VideoReader, frame_times, open_video
from motion_rep.video.timing import frames_at_rate, is_even, measured_rate, uneven_note

BACKEND = "blazepose-preview"
FEWEST_FRAMES = 5
LOW_DETECTION = 0.8
LONGEST_BRIDGE_SECONDS = 0.5
LEAST_VISIBILITY = 0.02
# Degrees, if the person does not stand upright long enough.
UNKNOWN_TILT = 20.0
LOW_IMAGE_FIT = 0.9

Progress = Callable[[Iterable[Any], str, int | None], Iterable[Any]]


@dataclass(frozen=True)
class PreviewCapture:
    """A capture, and what it was made from.

    detected: (F,) bool for every frame that was read, starting with frame first_frame of the video.
    visibility: (T, 33) of the capture's frames. up: of the camera that the fit assumed.
    """

    capture: Capture
    first_frame: int
    detected: np.ndarray
    visibility: np.ndarray
    image_fit: ImageFit
    up: UpDirection
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """The documented capture file's contents."""
        c = self.capture
        focal_length = c.focal_length if c.focal_length is not None else torch.zeros(0)
        return {
            "global_orient": matrix_to_rotvec(c.root_rotations).float(),
            "body_pose": matrix_to_rotvec(c.body_rotations).flatten(1).float(),
            "transl": c.transl.float(),
            "focal_length": focal_length.float()[:, None],
            "width": torch.full((len(c), 1), float(c.width or 0)),
            "height": torch.full((len(c), 1), float(c.height or 0)),
            "fps": c.fps,
            "frame_index": c.frame_index,
            "detected": torch.from_numpy(self.detected),
            "visibility": torch.from_numpy(self.visibility).float(),
            "backend": BACKEND,
            "up": torch.from_numpy(self.up.direction).float(),
            "up_spread": self.up.spread,
            **{k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in self.image_fit.to_dict().items()},
        }


@dataclass(frozen=True)
class CaptureOptions:
    """Settings for the capture of a video.

    field_of_view: vertical, degrees. focal_length: pixels, instead of the field of view. box: the person in the first
        frame.
    person: number of the person from the left, instead of the box. start, end: seconds. weights: folder of the
        networks.
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

    rows: (T,) int64 numbers of these frames in the track. landmarks: T frames, left and right as the fit took them.
    up: of the camera. changes: frames in which the tracker moved to another person.
    """

    body: FittedBody
    rows: np.ndarray
    landmarks: LandmarkTrack
    up: UpDirection
    changes: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))


def capture_video(
    path: str | os.PathLike[str],
    options: CaptureOptions = CaptureOptions(),
    progress: Progress = lambda items, *_: items,
    notice: Callable[[str], None] = lambda _: None,
) -> PreviewCapture:
    """Capture the person in a video.

    Args:
        progress: wraps an iterable in a bar: (items, what is done, how many).
        notice: receives a sentence while the video is still being read.
    Raises:
        InputError: not a video, nothing in the asked span, or a person in fewer than 5 frames.
        UsageError: the networks or their runtime are missing, or the first frame has no person of the given number.
    """
    tracker = PersonTracker(options.weights, options.box, options.person)
    times = frame_times(path)
    rate = None if is_even(times) else measured_rate(times)
    with open_video(path) as video:
        fps = rate or video.fps
        if rate:
            notice(uneven_note(times, rate))
        span = _Span(options.start, options.end, fps)
        frames = _even_frames(video, rate) if rate else iter(video)
        found = track(progress(span.frames(frames), "reading", video.frame_count), tracker, notice)
        lens = _lens(options, video)
    _require_person(path, found, options)
    fitted = fit_track(found, lens, fps, progress)
    first, rows = span.first, fitted.rows
    capture = Capture(
        root_rotations=nearest_rotation(fitted.body.root.double()),
        body_rotations=nearest_rotation(fitted.body.body.double()),
        transl=fitted.body.transl.double(),
        focal_length=torch.full((len(rows),), lens.focal_length, dtype=torch.float64),
        width=lens.width,
        height=lens.height,
        fps=fps,
        frame_index=torch.from_numpy(rows) + first,
        source=BACKEND,
    )
    changes = tuple(int(frame) + first for frame in fitted.changes)
    match = match_image(fitted.body, fitted.landmarks, lens, tracker.most_people, changes)
    warnings = _warnings(found, fitted, match, first)
    return PreviewCapture(capture, first, found.detected, found.visibility[rows], match, fitted.up, warnings)


def _require_person(path: str | os.PathLike[str], found: LandmarkTrack, options: CaptureOptions) -> None:
    """Raise an InputError if the track is empty or no person was found."""
    if not len(found):
        end = "its end" if options.end is None else f"{options.end:g} s"
        raise InputError(f"{path}: has no frames between {options.start:g} s and {end}. Choose another span.")
    seen = int(found.detected.sum())
    if seen < FEWEST_FRAMES:
        raise InputError(
            f"{path}: a person was found in {seen} of {len(found)} frames, expected at least {FEWEST_FRAMES}. "
            "Use a video in which one person is seen from head to foot, or point to the person with --bbox."
        )


def fit_track(
    found: LandmarkTrack, lens: Lens, fps: float, progress: Progress = lambda items, *_: items
) -> FittedTrack:
    """The body in every frame with a detection of the person who is followed longest."""
    network, markers = LiftingNetwork.load(), blazepose_markers()
    changes = person_changes(found, fps)
    run = longest_run(found, changes)
    pieces = [
        slice(run.start + part.start, run.start + part.stop)
        for part in stretches(found.detected[run], round(LONGEST_BRIDGE_SECONDS * fps))
    ]
    tracks = [repaired(_bridged(found[piece]), fps) for piece in pieces]
    up = _up_of(tracks, network, lens)
    level = None if up is None or not up.tilted else level_from_camera(torch.from_numpy(up.direction)).numpy()
    parts, rows = [], []
    for piece, seen in zip(pieces, tracks, strict=True):
        lifted = network.lift(seen, lens, level)
        trust = seen.visibility * spike_weights(seen, fps)

        def fit(
            chunk: slice, seen: LandmarkTrack = seen, lifted: LiftedFrames = lifted, trust: np.ndarray = trust
        ) -> FittedBody:
            return fit_body(_estimate(lifted, chunk), _points(seen[chunk], trust[chunk], lens, markers), markers, fps)

        body = fit_in_chunks(len(seen), fit, lambda chunks: progress(chunks, "fitting", None))
        kept = np.flatnonzero(seen.detected)
        parts.append((FittedBody(body.root[kept], body.body[kept], body.transl[kept]), seen[kept]))
        rows.append(kept + piece.start)
    joined = FittedBody(*(torch.cat([getattr(p, name) for p, _ in parts]) for name in ("root", "body", "transl")))
    return FittedTrack(joined, np.concatenate(rows), _joined([seen for _, seen in parts]), _assumed(up), changes)


def _joined(tracks: list[LandmarkTrack]) -> LandmarkTrack:
    names = ("image", "world", "visibility", "detected")
    return LandmarkTrack(*(np.concatenate([getattr(part, name) for part in tracks]) for name in names))


def _up_of(tracks: list[LandmarkTrack], network: LiftingNetwork, lens: Lens) -> UpDirection | None:
    whole = _joined(tracks)
    return find_up(whole, network.lift(whole, lens).joints)


def _assumed(up: UpDirection | None) -> UpDirection:
    """The direction that the fit used.

    A level camera's where the tilt is not certain, with the tilt that may be missed.
    """
    if up is not None and up.tilted:
        return up
    missed = UNKNOWN_TILT if up is None else max(up.spread, float(np.degrees(np.arccos(-up.direction[1]))))
    return UpDirection(LEVEL, missed)


class _Span:
    """Frames between two times; remembers the number of the first."""

    def __init__(self, start: float, end: float | None, fps: float) -> None:
        self.first = 0
        self._start, self._end, self._fps = start, end, fps

    def frames(self, timed: Iterable[tuple[float, np.ndarray]]) -> Iterator[np.ndarray]:
        """The images of the span, from (seconds, image) in order of time."""
        half = 0.5 / self._fps
        for number, (seconds, rgb) in enumerate(timed):
            if seconds < self._start - half:
                self.first = number + 1
                continue
            if self._end is not None and seconds > self._end + half:
                return
            yield rgb


def _even_frames(video: VideoReader, fps: float) -> Iterator[tuple[float, np.ndarray]]:
    """Seconds and images of a video of uneven rate, at an even one."""
    return ((number / fps, rgb) for number, rgb in enumerate(frames_at_rate(video, fps)))


def _lens(options: CaptureOptions, video: VideoReader) -> Lens:
    if options.focal_length is not None:
        return Lens(options.focal_length, video.width, video.height)
    return Lens.from_field_of_view(options.field_of_view, video.width, video.height)


def _bridged(found: LandmarkTrack) -> LandmarkTrack:
    """Frames without a detection take the landmarks of the last detection; they get no weight."""
    last = np.maximum.accumulate(np.where(found.detected, np.arange(len(found)), 0))
    return LandmarkTrack(found.image[last], found.world[last], found.visibility[last], found.detected)


def _estimate(lifted: LiftedFrames, chunk: slice) -> BodyEstimate:
    return BodyEstimate(
        *(torch.from_numpy(getattr(lifted, name)[chunk]).float() for name in ("joints", "spread", "view", "rotations"))
    )


def _points(found: LandmarkTrack, trust: np.ndarray, lens: Lens, markers: Markers) -> ImagePoints:
    """Markers in the image, weighted by (T, 33) trust in 0..1."""
    chosen = markers.landmark.numpy()
    sure = np.clip(trust[:, chosen], LEAST_VISIBILITY, 1.0) ** 2 * found.detected[:, None]
    pixels = torch.from_numpy(found.image[:, chosen]).float()
    return ImagePoints(
        pixels,
        torch.from_numpy(sure).float() * markers.trust,
        lens.focal_length,
        torch.tensor([lens.width / 2, lens.height / 2]),
    )


def _warnings(found: LandmarkTrack, fitted: FittedTrack, match: ImageFit, first: int) -> tuple[str, ...]:
    warnings = []
    share = found.detected.mean()
    if share < LOW_DETECTION:
        warnings.append(f"a person was found in only {share:.0%} of the frames; the others are left out.")
    if match.changes:
        kept = f"frames {fitted.rows[0] + first} to {fitted.rows[-1] + first}"
        warnings.append(
            f"the tracker moved to another person at frame {', '.join(map(str, match.changes))}; only {kept} are kept. "
            "Choose another part with --start and --end, or another person with --bbox."
        )
    if match.unseen:
        warnings.append(f"never seen: {', '.join(match.unseen)}; their pose is a guess.")
    if match.share < LOW_IMAGE_FIT:
        warnings.append(f"only {match.share:.0%} of the visible landmarks lie on the body; look at the overlay.")
    if match.most_people > 1:
        warnings.append(
            f"{match.most_people} people were seen; one was followed. "
            "Point to the right one with --person N (from the left, "
            "0 first) or --bbox x,y,w,h, both in the first frame."
        )
    return tuple(warnings)
