"""Stand-in for PromptHMR's scripts/demo_video.py."""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from results import SMPLX_PELVIS, fail_at_the_end, matrices, maybe_fail, np, person, video_frames, write_pickle

parser = argparse.ArgumentParser(allow_abbrev=False)
parser.add_argument("--input_video", required=True)
parser.add_argument("--static_camera", action="store_true")
# tyro's spelling of a bool that is true by default; it takes dashes and underscores.
parser.add_argument("--no-run-viser", "--no_run_viser", dest="run_viser", action="store_false")
parser.add_argument("--viser_total", type=int, default=1500)
parser.add_argument("--viser_subsample", type=int, default=1)
args = parser.parse_args()
maybe_fail()
count, (width, height) = video_frames(args.input_video)
orient, pelvis = person(count)
trans = (pelvis - SMPLX_PELVIS).astype(np.float32)
pose = np.zeros((count, 165), np.float32)
pose[:, :3] = orient
rotations = np.tile(np.eye(3, dtype=np.float32), (count, 55, 1, 1))
rotations[:, 0] = matrices(orient)
turns, zeros = np.tile(np.eye(3, dtype=np.float32), (count, 1, 1)), np.zeros((count, 3), np.float32)
camera = {
    "pred_cam_R": turns,
    "pred_cam_T": zeros,
    "img_focal": np.float32(max(height, width)),
    "img_center": np.array([width / 2, height / 2]),
}
world = {"Rwc": turns, "Twc": zeros, "Rcw": turns, "Tcw": zeros, **camera}
shape = np.zeros((count, 10), np.float32)
someone = {
    "track_id": 3,
    "frames": np.arange(count),
    "bboxes": np.zeros((count, 4), np.float32),
    "detected": np.ones(count, bool),
}
someone["smplx_cam"] = {"rotmat": rotations, "pose": pose[:, :75], "shape": shape, "trans": trans}
someone["smplx_world"] = {"pose": pose, "shape": shape, "trans": trans}
write_pickle(
    Path("results") / Path(args.input_video).stem / "results.pkl",
    {"camera": camera, "camera_world": world, "people": {3: someone}, "timings": {}},
)
if args.run_viser:
    os.environ["STAND_IN_MODE"] = "serve"
fail_at_the_end()
