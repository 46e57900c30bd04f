"""Left and right over time, changes of person, the direction of up, and the image fit."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from motion_rep.captures.capture import Capture
from motion_rep.captures.image_fit import ImageFit, stored_image_fit
from motion_rep.common.errors import InputError
from motion_rep.conversion.capture_to_motion import convert
from motion_rep.kinematics.camera import transform_points
from motion_rep.kinematics.frames import level_from_camera
from motion_rep.kinematics.rotations import rotvec_to_matrix
from motion_rep.kinematics.skeleton import forward_kinematics
from motion_rep.motions.layout import unpack
from motion_rep.preview_capture import landmarks as lm
from motion_rep.preview_capture.body_fit import FittedBody
from motion_rep.preview_capture.identity import longest_part, looks_of, parts_between, person_changes
from motion_rep.preview_capture.image_match import match_image, unseen_parts
from motion_rep.preview_capture.landmarks import COUNT, LandmarkTrack
from motion_rep.preview_capture.lifting import Lens
from motion_rep.preview_capture.markers import blazepose_markers
from motion_rep.preview_capture.sides import ARMS, LEGS, exchanged_sides, repaired, spike_weights, with_sides
from motion_rep.preview_capture.up_direction import UpDirection, find_up

LENS = Lens(700.0, 1280, 720)


def walker(frames: int = 60, fps: float = 30.0) -> tuple[FittedBody, LandmarkTrack]:
    """A person who swings arms and legs 4 m in front of a level camera, and perfect landmarks."""
    time = torch.arange(frames) / fps
    bends = torch.zeros(frames, 21, 3)
    swing = 0.5 * torch.sin(6 * time)
    bends[:, 0, 0], bends[:, 1, 0] = swing, -swing
    bends[:, 15, 2], bends[:, 16, 2] = -1.0, 1.0
    bends[:, 15, 0], bends[:, 16, 0] = -swing, swing
    upright = rotvec_to_matrix(torch.tensor([torch.pi, 0.0, 0.0]))
    root = upright @ rotvec_to_matrix(torch.tensor([0.0, 0.4, 0.0]).expand(frames, 3))
    transl = torch.stack((0.3 * time, 0.3 + 0 * time, 4 + 0 * time), -1)
    body, markers = FittedBody(root.numpy(), rotvec_to_matrix(bends).numpy(), transl.numpy()), blazepose_markers()
    placed = markers.place(body.pose()).T
    world, image = np.zeros((frames, COUNT, 3)), np.full((frames, COUNT, 2), (640.0, 360.0))
    image[:, markers.landmark] = placed[..., :2] / placed[..., 2:] * LENS.focal_length + (640, 360)
    world[:, markers.landmark] = placed - placed[:, [8, 20]].mean(1, keepdims=True)
    return body, LandmarkTrack(image, world, np.ones((frames, COUNT)), np.ones(frames, bool))


def exchanged_in(track: LandmarkTrack, where: slice, *groups: int) -> LandmarkTrack:
    wrong = np.zeros((len(track), 3), bool)
    for group in groups:
        wrong[where, group] = True
    return with_sides(track, wrong)


@pytest.mark.parametrize("groups", [(0, 1, 2), (ARMS,), (LEGS,)])
@pytest.mark.parametrize("where", [slice(10, 11), slice(20, 35)])
def test_exchanged_sides_are_found_and_undone(groups, where):
    _, track = walker()
    wrong = exchanged_in(track, where, *groups)
    found = exchanged_sides(wrong, 30.0)
    assert np.array_equal(with_sides(wrong, found).image, track.image)


@pytest.mark.parametrize("where", [slice(20, 21), slice(20, 25)])
def test_depths_of_frames_with_wrong_sides_come_from_their_neighbours(where):
    """A network that takes left for right sees the person from behind, so its depths are mirrored."""
    _, track = walker()
    wrong = exchanged_in(track, where, 0, ARMS, LEGS)
    world = wrong.world.copy()
    world[where, :, 2] *= -1
    found = repaired(LandmarkTrack(wrong.image, world, wrong.visibility, wrong.detected), 30.0)
    assert np.array_equal(found.image, track.image)
    limbs = [15, 16, 25, 26, 27, 28]
    assert np.abs(found.world - track.world)[where][:, limbs].max() < 0.15 < np.abs(world)[where][:, limbs, 2].max()
    outside = np.ones(len(track), bool)
    outside[where] = False
    assert np.allclose(found.world[outside], track.world[outside])


def test_a_wrong_depth_beside_frames_with_wrong_sides_hardly_spreads_to_them():
    _, track = walker()
    wrong = exchanged_in(track, slice(20, 25), 0, ARMS, LEGS)
    usual = repaired(wrong, 30.0).world[20:25, lm.LEFT_ANKLE, 2]
    wrong.world[[19, 25], lm.LEFT_ANKLE, 2] += 0.1
    moved = repaired(wrong, 30.0).world[20:25, lm.LEFT_ANKLE, 2] - usual
    assert np.abs(moved).max() < 0.05


@pytest.mark.parametrize("fps", [15.0, 30.0, 60.0])
def test_a_landmark_that_leaves_its_path_for_a_moment_hardly_counts(fps):
    """Fast steady movement keeps its weight; a spike of one frame loses it."""
    _, track = walker(int(2 * fps), fps)
    moved = track.image + (np.arange(len(track)) * 900 / fps)[:, None, None] * (1, 0)
    spike = moved.copy()
    spike[20, 15] += 120
    steady = LandmarkTrack(moved, track.world, track.visibility, track.detected)
    assert spike_weights(steady, fps)[2:-2].min() > 0.9
    found = spike_weights(LandmarkTrack(spike, track.world, track.visibility, track.detected), fps)
    assert found[20, 15] < 0.1 and found[20, 16] > 0.9 and found[23, 15] > 0.9


def test_true_sides_stay_at_every_rate():
    for fps in (8.0, 15.0, 30.0, 60.0):
        assert not exchanged_sides(walker(int(2 * fps), fps)[1], fps).any()


def test_a_jump_to_another_person_is_a_change_and_fast_movement_is_none():
    _, track = walker()
    moved = track.image.copy()
    moved[40:, :, 0] += 400
    assert person_changes(track, 30.0).tolist() == []
    assert person_changes(LandmarkTrack(moved, track.world, track.visibility, track.detected), 30.0).tolist() == [40]
    parts = parts_between(60, np.array([40, 0]))
    assert parts == [slice(0, 40), slice(40, 60)] and longest_part(track, parts) == 0


@pytest.mark.parametrize(("metres_per_second", "changes"), [(9.0, 0), (16.0, 1)])
def test_a_person_moves_at_most_twelve_metres_a_second(metres_per_second, changes):
    """The bound counts seconds, not frames: the person is out of sight for half a second and comes back elsewhere."""
    _, track = walker()
    torso = np.linalg.norm(track.image[0, [11, 12]].mean(0) - track.image[0, [23, 24]].mean(0))
    seen = track.detected.copy()
    seen[20:35] = False
    image = track.image.copy()
    image[35:, :, 0] += metres_per_second * 16 / 30 * torso / 0.5
    there = LandmarkTrack(image, track.world, track.visibility, seen)
    assert len(person_changes(there, 30.0)) == changes


def test_a_person_who_suddenly_grows_is_another_one():
    _, track = walker()
    image = track.image.copy()
    image[30:] = (image[30:] - (640, 360)) * 2 + (640, 360)
    assert person_changes(LandmarkTrack(image, track.world, track.visibility, track.detected), 30.0).tolist() == [30]


def test_guesses_of_hidden_legs_are_no_change_of_person():
    """The network places hidden legs anywhere, near the hips in one frame and far below in the next."""
    _, track = walker()
    image, visibility = track.image.copy(), track.visibility.copy()
    visibility[:, 23:] = 0.1
    image[::2, 23:] += (150, 600)
    assert person_changes(LandmarkTrack(image, track.world, visibility, track.detected), 30.0).tolist() == []
    image[30:] += (500, 0)
    assert person_changes(LandmarkTrack(image, track.world, visibility, track.detected), 30.0).tolist() == [30]


BLUE, RED = (40, 40, 190), (200, 40, 40)


def looks_in(track: LandmarkTrack, shirts: list[tuple[int, int, int]], light: float = 1.0) -> np.ndarray:
    """Looks of a person with a plain shirt and grey trousers, drawn around the landmarks of each frame."""
    found = []
    for frame, shirt in enumerate(shirts):
        picture = np.full((720, 1280, 3), (80, 110, 90), np.uint8)
        points = track.image[frame]
        lines = [(a, b, (60, 60, 60), 40) for a, b in ((23, 25), (24, 26), (25, 27), (26, 28))]
        for a, b, colour, width in [*lines, (11, 24, shirt, 120), (12, 23, shirt, 120)]:
            cv2.line(picture, *(tuple(int(x) for x in points[k]) for k in (a, b)), colour, width)
        found.append(looks_of((picture * (light if frame >= 30 else 1.0)).astype(np.uint8), points))
    return np.stack(found)


@pytest.mark.parametrize("lost", [0, 3])
def test_other_clothes_at_the_same_place_are_another_person(lost):
    """Also after a moment out of sight; the same clothes in less light are the same person."""
    _, track = walker()
    seen = track.detected.copy()
    seen[30 : 30 + lost] = False
    there = LandmarkTrack(track.image, track.world, track.visibility, seen)
    assert person_changes(there, 30.0, looks_in(track, [BLUE] * 30 + [RED] * 30)).tolist() == [30 + lost]
    assert person_changes(there, 30.0, looks_in(track, [BLUE] * 60, light=0.75)).tolist() == []


def test_looks_of_parts_outside_the_picture_are_unknown():
    _, track = walker()
    hips = track.image[0, [23, 24], 1].max()
    looks = looks_of(np.full((int(hips) + 4, 1280, 3), 90, np.uint8), track.image[0])
    assert np.isfinite(looks[0]).all() and np.isnan(looks[1]).all()
    assert person_changes(track, 30.0, np.tile(looks, (60, 1, 1, 1))).tolist() == []


@pytest.mark.parametrize("pitch", [-0.45, 0.0, 0.45])
def test_up_is_where_the_standing_person_points(pitch):
    body, track = walker()
    turn = rotvec_to_matrix(torch.tensor([pitch, 0.1, 0.0])).numpy()
    joints = body.pose().positions.T
    tilted = LandmarkTrack(track.image, track.world @ turn.T, track.visibility, track.detected)
    up = find_up(tilted, (joints - joints[:, :1]) @ turn.T, np.tile(turn @ (0, -1, 0), (len(track), 1)))
    assert up is not None and np.degrees(np.arccos(up.direction @ turn @ (0, -1, 0))) < 4
    assert up.tilted == (pitch != 0)


def test_each_of_the_three_directions_of_up_has_its_share():
    """The network's own is off by 15 degrees: the mean by a third of it, and the spread is wider."""
    body, track = walker()
    joints = body.pose().positions.T
    agreeing = np.tile((0.0, -1.0, 0.0), (len(track), 1))
    off = np.tile((np.sin(np.radians(15)), -np.cos(np.radians(15)), 0.0), (len(track), 1))
    same, other = (find_up(track, joints - joints[:, :1], up) for up in (agreeing, off))
    assert same is not None and other is not None and other.spread > same.spread + 0.5
    assert np.degrees(np.arccos(same.direction @ other.direction)) == pytest.approx(5, abs=0.5)


