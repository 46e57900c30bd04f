"""Convert files of one representation into another: one into a file, or many into a folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from motion_rep.common.overwriting import refuse_overwriting
from motion_rep.files.locations import Location, RemotePath
from motion_rep.files.remote_files import remote_files_below
from motion_rep.representations.conversion import Settings
from motion_rep.representations.kinds import SOURCE_SUFFIXES, TARGETS
from motion_rep.runs.engine import Engine
from motion_rep.runs.file_pairs import run_pairs
from motion_rep.runs.pairing import pair_outputs


def convert_representations(
    inputs: Sequence[Location],
    output: Location,
    settings: Settings,
    overwrite: bool,
    engine: Engine,
    failures_file: Path | None,
) -> int:
    """Convert, print a summary, and return the exit code.

    Raises:
        UsageError: nothing to convert, or outputs that cannot be written.
    """
    pairs = pair_outputs(inputs, output, TARGETS[settings.target].suffix, _is_file, _files_in)
    skeleton = [] if settings.skeleton is None else [("--skeleton", settings.skeleton)]
    refuse_overwriting(((pair, pair.target) for pair in pairs), skeleton)
    return run_pairs("motion_rep.representations.items", pairs, output, settings, overwrite, engine, failures_file)


def _is_file(path: Location) -> bool:
    return not path.is_dir()


def _files_in(folder: Location) -> list[Location]:
    """Files that may hold a motion, in order, without hidden ones."""
    if isinstance(folder, RemotePath):
        return sorted(folder / name for name in remote_files_below(folder) if name.name.endswith(SOURCE_SUFFIXES))
    found = [Path(parent) / name for parent, _, names in os.walk(folder) for name in names]
    shown = [path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)]
    return sorted(path for path in shown if path.name.endswith(SOURCE_SUFFIXES))
