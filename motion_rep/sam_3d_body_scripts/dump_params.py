"""Drop-in for a SAM 3D Body checkout: convert a folder of frames to one npz; SAM 3D Body's demo writes only pictures.

    python dump_params.py --image_folder FRAMES --output params.npz --fps 16

Runs SAM 3D Body's own ``process_one_image`` on the frames in the order of their names and saves its results for all
people: one row for each person in each frame. Copy it into the checkout, next to ``demo.py``; it needs nothing else.
The README next to the original lists the keys of the file that it writes.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".tiff", ".webp")
REQUIRED = ("bbox", "focal_length", "pred_cam_t", "pred_keypoints_3d")
OPTIONAL = ("pred_keypoints_2d", "pred_joint_coords", "pred_global_rots", "body_pose_params", "shape_params")


class CannotRun(Exception):
    """An error that the user can fix; the message is one line."""


def build_parser():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--image_folder", required=True, type=Path, help="frames of one video; their names give the order"
    )
    parser.add_argument("--output", required=True, type=Path, help="file to write (.npz)")
    parser.add_argument("--fps", type=frame_rate, help="frame rate at which the frames were taken; saved")
    parser.add_argument(
        "--checkpoint",
        default="facebook/sam-3d-body-dinov3",
        help="a name on Hugging Face, or a model.ckpt with assets/mhr_model.pt next to it",
    )
    parser.add_argument("--mhr_path", help="the body model of a local checkpoint")
    parser.add_argument("--detector_name", default="vitdet", help="SAM 3D Body's person detector; empty for none")
    parser.add_argument("--fov_name", default="moge2", help="SAM 3D Body's lens estimator; empty for a fixed lens")
    parser.add_argument("--bbox_thresh", type=float, default=0.8, help="least score of a detection")
    parser.add_argument("--device", default="cuda", help="where torch computes")
    return parser


def frame_rate(text):
    """argparse type: ``30``, ``29.97`` or ``30000/1001``."""
    try:
        above, _, below = text.partition("/")
        rate = float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        rate = 0.0
    if not 0 < rate < 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a frame rate")
    return rate


def list_frames(folder):
    """The pictures in a folder in the order of their names, numbers by value (frame_2 before frame_10)."""

    def order(path):
        return [int(part) if place % 2 else part for place, part in enumerate(re.split(r"([0-9]+)", path.name))]

    if not folder.is_dir():
        raise CannotRun(f"{folder}: is not a folder. Give the folder of the video's frames.")
    frames = sorted((path for path in folder.iterdir() if path.suffix.lower() in IMAGES), key=order)
    if not frames:
        raise CannotRun(f"{folder}: has no pictures ({' '.join(IMAGES)}). Extract the frames from the video first.")
    return frames


def load_estimator(args):
    """SAM 3D Body's estimator with its detector and lens."""
    import sam_3d_body

    if os.path.isfile(args.checkpoint):
        mhr_path = args.mhr_path or str(Path(args.checkpoint).parent / "assets" / "mhr_model.pt")
        model, settings = sam_3d_body.load_sam_3d_body(args.checkpoint, device=args.device, mhr_path=mhr_path)
    else:
        model, settings = sam_3d_body.load_sam_3d_body_hf(args.checkpoint, device=args.device)
    detector = fov = None
    if args.detector_name:
        from tools.build_detector import HumanDetector

        detector = HumanDetector(name=args.detector_name, device=args.device, path="")
    if args.fov_name:
        from tools.build_fov_estimator import FOVEstimator

        fov = FOVEstimator(name=args.fov_name, device=args.device, path="")
    return sam_3d_body.SAM3DBodyEstimator(
        sam_3d_body_model=model,
        model_cfg=settings,
        human_detector=detector,
        human_segmentor=None,
        fov_estimator=fov,
    )


def as_array(value):
    """A tensor or number as an array."""
    import numpy as np

    return np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)


def people_in(estimator, path, threshold):
    """One dict of arrays for each person in a picture."""
    found = estimator.process_one_image(str(path), bbox_thr=threshold) or []
    people = []
    for person in found:
        missing = [key for key in REQUIRED if key not in person]
        if missing:
            raise CannotRun(
                f"SAM 3D Body's result has no {' and no '.join(missing)} (it has {', '.join(sorted(person))}); "
                "this script knows another version."
            )
        known = [key for key in (*REQUIRED, *OPTIONAL) if person.get(key) is not None]
        people.append({key: as_array(person[key]) for key in known})
    return people


