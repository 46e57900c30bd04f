"""Stand-in for WHAM's demo.py."""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from results import SMPL_PELVIS, fail_at_the_end, maybe_fail, np, person, video_frames, write_pickle

parser = argparse.ArgumentParser(allow_abbrev=False)
parser.add_argument("--video", required=True)
parser.add_argument("--output_pth", default="output/demo")
parser.add_argument("--calib")
parser.add_argument("--estimate_local_only", action="store_true")
parser.add_argument("--visualize", action="store_true")
parser.add_argument("--save_pkl", action="store_true")
parser.add_argument("--run_smplify", action="store_true")
args = parser.parse_args()
maybe_fail()
count, _ = video_frames(args.video)
orient, pelvis = person(count)
pose = np.concatenate([orient, np.zeros((count, 69), np.float32)], 1)
people = defaultdict(dict)
camera = {"pose": pose, "trans": (pelvis - SMPL_PELVIS).astype(np.float32), "betas": np.zeros((count, 10), np.float32)}
world = {"pose_world": pose, "trans_world": pelvis, "frame_ids": np.arange(count)}
# Shorter tracks are dropped.
if count >= 30:
    people[0] = {**camera, **world, "verts": np.zeros((count, 2, 3), np.float32)}
if args.save_pkl:
    write_pickle(Path(args.output_pth) / Path(args.video).stem / "wham_output.pkl", people)
fail_at_the_end()
