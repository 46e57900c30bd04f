"""Entries in the form of ViMoGen's TM2M loader, and everything that it would refuse or misplay."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from motion_gating.archives.archive import InvalidEntry, entry_id
from motion_gating.archives.content import motion_digest, why_no_decision, why_not_judged
from motion_gating.archives.entry_number import entry_number
from motion_gating.archives.fields import (
    EMBED_SUFFIX,
    GLOBAL_ID,
    ID,
    JUDGED_CONTENT,
    MOTION_DURATION,
    MOTION_PATH,
    NAME,
    OTHER_PATH_FIELDS,
    PATH_FIELDS,
    PROMPT,
    TEXT_KEYS,
    USE_REF_MOTION,
)
from motion_gating.archives.making import seconds_of
from motion_gating.archives.paths import path_in_archive
from motion_gating.archives.texts import text_note, text_of
from motion_rep.common.errors import InputError, one_line
from motion_rep.common.rates import LOADER_FPS
from motion_rep.files.locations import Location, RemotePath, parse_location, resolve_from, same_content
from motion_rep.motions.consistency import agreed_joints
from motion_rep.motions.layout import unpack
from motion_rep.motions.motion_file import MotionClip, read_motion
from motion_rep.runs.attempt import Failed, attempt

MODEL_FPS = 20
SHORTEST, LONGEST = 40, 200  # rows at MODEL_FPS, as in training
MOST_POSITIONS = 1024  # number of rows at MODEL_FPS for which the model has positions
LARGEST_BODY_Z, LARGEST_ROOT_Z = 3.0, 2.0
STATISTICS = ("data/meta_info/mean.npy", "data/meta_info/std.npy")


@dataclass(frozen=True)
class Statistics:
    """The mean and the standard deviation of the training data, (276,) each."""

    mean: np.ndarray
    std: np.ndarray


@dataclass(frozen=True)
class Exported:
    """An entry for the loader, with faults (which it would refuse or misplay) and notes.

    identifier: id of the entry in our files.
    entry: in the form of the loader; None if that is impossible: it has no text, or is invalid in the archive.
    unrecorded: whether ``use_ref_motion`` is true without a record of what was judged.
    invalid: whether it is no valid entry of the archive.
    rows: whether the motion's extrinsics are rows, which ViMoGen's own checker needs; None without a motion.
    """

    identifier: object
    entry: dict | None
    faults: tuple[str, ...]
    notes: tuple[str, ...]
    unrecorded: bool = False
    rows: bool | None = None
    invalid: bool = False


@dataclass
class _Findings:
    """Findings about one motion: its content, faults and notes."""

    clip: MotionClip | None = None
    rows: bool | None = None
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_statistics(root: Path) -> Statistics | None:
    """The checkout's own statistics; None if it has none.

    Raises:
        InputError: they cannot be read, or are not (276,) each.
    """
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
    entries: Iterable[dict], archive: Location, root: Path, text_key: str, statistics: Statistics | None
) -> Iterator[Exported]:
    """Each entry in the form of the loader; if its motion has faults, ``use_ref_motion`` is false.

    Args:
        archive: source of the entries; relative paths start there, else at ``root``, as in the loader.
        root: folder of the ViMoGen checkout; paths of the result start there.
        text_key: the field whose text the model reads.
        statistics: for z-scores; None omits these.
    """
    owners: dict[int, object] = {}
    for entry in entries:
        if isinstance(entry, InvalidEntry):
            yield Exported(entry.identifier, None, (entry.problem.rstrip("."),), (), invalid=True)
            continue
        found = attempt(lambda one: _exported_entry(one, owners, archive, root, text_key, statistics), entry)
        yield _unusable(entry, found.message) if isinstance(found, Failed) else found


def _unusable(entry: dict, why: str) -> Exported:
    """An entry with unexpected values: it is exported without its motion."""
    whole = {**entry, USE_REF_MOTION: False, MOTION_PATH: ""}
    return Exported(entry_id(entry), whole, (why,), ())


def _exported_entry(
    entry: dict, owners: dict[int, object], archive: Location, root: Path, text_key: str, statistics: Statistics | None
) -> Exported:
    identifier, number = entry_id(entry), entry_number(entry)
    faults, notes = _text_findings(entry, text_key)
    if (owner := owners.setdefault(number, identifier)) is not identifier:
        faults.append(f"its number {number} is also that of entry {owner}. Give it another global_id")
    wanted = entry.get(USE_REF_MOTION)
    if (why := why_no_decision(entry)) is not None:
        faults.append(why)
    motion = _motion(entry, archive, root, statistics) if wanted is True else _Findings()
    faults += motion.faults
    whole = {**entry, **_numbers(entry, number), **_texts(entry, text_key)}
    whole |= _paths(entry, archive, root, notes)
    if motion.clip is not None:
        whole.setdefault(MOTION_DURATION, seconds_of(motion.clip))
    whole[USE_REF_MOTION] = wanted is True and not faults
    return Exported(
        identifier,
        whole if whole.get(text_key) else None,
        tuple(faults),
        (*notes, *motion.notes),
        wanted is True and JUDGED_CONTENT not in entry,
        motion.rows,
    )


def _numbers(entry: dict, number: int) -> dict:
    """``global_id`` for the loader and a numeric ``id`` for the program that makes its embeddings; a name is moved
    to another field.
    """
    name = entry.get(ID)
    if isinstance(name, int):
        return {GLOBAL_ID: number}
    return {GLOBAL_ID: number, ID: number, **({} if name is None else {NAME: entry.get(NAME, name)})}


def _text_findings(entry: dict, text_key: str) -> tuple[list[str], list[str]]:
    """Faults and notes about the texts."""
    if text_of(entry, text_key) is None and text_of(entry) is None:
        return [f"no text in {text_key} or {PROMPT}, so the loader cannot use it. Add one"], []
    notes = [text_note(entry, key) for key in dict.fromkeys((text_key, PROMPT))]
    return [], [note for note in notes if note]


def _texts(entry: dict, text_key: str) -> dict[str, str]:
    """The texts that the loader reads, and every other text field that is a list in the archive."""
    texts = {key: text_of(entry, key) or text_of(entry) for key in dict.fromkeys((PROMPT, text_key, *TEXT_KEYS))}
    return {key: text for key, text in texts.items() if text is not None}


def _paths(entry: dict, archive: Location, root: Path, notes: list[str]) -> dict[str, str]:
    """The entry's paths relative to the checkout; paths to missing files stay unchanged."""
    paths = {MOTION_PATH: ""}
    for key, value in entry.items():
        embed = key.endswith(EMBED_SUFFIX)
        if not (embed or key in (*PATH_FIELDS, *OTHER_PATH_FIELDS)) or not isinstance(value, str) or not value:
            continue
        paths[key] = value
        try:
            found = _found(value, archive, root)
        except InputError:  # an error of the motion is reported by _motion
            continue
        if isinstance(found, Path) and found.exists():
            paths[key] = path_in_archive(found, root / "archive.json")
        elif embed:
            notes.append(f"the text embedding {value} is not there; make it with step 1 below")
    return paths


