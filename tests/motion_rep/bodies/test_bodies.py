"""Both bodies stand on the motion's joints, the mannequin is mannequin-x's, and choosing a body never runs what a file
holds.
"""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
import torch
from smplx_support import smplx_arrays

from motion_rep.bodies.body_models import find_model, load_body
from motion_rep.bodies.mannequin_body import MannequinBody
from motion_rep.bodies.mesh_normals import VertexNormals
from motion_rep.common.errors import InputError, UsageError
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.rotations import rotvec_to_matrix
from motion_rep.kinematics.skeleton import JOINT_NAMES, forward_kinematics, pelvis_at_rest


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """No model in the usual places."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SMPLX_MODEL_PATH", raising=False)


def parameters(frames=3, seed=0, size=0.4) -> BodyParameters:
    generator = torch.Generator().manual_seed(seed)
    root, body, transl = (
        size * torch.randn(*shape, 3, generator=generator, dtype=torch.float64)
        for shape in ((frames,), (frames, 21), (frames,))
    )
    return BodyParameters(rotvec_to_matrix(root), rotvec_to_matrix(body), transl)


@pytest.fixture(scope="module")
def bodies(smplx_file):
    return {"mannequin": MannequinBody(), "smplx": load_body("smplx", smplx_file)}


@pytest.fixture(params=["mannequin", "smplx"])
def body(request, bodies):
    return bodies[request.param]


def test_the_mannequin_is_mannequin_xs_own_skinning():
    from mannequin import Mannequin

    model, pose = Mannequin("wooden"), parameters()
    rotvecs = 0.4 * torch.randn(3, 22, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    pose = BodyParameters(rotvec_to_matrix(rotvecs[:, 0]), rotvec_to_matrix(rotvecs[:, 1:]), pose.transl)
    ours = MannequinBody().vertices(pose)
    for frame in range(3):
        # Its pelvis_rotation turns about the pelvis, as SMPL-X does; its global_rotation would turn about the origin.
        theirs = {
            **model.rest_pose(),
            "body_pose": rotvecs[frame, 1:],
            "pelvis_rotation": rotvecs[frame, 0],
            "global_translation": pose.transl[frame],
        }
        expected = model.vertices({key: np.asarray(value, np.float32) for key, value in theirs.items()})
        np.testing.assert_allclose(ours[frame], expected, atol=2e-4)


def test_smplx_puts_each_vertex_where_its_joint_is(bodies):
    pose = parameters(seed=2)
    joints = forward_kinematics(*pose).positions
    np.testing.assert_allclose(bodies["smplx"].vertices(pose)[:, :22], joints.numpy(), atol=2e-5)


def test_both_bodies_carry_the_same_joints(bodies):
    """Where the mannequin's parts are must follow the joints that smplx computes."""
    pose = parameters(seed=3, size=0.25)
    joints = bodies["smplx"].vertices(pose)[:, :22]
    mannequin = bodies["mannequin"]
    vertices = mannequin.vertices(pose)
    for joint, name in enumerate(JOINT_NAMES):
        members = vertices[:, mannequin.parts == joint]
        if members.shape[1]:
            distance = np.linalg.norm(members - joints[:, None, joint], axis=-1).min(axis=1)
            assert distance.max() < 0.16, name


def test_a_whole_body_file_has_the_mannequins_joints(shared):
    path = shared / "body" / "SMPLX_NEUTRAL.npz"
    if not path.is_file():
        pytest.skip("no body file beside this checkout")
    pose = parameters(seed=4, size=0.2)
    ours, theirs = MannequinBody().vertices(pose), load_body("smplx", path).vertices(pose)
    for axis in range(3):
        assert abs(ours[..., axis].mean() - theirs[..., axis].mean()) < 0.02


