"""Write a gated archive as the TM2M loader of a ViMoGen checkout takes it, and name everything that it would refuse."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import DONE, SOME_FAILED, Parser, run_command, say, say_error, say_warning
from motion_rep.common.errors import UsageError

TEXT_KEYS = ("prompt_video_detailed", "prompt_motion_detailed")


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("--meta-json", type=Path, required=True, metavar="A", help="archive that the gate wrote")
    parser.add_argument("--vimogen-root", type=Path, required=True, metavar="ROOT", help="the ViMoGen checkout")
    parser.add_argument("-o", "--output-json", type=Path, metavar="B", help="archive to write")
    parser.add_argument("--text-key", choices=TEXT_KEYS, default=TEXT_KEYS[0], help="the text that the model reads")
    parser.add_argument("--check", action="store_true", help="only report; write nothing")
    parser.add_argument(
        "--for-upstream-checker",
        action="store_true",
        help="say how to convert for ViMoGen's own motion_checker.py, which reads extrinsics as rows",
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    from motion_gating.archives.archive import entry_id, entry_writer, read_entries
    from motion_gating.archives.for_tm2m import exported, read_statistics

    if not args.vimogen_root.is_dir():
        raise UsageError(f"--vimogen-root {args.vimogen_root}: is no folder. Give the ViMoGen checkout.")
    if not args.check and args.output_json is None:
        raise UsageError("--output-json is missing: give the archive to write, or --check.")
    statistics = read_statistics(args.vimogen_root)
    if statistics is None:
        say_warning(f"{args.vimogen_root}: has no data/meta_info/mean.npy and std.npy; z-scores were not checked")
    found = list(exported(read_entries(args.meta_json), args.meta_json, args.vimogen_root, args.text_key, statistics))
    for one in found:
        for fault in one.faults:
            say_error(f"entry {entry_id(one.entry)}: {fault}")
        for note in one.notes:
            say_warning(f"entry {entry_id(one.entry)}: {note}")
    faulty = sum(bool(one.faults) for one in found)
    if not args.check:
        with entry_writer(args.output_json) as write:
            for one in found:
                if one.entry.get(args.text_key):
                    write(one.entry)
        _say_next(args)
    if args.for_upstream_checker:
        say("convert with convert_hmr_to_motion.py --extrinsic-format rows for ViMoGen's own motion_checker.py")
    conditioned = sum(one.entry["use_ref_motion"] for one in found)
    say(f"{len(found)} entries, {conditioned} with a reference motion, {faulty} with faults")
    return SOME_FAILED if faulty else DONE


def _say_next(args: argparse.Namespace) -> None:
    """The commands that remain, from the root of the checkout."""
    archive = args.output_json.resolve()
    root = args.vimogen_root.resolve()
    name = archive.relative_to(root) if archive.is_relative_to(root) else archive
    say(f"{args.output_json} written. Next, from {root}:")
    say(f"  1. text embeddings: text_encoding_batch.py --text_key {args.text_key} on {name}")
    say("  2. inference with the TM2M config, in which stands:")
    say(f"     test_json_file_list: [{name}]   text_key: {args.text_key}")


if __name__ == "__main__":
    raise SystemExit(main())
