"""Make the pictures of the READMEs from the output of scripts/demo.sh; nothing is drawn by hand."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, Parser, command_main
from motion_rep.common.messages import say
from motion_rep.common.overwriting import folder_path, read_path

ROOT = Path(__file__).resolve().parents[2]
MOMENTS = (0.10, 0.19, 0.30, 0.41)
SAMPLE_ID = 6
TILE = 300


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        "--demo-output", type=read_path, default=ROOT / "demo_output", help="output folder of scripts/demo.sh"
    )
    parser.add_argument(
        "--output-dir", type=folder_path, default=ROOT / "data_samples" / "pictures", help="folder for the pictures"
    )
    return parser


def _run(args: argparse.Namespace) -> int:
    import imageio.v3 as imageio
    import numpy as np

    demo = args.demo_output
    rows = [
        _strip(ROOT / "data_samples" / "sample_video.mp4", "the video"),
        _strip(demo / "checks" / f"{SAMPLE_ID}_overlay.mp4", "the capture laid over it"),
        _strip(demo / "renders" / f"{SAMPLE_ID}.mp4", "what the judge watches", zoom=0.56),
    ]
    args.output_dir.mkdir(parents=True, exist_ok=True)
    target = args.output_dir / "pipeline.jpg"
    imageio.imwrite(target, np.concatenate(rows), plugin="pillow", quality=88)
    say(f"{target}")
    return DONE


def _strip(video: Path, title: str, zoom: float = 1.0):
    """A row of moments of a clip, cropped to squares around the middle, with a title."""
    import numpy as np

    from motion_rep.video.reading import open_video

    with open_video(video) as reader:
        frames = [rgb for _, rgb in reader]
    tiles = [_square(frames[round(moment * (len(frames) - 1))], zoom) for moment in MOMENTS]
    return _titled(np.concatenate(tiles, axis=1), title)


def _square(rgb, zoom: float):
    import cv2

    height, width = rgb.shape[:2]
    side = int(min(height, width) * zoom)
    # The lit scene has its person above the middle of the picture.
    top = (height - side) // 2 if zoom == 1.0 else int(height * 0.08)
    left = (width - side) // 2
    return cv2.resize(rgb[top : top + side, left : left + side], (TILE, TILE), interpolation=cv2.INTER_AREA)


def _titled(row, title: str):
    import cv2

    picture = row.copy()
    (width, _), _ = cv2.getTextSize(title, cv2.FONT_HERSHEY_SIMPLEX, 0.65, 1)
    cv2.rectangle(picture, (0, 0), (width + 24, 36), (255, 255, 255), cv2.FILLED)
    cv2.putText(picture, title, (12, 25), cv2.FONT_HERSHEY_SIMPLEX, 0.65, (20, 20, 20), 1, cv2.LINE_AA)
    return picture


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
