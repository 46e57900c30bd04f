"""A known motion in every system's layout comes back: joints within 0.1 mm, with gaps, ghosts, several people and both
spaces.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hmr_layouts import (
    FOCAL,
    HEIGHT,
    SMPLX_PELVIS,
    WIDTH,
    Known,
    gravity_world,
    known_person,
    write_4dhumans,
    write_amass,
    write_camerahmr,
    write_gem_smpl,
    write_gvhmr,
    write_prompthmr,
    write_sam_3d_body,
    write_smpler_x,
    write_smplest_x,
    write_standard,
    write_tram,
    write_wham,
)
from scipy.spatial.transform import Rotation

from motion_rep.captures.capture import Capture
from motion_rep.common.errors import InputError
from motion_rep.conversion.capture_to_motion import convert
from motion_rep.hmr_formats.reading import ADAPTERS, list_people, open_capture, read_capture
from motion_rep.hmr_results.names import FORMATS, is_capture_folder
from motion_rep.kinematics.skeleton import JOINT_NAMES, forward_kinematics

Y_DOWN = np.diag([1.0, -1.0, -1.0])
WITH_GAPS = np.r_[1:6, 8:15, 17:20]


def joints(person: Known) -> torch.Tensor:
    values = (torch.tensor(value) for value in (person.root, person.body, person.pelvis - SMPLX_PELVIS))
    return forward_kinematics(*values).positions


def assert_is(capture: Capture, person: Known, tolerance: float = 1e-4) -> None:
    found = forward_kinematics(capture.root_rotations, capture.body_rotations, capture.transl).positions
    assert found.shape == joints(person).shape
    assert (found - joints(person)).abs().max() < tolerance


def assert_camera(capture: Capture, focal: float = FOCAL) -> None:
    assert capture.has_camera and (capture.width, capture.height) == (WIDTH, HEIGHT)
    assert torch.allclose(capture.focal_length, torch.full((len(capture),), focal, dtype=torch.float64))


def in_world(person: Known, frames: int = 20) -> Known:
    """In a world with y up, as a moving camera sees it."""
    rotation, shift = gravity_world(frames)
    return person.seen_from(rotation[person.frames], shift[person.frames])


def y_down(person: Known) -> Known:
    return person.seen_from(Y_DOWN, np.zeros(3))


def test_every_format_has_a_reader():
    assert set(ADAPTERS) == set(FORMATS) - {"auto"}


@pytest.mark.parametrize("format_name", ["auto", "standard"])
def test_standard(tmp_path, format_name):
    person = known_person().rows(WITH_GAPS)
    capture = read_capture(write_standard(tmp_path, person), format_name)
    assert_is(capture, person)
    assert_camera(capture)
    assert capture.source == "standard" and capture.frame_index.tolist() == WITH_GAPS.tolist()


@pytest.mark.parametrize("retargeted", [True, False])
def test_smplest_x_in_one_camera_or_brought_into_one(tmp_path, retargeted):
    person = known_person().rows(WITH_GAPS)
    capture = read_capture(write_smplest_x(tmp_path, person, retargeted))
    assert_is(capture, person)
    assert_camera(capture, float(capture.focal_length[0]))
    assert capture.source == "smplest-x" and capture.fps == 24.0 and capture.frame_index.tolist() == WITH_GAPS.tolist()
    assert bool(capture.notes) is not retargeted


def test_smpler_x_one_file_per_frame(tmp_path):
    person = known_person().rows(WITH_GAPS)
    capture = read_capture(write_smpler_x(tmp_path, [person]))
    assert_is(capture, person)
    assert_camera(capture, float(capture.focal_length[0]))
    assert capture.frame_index.tolist() == WITH_GAPS.tolist()


def test_smpler_x_follows_people_whose_numbers_change(tmp_path):
    people = [known_person(20, 1), known_person(20, 2).rows(slice(0, 14))]
    folder = write_smpler_x(tmp_path, people)
    assert [person.frames for person in list_people(folder)] == [20, 14]
    for name, person in enumerate(people):
        assert_is(read_capture(folder, person=name), person)


def test_smpler_x_without_the_video_has_no_camera_unless_given(tmp_path):
    person = known_person()
    folder = write_smpler_x(tmp_path, [person], with_frame=False)
    bare = read_capture(folder)
    assert bare.focal_length is None and any("--image-size" in note for note in bare.notes)
    given = read_capture(folder, image_size=(WIDTH, HEIGHT))
    assert_is(given, person)
    assert given.width == WIDTH


def test_smpler_x_takes_the_size_of_a_frame_without_its_pixels(tmp_path):
    """The file names the picture, which could unpack to gigabytes; here the pixels are missing."""
    folder = write_smpler_x(tmp_path, [known_person()])
    (frame,) = (tmp_path / "images/clip").iterdir()
    data = frame.read_bytes()
    frame.write_bytes(data[: data.index(b"\xff\xda")])
    assert read_capture(folder).width == WIDTH
    frame.write_bytes(b"no picture")
    assert read_capture(folder).width is None


@pytest.mark.parametrize("body", ["smpl", "smplx"])
def test_camerahmr_with_either_body(tmp_path, body):
    person = known_person().rows(WITH_GAPS)
    capture = read_capture(write_camerahmr(tmp_path, person, body))
    assert_is(capture, person)
    assert_camera(capture)
    assert capture.source == "camerahmr"


def test_camerahmr_keeps_smplx_numbers_that_came_from_smpls_network(tmp_path):
    """The dump script moves SMPL's pelvis itself; the network's name must not make it happen twice."""
    person = known_person()
    path = write_standard(tmp_path, person, source="camerahmr", model_type="smpl")
    capture = read_capture(path)
    assert_is(capture, person)
    assert capture.source == "camerahmr"


@pytest.mark.parametrize("compress", [0, 3])
def test_4dhumans_without_its_ghosts(tmp_path, compress):
    people = {3: known_person(20, 1).rows(WITH_GAPS), 7: known_person(20, 2).rows(slice(4, 12))}
    path = write_4dhumans(tmp_path, people, {3: [6, 7, 15], 7: [12, 13]}, 20, compress)
    assert [(person.name, person.frames, person.first, person.last) for person in list_people(path)] == [
        ("3", 15, 1, 19),
        ("7", 8, 4, 11),
    ]
    for name, person in people.items():
        capture = read_capture(path, person=name)
        assert_is(capture, person)
        assert_camera(capture, 5000 / 256 * WIDTH)
        assert capture.frame_index.tolist() == person.frames.tolist()
    assert any("3 entries" in note for note in read_capture(path).notes)


def test_another_lens_keeps_the_pixels_and_brings_the_person_near(tmp_path):
    person = known_person()
    path = write_4dhumans(tmp_path, {0: person}, {}, 20)
    far, near = read_capture(path), read_capture(path, focal_length=800.0)
    pixels = [capture.focal_length[:, None] * capture.transl[:, :2] / capture.transl[:, 2:] for capture in (far, near)]
    assert torch.allclose(*pixels)
    assert torch.equal(near.transl[:, :2], far.transl[:, :2]) and float(near.focal_length[0]) == 800.0
    assert_is(read_capture(path, focal_length=12500.0), person)
    with pytest.raises(InputError, match="has no focal length to replace"):
        read_capture(write_amass(tmp_path, person, "smplx"), focal_length=800.0)


def mid_hip(person: Known) -> np.ndarray:
    return joints(person)[:, 1:3].mean(1).numpy()


def test_wham_in_the_camera_and_in_its_world(tmp_path):
    people = {0: known_person(20, 1).rows(slice(0, 9)), 2: known_person(20, 2).rows(WITH_GAPS)}
    worlds = {name: in_world(person) for name, person in people.items()}
    path = write_wham(tmp_path, people, worlds, {name: mid_hip(world) for name, world in worlds.items()})
    for name, person in people.items():
        capture = read_capture(path, person=name)
        assert_is(capture, person)
        assert capture.frame_index.tolist() == person.frames.tolist() and capture.focal_length is None
        assert any("--image-size" in note for note in capture.notes)
        world = read_capture(path, person=name, space="world")
        assert_is(world, y_down(worlds[name]))
        assert not world.has_camera
    assert_camera(read_capture(path, image_size=(WIDTH, HEIGHT)), np.hypot(WIDTH, HEIGHT))


def test_gvhmr_in_the_camera_and_in_its_world(tmp_path):
    person = known_person()
    path = write_gvhmr(tmp_path, person, in_world(person))
    capture = read_capture(path)
    assert_is(capture, person)
    assert_camera(capture)
    world = read_capture(path, space="world")
    assert_is(world, y_down(in_world(person)))
    assert not world.has_camera and world.focal_length is None


def test_gem_smpl_in_the_camera_and_in_its_world(tmp_path):
    person = known_person()
    path = write_gem_smpl(tmp_path, person, in_world(person))
    capture = read_capture(path)
    assert_is(capture, person)
    assert_camera(capture, WIDTH)
    assert capture.source == "gem-smpl" and capture.frame_index is None
    assert_is(read_capture(path, space="world"), y_down(in_world(person)))


def test_frames_that_gem_made_from_text_are_not_seen_by_the_camera(tmp_path):
    person = known_person()
    parts = [{"start": 0, "end": 12, "type": "video"}, {"start": 12, "end": 20, "type": "text"}]
    path = write_gem_smpl(tmp_path, person, in_world(person), parts)
    capture = read_capture(path)
    assert_is(capture, person.rows(slice(0, 12)))
    assert capture.frame_index.tolist() == list(range(12)) and any("8 frames" in note for note in capture.notes)
    assert len(read_capture(path, space="world")) == 20
    only_text = write_gem_smpl(tmp_path, person, person, [{"start": 0, "end": 20, "type": "text"}])
    with pytest.raises(InputError, match="generated from text in all frames.*--space world"):
        read_capture(only_text)


def test_gem_x_is_refused_with_its_reason(tmp_path):
    path = write_gem_smpl(tmp_path, known_person(), known_person())
    values = torch.load(path, weights_only=True)
    values["body_params_incam"]["body_pose"] = torch.zeros(20, 228)
    torch.save(values, path)
    with pytest.raises(InputError, match=r"comes from GEM-X: its body_pose has 228 numbers.*SOMA"):
        read_capture(path)


@pytest.mark.parametrize("missing", ["K_fullimg", "smpl_params_incam"])
def test_gvhmr_without_its_lens_or_with_the_world_only(missing, tmp_path):
    person = known_person()
    path = write_gvhmr(tmp_path, person, in_world(person))
    values = torch.load(path, weights_only=True)
    del values[missing]
    torch.save(values, path)
    capture = read_capture(path)
    if missing == "K_fullimg":
        assert_is(capture, person)
        assert capture.has_camera and capture.focal_length is None and "K_fullimg" in capture.notes[0]
    else:
        assert_is(capture, y_down(in_world(person)))
        assert not capture.has_camera and "only the gravity-aligned world" in capture.notes[0]


def test_an_empty_result_says_what_the_system_needs(tmp_path):
    path = write_wham(tmp_path, {}, {}, {})
    assert list_people(path) == ()
    with pytest.raises(InputError, match="contains no person. WHAM tracks only people"):
        read_capture(path)


def test_a_shape_leaves_the_pelvis_in_its_place(tmp_path):
    """Against the joint directions of mannequin-x, by way of the body whose pelvis they move."""
    mannequin = pytest.importorskip("mannequin")
    betas = np.random.default_rng(0).normal(size=(20, 10))
    directions = np.load(f"{mannequin.__path__[0]}/assets/smplx_calibration.npz")["joint_dirs"][0]
    person = known_person()
    path = write_gvhmr(tmp_path, person, person, betas, betas @ directions.T)
    assert_is(read_capture(path), person)


def test_tram_folder_and_single_track(tmp_path):
    people = [known_person(20, 1).rows(WITH_GAPS), known_person(20, 2).rows(slice(2, 9))]
    folder = write_tram(tmp_path, people, 20)
    assert [(person.name, person.frames) for person in list_people(folder)] == [("0", 15), ("1", 7)]
    for name, person in enumerate(people):
        for place in (folder, folder / "hps" / f"hps_track_{name}.npy"):
            capture = read_capture(place, person=name)
            assert_is(capture, person)
            assert_camera(capture)
            assert_is(read_capture(place, person=name, space="world"), y_down(in_world(person)))


def test_prompthmr_in_the_camera_and_in_its_world(tmp_path):
    people = {1: known_person(20, 1), 2: known_person(20, 2).rows(slice(3, 12))}
    path = write_prompthmr(tmp_path, people, {name: in_world(person) for name, person in people.items()})
    for name, person in people.items():
        capture = read_capture(path, person=name)
        assert_is(capture, person)
        assert_camera(capture)
        assert_is(read_capture(path, person=name, space="world"), y_down(in_world(person)))
    assert_camera_is_scaled(read_capture(path, image_size=(2 * WIDTH, 2 * HEIGHT)))


def with_stiff_trunk(person: Known) -> Known:
    """How the pelvis tilts against the chest is not in the keypoints."""
    body = person.body.copy()
    trunk = [JOINT_NAMES.index(name) - 1 for name in ("spine1", "spine2", "spine3", "left_collar", "right_collar")]
    vectors = Rotation.from_matrix(body[:, trunk].reshape(-1, 3, 3)).as_rotvec()
    body[:, trunk] = Rotation.from_rotvec(0.1 * vectors).as_matrix().reshape(len(body), -1, 3, 3)
    return Known(person.root, body, person.pelvis, person.frames)


@pytest.mark.parametrize("per_frame", [False, True])
def test_sam_3d_body_is_fitted_and_people_are_told_apart(tmp_path, per_frame):
    """Another body: joints within centimetres, limbs within degrees; a tall person keeps the metric place."""
    people = [with_stiff_trunk(known_person(20, 1)), with_stiff_trunk(known_person(20, 2)).rows(slice(3, 15))]
    place = write_sam_3d_body(tmp_path, people, per_frame, scale=1.08)
    assert [(person.frames, person.first) for person in list_people(place)] == [(20, 0), (12, 3)]
    size = (WIDTH, HEIGHT) if per_frame else None
    for name, person in enumerate(people):
        capture = read_capture(place, person=name, image_size=size)
        assert_camera(capture)
        assert capture.frame_index.tolist() == person.frames.tolist() and "1.08 times" in capture.notes[0]
        assert (capture.fps, capture.source) == (None if per_frame else 24.0, "sam-3d-body")
        found = forward_kinematics(capture.root_rotations, capture.body_rotations, capture.transl).positions
        away = (found - joints(person)).norm(dim=-1)
        assert away[:, 0].max() < 0.02 and away.mean() < 0.015 and away.max() < 0.08
    bare = read_capture(place) if per_frame else None
    assert bare is None or bare.focal_length is None and "--image-size" in bare.notes[1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pred_keypoints_3d": np.zeros((20, 60, 3))}, "pred_keypoints_3d has shape (20, 60, 3), expected (20, 70, 3)"),
        ({"pred_cam_t": np.zeros((19, 3))}, "pred_cam_t has shape (19, 3)"),
        ({"bbox": None}, "has no bbox"),
        ({"focal_length": np.ones(7)}, "focal_length has 7 entries"),
        ({"pred_cam_t": np.full((20, 3), np.nan)}, "not finite"),
    ],
)
def test_damaged_files_of_sam_3d_body(tmp_path, changes, words):
    path = write_sam_3d_body(tmp_path, [known_person(20)], per_frame=False)
    values = {**np.load(path), **changes}
    np.savez(path, **{name: value for name, value in values.items() if value is not None})
    with pytest.raises(InputError) as failure:
        read_capture(path)
    assert words in str(failure.value)


def test_a_single_frame_of_sam_3d_body_names_the_folder(tmp_path):
    folder = write_sam_3d_body(tmp_path, [known_person(3)], per_frame=True)
    with pytest.raises(InputError, match="is one frame of SAM 3D Body; give the folder"):
        read_capture(folder / "000001.npz")


def assert_camera_is_scaled(capture: Capture) -> None:
    assert (capture.width, capture.height) == (2 * WIDTH, 2 * HEIGHT)
    assert float(capture.focal_length[0]) == pytest.approx(2 * FOCAL)


@pytest.mark.parametrize("body", ["smplh", "smplx"])
def test_amass_is_z_up_and_has_two_spellings_of_its_rate(tmp_path, body):
    y_up = in_world(known_person())
    z_up = y_up.seen_from(np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]), np.zeros(3))
    capture = read_capture(write_amass(tmp_path, z_up, body, 60.0))
    assert capture.fps == 60.0 and not capture.has_camera and capture.source == "amass"
    heights = forward_kinematics(capture.root_rotations, capture.body_rotations, capture.transl).positions[..., 1]
    assert (-heights - torch.tensor(joints(y_up)[..., 1].numpy())).abs().max() < 1e-4, "y of a capture points down"
    # x and y of the floor may be named otherwise, the motion itself not: it is the same whichever way it came.
    same = Capture(
        *(torch.tensor(value) for value in (y_down(y_up).root, y_up.body, y_down(y_up).pelvis - SMPLX_PELVIS)),
        fps=60.0,
        has_camera=False,
    )
    assert torch.allclose(convert(capture).clip.motion, convert(same).clip.motion, atol=1e-5)


def test_a_world_is_upright_after_conversion(tmp_path):
    """The world of GVHMR needs no level camera: a camera on its side gives the same motion."""
    person = known_person()
    sideways = person.seen_from(np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]), np.zeros(3))
    level, turned = tmp_path / "level", tmp_path / "turned"
    for folder, seen in ((level, person), (turned, sideways)):
        folder.mkdir()
        write_gvhmr(folder, seen, in_world(person))
    motions = [convert(read_capture(folder, space="world")).clip.motion for folder in (level, turned)]
    assert torch.equal(*motions)


def test_gaps_are_filled_by_frame_number_whatever_the_system(tmp_path):
    person = known_person().rows(WITH_GAPS)
    path = write_4dhumans(tmp_path, {1: person}, {}, 20)
    result = convert(read_capture(path), fps=24.0)
    assert len(result.clip.motion) == WITH_GAPS[-1] - WITH_GAPS[0]
    assert any("filled 4 missing frames" in note for note in result.notes)


def test_output_folders_stand_for_their_result(tmp_path):
    person = known_person()
    write_gvhmr(tmp_path, person, person)
    assert is_capture_folder(tmp_path)
    assert open_capture(tmp_path).format == "gvhmr"
    assert not is_capture_folder(tmp_path.parent)


def test_longest_is_the_default_and_the_first_of_equals(tmp_path):
    people = {
        5: known_person(20, 1).rows(slice(0, 6)),
        9: known_person(20, 2).rows(slice(0, 11)),
        4: known_person(20, 3).rows(slice(9, 20)),
    }
    path = write_4dhumans(tmp_path, people, {}, 20)
    capture = read_capture(path)
    assert_is(capture, people[9])
    assert any("took person 9 of 3" in note for note in capture.notes)
    with pytest.raises(InputError, match=r"has no person 6; it contains person 9: 11 frames.*person 5"):
        read_capture(path, person=6)


def test_every_system_is_recognised_by_itself_and_by_name(tmp_path):
    person = known_person()
    written = {
        "standard": write_standard(tmp_path, person),
        "smplest-x": write_smplest_x(tmp_path, person, True),
        "smpler-x": write_smpler_x(tmp_path, [person]),
        "camerahmr": write_camerahmr(tmp_path, person, "smpl"),
        "4dhumans": write_4dhumans(tmp_path, {0: person}, {}, 20),
        "wham": write_wham(tmp_path, {0: person}, {0: person}, {0: person.pelvis}),
        "gvhmr": write_gvhmr(tmp_path, person, person),
        "gem-smpl": write_gem_smpl(tmp_path, person, person),
        "tokenhmr": write_4dhumans(tmp_path, {0: person}, {}, 20),
        "tram": write_tram(tmp_path, [person], 20),
        "prompthmr": write_prompthmr(tmp_path, {0: person}, {0: person}),
        "amass": write_amass(tmp_path, person, "smplx"),
        "sam-3d-body": write_sam_3d_body(tmp_path, [person], per_frame=False),
    }
    assert set(written) == set(ADAPTERS)
    for name, path in written.items():
        # TokenHMR writes 4D-Humans' file.
        assert open_capture(path).format == {"tokenhmr": "4dhumans"}.get(name, name)
        assert read_capture(path, name).source == name
