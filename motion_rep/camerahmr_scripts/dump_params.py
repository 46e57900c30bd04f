"""Drop-in for a CameraHMR checkout: convert a folder of frames to one capture file; CameraHMR itself writes no
parameters.

    python dump_params.py --image_folder FRAMES --output hmr.pt --fps 16

Stages: run CameraHMR's own ``process_image`` on the frames in the order of their names and record its network's
results, choose the person to follow, map all frames to one focal length, convert SMPL to SMPL-X's convention, save.
Copy it next to CameraHMR's ``demo.py``; it needs nothing else, and runs on Python 3.8. The README next to the original
lists the keys of the file that it writes.
"""

from __future__ import annotations

import argparse
import inspect
import math
import os
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".tiff", ".webp")

# Rest pelvis of the two body models without shape, metres: a body's pelvis is at this point + transl, and must stay
# where it is.
SMPL_PELVIS = (-0.00179506, -0.22333382, 0.02821918)
SMPLX_PELVIS = (0.00312326, -0.35140744, 0.01203655)

# Smallest overlap of a person's boxes in neighbouring frames, and the longest time out of sight, before it counts as
# someone else.
MIN_OVERLAP = 0.1
LOST_AFTER_SECONDS = 0.5


class CannotRun(Exception):
    """An error that the user can fix; the message is one line."""


def build_parser():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--image_folder", required=True, type=Path, help="frames of one video; their names give the order"
    )
    parser.add_argument("--output", required=True, type=Path, help="capture file to write (.pt)")
    parser.add_argument("--model_type", choices=("smpl", "smplx"), default="smpl", help="which of CameraHMR's networks")
    parser.add_argument(
        "--fps", type=frame_rate, help="frame rate at which the frames were taken from the video; saved with the result"
    )
    parser.add_argument(
        "--focal_length", type=float, help="pixels (default: the median of CameraHMR's estimates for the frames)"
    )
    person = "tracked: the same person in all frames; largest: the largest person of each frame"
    parser.add_argument("--person", choices=("tracked", "largest"), default="tracked", help=person)
    parser.add_argument(
        "--overlay_folder", type=Path, help="folder for CameraHMR's pictures; without it, nothing is drawn"
    )
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


# -------------------------------------------------------------------------------------------------------------- network


class Listener:
    """The inputs and results of CameraHMR's network for one image."""

    def __init__(self, estimator):
        if not hasattr(getattr(estimator, "model", None), "register_forward_hook"):
            raise CannotRun(
                "HumanMeshEstimator has no network called model; this script does not support this version of "
                "CameraHMR."
            )
        self.bodies = []
        estimator.model.register_forward_hook(self._hear)

    def bodies_in(self, estimator, path, folder, number):
        """One dict per person that CameraHMR finds in an image."""
        self.bodies = []
        estimator.process_image(str(path), str(folder), number)
        return self.bodies

    def _hear(self, _network, inputs, answer):
        batch, (params, camera) = inputs[0], answer[:2]
        wanted = ("box_size", "box_center", "img_size", "cam_int")
        missing = [key for key in wanted if key not in batch]
        if missing:
            lacks, has = " and no ".join(missing), ", ".join(sorted(batch))
            raise CannotRun(f"CameraHMR's batch has no {lacks} (it has {has}); this script knows another version.")
        answers = {
            "global_orient": params["global_orient"],
            "body_pose": params["body_pose"],
            "betas": params["betas"],
            "camera": camera,
        }
        known = dict(answers, **{key: batch[key] for key in wanted})
        arrays = {key: value.detach().cpu().double().numpy() for key, value in known.items()}
        for index in range(len(arrays["camera"])):
            self.bodies.append({key: value[index] for key, value in arrays.items()})


class NoRenderer:
    """Replaces CameraHMR's renderer, which needs OpenGL: the picture does not change."""

    def __init__(self, *_, **__):
        pass

    def render_front_view(self, _vertices, bg_img_rgb=None, **__):
        return bg_img_rgb

    def delete(self):
        pass


def load_estimator(model_type, draw):
    """CameraHMR's HumanMeshEstimator; older versions know only SMPL and take no model_type."""
    import mesh_estimator

    if not draw:
        mesh_estimator.Renderer = NoRenderer
    make = mesh_estimator.HumanMeshEstimator
    if "model_type" in inspect.signature(make).parameters:
        return make(model_type=model_type)
    if model_type != "smpl":
        raise CannotRun(
            f"--model_type {model_type}: this CameraHMR supports only SMPL. Update the checkout, or omit the flag."
        )
    return make()


