"""Stand-in for GVHMR's tools/demo/demo.py."""

import argparse
import re
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from results import SMPLX_PELVIS, maybe_fail, person, video_frames

parser = argparse.ArgumentParser(allow_abbrev=False)
parser.add_argument("--video", required=True)
parser.add_argument("--output_root", default="outputs/demo")
parser.add_argument("-s", "--static_cam", action="store_true")
parser.add_argument("--verbose", action="store_true")
args = parser.parse_args()
assert re.fullmatch(r"[\w./-]+", args.output_root, re.ASCII), f"hydra cannot parse output_root={args.output_root}"
maybe_fail()
count, (width, height) = video_frames(args.video)
orient, pelvis = (torch.tensor(value) for value in person(count))
params = {
    "body_pose": torch.zeros(count, 63),
    "betas": torch.zeros(count, 10),
    "global_orient": orient,
    "transl": pelvis - torch.tensor(SMPLX_PELVIS).float(),
}
focal = (width**2 + height**2) ** 0.5
camera = torch.tensor([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]).expand(count, 3, 3).clone()
folder = Path(args.output_root) / Path(args.video).stem
folder.mkdir(parents=True)
torch.save(
    {
        "smpl_params_global": params,
        "smpl_params_incam": params,
        "K_fullimg": camera,
        "net_outputs": {"static": torch.tensor([args.static_cam])},
    },
    folder / "hmr4d_results.pt",
)
