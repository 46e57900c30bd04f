"""The small original video that belongs to a capture: a person of capsules in a room, through a plain pinhole
projection.

This file deliberately shares no code with the checker that later draws a motion over this video: rotations come from
OpenCV, the joint chain and the projection are written out. An overlay that fits therefore shows that both are right.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from motion_rep.kinematics.skeleton import JOINT_NAMES, PARENTS, REST_JOINTS
from motion_rep.video.writing import open_writer

SMOOTHING = 3
# Metres from the head joint in its own axes: y up, z ahead.
HEAD_MARKS = {
    "chin": (0.0, 0.005, 0.050),
    "forehead": (0.0, 0.105, 0.030),
    "crown": (0.0, 0.130, -0.010),
    "nape": (0.0, 0.060, -0.050),
}
SKIN, JUMPER, TROUSERS, SHOES, HAIR = (224, 172, 138), (46, 125, 80), (52, 58, 78), (120, 40, 36), (74, 50, 38)
WALL, SKIRTING, TILES = (214, 208, 196), (150, 140, 126), ((176, 162, 146), (162, 148, 133))
TILE, WALL_DISTANCE, ROOM_HALF_WIDTH = 0.6, 7.8, 6.0
NEAREST = 0.6
LIGHT_OFFSET = np.array([-0.25, -0.35])


@dataclass(frozen=True)
class Limb:
    """A part of the body: balls around points between two joints, and the space between the balls.

    balls: for each, (joint, other joint, share of the distance, metres).
    nearer: metres by which it counts as nearer when parts cover each other.
    """

    balls: tuple[tuple[str, str, float, float], ...]
    color: tuple[int, int, int]
    nearer: float = 0.0


def _limb(start: str, end: str, first: float, last: float, color: tuple[int, int, int], reach: float = 1.0) -> Limb:
    return Limb(((start, end, 0.0, first), (start, end, reach, last)), color)


def _both(
    start: str, end: str, first: float, last: float, color: tuple[int, int, int], reach: float = 1.0
) -> list[Limb]:
    return [_limb(f"{side}_{start}", f"{side}_{end}", first, last, color, reach) for side in ("left", "right")]


LIMBS = (
    Limb(
        (
            ("left_shoulder", "left_collar", 0.1, 0.070),
            ("right_shoulder", "right_collar", 0.1, 0.070),
            ("spine3", "spine2", 0.3, 0.125),
            ("pelvis", "spine1", 0.6, 0.118),
        ),
        JUMPER,
        nearer=0.05,
    ),
    Limb(
        (("left_hip", "pelvis", 0.2, 0.095), ("right_hip", "pelvis", 0.2, 0.095), ("pelvis", "spine1", 0.3, 0.112)),
        TROUSERS,
    ),
    _limb("neck", "head", 0.060, 0.055, SKIN),
    _limb("chin", "forehead", 0.058, 0.080, SKIN),
    _limb("crown", "nape", 0.092, 0.080, HAIR),
    *_both("hip", "knee", 0.095, 0.062, TROUSERS),
    *_both("knee", "ankle", 0.062, 0.045, TROUSERS, 0.97),
    *_both("ankle", "foot", 0.045, 0.036, SHOES, 1.35),
    *_both("shoulder", "elbow", 0.062, 0.047, JUMPER),
    *_both("elbow", "wrist", 0.047, 0.034, JUMPER, 0.92),
    *_both("wrist", "elbow", 0.036, 0.038, SKIN, -0.38),
)


def write_video(path: str | os.PathLike, capture: Mapping, floor: float) -> None:
    """Draw a capture dict (documented keys, NumPy-compatible values) as an H.264 video of the capture's size and rate.

    Args:
        floor: y of the floor in the camera frame, metres below the camera.
    """
    width, height, fps = int(capture["width"]), int(capture["height"]), float(capture["fps"])
    with open_writer(path, width, height, fps, preset="slow") as writer:
        for picture in draw_frames(capture, floor):
            writer.write(picture)


def draw_frames(capture: Mapping, floor: float) -> Iterator[np.ndarray]:
    """(H, W, 3) uint8 RGB pictures."""
    lens = np.array([float(capture["focal_length"]), float(capture["width"]) / 2, float(capture["height"]) / 2])
    size = int(capture["width"]), int(capture["height"])
    room = _room(lens, size, floor)
    for root, body, transl in zip(
        *(np.asarray(capture[key], np.float64) for key in ("global_orient", "body_pose", "transl")), strict=True
    ):
        joints = chain_of_joints(root, body, transl)
        picture = _shadow(room, joints, lens, floor)
        for limb in sorted(LIMBS, key=lambda limb: limb.nearer - _centres(limb, joints)[:, 2].mean()):
            _draw_limb(picture, limb, joints, lens)
        yield cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def chain_of_joints(root: np.ndarray, body: np.ndarray, transl: np.ndarray) -> dict[str, np.ndarray]:
    """One frame's axis-angle numbers (3,), (63,) and place (3,) to positions of joints and head marks by name, camera
    frame.
    """
    rest = np.asarray(REST_JOINTS, np.float64)
    turns, places = [cv2.Rodrigues(root)[0]], [rest[0] + transl]
    for number in range(1, len(PARENTS)):
        parent = PARENTS[number]
        places.append(places[parent] + turns[parent] @ (rest[number] - rest[parent]))
        turns.append(turns[parent] @ cv2.Rodrigues(body[3 * number - 3 : 3 * number])[0])
    head = JOINT_NAMES.index("head")
    marks = {name: places[head] + turns[head] @ np.array(offset) for name, offset in HEAD_MARKS.items()}
    return {**dict(zip(JOINT_NAMES, places, strict=True)), **marks}


def project(points: np.ndarray, lens: np.ndarray) -> np.ndarray:
    """(n, 3) camera points to (n, 2) pixels; lens is focal length and image centre."""
    focal, x, y = lens
    return np.stack((focal * points[:, 0] / points[:, 2] + x, focal * points[:, 1] / points[:, 2] + y), axis=1)


def _centres(limb: Limb, joints: dict[str, np.ndarray]) -> np.ndarray:
    return np.array([joints[a] + share * (joints[b] - joints[a]) for a, b, share, _ in limb.balls])


def _draw_limb(picture: np.ndarray, limb: Limb, joints: dict[str, np.ndarray], lens: np.ndarray) -> None:
    """The hull of the limb's balls in four layers, each smaller and lighter, shifted to the light."""
    centres = _centres(limb, joints)
    pixels = project(centres, lens) * SMOOTHING
    radii = np.array([radius for *_, radius in limb.balls]) * lens[0] / centres[:, 2] * SMOOTHING
    for scale, brightness in ((1.0, 0.62), (0.86, 0.82), (0.66, 1.0), (0.40, 1.12)):
        moved = pixels + (1 - scale) * radii[:, None] * LIGHT_OFFSET
        color = np.clip(np.array(limb.color) * brightness, 0, 255).tolist()
        cv2.fillConvexPoly(picture, _hull(moved, radii * scale), color, cv2.LINE_AA)


