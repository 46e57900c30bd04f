"""Drop-in for SMPLest-X's ``main/inference.py``: the same run, which also saves the body parameters of one person.

Stages: detect people in every frame, choose the one to follow, run the network on that crop, collect one row for each
frame that shows the person, map all rows to one camera, save. Copy it over ``main/inference.py`` of a SMPLest-X
checkout; it needs nothing else, and runs on that project's Python 3.8 and torch 1.12. ``scripts/inference.sh`` calls
it. The README next to the original lists the keys of the file that it writes.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Smallest overlap of a person's boxes in neighbouring frames, and the longest time out of sight, before it counts as
# someone else.
MIN_OVERLAP = 0.1
LOST_AFTER_SECONDS = 0.5


class CannotRun(Exception):
    """An error that the user can fix; the message is one line."""


def build_parser():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--file_name", default="test", help="folder of frames in demo/input_frames, named 000001.jpg, 000002.jpg, ..."
    )
    parser.add_argument("--ckpt_name", default="model_dump", help="folder in pretrained_models")
    parser.add_argument("--num_gpus", type=int, default=1, help="accepted as in the original; one is used")
    parser.add_argument("--start", type=int, default=1, help="first frame")
    parser.add_argument("--end", type=int, default=1, help="last frame")
    parser.add_argument(
        "--fps", type=frame_rate, help="frame rate at which the frames were taken from the video; saved with the result"
    )
    person = "tracked: the same person in all frames; largest: the largest person of each frame"
    parser.add_argument("--person", choices=("tracked", "largest"), default="tracked", help=person)
    one_camera = "map every frame to one camera: focal length of the first frame, principal point in the centre"
    parser.add_argument("--retarget_cam", dest="retarget_cam", action="store_true", help=one_camera)
    parser.add_argument(
        "--no_retarget_cam", dest="retarget_cam", action="store_false", help="keep a camera of its own for every frame"
    )
    parser.add_argument("--device", choices=("auto", "cuda", "mps", "cpu"), default="auto")
    parser.add_argument("--no_render", action="store_true", help="draw only the box into the preview frames")
    parser.add_argument("--params_file", type=absolute, help="default: demo/<file_name>_params.pt")
    parser.set_defaults(retarget_cam=False)
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


def absolute(text):
    """argparse type: a path of the folder in which the user is; the script goes to the checkout."""
    return Path(text).resolve()


# --------------------------------------------------------------------------------------------------------------- device


def choose_device(name):
    """``cuda``, ``mps`` or ``cpu``. Must be called before torch is imported, because a GPU can be hidden only then."""
    if name == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    import torch

    mps = getattr(torch.backends, "mps", None)
    there = {"cuda": torch.cuda.is_available(), "mps": mps is not None and mps.is_available(), "cpu": True}
    if name == "auto":
        return next(device for device in ("cuda", "mps", "cpu") if there[device])
    if not there[name]:
        raise CannotRun(f"--device {name}: torch finds no such device here. Use --device auto.")
    return name


def redirect_cuda(device):
    """Make SMPLest-X's own ``.cuda()`` calls and its checkpoint loading use ``device``; its code knows only CUDA."""
    import torch

    def tensor_cuda(tensor, *_, **__):
        tensor = tensor.float() if device == "mps" and tensor.dtype == torch.float64 else tensor
        return tensor.to(device)

    torch.Tensor.cuda = tensor_cuda
    torch.nn.Module.cuda = lambda module, *_, **__: module.to(device)
    load = torch.load
    torch.load = lambda *args, **options: load(*args, **dict({"map_location": device}, **options))


# -------------------------------------------------------------------------------------------------------------- network


