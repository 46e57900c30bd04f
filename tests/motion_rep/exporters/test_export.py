"""Exports are opened by programs that are not ours, and agree with forward kinematics."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from checkout import REPO, TESTS
from sample_motions import smooth_clip
from scipy.spatial.transform import Rotation
from torch.testing import assert_close

from motion_rep.bodies.mannequin_body import MannequinBody
from motion_rep.captures.capture import Capture
from motion_rep.convert_representation import main as convert_representation
from motion_rep.export_motion import main
from motion_rep.exporters.bvh_file import continuous_euler_zxy, euler_zxy
from motion_rep.exporters.writing import Settings, export_motion
from motion_rep.kinematics.frames import y_up_from_z_up
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.rotations import angle_between, rotvec_to_matrix, slerp
from motion_rep.kinematics.skeleton import JOINT_NAMES, PARENTS, REST_JOINTS, forward_kinematics
from motion_rep.motions.encoding import body_parameters, encode_capture
from motion_rep.motions.layout import unpack
from motion_rep.motions.motion_file import MotionClip, write_motion

COMMAND = REPO / "motion_rep" / "export_motion.py"
NODE_PACKAGES = TESTS / "node_modules"
MILLIMETRE = 1e-3
FPS = 16.0


@pytest.fixture(scope="module")
def clip() -> MotionClip:
    return smooth_clip(frames=31, seed=1, reach=1.6)


@pytest.fixture(scope="module")
def joints(clip) -> torch.Tensor:
    """(30, 22, 3) z up, by forward kinematics."""
    return forward_kinematics(*body_parameters(clip.motion.double())).positions


@pytest.fixture(scope="module")
def exported(clip, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    for kind in ("npz", "bvh", "glb", "csv", "npy"):
        export_motion(clip, folder / f"out.{kind}", FPS, Settings())
    return folder


# --- npz


def test_npz_has_the_keys_and_shapes_of_amass(exported):
    with np.load(exported / "out.npz") as file:
        shapes = {
            name: file[name].shape
            for name in ("trans", "poses", "root_orient", "pose_body", "pose_hand", "pose_jaw", "pose_eye", "betas")
        }
        assert shapes == {
            "trans": (31, 3),
            "poses": (31, 165),
            "root_orient": (31, 3),
            "pose_body": (31, 63),
            "pose_hand": (31, 90),
            "pose_jaw": (31, 3),
            "pose_eye": (31, 6),
            "betas": (16,),
        }
        assert (str(file["gender"]), str(file["surface_model_type"])) == ("neutral", "smplx")
        assert float(file["mocap_frame_rate"]) == float(file["mocap_framerate"]) == FPS
        assert np.array_equal(file["poses"][:, :66], np.concatenate((file["root_orient"], file["pose_body"]), axis=1))


@pytest.mark.parametrize("frame", ["zup", "yup"])
def test_npz_poses_the_skeleton_of_body_models(clip, joints, frame, tmp_path):
    body_models = pytest.importorskip(
        "body_models.smplx.numpy", reason="body-models is not installed (pip install body-models)"
    )
    export_motion(clip, tmp_path / "out.npz", FPS, Settings(frame=frame))
    model = body_models.SMPLX(model_path=_smplx_model_of_joints(tmp_path / "SMPLX_NEUTRAL.npz"), flat_hand_mean=True)
    with np.load(tmp_path / "out.npz") as file:
        face = np.concatenate((file["pose_jaw"], file["pose_eye"]), axis=1)
        rotations = {"body_pose": file["pose_body"], "head_pose": face, "hand_pose": file["pose_hand"]}
        shaped = {name: value.reshape(len(value), -1, 3).astype(np.float32) for name, value in rotations.items()}
        root = {
            "pelvis_rotation": file["root_orient"].astype(np.float32),
            "global_translation": file["trans"].astype(np.float32),
        }
        frames = len(file["trans"])
        neutral = {"shape": np.zeros((frames, 300), np.float32), "expression": np.zeros((frames, 10), np.float32)}
        posed = model.forward_skeleton(**shaped, **root, **neutral)
    expected = joints if frame == "zup" else y_up_from_z_up(joints)
    assert np.abs(posed[: len(joints), :22, :3, 3] - expected.numpy()).max() < MILLIMETRE


def _smplx_model_of_joints(path: Path) -> Path:
    """A model file with SMPL-X's layout and one vertex a joint; hands and face hang at the wrists and the head."""
    parents = [*PARENTS, 15, 15, 15, *(20 for _ in range(15)), *(21 for _ in range(15))]
    rest = np.array([*REST_JOINTS, *(REST_JOINTS[parent] for parent in parents[22:])], np.float32)
    count = len(parents)
    arrays = {
        "v_template": rest,
        "f": np.array([[0, 1, 2]]),
        "weights": np.eye(count, dtype=np.float32),
        "J_regressor": np.eye(count, dtype=np.float32),
        "shapedirs": np.zeros((count, 3, 400), np.float32),
        "posedirs": np.zeros((count, 3, 486), np.float32),
        "kintree_table": np.array([parents, range(count)]),
        "hands_meanl": np.zeros(45),
        "hands_meanr": np.zeros(45),
        "joint2num": np.array({str(number): number for number in range(count)}, dtype=object),
    }
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("frame", ["zup", "yup"])
@pytest.mark.parametrize("seed", range(3))
def test_npz_through_the_converter_gives_every_row_back(seed, frame, tmp_path):
    pytest.importorskip("motion_rep.hmr_formats.amass")
    from motion_rep.hmr_formats.reading import read_capture

    clip = smooth_clip(frames=31, seed=seed, reach=1.2)
    export_motion(clip, tmp_path / "out.npz", FPS, Settings(frame=frame))
    again = encode_capture(read_capture(tmp_path / "out.npz", "amass")).motion
    assert again.shape == clip.motion.shape
    assert (again - clip.motion).abs().max() < 1e-5


