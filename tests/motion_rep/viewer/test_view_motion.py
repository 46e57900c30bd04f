"""The 3D viewer: its clock, what stands where, and that the page is served."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import torch
from checkout import REPO
from sample_motions import smooth_clip

from motion_rep.common.errors import UsageError
from motion_rep.kinematics.camera import Camera, intrinsic_matrix, project, rigid_transform, transform_points
from motion_rep.kinematics.rotations import quaternion_to_matrix, rotvec_to_matrix
from motion_rep.kinematics.skeleton import forward_kinematics
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.motion_file import MotionClip, write_motion
from motion_rep.video.writing import open_writer
from motion_rep.viewer.clock import Clock, frame_at

COMMAND = REPO / "scripts" / "view_motion.py"
FPS = 16.0


def test_clock_runs_loops_and_stops():
    assert Clock(5.0).advanced(0.5).time == 0.5
    assert Clock(5.0, speed=0.25).advanced(1.0).time == 0.25
    assert Clock(5.0, time=4.75).advanced(0.5).time == pytest.approx(0.25)
    ended = Clock(5.0, time=4.75, loops=False).advanced(0.5)
    assert (ended.time, ended.playing) == (5.0, False)
    assert ended.toggled() == Clock(5.0, loops=False), "playing from the end starts over"
    assert Clock(5.0, time=1.0, playing=False).advanced(9.0).time == 1.0
    assert (Clock(5.0).at(-1).time, Clock(5.0).at(9).time) == (0.0, 5.0)


def test_the_last_frame_stays():
    assert [frame_at(time, FPS, 10) for time in (0.0, 1 / 16, 0.09, 0.5, 99.0)] == [0, 1, 1, 8, 9]


def _seen_times(path: Path, *arguments) -> list[int | None]:
    from motion_rep.viewer.video_frames import read_video_frames

    frames = read_video_frames(path, *arguments)
    return [None if frames[row] is None else round(float(frames[row].mean()) / 4) for row in range(len(frames))]


def test_video_frames_are_picked_by_time(tmp_path):
    with open_writer(tmp_path / "grey.mp4", 32, 32, 32.0) as writer:
        for number in range(40):
            writer.write(np.full((32, 32, 3), number * 4, np.uint8))
    path = tmp_path / "grey.mp4"
    assert _seen_times(path, 8, 16.0, 0.0) == pytest.approx([0, 2, 4, 6, 8, 10, 12, 14], abs=1), "every second picture"
    assert _seen_times(path, 3, 16.0, 0.5) == pytest.approx([16, 18, 20], abs=1), "a motion that starts later"
    assert _seen_times(path, 3, 64.0, 0.0)[::2] == pytest.approx([0, 1], abs=1), (
        "a motion that is quicker than the video"
    )
    assert _seen_times(path, 4, 2.0, 0.0)[3] is None, "the video has ended"


viser = pytest.importorskip("viser", reason="viser is not installed (pip install viser)")


@pytest.fixture(scope="module")
def clips():
    return [smooth_clip(31, seed=7), smooth_clip(21, seed=8), MotionClip(smooth_clip(11, seed=9).motion, fps=FPS)]


@pytest.fixture(scope="module")
def viewer(clips):
    from motion_rep.bodies.mannequin_body import MannequinBody
    from motion_rep.viewer.session import Viewer
    from motion_rep.viewer.stage import Shown, side_by_side

    motions = [
        Shown(f"motion {number}", clip, FPS, offset)
        for number, (clip, offset) in enumerate(zip(clips, side_by_side(clips), strict=True))
    ]
    viewer = Viewer(motions, MannequinBody(), port=_free_port())
    yield viewer
    viewer.stop()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_bodies_stand_as_forward_kinematics_says(viewer, clips):
    viewer.seek(1.0)
    assert [actor.frame for actor in viewer.actors] == [16, 16, 9]
    poses = forward_kinematics(*body_parameters(clips[0].motion.double()))
    for joint, bone in enumerate(viewer.actors[0].figure.handle.bones):
        assert np.abs(np.array(bone.position) - poses.positions[16, joint].numpy()).max() < 1e-6
        turned = quaternion_to_matrix(torch.tensor(np.array(bone.wxyz), dtype=torch.float64))
        assert (turned - poses.rotations[16, joint]).abs().max() < 1e-6


def test_skin_in_columns_of_joints_poses_the_body_as_the_body_itself():
    from motion_rep.bodies.mannequin_body import MannequinBody
    from motion_rep.bodies.rest_skin import mannequin_rest_skin
    from motion_rep.kinematics.parameters import BodyParameters
    from motion_rep.kinematics.skeleton import rest_joints

    skin, parameters = (
        mannequin_rest_skin(),
        BodyParameters(*(value[3:4] for value in body_parameters(smooth_clip(9).motion.double()))),
    )
    rotations, positions = (value[0].numpy() for value in forward_kinematics(*parameters))
    local = skin.vertices[:, None] - rest_joints().numpy()
    posed = (skin.weights_of_joints()[..., None] * (np.einsum("jab,vjb->vja", rotations, local) + positions)).sum(1)
    assert np.abs(posed - MannequinBody().vertices(parameters)[0]).max() < 1e-5


def test_feet_show_only_where_they_stand(viewer, clips):
    from motion_rep.kinematics.foot_contact import foot_contacts

    contacts = foot_contacts(forward_kinematics(*body_parameters(clips[0].motion.double())).positions, FPS)
    for frame in range(0, 30, 3):
        viewer.seek((frame + 0.5) / FPS)
        assert [sphere.visible for sphere in viewer.actors[0].feet] == contacts[frame].tolist()


def test_play_slider_and_frame_follow_the_clock(viewer):
    viewer.seek(0.0)
    if not viewer.clock.playing:
        viewer.toggle()
    viewer.tick(0.5)
    assert viewer.slider.value == 0.5 and viewer.frames.value == "8, 8, 8" and viewer.play.label == "Pause"
    viewer.toggle()
    viewer.tick(0.5)
    assert viewer.slider.value == 0.5 and viewer.play.label == "Play"


def test_motions_do_not_walk_through_each_other(clips):
    from motion_rep.viewer.stage import side_by_side

    spans = []
    for clip, offset in zip(clips, side_by_side(clips), strict=True):
        x = forward_kinematics(*body_parameters(clip.motion.double())).positions[..., 0] + offset[0]
        spans.append((float(x.min()), float(x.max())))
    assert spans[0][0] - spans[1][1] == pytest.approx(1.0, abs=1e-5) and spans[1][0] - spans[2][1] == pytest.approx(
        1.0, abs=1e-5
    )


def test_camera_stands_where_it_sees_what_the_motion_s_camera_sees():
    from motion_rep.viewer.stage import camera_pose

    turn = rotvec_to_matrix(torch.tensor([0.3, -2.0, 0.7], dtype=torch.float64))
    camera = Camera(
        intrinsic_matrix(500, 640, 480), rigid_transform(turn, torch.tensor([0.1, 0.2, 4.0], dtype=torch.float64))
    )
    wxyz, position = camera_pose(camera, 0)
    points = torch.randn(20, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    seen = (points - torch.from_numpy(position)) @ quaternion_to_matrix(torch.from_numpy(wxyz))
    assert (
        project(camera.intrinsic, seen) - project(camera.intrinsic, transform_points(camera.world_to_camera, points))
    ).abs().max() < 1e-6


def test_the_page_listens_on_loopback_only(viewer):
    assert viewer.address.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(viewer.address, timeout=20) as answer:
        assert answer.status == 200


def _handshake(address: str, **headers: str) -> str:
    """The first line of the answer to a browser's request for the viewer's socket."""
    host, _, port = address.removeprefix("http://").partition(":")
    asked = {
        "Host": f"{host}:{port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version": "13",
        **headers,
    }
    lines = ["GET / HTTP/1.1", *(f"{name}: {value}" for name, value in asked.items()), "", ""]
    with socket.create_connection((host, int(port)), timeout=20) as made:
        made.sendall("\r\n".join(lines).encode())
        return made.recv(1000).decode("latin-1").splitlines()[0]


def test_only_the_viewers_own_page_may_connect(viewer):
    own = viewer.address
    port = own.rpartition(":")[2]
    assert "101" in _handshake(own, Origin=own)
    assert "101" in _handshake(own, Host=f"localhost:{port}", Origin=f"http://localhost:{port}")
    assert "101" in _handshake(own), "a program that is no browser"
    for foreign in ("http://evil.example", "null", "http://127.0.0.1:1", f"http://127.0.0.1.evil.example:{port}"):
        assert "403" in _handshake(own, Origin=foreign)
    rebound = f"evil.example:{port}"
    assert "403" in _handshake(own, Host=rebound, Origin=f"http://{rebound}"), "a name that a stranger set to 127.0.0.1"


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("no such host", 8080, "is no address of this machine"),
        ("192.0.2.1", 8080, "is no address of this machine"),
        ("x" * 300, 8080, "is no address of this machine"),
        ("127.0.0.1", None, "no port is free from there on"),
    ],
)
def test_an_address_where_nothing_can_listen_is_refused(host, port, words, monkeypatch):
    from motion_rep.viewer import own_pages

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        if port is None:
            port = taken.getsockname()[1]
            monkeypatch.setattr(own_pages, "LAST_PORT", port)
        with pytest.raises(UsageError, match=words):
            own_pages.free_port(host, port)


def test_motions_of_the_same_name_are_told_apart():
    from motion_rep.viewer.viewing import names_of

    paths = [Path("a/walk.pt"), Path("b/walk.pt"), Path("b/run.pt"), Path("b/walk.pt")]
    assert names_of(paths) == ["a/walk (1)", "b/walk (2)", "run", "b/walk (4)"]


def test_command_serves_and_ends_with_ctrl_c(clips, tmp_path):
    write_motion(tmp_path / "walk.pt", clips[0])
    port = _free_port()
    command = [sys.executable, str(COMMAND), "walk.pt", "--port", str(port), "--smplx-model-dir", "mannequin"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            assert f"http://127.0.0.1:{port} shows 1 motion" in running.stdout.readline()
            _wait_for(f"http://127.0.0.1:{port}")
        finally:
            running.send_signal(signal.SIGINT)
        out, error = running.communicate(timeout=100)
    assert (running.returncode, out, error) == (0, "", "")


def _wait_for(address: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    pytest.fail(f"{address} does not answer")


def test_missing_viser_is_one_line(clips, tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(COMMAND.parent))
    import view_motion

    for module in ("motion_rep.viewer.session", "motion_rep.viewer.viewing"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "viser", None)
    write_motion(tmp_path / "walk.pt", clips[0])
    assert view_motion.main([str(tmp_path / "walk.pt")]) == 2
    assert capsys.readouterr().err == "error: the package viser is missing. Install it with: pip install viser\n"


def test_videos_are_one_for_all_or_one_for_each(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(COMMAND.parent))
    import view_motion

    assert view_motion.main(["a.pt", "b.pt", "c.pt", "--video", "v.mp4", "w.mp4"]) == 2
    assert "2 videos for 3 motions" in capsys.readouterr().err


def test_steps_go_frame_by_frame_and_stop_at_the_ends(viewer):
    viewer.seek(0.0)
    for by, frame in ((1, 1), (10, 11), (-1, 10), (-99, 0), (999, 29)):
        viewer.step(by)
        assert viewer.actors[0].frame == frame
    assert not viewer.clock.playing


def test_the_others_stand_as_ghosts_in_the_place_of_the_first(viewer):
    second = viewer.actors[1]
    viewer.put_in_place(True)
    assert tuple(second.root.position) == viewer.actors[0].shown.offset
    assert second.figure.handle.opacity == pytest.approx(0.4)
    assert viewer.actors[0].figure.handle.opacity is None
    viewer.put_in_place(False)
    assert tuple(second.root.position) == pytest.approx(second.shown.offset)
    assert second.figure.handle.opacity is None


class StandInClient:
    """A browser: its camera, what it draws, and the files that it gets."""

    def __init__(self):
        from types import SimpleNamespace

        self.camera = SimpleNamespace(image_width=20, image_height=10, wxyz=None, position=None, fov=None)
        self.files = {}

    def atomic(self):
        from contextlib import nullcontext

        return nullcontext()

    def get_render(self, height, width, transport_format):
        return np.full((height, width, 3), (200, 100, 0), np.uint8)

    def send_file_download(self, name, data, save_immediately):
        self.files[name] = data


def test_one_looks_through_the_camera_of_a_motion_with_its_video_behind(viewer, clips, monkeypatch):
    from motion_rep.viewer.stage import camera_pose

    client, behind, actor = StandInClient(), [], viewer.actors[1]
    monkeypatch.setattr(viewer.server, "get_clients", lambda: {0: client})
    monkeypatch.setattr(viewer.server.scene, "set_background_image", behind.append)
    monkeypatch.setattr(type(actor), "picture", property(lambda self: ("picture", self.frame)))
    viewer.look_through(actor.shown.name)
    viewer.seek(0.5)
    turned, place = camera_pose(clips[1].camera, 8)
    assert client.camera.position == pytest.approx(place + np.array(actor.shown.offset))
    assert client.camera.wxyz == pytest.approx(turned)
    focal, height = float(clips[1].camera.intrinsic[1, 1]), clips[1].camera.size[1]
    assert client.camera.fov == pytest.approx(2 * np.arctan(height / 2 / focal))
    assert behind[-1] == ("picture", 8)
    assert not actor.camera.visible and not viewer.grid.visible
    viewer.look_through("free")
    assert behind[-1] is None
    assert actor.camera.visible and viewer.grid.visible


def test_a_picture_is_saved_as_png_under_the_name_of_motion_and_frame(viewer):
    import cv2

    client = StandInClient()
    viewer.seek(0.5)
    viewer.save_picture(client)
    ((name, data),) = client.files.items()
    assert name == f"{viewer.actors[0].shown.name}_0008.png"
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[5, 5].tolist() == [0, 100, 200]
