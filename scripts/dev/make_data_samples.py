"""Make the files in data_samples: synthetic captures, their archive, human verdicts and one original video."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, Parser, command_main
from motion_rep.common.messages import progress, say
from motion_rep.common.overwriting import folder_path

REPOSITORY = Path(__file__).resolve().parents[2]
ARCHIVE_NAME = "example_archive_wi_ref.json"
VERDICTS_NAME = "human_verdicts.json"
# The movement whose capture has an original video, and the video from which a capture is made.
WITH_VIDEO = "circle_walk"
VIDEO_ONLY = "sample_video"
# Folder of the motions of scripts/demo.sh, relative to its copy of the archive.
MOTION_FOLDER = "motions"


def build_parser() -> Parser:
    parser = Parser(prog="make_data_samples", description=__doc__)
    parser.add_argument(
        "--output-dir",
        "-o",
        type=folder_path,
        default=REPOSITORY / "data_samples",
        metavar="DIR",
        help="folder for the files",
    )
    return parser


def make_data_samples(folder: Path) -> list[Path]:
    """Write all sample files into a folder; the same numbers every time.

    Returns:
        The files written.
    """
    from motion_rep.files.atomic_writing import require_folder
    from motion_rep.files.json_files import write_json
    from scripts.dev.samples.motions import MOTIONS

    require_folder(folder / "captures")
    written = []
    for name in progress(list(MOTIONS), "samples"):
        written += _make_capture(folder, name)
    for name, value in ((ARCHIVE_NAME, archive()), (VERDICTS_NAME, verdicts())):
        write_json(folder / name, value)
        written.append(folder / name)
    return written


def archive() -> list[dict]:
    """The entries of the sample archive, in the documented format, with the paths of their captures."""
    from scripts.dev.samples.motions import FPS, FRAMES
    from scripts.dev.samples.texts import TEXTS

    entries = []
    for number, text in enumerate(TEXTS):
        entry = {
            "global_id": number,
            "id": number,
            "dimension": text.dimension,
            "motion_duration": round(FRAMES / FPS),
            "main_action": text.main_action,
            "prompt": text.prompt,
            "prompt_motion_detailed": text.motion,
            "prompt_video_detailed": text.video,
            "motion_path": f"{MOTION_FOLDER}/{text.name}.pt",
            "capture_path": f"captures/{text.name}.pt",
        }
        if text.name in (WITH_VIDEO, VIDEO_ONLY):
            entry["source_video_path"] = f"{text.name}.mp4"
        entries.append(entry)
    return entries


def verdicts() -> list[dict]:
    """The answers of a person after watching the rendered clips."""
    from scripts.dev.samples.texts import TEXTS

    return [_verdict(number, text) for number, text in enumerate(TEXTS)]


def _verdict(number: int, text) -> dict:
    verdict = {"id": number, "matches": text.matches, "analysis": text.analysis}
    return verdict if text.usable else {**verdict, "usable": False}


def _make_capture(folder: Path, name: str) -> list[Path]:
    from motion_rep.safe_loading.torch_files import write_torch
    from scripts.dev.samples.cameras import CAMERAS, seen_by
    from scripts.dev.samples.motions import MOTIONS
    from scripts.dev.samples.video import write_video

    capture = seen_by(CAMERAS[name], MOTIONS[name]())
    paths = [folder / "captures" / f"{name}.pt"]
    write_torch(paths[0], capture)
    if name == WITH_VIDEO:
        paths.append(folder / f"{name}.mp4")
        write_video(paths[1], capture, CAMERAS[name].height_above_floor)
    return paths


def _run(args: argparse.Namespace) -> int:
    written = make_data_samples(args.output_dir)
    size = sum(path.stat().st_size for path in written)
    say(f"{len(written)} files, {size / 1e6:.2f} MB in {args.output_dir}")
    return DONE


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
