"""Stand-in for HunyuanVideo-1.5's generate.py with the flags that its documentation names."""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from text_to_video_result import finish


def boolean(text):
    if text.lower() not in ("true", "false", "1", "0"):
        raise argparse.ArgumentTypeError("boolean value expected")
    return text.lower() in ("true", "1")


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--prompt", required=True)
    parser.add_argument("--resolution", choices=("480p", "720p"), required=True)
    parser.add_argument("--model_path", required=True)
    parser.add_argument("--aspect_ratio", default="16:9")
    parser.add_argument("--video_length", type=int, default=121)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--output_path")
    for flag, default in (("--sr", True), ("--rewrite", True), ("--offloading", True)):
        parser.add_argument(flag, type=boolean, nargs="?", const=True, default=default)
    args = parser.parse_args()
    assert os.environ["STAND_IN_RANKS"] == "1" and Path(args.model_path).is_dir()
    assert args.aspect_ratio in ("16:9", "9:16") and args.video_length % 4 == 1
    assert not args.sr and not args.rewrite, "a second network doubles the size; rewriting needs a server"
    finish(args.output_path, vars(args), args.video_length, 24)


main()
