"""Draw the sample video of data_samples/.

Jumping jacks by a person of anny (CC0 data), like a text-to-video model's clip.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, Parser, command_main
from motion_rep.common.messages import progress, say
from motion_rep.common.overwriting import written_path

# As written by Wan 2.2: 81 frames at 16 fps.
FRAMES, FPS, WIDTH, HEIGHT = 81, 16.0, 832, 480
# At its original pace, the movement's jitter is at the gate's threshold: fast movement scores like noise.
SLOWER = 1.5
DEFAULT_OUTPUT = Path(__file__).resolve().parents[2] / "data_samples" / "sample_video.mp4"


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("--output", type=written_path, default=DEFAULT_OUTPUT, help="video to write")
    return parser


def _run(args) -> int:
    from motion_rep.video.writing import open_writer
    from scripts.dev.capture_evaluation.figures import Anny
    from scripts.dev.capture_evaluation.motions import make_motion
    from scripts.dev.capture_evaluation.stage import StageCamera, draw_clip

    figure = Anny({"gender": 0.2, "height": 0.45}, shirt=(0.75, 0.27, 0.22), trousers=(0.16, 0.2, 0.32))
    motion = make_motion("jumping_jack", FRAMES, heading_degrees=12, fps=SLOWER * FPS)
    camera = StageCamera((0.0, 1.0, 3.2), target=(0.0, 1.0, 0.0), field_of_view=44, width=WIDTH, height=HEIGHT)
    with open_writer(args.output, WIDTH, HEIGHT, FPS) as video:
        for rgb in progress(draw_clip(motion, figure, camera, seed=8), "drawing", FRAMES, "frame"):
            video.write(rgb)
    say(f"{args.output}: {FRAMES} frames, {args.output.stat().st_size / 1e6:.2f} MB")
    return DONE


main = command_main(build_parser, _run)
if __name__ == "__main__":
    raise SystemExit(main())
