"""Videos, contacts and worst moments in the page's data of an entry."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from report_support import build, entry_details, record, write_clip

from motion_gating.metrics.joint_clip import JointClip
from motion_gating.rendering.clip_render import RenderSettings, eval_dict, render_fingerprint
from motion_gating.review_page.curves import SIDES, curve_panels, points_of
from motion_gating.review_page.moments import worst_moments
from motion_gating.review_page.outputs import written_files
from motion_rep.files.local_files import file_sha256
from motion_rep.kinematics.frames import y_up_from_z_up
from motion_rep.motions.consistency import agreed_joints
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.motion_file import write_motion
from scripts.dev.refining_evaluation.clips import clip_of, sample
from scripts.dev.refining_evaluation.steps import make_steps

FPS = 16.0


@pytest.fixture
def batch(tmp_path):
    """An archive of a motion with a camera and its source video."""
    clip = clip_of(sample("wave"), with_camera=True)
    write_motion(tmp_path / "wave.pt", clip)
    made = eval_dict(clip, agreed_joints(clip.motion), body_parameters(clip.motion.double()))
    torch.save(made, tmp_path / "wave_eval.pt")
    write_clip(tmp_path / "lit.mp4")
    (tmp_path / "report.json").write_text(json.dumps([record(1)]))
    return tmp_path


def page_of(folder, *flags, **fields) -> tuple[int, dict]:
    """Exit code and details of a page with one entry."""
    paths = {"motion_path": "wave.pt", "mbench_eval_path": "wave_eval.pt", "video_path": "lit.mp4"}
    (folder / "meta.json").write_text(json.dumps([{"id": 1, "prompt": "a wave", **paths, **fields}]))
    flags = ("--side-size", 64, "--smplx-model-dir", "mannequin", "--workers", 0, *flags)
    code = build(folder / "meta.json", folder / "report.json", folder / "page", *flags)
    return code, entry_details(folder / "page", "1")


def test_a_source_of_another_shape_is_said_and_no_failure(batch):
    write_clip(batch / "source one.mp4", frames=40, size=64)
    code, details = page_of(batch, source_video_path="source one.mp4")
    (absent,) = details["absent"]
    assert code == 0 and absent.startswith("Body on the source: source video: ")
    assert "shows 64x64 pixels, expected the shape that the motion's camera saw" in absent
    assert [video["kind"] for video in details["videos"]] == ["front", "side", "lit"]


def test_a_source_that_is_gone_is_no_failure(batch):
    code, details = page_of(batch, source_video_path="gone.mp4")
    assert code == 0 and details["problems"] == []
    assert details["absent"] == ["Body on the source: gone.mp4 is missing"]


def test_without_views_the_lit_video_is_shown(batch):
    _, details = page_of(batch, "--no-side-view", source_video_path="gone.mp4")
    assert [(video["kind"], video["extra"]) for video in details["videos"]] == [("lit", False)]
    assert details["absent"] == []


def test_copied_sources_are_outputs_of_the_page(tmp_path):
    entry = {"id": 1, "source_video_path": "films/one.MOV"}
    names = [str(path) for _, path in written_files(tmp_path, [entry], copy_media=True)]
    assert f"{tmp_path}/media/1_source.MOV" in names and f"{tmp_path}/overlay/1.mp4" in names
    assert not any("media" in str(path) for _, path in written_files(tmp_path, [entry], copy_media=False))


def joint_clip(name: str, slide: float = 0.0) -> JointClip:
    """Steps whose contacts are known, which slide on with a speed (m/s) from second 1 on."""
    joints = make_steps(name).parameters.joints().clone()
    joints[..., 2] -= joints[..., 2].min()
    joints[16:, :, 0] += slide / FPS * torch.arange(1, len(joints) - 15)[:, None]
    return JointClip(y_up_from_z_up(joints).numpy(), FPS)


def test_sliding_feet_are_on_the_curves_and_a_moment():
    still, slides = joint_clip("jumps"), joint_clip("jumps", slide=0.3)
    panels = curve_panels(still, FPS, 0.04)
    assert panels[1]["standing"][0] and panels[1]["sliding"] == [[], []]
    assert [moment["panel"] for moment in worst_moments(still, FPS, panels)] == ["Jitter"]
    panels = curve_panels(slides, FPS, 0.04)
    (first, _), *_ = panels[2]["sliding"][0]
    assert first == pytest.approx(15 / FPS)
    jitter, slide = worst_moments(slides, FPS, panels)
    points = points_of(slides, FPS)
    frame = int(np.argmax(points.speeds.max(1)))
    foot = SIDES[int(np.argmax(points.speeds[frame])) % 2]
    assert slide == {
        "second": round((frame + 0.5) / FPS, 5),
        "words": f"{foot} stands and slides at {points.speeds.max():.2f} m/s",
        "panel": "Foot speed",
    }
    assert 0.3 <= points.speeds.max() < 0.4
    values = panels[0]["lines"][0]["values"]
    assert jitter["words"] == f"most jitter: {max(values):.3g} m/frame² at 16 fps"
    assert jitter["second"] == pytest.approx((1 + int(np.argmax(values))) / FPS)


def test_a_foot_below_the_floor_is_a_moment():
    clip = joint_clip("jumps")
    clip.joints[20, 11, 1] = -0.05
    words = [moment for moment in worst_moments(clip, FPS, []) if moment["panel"] == "Foot height"]
    assert words == [{"second": 20.5 / FPS, "words": "right foot 5 cm below the floor", "panel": "Foot height"}]


def test_marks_have_a_version_of_their_own(batch, monkeypatch):
    plain, marked = (RenderSettings(show_contacts=shown) for shown in (False, True))
    sha256 = file_sha256(batch / "wave.pt")
    before = [render_fingerprint(sha256, settings) for settings in (plain, marked)]
    monkeypatch.setattr("motion_gating.rendering.clip_render.MARKS_VERSION", 99)
    after = [render_fingerprint(sha256, settings) for settings in (plain, marked)]
    assert before[0] == after[0] and before[1] != after[1], "videos without marks are not drawn again"
