"""Stand-in for Wan2.1's generate.py with the flags that its documentation names."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from text_to_video_result import finish

SIZES = {"t2v-14B": ("720*1280", "1280*720", "480*832", "832*480"), "t2v-1.3B": ("480*832", "832*480")}


def boolean(text):
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError("boolean value expected")
    return text.lower() == "true"


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--task", required=True, choices=SIZES)
    parser.add_argument("--size", required=True)
    parser.add_argument("--frame_num", type=int)
    parser.add_argument("--ckpt_dir", required=True)
    parser.add_argument("--offload_model", type=boolean, required=True)
    parser.add_argument("--t5_cpu", action="store_true")
    parser.add_argument("--sample_steps", type=int)
    parser.add_argument("--sample_shift", type=float)
    parser.add_argument("--sample_guide_scale", type=float, default=5.0)
    parser.add_argument("--prompt")
    parser.add_argument("--save_file", required=True)
    parser.add_argument("--base_seed", type=int, default=-1)
    args = parser.parse_args()
    assert args.size in SIZES[args.task], f"{args.size} is not a size of {args.task}"
    assert args.prompt and (args.frame_num is None or args.frame_num % 4 == 1)
    assert Path(args.ckpt_dir).is_dir() and Path.cwd() == Path(__file__).resolve().parent
    finish(args.save_file, vars(args), args.frame_num or 81, 16)


main()
