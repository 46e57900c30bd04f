"""Stand-in for CogVideo's inference/cli_demo.py with the flags that its documentation names."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from text_to_video_result import finish

NAMES = ("cogvideox1.5-5b", "cogvideox1.5-5b-i2v", "cogvideox-5b", "cogvideox-5b-i2v", "cogvideox-2b")


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--prompt", required=True)
    parser.add_argument("--model_path", required=True)
    parser.add_argument("--generate_type", choices=("t2v", "i2v", "v2v"), required=True)
    parser.add_argument("--num_frames", type=int, default=81)
    parser.add_argument("--fps", type=int, default=16)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--output_path", required=True)
    parser.add_argument("--dtype", choices=("float16", "bfloat16"), default="bfloat16")
    args = parser.parse_args()
    name = args.model_path.split("/")[-1].lower()
    assert name in NAMES, f"KeyError: {name}"
    assert (args.num_frames - 1) % (16 if "1.5" in name else 8) == 0
    finish(args.output_path, vars(args), args.num_frames, args.fps)


main()
