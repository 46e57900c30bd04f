"""The export of an archive to a labelling program."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from motion_gating.archives.archive import entry_writer, read_entries
from motion_gating.archives.flags import fields_from
from motion_gating.archives.paths import files_named
from motion_gating.archives.scratch_file import scratch_file
from motion_gating.label_tools.fiftyone_samples import heading, sample_of
from motion_gating.label_tools.label_studio_tasks import CONFIG, task_of
from motion_gating.label_tools.labelled import Labelled, labelled_entries
from motion_gating.review_page.records import keep_records, run_facts
from motion_gating.verdicts.verdict_file import read_verdicts
from motion_rep.common.command_line import DONE, SOME_FAILED, say, say_warning
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
    read = files_named(read_entries(args.meta_json), args.meta_json, [fields.video])
    require_apart(args.given_paths, [("the labels of --output", config)], read)
    counts: Counter[bool] = Counter()
    with scratch_file(output) as file:
        records = keep_records(args.quality_report, file)
        found = labelled_entries(args.meta_json, records, read_verdicts(*(args.verdicts or ())), fields)
        entries = _counted(found, counts)
        if args.format == FIFTYONE:
            _write_fiftyone(output, entries)
        else:
            judge = str(run_facts(args.quality_report).get("judge") or "judge")
            root = args.media_root or Path(str(args.meta_json.parent))
            with entry_writer(output) as write:
                for entry in entries:
                    write(task_of(entry, root, judge))
            write_bytes(config, CONFIG.encode())
    exported, without = counts[True], counts[False]
    if without:
        say_warning(f"{without} entries have no video file and were omitted. Render them first.")
    say(f"{exported} entries in {output}" + ("" if args.format == FIFTYONE else f"; labels of the project in {config}"))
    return SOME_FAILED if without else DONE


def _counted(entries: Iterator[Labelled | None], counts: Counter[bool]) -> Iterator[Labelled]:
    for entry in entries:
        counts[entry is not None] += 1
        if entry is not None:
            yield entry


def _write_fiftyone(output: Path, entries: Iterator[Labelled]) -> None:
    data = {**heading(output.stem), "samples": [sample_of(entry) for entry in entries]}
    write_bytes(output, json.dumps(data, allow_nan=False).encode())
