"""Convert HMR captures (SMPL-X parameters in a camera frame) to 276-dim reference motions."""

from __future__ import annotations

import argparse
import functools
import os
import sys
from collections import Counter
from pathlib import Path, PurePosixPath

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import (
    DONE,
    SOME_FAILED,
    Parser,
    device_or_error,
    frame_rate,
    progress,
    run_command,
    say,
    say_error,
    say_warning,
)
from motion_rep.common.errors import InputError, UsageError
from motion_rep.files.locations import Location, RemotePath, is_remote, location
from motion_rep.files.remote_files import (
    local_copy,
    remote_files_below,
    remove_stale_temporaries_at,
    require_location,
    resolve_existing,
)
from motion_rep.hmr_formats.flags import add_reading_flags, reading_settings
from motion_rep.hmr_results.names import CAPTURE_SUFFIXES, captures_among, is_capture_folder
from motion_rep.runs.flags import (
    WORTH_A_WORKER_AFAR,
    add_run_flags,
    require_failures_folder,
    run_on_engine,
    workers_for,
)

# Starting a worker costs about as much as this many conversions (torch is loaded once, here or for all workers).
WORTH_A_WORKER = 100


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        "-i",
        "--input",
        nargs="+",
        type=location,
        required=True,
        metavar="PATH",
        help="captures, or folders of them; fsspec URLs too (s3://...)",
    )
    parser.add_argument(
        "-o", "--output", type=location, metavar="PATH", help="a .pt file for one capture, else a folder; or a URL"
    )
    add_reading_flags(parser)
    parser.add_argument(
        "--list-people",
        action="store_true",
        help="say who is in the captures (names for --person), and convert nothing",
    )
    parser.add_argument("--target-fps", type=frame_rate, help="resample to this rate (the TM2M loader assumes 16)")
    parser.add_argument(
        "--up-from",
        choices=("capture", "level"),
        default="capture",
        help="level the person by the capture's up direction where it is known well, or assume a level camera",
    )
    parser.add_argument(
        "--extrinsic-format",
        choices=("matrix", "rows"),
        default="matrix",
        help="(4, 4) as documented, or (T-1, 9) as in the published data set",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="in an output folder, replace all files that are there already"
    )
    add_run_flags(parser)
    parser.add_argument("--device", default="auto", help="where torch computes; conversion is quickest on the CPU")
    parser.add_argument(
        "--smplx-model-path", metavar="DIR", help="accepted for compatibility; not needed, the joints are built in"
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    try:
        args.input = [resolve_existing(path) for path in args.input]
    except InputError as error:
        raise UsageError(str(error)) from None
    if args.list_people:
        return _list_people(args)
    if args.output is None:
        raise UsageError("-o/--output is missing: a .pt file for one capture, else a folder.")
    if args.device not in ("auto", "cpu"):
        # Nothing is computed there; but who asks for a device that is not there should hear of it.
        device_or_error(args.device)
    require_failures_folder(args)
    if args.smplx_model_path:
        say("--smplx-model-path is not needed: the joints of the neutral body are built in.")
    return _convert(args)


def _convert(args: argparse.Namespace) -> int:
    from motion_rep.conversion.pairing import pair_outputs
    from motion_rep.conversion.settings import Settings

    _remote_captures.cache_clear()
    pairs = pair_outputs(args.input, args.output, ".pt", _is_one_capture, _captures_in)
    settings = Settings(
        target_fps=args.target_fps,
        extrinsic_format=args.extrinsic_format,
        up_from=args.up_from,
        **reading_settings(args),
    )
    if len(pairs) == 1 and pairs[0].target == args.output:
        return _convert_one(pairs[0], settings, args.failures)
    return _convert_many(pairs, settings, args)


def _convert_one(pair, settings, failures_path: Path | None) -> int:
    from motion_rep.conversion.items import convert_anywhere
    from motion_rep.conversion.settings import CONVERTED
    from motion_rep.runs.report import ItemFailure, write_failures

    failures, code = [], DONE
    try:
        for note in convert_anywhere(pair, settings):
            say_warning(f"{pair.source}: {note}")
        say(f"{pair.source} -> {pair.target}")
    except InputError as error:
        say_error(error)
        failures, code = [ItemFailure(str(pair.source), str(error))], error.exit_code
    if failures_path:
        write_failures(failures_path, {CONVERTED: 1 - len(failures), "failed": len(failures)}, failures)
    return code


def _convert_many(pairs, settings, args: argparse.Namespace) -> int:
    from motion_rep.conversion.settings import CONVERTED, KEPT, MADE_AGAIN, UNCHANGED
    from motion_rep.runs.report import ItemFailure, NoteTally, write_failures
    from motion_rep.runs.work_pool import Failed, StartIn

    require_location(args.output)
    remove_stale_temporaries_at(args.output)
    afar = any(map(is_remote, (*args.input, args.output)))
    workers = workers_for(args, len(pairs), WORTH_A_WORKER_AFAR if afar else WORTH_A_WORKER)
    counts, failures, notes = Counter(), [], NoteTally()
    try:
        all_remote = all(map(is_remote, (*args.input, args.output)))
        results = run_on_engine(
            args,
            StartIn("motion_rep.conversion.items", "start_converting", (settings, args.overwrite)),
            pairs,
            workers,
            all_remote,
        )
        for pair, result in progress(results, "converting", total=len(pairs), unit="clip"):
            if isinstance(result, Failed):
                failures.append(ItemFailure(str(pair.source), _named(pair.source, result.message), result.detail))
                say_error(failures[-1].error)
            else:
                counts[result.how] += 1
                _tell(pair.source, result.notes, notes)
    finally:
        remove_stale_temporaries_at(args.output)
    for note in notes.untold():
        say_warning(note)
    if args.failures:
        write_failures(args.failures, {**counts, "failed": len(failures)}, failures)
    again = f", {counts[MADE_AGAIN]} made again (input or settings changed)" if counts[MADE_AGAIN] else ""
    foreign = (
        f", {counts[KEPT]} kept (not made by such a run, or changed since; --overwrite replaces them)"
        if counts[KEPT]
        else ""
    )
    say(
        f"{counts[CONVERTED]} converted{again}, {counts[UNCHANGED]} unchanged{foreign}, {len(failures)} failed -> {args.output}"
    )
    return SOME_FAILED if failures else DONE


def _tell(source: Location, notes, tally) -> None:
    for note in notes:
        if tally.is_new(note):
            say_warning(f"{source}: {note}")


def _named(source: Location, message: str) -> str:
    return message if message.startswith(str(source)) else f"{source}: {message}"


def _list_people(args: argparse.Namespace) -> int:
    from motion_rep.hmr_formats.reading import list_people

    failed = False
    for path in (
        found for given in args.input for found in ([given] if _is_one_capture(given) else _captures_in(given))
    ):
        try:
            with local_copy(path) as copy:
                people = list_people(copy, args.format, args.trust_pickle)
        except InputError as error:
            say_error(error)
            failed = True
            continue
        for person in people:
            say(f"{path}: {person}")
    return SOME_FAILED if failed else DONE


def _is_one_capture(path: Location) -> bool:
    if is_remote(path):
        return not path.is_dir() or PurePosixPath(".") in _remote_captures(path)[1]
    return not path.is_dir() or is_capture_folder(path)


# A bucket is listed once in a run: with hundreds of thousands of files that takes a while.
@functools.cache
def _remote_captures(folder: RemotePath) -> tuple[list[PurePosixPath], list[PurePosixPath]]:
    return captures_among(remote_files_below(folder))


def _captures_in(folder: Location) -> list[Location]:
    """The captures within a folder, in order; what is hidden is left out, and a folder that is one capture is not looked into."""
    if is_remote(folder):
        files, folders = _remote_captures(folder)
        return sorted([*(folder / name for name in files), *((folder / name).as_folder() for name in folders)])
    found = []
    for parent, folders, names in os.walk(folder):
        here = Path(parent)
        ones = {name for name in folders if is_capture_folder(here / name)}
        found += [here / name for name in ones]
        found += [here / name for name in names if name.endswith(CAPTURE_SUFFIXES) and not name.startswith(".")]
        folders[:] = [name for name in folders if name not in ones and not name.startswith(".")]
    return sorted(found)


if __name__ == "__main__":
    raise SystemExit(main())
