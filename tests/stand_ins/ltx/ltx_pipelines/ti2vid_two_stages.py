"""Stand-in for LTX-2's ltx_pipelines.ti2vid_two_stages with the flags that its documentation names."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from text_to_video_result import finish


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for flag in ("--checkpoint-path", "--spatial-upsampler-path", "--gemma-root", "--prompt", "--output-path"):
        parser.add_argument(flag, required=True)
    parser.add_argument("--distilled-lora", nargs="+", required=True)
    for flag, default in (("--num-frames", 97), ("--height", 1024), ("--width", 1536), ("--seed", 10)):
        parser.add_argument(flag, type=int, default=default)
    parser.add_argument("--frame-rate", type=float, default=25.0)
    args = parser.parse_args()
    for path in (args.checkpoint_path, args.spatial_upsampler_path, args.gemma_root, args.distilled_lora[0]):
        assert Path(path).exists(), path
    assert float(args.distilled_lora[1]) == 0.8 and args.num_frames % 8 == 1
    assert args.width % 64 == 0 and args.height % 64 == 0
    finish(args.output_path, vars(args), args.num_frames, args.frame_rate)


main()