def test_shapes_types_and_frames(body):
    pose = parameters(frames=4)
    vertices = body.vertices(pose)
    normals = body.normals(pose, vertices)
    assert vertices.dtype == np.float32 and vertices.shape == (4, len(body.parts), 3) == normals.shape
    assert body.faces.dtype == np.int32 and body.faces.max() < len(body.parts)
    assert set(np.unique(body.parts)) <= set(range(22))
    assert len({body.name, body.key, ""}) == 3


def test_frames_do_not_touch_each_other(body):
    pose = parameters(frames=5, seed=5)
    together = body.vertices(pose)
    for frame in range(5):
        alone = body.vertices(BodyParameters(*(value[frame : frame + 1] for value in pose)))
        np.testing.assert_allclose(alone[0], together[frame], atol=1e-5)


def test_moving_and_turning_the_world_moves_and_turns_the_body(body):
    pose = parameters(seed=6)
    turn = rotvec_to_matrix(torch.tensor([0.3, 1.0, -0.5], dtype=torch.float64))
    pelvis = pelvis_at_rest(turn)
    moved = BodyParameters(
        turn @ pose.root, pose.body, (pose.transl + pelvis) @ turn.T - pelvis + torch.tensor([1.0, 2.0, 3.0])
    )
    expected = body.vertices(pose) @ turn.float().numpy().T + np.array([1, 2, 3], np.float32)
    np.testing.assert_allclose(body.vertices(moved), expected, atol=2e-5)


def test_the_mannequins_normals_have_length_one_and_point_outwards():
    body, pose = MannequinBody(), parameters(size=0.0)
    vertices = body.vertices(pose)
    normals = body.normals(pose, vertices)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1.0, atol=1e-4)
    from_faces = VertexNormals(body.faces, vertices.shape[1])(vertices[0])
    assert (np.einsum("ij,ij->i", normals[0], from_faces) > 0.9).mean() > 0.99
    corners = vertices[0][body.faces]
    volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    assert 0.03 < volume < 0.12  # litres of a person, counter-clockwise faces


def test_vertex_normals_of_an_octahedron_point_along_the_axes():
    corners = np.concatenate((np.eye(3), -np.eye(3))).astype(np.float32)
    faces = [
        (a, b, c) if np.linalg.det(corners[[a, b, c]]) > 0 else (a, c, b)
        for a in (0, 3)
        for b in (1, 4)
        for c in (2, 5)
    ]
    normals = VertexNormals(np.array(faces, np.int32), 7)(np.concatenate((corners, [[9, 9, 9]])).astype(np.float32))
    np.testing.assert_allclose(normals[:6], corners, atol=1e-6)
    assert (normals[6] == 0).all()


def test_without_a_model_the_mannequin_is_drawn():
    assert find_model() is None and "mannequin" in load_body().name


@pytest.mark.parametrize("layout", ["file", "folder", "typed folder", "variable", "usual place"])
def test_a_model_is_found_in_every_documented_place(smplx_file, tmp_path, monkeypatch, layout):
    places = {
        "file": "m/SMPLX_NEUTRAL.npz",
        "folder": "m/SMPLX_NEUTRAL.npz",
        "typed folder": "m/smplx/SMPLX_NEUTRAL.npz",
        "variable": "v/SMPLX_NEUTRAL.npz",
    }
    place = tmp_path / places.get(layout, "data/body_models/smplx/SMPLX_NEUTRAL.npz")
    place.parent.mkdir(parents=True)
    shutil.copy(smplx_file, place)
    if layout == "variable":
        monkeypatch.setenv("SMPLX_MODEL_PATH", str(place.parent))
    argument = {"file": place, "folder": place.parent, "typed folder": tmp_path / "m"}.get(layout)
    assert find_model("smplx", argument).resolve() == place
    assert "SMPL-X" in load_body("smplx", argument).name
    assert "mannequin" in load_body("smplx", "mannequin").name


@pytest.mark.parametrize("smpl_type, named", [("smplx", "nothing/here"), ("smplh", None), ("smplh", "nothing/here")])
def test_a_model_that_was_asked_for_and_is_not_there_is_refused(smpl_type, named):
    with pytest.raises(UsageError, match=f"no {smpl_type.upper()} model"):
        load_body(smpl_type, named)


