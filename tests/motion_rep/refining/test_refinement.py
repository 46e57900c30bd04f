"""What each repair does to a motion, and what it leaves alone."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from sample_motions import smooth_clip

from motion_rep.common.errors import InputError
from motion_rep.kinematics.camera import project, transform_points
from motion_rep.kinematics.frames import Z_UP_FROM_OPENCV, basis, heading, level_from_camera
from motion_rep.kinematics.skeleton import JOINT_NAMES
from motion_rep.motions.closing_frame import with_closing_frame
from motion_rep.motions.encoding import body_parameters, encode_parameters
from motion_rep.motions.layout import unpack
from motion_rep.motions.motion_file import MotionClip
from motion_rep.motions.stamp import motion_digest
from motion_rep.refining.refinement import refine
from motion_rep.refining.settings import OFF, Settings
from scripts.dev.refining_evaluation.clips import SAMPLES, clip_of, noisy, sample, tilt
from scripts.dev.refining_evaluation.steps import MAKERS, make_steps

NOTHING = Settings(level=OFF, smooth=OFF, feet=OFF)
FEET = [JOINT_NAMES.index(name) for name in ("left_foot", "right_foot")]


def only(**changes) -> Settings:
    """One repair, the others off."""
    return dataclasses.replace(NOTHING, **changes)


def joints_of(clip: MotionClip) -> torch.Tensor:
    """(T, 22, 3) of all frames, the closing one too."""
    return with_closing_frame(clip.motion.double()).joints()


def pixels_of(clip: MotionClip) -> torch.Tensor:
    """(N, 22, 2) where the camera sees the joints of each row."""
    joints = unpack(clip.motion.double()).joints
    return project(clip.camera.intrinsic, transform_points(clip.camera.world_to_camera, joints))


def error(clip: MotionClip, truth: MotionClip) -> float:
    return float((joints_of(clip) - joints_of(truth)).norm(dim=-1).mean())


def as_it_is(parameters) -> MotionClip:
    return MotionClip(encode_parameters(parameters).float(), None, 16.0)


def assert_consistent(clip: MotionClip) -> None:
    """Joints, velocities and rotations of all rows agree."""
    again = encode_parameters(with_closing_frame(clip.motion.double()))
    assert (again - clip.motion).abs().max() < 1e-6


# --- nothing to do


@pytest.mark.parametrize("seed", range(4))
def test_rows_to_parameters_and_back(seed):
    clip = smooth_clip(41, seed)
    assert (refine(clip, NOTHING).clips[0].motion - clip.motion).abs().max() < 1e-6


@pytest.mark.parametrize("name", [*SAMPLES, *(name for name in MAKERS if not name.startswith("sample"))])
def test_clean_motions_stay(name):
    clip = clip_of(sample(name) if name in SAMPLES else make_steps(name).parameters)
    moved = (joints_of(refine(clip, Settings()).clips[0]) - joints_of(clip)).norm(dim=-1)
    assert moved.mean() < 0.003 and moved.mean(dim=1).max() < 0.010


def test_the_record_names_the_raw_motion_and_figures_of_both():
    raw = clip_of(noisy(sample("squat")))
    first = refine(raw, Settings()).clips[0]
    assert first.refined["raw_motion"] == motion_digest(raw.motion) and first.refined["smooth"]["pose"] == 1.0
    assert first.refined["figures"]["jitter_degree"] < 0.5 * first.refined["raw_figures"]["jitter_degree"]
    again = refine(first, Settings()).clips[0].refined
    assert again["raw_motion"] == motion_digest(raw.motion)
    assert again["raw_figures"] == first.refined["raw_figures"]


def test_a_motion_whose_velocities_lead_nowhere_keeps_its_rows():
    motion = clip_of(sample("squat")).motion.clone()
    motion[:, 192:258] = 0.3
    result = refine(MotionClip(motion, fps=16.0), NOTHING).clips[0]
    assert len(result) == len(motion)
    assert_consistent(result)


# --- smooth


@pytest.mark.parametrize("name", SAMPLES)
def test_noise_is_taken_out_and_speed_is_kept(name):
    body = sample(name)
    clean, raw = as_it_is(body), as_it_is(noisy(body))
    mended = refine(raw, Settings()).clips[0]
    assert error(mended, clean) < 0.6 * error(raw, clean)
    limbs = [JOINT_NAMES.index(f"{side}_{part}") for side in ("left", "right") for part in ("knee", "foot", "wrist")]
    speeds = [joints_of(clip)[:, limbs].diff(dim=0).norm(dim=-1).flatten().quantile(0.95) for clip in (mended, clean)]
    assert speeds[0] > 0.95 * speeds[1]
    assert_consistent(mended)


def test_strength_smooths_more_and_is_obeyed_on_clean_motions():
    clean = clip_of(sample("jumping_jack"))
    raw = clip_of(noisy(sample("jumping_jack")))
    jitters = [refine(raw, only(smooth=strength)).done["figures"]["jitter_degree"] for strength in (OFF, 0.3, 1.0, 3.0)]
    assert jitters == sorted(jitters, reverse=True)
    assert "smooth" in refine(clean, only(smooth=1.0)).done and "smooth" not in refine(clean, only(smooth="auto")).done


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 11, 12])
def test_short_clips(rows):
    clip = dataclasses.replace(clip_of(sample("wave")), motion=clip_of(sample("wave")).motion[:rows])
    assert len(refine(clip, Settings()).clips[0]) == rows


# --- level


@pytest.mark.parametrize("pitch, roll", [(20, 5), (-20, -5), (10, 0), (0, 5), (-5, 3)])
@pytest.mark.parametrize("name", ["jumping_jack", "squat", "wave", "arm_raise"])
def test_a_tilted_camera_is_found_and_the_overlay_stays(name, pitch, roll):
    body = sample(name)
    raw = clip_of(body.turned(tilt(pitch, roll)), with_camera=True)
    level = refine(raw, only(level="auto")).clips[0]
    up = (with_closing_frame(level.motion.double()).root @ body.root.mT)[..., 2]
    assert math.degrees(float(up[:, 2].acos().median())) < 2.0
    assert (pixels_of(level) - pixels_of(raw)).abs().max() < 0.01
    assert_consistent(level)


def test_camera_that_moves_stays_with_the_person():
    raw = clip_of(sample("squat").turned(tilt(10, 0)), with_camera=True)
    moving = raw.camera.world_to_camera.repeat(len(raw), 1, 1)
    moving[:, 0, 3] += torch.linspace(0, 1, len(raw))
    raw = dataclasses.replace(raw, camera=dataclasses.replace(raw.camera, world_to_camera=moving))
    level = refine(raw, only(level="auto")).clips[0]
    assert level.refined["level"] > 8 and (pixels_of(level) - pixels_of(raw)).abs().max() < 0.01


@pytest.mark.parametrize("known", [{"up_from": "world"}, {"up_from": "capture"}, {"refined": {"level": 9.0}}])
def test_what_is_level_is_never_levelled(known):
    tilted = clip_of(sample("squat").turned(tilt(10, 0)))
    assert "level" in refine(tilted, only(level="auto")).done
    result = refine(dataclasses.replace(tilted, **known), only(level="auto"))
    assert (result.clips[0].motion - tilted.motion).abs().max() < 1e-6


def test_walks_are_not_levelled_and_that_is_said():
    result = refine(clip_of(sample("circle_walk")), only(level="auto"))
    assert "level" not in result.done
    assert result.notes == (
        "not levelled: the person never stands still. "
        "refine_motion.py --level PITCH,ROLL levels by a known camera tilt",
    )


@pytest.mark.parametrize("pitch, roll", [(15.0, 0.0), (0.0, -4.0), (12.0, 3.0)])
def test_a_known_tilt_is_taken_out(pitch, roll):
    """The camera looks down by the pitch and is turned clockwise by the roll."""
    body = sample("circle_walk")
    down, turned = math.radians(pitch), math.radians(roll)
    up = torch.tensor(
        (-math.sin(turned) * math.cos(down), -math.cos(turned) * math.cos(down), -math.sin(down)), dtype=torch.float64
    )
    camera_from_world = basis(Z_UP_FROM_OPENCV, up).T
    wrong = body.turned(camera_from_world.T @ level_from_camera(up).T @ camera_from_world)
    raw = clip_of(wrong, with_camera=True)
    mended = refine(raw, only(level=(pitch, roll))).clips[0]
    lean = (with_closing_frame(mended.motion.double()).root @ body.root.mT)[..., 2, 2].clamp(-1, 1).acos()
    assert math.degrees(float(lean.max())) < 0.01


# --- feet


def test_drifting_feet_stand():
    body = sample("squat")
    drift = torch.linspace(0, 1, len(body.transl), dtype=torch.float64)[:, None] * body.transl.new_tensor((1.5, 0.5, 0))
    raw = clip_of(body._replace(transl=body.transl + drift))
    result = refine(raw, only(feet="auto"))
    assert result.done["raw_figures"]["skate_ratio"] == 1.0 and result.done["figures"]["skate_ratio"] == 0.0
    assert result.done["moved_mm"] < 5
    assert error(result.clips[0], clip_of(body)) < 0.2 * error(raw, clip_of(body))
    assert_consistent(result.clips[0])


def test_feet_keep_their_rotation_and_legs_their_length():
    raw = refine(clip_of(noisy(sample("wave"))), only(smooth="auto")).clips[0]
    result = refine(raw, only(feet="auto"))
    before, after = (body_parameters(clip.motion.double()).joint_poses() for clip in (raw, result.clips[0]))
    assert result.done["feet"] == 2
    assert (before.rotations[:, FEET] - after.rotations[:, FEET]).abs().max() < 1e-5
    toes = after.positions[:, FEET]
    assert (toes - toes.median(dim=0).values).norm(dim=-1).max() < 5e-3


def test_a_jump_stays_a_jump():
    clean = clip_of(make_steps("jumps").parameters)
    for raw in (clean, clip_of(noisy(make_steps("jumps").parameters))):
        mended = refine(raw, Settings()).clips[0]
        flights = [joints_of(clip)[:, FEET, 2].amin(dim=1) for clip in (mended, clean)]
        assert abs(flights[0].max() - flights[1].max()) < 0.01


# --- exact changes


def test_trim_keeps_rows_and_time():
    raw = dataclasses.replace(clip_of(sample("circle_walk"), with_camera=True), start_time=2.0)
    result = refine(raw, only(trim=(1.0, 3.0))).clips[0]
    assert len(result) == 32 and result.start_time == 3.0
    assert (unpack(result.motion).body_rot6d - unpack(raw.motion).body_rot6d[16:48]).abs().max() < 1e-6
    assert (pixels_of(result) - pixels_of(raw)[16:48]).abs().max() < 0.01
    assert unpack(result.motion).joints[0, 0, :2].abs().max() < 1e-6
    with pytest.raises(InputError, match="1 frame lies from 4.99 to 5 s, expected at least 4. It has 81 frames"):
        refine(raw, only(trim=(4.99, 5.0)))


def test_trim_auto_keeps_the_action():
    still = sample("squat").rows(slice(0, 1))
    body = sample("squat")
    padded = type(body)(*(torch.cat((part[:1].expand(30, *part.shape[1:]), part)) for part in body))
    result = refine(clip_of(padded), only(trim="auto"))
    assert len(still.transl) == 1 and 24 <= result.done["trim"][0] <= 36


def test_mirror_twice_is_the_motion_and_once_swaps_sides():
    raw = clip_of(sample("wave"), with_camera=True)
    once = refine(raw, only(mirror=True)).clips[0]
    twice = refine(once, only(mirror=True)).clips[0]
    assert (twice.motion - raw.motion).abs().max() < 1e-4
    right, left = JOINT_NAMES.index("right_wrist"), JOINT_NAMES.index("left_wrist")
    mirrored = joints_of(raw)[:, right] * torch.tensor((-1.0, 1.0, 1.0))
    assert (joints_of(once)[:, left] - mirrored).norm(dim=-1).max() < 0.06, "the neutral body is not quite symmetric"
    width = raw.camera.size[0]
    assert (pixels_of(once)[:, 0, 0] - (width - pixels_of(raw)[:, 0, 0])).abs().max() < 0.01
    assert_consistent(once)


def test_in_place_keeps_height_and_pose_and_the_overlay():
    raw = clip_of(sample("circle_walk"), with_camera=True)
    result = refine(raw, only(in_place=True)).clips[0]
    joints = unpack(result.motion).joints
    assert joints[:, 0, :2].abs().max() < 1e-6
    assert (joints[:, 0, 2] - unpack(raw.motion).joints[:, 0, 2]).abs().max() < 1e-6
    assert (unpack(result.motion).body_rot6d - unpack(raw.motion).body_rot6d).abs().max() < 1e-6
    assert result.camera.world_to_camera.shape == (80, 4, 4)
    assert (pixels_of(result) - pixels_of(raw)).abs().max() < 0.01


def test_a_loop_ends_where_it_begins():
    raw = clip_of(sample("jumping_jack"))
    result = refine(raw, only(loop=True)).clips[0]
    frames = with_closing_frame(result.motion.double())
    for part in frames:
        assert (part[0] - part[-1]).abs().max() < 2e-4
    assert (result.motion[:40] - raw.motion[:40]).abs().max() < 0.01
    walk = refine(clip_of(make_steps("walk").parameters), only(loop=True))
    assert "m from its start and slides back; --in-place avoids this" in walk.notes[0]


def test_cut_gives_parts_of_all_rows():
    raw = clip_of(sample("circle_walk"), with_camera=True)
    parts = refine(raw, only(cut_at=(30, 50))).clips
    assert [len(part) for part in parts] == [30, 20, 30]
    for part, first in zip(parts, (0, 30, 50), strict=True):
        rows = slice(first, first + len(part))
        assert (unpack(part.motion).body_rot6d - unpack(raw.motion).body_rot6d[rows]).abs().max() < 1e-6
        assert (pixels_of(part) - pixels_of(raw)[rows]).abs().max() < 0.01
        assert part.start_time == pytest.approx(first / 16)
        assert_consistent(part)
    with pytest.raises(InputError, match="gives a part of 2 rows, expected at least 4 in each; the motion has 80 rows"):
        refine(raw, only(cut_at=(30, 32)))


def test_heading_turns_the_person_and_the_camera():
    raw = clip_of(sample("squat"), with_camera=True)
    result = refine(raw, only(heading=90.0)).clips[0]
    before, after = unpack(raw.motion).joints, unpack(result.motion).joints
    assert (torch.stack((-before[..., 1], before[..., 0]), -1) - after[..., :2]).abs().max() < 1e-5
    assert (pixels_of(result) - pixels_of(raw)).abs().max() < 0.01
    again = refine(result, only(heading=0.0)).clips[0]
    assert (again.motion - raw.motion).abs().max() < 1e-5


def test_a_smoothed_motion_faces_ahead_again():
    body = sample("circle_walk")
    clean, raw = clip_of(body), [clip_of(noisy(body, seed=seed)) for seed in range(12)]
    smoothed = [refine(clip, Settings()).clips[0] for clip in raw]
    for clip in smoothed:
        assert abs(float(heading(joints_of(clip)[0]).canonical_from_z_up[0, 1])) < 1e-5
    assert sum(error(b, clean) / error(a, clean) for a, b in zip(raw, smoothed)) / len(raw) < 0.6


def test_a_smoothed_motion_that_faced_elsewhere_faces_there():
    raw = refine(clip_of(noisy(sample("squat"))), only(heading=40.0)).clips[0]
    turn = heading(joints_of(refine(raw, only(smooth="auto")).clips[0])[0]).canonical_from_z_up
    assert math.degrees(math.atan2(-float(turn[1, 0]), float(turn[0, 0]))) == pytest.approx(40, abs=2)