def test_npz_keeps_the_floor_when_the_last_frame_is_the_lowest(tmp_path):
    """The last frame is in no row, yet its lowest joint decides where the floor is."""
    from motion_rep.exporters.posed_motion import posed_motion

    clip = _sinking_clip()
    closed = posed_motion(clip, FPS, "zup", closing=True)
    assert clip.motion[:, 128:192:3].min() > 0.01, "no row touches the floor"
    assert abs(float(closed.joints()[..., 2].min())) < 1e-5
    assert len(closed) == len(clip) + 1


def _sinking_clip() -> MotionClip:
    from dataclasses import replace

    from sample_motions import smooth_capture

    capture = smooth_capture(21, seed=3)
    sinking = (
        capture.transl
        + torch.tensor([0.0, 0.5, 0.0], dtype=torch.float64) * torch.arange(21, dtype=torch.float64)[:, None]
    )
    return MotionClip(encode_capture(replace(capture, transl=sinking)).motion.float(), fps=FPS)


def test_npz_of_a_motion_whose_velocities_disagree_has_its_rows_only(clip):
    from motion_rep.exporters.posed_motion import posed_motion

    motion = clip.motion.clone()
    motion[:, 192:258] = 0.3
    assert len(posed_motion(MotionClip(motion, fps=FPS), FPS, "zup", closing=True)) == len(clip)


# --- bvh


@pytest.mark.parametrize(("unit", "metres"), [("m", 1.0), ("cm", 0.01)])
@pytest.mark.parametrize("frame", [None, "zup"])
def test_bvh_read_by_bvhio(clip, joints, unit, metres, frame, tmp_path):
    bvhio = pytest.importorskip("bvhio", reason="bvhio is not installed (pip install bvhio)")
    export_motion(clip, tmp_path / "out.bvh", FPS, Settings(frame=frame, unit=unit))
    file = bvhio.readAsBvh(str(tmp_path / "out.bvh"))
    assert (file.FrameCount, file.FrameTime) == (len(clip), pytest.approx(1 / FPS))
    skeleton = bvhio.readAsHierarchy(str(tmp_path / "out.bvh"))
    expected = joints if frame == "zup" else y_up_from_z_up(joints)
    for number in range(0, len(clip), 7):
        skeleton.loadPose(number)
        places = {joint.Name: np.array(joint.PositionWorld) * metres for joint, _, _ in skeleton.layout()}
        found = np.stack([places[name] for name in JOINT_NAMES])
        assert np.abs(found - expected[number].numpy()).max() < MILLIMETRE


