"""A readable report on a file: its system, contents, and whether it will convert."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from motion_rep.captures.capture import Capture
from motion_rep.captures.image_fit import stored_image_fit
from motion_rep.captures.resampling import frame_ranges
from motion_rep.common.command_line import DONE, SOME_FAILED
from motion_rep.common.errors import InputError, counted, short_text
from motion_rep.common.messages import say, say_error
from motion_rep.conversion.capture_to_motion import convert
from motion_rep.conversion.inputs import captures_at
from motion_rep.conversion.settings import Settings
from motion_rep.hmr_formats.reading import OpenedCapture, recognised
from motion_rep.hmr_results.corrections import Corrections
from motion_rep.hmr_results.documents import Document, open_document

# Larger dicts are really lists (PHALP's frames, WHAM's tracks): one entry is shown for all.
MOST_KEYS = 24
DEEPEST = 3


@dataclass(frozen=True)
class CaptureReport:
    """Lines as (label, text), and whether the file converts."""

    lines: tuple[tuple[str, str], ...]
    converts: bool


def say_reports(paths: Sequence[Path], settings: Settings) -> int:
    """Print a report on each capture at these paths; returns 0 if all of them will convert, else 1."""
    code = DONE
    for path in map(Path, map(str, captures_at(paths, empty_too=True))):
        try:
            report = report_on(path, settings)
        except InputError as error:
            say_error(error)
            code = SOME_FAILED
            continue
        say(str(path))
        _say_lines(report.lines)
        if not report.converts:
            code = SOME_FAILED
    return code


def _say_lines(lines: tuple[tuple[str, str], ...]) -> None:
    """Two columns; a label that repeats is printed once."""
    last = None
    for what, found in lines:
        say(f"  {'' if what == last else what:<11} {found}")
        last = what


def report_on(path: Path, settings: Settings) -> CaptureReport:
    """Report on a file and its conversion (without a change of rate).

    Raises:
        InputError: the file cannot be read; the message starts with the path.
    """
    document = open_document(path, settings.image_size, settings.trust_pickle)
    contents = [("contents", line) for line in contents_lines(document)]
    corrections = Corrections(settings.up, settings.units, settings.degrees)
    try:
        opened = recognised(document, settings.format, corrections)
    except InputError as error:
        return CaptureReport(
            (("system", "unknown"), *contents, ("converts", f"no: {_without_path(error, document)}")), False
        )
    head = [("system", opened.format), *contents, *(("who", str(person)) for person in opened.people)]
    try:
        capture = opened.capture(settings.person, settings.space, settings.focal_length)
    except InputError as error:
        return CaptureReport((*head, ("converts", f"no: {_without_path(error, document)}")), False)
    return _with_capture(head, opened, capture, settings)


def _with_capture(
    head: list[tuple[str, str]], opened: OpenedCapture, capture: Capture, settings: Settings
) -> CaptureReport:
    facts = [*head, *_capture_lines(capture, settings.fps), *_image_fit_line(opened.document.value)]
    try:
        result = convert(capture, settings.fps, up_from=settings.up_from)
    except InputError as error:
        notes = [("note", note) for note in capture.notes]
        return CaptureReport((*facts, *notes, ("converts", f"no: {_without_path(error, opened.document)}")), False)
    notes = [("note", note) for note in result.notes]
    return CaptureReport((*facts, *notes, ("converts", f"yes: {counted(len(result.clip.motion), 'row')}")), True)


def _capture_lines(capture: Capture, fps: float | None) -> Iterator[tuple[str, str]]:
    yield "frames", f"{len(capture)}{_span(capture)}"
    yield "frame rate", _rate(capture, fps)
    yield (
        "space",
        "camera (x right, y down, z forward)"
        if capture.has_camera
        else "gravity-aligned world, cannot be overlaid on a video",
    )
    yield "camera", _camera(capture)
    if capture.up is not None:
        yield "up", f"({', '.join(f'{x:.2f}' for x in capture.up.tolist())}), within {capture.up_spread:.0f} degrees"
    yield "gaps", _gaps(capture)


def _image_fit_line(contents: object) -> Iterator[tuple[str, str]]:
    fit = stored_image_fit(contents)
    if fit is not None:
        yield "image fit", str(fit)


def _span(capture: Capture) -> str:
    if capture.frame_index is None:
        return ", not numbered"
    return f", from {int(capture.frame_index[0])} to {int(capture.frame_index[-1])} of the source"


def _rate(capture: Capture, fps: float | None) -> str:
    rate = fps or capture.fps
    if rate is None:
        return "not stored; set it with --fps"
    last = len(capture) - 1 if capture.frame_index is None else int(capture.frame_index[-1] - capture.frame_index[0])
    return f"{rate:g} per second{' (given)' if fps else ''}, {last / rate:.2f} s from the first to the last"


def _camera(capture: Capture) -> str:
    focal = capture.focal_length
    if focal is None:
        return "unknown"
    low, high = float(focal.min()), float(focal.max())
    text = f"{low:.1f}" if high - low < 0.05 else f"{low:.1f} to {high:.1f}"
    return f"focal length {text} pixels, {capture.width}x{capture.height}"


def _gaps(capture: Capture) -> str:
    index = capture.frame_index
    if index is None:
        return "unknown: the frames are not numbered"
    gaps = [(int(a) + 1, int(b) - 1) for a, b in zip(index[:-1], index[1:], strict=True) if b - a > 1]
    return f"frames {frame_ranges(gaps)} are missing" if gaps else "none"


def contents_lines(document: Document) -> list[str]:
    """Keys with shapes and types, nested ones indented; for a folder the number of files of each kind."""
    if document.path.is_dir():
        return [
            f"{folder}/*{suffix}: {counted(count, 'file')}"
            for (folder, suffix), count in sorted(_file_kinds(document.path).items())
        ] or ["empty folder"]
    return list(_value_lines(document.value, 0))


def _file_kinds(folder: Path) -> dict[tuple[str, str], int]:
    kinds: dict[tuple[str, str], int] = {}
    for path in (*folder.glob("*"), *folder.glob("*/*")):
        if path.is_file():
            kind = (str(path.parent.relative_to(folder)), path.suffix)
            kinds[kind] = kinds.get(kind, 0) + 1
    return kinds


def _value_lines(value: object, depth: int) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield _kind(value)
        return
    shown = len(value) if len(value) <= MOST_KEYS else 1
    for key in islice(value, shown):
        entry = _entry(value, key)
        name = f"{'  ' * depth}{short_text(key, 60)}"
        yield f"{name}: {_kind(entry)}"
        if isinstance(entry, Mapping) and depth < DEEPEST:
            yield from _value_lines(entry, depth + 1)
    if shown < len(value):
        yield f"{'  ' * depth}and {len(value) - shown} more"


def _entry(value: Mapping, key: object) -> object:
    """An entry, or a text if it cannot be read (an array of objects in a ``.npz``, for example)."""
    try:
        return value[key]
    except InputError:
        return "cannot be read as data"


def _kind(value: object) -> str:
    if isinstance(value, torch.Tensor):
        return f"{tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
    if isinstance(value, np.ndarray) and value.ndim:
        return f"{value.shape} {value.dtype}"
    if isinstance(value, Mapping | list | tuple | set):
        return f"{type(value).__name__} of {len(value)}"
    return short_text(value, 60)


def _without_path(error: InputError, document: Document) -> str:
    return str(error).removeprefix(f"{document.path}: ")
