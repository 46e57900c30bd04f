"""Check that a video can be read, and write its true frame rate and how it was made to VIDEO.json."""

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

ACTIONS = (
    "write: check the video and write its record. matches: exit 0 if a finished video has this record. "
    "measure: print fps, frames, width, height, and whether every program reads the video alike"
)


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("action", choices=("write", "matches", "measure"), help=ACTIONS)
    parser.add_argument("video")
    parser.add_argument("--as-name", help="write the record for this name, and rename the video to it")
    parser.add_argument(
        "--made-with", action="append", default=[], metavar="KEY=VALUE", help="how the video was made; repeatable"
    )
    return parser


def record_path(video: str | os.PathLike) -> Path:
    """The path of a video's record: the video's name followed by .json."""
    return Path(f"{video}.json")


def measure(video: str | os.PathLike) -> dict:
    """What is in a video, by reading it to its end.

    Frames and rate are those of an evenly timed copy; ``plain`` says that the video needs none: its frames are evenly
    timed, upright, and have square pixels.

    Raises:
        InputError: missing, unreadable, or without frames.
    """
    import numpy as np

    from motion_rep.video.reading import open_video
    from motion_rep.video.timing import frames_at_rate, is_even, measured_rate

    with open_video(video) as reader:
        times = np.array([time for time, _ in reader])
        size, fps, frames = (reader.width, reader.height), reader.fps, len(times)
        plain = is_even(times) and reader.stored_size == size
    if not is_even(times):
        fps = measured_rate(times) or fps
        frames = sum(1 for _ in frames_at_rate(((time, None) for time in times), fps))
    found = {"fps": fps, "frames": frames, "width": size[0], "height": size[1], "plain": plain}
    return {**found, "seconds": frames / fps, "sha256": file_sha256(video)}


def pairs(texts: list[str]) -> dict[str, str]:
    """``KEY=VALUE`` texts to a dict."""
    wrong = [text for text in texts if "=" not in text]
    if wrong:
        raise UsageError(f"--made-with {wrong[0]!r}: expected KEY=VALUE.")
    return dict(text.split("=", 1) for text in texts)


def matches(video: str, made_with: dict[str, str]) -> bool:
    """Whether a finished video was made with these settings, or is the user's own."""
    try:
        record = read_json(record_path(video))
        if not isinstance(record, dict) or record.get("sha256") != file_sha256(video):
            return False
    except InputError:
        return False
    return record.get("made_with") in (None, made_with)


def write_record(video: str, final: str | None, made_with: dict[str, str]) -> dict:
    """Measure a video, write its record and rename the video; an unreadable video keeps its name and gets no record."""
    record = {**measure(video), "made_with": made_with or None}
    # The record comes first: its digest shows that it belongs to another video, but a video without a record counts as
    # the user's own.
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
        say(" ".join(str(found[key]) for key in ("fps", "frames", "width", "height", "plain")))
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
