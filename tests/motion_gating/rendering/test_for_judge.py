"""Clips for a judge: only the frames that it sees, a field of their own, and a gate that shows them to it."""

from __future__ import annotations

import json

import pytest
import torch
from command_support import save_json, save_motion

from motion_gating import evaluate_gate
from motion_gating.apply_quality_gate import main as gate
from motion_gating.archives.content import clip_digest
from motion_gating.judges.video_frames import jpeg_frames
from motion_gating.render_mbench_videos import main as render
from motion_rep.video.reading import frame_times, open_video
from scripts.dev.witness.habits import honest
from scripts.dev.witness.server import WitnessServer
from scripts.dev.witness.trial import run_gate

TEXT = "a person waves."


@pytest.fixture
def folder(tmp_path, make_capture):
    save_motion(tmp_path / "m.pt", make_capture(frames=34))  # 33 rows at 16 frames a second: 2 s
    save_json(tmp_path / "archive.json", [{"id": 7, "prompt": TEXT, "motion_path": "m.pt"}])
    return tmp_path


def drawn(folder, *flags, source="archive.json", code=0, size=64):
    """The entry after rendering."""
    command = ["--meta-json", folder / source, "--output-json", folder / "rendered.json", "--output-dir", folder / "r"]
    sizes = ["--width", size, "--height", size, "--workers", 0]
    assert render([str(word) for word in (*command, *sizes, *flags)]) == code
    return json.loads((folder / "rendered.json").read_text())[0]


def gated(folder, *flags, code=0):
    """The record after the gate with verdicts of people."""
    files = ["--meta-json", folder / "rendered.json", "--output-json", folder / "gated.json"]
    report = ["--quality-report", folder / "report.json", "--judge", "manual", "--verdicts", folder / "verdicts.json"]
    assert gate([str(word) for word in (*files, *report, *flags)]) == code
    return json.loads((folder / "report.json").read_text())[0]


def test_only_the_frames_that_the_model_sees_are_drawn_at_their_true_times(folder):
    entry = drawn(folder, "--for-judge")
    assert "video_path" not in entry
    assert entry["judge_video_path"] == "r/7.judge.mp4"
    clip = folder / entry["judge_video_path"]
    assert frame_times(clip) == pytest.approx([number / 5 for number in range(11)], abs=1e-3)
    with open_video(clip) as video:
        assert (video.fps, video.width, video.height) == (5.0, 64, 64)
    assert [seconds for seconds, _ in jpeg_frames(clip, 5.0)] == pytest.approx([number / 5 for number in range(11)])


def test_another_rate_and_the_usual_size(folder):
    command = ["--meta-json", folder / "archive.json", "--output-json", folder / "rendered.json"]
    more = ["--output-dir", folder / "r", "--workers", 0, "--for-judge", "--sampling-fps", 2]
    assert render([str(word) for word in (*command, *more)]) == 0
    with open_video(folder / "r/7.judge.mp4") as video:
        assert (video.fps, video.width, video.height) == (2.0, 512, 512)
    assert len(frame_times(folder / "r/7.judge.mp4")) == 5


def test_a_motion_slower_than_the_model_sees_is_drawn_whole(folder):
    drawn(folder, "--for-judge", "--sampling-fps", 30)
    assert len(frame_times(folder / "r/7.judge.mp4")) == 33
    with open_video(folder / "r/7.judge.mp4") as video:
        assert video.fps == 16.0


def test_the_video_for_people_stays_beside_it_and_both_are_reused(folder, capsys):
    people = drawn(folder)
    both = drawn(folder, "--for-judge", source="rendered.json")
    assert both == {**people, "judge_video_path": "r/7.judge.mp4", "judge_sampling_fps": 5.0}
    capsys.readouterr()
    again = [drawn(folder, *flags, source="rendered.json") for flags in ((), ("--for-judge",))]
    assert again == [both, both]
    assert capsys.readouterr().out.count("0 rendered, 1 reused") == 2


def test_a_replaced_motion_leaves_no_clip_of_the_old_one_to_the_judge(folder, make_capture):
    drawn(folder)
    drawn(folder, "--for-judge", source="rendered.json")
    before = (folder / "rendered.json").read_bytes()
    save_motion(folder / "m.pt", make_capture(frames=34, seed=5))
    assert "judge_video_path" not in drawn(folder, source="rendered.json")
    (folder / "rendered.json").write_bytes(before)  # as after a run that ended before it wrote the archive
    assert "judge_video_path" not in drawn(folder, source="rendered.json")


