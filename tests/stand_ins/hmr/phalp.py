"""PHALP, on which 4D-Humans and TokenHMR are built: hydra overrides in, one file out."""

import re
import sys
from pathlib import Path

from results import SMPL_PELVIS, fail_at_the_end, matrices, maybe_fail, np, person, video_frames, write_pickle

KNOWN = {"video.source", "video.output_dir", "hydra.run.dir", "video.end_frame", "phalp.low_th_c"}


def unquote(text):
    if re.fullmatch(r"'(?:[^'\\]|\\.)*'", text):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    assert re.fullmatch(r"[\w./:-]+", text), f"hydra cannot read {text}"
    return text


def main(*more):
    overrides = dict(argument.split("=", 1) for argument in sys.argv[1:])
    known = KNOWN | set(more)
    assert set(overrides) <= known, f"no such key: {set(overrides) - known}"
    values = {key: unquote(text) for key, text in overrides.items()}
    assert values["video.source"].endswith(".mp4"), "the source must end with .mp4"
    maybe_fail()
    count, (width, height) = video_frames(values["video.source"])
    orient, pelvis = person(count)
    rotations = matrices(orient)
    focal = 5000 / 256 * max(width, height)
    frames = {}
    for number in range(count):
        smpl = {
            "global_orient": rotations[number][None],
            "body_pose": np.tile(np.eye(3, dtype=np.float32), (23, 1, 1)),
            "betas": np.zeros(10, np.float32),
        }
        camera = (pelvis[number] - SMPL_PELVIS).astype(np.float32)
        one = {
            "tid": [1],
            "tracked_time": [0],
            "bbox": [np.array([1.0, 2, 30, 40])],
            "smpl": [smpl],
            "camera": [camera],
            "size": [[height, width]],
        }
        more = {
            "time": number,
            "shot": 0,
            "tracked_ids": [1],
            "tracked_bbox": [np.array([1.0, 2, 30, 40])],
            "conf": [0.9],
        }
        frames[f"outputs//_DEMO/x/img/{number + 1:06d}.jpg"] = {**one, **more, "frame_path": f"{number + 1:06d}.jpg"}
    assert focal > 0
    write_pickle(Path(values["video.output_dir"]) / "results" / f"demo_{Path(values['video.source']).stem}.pkl", frames)
    fail_at_the_end()
    return values
