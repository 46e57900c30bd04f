"""Write a video's frames as 000001.jpg, 000002.jpg, ..., evenly timed, and print how many there are."""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import Parser, frame_rate, run_command, say, say_warning
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
        help="frames per second to take; the rate of an evenly timed video takes every frame once",
    )
    return parser


def write_frames(video: str, folder: Path, fps: float) -> tuple[int, str | None]:
    """Write the pictures.

    Returns:
        How many, and a sentence for the user where the video is not evenly timed.
    Raises:
        InputError: the video cannot be read, or the disk is full.
    """
    import cv2

    from motion_rep.video.reading import frame_times, open_video
    from motion_rep.video.timing import frames_at_rate, is_even, uneven_note

    times, number = frame_times(video), 0
    with open_video(video) as reader:
        for number, rgb in enumerate(frames_at_rate(reader, fps), 1):
            path = folder / f"{number:06d}.jpg"
            if not cv2.imwrite(str(path), rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]):
                raise InputError(f"{path}: cannot be written. Check that the disk has space.")
    return number, None if is_even(times) else f"{video}: {uneven_note(times, fps)}"


def _run(args) -> int:
    count, note = write_frames(args.video, require_folder(args.folder), args.fps)
    if note is not None:
        say_warning(note)
    say(str(count))
    return 0


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    return run_command(_run, build_parser().parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())
