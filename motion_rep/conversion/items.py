"""Convert one capture into one motion file, and many captures in worker processes."""

from __future__ import annotations

import functools
import json
from dataclasses import asdict
from pathlib import Path

import torch

from motion_rep.common.errors import InputError
from motion_rep.common.outcomes import CONVERTED, KEPT, UNCHANGED, Outcome
from motion_rep.conversion.capture_to_motion import convert
from motion_rep.conversion.settings import Settings
from motion_rep.files.remote_files import local_copy, local_output
from motion_rep.hmr_formats.reading import read_capture
from motion_rep.hmr_results.corrections import Corrections
from motion_rep.motions.earlier_file import earlier_outcome
from motion_rep.motions.motion_file import MotionClip, write_motion
from motion_rep.motions.stamp import content_digest
from motion_rep.refining.refinement import refine
from motion_rep.refining.settings import Settings as RefineSettings
from motion_rep.runs.pairing import Pairing

# Increase it whenever the numbers change, so that older files are regenerated.
CONVERSION_VERSION = 1
# Settings added later: they count only if they differ from the default, so that older files stay valid.
LATER_SETTINGS = ("up", "units", "degrees", "up_from", "refine")


def convert_file(source: Path, target: Path, settings: Settings, durable: bool = True) -> tuple[str, ...]:
    """Convert one capture into one motion file, atomically.

    Args:
        durable: see :func:`motion_rep.files.atomic_writing.atomic_path`.
    Returns:
        Notes for the user, one sentence each.
    Raises:
        InputError: the message names the file.
    """
    clip, notes = _converted(source, settings)
    write_motion(target, clip, settings.extrinsic_format, durable)
    return notes


@torch.inference_mode()
def _converted(source: Path, settings: Settings) -> tuple[MotionClip, tuple[str, ...]]:
    """The motion of a capture, and the notes."""
    capture = read_capture(
        source,
        settings.format,
        settings.person,
        settings.space,
        settings.trust_pickle,
        settings.image_size,
        settings.focal_length,
        Corrections(settings.up, settings.units, settings.degrees),
    )
    try:
        result = convert(capture, settings.fps, settings.target_fps, settings.up_from)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    clip, notes = result.clip, result.notes
    if settings.refine:
        refinement = refine(clip, RefineSettings())
        clip, notes = refinement.clips[0], (*notes, *refinement.notes)
    return clip, notes


def convert_pair(settings: Settings, overwrite: bool, pair: Pairing) -> Outcome:
    """Convert one capture; in a folder run, unless its output is up to date.

    There, an existing file is kept if it was made from the same input with the same settings, if its origin is unknown,
    or if it was edited since. A file of an earlier run with another input or other settings is regenerated.

    Raises:
        InputError: the message names the file.
    """
    overwrite = overwrite or pair.named
    with local_copy(pair.source) as source, local_output(pair.target, fetch=not overwrite) as target:
        with content_digest(source, _settings_text(settings)) as made_from:
            found = None if overwrite else earlier_outcome(target, made_from)
            if found in (UNCHANGED, KEPT):
                return Outcome(found)
            clip, notes = _converted(source, settings)
        stamp = None if pair.named else made_from
        write_motion(target, clip, settings.extrinsic_format, durable=pair.named, made_from=stamp)
        return Outcome(found or CONVERTED, notes)


@functools.cache
def _settings_text(settings: Settings) -> str:
    unused = {name for name in LATER_SETTINGS if getattr(settings, name) == getattr(Settings, name)}
    kept = {name: value for name, value in asdict(settings).items() if name not in unused}
    return json.dumps({"version": CONVERSION_VERSION, **kept}, sort_keys=True)
