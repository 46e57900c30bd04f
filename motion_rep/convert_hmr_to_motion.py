"""Convert HMR captures (SMPL-X parameters in a camera frame) to 276-dim reference motions."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.command_line import DONE, SOME_FAILED, Parser, device_or_error, positive_number, progress, run_command, say, say_error, say_warning
from motion_rep.errors import InputError, UsageError

CAPTURE_SUFFIXES = (".pt",)


@dataclass(frozen=True)
class Settings:
    """What decides how a capture is converted."""

    fps: float | None = None
    target_fps: float | None = None
    extrinsic_format: str = "matrix"


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument("-i", "--input", nargs="+", type=Path, required=True, metavar="PATH", help="capture files, or folders of them")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="PATH", help="a .pt file for one capture, else a folder")
    parser.add_argument("--fps", type=positive_number, help="the true frame rate of the source, where the file does not say it")
    parser.add_argument("--target-fps", type=positive_number, help="resample to this rate (the TM2M loader assumes 16)")
    parser.add_argument("--extrinsic-format", choices=("matrix", "rows"), default="matrix", help="(4, 4) as documented, or (T-1, 9) as in the published data set")
    parser.add_argument("--overwrite", action="store_true", help="in an output folder, replace files that are there already")
    parser.add_argument("--device", default="auto", help="where torch computes; conversion is quickest on the CPU")
    parser.add_argument("--smplx-model-path", metavar="DIR", help="accepted for compatibility; not needed, the joints are built in")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(_run, build_parser().parse_args(argv))


def convert_file(source: Path, target: Path, settings: Settings, durable: bool = True) -> tuple[str, ...]:
    """Convert one capture file into one motion file, atomically.

    Args:
        durable: see :func:`motion_rep.safe_files.atomic_path`.
    Returns:
        Notes for the user, one sentence each.
    Raises:
        InputError: the message names the file.
    """
    from motion_rep.capture_file import read_standard_capture
    from motion_rep.conversion import convert
    from motion_rep.motion_file import write_motion

    capture = read_standard_capture(source)
    try:
        result = convert(capture, settings.fps, settings.target_fps)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    write_motion(target, result.clip, settings.extrinsic_format, durable)
    return result.notes


def _run(args: argparse.Namespace) -> int:
    device_or_error(args.device)
    if args.smplx_model_path:
        say("--smplx-model-path is not needed: the joints of the neutral body are built in.")
    pairs = _pairs(args)
    settings = Settings(args.fps, args.target_fps, args.extrinsic_format)
    if len(pairs) == 1 and pairs[0].target == args.output:
        _report(pairs[0], convert_file(pairs[0].source, pairs[0].target, settings))
        return DONE
    return _convert_many(pairs, settings, args.overwrite)


def _pairs(args: argparse.Namespace):
    from motion_rep.output_names import pair_outputs

    for path in args.input:
        if not path.exists():
            raise UsageError(f"{path}: is not there. Check the path.")
    return pair_outputs(args.input, args.output, ".pt", Path.is_file, _captures_in)


def _captures_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in CAPTURE_SUFFIXES and path.is_file() and not path.name.startswith("."))


def _convert_many(pairs, settings: Settings, overwrite: bool) -> int:
    converted = kept = failed = 0
    for pair in progress(pairs, "converting", unit="clip"):
        if not overwrite and _is_whole(pair.target):
            kept += 1
            continue
        try:
            _report(pair, convert_file(pair.source, pair.target, settings, durable=False))
            converted += 1
        except InputError as error:
            say_error(error)
            failed += 1
    say(f"{converted} converted, {kept} kept (already there), {failed} failed")
    return SOME_FAILED if failed else DONE


def _is_whole(path: Path) -> bool:
    """Whether a motion is there that can be read; what a power failure left empty is made again."""
    from motion_rep.motion_file import read_motion

    try:
        return path.exists() and bool(read_motion(path))
    except InputError:
        return False


def _report(pair, notes: tuple[str, ...]) -> None:
    for note in notes:
        say_warning(f"{pair.source}: {note}")
    say(f"{pair.source} -> {pair.target}")


if __name__ == "__main__":
    raise SystemExit(main())
