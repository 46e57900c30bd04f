"""Check that a video opens and has frames, and keep its true frame rate and how it was made beside it, in VIDEO.json."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import Parser, run_command, say
from motion_rep.common.errors import InputError, UsageError
from motion_rep.files.json_files import read_json, write_json
from motion_rep.files.local_files import file_sha256
from motion_rep.files.temporaries import remove_stale_temporaries

ACTIONS = "write: check the video and write its record; matches: exit 0 where a finished video has this record; measure: print fps, frames, width, height"


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("action", choices=("write", "matches", "measure"), help=ACTIONS)
    parser.add_argument("video")
    parser.add_argument("--as-name", help="write the record for this final name of the video, which takes it now")
    parser.add_argument(
        "--made-with", action="append", default=[], metavar="KEY=VALUE", help="how the video was made; several"
    )
    return parser


def record_path(video: str | os.PathLike) -> Path:
    """Where a video's record is: the video's name with .json behind it."""
    return Path(f"{video}.json")


def measure(video: str | os.PathLike) -> dict:
    """What is in a video, by reading it to its end.

    Raises:
        InputError: missing, unreadable, or without frames.
    """
    from motion_rep.video.reading import open_video

    with open_video(video) as reader:
        frames = sum(1 for _ in reader)
        found = {"fps": reader.fps, "frames": frames, "width": reader.width, "height": reader.height}
    return {**found, "seconds": frames / found["fps"], "sha256": file_sha256(video)}


def pairs(texts: list[str]) -> dict[str, str]:
    """``KEY=VALUE`` texts to a dict."""
    wrong = [text for text in texts if "=" not in text]
    if wrong:
        raise UsageError(f"--made-with {wrong[0]!r}: expected KEY=VALUE.")
    return dict(text.split("=", 1) for text in texts)


def matches(video: str, made_with: dict[str, str]) -> bool:
    """Whether a finished video is there that was made like this, or that a person put there."""
    try:
        record = read_json(record_path(video))
        if not isinstance(record, dict) or record.get("sha256") != file_sha256(video):
            return False
    except InputError:
        return False
    return record.get("made_with") in (None, made_with)


def write_record(video: str, final: str | None, made_with: dict[str, str]) -> dict:
    """Measure a video, give it its final name and write the record; a video that cannot be read keeps its name and gets none."""
    record = {**measure(video), "made_with": made_with or None}
    # First the record: one that does not belong to the video says so by its digest, but a video without a record passes for somebody's own.
    record_file = record_path(final or video)
    remove_stale_temporaries(record_file.parent, recursive=False)
    write_json(record_file, record)
    if final is not None:
        os.replace(video, final)
    return record


def _run(args) -> int:
    made_with = pairs(args.made_with)
    if args.action == "matches":
        return 0 if matches(args.video, made_with) else 1
    if args.action == "measure":
        found = measure(args.video)
        say(" ".join(str(found[key]) for key in ("fps", "frames", "width", "height")))
        return 0
    record = write_record(args.video, args.as_name, made_with)
    name = args.as_name or args.video
    say(f"{name}: {record['frames']} frames of {record['width']}x{record['height']} at {record['fps']:g} per second.")
    return 0


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    return run_command(_run, build_parser().parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())
