"""Write a known motion as each HMR system documents its output; written from the layouts, not from the readers."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import joblib
import numpy as np
import torch
from scipy.spatial.transform import Rotation

WIDTH, HEIGHT = 640, 360
FOCAL = 900.0
SMPL_PELVIS = np.array([-0.00179506, -0.22333382, 0.02821918])
SMPLX_PELVIS = np.array([0.00312326, -0.35140744, 0.01203655])


@dataclass(frozen=True)
class Known:
    """A person in a camera's frame: root (T, 3, 3), body (T, 21, 3, 3), pelvis (T, 3), source frame of each row."""

    root: np.ndarray
    body: np.ndarray
    pelvis: np.ndarray
    frames: np.ndarray

    def rows(self, keep) -> Known:
        """Some of the rows."""
        return Known(self.root[keep], self.body[keep], self.pelvis[keep], self.frames[keep])

    def seen_from(self, rotation: np.ndarray, shift: np.ndarray) -> Known:
        """The same person where p' = rotation p + shift (rotations (3, 3) or one a frame)."""
        return Known(rotation @ self.root, self.body, (rotation @ self.pelvis[..., None])[..., 0] + shift, self.frames)


def known_person(frames: int = 20, seed: int = 0) -> Known:
    """Somebody who sways and walks in front of the camera, upright."""
    random = np.random.default_rng(seed)

    def wave(size: int, amount: float) -> np.ndarray:
        rate, phase = random.uniform(0.02, 0.08, size), random.uniform(0, 6.28, size)
        return amount * np.sin(6.28 * rate * np.arange(frames)[:, None] + phase)

    upright = Rotation.from_rotvec([np.pi, 0, 0])
    root = (Rotation.from_rotvec(wave(3, 0.3)) * upright).as_matrix()
    body = Rotation.from_rotvec(wave(63, 0.7).reshape(-1, 3)).as_matrix().reshape(frames, 21, 3, 3)
    return Known(root, body, wave(3, 0.4) + [0.1, 0.05, 5.0], np.arange(frames))


def gravity_world(frames: int) -> tuple[np.ndarray, np.ndarray]:
    """The path of a moving camera in a world with y up: p_world = R p_camera + T, with R (T, 3, 3) and T (T, 3)."""
    turn = np.linspace(0, 0.5, frames)[:, None] * [0.2, 1.0, 0.1]
    level = np.diag([1.0, -1.0, -1.0])
    return Rotation.from_rotvec(turn).as_matrix() @ level, np.linspace(0, 1, frames)[:, None] * [0.5, 0.1, 1.0] + [
        0,
        1.4,
        0,
    ]


def rotvec(matrices: np.ndarray) -> np.ndarray:
    """(T, ..., 3, 3) to (T, 3 * joints) axis-angle."""
    return Rotation.from_matrix(matrices.reshape(-1, 3, 3)).as_rotvec().reshape(len(matrices), -1)


def smpl_transl(person: Known) -> np.ndarray:
    return person.pelvis - SMPL_PELVIS


def smplx_transl(person: Known) -> np.ndarray:
    return person.pelvis - SMPLX_PELVIS


def smpl_rotations(person: Known) -> np.ndarray:
    """(T, 24, 3, 3): the root, the 21 joints shared with SMPL-X, and two turned hands that SMPL-X has not."""
    hands = np.broadcast_to(Rotation.from_rotvec([0.3, -0.2, 0.1]).as_matrix(), (len(person.root), 2, 3, 3))
    return np.concatenate([person.root[:, None], person.body, hands], axis=1)


def tensors(values: dict) -> dict:
    return {key: torch.tensor(np.asarray(value), dtype=torch.float32) for key, value in values.items()}


def write_standard(folder: Path, person: Known, **more) -> Path:
    values = {"global_orient": rotvec(person.root), "body_pose": rotvec(person.body), "transl": smplx_transl(person)}
    camera = {
        "focal_length": np.full((len(person.root), 1), FOCAL),
        "width": np.full((len(person.root), 1), WIDTH),
        "height": np.full((len(person.root), 1), HEIGHT),
    }
    path = folder / "hmr.pt"
    torch.save({**tensors(values | camera), "frame_index": torch.tensor(person.frames), **more}, path)
    return path