def _found(text: str, archive: Location, root: Path) -> Location:
    """The file of an entry: relative to the archive, else to the checkout's root.

    Raises:
        InputError: the path leads to two different files.
    """
    own = resolve_from(text, archive)
    if isinstance(own, RemotePath) or os.path.isabs(text):
        return own
    there = root / text
    if not there.exists():
        return own
    if own.exists() and not same_content(own, there):
        raise InputError(
            f"{text}: two different files, {os.path.abspath(own)} and {os.path.abspath(there)}. Remove one"
        )
    return there


def _motion(entry: dict, archive: Location, root: Path, statistics: Statistics | None) -> _Findings:
    """The findings of the loader in the motion of an entry."""
    found, value = _Findings(), entry.get(MOTION_PATH)
    if not isinstance(value, str) or not value:
        found.faults.append(f"no {MOTION_PATH}. Name the motion file")
        return found
    try:
        path = None if isinstance(parse_location(value), RemotePath) else _found(value, archive, root)
        if not isinstance(path, Path):
            raise InputError(f"{value}: the loader opens no URLs. Copy the file, and use the path of the copy")
        found.clip = read_motion(path)
    except InputError as error:
        found.faults.append(str(error).rstrip("."))
        return found
    _look_as_the_loader(found, path)
    _look_at_clip(found, entry, found.clip, statistics)
    return found


def _look_as_the_loader(found: _Findings, path: Path) -> None:
    try:
        plain = torch.load(path, weights_only=True, map_location="cpu")
    except (RuntimeError, pickle.UnpicklingError, OSError, EOFError, ValueError) as error:
        found.faults.append(f"{path}: torch.load(weights_only=True) refuses it: {one_line(error)[:120]}")
        return
    motion = plain.get("motion") if isinstance(plain, dict) else None
    if not isinstance(motion, torch.Tensor):
        found.faults.append(f"{path}: is not a dict with a tensor under motion. Convert the capture again")
        return
    if motion.dtype != torch.float32:
        found.faults.append(f"{path}: contains {motion.dtype}, expected torch.float32. Convert the capture again")
    extrinsic = plain.get("extrinsic")
    found.rows = isinstance(extrinsic, torch.Tensor) and tuple(extrinsic.shape) == (len(motion), 9)


def _look_at_clip(found: _Findings, entry: dict, clip: MotionClip, statistics: Statistics | None) -> None:
    if (why := why_not_judged(entry, motion_digest(clip))) is not None:
        found.faults.append(f"{why}. Run the gate again")
    if clip.fps is None:
        found.notes.append(f"the motion does not store its rate; TM2M plays it at {LOADER_FPS:g} frames a second")
    elif abs(clip.fps - LOADER_FPS) > 0.01:
        seconds = len(clip) / LOADER_FPS
        found.faults.append(
            f"{clip.fps:g} frames a second, and TM2M plays {LOADER_FPS:g}: {len(clip) / clip.fps:.3g} s would take "
            f"{seconds:.3g} s. Convert the capture again with --target-fps {LOADER_FPS:g}"
        )
    found.faults += _length_faults(len(clip))
    try:
        if (note := agreed_joints(clip.motion).note) is not None:
            found.notes.append(note)
    except InputError as error:
        found.faults.append(str(error).rstrip("."))
    found.faults += [] if statistics is None else _score_faults(clip, statistics)


def _length_faults(count: int) -> list[str]:
    rows = count * MODEL_FPS // int(LOADER_FPS)
    if SHORTEST <= rows <= LONGEST:
        return []
    if rows < SHORTEST:
        becomes = "inference conditions on less than it knows, and training on this clip alone never ends"
    elif rows <= MOST_POSITIONS:
        becomes = "inference conditions on more than it knows"
    else:
        becomes = f"the model has positions for {MOST_POSITIONS} only, and fails"
    return [
        f"{count} rows give TM2M {rows} at {MODEL_FPS} fps, and it was trained on {SHORTEST} to {LONGEST}: {becomes}. "
        f"Use a clip of {SHORTEST / MODEL_FPS:g} to {LONGEST / MODEL_FPS:g} seconds"
    ]


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
