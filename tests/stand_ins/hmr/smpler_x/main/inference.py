"""Stand-in for SMPLer-X's main/inference.py."""

import argparse
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from results import SMPLX_PELVIS, fail_at_the_end, maybe_fail, np, person

parser = argparse.ArgumentParser(allow_abbrev=False)
for flag in ("--exp_name", "--pretrained_model", "--agora_benchmark", "--img_path", "--output_folder"):
    parser.add_argument(flag, required=True)
for flag in ("--num_gpus", "--start", "--end"):
    parser.add_argument(flag, type=int, required=True)
for flag in ("--show_verts", "--show_bbox", "--save_mesh", "--multi_person"):
    parser.add_argument(flag, action="store_true")
args = parser.parse_args()
assert args.pretrained_model == "smpler_x_h32" and args.agora_benchmark == "agora_model" and Path.cwd().name == "main"
assert args.show_verts, "without it every person opens an off-screen OpenGL renderer"
(Path("..") / f"{args.exp_name}_20261126_143000" / "log").mkdir(parents=True)
maybe_fail()
pictures = sorted(Path(args.img_path).glob("*.jpg"))
assert [picture.name for picture in pictures] == [f"{number:06d}.jpg" for number in range(args.start, args.end + 1)]
out = Path(args.output_folder)
(out / "smplx").mkdir(parents=True)
(out / "meta").mkdir()
orient, pelvis = person(len(pictures))
for number, picture in enumerate(pictures):
    if number == len(pictures) // 2 and os.environ.get("STAND_IN_MODE") == "crash halfway":
        sys.exit("CUDA out of memory")
    hands = {
        "left_hand_pose": np.zeros((15, 3), np.float32),
        "right_hand_pose": np.zeros((15, 3), np.float32),
        "jaw_pose": np.zeros((1, 3), np.float32),
    }
    body = {
        "global_orient": orient[number][None],
        "body_pose": np.zeros((21, 3), np.float32),
        "transl": (pelvis[number] - SMPLX_PELVIS)[None].astype(np.float32),
    }
    np.savez(
        out / "smplx" / f"{number + 1:05}_0.npz",
        **body,
        **hands,
        betas=np.zeros((1, 10), np.float32),
        expression=np.zeros((1, 10), np.float32),
    )
    meta = {
        "focal": [400.0, 400.0],
        "princpt": [80.0, 60.0],
        "bbox": [1.0, 2.0, 30.0, 40.0],
        "bbox_mmdet": [1, 2, 30, 40],
        "bbox_id": 0,
        "img_path": str(picture),
    }
    (out / "meta" / f"{number + 1:05}_0.json").write_text(json.dumps(meta))
fail_at_the_end()