def crop_cameras(frames: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Focal lengths (T, 2) and principal points (T, 2) of the network's camera for 3:4 boxes that follow a person."""
    random = np.random.default_rng(seed)
    width = 120 + 20 * np.sin(np.arange(frames) / 4)
    corner = np.stack([200 + 40 * np.sin(np.arange(frames) / 6), 40 + 10 * random.random(frames)], axis=1)
    size = np.stack([width, width * 4 / 3], axis=1)
    return size * [5000 / 192, 5000 / 256], corner + size / 2


def in_crop_camera(
    transl: np.ndarray, focal: np.ndarray, centre: np.ndarray, fixed_focal: float, fixed_centre: np.ndarray
) -> np.ndarray:
    """The translation that puts the point transl of a fixed camera at the same pixel of each crop's camera, the depth
    following the focal length.
    """
    depth = transl[:, 2:] * focal[:, :1] / fixed_focal
    return np.concatenate([transl[:, :2] - (centre - fixed_centre) * depth / focal, depth], axis=1)


def write_smplest_x(folder: Path, person: Known, retargeted: bool) -> Path:
    frames = len(person.root)
    focal, centre = crop_cameras(frames)
    middle = np.array([WIDTH, HEIGHT]) / 2
    values = {
        "global_orient": rotvec(person.root),
        "body_pose": rotvec(person.body),
        "betas": np.full((frames, 10), 0.5),
    }
    values |= {
        "width": np.full((frames, 1), WIDTH),
        "height": np.full((frames, 1), HEIGHT),
        "bbox": np.ones((frames, 4)),
        "detection_score": np.ones(frames),
    }
    fixed, own = (
        np.full((frames, 2), focal[0, 0]),
        in_crop_camera(smplx_transl(person), focal, centre, focal[0, 0], middle),
    )
    raw = {"transl": own, "focal_length": focal[:, :1], "focal_length_xy": focal, "princpt": centre}
    if retargeted:
        values |= {f"{key}_raw": value for key, value in raw.items()}
        raw = {
            "transl": smplx_transl(person),
            "focal_length": fixed[:, :1],
            "focal_length_xy": fixed,
            "princpt": np.tile(middle, (frames, 1)),
        }
    extra = {
        "frame_index": torch.tensor(person.frames),
        "fps": torch.tensor([24.0]),
        "num_frames": torch.tensor([int(person.frames[-1]) + 3]),
    }
    extra |= {"retargeted_cam": torch.ones(1, dtype=torch.uint8)} if retargeted else {}
    path = folder / "clip_params.pt"
    torch.save({**tensors(values | raw), **extra}, path)
    return path


def write_smpler_x(folder: Path, people: list[Known], with_frame: bool = True) -> Path:
    """``people[i]`` has the box i, or wherever the others leave room: in every other frame the boxes come in reversed
    order.
    """
    out = folder / "results" / "clip"
    (out / "smplx").mkdir(parents=True)
    (out / "meta").mkdir()
    if with_frame:
        (folder / "images" / "clip").mkdir(parents=True)
        cv2.imwrite(
            str(folder / "images" / "clip" / f"{people[0].frames[0] + 1:06}.jpg"),
            np.zeros((HEIGHT, WIDTH, 3), np.uint8),
        )
    middle = np.array([WIDTH, HEIGHT]) / 2
    for order, person in enumerate(people):
        focal, centre = crop_cameras(len(person.root), seed=order)
        centre = centre + [300 * order, 0]
        transl = in_crop_camera(smplx_transl(person), focal, centre, focal[0, 0], middle)
        for row, frame in enumerate(person.frames):
            box = len(people) - 1 - order if frame % 2 else order
            size = focal[row] * [192 / 5000, 256 / 5000]
            values = {
                "global_orient": rotvec(person.root[row : row + 1]),
                "body_pose": rotvec(person.body[row : row + 1]).reshape(21, 3),
                "transl": transl[row : row + 1],
            }
            values |= {
                "betas": np.zeros((1, 10)),
                "expression": np.zeros((1, 10)),
                "jaw_pose": np.zeros((1, 3)),
                "left_hand_pose": np.zeros((15, 3)),
            }
            np.savez(out / "smplx" / f"{frame + 1:05}_{box}.npz", **values)
            meta = {
                "focal": focal[row].tolist(),
                "princpt": centre[row].tolist(),
                "bbox": [*(centre[row] - size / 2), *size],
                "bbox_id": box,
            }
            (out / "meta" / f"{frame + 1:05}_{box}.json").write_text(
                json.dumps(meta | {"img_path": f"../images/clip/{frame + 1:06}.jpg"})
            )
    return out


def write_camerahmr(folder: Path, person: Known, body: str) -> Path:
    smpl = {
        "global_orient": person.root[:, None],
        "body_pose": smpl_rotations(person)[:, 1:],
        "transl": smpl_transl(person),
    }
    smplx = {"global_orient": person.root[:, None], "body_pose": person.body, "transl": smplx_transl(person)}
    camera = {"focal_length": [FOCAL], "width": [WIDTH], "height": [HEIGHT], "betas": np.zeros((len(person.root), 10))}
    path = folder / "frames.pt"
    torch.save(
        {
            **tensors((smpl if body == "smpl" else smplx) | camera),
            "frame_index": torch.tensor(person.frames),
            "body_model": body,
        },
        path,
    )
    return path


def write_4dhumans(
    folder: Path, people: dict[int, Known], ghosts: dict[int, list[int]], frames: int, compress: int = 3
) -> Path:
    """``ghosts[tid]``: frames in which a track is only remembered; its values are then those of its last frame."""
    result = {}
    for frame in range(frames):
        entry = {
            key: []
            for key in (
                "tid",
                "bbox",
                "tracked_time",
                "smpl",
                "camera",
                "camera_bbox",
                "size",
                "3d_joints",
                "mask",
                "conf",
                "class_name",
            )
        }
        for tid, person in people.items():
            seen = person.frames == frame
            remembered = frame in ghosts.get(tid, [])
            if not seen.any() and not remembered:
                continue
            row = int(np.argmax(seen)) if seen.any() else int(np.searchsorted(person.frames, frame)) - 1
            rotations = smpl_rotations(person)[row].astype(np.float32)
            entry["tid"].append(tid)
            entry["tracked_time"].append(0 if seen.any() else 3)
            entry["smpl"].append(
                {"global_orient": rotations[:1], "body_pose": rotations[1:], "betas": np.zeros(10, np.float32)}
            )
            entry["camera"].append(smpl_transl(person)[row].astype(np.float32))
            entry["size"].append([HEIGHT, WIDTH])
            entry["mask"].append({"size": [HEIGHT, WIDTH], "counts": b"abc"})
            for key in ("bbox", "camera_bbox", "3d_joints", "conf", "class_name"):
                entry[key].append(np.zeros(4))
        live = [tid for tid, time in zip(entry["tid"], entry["tracked_time"], strict=True) if time == 0]
        result[f"outputs//_DEMO/clip/img/{frame + 1:06d}.jpg"] = {
            "time": frame,
            "shot": 0,
            "frame_path": "x",
            **entry,
            "tracked_ids": live,
            "tracked_bbox": live,
        }
    path = folder / "demo_clip.pkl"
    joblib.dump(result, path, compress=compress)
    return path


def write_wham(
    folder: Path, people: dict[int, Known], worlds: dict[int, Known], mid_hips: dict[int, np.ndarray]
) -> Path:
    result = defaultdict(dict)
    for name, person in people.items():
        result[name] = {
            "pose": rotvec(smpl_rotations(person)).astype(np.float32),
            "trans": smpl_transl(person).astype(np.float32),
            "pose_world": rotvec(smpl_rotations(worlds[name])).astype(np.float32),
            "trans_world": mid_hips[name].astype(np.float32),
            "betas": np.zeros((len(person.root), 10), np.float32),
            "verts": np.zeros((len(person.root), 100, 3), np.float32),
            "frame_ids": person.frames,
        }
    path = folder / "wham_output.pkl"
    joblib.dump(result, path)
    return path


def write_gvhmr(
    folder: Path, person: Known, world: Known, betas: np.ndarray | None = None, shift: np.ndarray | float = 0.0
) -> Path:
    """``shift``: where the shape's pelvis is at rest, compared to the shape of zeros."""
    shape = np.zeros((len(person.root), 10)) if betas is None else betas

    def values(one: Known) -> dict:
        return tensors(
            {
                "global_orient": rotvec(one.root),
                "body_pose": rotvec(one.body),
                "transl": smplx_transl(one) - shift,
                "betas": shape,
            }
        )

    intrinsic = np.array([[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]])
    cameras = torch.tensor(np.tile(intrinsic, (len(person.root), 1, 1)), dtype=torch.float32)
    path = folder / "hmr4d_results.pt"
    net = {"model_output": {"pred_x": torch.zeros(1, 4)}, "static_conf_logits": torch.zeros(1, 3)}
    torch.save(
        {
            "smpl_params_global": values(world),
            "smpl_params_incam": values(person),
            "K_fullimg": cameras,
            "net_outputs": net,
        },
        path,
    )
    return path


def write_gem_smpl(folder: Path, person: Known, world: Known, segments: list[dict] | None = None) -> Path:
    """GVHMR's numbers under GEM-SMPL's names; betas are optional, the lens is the longer side."""

    def values(one: Known) -> dict:
        pose = {"global_orient": rotvec(one.root), "body_pose": rotvec(one.body), "transl": smplx_transl(one)}
        return tensors(pose)

    intrinsic = np.array([[WIDTH, 0, WIDTH / 2], [0, WIDTH, HEIGHT / 2], [0, 0, 1]])
    path = folder / "smpl_params.pt"
    whole = [{"start": 0, "end": len(person.root), "type": "video", "video_path": None}]
    torch.save(
        {
            "body_params_incam": values(person),
            "body_params_global": values(world),
            "K_fullimg": torch.tensor(np.tile(intrinsic, (len(person.root), 1, 1)), dtype=torch.float32),
            "segment_info": whole if segments is None else segments,
        },
        path,
    )
    return path


def write_tram(folder: Path, people: list[Known], frames: int) -> Path:
    out = folder / "clip"
    (out / "hps").mkdir(parents=True)
    for number, person in enumerate(people):
        rotations = smpl_rotations(person)
        values = {
            "pred_cam": np.zeros((len(rotations), 3)),
            "pred_pose": rotations[..., :2].reshape(len(rotations), -1),
            "pred_shape": np.zeros((len(rotations), 10)),
        }
        values |= {"pred_rotmat": rotations, "pred_trans": smpl_transl(person)[:, None]}
        np.save(
            out / "hps" / f"hps_track_{number}.npy",
            {**tensors(values), "frame": torch.tensor(person.frames)},
            allow_pickle=True,
        )
    rotation, shift = gravity_world(frames)
    camera = {
        "pred_cam_R": rotation,
        "pred_cam_T": shift,
        "world_cam_R": rotation,
        "world_cam_T": shift,
        "img_focal": np.float64(FOCAL),
    }
    np.save(
        out / "camera.npy",
        {**camera, "img_center": np.array([WIDTH, HEIGHT]) / 2, "spec_focal": 1.0},
        allow_pickle=True,
    )
    np.save(out / "boxes.npy", np.zeros((frames, 5)))
    return out


def write_prompthmr(folder: Path, people: dict[int, Known], worlds: dict[int, Known]) -> Path:
    entries = {}
    for name, person in people.items():
        count = len(person.root)
        extra = np.broadcast_to(np.eye(3), (count, 33, 3, 3))
        world_pose = np.concatenate(
            [rotvec(worlds[name].root), rotvec(worlds[name].body), np.zeros((count, 99))], axis=1
        )
        camera = {
            "rotmat": np.concatenate([person.root[:, None], person.body, extra], axis=1),
            "shape": np.zeros((count, 10)),
            "trans": smplx_transl(person),
        }
        camera["pose"] = np.concatenate([rotvec(person.root), rotvec(person.body), np.zeros((count, 9))], axis=1)
        world = {"pose": world_pose, "shape": np.zeros((count, 10)), "trans": smplx_transl(worlds[name])}
        entries[name] = {
            "track_id": name,
            "frames": person.frames,
            "bboxes": np.zeros((count, 4)),
            "smplx_cam": camera,
            "smplx_world": world,
        }
    lens = {
        "img_focal": np.float32(FOCAL),
        "img_center": np.array([WIDTH, HEIGHT]) / 2,
        "pred_cam_R": np.zeros((5, 3, 3)),
    }
    path = folder / "results.pkl"
    joblib.dump(
        {"camera": lens, "camera_world": dict(lens), "people": entries, "timings": {"total": 1.5}, "has_tracks": True},
        path,
    )
    return path


def sam_keypoints(person: Known, scale: float = 1.0) -> np.ndarray:
    """(T, 70, 3) points in the camera, by joints and bones alone: metres, of a person who is ``scale`` times as tall.

    Faces, hands and feet are placed as on a person, not as the reader has them.
    """
    from motion_rep.kinematics.skeleton import JOINT_NAMES, forward_kinematics

    values = (torch.tensor(value) for value in (person.root, person.body, person.pelvis - SMPLX_PELVIS))
    pose = forward_kinematics(*values)
    places, turns = pose.positions.numpy(), pose.rotations.numpy()
    points = np.zeros((len(places), 70, 3))

    def put(number: int, joint: str, offset: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> None:
        at = JOINT_NAMES.index(joint)
        points[:, number] = places[:, at] + turns[:, at] @ np.array(offset)

    put(0, "head", (0.0, 0.01, 0.1))
    put(69, "neck", (0.0, 0.02, 0.0))
    for side, (name, sign, hand) in enumerate((("left", 1.0, 42), ("right", -1.0, 21))):
        put(3 + side, "head", (0.07 * sign, 0.02, 0.0))
        for first, joint in ((5, "shoulder"), (7, "elbow"), (9, "hip"), (11, "knee"), (13, "ankle")):
            put(first + side, f"{name}_{joint}")
        feet = (((-0.02, 0.0, 0.06)), ((0.035, 0.0, 0.03)))
        for number, (x, y, z) in enumerate(feet):
            put(15 + 3 * side + number, f"{name}_foot", (x * sign, y, z))
        put(17 + 3 * side, f"{name}_ankle", (0.0, -0.05, -0.05))
        put(hand + 20, f"{name}_wrist")
        for finger, z in ((7, 0.025), (11, 0.0), (15, -0.02), (19, -0.04)):
            put(hand + finger, f"{name}_wrist", (0.085 * sign, -0.01, z))
    pelvis = person.pelvis[:, None]
    return pelvis + scale * (points - pelvis)


def write_sam_3d_body(folder: Path, people: list[Known], per_frame: bool, scale: float = 1.0) -> Path:
    """One npz a clip, as our drop-in writes it, or one a frame, with all its people."""
    rows = []
    for order, person in enumerate(people):
        for points, frame in zip(sam_keypoints(person, scale), person.frames, strict=True):
            place = points[9:11].mean(0) + [0.01, 0.02, 0.0]
            left = 40.0 + 300 * order + frame
            rows.append(
                {
                    "frame": frame,
                    "pred_keypoints_3d": (points - place).astype(np.float32),
                    "pred_cam_t": place.astype(np.float32),
                    "focal_length": np.float32(FOCAL),
                    "bbox": np.array([left, 30, left + 100, 330], np.float32),
                }
            )
    rows.sort(key=lambda row: row["frame"])

    def stacked(some: list[dict]) -> dict:
        return {key: np.stack([row[key] for row in some]) for key in some[0] if key != "frame"}

    if per_frame:
        out = folder / "sam"
        out.mkdir()
        for frame in sorted({row["frame"] for row in rows}):
            here = [row for row in rows if row["frame"] == frame]
            one = stacked(here) if len(here) > 1 else {key: here[0][key] for key in here[0] if key != "frame"}
            np.savez(out / f"{frame + 1:06d}.npz", **one)
        return out
    path = folder / "params.npz"
    more = {"width": WIDTH, "height": HEIGHT, "fps": 24.0, "num_frames": 20}
    np.savez(path, **stacked(rows), frame_index=np.array([row["frame"] for row in rows]), **more)
    return path


def write_amass(folder: Path, z_up: Known, body: str, rate: float = 120.0) -> Path:
    poses = np.concatenate([rotvec(z_up.root), rotvec(z_up.body)], axis=1)
    path = folder / "subject_walk_poses.npz"
    if body == "smplh":
        values = {
            "poses": np.pad(poses, ((0, 0), (0, 90))),
            "trans": smpl_transl(z_up),
            "mocap_framerate": rate,
            "gender": np.array(b"male"),
            "dmpls": np.zeros((3, 8)),
        }
    else:
        values = {
            "poses": np.pad(poses, ((0, 0), (0, 99))),
            "trans": smplx_transl(z_up),
            "mocap_frame_rate": rate,
            "gender": "neutral",
            "root_orient": poses[:, :3],
        }
        values["markers_latent_vids"] = np.array({"a": 1}, dtype=object)
    np.savez(path, betas=np.zeros(16), **values)
    return path