def rest_pelvis(estimator, betas, model_type):
    """(T, 3) rest pelvis of these shapes, from the checkout's own body model; for the shape of zeros if it has none.

    Older checkouts call the model ``smpl_model``, newer ones ``body_model``.
    """
    import numpy as np

    bodies = [getattr(estimator, name, None) for name in ("body_model", "smpl_model")]
    parts = ("J_regressor", "v_template", "shapedirs")
    body = next((one for one in bodies if all(hasattr(one, name) for name in parts)), None)
    if body is None:
        say(
            "warning: this CameraHMR has no body model with J_regressor, v_template and shapedirs; the pelvis of the "
            "shape of zeros is used, which is up to 36 mm off."
        )
        return np.tile(SMPL_PELVIS if model_type == "smpl" else SMPLX_PELVIS, (len(betas), 1))
    weights, template, directions = (
        getattr(body, name).detach().cpu().double().numpy() for name in ("J_regressor", "v_template", "shapedirs")
    )
    count = min(betas.shape[1], directions.shape[2])
    return weights[0] @ template + betas[:, :count] @ np.einsum("v,vdk->kd", weights[0], directions[:, :, :count])


# --------------------------------------------------------------------------------------------------------------- person


def box_areas(boxes):
    """(K, 4) x1 y1 x2 y2 to (K,) areas."""
    return (boxes[:, 2] - boxes[:, 0]).clip(min=0) * (boxes[:, 3] - boxes[:, 1]).clip(min=0)


def box_overlaps(boxes, box):
    """Intersection over union of each of (K, 4) boxes with one box, (K,)."""
    left_top, right_bottom = boxes[:, :2].clip(min=box[:2]), boxes[:, 2:].clip(max=box[2:])
    shared = (right_bottom - left_top).clip(min=0).prod(axis=1)
    return shared / (box_areas(boxes) + box_areas(box[None])[0] - shared).clip(min=1e-9)


class PersonChooser:
    """Chooses the detected box of the person to export, frame by frame."""

    def __init__(self, tracked, patience):
        """``tracked``: follow one person by overlap.

        ``patience``: frames without that person before the largest person is chosen instead.
        """
        self.tracked, self.patience = tracked, patience
        self.previous, self.hidden = None, 0

    def choose(self, boxes):
        """The index of the person among (K, 4) boxes, or None if the person is not in this frame."""
        index = self._index(boxes) if len(boxes) else None
        self.hidden = self.hidden + 1 if index is None else 0
        self.previous = self.previous if index is None else boxes[index]
        return index

    def _index(self, boxes):
        if not self.tracked or self.previous is None or self.hidden > self.patience:
            return int(box_areas(boxes).argmax())
        overlaps = box_overlaps(boxes, self.previous)
        return int(overlaps.argmax()) if overlaps.max() >= MIN_OVERLAP else None


def square_boxes(bodies):
    """(K, 4) x1 y1 x2 y2 of the squares that the network saw."""
    import numpy as np

    centres = np.array([body["box_center"] for body in bodies], dtype=np.float64).reshape(-1, 2)
    sizes = np.array([body["box_size"] for body in bodies], dtype=np.float64).reshape(-1, 1)
    return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)


# --------------------------------------------------------------------------------------------------------------- frames


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


def capture_frames(args, estimator, frames, overlay_folder):
    """The followed person's body in each frame that shows it, and these frames' numbers, counted from 0."""
    import cv2
    from tqdm import tqdm

    listener = Listener(estimator)
    chooser = PersonChooser(args.person == "tracked", patience=math.ceil(LOST_AFTER_SECONDS * (args.fps or 30)))
    bodies, indices = [], []
    for number, path in enumerate(tqdm(frames, desc="CameraHMR", unit="frame", disable=None)):
        if cv2.imread(str(path)) is None:
            raise CannotRun(f"{path}: is not a picture that OpenCV can read. Extract the frames from the video again.")
        found = listener.bodies_in(estimator, path, overlay_folder, number)
        chosen = chooser.choose(square_boxes(found))
        if chosen is not None:
            bodies.append(found[chosen])
            indices.append(number)
    return bodies, indices


# --------------------------------------------------------------------------------------------------------------- result


def rotation_vectors(matrices):
    """(T, J, 3, 3) rotation matrices to (T, 3 J) axis times angle."""
    import cv2
    import numpy as np

    flat = matrices.reshape(-1, 3, 3)
    return np.stack([cv2.Rodrigues(matrix)[0][:, 0] for matrix in flat]).reshape(len(matrices), -1)


def full_image_translation(columns, focal):
    """(T, 3) translation in the whole image's camera of one focal length.

    tz = 2 f / (b s), x = tx + 2 (cx - W/2) / (s b), y likewise.
    """
    import numpy as np

    scale = columns["camera"][:, 0] * columns["box_size"].reshape(-1)
    centre = columns["img_size"][:, ::-1] / 2  # img_size is [height, width]
    plane = columns["camera"][:, 1:] + 2 * (columns["box_center"] - centre) / scale[:, None]
    return np.concatenate([plane, 2 * focal / scale[:, None]], axis=1)


