"""Refine one motion file into one file (or several, if it is cut), and many files in worker processes."""

from __future__ import annotations

import contextlib
import functools
import json
from dataclasses import asdict, dataclass, replace

from motion_rep.common.errors import located
from motion_rep.common.outcomes import KEPT, REFINED, UNCHANGED, Outcome
from motion_rep.files.locations import Location
from motion_rep.files.remote_files import local_copy, local_output
from motion_rep.motions.earlier_file import earlier_outcome
from motion_rep.motions.motion_file import read_motion, write_motion
from motion_rep.motions.stamp import content_digest
from motion_rep.refining.refinement import refine
from motion_rep.refining.settings import Settings
from motion_rep.refining.trim_file import TrimFile
from motion_rep.runs.pairing import Pairing

# Increase it whenever the numbers change, so that older files are regenerated.
REFINING_VERSION = 2


@dataclass(frozen=True)
class RunSettings:
    """The settings of a run; ``trims`` override ``settings.trim`` for the motions that they list."""

    settings: Settings
    trims: TrimFile | None = None

    def of(self, motion: Location) -> Settings:
        """The settings for one motion."""
        trim = None if self.trims is None else self.trims.of(motion)
        return self.settings if trim is None else replace(self.settings, trim=trim)


def part_names(target: Location, settings: Settings) -> list[Location]:
    """Files of one motion: the target, or ``name_part1.pt``, ``name_part2.pt``, ... for a motion that is cut."""
    if not settings.cut_at:
        return [target]
    count = len(set(settings.cut_at)) + 1
    return [target.with_name(f"{target.stem}_part{number}{target.suffix}") for number in range(1, count + 1)]


def refine_pair(run: RunSettings, overwrite: bool, pair: Pairing) -> Outcome:
    """Refine into a file or folder, unless that is already done.

    Args:
        overwrite: also replace existing files.
    Raises:
        InputError: the message names the file.
    """
    settings, overwrite = run.of(pair.source), overwrite or pair.named
    with contextlib.ExitStack() as files:
        source = files.enter_context(local_copy(pair.source))
        names = part_names(pair.target, settings)
        targets = [files.enter_context(local_output(name, fetch=not overwrite)) for name in names]
        with content_digest(source, _settings_text(settings)) as made_from:
            found = [] if overwrite else [earlier_outcome(target, made_from) for target in targets]
            if found and all(how in (UNCHANGED, KEPT) for how in found):
                return Outcome(KEPT if KEPT in found else UNCHANGED)
            clip = read_motion(source)
        with located(source):
            result = refine(clip, settings)
        stamp = None if pair.named else made_from
        for part, target in zip(result.clips, targets, strict=True):
            write_motion(target, part, settings.extrinsic_format, durable=pair.named, made_from=stamp)
        again = next((how for how in found if how is not None), REFINED)
        record = {"input": str(pair.source), "outputs": [str(name) for name in names], **result.done}
        return Outcome(again, result.notes, record)


@functools.cache
def _settings_text(settings: Settings) -> str:
    return json.dumps({"version": REFINING_VERSION, **asdict(settings)}, sort_keys=True)
