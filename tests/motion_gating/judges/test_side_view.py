"""The fourth part of evidence: a view from the side where choice and checks disagree."""

from __future__ import annotations

import json
from unittest import mock

import pytest
from command_support import save_json, save_motion

from motion_gating import render_mbench_videos
from motion_gating.apply_quality_gate import main as gate
from motion_gating.rendering.side_clip import SideClip
from motion_rep.motions.motion_file import read_motion
from motion_rep.video.reading import open_video
from scripts.dev.witness.habits import honest
from scripts.dev.witness.server import WitnessServer
from scripts.dev.witness.trial import run_gate

TEXT = "a person waves."


def contradicting(asked):
    """Honest, but takes no description for the right one."""
    return {**honest(asked), "choice": "none"} if asked.kind == "pick" else honest(asked)


@pytest.fixture
def folder(tmp_path, make_capture):
    """A rendered archive of one motion, and what its clips show: from the front TEXT, from the side the same."""
    save_motion(tmp_path / "m.pt", make_capture(frames=18))
    save_json(tmp_path / "archive.json", [{"id": 7, "prompt": TEXT, "motion_path": "m.pt"}])
    files = ["--meta-json", tmp_path / "archive.json", "--output-json", tmp_path / "meta.json"]
    more = ["--output-dir", tmp_path / "r", "--workers", 0, "--for-judge", "--width", 64, "--height", 64]
    assert render_mbench_videos.main([str(word) for word in (*files, *more)]) == 0
    return tmp_path


@pytest.fixture
def front(folder):
    return (folder / "r/7.judge.mp4").read_bytes()


@pytest.fixture
def side(folder):
    with SideClip(read_motion(folder / "m.pt"), 5.0).drawn() as path:
        return path.read_bytes()


def judged(folder, server, *flags):
    """The record of the only entry."""
    run_gate(folder / "meta.json", server, "evidence", *flags)
    return json.loads((folder / "report.json").read_text())[0]


@pytest.mark.parametrize(("shows", "matches"), [(TEXT, True), ("a person bows.", False)])
def test_the_side_view_decides_where_choice_and_checks_disagree(folder, front, side, shows, matches):
    with WitnessServer(contradicting, {front: TEXT, side: shows}) as server:
        record = judged(folder, server)
    parts = record["vlm_evidence"]
    assert [(part["part"], part["supports"]) for part in parts] == [
        ("description", None),
        ("pick", False),
        ("events", True),
        ("side view", matches),
    ]
    assert record["vlm_matches"] is matches
    assert server.asked[-1].kind == "reversed"
    assert server.asked[-1].truth == shows


def test_the_side_view_is_not_drawn_where_the_evidence_agrees(folder, front):
    with (
        WitnessServer(honest, {front: TEXT}) as server,
        mock.patch("motion_gating.rendering.side_clip.draw_video") as draw,
    ):
        record = judged(folder, server)
    assert [part["part"] for part in record["vlm_evidence"]] == ["description", "pick", "events"]
    draw.assert_not_called()


def test_a_side_view_without_an_answer_leaves_the_clip_undecided_and_is_all_that_is_asked_again(
    folder, front, side, capsys
):
    def about_side(asked):
        return asked.kind == "reversed"

    flags = ("--cache-dir", str(folder / "answers"))
    with WitnessServer(contradicting, {front: TEXT, side: TEXT}, refuses=about_side) as server:
        record = judged(folder, server, *flags)
        assert (record["vlm_error_kind"], record["vlm_matches"]) == ("rejected", None)
        assert [part["part"] for part in record["vlm_evidence"]] == ["description", "pick", "events"]
        asked, server.refuses = len(server.asked), lambda asked: False
        record = judged(folder, server, *flags)
        assert [one.kind for one in server.asked[asked:]] == ["reversed"]
        with mock.patch("motion_gating.rendering.side_clip.draw_video") as draw:
            again = judged(folder, server, *flags)
    draw.assert_not_called()  # the answer is found by the motion and the settings
    assert again == {**record, "vlm_cached_answers": 5}
    assert len(server.asked) == asked + 1


def test_the_planned_calls_count_the_side_view_as_the_most(folder, front, side, capsys):
    files = [
        "--meta-json",
        folder / "meta.json",
        "--output-json",
        folder / "o.json",
        "--quality-report",
        folder / "report.json",
        "--dry-run",
    ]
    with WitnessServer(contradicting, {front: TEXT, side: TEXT}, refuses=lambda one: one.kind == "reversed") as server:
        judge = ["--judge", "openai", "--vlm-model", "witness", "--vlm-base-url", server.url, "--protocol", "evidence"]
        command = [str(word) for word in (*files, *judge)]
        assert gate(command) == 0
        before = capsys.readouterr().out
        run_gate(folder / "meta.json", server, "evidence")
        capsys.readouterr()
        assert gate(command) == 0
    assert "4 to 5 calls about 1 entry" in before
    least, most = before.partition("about 1 entry, about ")[2].split(" prompt tokens")[0].split(" to ")
    assert int(most.replace(",", "")) == int(least.replace(",", "")) * 5 // 4
    assert "1 to 2 calls about 1 entry" in capsys.readouterr().out


def test_an_unreadable_motion_is_asked_about_with_the_question_reversed(folder, front):
    """The figures are missing then, but the model is still asked about the clip."""
    (folder / "m.pt").write_bytes(b"broken")
    with WitnessServer(contradicting, {front: TEXT}) as server:
        record = judged(folder, server)
    assert [part["part"] for part in record["vlm_evidence"]] == ["description", "pick", "events", "reversed"]


def test_the_side_view_has_the_frames_that_the_model_sees(folder):
    with SideClip(read_motion(folder / "m.pt"), 5.0).drawn() as path, open_video(path) as video:
        assert (video.fps, video.width, video.height) == (5.0, 512, 512)
        assert len(list(video)) == 6
    other = SideClip(read_motion(folder / "m.pt"), 2.0)
    assert other.digest != SideClip(read_motion(folder / "m.pt"), 5.0).digest
