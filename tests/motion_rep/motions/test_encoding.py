"""Encoding puts the published numbers into the 276 columns, exactly, and the camera still sees the same pixels."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from motion_rep.captures.capture_file import capture_from_dict, read_standard_capture
from motion_rep.common.errors import InputError
from motion_rep.kinematics.camera import intrinsic_matrix, project, transform_points
from motion_rep.kinematics.frames import Z_UP_FROM_OPENCV, basis
from motion_rep.kinematics.rotations import rotvec_to_matrix
from motion_rep.kinematics.skeleton import PARENTS, REST_JOINTS, forward_kinematics
from motion_rep.motions.encoding import (
    body_parameters,
    body_parameters_from_velocity,
    encode_capture,
    encode_parameters,
    require_plain_motion,
)
from motion_rep.motions.layout import COLUMNS, unpack

SEEDS = range(6)


def numpy_motion(capture: dict) -> np.ndarray:
    """The whole representation, written a second time: plain loops, float64 numpy, nothing from the library but the
    constants.
    """
    rest = np.array(REST_JOINTS, np.float32).astype(np.float64)
    level = np.array([[-1.0, 0, 0], [0, 0, -1], [0, -1, 0]])
    root = [rodrigues(r) for r in capture["global_orient"].double().numpy()]
    body = [[rodrigues(r) for r in row.reshape(21, 3)] for row in capture["body_pose"].double().numpy()]
    pelvis = [level @ (rest[0] + transl) for transl in capture["transl"].double().numpy()]
    root = [level @ r for r in root]
    x = chain(root[0], body[0], pelvis[0], rest)
    x = x[2] - x[1]
    x = np.array([x[0], x[1], 0]) / np.hypot(x[0], x[1])
    turn = np.stack([x, np.cross([0.0, 0, 1], x), [0.0, 0, 1]])
    root, pelvis = [turn @ r for r in root], [turn @ p for p in pelvis]
    joints = np.stack([chain(r, b, p, rest) for r, b, p in zip(root, body, pelvis, strict=True)])
    shift = -np.array([joints[0, 0, 0], joints[0, 0, 1], joints[..., 2].min()])
    joints, transl = joints + shift, np.stack(pelvis) + shift - rest[0]
    rows = []
    for t in range(len(root) - 1):
        pose = np.concatenate([six(matrix) for matrix in body[t]])
        turned = six(root[t + 1] @ root[t].T)
        rows.append(
            np.concatenate(
                [
                    pose,
                    joints[t].ravel(),
                    (joints[t + 1] - joints[t]).ravel(),
                    six(root[t]),
                    turned,
                    transl[t],
                    transl[t + 1] - transl[t],
                ]
            )
        )
    return np.stack(rows)


def rodrigues(rotvec):
    angle = np.linalg.norm(rotvec)
    x, y, z = rotvec / max(angle, 1e-300)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def chain(root, body, pelvis, rest):
    turns, places = [root], [pelvis]
    for joint in range(1, 22):
        parent = PARENTS[joint]
        places.append(places[parent] + turns[parent] @ (rest[joint] - rest[parent]))
        turns.append(turns[parent] @ body[joint - 1])
    return np.stack(places)


def six(matrix):
    return matrix[:, :2].reshape(6)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_smooth_sequences_agree_with_an_independent_implementation(make_capture, seed):
    capture = make_capture(frames=30, seed=seed)
    motion = encode_capture(capture_from_dict(capture)).motion
    assert motion.shape == (29, 276) and motion.dtype == torch.float64
    np.testing.assert_allclose(motion.numpy(), numpy_motion(capture), atol=1e-9, rtol=0)
    np.testing.assert_allclose(motion.float().numpy(), numpy_motion(capture), atol=2e-5, rtol=0)


def test_the_published_example_comes_out_as_published(shared):
    paths = shared / "real" / "wan22_hmr.pt", shared / "real" / "wan22_motion.pt"
    if not all(path.is_file() for path in paths):
        pytest.skip("the published example is not beside this checkout")
    published = torch.load(paths[1], weights_only=True)
    published = published["motion"] if isinstance(published, dict) else published
    ours = unpack(encode_capture(read_standard_capture(paths[0])).motion.float())
    for name in COLUMNS:
        assert_close(getattr(ours, name), getattr(unpack(published.float()), name), atol=1e-5, rtol=0)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_camera_of_the_motion_sees_the_pixels_of_the_input(make_capture, seed):
    capture = capture_from_dict(make_capture(frames=20, seed=seed))
    encoded = encode_capture(capture)
    seen = forward_kinematics(capture.root_rotations, capture.body_rotations, capture.transl).positions
    before = project(intrinsic_matrix(600.0, 480, 832), seen)
    # As a reader of the file gets it: single precision.
    joints = unpack(encoded.motion.float()).joints.double()
    camera = encoded.camera
    after = project(
        camera.intrinsic.float().double(), transform_points(camera.world_to_camera.float().double(), joints)
    )
    assert_close(after, before[:-1], atol=0.01, rtol=0)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_person_starts_at_the_origin_faces_plus_y_and_stands_on_the_floor(make_capture, seed):
    capture = capture_from_dict(make_capture(frames=20, seed=seed))
    encoded = encode_capture(capture)
    joints = unpack(encoded.motion).joints
    assert_close(joints[0, 0, :2], torch.zeros(2, dtype=torch.float64), atol=1e-12, rtol=0)
    across = joints[0, 2] - joints[0, 1]
    assert across[0] > 0 and abs(across[1]) < 1e-12
    whole = forward_kinematics(*decoded_with_last(capture)).positions
    assert float(whole[..., 2].min()) == pytest.approx(0, abs=1e-12)


def decoded_with_last(capture):
    """Parameters of all T frames in the canonical frame: encoding with the last frame doubled keeps them all."""
    doubled = dataclasses.replace(
        capture,
        root_rotations=torch.cat((capture.root_rotations, capture.root_rotations[-1:])),
        body_rotations=torch.cat((capture.body_rotations, capture.body_rotations[-1:])),
        transl=torch.cat((capture.transl, capture.transl[-1:])),
        focal_length=None,
        width=None,
        height=None,
    )
    return body_parameters(encode_capture(doubled).motion)


def test_the_floor_is_the_lowest_joint_of_all_frames_also_of_the_last(make_capture):
    capture = make_capture(frames=8)
    capture["transl"][-1, 1] += 1.0  # down in the camera's axes
    joints = unpack(encode_capture(capture_from_dict(capture)).motion).joints
    assert float(joints[..., 2].min()) > 0.5


def test_the_motion_does_not_depend_on_where_a_level_camera_stands(make_capture):
    """The same walk seen after the camera turned about the vertical and moved."""
    capture = make_capture(frames=10, seed=3)
    turn = rotvec_to_matrix(torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64))
    one = capture_from_dict(capture)
    from motion_rep.kinematics.frames import transform_transl

    moved = transform_transl(turn, one.transl) + torch.tensor([0.3, -0.2, 1.0], dtype=torch.float64)
    other = dataclasses.replace(one, root_rotations=turn @ one.root_rotations, transl=moved)
    assert_close(encode_capture(other).motion, encode_capture(one).motion, atol=1e-12, rtol=0)


@pytest.mark.parametrize("seed", SEEDS)
def test_decoding_gives_the_joints_back(make_capture, seed):
    motion = encode_capture(capture_from_dict(make_capture(frames=15, seed=seed))).motion
    columns = unpack(motion)
    assert_close(forward_kinematics(*body_parameters(motion)).positions, columns.joints, atol=1e-12, rtol=0)
    assert_close(encode_parameters(body_parameters(motion)), motion[:-1], atol=1e-12, rtol=0)


def test_velocities_lead_along_the_same_path(make_capture):
    motion = encode_capture(capture_from_dict(make_capture(frames=40, seed=2))).motion
    direct, summed = body_parameters(motion), body_parameters_from_velocity(motion)
    for one, other in zip(direct, summed, strict=True):
        assert_close(one, other, atol=1e-10, rtol=0)


def test_velocities_of_another_path_show(make_capture):
    motion = encode_capture(capture_from_dict(make_capture(frames=10))).motion.clone()
    motion[:, 273:276] += 0.1
    moved = body_parameters_from_velocity(motion).transl - body_parameters(motion).transl
    assert_close(moved[-1], torch.full((3,), 0.8, dtype=torch.float64))


def test_without_translation_the_pelvis_stays_and_the_pose_does_not_change(make_capture):
    parameters = body_parameters(encode_capture(capture_from_dict(make_capture())).motion)
    still = parameters.without_translation()
    assert (still.transl == parameters.transl[0]).all()
    assert torch.equal(still.body, parameters.body) and torch.equal(still.root, parameters.root)


def test_a_person_lying_on_the_side_gets_a_heading_and_a_note(make_capture):
    level = basis(Z_UP_FROM_OPENCV, torch.zeros(1, dtype=torch.float64))
    joints = torch.tensor(REST_JOINTS, dtype=torch.float64)
    hips = joints[2] - joints[1]
    # Turn the hip axis to the vertical, whatever small tilt it has at rest.
    up = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    axis = torch.linalg.cross(hips / hips.norm(), up)
    angle = math.atan2(float(axis.norm()), float(hips @ up / hips.norm()))
    lying = level.T @ rotvec_to_matrix(axis / axis.norm() * angle)
    capture = capture_from_dict(make_capture())
    turned = dataclasses.replace(
        capture,
        root_rotations=lying.expand(12, 3, 3),
        body_rotations=torch.eye(3, dtype=torch.float64).expand(12, 21, 3, 3),
    )
    encoded = encode_capture(turned)
    assert encoded.motion.isfinite().all()
    assert any("the heading is that of" in note for note in encoded.notes)
    first = unpack(encoded.motion).joints[0]
    assert abs(float(first[2, 0] - first[1, 0])) < 1e-6 and abs(float(first[2, 1] - first[1, 1])) < 1e-6


def test_no_camera_stays_unknown_and_a_changing_one_becomes_its_median(make_capture):
    assert encode_capture(capture_from_dict(make_capture(focal_length=None, width=None, height=None))).camera is None
    focal = torch.tensor([500.0] * 5 + [600.0] * 2 + [900.0] * 5)
    camera = encode_capture(capture_from_dict(make_capture(focal_length=focal))).camera
    assert float(camera.intrinsic[0, 0]) == 600.0 and camera.size == (480, 832)


def test_notes_of_the_reading_are_kept(make_capture):
    assert encode_capture(capture_from_dict(make_capture()).with_notes("seen")).notes == ("seen",)


@pytest.mark.parametrize(
    "change, fault",
    [
        (lambda m: m[:0], "no rows"),
        (lambda m: m.index_fill(0, torch.tensor([3]), float("nan")), "first in row 3"),
        (lambda m: m * torch.where(torch.arange(276) == 130, 1e9, 1.0), "away"),
        (lambda m: m * (torch.arange(276) >= 126), "span no plane"),
        (lambda m: m * ((torch.arange(276) < 258) | (torch.arange(276) >= 264)), "span no plane"),
    ],
)
def test_motions_that_cannot_be_drawn_are_refused(make_capture, change, fault):
    motion = encode_capture(capture_from_dict(make_capture())).motion
    require_plain_motion(motion)
    with pytest.raises(InputError, match=fault):
        require_plain_motion(change(motion))