def test_up_is_unknown_where_the_legs_are_not_seen():
    body, track = walker()
    hidden = LandmarkTrack(track.image, track.world, np.zeros_like(track.visibility), track.detected)
    joints = body.pose().positions.T
    assert find_up(hidden, joints, np.tile((0.0, -1.0, 0.0), (len(track), 1))) is None
    assert not UpDirection(np.array([0.0, -0.8, -0.6]), 30.0).tilted


@pytest.mark.parametrize("up", [(0.0, -1.0, 0.0), (0.0, 1.0, 0.0), (0.6, 0.0, -0.8), (0.1, -0.9, 0.424264)])
def test_levelling_brings_up_to_up(up):
    way = torch.tensor(up, dtype=torch.float64)
    turn = level_from_camera(way / way.norm())
    assert torch.allclose(turn @ (way / way.norm()), torch.tensor([0.0, -1.0, 0.0], dtype=torch.float64), atol=1e-9)
    assert torch.allclose(turn @ turn.T, torch.eye(3, dtype=torch.float64), atol=1e-9)
    assert float(torch.linalg.det(turn)) == pytest.approx(1)


def test_the_image_fit_counts_landmarks_off_the_body():
    body, track = walker()
    exact = match_image(body, track, LENS)
    assert exact.share == 1 and exact.miss_95 < 0.01 and (exact.per_frame == 1).all()
    image = track.image.copy()
    image[:30, lm.LEFT_WRIST] += 200
    off = match_image(body, LandmarkTrack(image, track.world, track.visibility, track.detected), LENS)
    assert off.share == pytest.approx(1 - 0.5 / 12) and off.per_frame[0] == pytest.approx(11 / 12)
    assert off.per_frame[-1] == 1
    hidden = track.visibility.copy()
    hidden[:, lm.LEFT_WRIST] = 0
    assert match_image(body, LandmarkTrack(image, track.world, hidden, track.detected), LENS).share == 1


