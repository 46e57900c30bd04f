"""Turn videos, captures, motions or prompts into gated reference motions, a review page and an archive for TM2M.

Each entry starts at the first step whose result is missing. Re-run the command to resume it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_gating.archives.fields import TEXT_KEYS
from motion_gating.archives.flags import add_scheme_flag
from motion_gating.gate.flags import add_limit_flags, add_undecided_flags
from motion_gating.judges.flags import GEMINI, MANUAL, NONE, OPENAI, add_judge_flags, add_verdicts_flag
from motion_gating.preparing.settings import STEPS, run_from
from motion_rep.common.command_line import Parser, YesNo, command_main
from motion_rep.common.flag_values import frame_rate, positive_int, positive_number, whole_number
from motion_rep.common.overwriting import folder_path, read_path
from motion_rep.drawing.flags import add_model_flag, add_renderer_flag
from motion_rep.runs.flags import add_run_flags, require_failures_folder


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument(
        "inputs",
        type=read_path,
        nargs="*",
        metavar="INPUT",
        help="videos, captures, motions, folders of them, archives (.json, .jsonl), CSV or text files of prompts",
    )
    parser.add_argument(
        "-o",
        "--output",
        "--output-dir",
        dest="output",
        type=folder_path,
        default=Path("prepared"),
        metavar="DIR",
        help="folder for all results",
    )
    parser.add_argument(
        "--prompt", metavar="TEXT", help="text of the entry, if there is only one; without INPUT, generate its video"
    )
    parser.add_argument(
        "--prompts",
        type=read_path,
        metavar="FILE",
        help="texts of the entries: a CSV with the columns name and prompt, or a text file with one line per entry "
        "(default: a text file next to each video, else the file name); without INPUT, generate their videos",
    )
    _add_step_flags(parser)
    _add_end_flags(parser)
    add_limit_flags(parser)
    add_undecided_flags(parser)
    add_judge_flags(parser, (GEMINI, OPENAI, MANUAL, NONE))
    # Default: manual with --verdicts, gemini with its key, openai with --vlm-base-url, else none.
    parser.set_defaults(judge=None)
    add_verdicts_flag(parser)
    add_run_flags(parser)
    add_model_flag(parser)
    add_renderer_flag(parser)
    add_scheme_flag(parser)
    return parser


def _add_step_flags(parser: Parser) -> None:
    """Steps 1 to 3."""
    group = parser.add_argument_group("videos from text (generate_video.sh)")
    group.add_argument("--t2v-model", default="wan2.2", metavar="M", help="text-to-video model")
    group.add_argument("--seed", type=whole_number, help="seed of the first video (default: 42)")
    group.add_argument("--size", metavar="WxH", help="size of the videos (default: the model's)")
    group.add_argument("--frames", type=positive_int, help="frames of a video (default: the model's)")
    group.add_argument("--prompt-field", metavar="NAME", help="entry field with the text for the video model")
    group.add_argument(
        "--candidates", type=positive_int, default=1, metavar="N", help="generate N videos of each text, with N seeds"
    )
    group = parser.add_argument_group("captures (extract_motion.sh)")
    group.add_argument("--hmr-model", default="auto", metavar="M", help="HMR system; preview needs no GPU and no bash")
    group.add_argument("--fps", default="native", metavar="N", help="frame rate at which a video is sampled")
    group.add_argument(
        "--person",
        metavar="P",
        help="person to capture if there are several: longest, or a name that the HMR system prints",
    )
    group.add_argument(
        "--focal-length", type=positive_number, metavar="PIXELS", help="focal length of the camera, if known"
    )
    group.add_argument("--static-camera", action="store_true", help="tell the HMR system that the camera does not move")
    group = parser.add_argument_group("motions")
    group.add_argument(
        "--target-fps",
        type=frame_rate,
        default=16.0,
        metavar="N",
        help="frame rate of the motions; TM2M plays motions at 16",
    )
    group.add_argument(
        "--refine",
        action=YesNo,
        default=True,
        help="repair the motions (level, smooth, plant the feet) where the estimate is reliable; the raw motions are "
        "kept",
    )


def _add_end_flags(parser: Parser) -> None:
    """The last step and the outputs of a run."""
    parser.add_argument("--until", choices=STEPS, help="end after this step (default: review page and TM2M archive)")
    parser.add_argument("--vimogen-root", type=read_path, metavar="ROOT", help="write tm2m.json for this checkout")
    parser.add_argument(
        "--text-key", choices=TEXT_KEYS, default=TEXT_KEYS[0], help="entry field with the text that TM2M reads"
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="check everything, then print the plan and what this machine lacks for a real run; call no service and "
        "write nothing",
    )


def _run(args: argparse.Namespace) -> int:
    require_failures_folder(args)
    from motion_gating.preparing.run import prepare

    return prepare(run_from(args))


main = command_main(build_parser, _run, Parser.parse_intermixed_args)
if __name__ == "__main__":
    raise SystemExit(main())