def test_bvh_angles_lead_through_the_middle_between_two_frames():
    """A knee that bends past 90 degrees with some twist, where the usual solution flips by 180 degrees."""
    bend = torch.linspace(0, 2.7, 28, dtype=torch.float64)
    swing = 0.15 * torch.sin(torch.arange(28, dtype=torch.float64) / 4)
    rotations = rotvec_to_matrix(torch.stack((bend, swing, 0.5 * swing), dim=-1))[:, None]
    angles = continuous_euler_zxy(rotations)
    middle = torch.from_numpy(Rotation.from_euler("ZXY", (angles[1:, 0] + angles[:-1, 0]) / 2).as_matrix())
    expected = slerp(rotations[:-1, 0], rotations[1:, 0], torch.full((27,), 0.5, dtype=torch.float64))
    assert float(angle_between(middle, expected).max()) < np.radians(6)
    back = torch.from_numpy(Rotation.from_euler("ZXY", angles[:, 0]).as_matrix())
    assert_close(back, rotations[:, 0], atol=1e-12, rtol=0)


@pytest.mark.parametrize("target", ["export", "amass", "smplx-npz"])
def test_rotation_vectors_lead_through_the_middle_between_two_frames(tmp_path, target):
    """A root and a shoulder that turn past 180 degrees, where the shortest vector changes its sign."""
    frames = 40
    turn, lean = torch.linspace(0, 2.4, frames, dtype=torch.float64), torch.full((frames,), 0.1, dtype=torch.float64)
    root = rotvec_to_matrix(torch.stack((turn, lean, 0 * turn), dim=-1))
    body = torch.eye(3, dtype=torch.float64).expand(frames, 21, 3, 3).clone()
    body[:, 15] = rotvec_to_matrix(torch.stack((0.5 * lean, 1.7 * turn, lean), dim=-1))
    capture = Capture(root, body, torch.zeros(frames, 3, dtype=torch.float64))
    write_motion(tmp_path / "m.pt", MotionClip(encode_capture(capture).motion, fps=30.0))
    words = [str(tmp_path / "m.pt"), "-o", str(tmp_path / "m.npz")]
    done = main(words) if target == "export" else convert_representation(["-i", *words, "--to", target])
    assert done == 0
    with np.load(tmp_path / "m.npz") as file:
        names = ("global_orient", "body_pose") if target == "smplx-npz" else ("root_orient", "pose_body")
        vectors = np.concatenate([file[name].reshape(len(file[name]), -1, 3) for name in names], axis=1)
    assert np.abs(np.diff(vectors, axis=0)).max() < 0.3
    rotations = rotvec_to_matrix(torch.from_numpy(vectors).double())
    middle = rotvec_to_matrix(torch.from_numpy(vectors[1:] + vectors[:-1]).double() / 2)
    expected = slerp(rotations[:-1], rotations[1:], torch.full(middle.shape[:2], 0.5, dtype=torch.float64))
    assert float(angle_between(middle, expected).max()) < np.radians(1)


def test_bvh_rest_pose_is_the_skeleton(exported):
    bvhio = pytest.importorskip("bvhio", reason="bvhio is not installed (pip install bvhio)")
    offsets = {
        joint.Name: np.array(joint.Offset) for joint, _, _ in bvhio.readAsBvh(str(exported / "out.bvh")).Root.layout()
    }
    for joint, name in enumerate(JOINT_NAMES[1:], 1):
        expected = np.subtract(REST_JOINTS[joint], REST_JOINTS[PARENTS[joint]])
        assert np.abs(offsets[name] - expected).max() < 1e-5, name


