"""Stand-in for Wan2.2's generate.py with the flags that its documentation names."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from text_to_video_result import finish

SIZES = {"t2v-A14B": ("720*1280", "1280*720", "480*832", "832*480"), "ti2v-5B": ("704*1280", "1280*704")}


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
    parser.add_argument("--convert_model_dtype", action="store_true")
    parser.add_argument("--t5_cpu", action="store_true")
    parser.add_argument("--sample_steps", type=int)
    parser.add_argument("--prompt")
    parser.add_argument("--save_file", required=True)
    parser.add_argument("--base_seed", type=int, default=-1)
    args = parser.parse_args()
    assert args.size in SIZES[args.task], f"{args.size} is not a size of {args.task}"
    assert args.prompt, "without a prompt the real program makes its example"
    assert args.frame_num is None or args.frame_num % 4 == 1
    assert args.convert_model_dtype and Path(args.ckpt_dir).is_dir() and Path.cwd() == Path(__file__).resolve().parent
    frames, fps = {"t2v-A14B": (81, 16), "ti2v-5B": (121, 24)}[args.task]
    finish(args.save_file, vars(args), args.frame_num or frames, fps)


main()