def picture_size(path):
    """(width, height)."""
    import cv2

    image = cv2.imread(str(path))
    if image is None:
        raise CannotRun(f"{path}: is not a picture that OpenCV can read. Extract the frames from the video again.")
    return image.shape[1], image.shape[0]


def assemble(rows, numbers, count, size, fps):
    """The arrays of the file; a key that some people lack is omitted."""
    import numpy as np

    keys = [key for key in rows[0] if all(key in row for row in rows)]
    arrays = {key: np.stack([row[key] for row in rows]).astype(np.float32) for key in keys}
    arrays["focal_length"] = arrays["focal_length"].reshape(len(rows))
    arrays["frame_index"] = np.array(numbers, np.int64)
    arrays.update(num_frames=np.array(count), width=np.array(size[0]), height=np.array(size[1]))
    if fps is not None:
        arrays["fps"] = np.array(fps)
    return arrays


def require_writable(path):
    """Make the folder of a file, and find out before the long work whether the file can be written there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=str(path.parent)):
            pass
    except OSError as error:
        raise CannotRun(f"{path}: cannot be written: {error.strerror or error}. Give another file.") from None
    if path.is_dir():
        raise CannotRun(f"{path}: is a folder, expected the name of a file to write.")


def save(arrays, path):
    """Write the file atomically, through a temporary name."""
    import numpy as np

    temporary = path.with_name("." + path.name + ".tmp")
    try:
        with open(str(temporary), "wb") as file:
            np.savez(file, **arrays)
        os.replace(str(temporary), str(path))
    except OSError as error:
        raise CannotRun(f"{path}: cannot be written: {error.strerror or error}.") from None
    finally:
        if temporary.exists():
            temporary.unlink()


def fail(text):
    """One line on stderr; the exit code."""
    print(f"error: {text}", file=sys.stderr, flush=True)
    return 1


def one_line(error):
    return " ".join(str(error).split()) or type(error).__name__


def what_stopped(error):
    """Another version of the checkout, or an error of its own, in words."""
    other_version = isinstance(error, (ImportError, AttributeError, KeyError, TypeError))
    return ("does not fit this script: " if other_version else "stopped: ") + one_line(error)


def run(args):
    frames = list_frames(args.image_folder.resolve())
    output = args.output.resolve()
    sizes = {picture_size(frame) for frame in frames}
    if len(sizes) > 1:
        raise CannotRun("the frames have different sizes; extract them from the video again.")
    if any(output == frame.resolve() for frame in frames):
        raise CannotRun(f"{args.output}: is one of the frames and would be overwritten. Give another --output.")
    require_writable(output)
    # Before the folder changes: names of files, but not names on Hugging Face, are relative to the user's folder.
    for name in ("checkpoint", "mhr_path"):
        if os.path.exists(getattr(args, name) or ""):
            setattr(args, name, os.path.abspath(getattr(args, name)))
    os.chdir(str(ROOT))
    sys.path.insert(0, str(ROOT))
    estimator = load_estimator(args)
    rows, numbers = [], []
    for number, path in enumerate(frames):
        for person in people_in(estimator, path, args.bbox_thresh):
            rows.append(person)
            numbers.append(number)
    if not rows:
        raise CannotRun(
            f"no person was found in any of the {len(frames)} frames of {args.image_folder}; no file was written. "
            "Check the video, or lower --bbox_thresh."
        )
    save(assemble(rows, numbers, len(frames), sizes.pop(), args.fps), output)
    print(f"{output}: people in {len(set(numbers))} of {len(frames)} frames.", flush=True)


def main():
    args = build_parser().parse_args()
    try:
        run(args)
    except CannotRun as error:
        return fail(error)
    except Exception as error:  # noqa: BLE001 - the checkout, its packages and the GPU can raise anything
        if os.environ.get("SAM_3D_BODY_TRACEBACK"):
            raise
        return fail(f"SAM 3D Body in {ROOT} {what_stopped(error)}. Set SAM_3D_BODY_TRACEBACK=1 to see where.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
