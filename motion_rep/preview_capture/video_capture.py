"""The whole way: a video of one person to SMPL-X parameters per frame, on a CPU."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from motion_rep.captures.capture import Capture
from motion_rep.common.errors import InputError
from motion_rep.kinematics.rotations import matrix_to_rotvec, nearest_rotation
from motion_rep.preview_capture import landmarks as lm
from motion_rep.preview_capture.body_fit import BodyEstimate, FittedBody, ImagePoints, fit_body
from motion_rep.preview_capture.chunks import fit_in_chunks, stretches
from motion_rep.preview_capture.landmarks import LandmarkTrack
from motion_rep.preview_capture.lifting import Lens, LiftedFrames, LiftingNetwork
from motion_rep.preview_capture.markers import Markers, blazepose_markers
from motion_rep.preview_capture.tracking import PersonBox, PersonTracker, track
from motion_rep.preview_capture.weights import DEFAULT_FOLDER
from motion_rep.video.reading import VideoReader, open_video

BACKEND = "blazepose-preview"
DEFAULT_FIELD_OF_VIEW = 55.0
FEWEST_FRAMES = 5
LOW_DETECTION, LOW_LEG_VISIBILITY = 0.8, 0.3
LONGEST_BRIDGE_SECONDS = 0.5
LEAST_VISIBILITY = 0.02

Progress = Callable[[Iterable, str, int | None], Iterable]


@dataclass(frozen=True)
class PreviewCapture:
    """A capture, and what it was made from.

    detected: (F,) bool for every frame that was read, first_frame being the first. visibility: (T, 33) of the capture's frames.
    """

    capture: Capture
    first_frame: int
    detected: np.ndarray
    visibility: np.ndarray
    warnings: tuple[str, ...]

    def to_dict(self) -> dict:
        """The documented capture file's contents."""
        c = self.capture
        return {
            "global_orient": matrix_to_rotvec(c.root_rotations).float(),
            "body_pose": matrix_to_rotvec(c.body_rotations).flatten(1).float(),
            "transl": c.transl.float(),
            "focal_length": c.focal_length.float()[:, None],
            "width": torch.full((len(c), 1), float(c.width)),
            "height": torch.full((len(c), 1), float(c.height)),
            "fps": c.fps,
            "frame_index": c.frame_index,
            "detected": torch.from_numpy(self.detected),
            "visibility": torch.from_numpy(self.visibility).float(),
            "backend": BACKEND,
        }


@dataclass(frozen=True)
class CaptureOptions:
    """Vertical field of view in degrees, or the focal length in pixels; the person's box; seconds to start and end at; where the networks are."""

    field_of_view: float = DEFAULT_FIELD_OF_VIEW
    focal_length: float | None = None
    box: PersonBox | None = None
    start: float = 0.0
    end: float | None = None
    weights: Path = DEFAULT_FOLDER


def capture_video(
    path: str | os.PathLike, options: CaptureOptions = CaptureOptions(), progress: Progress = lambda items, *_: items
) -> PreviewCapture:
    """Capture the person in a video.

    Args:
        progress: wraps an iterable in a bar: (items, what is done, how many).
    Raises:
        InputError: not a video, nothing in the asked span, or a person in fewer than 5 frames.
        UsageError: the networks or their runtime are missing.
    """
    tracker = PersonTracker(options.weights, options.box)
    with open_video(path) as video:
        span = _Span(options.start, options.end)
        frames = progress(span.frames(video), "reading", video.frame_count)
        found = track(frames, tracker)
        lens = _lens(options, video)
        fps = video.fps
    if not len(found):
        raise InputError(
            f"{path}: has no frames between {options.start:g} s and {'its end' if options.end is None else f'{options.end:g} s'}. Choose another span."
        )
    if found.detected.sum() < FEWEST_FRAMES:
        raise InputError(
            f"{path}: a person was found in {int(found.detected.sum())} of {len(found)} frames, expected at least {FEWEST_FRAMES}. "
            "Use a video in which one person is seen from head to foot, or point to the person with --bbox."
        )
    body, rows = fit_track(found, lens, fps, progress)
    capture = Capture(
        root_rotations=nearest_rotation(body.root.double()),
        body_rotations=nearest_rotation(body.body.double()),
        transl=body.transl.double(),
        focal_length=torch.full((len(rows),), lens.focal_length, dtype=torch.float64),
        width=lens.width,
        height=lens.height,
        fps=fps,
        frame_index=torch.from_numpy(rows) + span.first,
        source=BACKEND,
    )
    return PreviewCapture(
        capture, span.first, found.detected, found.visibility[rows], _warnings(found, tracker.most_people)
    )