def load_config(args, log_dir):
    """The checkpoint's own configuration, with its log next to this video's temporary frames."""
    from main.config import Config

    folder = Path("pretrained_models") / args.ckpt_name
    checkpoint = folder / (args.ckpt_name + ".pth.tar")
    for path in (folder / "config_base.py", checkpoint):
        if not path.is_file():
            raise CannotRun(f"{path}: not found in {ROOT}. Download the checkpoint as described in SMPLest-X's README.")
    cfg = Config.load_config(str(folder / "config_base.py"))
    log = {"exp_name": "inference_" + args.file_name, "log_dir": str(log_dir)}
    cfg.update_config({"model": {"pretrained_model_path": str(checkpoint)}, "log": log})
    cfg.prepare_log()
    return cfg


def load_network(cfg):
    """SMPLest-X's network, called with {"img": (1, 3, 512, 384)}, {}, {}, "test"; and the faces of its body."""
    from human_models.human_models import SMPLX
    from main.base import Tester

    body = SMPLX(cfg.model.human_model_path)  # first: the network looks for this instance
    tester = Tester(cfg)
    tester._make_model()
    return tester.model, body.face


def load_detector(cfg, device):
    """A function from an RGB image to (boxes (K, 4) x1 y1 x2 y2, scores (K,)) of the people in it."""
    import numpy as np
    from ultralytics import YOLO

    options = cfg.inference.detection
    yolo = YOLO(getattr(options, "model_path", "./pretrained_models/yolov8x.pt"))

    def detect(rgb):
        bgr = np.ascontiguousarray(
            rgb[:, :, ::-1].astype(np.uint8)
        )  # the channel order that ultralytics documents for arrays
        found = yolo.predict(
            bgr, device=device, classes=0, conf=options.conf, save=options.save, verbose=options.verbose
        )[0].boxes
        return found.xyxy.detach().cpu().numpy().reshape(-1, 4), found.conf.detach().cpu().numpy().reshape(-1)

    return detect


def crop_camera(cfg, crop):
    """The network's camera for a crop [x, y, w, h].

    Focal lengths (fx, fy) and principal point (cx, cy) in the whole image.
    """
    height, width = cfg.model.input_body_shape
    focal = [cfg.model.focal[0] / width * crop[2], cfg.model.focal[1] / height * crop[3]]
    princpt = [cfg.model.princpt[0] / width * crop[2] + crop[0], cfg.model.princpt[1] / height * crop[3] + crop[1]]
    return focal, princpt


def estimate_body(network, cfg, rgb, crop, device):
    """The network's result for one crop.

    A dict of float32 CPU tensors without the batch dimension, or None if it is not finite.
    """
    import numpy as np
    import torch
    from utils.data_utils import generate_patch_image

    patch, _, _ = generate_patch_image(
        cvimg=rgb, bbox=crop, scale=1.0, rot=0.0, do_flip=False, out_shape=cfg.model.input_img_shape
    )
    image = torch.from_numpy(np.ascontiguousarray(patch.transpose(2, 0, 1), dtype=np.float32)) / 255
    with torch.no_grad():
        out = network({"img": image[None].to(device)}, {}, {}, "test")
    names = {
        "global_orient": "smplx_root_pose",
        "body_pose": "smplx_body_pose",
        "transl": "cam_trans",
        "betas": "smplx_shape",
    }
    body = {key: out[name].detach().cpu().float().reshape(-1) for key, name in names.items()}
    body["mesh"] = out["smplx_mesh_cam"].detach().cpu().float()[0]
    return body if all(bool(torch.isfinite(value).all()) for value in body.values()) else None


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


# --------------------------------------------------------------------------------------------------------------- frames


def read_frame(path):
    """An RGB float32 image (H, W, 3), values 0 to 255, as SMPLest-X's own ``load_img`` gives it."""
    from utils.data_utils import load_img

    if not path.is_file():
        raise CannotRun(f"{path}: frame not found. Run scripts/inference.sh, which extracts the frames from the video.")
    return load_img(str(path))


