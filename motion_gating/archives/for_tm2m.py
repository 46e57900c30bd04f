"""Entries as the TM2M loader of ViMoGen takes them, and everything that it would refuse or misplay."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from motion_gating.archives.archive import entry_id
from motion_gating.archives.content import motion_digest, why_not_judged
from motion_gating.archives.fields import (
    GLOBAL_ID,
    ID,
    MOTION_DURATION,
    MOTION_PATH,
    PROMPT,
    USE_REF_MOTION,
)
from motion_gating.archives.paths import path_in_archive
from motion_gating.archives.texts import text_of
from motion_rep.common.errors import InputError, one_line
from motion_rep.common.rates import LOADER_FPS
from motion_rep.files.locations import resolve_from
from motion_rep.motions.consistency import agreed_joints
from motion_rep.motions.layout import unpack
from motion_rep.motions.motion_file import MotionClip, read_motion

MODEL_FPS = 20
SHORTEST, LONGEST = 40, 200  # rows at MODEL_FPS, as in training
LARGEST_BODY_Z, LARGEST_ROOT_Z = 3.0, 2.0
STATISTICS = ("data/meta_info/mean.npy", "data/meta_info/std.npy")


@dataclass(frozen=True)
class Statistics:
    """The mean and the standard deviation of the training data, (276,) each."""

    mean: np.ndarray
    std: np.ndarray


@dataclass(frozen=True)
class Exported:
    """An entry for the loader, what it would refuse or misplay of it, and what is worth knowing."""

    entry: dict
    faults: tuple[str, ...]
    notes: tuple[str, ...]


def read_statistics(root: Path) -> Statistics | None:
    """The checkout's own statistics; None where it has none."""
    paths = [root / name for name in STATISTICS]
    if not all(path.is_file() for path in paths):
        return None
    try:
        mean, std = (np.load(path, allow_pickle=False).reshape(-1) for path in paths)
    except (OSError, ValueError) as error:
        raise InputError(f"{paths[0]}: cannot be read: {one_line(error)}.") from None
    if mean.shape != (276,) or std.shape != (276,):
        raise InputError(f"{paths[0]}: has shape {mean.shape}, expected (276,).")
    return Statistics(mean, std)


def exported(
    entries: Iterable[dict], archive: Path, root: Path, text_key: str, statistics: Statistics | None
) -> Iterator[Exported]:
    """Each entry as the loader takes it; one with faults in its motion is written without it (use_ref_motion false)."""
    taken: set[int] = set()
    for entry in entries:
        number = _global_id(entry, taken)
        taken.add(number)
        faults: list[str] = _text_faults(entry, text_key)
        notes: list[str] = []
        whole = {**entry, GLOBAL_ID: number, ID: entry.get(ID, number)}
        for key in (PROMPT, text_key):
            text = text_of(entry, key) or text_of(entry)
            whole |= {} if text is None else {key: text}
        wanted = entry.get(USE_REF_MOTION) is True
        if wanted:
            clip, path, wrong = _motion(entry, archive)
            notes, found = ([], []) if clip is None else _clip_findings(entry, clip, statistics)
            faults += [*wrong, *found]
            whole[MOTION_PATH] = path_in_archive(path, root / "x") if path else entry.get(MOTION_PATH, "")
            if clip is not None:
                whole.setdefault(MOTION_DURATION, len(clip) / LOADER_FPS)
        yield Exported({**whole, USE_REF_MOTION: wanted and not faults}, tuple(faults), tuple(notes))


def _global_id(entry: dict, taken: set[int]) -> int:
    """The entry's own number where it has one, else the lowest that is free."""
    identifier = entry_id(entry)
    if isinstance(identifier, int) and identifier not in taken:
        return identifier
    digits = isinstance(identifier, str) and identifier.isascii() and identifier.isdigit() and len(identifier) < 15
    if digits and int(str(identifier)) not in taken:
        return int(str(identifier))
    return next(number for number in range(len(taken) + 1) if number not in taken)


def _text_faults(entry: dict, text_key: str) -> list[str]:
    return [] if text_of(entry, text_key) or text_of(entry) else [f"no text in {text_key} or {PROMPT}. Add it"]


def _motion(entry: dict, archive: Path) -> tuple[MotionClip | None, Path | None, list[str]]:
    value = entry.get(MOTION_PATH)
    if not isinstance(value, str) or not value:
        return None, None, [f"no {MOTION_PATH}. Name the motion file"]
    try:
        path = Path(str(resolve_from(value, archive)))
        clip = read_motion(path)
    except InputError as error:
        return None, None, [str(error)]
    try:
        plain = torch.load(path, weights_only=True, map_location="cpu")
    except (RuntimeError, pickle.UnpicklingError, OSError, EOFError, ValueError) as error:
        return clip, path, [f"{path}: torch.load(weights_only=True) refuses it: {one_line(error)[:120]}"]
    if not isinstance(plain, dict) or not isinstance(plain.get("motion"), torch.Tensor):
        return clip, path, [f"{path}: is no dict with a tensor under motion. Convert the capture again"]
    return clip, path, []


def _clip_findings(entry: dict, clip: MotionClip, statistics: Statistics | None) -> tuple[list[str], list[str]]:
    """Notes and faults of a motion."""
    notes, faults = [], []
    if (why := why_not_judged(entry, motion_digest(clip))) is not None:
        faults.append(f"{why}. Run the gate again")
    if clip.fps is not None and abs(clip.fps - LOADER_FPS) > 0.01:
        faults.append(f"{clip.fps:g} frames a second, and TM2M plays {LOADER_FPS:g}. Convert with --target-fps 16")
    rows = len(clip) * MODEL_FPS // int(LOADER_FPS)
    if rows < SHORTEST or rows > LONGEST:
        faults.append(
            f"{len(clip)} rows give TM2M {rows} at {MODEL_FPS} fps, and it was trained on {SHORTEST} to {LONGEST}. "
            f"Use a clip of {SHORTEST / MODEL_FPS:g} to {LONGEST / MODEL_FPS:g} seconds"
        )
    try:
        if (note := agreed_joints(clip.motion).note) is not None:
            notes.append(note)
    except InputError as error:
        faults.append(str(error))
    return notes, faults + ([] if statistics is None else _score_faults(clip, statistics))


def _score_faults(clip: MotionClip, statistics: Statistics) -> list[str]:
    scores = (clip.motion.numpy() - statistics.mean) / np.maximum(statistics.std, 1e-8)
    columns = unpack(torch.from_numpy(scores))
    sizes = {
        "body": (columns.body_rot6d, LARGEST_BODY_Z, "rot6d in another order"),
        "root": (columns.root_rot6d, LARGEST_ROOT_Z, "another axis up"),
    }
    found = {name: float(values.square().mean().sqrt()) for name, (values, _, _) in sizes.items()}
    return [
        f"the {name} rotations lie {found[name]:.1f} standard deviations from the training data, expected at most "
        f"{limit:g}: {likely}, probably. Convert the capture again"
        for name, (_, limit, likely) in sizes.items()
        if found[name] > limit
    ]