def test_a_model_of_another_kind_is_refused_in_one_line(tmp_path, smplx_file, monkeypatch):
    monkeypatch.setenv("SMPLH_MODEL_PATH", str(smplx_file))
    with pytest.raises(InputError, match="cannot use it as a body model: the file is of another model than smplh"):
        load_body("smplh")


def test_smplh_has_a_variable_of_its_own(tmp_path, smplx_file, monkeypatch):
    """SMPLX_MODEL_PATH may name a file, which is no SMPL-H body."""
    monkeypatch.setenv("SMPLX_MODEL_PATH", str(smplx_file))
    with pytest.raises(UsageError, match="no SMPLH model was found there"):
        load_body("smplh")
    (tmp_path / "h").mkdir()
    (tmp_path / "h/SMPLH_NEUTRAL.npz").touch()
    monkeypatch.setenv("SMPLH_MODEL_PATH", str(tmp_path / "h"))
    assert find_model("smplh") == tmp_path / "h/SMPLH_NEUTRAL.npz"
    assert find_model("smplx") == smplx_file
    monkeypatch.delenv("SMPLH_MODEL_PATH")
    monkeypatch.setenv("SMPLX_MODEL_PATH", str(tmp_path / "h"))
    assert find_model("smplh") == tmp_path / "h/SMPLH_NEUTRAL.npz"


def test_a_variable_that_points_nowhere_is_refused(monkeypatch):
    monkeypatch.setenv("SMPLX_MODEL_PATH", "/nothing/here")
    with pytest.raises(UsageError, match="/nothing/here"):
        load_body()


@pytest.mark.parametrize(
    "content", [b"hello", b"PK\x03\x04" + bytes(100), b"\x93NUMPY\x01\x00"], ids=["text", "zip", "npy"]
)
def test_what_is_no_model_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "SMPLX_NEUTRAL.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match="SMPLX_NEUTRAL.npz: smplx cannot use it") as error:
        load_body("smplx", path)
    assert "\n" not in str(error.value)


def test_a_model_without_its_weights_and_a_cut_one_are_refused(tmp_path, smplx_file):
    arrays = smplx_arrays()
    del arrays["weights"]
    np.savez_compressed(tmp_path / "some.npz", **arrays)
    data = smplx_file.read_bytes()
    (tmp_path / "cut.npz").write_bytes(data[: len(data) // 2])
    (tmp_path / "empty.npz").touch()
    (tmp_path / "model.pkl").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    np.save(tmp_path / "array.npy", np.zeros(3))
    (tmp_path / "array.npy").rename(tmp_path / "array.npz")
    for name in ("some.npz", "cut.npz", "empty.npz", "model.pkl", "array.npz"):
        with pytest.raises(InputError, match=name):
            load_body("smplx", tmp_path / name)


class Malice:
    def __init__(self, proof):
        self.proof = proof

    def __reduce__(self):
        return os.system, (f"touch {self.proof}",)


def test_pickled_objects_in_a_model_file_are_not_run(tmp_path):
    """The original files hold two harmless ones, so such a file must still load."""
    proof, path = tmp_path / "executed", tmp_path / "SMPLX_NEUTRAL.npz"
    np.savez_compressed(path, **smplx_arrays(), joint2num=np.array(Malice(proof), dtype=object))
    body = load_body("smplx", path)
    assert body.vertices(parameters()).shape == (3, 10475, 3)
    assert not proof.exists()


def test_a_pickled_model_is_not_run(tmp_path):
    proof, path = tmp_path / "executed", tmp_path / "SMPLX_NEUTRAL.pkl"
    path.write_bytes(f"cos\nsystem\n(S'touch {proof}'\ntR.".encode())
    with pytest.raises(InputError, match=r"give the \.npz"):
        load_body("smplx", path)
    assert not proof.exists()