def test_euler_angles_give_the_rotation_back_also_where_two_axes_fall_together():
    rotations = rotvec_to_matrix(
        torch.randn(2000, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 2
    )
    quarter = rotvec_to_matrix(torch.tensor([[torch.pi / 2, 0.0, 0.0]], dtype=torch.float64))
    spin = rotvec_to_matrix(torch.linspace(-3, 3, 50, dtype=torch.float64)[:, None] * torch.tensor([0.0, 0.0, 1.0]))
    nearly = rotvec_to_matrix(
        torch.randn(50, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 1e-6
    )
    rotations = torch.cat((rotations, spin @ quarter, spin @ quarter @ nearly))
    angles = euler_zxy(rotations)
    z, x, y = (
        rotvec_to_matrix(angles[:, k : k + 1] * torch.eye(3, dtype=torch.float64)[axis])
        for k, axis in enumerate((2, 0, 1))
    )
    assert (z @ x @ y - rotations).abs().max() < 1e-9


# --- glb


def test_glb_passes_the_validator(exported):
    report = json.loads(_node("-e", _VALIDATE, str(exported / "out.glb"), package="gltf-validator"))
    assert report["issues"]["numErrors"] == report["issues"]["numWarnings"] == 0, report["issues"]["messages"]
    assert (report["info"]["animationCount"], report["info"]["hasSkins"], report["info"]["maxInfluences"]) == (
        1,
        True,
        4,
    )


_VALIDATE = """
const bytes = new Uint8Array(require("fs").readFileSync(process.argv[2]));
require(process.argv[1] + "/gltf-validator").validateBytes(bytes).then((report) => console.log(JSON.stringify(report)));
"""


def test_glb_played_by_three_js_moves_joints_and_skin_as_forward_kinematics(exported, clip, joints):
    frames, picked = [0, 7, 29], list(range(0, 24000, 1500))
    script = str(TESTS / "support" / "play_glb.mjs")
    played = json.loads(
        _node(
            script,
            str(exported / "out.glb"),
            json.dumps([frame / FPS for frame in frames]),
            json.dumps(picked),
            package="three",
        )
    )
    assert played["names"] == list(JOINT_NAMES)
    assert played["duration"] == pytest.approx((len(clip) - 1) / FPS)
    parameters = body_parameters(clip.motion.double())
    vertices = MannequinBody().vertices(BodyParameters(*(value[frames] for value in parameters)))[:, picked]
    for number, frame in enumerate(frames):
        shown = played["frames"][number]
        assert np.abs(np.array(shown["joints"]) - y_up_from_z_up(joints[frame]).numpy()).max() < MILLIMETRE
        assert (
            np.abs(np.array(shown["vertices"]) - y_up_from_z_up(torch.from_numpy(vertices[number])).numpy()).max()
            < MILLIMETRE
        )


def test_glb_opened_by_trimesh_holds_the_body_at_rest(exported):
    trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed (pip install trimesh)")
    scene = trimesh.load(exported / "out.glb", process=False)
    (mesh,) = scene.geometry.values()
    rest = BodyParameters(torch.eye(3)[None], torch.eye(3).expand(1, 21, 3, 3), torch.zeros(1, 3))
    assert np.abs(mesh.vertices - MannequinBody().vertices(rest)[0]).max() < MILLIMETRE
    assert len(mesh.faces) == len(MannequinBody().faces)
    for name, place in zip(JOINT_NAMES, REST_JOINTS, strict=True):
        assert np.abs(scene.graph.get(name)[0][:3, 3] - place).max() < MILLIMETRE


def _node(*arguments: str, package: str) -> str:
    """Run node with the test packages' folder as the first argument of the script."""
    if shutil.which("node") is None or not (NODE_PACKAGES / package).is_dir():
        pytest.skip(f"node or its package {package} is not installed (npm install --prefix tests --no-package-lock)")
    script = list(arguments[:2]) if arguments[0] == "-e" else [arguments[0]]
    done = subprocess.run(
        ["node", *script, str(NODE_PACKAGES), *arguments[len(script) :]], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# --- npy


def test_npy_holds_the_joints_of_the_rotations(exported, joints):
    found = np.load(exported / "out.npy", allow_pickle=False)
    assert found.dtype == np.float32
    assert_close(torch.from_numpy(found), joints.float(), atol=1e-6, rtol=0)


# --- csv


def test_csv_has_named_columns_and_the_joints(exported, joints):
    with open(exported / "out.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(joints)
    assert float(rows[16]["time_s"]) == pytest.approx(1.0)
    found = np.array([[[float(row[f"{name}_{axis}_m"]) for axis in "xyz"] for name in JOINT_NAMES] for row in rows])
    assert np.abs(found - joints.numpy()).max() < 1e-5


# --- the command


def _run(*arguments: object, cwd: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, str(COMMAND), *map(str, arguments)], capture_output=True, text=True, cwd=cwd, timeout=120
    )


def test_command_writes_every_kind_and_takes_the_motion_s_own_rate(clip, tmp_path):
    write_motion(tmp_path / "motion.pt", clip)
    done = _run("motion.pt", "-o", "a/b/out.npz", "out.BVH", "out.csv", "out.glb", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert all((tmp_path / name).stat().st_size > 1000 for name in ("a/b/out.npz", "out.BVH", "out.csv", "out.glb"))
    assert "out.BVH: 30 frames at 16 fps, y up, metres" in done.stdout


def test_unknown_rate_is_said_and_can_be_given(clip, tmp_path, capsys):
    write_motion(tmp_path / "motion.pt", MotionClip(clip.motion))
    assert main([str(tmp_path / "motion.pt"), "-o", str(tmp_path / "out.npz")]) == 0
    assert "16 is assumed" in capsys.readouterr().err
    assert main([str(tmp_path / "motion.pt"), "-o", str(tmp_path / "out.npz"), "--fps", "30"]) == 0
    assert capsys.readouterr().err == ""
    with np.load(tmp_path / "out.npz") as file:
        assert float(file["mocap_frame_rate"]) == 30


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["motion.pt", "-o", "out.fbx"], 2, "out.fbx: ends in .fbx, expected one of"),
        (["motion.pt", "-o", "out.glb", "--frame", "zup"], 2, "glTF is always y up"),
        (["missing.pt", "-o", "out.bvh"], 1, "missing.pt: cannot be read"),
        (["motion.npz", "-o", "motion.npz"], 2, "the same file"),
    ],
)
def test_one_line_says_what_is_wrong_and_nothing_is_written(
    arguments, code, message, clip, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    write_motion("motion.pt", clip)
    write_motion("motion.npz", clip)
    assert main(arguments) == code
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["motion.npz", "motion.pt"]


def test_exports_are_the_same_bytes_again(clip, exported, tmp_path):
    for kind in ("npz", "bvh", "glb", "csv", "npy"):
        export_motion(clip, tmp_path / f"out.{kind}", FPS, Settings())
        assert (tmp_path / f"out.{kind}").read_bytes() == (exported / f"out.{kind}").read_bytes(), kind


def test_joints_of_the_export_are_those_of_the_columns(clip, joints):
    assert (unpack(clip.motion).joints - joints).abs().max() < 1e-5


# --- several motions


def test_folder_holds_each_kind_of_each_motion(clip, tmp_path, capsys):
    for name in ("raw/a.pt", "raw/deep/b.pt", "c.pt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_motion(tmp_path / name, clip)
    (tmp_path / "raw/bad.pt").write_bytes(b"no motion")
    out, failures = tmp_path / "out", tmp_path / "failures.json"
    given = [str(tmp_path / "raw"), str(tmp_path / "c.pt"), "-o", str(out), "--format", "bvh", "npy"]
    assert main([*given, "--failures", str(failures), "--workers", "0"]) == 1
    printed = capsys.readouterr()
    assert "6 exported, 0 unchanged, 2 failed" in printed.out and printed.err.count("bad.pt") >= 2
    made = {path.relative_to(out).as_posix() for path in out.rglob("*.*")}
    assert made == {f"{name}.{kind}" for name in ("a", "deep/b", "c") for kind in ("bvh", "npy")}
    assert {one["item"] for one in json.loads(failures.read_text())["failures"]} == {str(tmp_path / "raw/bad.pt")}
    assert main([str(tmp_path / "c.pt"), "-o", str(tmp_path / "single.bvh")]) == 0
    assert (tmp_path / "single.bvh").read_bytes() == (out / "c.bvh").read_bytes()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("one/a.pt two/a.pt -o out --format npy", "are the same file"),
        ("one two/b.pt -o out", "Give -o FOLDER --format KIND"),
        ("one -o out.glb", "Give -o FOLDER --format KIND"),
        ("one -o out.glb --format glb", "out.glb: is the name of one file, but --format needs a folder"),
        ("one -o out --format glb --frame zup", "glTF is always y up"),
        ("one gone.pt -o out --format npy", "gone.pt: does not exist"),
        ("one/a.pt -o a.npy --failures f.json", "--failures is for a folder of outputs"),
    ],
)
def test_folder_is_refused_before_work(flags, message, clip, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("one/a.pt", "two/a.pt", "two/b.pt"):
        Path(name).parent.mkdir(exist_ok=True)
        write_motion(Path(name), clip)
    assert main(flags.split()) == 2
    assert message in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_exports_never_replace_their_motions(clip, tmp_path):
    """An output folder in which a link of that name leads to the motion."""
    write_motion(tmp_path / "a.pt", clip)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/a.npy").symlink_to(tmp_path / "a.pt")
    before = (tmp_path / "a.pt").read_bytes()
    assert main([str(tmp_path / "a.pt"), "-o", str(tmp_path / "out"), "--format", "npy", "--workers", "0"]) == 2
    assert (tmp_path / "a.pt").read_bytes() == before
