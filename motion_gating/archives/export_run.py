"""Export an archive for the TM2M loader, entry by entry, and print the findings."""

from __future__ import annotations

import argparse
import contextlib
from collections import Counter

from motion_gating.archives.archive import entry_writer, read_entries
from motion_gating.archives.archive_lock import archive_lock
from motion_gating.archives.checkout import archive_name, next_steps, require_checkout
from motion_gating.archives.fields import USE_REF_MOTION
from motion_gating.archives.for_tm2m import Exported, exported, read_statistics
from motion_gating.archives.paths import files_in
from motion_rep.common.command_line import DONE, SOME_FAILED
from motion_rep.common.errors import UsageError, counted
from motion_rep.common.messages import say, say_error, say_warning
from motion_rep.common.overwriting import refuse_overwriting

# Keys of the counts.
ENTRIES, CONDITIONED, FAULTY = "entries", "conditioned", "faulty"
LEFT_OUT, INVALID, UNRECORDED, OTHER_EXTRINSICS = "left out", "invalid", "unrecorded", "other extrinsics"


def export_archive(args: argparse.Namespace) -> int:
    """Check the entries and write the exported archive; returns the exit code.

    Raises:
        UsageError: flags or files that do not fit together.
    """
    _require_places(args)
    if not args.check:
        refuse_overwriting([("--output-json", args.output_json)], files_in(args.meta_json))
    statistics = read_statistics(args.vimogen_root)
    if statistics is None:
        say_warning(f"{args.vimogen_root}: has no data/meta_info/mean.npy and std.npy, so z-scores were not checked")
    entries = read_entries(args.meta_json)
    counts: Counter = Counter()
    with contextlib.ExitStack() as stack:
        if not args.check:
            stack.enter_context(archive_lock(args.output_json))
            write = stack.enter_context(entry_writer(args.output_json))
        for one in exported(entries, args.meta_json, args.vimogen_root, args.text_key, statistics):
            _report(one, counts, args.for_upstream_checker)
            if not args.check and one.entry is not None:
                write(one.entry)
    _say_result(args, counts)
    return SOME_FAILED if counts[FAULTY] else DONE


def _require_places(args: argparse.Namespace) -> None:
    require_checkout(args.vimogen_root)
    if args.check:
        return
    if args.output_json is None:
        raise UsageError("--output-json is missing: give the archive to write, or --check.")
    if args.output_json.suffix.lower() != ".json":
        raise UsageError(f"{args.output_json}: the loader reads JSON lists. Give a name that ends in .json.")


def _report(one: Exported, counts: Counter, about_extrinsics: bool) -> None:
    """Print the faults and the notes of an entry, and count it."""
    for fault in one.faults:
        say_error(f"entry {one.identifier}: {fault}")
    for note in one.notes:
        say_warning(f"entry {one.identifier}: {note}")
    if about_extrinsics and one.rows is False:
        say_warning(f"entry {one.identifier}: its extrinsic is no (rows, 9) tensor")
    counts[ENTRIES] += 1
    counts[CONDITIONED] += one.entry is not None and one.entry[USE_REF_MOTION]
    counts[FAULTY] += bool(one.faults)
    counts[LEFT_OUT] += one.entry is None and not one.invalid
    counts[INVALID] += one.invalid
    counts[UNRECORDED] += one.unrecorded and not one.faults
    counts[OTHER_EXTRINSICS] += one.rows is False


def _say_result(args: argparse.Namespace, counts: Counter) -> None:
    if counts[UNRECORDED]:
        say_warning(
            f"{counted(counts[UNRECORDED], 'entry has', 'entries have')} use_ref_motion true without a record "
            "of what was judged; it is kept "
            "from the archive"
        )
    if args.for_upstream_checker and counts[OTHER_EXTRINSICS]:
        say(
            f"{counts[OTHER_EXTRINSICS]} motions for ViMoGen's own motion_checker.py: convert them again with\n"
            "  python motion_rep/convert_hmr_to_motion.py -i CAPTURES -o MOTIONS --target-fps 16 --extrinsic-format "
            "rows --overwrite"
        )
    left_out = f", {counts[LEFT_OUT]} left out (no text)" if counts[LEFT_OUT] else ""
    left_out += f", {counts[INVALID]} left out (not valid)" if counts[INVALID] else ""
    say(
        f"{counted(counts[ENTRIES], 'entry', 'entries')}, {counts[CONDITIONED]} with a reference motion, "
        f"{counts[FAULTY]} with faults{left_out}"
    )
    if args.check:
        return
    root = args.vimogen_root.resolve()
    name = archive_name(args.output_json, root)
    say(f"{args.output_json} is written. What remains, in {root}:")
    for line in next_steps(root, name, args.text_key):
        say(line)