def capture_frame(rgb, tools, chooser):
    """One row of the result from one image, or None if the person is not in it."""
    from utils.data_utils import process_bbox

    boxes, scores = tools.detect(rgb)
    chosen = chooser.choose(boxes)
    if chosen is None:
        return None
    height, width = rgb.shape[:2]
    x1, y1, x2, y2 = (float(value) for value in boxes[chosen])
    model, ratio = tools.cfg.model, getattr(tools.cfg.data, "bbox_ratio", 1.25)
    box = as_array([x1, y1, x2 - x1, y2 - y1])
    crop = process_bbox(
        bbox=box, img_width=width, img_height=height, input_img_shape=model.input_img_shape, ratio=ratio
    )
    body = None if crop is None else estimate_body(tools.network, tools.cfg, rgb, crop, tools.device)
    if body is None:
        return None
    focal, princpt = crop_camera(tools.cfg, crop)
    return dict(
        body,
        focal=focal,
        princpt=princpt,
        bbox=[x1, y1, x2 - x1, y2 - y1],
        score=float(scores[chosen]),
        size=(width, height),
    )


def as_array(numbers):
    import numpy as np

    return np.array(numbers, dtype=np.float32)


class Tools:
    """The network, the detector and the preview's renderer, loaded once."""

    def __init__(self, cfg, device, render):
        self.cfg, self.device = cfg, device
        self.network, self.faces = load_network(cfg)
        self.detect = load_detector(cfg, device)
        self.render_mesh = load_renderer() if render else None

    def draw_preview(self, rgb, row, path):
        """Write one preview frame; if the body cannot be drawn, only the box is."""
        import cv2

        image = rgb.copy()
        if row is not None:
            x, y, w, h = (int(value) for value in row["bbox"])
            image = cv2.rectangle(image, (x, y), (x + w, y + h), (0, 255, 0), 1)
            image = self._draw_body(image, row)
        cv2.imwrite(str(path), image[:, :, ::-1])

    def _draw_body(self, image, row):
        if self.render_mesh is None:
            return image
        try:
            camera = {"focal": row["focal"], "princpt": row["princpt"]}
            return self.render_mesh(image, row["mesh"].numpy(), self.faces, camera, mesh_as_vertices=False)
        except Exception as error:  # noqa: BLE001 - the parameters do not depend on errors of OpenGL
            no_renderer(error)
            self.render_mesh = None
            return image


def load_renderer():
    """SMPLest-X's function to draw meshes, or None if OpenGL does not work here."""
    try:
        from utils.visualization_utils import render_mesh

        return render_mesh
    except Exception as error:  # noqa: BLE001
        no_renderer(error)
        return None


def no_renderer(error):
    say(f"The body cannot be drawn into the preview here ({one_line(error)[:120]}); the parameters are not affected.")


# --------------------------------------------------------------------------------------------------------------- result


def collect(rows, indices, num_frames, fps):
    """Rows to the documented dict: float32 tensors with T rows, and the numbers that show which frames are missing."""
    import torch

    width, height = rows[0]["size"]
    focal = torch.tensor([row["focal"] for row in rows], dtype=torch.float32)
    result = {key: torch.stack([row[key] for row in rows]) for key in ("global_orient", "body_pose", "transl", "betas")}
    result.update(
        focal_length=focal[:, :1].clone(),
        focal_length_xy=focal,
        princpt=torch.tensor([row["princpt"] for row in rows], dtype=torch.float32),
        width=torch.full((len(rows), 1), float(width)),
        height=torch.full((len(rows), 1), float(height)),
        bbox=torch.tensor([row["bbox"] for row in rows], dtype=torch.float32),
        detection_score=torch.tensor([row["score"] for row in rows], dtype=torch.float32),
        frame_index=torch.tensor(indices, dtype=torch.int64),
        num_frames=torch.tensor([num_frames], dtype=torch.int64),
    )
    if fps is not None:
        result["fps"] = torch.tensor([fps], dtype=torch.float64)
    return result


