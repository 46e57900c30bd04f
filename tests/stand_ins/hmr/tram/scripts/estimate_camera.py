"""Stand-in for TRAM's scripts/estimate_camera.py."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from results import maybe_fail, np, video_frames

parser = argparse.ArgumentParser(allow_abbrev=False)
parser.add_argument("--video", required=True)
parser.add_argument("--static_camera", action="store_true")
args = parser.parse_args()
maybe_fail()
count, (width, height) = video_frames(args.video)
folder = Path("results") / Path(args.video).name.split(".")[0]
folder.mkdir(parents=True)
turns = np.tile(np.eye(3, dtype=np.float32), (count, 1, 1))
cameras = {
    "pred_cam_R": turns,
    "pred_cam_T": np.zeros((count, 3), np.float32),
    "world_cam_R": turns,
    "world_cam_T": np.zeros((count, 3), np.float32),
}
np.save(
    folder / "camera.npy",
    {**cameras, "img_focal": np.float32(300), "img_center": np.array([width / 2, height / 2]), "spec_focal": 300.0},
)
