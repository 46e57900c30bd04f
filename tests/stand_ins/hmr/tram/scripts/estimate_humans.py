"""Stand-in for TRAM's scripts/estimate_humans.py."""

import argparse
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from results import SMPL_PELVIS, matrices, np, person, video_frames

parser = argparse.ArgumentParser(allow_abbrev=False)
parser.add_argument("--video", required=True)
parser.add_argument("--max_humans", type=int, default=20)
args = parser.parse_args()
count, _ = video_frames(args.video)
folder = Path("results") / Path(args.video).name.split(".")[0]
assert (folder / "camera.npy").is_file(), "the camera comes first"
(folder / "hps").mkdir()
orient, pelvis = person(count)
rotations = torch.eye(3).repeat(count, 24, 1, 1)
rotations[:, 0] = torch.tensor(matrices(orient))
track = {
    "pred_cam": torch.zeros(count, 3),
    "pred_pose": torch.zeros(count, 144),
    "pred_shape": torch.zeros(count, 10),
    "pred_rotmat": rotations,
}
track.update(pred_trans=torch.tensor((pelvis - SMPL_PELVIS)[:, None]).float(), frame=torch.arange(count))
np.save(folder / "hps" / "hps_track_0.npy", track)