def assemble(columns, indices, num_frames, args, pelvis):
    """The documented dict of float32 tensors."""
    import numpy as np
    import torch

    sizes = columns["box_size"].reshape(-1, 1)
    focal = args.focal_length or float(np.median(columns["cam_int"][:, 0, 0]))
    arrays = {
        "global_orient": rotation_vectors(columns["global_orient"].reshape(-1, 1, 3, 3)),
        "body_pose": rotation_vectors(columns["body_pose"][:, :21]),
        "transl": full_image_translation(columns, focal) + pelvis - np.array(SMPLX_PELVIS),
        "focal_length": np.full((len(indices), 1), focal),
        "focal_length_raw": columns["cam_int"][:, :1, 0],
        "width": columns["img_size"][:, 1:],
        "height": columns["img_size"][:, :1],
        "betas": columns["betas"],
        "bbox": np.concatenate([columns["box_center"] - sizes / 2, sizes, sizes], axis=1),
    }
    result = {key: torch.tensor(value, dtype=torch.float32) for key, value in arrays.items()}
    result.update(
        frame_index=torch.tensor(indices, dtype=torch.int64), num_frames=torch.tensor([num_frames], dtype=torch.int64)
    )
    result.update(source="camerahmr", model_type=args.model_type)
    if args.fps is not None:
        result["fps"] = torch.tensor([args.fps], dtype=torch.float64)
    return result


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


def save(result, path):
    """Write the file atomically, through a temporary name."""
    import torch

    temporary = path.with_name("." + path.name + ".tmp")
    try:
        torch.save(result, str(temporary))
        os.replace(str(temporary), str(path))
    except (OSError, RuntimeError) as error:  # torch.save reports a full disk as a RuntimeError
        raise CannotRun(f"{path}: cannot be written: {getattr(error, 'strerror', None) or one_line(error)}.") from None
    finally:
        if temporary.exists():
            temporary.unlink()


def frame_ranges(indices):
    """Frame numbers in words: ``0-3, 7, 9-12``."""
    runs = []
    for index in indices:
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    words = [str(first) if first == last else f"{first}-{last}" for first, last in runs]
    return ", ".join(words[:12]) + (", ..." if len(words) > 12 else "")


# -------------------------------------------------------------------------------------------------------------- command


def say(text):
    print(text, flush=True)


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


def report(indices, wanted, path):
    missing = sorted(set(wanted) - set(indices))
    say(f"{path}: {len(indices)} of {len(wanted)} frames.")
    if missing:
        say(f"Without the person: {frame_ranges(missing)} (frame_index tells).")


def stack(bodies):
    """One dict per row to one array per key."""
    import numpy as np

    columns = {key: np.stack([body[key] for body in bodies]) for key in bodies[0]}
    if not (columns["img_size"] == columns["img_size"][0]).all():
        raise CannotRun("the frames have different sizes; extract them from the video again.")
    return columns


def run(args):
    frames = list_frames(args.image_folder.resolve())
    output = args.output.resolve()
    overlay_folder = args.overlay_folder.resolve() if args.overlay_folder else None
    if any(output == frame.resolve() for frame in frames):
        raise CannotRun(f"{args.output}: is one of the frames and would be overwritten. Give another --output.")
    if overlay_folder == args.image_folder.resolve():
        raise CannotRun(f"{args.overlay_folder}: contains the frames, which would be overwritten. Give another folder.")
    require_writable(output)
    os.chdir(str(ROOT))  # CameraHMR names its weights relative to the checkout
    sys.path.insert(0, str(ROOT))
    estimator = load_estimator(args.model_type, draw=overlay_folder is not None)
    with tempfile.TemporaryDirectory() as scratch:
        if overlay_folder is not None:
            overlay_folder.mkdir(parents=True, exist_ok=True)
        bodies, indices = capture_frames(args, estimator, frames, overlay_folder or scratch)
    if not bodies:
        raise CannotRun(
            f"no person was found in any of the {len(frames)} frames of {args.image_folder}; "
            "no file was written. Check the video."
        )
    columns = stack(bodies)
    pelvis = rest_pelvis(estimator, columns["betas"], args.model_type)
    save(assemble(columns, indices, len(frames), args, pelvis), output)
    report(indices, range(len(frames)), output)


def main():
    args = build_parser().parse_args()
    if args.focal_length is not None and not 0 < args.focal_length < math.inf:
        return fail(f"--focal_length {args.focal_length}: expected pixels above zero.")
    try:
        run(args)
    except CannotRun as error:
        return fail(error)
    except Exception as error:  # noqa: BLE001 - the checkout, its packages and the GPU can raise anything
        if os.environ.get("CAMERAHMR_TRACEBACK"):
            raise
        return fail(f"CameraHMR in {ROOT} {what_stopped(error)}. Set CAMERAHMR_TRACEBACK=1 to see where.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
