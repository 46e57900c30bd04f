"""Wrong axes and units are named once, with the flag that mends them; good captures of every kind stay quiet."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from checkout import REPO
from hmr_layouts import known_person, rotvec, smplx_transl, write_4dhumans, write_amass, write_gvhmr
from torch.testing import assert_close

from motion_rep.captures.capture import Capture
from motion_rep.captures.capture_file import capture_from_dict
from motion_rep.captures.checks import check_capture, wrong_bends
from motion_rep.captures.plausibility import check_plausible
from motion_rep.common.errors import InputError
from motion_rep.conversion.capture_to_motion import convert
from motion_rep.hmr_formats.reading import read_capture
from motion_rep.hmr_results.corrections import Corrections
from motion_rep.kinematics.rotations import matrix_to_quaternion, quaternion_to_matrix, rotvec_to_matrix
from motion_rep.kinematics.skeleton import JOINT_NAMES

SAMPLES = sorted((REPO / "data_samples" / "captures").glob("*.pt"))
Z_UP = torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
Y_UP = torch.diag(torch.tensor([1.0, -1, -1]))


def values_of(path) -> dict:
    return torch.load(path, weights_only=True)


def oddity(capture) -> str | None:
    return check_plausible(capture, capture.parameters().joints())


def in_axes(capture, turn) -> dict:
    """The capture as a script that knows nothing of cameras would store it: (N, 3, 3) roots, no lens."""
    root, body, transl = capture.parameters().turned(turn.double())
    return {"global_orient": root, "body_pose": body, "transl": transl, "fps": capture.fps}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples_are_plausible(path):
    assert oddity(read_capture(path)) is None


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize(("unit", "scale"), [("cm", 100), ("mm", 1000)])
@pytest.mark.parametrize("camera", [True, False])
def test_units_of_length_are_named(path, unit, scale, camera):
    values = values_of(path)
    if not camera:
        values = {name: value for name, value in values.items() if name not in ("focal_length", "width", "height")}
    values["transl"] = values["transl"] * scale
    found = oddity(capture_from_dict(values))
    assert found is not None and found.endswith(f"convert with --units {unit}")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_degrees_are_named_and_corrected(path, tmp_path):
    values = values_of(path)
    right = capture_from_dict(values)
    values |= {name: torch.rad2deg(values[name].double()) for name in ("global_orient", "body_pose")}
    assert oddity(capture_from_dict(values)).endswith("convert with --degrees")
    torch.save(values, tmp_path / "degrees.pt")
    mended = read_capture(tmp_path / "degrees.pt", corrections=Corrections(degrees=True))
    assert_close(mended.body_rotations, right.body_rotations, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("axis", "turn"), [("y", Y_UP), ("z", Z_UP)])
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_up_axes_are_named_and_corrected(path, axis, turn, tmp_path):
    right = read_capture(path)
    torch.save(in_axes(right, turn), tmp_path / "world.pt")
    notes = convert(read_capture(tmp_path / "world.pt")).notes
    assert len([note for note in notes if "up" in note]) == 1 and any(f"--up {axis}" in note for note in notes)
    mended = convert(read_capture(tmp_path / "world.pt", corrections=Corrections(up=axis)))
    assert not [note for note in mended.notes if "--up" in note]
    assert_close(mended.clip.motion, convert(right).clip.motion, atol=2e-5, rtol=0)


def test_millimetres_and_degrees_and_z_up_in_one_sentence(tmp_path):
    values = in_axes(read_capture(SAMPLES[0]), Z_UP)
    values["transl"] = values["transl"] * 1000
    notes = convert(capture_from_dict(values)).notes
    assert sum("--" in note and "up" in note for note in notes) == 1
    assert any(note.endswith("convert with --up z --units mm") for note in notes)
    torch.save(values, tmp_path / "odd.pt")
    mended = convert(read_capture(tmp_path / "odd.pt", corrections=Corrections("z", "mm")))
    assert_close(mended.clip.motion, convert(read_capture(SAMPLES[0])).clip.motion, atol=2e-5, rtol=0)


def test_amass_with_y_up(tmp_path):
    person = known_person(60).seen_from(np.diag([1.0, -1.0, -1.0]), np.array([0, 1.0, 0]))
    path = write_amass(tmp_path, person, "smplx", rate=30.0)
    assert "--up y" in oddity(read_capture(path))
    assert oddity(read_capture(path, corrections=Corrections("y"))) is None


def test_a_person_who_crawls_towards_the_camera_is_no_z_up(tmp_path):
    person = known_person(60)
    crawl = np.diag([1.0, 1.0, 1.0])[None] @ np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    body = person.body.copy()
    for hip in (0, 1):
        body[:, hip] = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    values = {
        "global_orient": rotvec(np.broadcast_to(crawl, person.root.shape)),
        "body_pose": rotvec(body),
        "transl": smplx_transl(person),
    }
    assert oddity(capture_from_dict(values)) is None


def moving(steps, frame_index=None):
    """A sample in a world, whose pelvis moves sideways by these steps (metres) at 16 fps."""
    rows = slice(0, len(steps) + 1)
    sample = read_capture(SAMPLES[0])
    path = torch.zeros(len(steps) + 1, 3, dtype=torch.float64)
    path[:, 1], path[1:, 0] = -1.0, torch.tensor(steps, dtype=torch.float64).cumsum(0)
    return dataclasses.replace(
        sample,
        root_rotations=sample.root_rotations[rows],
        body_rotations=sample.body_rotations[rows],
        transl=path,
        focal_length=None,
        width=None,
        height=None,
        fps=16.0,
        has_camera=False,
        frame_index=frame_index,
    )


@pytest.mark.parametrize(("fast_steps", "named"), [(2, False), (10, True)])
def test_a_speed_counts_where_a_tenth_of_the_frames_exceeds_it(fast_steps, named):
    found = oddity(moving([0.05] * (40 - fast_steps) + [1.5] * fast_steps))
    assert ("the pelvis moves at 24 m/s" in found) if named else (found is None)


def test_a_step_over_missing_frames_is_not_fast():
    assert oddity(moving([2.0] * 40, torch.arange(0, 164, 4))) is None
    assert "the pelvis moves at 32 m/s" in oddity(moving([2.0] * 40))


def test_systems_with_known_units_take_no_corrections(tmp_path):
    person = known_person()
    path = write_gvhmr(tmp_path, person, person)
    with pytest.raises(InputError, match="gvhmr always writes metres, radians and its own axes"):
        read_capture(path, corrections=Corrections(units="mm"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"transl": torch.full((81, 3), 1e13, dtype=torch.float64)}, "metres from the origin, expected at most 1e"),
        ({"focal_length": 1e39}, "focal length .* above zero, at most 1e"),
        ({"focal_length": 10**400}, "too large"),
        ({"width": 1e7}, "picture .* pixels"),
        ({"fps": 1e-300}, "fps is 1e-300, expected 0.1 to 1000"),
        ({"fps": 10**400}, "too large"),
    ],
)
def test_numbers_of_files_have_the_limits_of_flags(change, message):
    with pytest.raises(InputError, match=message):
        capture_from_dict(values_of(SAMPLES[0]) | change)


@pytest.mark.parametrize("name", ["global_orient", "body_pose"])
@pytest.mark.parametrize("number", [1e6, 1e13, 1e20, 1e38, 1e300])
@pytest.mark.parametrize("frames", [slice(0, None), slice(-1, None)], ids=["all", "last"])
def test_angles_that_are_lost_in_rounding_are_refused(name, number, frames):
    values = values_of(SAMPLES[0])
    values[name] = values[name].double()
    values[name][frames] += number
    with pytest.raises(InputError, match="radians .* expected at most 100000"):
        capture_from_dict(values)


def test_angles_of_other_systems_are_refused_too(tmp_path):
    person = known_person()
    path = write_gvhmr(tmp_path, person, person)
    value = torch.load(path, weights_only=True)
    value["smpl_params_incam"]["body_pose"][3] = 1e9
    torch.save(value, path)
    with pytest.raises(InputError, match=r"contains 1e\+09 radians \(first: frame 3\)"):
        read_capture(path)


def test_single_frames_that_no_joint_reaches_are_told():
    values = values_of(SAMPLES[0])
    values["body_pose"][40:42] += 500.0
    (note,) = capture_from_dict(values).notes
    assert "in 2 of 81 frames (first: frame 40)" in note and "damaged" in note


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_root_alone_in_degrees_is_named_and_corrected_alone(path, tmp_path):
    values = values_of(path)
    right = capture_from_dict(values)
    values["global_orient"] = torch.rad2deg(values["global_orient"].double())
    assert oddity(capture_from_dict(values)).endswith("convert with --degrees")
    torch.save(values, tmp_path / "degrees.pt")
    mended = read_capture(tmp_path / "degrees.pt", corrections=Corrections(degrees=True))
    assert_close(mended.root_rotations, right.root_rotations, atol=1e-6, rtol=0)
    assert_close(mended.body_rotations, right.body_rotations, atol=1e-6, rtol=0)


@pytest.mark.parametrize("number", [1e39, float(2**60), -1e39])
def test_frame_numbers_beyond_any_video_are_named_as_they_are(number):
    with pytest.raises(InputError, match="frame_index is up to 1.*e.*, expected at most"):
        capture_from_dict(values_of(SAMPLES[0]) | {"frame_index": torch.full((81,), number, dtype=torch.float64)})


def turned_sample(path, turn) -> Capture:
    """The sample with its camera, its body and path turned."""
    capture = read_capture(path)
    root, body, transl = capture.parameters().turned(turn.double())
    return dataclasses.replace(capture, root_rotations=root, body_rotations=body, transl=transl)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_person_behind_the_camera_is_told(path):
    found = oddity(turned_sample(path, torch.diag(torch.tensor([-1.0, 1, -1]))))
    assert "behind the camera over the whole clip (z is negative)" in found and "--" not in found


def test_a_person_who_passes_the_camera_is_not_behind_it():
    sample = read_capture(SAMPLES[0])
    away = torch.zeros_like(sample.transl)
    away[:, 2] = torch.linspace(0, -12, len(sample), dtype=torch.float64)
    assert oddity(dataclasses.replace(sample, transl=sample.transl + away)) is None
    world = dataclasses.replace(
        sample, transl=sample.transl + away - 9, has_camera=False, focal_length=None, width=None, height=None
    )
    assert oddity(world) is None


@pytest.mark.parametrize("side", [1.0, -1.0])
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_body_along_x_is_told_unless_its_up_direction_explains_it(path, side):
    turn = torch.tensor([[0.0, side, 0], [-side, 0, 0], [0, 0, 1]])
    sideways = turned_sample(path, turn)
    assert "along the x axis over the whole clip" in oddity(sideways)
    up = turn.double() @ torch.tensor([0.0, -1, 0], dtype=torch.float64)
    assert oddity(dataclasses.replace(sideways, up=up)) is None


def test_systems_that_refuse_corrections_are_not_told_to_correct(tmp_path):
    person = known_person()
    far = dataclasses.replace(person, pelvis=person.pelvis * 1000)
    for path in (write_gvhmr(tmp_path, far, far), write_4dhumans(tmp_path, {1: far}, {}, len(far.pelvis))):
        found = oddity(read_capture(path))
        assert found and "--units" not in found and "--up" not in found
        with pytest.raises(InputError, match="always writes metres"):
            read_capture(path, corrections=Corrections(units="mm"))


def exchanged_sides(body):
    order = list(range(22))
    for left in (number for number, name in enumerate(JOINT_NAMES) if name.startswith("left_")):
        right = JOINT_NAMES.index(JOINT_NAMES[left].replace("left", "right"))
        order[left], order[right] = right, left
    return body[:, [number - 1 for number in order[1:]]]


WRONG_BODIES = {
    "transposed": (lambda body: body.mT, "circle_walk", "knees or elbows bend backwards"),
    "sides": (exchanged_sides, "wave", "knees or elbows bend backwards"),
    "reversed": (lambda body: body.flip(1), "squat", "knees or elbows bend backwards and the spine folds"),
    "shifted": (lambda body: body.roll(1, dims=1), "squat", "knees or elbows bend backwards and the spine folds"),
    "quaternions": (
        lambda body: quaternion_to_matrix(matrix_to_quaternion(body).roll(1, dims=-1)),
        "circle_walk",
        "the spine folds",
    ),
}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_people_bend_as_people_do(path):
    backwards, folded = wrong_bends(read_capture(path).body_rotations)
    assert not backwards.any() and not folded.any()


@pytest.mark.parametrize("name", WRONG_BODIES)
def test_bodies_in_another_order_are_told(name):
    change, sample, words = WRONG_BODIES[name]
    capture = read_capture(REPO / "data_samples" / "captures" / f"{sample}.pt")
    wrong = dataclasses.replace(capture, body_rotations=change(capture.body_rotations))
    (note,) = [note for note in convert(wrong).notes if "another order" in note]
    assert note.startswith(f"{words} in ")


@pytest.mark.parametrize(("frames", "told"), [(22, False), (40, True)])
def test_a_few_wrong_bends_are_noise(frames, told):
    capture = read_capture(SAMPLES[0])
    body = capture.body_rotations.clone()
    body[:frames, JOINT_NAMES.index("left_knee") - 1] = rotvec_to_matrix(torch.tensor([-0.6, 0, 0], dtype=body.dtype))
    notes = check_capture(dataclasses.replace(capture, body_rotations=body))
    assert any("bend backwards" in note for note in notes) == told


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize(
    ("scale", "told"), [(1e-3, "look like kilometres. If so, convert with --units km"), (0.0, "transl is missing")]
)
def test_a_person_in_the_plane_of_the_camera_is_told(path, scale, told):
    values = values_of(path)
    values["transl"] = values["transl"] * scale
    assert told in oddity(capture_from_dict(values))


@pytest.mark.parametrize(("unit", "metres"), [("ft", 0.3048), ("in", 0.0254), ("dm", 0.1), ("km", 1000.0)])
def test_units_that_cannot_be_seen_can_be_given(unit, metres, tmp_path):
    values = values_of(SAMPLES[0])
    torch.save({**values, "transl": values["transl"].double() / metres}, tmp_path / "c.pt")
    found = read_capture(tmp_path / "c.pt", corrections=Corrections(units=unit))
    assert_close(found.transl, values["transl"].double(), atol=1e-9, rtol=0)


ROUNDINGS = {
    "bfloat16": lambda transl: transl.bfloat16(),
    "float16": lambda transl: (transl + torch.tensor([0, 0, 4.0])).half(),
    "64 steps a metre": lambda transl: (transl * 64).round() / 64,
}


@pytest.mark.parametrize("rounding", ROUNDINGS.values(), ids=ROUNDINGS)
def test_rounded_translations_are_told(rounding):
    values = values_of(REPO / "data_samples/captures/circle_walk.pt")
    values["transl"] = rounding(values["transl"])
    assert any("transl changes in steps of" in note for note in check_capture(capture_from_dict(values)))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("rows", [None, 1])
def test_exact_and_constant_translations_are_not_rounded(path, rows):
    values = values_of(path)
    values["transl"] = values["transl"][:rows].expand(len(values["transl"]), 3)
    assert not any("steps" in note for note in check_capture(capture_from_dict(values)))
