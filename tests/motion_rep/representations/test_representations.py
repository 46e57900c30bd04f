"""Motions to other representations and back, against rows written here from the published layouts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hmr_layouts import SMPLX_PELVIS, Known, gravity_world, known_person, rotvec, write_amass, write_gvhmr
from scipy.spatial.transform import Rotation, Slerp

from motion_rep.captures.capture import Capture
from motion_rep.conversion.capture_to_motion import convert
from motion_rep.convert_representation import main
from motion_rep.hmr_formats.reading import read_capture
from motion_rep.kinematics.frames import OPENCV_FROM_UP, basis
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.skeleton import PARENTS, forward_kinematics, rest_joints
from motion_rep.motions.layout import unpack
from motion_rep.motions.motion_file import MotionClip, read_motion, write_motion
from motion_rep.representations.humanml3d import encode_263
from motion_rep.representations.recognition import recognise
from motion_rep.representations.rows_272 import decode_272, encode_272

FRAMES = 40


def in_world(frames: int = FRAMES, seed: int = 0) -> Known:
    """A person in a world with y up."""
    rotation, shift = gravity_world(frames)
    return known_person(frames, seed).seen_from(rotation, shift)


def parameters(person: Known) -> BodyParameters:
    return BodyParameters(*(torch.tensor(value) for value in (person.root, person.body, person.pelvis - SMPLX_PELVIS)))


def joints_of(person: Known) -> np.ndarray:
    return forward_kinematics(*parameters(person)).positions.numpy()


def motion_of(person: Known, fps: float) -> torch.Tensor:
    """The 276 columns, by the way of a capture."""
    body = parameters(person).turned(basis(OPENCV_FROM_UP["y"], torch.zeros(1, dtype=torch.float64)))
    return convert(Capture(*body, fps=fps, has_camera=False, up_axis="y")).clip.motion


def rows_272(person: Known) -> np.ndarray:
    """The published layout, frame by frame, after its text."""
    joints, root = joints_of(person), person.root

    def yaw(angle: float) -> np.ndarray:
        return Rotation.from_euler("y", angle).as_matrix()

    first = yaw(-np.arctan2(root[0, 0, 2], root[0, 2, 2]))
    joints, root = joints @ first.T, first @ root
    joints = joints - [joints[0, 0, 0], joints[..., 1].min(), joints[0, 0, 2]]
    rows = []
    for t in range(len(root)):
        back = yaw(-np.arctan2(root[t, 0, 2], root[t, 2, 2]))
        local = (joints[t] - joints[t, 0] * [1, 0, 1]) @ back.T
        before = rows[-1] if rows else None
        change, step = np.eye(3), np.zeros(3)
        if before is not None:
            change, step = back @ before["back"].T, before["back"] @ (joints[t, 0] - joints[t - 1, 0])
        speed = np.zeros((22, 3)) if before is None else local - before["local"]
        rotations = np.concatenate([(back @ root[t])[None], person.body[t]])
        flat = [step[[0, 2]], change[:2].ravel(), local.ravel(), speed.ravel(), rotations[:, :2].ravel()]
        rows.append({"back": back, "local": local, "row": np.concatenate(flat)})
    return np.stack([row["row"] for row in rows])


def rows_201(person: Known) -> np.ndarray:
    transl = person.pelvis - SMPLX_PELVIS
    rotations = np.concatenate([person.root[:, None], person.body], axis=1)
    columns = rotations[..., :2].reshape(len(transl), -1)
    still = joints_of(person) - transl[:, None]
    return np.concatenate([transl, columns, still.reshape(len(transl), -1)], axis=1)


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


@pytest.mark.parametrize(("kind", "rows"), [("272", rows_272), ("201", rows_201)])
def test_rows_of_the_published_layout_come_back_as_the_known_motion(kind, rows, tmp_path):
    person = in_world()
    np.save(tmp_path / "in.npy", rows(person).astype(np.float32))
    assert run("-i", tmp_path / "in.npy", "-o", tmp_path / "out.pt", "--to", "276") == 0
    clip = read_motion(tmp_path / "out.pt")
    assert clip.fps == 30.0 and (clip.motion - motion_of(person, 30.0)).abs().max() < 1e-5


@pytest.mark.parametrize(("kind", "rows"), [("272", rows_272), ("201", rows_201)])
def test_our_motion_is_written_as_the_published_layout(kind, rows, tmp_path):
    person = in_world()
    write_motion(tmp_path / "in.pt", MotionClip(motion_of(person, 30.0), fps=30.0))
    assert run("-i", tmp_path / "in.pt", "-o", tmp_path / "out.npy", "--to", kind) == 0
    written = np.load(tmp_path / "out.npy")
    assert written.shape[0] == FRAMES, "the closing frame is there"
    expected = rows(person)
    if kind == "201":
        joints, still = expected[:, 135:].reshape(-1, 22, 3), written[:, 135:].reshape(-1, 22, 3)
        lengths = np.linalg.norm(joints[:, 1:] - joints[:, :1], axis=-1)
        assert np.abs(np.linalg.norm(still[:, 1:] - still[:, :1], axis=-1) - lengths).max() < 1e-4
    # 201 keeps the world of the motion, which is turned and moved to the origin; 272 turns and moves by itself. The
    # twist of limbs in the closing frame is not in the 276 columns.
    known = slice(9, 135) if kind == "201" else slice(0, 272)
    assert np.abs(written - expected)[:-1, known].max() < 1e-4
    if kind == "272":
        assert np.abs(written - expected)[:, :140].max() < 1e-4


@pytest.mark.parametrize("kind", ["272", "201", "amass", "smplx-npz"])
def test_there_and_back_is_the_same_motion(kind, tmp_path):
    motion = motion_of(in_world(), 30.0)
    write_motion(tmp_path / "in.pt", MotionClip(motion, fps=30.0))
    middle = tmp_path / ("x.npy" if kind in ("272", "201") else "x.npz")
    assert run("-i", tmp_path / "in.pt", "-o", middle, "--to", kind) == 0
    assert run("-i", middle, "-o", tmp_path / "back.pt", "--to", "276", "--from", kind) == 0
    back = read_motion(tmp_path / "back.pt")
    assert back.fps == 30.0 and back.motion.shape == motion.shape
    assert (unpack(back.motion).joints - unpack(motion).joints).abs().max() < 1e-5
    assert (back.motion - motion).abs().max() < 2e-5


def test_the_published_file_decodes_and_encodes_to_itself(shared):
    path = shared / "real" / "motion_272.npz"
    if not path.exists():
        pytest.skip("needs the published file")
    motion = torch.tensor(np.load(path)["motion"]).double()
    body, joints = decode_272(motion)
    assert (encode_272(body, joints, floor=0.0) - motion).abs().max() < 1e-6
    truth = np.load(path)["smpl_85"][: len(motion)]
    ours = body.body.flatten(0, 1).numpy()
    theirs = Rotation.from_rotvec(truth[:, 3:66].reshape(-1, 3)).as_matrix()
    assert np.abs(ours - theirs).max() < 1e-5, "the rotations are the parameters' next to the file"


def test_rates_are_changed_on_the_sphere(tmp_path):
    """Half way between two frames a rotation is the geodesic middle, not the mean of numbers."""
    person = in_world()
    person = Known(person.root, person.body, person.pelvis, person.frames)
    write_motion(tmp_path / "in.pt", MotionClip(motion_of(person, 15.0), fps=15.0))
    assert run("-i", tmp_path / "in.pt", "-o", tmp_path / "out.npy", "--to", "272") == 0
    body, _ = decode_272(torch.tensor(np.load(tmp_path / "out.npy")).double())
    assert len(body.body) == 2 * FRAMES - 1
    wanted = Slerp([0, 1], Rotation.from_matrix(person.body[10:12, 17]))([0.5]).as_matrix()[0]
    assert np.abs(body.body[21, 17].numpy() - wanted).max() < 1e-5


def test_an_amass_archive_becomes_272(tmp_path):
    person = in_world()
    z_up = person.seen_from(np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]), np.zeros(3))
    source = write_amass(tmp_path, z_up, "smplx", 30.0)
    assert run("-i", source, "-o", tmp_path / "out.npy", "--to", "272") == 0
    assert np.abs(np.load(tmp_path / "out.npy") - rows_272(person)).max() < 1e-4


def test_an_smplx_archive_of_others_says_or_is_told_its_up_axis(tmp_path, capsys):
    person = in_world()
    values = {
        "global_orient": rotvec(person.root),
        "body_pose": rotvec(person.body),
        "transl": person.pelvis - SMPLX_PELVIS,
    }
    np.savez(tmp_path / "in.npz", **values, fps=30.0)
    assert run("-i", tmp_path / "in.npz", "-o", tmp_path / "out.npy", "--to", "272") == 0
    assert "does not store which axis is up; y is assumed" in capsys.readouterr().err
    assert np.abs(np.load(tmp_path / "out.npy") - rows_272(person)).max() < 1e-4
    turned = person.seen_from(np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]), np.zeros(3))
    values |= {"global_orient": rotvec(turned.root), "transl": turned.pelvis - SMPLX_PELVIS}
    np.savez(tmp_path / "z.npz", **values, fps=30.0)
    assert run("-i", tmp_path / "z.npz", "-o", tmp_path / "z.npy", "--to", "272", "--up", "z") == 0
    assert "which axis" not in capsys.readouterr().err
    assert np.abs(np.load(tmp_path / "z.npy") - rows_272(person)).max() < 1e-4


def test_files_are_recognised_by_their_numbers_not_only_by_their_width(tmp_path, capsys):
    rows = rows_272(in_world())
    assert recognise(torch.tensor(rows)).kind == "272"
    columns = rows.copy()
    pairs = rows[:, 140:].reshape(-1, 22, 2, 3)
    third = np.cross(pairs[..., 0, :], pairs[..., 1, :])[..., None, :]
    columns[:, 140:] = np.concatenate([pairs, third], axis=-2)[..., :2].reshape(len(rows), -1)
    cases = {
        "columns": (columns, "not the first two rows of rotations"),
        "normalised": ((rows - rows.mean(0)) / (rows.std(0) + 1e-3), "It is normalised"),
        "transposed": (rows.T, "with frames as columns. Transpose it"),
        "batch": (rows[None], "without the first dimension"),
        "humanml3d": (np.zeros((40, 263)), "HumanML3D's 263. It has joint positions and no SMPL rotations"),
        "joints": (np.zeros((40, 22, 3)), "positions of 22 joints"),
        "other": (np.zeros((40, 7)), r"found numbers of shape (40, 7)"),
        "empty": (np.zeros((0, 272)), "has 0 rows, expected at least 2"),
        "giant": (np.full((9, 272), 1e30), "not the first two rows of rotations"),
        "zeros": (np.zeros((9, 201)), "not the first two columns of rotations"),
        "objects": (np.full((9, 276), 3, np.uint16), "span no plane"),
        "nan": (np.where(np.arange(272) == 9, np.nan, rows), "not finite"),
    }
    for name, (value, words) in cases.items():
        np.save(tmp_path / f"{name}.npy", value if value.dtype == np.uint16 else value.astype(np.float32))
        assert run("-i", tmp_path / f"{name}.npy", "-o", tmp_path / "out.pt", "--to", "276") == 1
        assert words in capsys.readouterr().err.replace("\n", " "), name
    np.save(tmp_path / "in.npy", rows.astype(np.float32))
    assert run("-i", tmp_path / "in.npy", "-o", tmp_path / "out.pt", "--to", "276", "--from", "201") == 1
    assert "contains 272, not 201" in capsys.readouterr().err
    captured = write_gvhmr(tmp_path, known_person(), known_person())
    assert run("-i", captured, "-o", tmp_path / "out.pt", "--to", "276") == 1


def test_a_folder_in_the_place_of_an_output_costs_that_file(tmp_path, capsys):
    for seed in range(2):
        write_motion(tmp_path / "in" / f"{seed}.pt", MotionClip(motion_of(in_world(12, seed), 30.0), fps=30.0))
    (tmp_path / "out" / "0.npy").mkdir(parents=True)
    for flags in ((), ("--overwrite",)):
        assert run("-i", tmp_path / "in", "-o", tmp_path / "out", "--to", "272", "--workers", "0", *flags) == 1
        assert "0.npy: is a folder, expected a file" in capsys.readouterr().err
    assert (tmp_path / "out" / "0.npy").is_dir() and (tmp_path / "out" / "1.npy").is_file()


def test_a_folder_is_converted_once_and_foreign_files_are_kept(tmp_path, capsys):
    for seed in range(3):
        clip = MotionClip(motion_of(in_world(12, seed), 30.0), fps=30.0)
        write_motion(tmp_path / "in" / f"{seed}.pt", clip)
    (tmp_path / "in" / "3.npy").write_text("text")
    arguments = ("-i", tmp_path / "in", "-o", tmp_path / "out", "--to", "272", "--workers", "0")
    failures = tmp_path / "failures.json"
    assert run(*arguments, "--failures", failures) == 1
    assert "3 converted, 0 unchanged, 1 failed" in capsys.readouterr().out
    assert json.loads(failures.read_text())["counts"]["failed"] == 1 or "3.npy" in failures.read_text()
    (tmp_path / "in" / "3.npy").unlink()
    assert run(*arguments) == 0 and "0 converted, 3 unchanged" in capsys.readouterr().out
    (tmp_path / "out" / "1.npy").write_bytes(b"mine")
    clip = MotionClip(motion_of(in_world(12, 7), 30.0), fps=30.0)
    write_motion(tmp_path / "in" / "2.pt", clip)
    assert run(*arguments) == 0
    assert "1 regenerated" in (said := capsys.readouterr().out) and "1 kept" in said
    assert (tmp_path / "out" / "1.npy").read_bytes() == b"mine"
    # A run that was killed left a record and not the file, or the file that it was to replace.
    (tmp_path / "out" / "0.npy").unlink()
    (tmp_path / "out" / "2.npy").write_bytes(b"older")
    record = json.loads((tmp_path / "out" / "2.npy.json").read_text())
    record["replaces"] = hashlib.sha256(b"older").hexdigest()
    (tmp_path / "out" / "2.npy.json").write_text(json.dumps(record))
    assert run(*arguments) == 0
    assert "1 converted, 1 regenerated" in (said := capsys.readouterr().out) and "1 kept" in said, said
    assert len(np.load(tmp_path / "out" / "2.npy")) == 12
    assert run(*arguments, "--overwrite") == 0 and "3 converted" in capsys.readouterr().out


def test_humanml3d_rows_hold_the_joints_of_the_bones_asked_for(tmp_path, capsys):
    """HumanML3D's own recovery (headings and steps summed up) gives the joints back, with the skeleton's bones."""
    person = in_world()
    joints = torch.tensor(joints_of(person))
    skeleton = 1.1 * rest_joints(torch.float64)
    rows = encode_263(joints, skeleton).numpy()
    assert rows.shape == (FRAMES - 1, 263)
    half = np.concatenate([[0.0], np.cumsum(rows[:-1, 0])])
    turns = Rotation.from_rotvec(2 * half[:, None] * [0, 1, 0]).as_matrix()
    steps = np.concatenate([np.zeros((1, 3)), np.insert(rows[:-1, 1:3], 1, 0.0, axis=1)])
    path = np.cumsum(np.einsum("tji,tj->ti", turns, steps), axis=0)
    local = np.concatenate(
        [np.insert(np.zeros((len(rows), 2)), 1, rows[:, 3], axis=1)[:, None], rows[:, 4:67].reshape(-1, 21, 3)], axis=1
    )
    places = np.einsum("tji,tkj->tki", turns, local) + path[:, None]
    lengths = np.linalg.norm(places[:, 1:] - places[:, PARENTS[1:]], axis=-1)
    wanted = (skeleton[1:] - skeleton[list(PARENTS[1:])]).norm(dim=-1).numpy()
    assert np.abs(lengths - wanted).max() < 1e-4
    moved = np.diff(places, axis=0)
    recovered = np.einsum("tij,tkj->tki", turns[:-1], moved)
    assert np.abs(recovered - rows[:-1, 193:259].reshape(-1, 22, 3)).max() < 1e-4
    # Bones rise as steeply as before.
    bones = (joints[:-1, 1:] - joints[:-1, list(PARENTS[1:])]).numpy()
    heights = bones[..., 1] / np.linalg.norm(bones, axis=-1)
    assert np.abs((places[:, 1:, 1] - places[:, PARENTS[1:], 1]) / lengths - heights).max() < 1e-4
    write_motion(tmp_path / "in.pt", MotionClip(motion_of(person, 20.0), fps=20.0))
    assert run("-i", tmp_path / "in.pt", "-o", tmp_path / "out.npy", "--to", "263") == 2
    assert "needs --skeleton" in capsys.readouterr().err
    np.save(tmp_path / "000021.npy", skeleton[None].numpy())
    arguments = ("-i", tmp_path / "in.pt", "-o", tmp_path / "out.npy", "--to", "263")
    assert run(*arguments, "--skeleton", tmp_path / "000021.npy") == 0
    assert np.abs(np.load(tmp_path / "out.npy") - rows).max() < 1e-3


def test_kimodo_arrays_agree_with_each_other(tmp_path):
    person = in_world()
    write_motion(tmp_path / "in.pt", MotionClip(motion_of(person, 30.0), fps=30.0))
    assert run("-i", tmp_path / "in.pt", "-o", tmp_path / "k.npz", "--to", "kimodo") == 0
    values = np.load(tmp_path / "k.npz")
    assert {name: values[name].shape for name in values} == {
        "posed_joints": (FRAMES, 22, 3),
        "global_rot_mats": (FRAMES, 22, 3, 3),
        "local_rot_mats": (FRAMES, 22, 3, 3),
        "foot_contacts": (FRAMES, 4),
        "smooth_root_pos": (FRAMES, 3),
        "root_positions": (FRAMES, 3),
        "global_root_heading": (FRAMES, 2),
    }
    parents = list(PARENTS[1:])
    chained = values["global_rot_mats"][:, parents] @ values["local_rot_mats"][:, 1:]
    assert np.abs(chained - values["global_rot_mats"][:, 1:]).max() < 1e-5
    assert np.abs(values["posed_joints"][:, 0] - values["root_positions"]).max() < 1e-5
    assert values["posed_joints"][..., 1].min() == pytest.approx(0, abs=1e-5), "y is up"
    assert np.allclose(np.linalg.norm(values["global_root_heading"], axis=1), 1, atol=1e-5)


def test_a_camera_and_an_unknown_rate_are_told(tmp_path, capsys):
    capture = read_capture(write_gvhmr(tmp_path, known_person(), known_person()))
    write_motion(tmp_path / "in.pt", convert(capture).clip)
    assert run("-i", tmp_path / "in.pt", "-o", tmp_path / "out.npz", "--to", "amass") == 0
    said = capsys.readouterr().err
    assert "camera of the motion was dropped" in said and "16 is assumed" in said
    assert Path(tmp_path / "out.npz").exists()


def test_warnings_name_only_flags_of_this_command(tmp_path, capsys):
    person = in_world()
    values = {"global_orient": rotvec(person.root), "body_pose": rotvec(person.body), "transl": person.pelvis * 1000}
    np.savez(tmp_path / "mm.npz", **values, fps=30.0)
    assert run("-i", tmp_path / "mm.npz", "-o", tmp_path / "out.npy", "--to", "272", "--up", "y") == 0
    said = capsys.readouterr().err
    assert "look like millimetres" in said and "--units" not in said
    np.save(tmp_path / "objects.npy", np.array([{1: print}, 2], object), allow_pickle=True)
    assert run("-i", tmp_path / "objects.npy", "-o", tmp_path / "out.npy", "--to", "272") == 1
    assert "--trust-pickle" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("make", "words"),
    [(Path.mkdir, "is a folder with the name of a file"), (Path.touch, "is another kind of file")],
)
def test_one_input_is_not_taken_for_several(make, words, tmp_path, capsys):
    write_motion(tmp_path / "in.pt", MotionClip(motion_of(in_world(), 30.0), fps=30.0))
    output = tmp_path / ("out.npy" if make is Path.mkdir else "out.dat")
    make(output)
    assert run("-i", tmp_path / "in.pt", "-o", output, "--to", "272") == 2
    said = capsys.readouterr().err
    assert words in said and "several" not in said


def test_a_motion_on_its_side_is_named_in_whole_words(tmp_path, capsys):
    torch.save(motion_of(in_world(), 30.0).T.contiguous(), tmp_path / "turned.pt")
    assert run("-i", tmp_path / "turned.pt", "-o", tmp_path / "out.npy", "--to", "272") == 1
    assert "looks like a 276-dim motion with frames as columns. Transpose it" in capsys.readouterr().err
