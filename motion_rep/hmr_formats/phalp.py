"""4D-Humans' and TokenHMR's ``track.py`` (PHALP): ``outputs/results/demo_<video>.pkl``, a dict of frames, each with
parallel lists over the tracks.

A track that is not detected in a frame stays in the lists as a "ghost" with its last values (``tracked_time`` above 0).
https://github.com/brjathu/PHALP, phalp/trackers/PHALP.py
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch

from motion_rep.captures.capture import Capture
from motion_rep.captures.capture_file import require_rotations
from motion_rep.common.errors import InputError, counted, keys_text, short_text
from motion_rep.hmr_results.bodies import SMPL_NOTE, body_from_smpl
from motion_rep.hmr_results.documents import Document
from motion_rep.hmr_results.fields import constant_focal, entries, numbers, section, whole_number
from motion_rep.hmr_results.format import Format, every_entry_has
from motion_rep.hmr_results.tracks import Track, person_of

LISTS = ("tid", "tracked_time", "smpl", "camera", "size")
# The network's focal length for a crop of 256 pixels; the whole image's is larger in proportion
# (phalp/visualize/py_renderer.py).
CROP_FOCAL, CROP_SIZE = 5000.0, 256.0
MOST_PIXELS = 1 << 16


class Sighting(NamedTuple):
    """One person in one frame; ``entry`` contains the values of the lists for the track, by name."""

    time: int
    entry: dict


NEEDS = "PHALP tracks only people who are detected in 5 frames in a row and are larger than 50 x 100 pixels."


def tracks(document: Document, source: str) -> tuple[Track, ...]:
    """Every track with the frames in which it was detected."""
    seen: dict[int, list[Sighting]] = {}
    ghosts: dict[int, int] = {}
    for name in document.entries:
        for time, entry in _entries_of(section(document.value, name), f"{short_text(name, 80)}: "):
            person = whole_number(entry, "tid")
            if whole_number(entry, "tracked_time") == 0:
                seen.setdefault(person, []).append(Sighting(time, entry))
            else:
                ghosts[person] = ghosts.get(person, 0) + 1
    return tuple(_track(source, person, sightings, ghosts.get(person, 0)) for person, sightings in seen.items())


def _entries_of(frame: Mapping, holder: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """(time, entry) for each track in a frame's lists."""
    missing = [key for key in ("time", *LISTS) if key not in frame]
    if missing:
        raise InputError(f"{holder}has no {' and no '.join(missing)}; found {keys_text(frame)}.")
    lists = {key: entries(frame, key, holder) for key in LISTS}
    lengths = {len(values) for values in lists.values()}
    if len(lengths) > 1:
        raise InputError(
            f"{holder}its lists {', '.join(LISTS)} have {', '.join(str(len(values)) for values in lists.values())} "
            "entries, expected as many each."
        )
    for values in zip(*lists.values(), strict=True):
        yield whole_number(frame, "time", holder), dict(zip(LISTS, values, strict=True))


def _track(source: str, person: int, sightings: list[Sighting], ghosts: int) -> Track:
    return Track(
        person_of(person, [sighting.time for sighting in sightings]),
        lambda _space: _capture(source, person, sightings, ghosts),
    )


def _capture(source: str, person: int, sightings: list[Sighting], ghosts: int) -> Capture:
    holder = f"person {person}: "
    rotations = require_rotations(
        f"{holder}smpl", torch.stack([_rotations(sighting.entry, holder) for sighting in sightings])
    )
    transl = torch.stack([numbers(sighting.entry, "camera", (3,), holder) for sighting in sightings])
    width, height = _image_size(sightings, holder)
    focal = CROP_FOCAL / CROP_SIZE * max(width, height)
    notes = [SMPL_NOTE, _lens_note(focal, width, height)]
    if ghosts:
        notes.append(f"{counted(ghosts, 'entry without a detection was', 'entries without a detection were')} dropped")
    return Capture(
        *body_from_smpl(rotations, transl),
        focal_length=constant_focal(focal, len(sightings)),
        width=width,
        height=height,
        frame_index=torch.tensor([sighting.time for sighting in sightings]),
        source=source,
        notes=tuple(notes),
    )


def _lens_note(focal: float, width: int, height: int) -> str:
    return (
        f"this tracker assumes a lens of {focal:.0f} pixels, so the person is far away and the depth jitters with the "
        f"distance. --focal-length {math.hypot(width, height):.0f} (the frame's diagonal, an ordinary lens) reduces "
        "both"
    )


def _rotations(entry: Mapping, holder: str) -> torch.Tensor:
    """(24, 3, 3), root first."""
    smpl = section(entry, "smpl", holder)
    return torch.cat(
        (numbers(smpl, "global_orient", (1, 3, 3), holder), numbers(smpl, "body_pose", (23, 3, 3), holder))
    )


def _image_size(sightings: list[Sighting], holder: str) -> tuple[int, int]:
    """(width, height); the file has [height, width]."""
    sizes = {tuple(numbers(sighting.entry, "size", (2,), holder).tolist()) for sighting in sightings}
    if len(sizes) > 1:
        raise InputError(f"{holder}the image size changes over time: {sorted(sizes)[:4]}, expected one size.")
    height, width = sizes.pop()
    if not (0 < width < MOST_PIXELS and 0 < height < MOST_PIXELS):
        raise InputError(f"{holder}the image size is {height:g} by {width:g}, expected height and width in pixels.")
    return int(width), int(height)


def phalp_format(source: str) -> Format:
    """The record of a program that is built on PHALP."""
    return Format(
        lambda document: every_entry_has(document.value, "smpl", "camera", "tid"),
        lambda document: tracks(document, source),
        needs=NEEDS,
    )


FORMAT = phalp_format("4dhumans")