def retarget(result):
    """All rows in one camera: focal length of the first row, principal point in the image's centre.

    transl moves so that the point at its depth keeps its pixel: z' = z f/fx, x' = x + (cx - cx') z/fx, y likewise.
    The earlier values are kept under ``*_raw``.
    """
    import torch

    focal_xy, princpt, transl = result["focal_length_xy"], result["princpt"], result["transl"]
    centre = torch.cat([result["width"], result["height"]], dim=1) / 2
    focal = focal_xy[0, 0]
    depth = transl[:, 2:]
    moved = torch.cat([transl[:, :2] + (princpt - centre) * depth / focal_xy, depth * focal / focal_xy[:, :1]], dim=1)
    one_camera = {
        "transl": moved,
        "focal_length": focal.expand(len(transl), 1).clone(),
        "focal_length_xy": focal.expand(len(transl), 2).clone(),
        "princpt": centre,
    }
    raw = {key + "_raw": result[key] for key in one_camera}
    return dict(result, retargeted_cam=torch.ones(1, dtype=torch.uint8), **dict(one_camera, **raw))


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


def capture_frames(args, tools, frames_dir, preview_dir):
    """All rows and their frame numbers, counted from 0."""
    from tqdm import tqdm

    chooser = PersonChooser(args.person == "tracked", patience=math.ceil(LOST_AFTER_SECONDS * (args.fps or 30)))
    rows, indices = [], []
    for number in tqdm(range(args.start, args.end + 1), desc="SMPLest-X", unit="frame", disable=None):
        path = frames_dir / f"{number:06d}.jpg"
        rgb = read_frame(path)
        hidden = chooser.hidden
        row = capture_frame(rgb, tools, chooser)
        tools.draw_preview(rgb, row, preview_dir / path.name)
        if row is None:
            continue
        if hidden > chooser.patience and rows and args.person == "tracked":
            say(
                f"frame {number - 1}: the person was out of sight for {hidden} frames; continuing with the largest "
                "person there."
            )
        row.pop("mesh")
        rows.append(row)
        indices.append(number - 1)
    return rows, indices


def report(indices, wanted, path):
    missing = sorted(set(wanted) - set(indices))
    say(f"{path}: {len(indices)} of {len(wanted)} frames.")
    if missing:
        say(f"Without the person: {frame_ranges(missing)} (frame_index tells).")


def run(args):
    if args.end < args.start or args.start < 1:
        raise CannotRun(f"--start {args.start} --end {args.end}: expected 1 <= start <= end.")
    path = args.params_file or ROOT / "demo" / (args.file_name + "_params.pt")
    require_writable(path)
    device = choose_device(args.device)
    if device != "cuda":
        redirect_cuda(device)
    frames_dir = ROOT / "demo" / "input_frames" / args.file_name
    preview_dir = ROOT / "demo" / "output_frames" / args.file_name
    preview_dir.mkdir(parents=True, exist_ok=True)
    say(f"SMPLest-X on {device}.")
    tools = Tools(load_config(args, preview_dir / "log"), device, not args.no_render)
    rows, indices = capture_frames(args, tools, frames_dir, preview_dir)
    if not rows:
        nobody = (
            f"no person was found in any of the {args.end - args.start + 1} frames of {args.file_name}; "
            "no file was written."
        )
        raise CannotRun(nobody + " Check the video, or lower inference.detection.conf in config_base.py.")
    if len({row["size"] for row in rows}) > 1:
        raise CannotRun(f"the frames in {frames_dir} have different sizes; extract them from the video again.")
    result = collect(rows, indices, args.end, args.fps)
    save(retarget(result) if args.retarget_cam else result, path)
    report(indices, range(args.start - 1, args.end), path)


def main():
    args = build_parser().parse_args()
    os.chdir(str(ROOT))  # the configuration names its files relative to the checkout
    sys.path.insert(0, str(ROOT))
    try:
        run(args)
    except CannotRun as error:
        return fail(error)
    except Exception as error:  # noqa: BLE001 - the checkout, its packages and the GPU can raise anything
        if os.environ.get("SMPLEST_X_TRACEBACK"):
            raise
        return fail(f"SMPLest-X in {ROOT} {what_stopped(error)}. Set SMPLEST_X_TRACEBACK=1 to see where.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
