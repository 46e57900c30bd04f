"""The export of an archive to a labelling program."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from motion_gating.archives.archive import entry_writer, say_invalid
from motion_gating.archives.flags import fields_from
from motion_gating.archives.paths import files_in
from motion_gating.archives.scratch_file import scratch_file
from motion_gating.label_tools.fiftyone_samples import heading, sample_of
from motion_gating.label_tools.label_studio_tasks import CONFIG, is_below, task_of
from motion_gating.label_tools.labelled import Labelled, labelled_entries
from motion_gating.review_page.records import keep_records, run_facts
from motion_gating.verdicts.unknown_ids import warn_of_unknown_ids
from motion_gating.verdicts.verdict_file import read_verdicts
from motion_rep.common.command_line import DONE, SOME_FAILED
from motion_rep.common.errors import InputError, counted
from motion_rep.common.messages import say, say_warning
from motion_rep.common.overwriting import require_apart
from motion_rep.files.atomic_writing import write_bytes

LABEL_STUDIO, FIFTYONE = FORMATS = ("label-studio", "fiftyone")


def export_labels(args: argparse.Namespace) -> int:
    """Write the file and, for Label Studio, the labelling configuration next to it; returns the exit code.

    Raises:
        UsageError: the archive, the report or the verdicts cannot be used.
    """
    output: Path = args.output
    config = output.with_suffix(".xml")
    fields = fields_from(args)
    require_apart(args.given_paths, [("the labels of --output", config)], files_in(args.meta_json, fields.video))
    invalid = say_invalid(args.meta_json)
    exported, root = _Exported(), args.media_root or Path(str(args.meta_json.parent))
    with scratch_file(output) as file:
        records = keep_records(args.quality_report, file)
        verdicts = read_verdicts(*(args.verdicts or ()))
        warn_of_unknown_ids(verdicts, args.meta_json)
        found = labelled_entries(args.meta_json, records, verdicts, fields)
        entries = exported.counted(found, root)
        if args.format == FIFTYONE:
            _write_fiftyone(output, entries)
        else:
            judge = str(run_facts(args.quality_report).get("judge") or "judge")
            with entry_writer(output) as write:
                for entry in entries:
                    write(task_of(entry, root, judge))
            write_bytes(config, CONFIG.encode())
    for line in exported.warnings():
        say_warning(line)
    if args.format != FIFTYONE and exported.outside:
        say_warning(
            f"{counted(exported.outside, 'video lies', 'videos lie')} outside {root}, the folder that Label "
            "Studio serves: --media-root"
        )
    done = f"{counted(exported.count, 'entry', 'entries')} in {output}"
    say(done if args.format == FIFTYONE else f"{done}; labels of the project in {config}")
    return SOME_FAILED if invalid or verdicts.left_out or exported.without or exported.errors else DONE


@dataclass
class _Exported:
    """What became of the entries and of the verdicts on them; outside: videos outside the folder that is served."""

    count: int = 0
    without: int = 0
    outside: int = 0
    outdated: int = 0
    errors: list[str] = field(default_factory=list)

    def counted(self, entries: Iterator[Labelled | InputError | None], root: Path) -> Iterator[Labelled]:
        for entry in entries:
            if isinstance(entry, InputError):
                self.errors.append(str(entry))
            elif entry is None:
                self.without += 1
            else:
                self.count += 1
                self.outdated += entry.outdated
                self.outside += not is_below(entry.video, root)
                yield entry

    def warnings(self) -> Iterator[str]:
        if self.without:
            found = counted(self.without, "entry has no video file and was", "entries have no video file and were")
            yield f"{found} omitted. Render them first."
        if self.errors:
            names = ("entry names an unusable file and was", "entries name an unusable file and were")
            yield f"{counted(len(self.errors), *names)} omitted, for example: {self.errors[0]}"
        if self.outdated:
            yield (
                f"{counted(self.outdated, 'verdict was', 'verdicts were')} given on another motion, clip or "
                "text and were omitted"
            )


def _write_fiftyone(output: Path, entries: Iterator[Labelled]) -> None:
    data = {**heading(output.stem), "samples": [sample_of(entry) for entry in entries]}
    write_bytes(output, json.dumps(data, allow_nan=False).encode())
