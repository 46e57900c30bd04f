"""Write a video's frames as 000001.jpg, 000002.jpg, ... for systems that read pictures; prints how many."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import Parser, frame_rate, run_command, say
from motion_rep.common.errors import InputError
from motion_rep.files.atomic_writing import require_folder

JPEG_QUALITY = 97


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("video")
    parser.add_argument("folder")
    parser.add_argument(
        "--fps",
        type=frame_rate,
        required=True,
        help="frames per second to take; the video's own rate takes every frame once",
    )
    return parser


def at_rate(frames: Iterable, fps: float) -> Iterator:
    """What is on the screen at k / fps, for k = 0, 1, ...: the frame whose time is nearest, repeated or left out as needed.

    Args:
        frames: (seconds, image) in order of time.
    """
    count, previous = 0, None
    for time, image in frames:
        # The frame before serves every moment that is nearer to it.
        while previous is not None and count / fps - previous[0] <= time - count / fps:
            yield previous[1]
            count += 1
        previous = (time, image)
    while previous is not None and count / fps - previous[0] < 0.5 / fps:
        yield previous[1]
        count += 1


def write_frames(video: str, folder: Path, fps: float) -> int:
    """Write the pictures; how many.

    Raises:
        InputError: the video cannot be read, or the disk is full.
    """
    import cv2

    from motion_rep.video.reading import open_video

    number = 0
    with open_video(video) as reader:
        for number, rgb in enumerate(at_rate(reader, fps), 1):
            path = folder / f"{number:06d}.jpg"
            if not cv2.imwrite(str(path), rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]):
                raise InputError(f"{path}: cannot be written. Check that the disk has space.")
    return number


def _run(args) -> int:
    say(str(write_frames(args.video, require_folder(args.folder), args.fps)))
    return 0


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    return run_command(_run, build_parser().parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())