def fit_track(
    found: LandmarkTrack, lens: Lens, fps: float, progress: Progress = lambda items, *_: items
) -> tuple[FittedBody, np.ndarray]:
    """The body in every frame with a detection, and the numbers of these frames (T,) int64."""
    network, markers = LiftingNetwork.load(), blazepose_markers()
    parts, rows = [], []
    for stretch in stretches(found.detected, round(LONGEST_BRIDGE_SECONDS * fps)):
        piece = _bridged(found[stretch])
        lifted = network.lift(piece, lens)

        def fit(chunk: slice, piece=piece, lifted=lifted) -> FittedBody:
            return fit_body(_estimate(lifted, chunk), _points(piece[chunk], lens, markers), markers, fps)

        body = fit_in_chunks(len(piece), fit, lambda chunks: progress(chunks, "fitting", len(chunks)))
        kept = np.flatnonzero(piece.detected)
        parts.append(FittedBody(body.root[kept], body.body[kept], body.transl[kept]))
        rows.append(kept + stretch.start)
    joined = FittedBody(*(torch.cat([getattr(p, name) for p in parts]) for name in ("root", "body", "transl")))
    return joined, np.concatenate(rows)


class _Span:
    """Frames between two times; remembers the number of the first."""

    def __init__(self, start: float, end: float | None) -> None:
        self.first = 0
        self._start, self._end = start, end

    def frames(self, video: VideoReader) -> Iterator[np.ndarray]:
        half = 0.5 / video.fps
        for number, (seconds, rgb) in enumerate(video):
            if seconds < self._start - half:
                self.first = number + 1
                continue
            if self._end is not None and seconds > self._end + half:
                return
            yield rgb


def _lens(options: CaptureOptions, video: VideoReader) -> Lens:
    if options.focal_length is not None:
        return Lens(options.focal_length, video.width, video.height)
    return Lens.from_field_of_view(options.field_of_view, video.width, video.height)


def _bridged(found: LandmarkTrack) -> LandmarkTrack:
    """Frames without a detection take the landmarks of the last one with, so that they are harmless; they get no weight."""
    last = np.maximum.accumulate(np.where(found.detected, np.arange(len(found)), 0))
    return LandmarkTrack(found.image[last], found.world[last], found.visibility[last], found.detected)


def _estimate(lifted: LiftedFrames, chunk: slice) -> BodyEstimate:
    return BodyEstimate(
        *(torch.from_numpy(getattr(lifted, name)[chunk]).float() for name in ("joints", "spread", "view", "rotations"))
    )


def _points(found: LandmarkTrack, lens: Lens, markers: Markers) -> ImagePoints:
    chosen = markers.landmark.numpy()
    sure = np.clip(found.visibility[:, chosen], LEAST_VISIBILITY, 1.0) ** 2 * found.detected[:, None]
    pixels = torch.from_numpy(found.image[:, chosen]).float()
    return ImagePoints(
        pixels,
        torch.from_numpy(sure).float() * markers.trust,
        lens.focal_length,
        torch.tensor([lens.width / 2, lens.height / 2]),
    )


def _warnings(found: LandmarkTrack, people: int) -> tuple[str, ...]:
    warnings = []
    share = found.detected.mean()
    if share < LOW_DETECTION:
        warnings.append(f"a person was found in only {share:.0%} of the frames; the others are left out.")
    legs = found.visibility[found.detected][:, list(lm.LEGS)].mean()
    if legs < LOW_LEG_VISIBILITY:
        warnings.append(f"the legs are hardly seen (visibility {legs:.2f}); their pose is a guess.")
    if people > 1:
        warnings.append(
            f"{people} people were seen; one was followed. Point to the right one with --bbox x,y,w,h in the first frame."
        )
    return tuple(warnings)