def test_the_gate_shows_the_model_the_clip_that_was_drawn_for_it(folder):
    drawn(folder)
    entry = drawn(folder, "--for-judge", source="rendered.json")
    clip = folder / entry["judge_video_path"]
    with WitnessServer(honest, {clip.read_bytes(): TEXT}) as server:
        run_gate(folder / "rendered.json", server, "single")
    record = json.loads((folder / "report.json").read_text())[0]
    assert record["vlm_matches"] is True
    assert record["content"]["clip"] == clip_digest(clip)
    assert [asked.truth for asked in server.asked] == [TEXT]


def test_a_clip_that_was_replaced_is_not_judged(folder):
    drawn(folder, "--for-judge")
    (folder / "r/7.judge.mp4").write_bytes((folder / "r/7.judge.mp4").read_bytes() + b"more")
    save_json(folder / "verdicts.json", [{"id": 7, "matches": True}])
    record = gated(folder, code=1)
    assert record["use_ref_motion"] is None
    assert "was made with another clip than the entry names now" in record["metrics_error"]


@pytest.mark.parametrize("seen", ("video_path", "judge_video_path"))
def test_a_verdict_of_a_person_holds_for_the_clip_that_the_person_saw(folder, seen):
    drawn(folder)
    entry = drawn(folder, "--for-judge", source="rendered.json")
    content = {"motion": None, "clip": clip_digest(folder / entry[seen]), "text": None}
    save_json(folder / "verdicts.json", [{"id": 7, "matches": True, "content": content}])
    assert gated(folder)["vlm_matches"] is True
    save_json(folder / "verdicts.json", [{"id": 7, "matches": True, "content": {**content, "clip": "0" * 32}}])
    assert gated(folder, code=1)["vlm_error_kind"] == "other_content"


@pytest.mark.parametrize("command", ("gate", "evaluate"))
def test_a_clip_that_was_drawn_for_another_rate_is_refused_before_any_call(folder, command, capsys):
    drawn(folder, "--for-judge", "--sampling-fps", 2)
    report = ["--quality-report", folder / "report.json", "--output-json", folder / "gated.json"]
    files = report if command == "gate" else ["--controls", 1, "--output", folder / "evaluation.json"]
    judge = ["--judge", "openai", "--vlm-model", "m", "--meta-json", folder / "rendered.json"]
    with WitnessServer(honest, {}) as server:
        words = [str(word) for word in (*judge, *files, "--vlm-base-url", server.url)]
        run = gate if command == "gate" else evaluate_gate.main
        capsys.readouterr()
        assert run(words) == 2
        assert server.asked == []
        error = capsys.readouterr().err
        assert "the clip of entry 7 was drawn for --sampling-fps 2, expected 5" in error
        assert "Give --sampling-fps 2, or re-render with --for-judge --sampling-fps 5." in error
        if command == "gate":
            run([*words, "--sampling-fps", "2"])
            assert len(server.asked) == 1


def test_a_clip_without_a_noted_rate_is_not_refused(folder):
    entry = drawn(folder, "--for-judge", "--sampling-fps", 2)
    save_json(folder / "rendered.json", [{key: value for key, value in entry.items() if key != "judge_sampling_fps"}])
    with WitnessServer(honest, {}) as server:
        run_gate(folder / "rendered.json", server, "single")
    assert len(server.asked) == 1


def test_marks_for_people_do_not_go_with_it(folder, capsys):
    with pytest.raises(FileNotFoundError):
        drawn(folder, "--for-judge", "--show-contacts", code=2)
    assert "--show-contacts is for people, --for-judge for models" in capsys.readouterr().err


def test_the_eval_file_is_the_same_with_either_video(folder):
    drawn(folder)
    first = torch.load(folder / "r/7_eval.pt", weights_only=True)
    drawn(folder, "--for-judge", source="rendered.json")
    second = torch.load(folder / "r/7_eval.pt", weights_only=True)
    assert set(second) - set(first) == {"judge_fingerprint", "judge_video_sha256"}
    assert second["video_sha256"] == first["video_sha256"]
    assert torch.equal(second["joints"], first["joints"])
