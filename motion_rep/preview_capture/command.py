"""The work of ``capture_preview.py``: capture a video, print warnings, write the file."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from motion_rep.common.command_line import DONE
from motion_rep.common.compute_threads import use_one_thread
from motion_rep.common.errors import InputError
from motion_rep.common.messages import progress, say, say_warning
from motion_rep.common.sizes import DEFAULT_FIELD_OF_VIEW
from motion_rep.files.json_files import json_text
from motion_rep.files.local_files import unchanged
from motion_rep.files.temporaries import remove_stale_temporaries
from motion_rep.preview_capture.tracking import PersonBox
from motion_rep.preview_capture.video_capture import CaptureOptions, Progress, capture_video, people_in
from motion_rep.preview_capture.weights import DEFAULT_FOLDER
from motion_rep.safe_loading.torch_writing import write_torch_arrays


def capture_to_file(args: argparse.Namespace) -> int:
    """Run the command with parsed flags; returns the exit code."""
    captured = capture_file(args.video, args.output, _options(args), _bar, say_warning)
    for warning in captured.warnings:
        say_warning(f"{args.video}: {warning}")
    say(captured.summary)
    return DONE


@dataclass(frozen=True)
class CapturedFile:
    """One line about the written file, and notes as sentences."""

    summary: str
    warnings: tuple[str, ...]


def capture_file(
    video: Path,
    output: Path,
    options: CaptureOptions,
    progress: Progress = lambda items, *_: items,
    notice: Callable[[str], None] = lambda _: None,
) -> CapturedFile:
    """Capture the person in a video into a file.

    Args:
        progress, notice: see :func:`motion_rep.preview_capture.video_capture.capture_video`.
    Raises:
        InputError, UsageError: as there, or the file cannot be written.
    """
    # The arrays are small: more threads are slower, and their number would change the last digits.
    use_one_thread()
    with unchanged(video):
        result = capture_video(video, options, progress, lambda sentence: notice(f"{video}: {sentence}"))
    remove_stale_temporaries(output.parent, recursive=False)
    value = result.to_dict()
    _require_finite(video, value)
    write_torch_arrays(output, value)
    summary = (
        f"{output}: {len(result.frame_index)} of {len(result.detected)} frames at {result.fps:g} fps, "
        f"{result.lens.width}x{result.lens.height}, preview quality; {result.image_fit}"
    )
    return CapturedFile(summary, result.warnings)


def _require_finite(video: Path, value: dict[str, object]) -> None:
    """What is written must be readable."""
    wrong = [name for name, array in value.items() if isinstance(array, np.ndarray) and not np.isfinite(array).all()]
    if wrong:
        raise InputError(
            f"{video}: the fit did not succeed ({', '.join(wrong)} is not a finite number). Use a video that shows the "
            "person from head to foot."
        )


def say_people(args: argparse.Namespace) -> int:
    """Print the people in the video, as lines or as JSON; returns the exit code."""
    people = people_in(args.video, _options(args), _bar)
    if args.json:
        say(json_text([person.to_dict() for person in people]))
        return DONE
    for person in people:
        say(person)
    if not people:
        say(f"{args.video}: no person was found")
    return DONE


def _options(args: argparse.Namespace) -> CaptureOptions:
    box = PersonBox(*args.bbox) if args.bbox else None
    weights = args.weights or DEFAULT_FOLDER
    return CaptureOptions(
        args.fov or DEFAULT_FIELD_OF_VIEW, args.focal, box, args.person, args.start, args.end, weights
    )


def _bar(items: Iterable[Any], what: str, count: int | None) -> Iterable[Any]:
    return progress(items, what, count, "chunk" if what == "fitting" else "frame")