def test_parts_that_are_never_visible_are_named():
    _, track = walker()
    visibility = track.visibility.copy()
    visibility[:, [lm.LEFT_KNEE, lm.LEFT_ANKLE]] = 0.1
    assert unseen_parts(LandmarkTrack(track.image, track.world, visibility, track.detected)) == ("left leg",)
    assert unseen_parts(track) == ()


def test_a_stored_image_fit_is_read_back():
    fit = ImageFit(np.array([1.0, 0.5]), 0.75, 0.3, 2, (7,), ("head",), (3, 9))
    back = stored_image_fit(fit.to_dict())
    assert back is not None and back.to_dict() | {"image_fit_per_frame": 0} == fit.to_dict() | {
        "image_fit_per_frame": 0
    }
    assert back.per_frame.tolist() == [1.0, 0.5] and back.cuts == (3, 9)
    assert "new shot at frame 3, 9; person changes at frame 7; never seen: head" in str(back)
    assert stored_image_fit({"transl": 0}) is None and stored_image_fit([1]) is None
    for broken in ("much", 1.5, float("nan")):
        with pytest.raises(InputError, match="image_fit"):
            stored_image_fit({"image_fit": broken})


def test_a_tilted_capture_is_levelled_and_its_overlay_stays():
    body, _ = walker()
    turn = rotvec_to_matrix(torch.tensor([0.45, 0.0, 0.0], dtype=torch.float64))
    root, bends, transl = (torch.from_numpy(part).double() for part in (body.root, body.body, body.transl))
    capture = Capture(
        turn @ root,
        bends,
        transl,
        torch.full((60,), 700.0, dtype=torch.float64),
        1280,
        720,
        30.0,
        up=turn @ torch.tensor([0.0, -1.0, 0.0], dtype=torch.float64),
        up_spread=5.0,
    )
    seen = forward_kinematics(capture.root_rotations, capture.body_rotations, capture.transl).positions[:-1]
    clips = {way: convert(capture, up_from=way).clip for way in ("capture", "level")}
    for way, lean in (("capture", 0.0), ("level", 0.45)):
        joints = unpack(clips[way].motion.double()).joints
        trunk = joints[0, 12] - joints[0, 0]
        assert float(torch.acos(trunk[2] / trunk.norm())) == pytest.approx(lean, abs=0.15)
        assert torch.allclose(transform_points(clips[way].camera.pose(0), joints), seen, atol=1e-4)