def _hull(centres: np.ndarray, radii: np.ndarray) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    circle = np.stack((np.cos(angles), np.sin(angles)), axis=1)
    points = (centres[:, None] + radii[:, None, None] * circle).reshape(-1, 2)
    return cv2.convexHull(np.round(points).astype(np.int32))


def _room(lens: np.ndarray, size: tuple[int, int], floor: float) -> np.ndarray:
    """The empty room, drawn larger: a wall with a skirting board, a floor of tiles in perspective."""
    picture = np.full((size[1] * SMOOTHING, size[0] * SMOOTHING, 3), WALL, np.uint8)
    picture = np.clip(picture * np.linspace(1.04, 0.94, picture.shape[0])[:, None, None], 0, 255).astype(np.uint8)
    low, side, away = floor, ROOM_HALF_WIDTH, WALL_DISTANCE
    _fill(
        picture,
        [(-side, low - 0.10, away), (side, low - 0.10, away), (side, low, away), (-side, low, away)],
        lens,
        SKIRTING,
    )
    for row, near in enumerate(np.arange(NEAREST, away - 1e-6, TILE)):
        for column, left in enumerate(np.arange(-side, side, TILE)):
            corners = [
                (left, low, near),
                (left + TILE, low, near),
                (left + TILE, low, min(near + TILE, away)),
                (left, low, min(near + TILE, away)),
            ]
            _fill(picture, corners, lens, TILES[(row + column) % 2])
    return picture


def _fill(
    picture: np.ndarray, corners: list[tuple[float, float, float]], lens: np.ndarray, color: tuple[int, int, int]
) -> None:
    pixels = np.round(project(np.array(corners), lens) * SMOOTHING).astype(np.int32)
    cv2.fillConvexPoly(picture, pixels, color, cv2.LINE_AA)


def _shadow(room: np.ndarray, joints: dict[str, np.ndarray], lens: np.ndarray, floor: float) -> np.ndarray:
    """A copy of the room with soft shadows under the feet and the body."""
    cover = np.zeros(room.shape[:2], np.float32)
    for name, radius, strength in (("pelvis", 0.26, 0.25), ("left_foot", 0.11, 0.35), ("right_foot", 0.11, 0.35)):
        angles = np.linspace(0, 2 * np.pi, 32, endpoint=False)
        x, lifted, z = joints[name]
        rim = np.stack((x + radius * np.cos(angles), np.full(32, floor), z + radius * np.sin(angles)), axis=1)
        spot = np.zeros_like(cover)
        cv2.fillConvexPoly(spot, np.round(project(rim, lens) * SMOOTHING).astype(np.int32), 1.0)
        fading = 1.0 if name == "pelvis" else max(0.0, 1.0 - (floor - lifted) / 0.3)
        cover = np.maximum(cover, strength * fading * spot)
    cover = cv2.blur(cover, (6 * SMOOTHING, 4 * SMOOTHING))
    picture = room.copy()
    rows = cover.any(axis=1)
    picture[rows] = room[rows] * (1.0 - cover[rows, :, None])
    return picture
