"""Check that a video can be read, and write its true frame rate and how it was made to VIDEO.json."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, SOME_FAILED, Parser, command_main
from motion_rep.common.errors import InputError, UsageError
from motion_rep.common.messages import say
from motion_rep.common.overwriting import read_path, written_path
from motion_rep.files.atomic_writing import atomic_path
from motion_rep.files.json_files import read_json, write_json
from motion_rep.files.local_files import file_sha256
from motion_rep.files.temporaries import remove_stale_temporaries

ACTIONS = (
    "write: check the video and write its record. matches: exit 0 if a finished video has this record. copy: if it "
    "has, copy both to the other name. measure: print fps, frames, width, height, and whether every program reads the "
    "video in the same way"
)


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("action", choices=("write", "matches", "copy", "measure"), help=ACTIONS)
    parser.add_argument("video", type=read_path)
    parser.add_argument(
        "--as-name", type=written_path, help="write the record for this name, and rename (or copy) the video to it"
    )
    parser.add_argument(
        "--made-with", action="append", default=[], metavar="KEY=VALUE", help="how the video was made; repeatable"
    )
    return parser


def record_path(video: str | os.PathLike) -> Path:
    """The path of a video's record: the video's name followed by .json."""
    return Path(f"{video}.json")


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


def write_record(video: str, final: str | None, found: dict, made_with: dict[str, str]) -> None:
    """Write the record of a measured video, then rename the video."""
    # The record comes first: its digest shows that it belongs to another video, but a video without a record counts as
    # the user's own.
    record_file = record_path(final or video)
    remove_stale_temporaries(record_file.parent, recursive=False)
    write_json(record_file, {**found, "made_with": made_with or None})
    if final is not None:
        os.replace(video, final)


def copied(video: str, name: str, made_with: dict[str, str]) -> bool:
    """Copy a video and its record to another name if it was made with exactly these settings; whether it was.

    Earlier versions gave videos names with eight digits, which another entry may have, so a video of the user's own
    does not count.
    """
    if not matches(video, made_with) or (record := dict(read_json(record_path(video))))["made_with"] is None:
        return False
    with atomic_path(name) as temporary:
        shutil.copyfile(video, temporary)
        write_json(record_path(name), record)
    return True


def _run(args: argparse.Namespace) -> int:
    made_with = pairs(args.made_with)
    if args.action == "matches":
        return DONE if matches(args.video, made_with) else SOME_FAILED
    if args.action == "copy":
        return DONE if copied(args.video, args.as_name, made_with) else SOME_FAILED
    from scripts.lib.video_work import measure_video

    found = measure_video(args.video)
    if args.action == "measure":
        say(" ".join(str(found[key]) for key in ("fps", "frames", "width", "height", "plain")))
        return DONE
    write_record(args.video, args.as_name, found, made_with)
    name = args.as_name or args.video
    say(f"{name}: {found['frames']} frames of {found['width']}x{found['height']} at {found['fps']:g} per second.")
    return DONE


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
