"""The command from inputs of all kinds to the page and the archive for TM2M, with stand-ins for programs with a GPU."""

from __future__ import annotations

import json
import os
import sys

import pytest
import torch
from chain_support import asked
from checkout import STAND_INS
from command_support import files_in, save_json
from preparing_support import read, save_capture, save_clip

from motion_gating.preparing import checks, steps
from motion_rep.preview_capture.command import CapturedFile

sys.path.insert(0, str(STAND_INS))
from videos import one_person, write_video  # noqa: E402

MODEL = ("--hmr-model", "gvhmr")


@pytest.fixture
def run(command, programs, quick_python, monkeypatch):
    """The command with the programs of the stand-ins."""
    monkeypatch.setattr(sys, "executable", quick_python)
    for name, value in programs.items():
        monkeypatch.setenv(name, value)
    return command


def test_mixed_inputs_become_a_page_and_an_archive_for_tm2m(run, programs, tmp_path, make_capture):
    here = tmp_path / "my folder (ü) #1"
    write_video(here / "a video's.mp4", one_person(9))
    save_capture(here / "capt/squat.pt", make_capture(frames=45))
    save_clip(here / "wave.pt")
    save_json(here / "in/a.json", [{"id": 5, "prompt": "squats", "capture_path": "../capt/squat.pt", "extra": [1]}])
    (here / "texts.csv").write_text('name,prompt\na video\'s,"walks, slowly"\nwave,waves\n')
    (here / "new.txt").write_text("a person runs\n")
    save_json(here / "verdicts.json", [{"id": one, "matches": True} for one in ("a video's", "squat", 5)])
    (here / "ViMoGen").mkdir()
    words = ("a video's.mp4", "capt", "wave.pt", "in/a.json", "new.txt", "--prompts", "texts.csv", "-o", "o p", *MODEL)
    words = (
        *words,
        "--verdicts",
        "verdicts.json",
        "--vimogen-root",
        "ViMoGen",
        "--jitter-threshold",
        9,
        "--frames",
        9,
        "--failures",
        "f.json",
    )
    code, out, err = run(*words)
    assert code == 1, err
    gated = {entry["id"]: entry for entry in read(here / "o p/gated.json")}
    assert {one: entry.get("use_ref_motion") for one, entry in gated.items()} == {
        **{"a video's": True, "squat": True, 5: True, "wave": None, "a_person_runs": None}
    }
    assert (
        gated["a video's"]["prompt"] == "walks, slowly"
        and gated[5]["extra"] == [1]
        and asked(programs) == ["a person runs"]
    )
    for entry in gated.values():
        motion = torch.load(here / "o p" / entry["motion_path"], weights_only=True)
        assert motion["fps"] == 16.0 and entry["motion_duration"] == len(motion["motion"]) / 16
        assert motion["refined"] and (here / "o p" / entry["video_path"]).is_file()
    assert len(list((here / "o p/checks").iterdir())) == 2, "an overlay for each source video"
    assert [entry["use_ref_motion"] for entry in read(here / "ViMoGen/../o p/tm2m.json")].count(True) == 2, (
        "long enough"
    )
    assert "3 passed, 2 undecided" in out and (here / "o p/review/index.html").as_uri() in out
    assert "text_encoding_batch.py" in out and "wave: undecided (jitter" in err
    failures = json.loads((here / "f.json").read_text())
    assert {one["item"] for one in failures["failures"]} == {"wave", "a_person_runs"}
    before = files_in(here / "o p")
    code, _, err = run(*words)
    assert code == 1 and "5 unchanged" in err and "0 rendered, 5 reused" in err and asked(programs) == ["a person runs"]
    changed = {name for name, data in files_in(here / "o p").items() if before.get(name) != data}
    assert changed <= {name for name in before if name.startswith("logs/")} | {"quality_report.run.json"}


def test_one_bad_entry_fails_alone_and_only_it_is_tried_again(run, programs, tmp_path, monkeypatch):
    here = tmp_path / "my folder (ü) #1"
    entries = [
        {"global_id": 7, "id": "../odd", "prompt": "walk", "extra": {"kept": [1]}},
        {"id": "../no video", "prompt": "CRASH"},
        {"id": "lost", "prompt": "x", "source_video_path": "lost.mp4"},
    ]
    save_json(here / "a.json", entries)
    (here / "text.mp4").write_text("text")
    (here / "broken.pt").write_text("text")
    words = ("a.json", "text.mp4", "broken.pt", "--output_dir", "set", *MODEL, "--frames", 9, "--seed", 3)
    monkeypatch.setenv("STAND_IN_MODE", "CRASH")
    code, out, err = run(*words)
    assert code == 1 and asked(programs) == ["walk", "CRASH"], err
    rows = {line.partition("  ")[0]: line for line in out.splitlines()}
    assert "undecided" in rows["7"] and "1 undecided, 4 failed" in out and "No judge was asked" in out
    assert "video: " in rows["../no video"] and "ended with code 1" in rows["../no video"]
    assert "lost.mp4: not found" in rows["lost"] and "capture: " in rows["text"] and "motion: " in rows["broken"]
    gated = read(here / "set/gated.json")
    assert [entry["id"] for entry in gated] == ["../odd", "../no video", "lost", "text", "broken"]
    assert gated[0]["extra"] == {"kept": [1]} and read(here / "a.json") == entries
    monkeypatch.delenv("STAND_IN_MODE")
    code, out, err = run(*words)
    assert code == 1 and asked(programs) == ["walk", "CRASH", "CRASH"], "only the missing video is made"
    assert "7: capture exists, skipped" in err and "1 rendered, 1 reused" in err and "2 undecided, 3 failed" in out


@pytest.mark.parametrize(
    ("until", "there"),
    [
        ("capture", set()),
        ("motion", {"motions", "motions_raw"}),
        ("render", {"motions", "motions_raw", "renders"}),
        ("gate", {"motions", "motions_raw", "renders"}),
    ],
)
def test_until(command, tmp_path, until, there):
    here = tmp_path / "my folder (ü) #1"
    save_clip(here / "in/wave.pt")
    code, out, err = command("in", "-o", "out", "--until", until, "--jitter-threshold", 9)
    assert code == (1 if until == "gate" else 0), err
    assert {path.name for path in (here / "out").iterdir() if path.is_dir()} - {"logs"} == there
    assert ("undecided" if until == "gate" else "made") in out and not (here / "out/review").exists()
    assert (here / "out/gated.json").exists() == (until == "gate")


def test_a_refined_motion_is_not_refined_again_and_raw_ones_are_taken_as_they_are(command, tmp_path):
    here = tmp_path / "my folder (ü) #1"
    source = save_clip(here / "in/wave.pt")
    assert command(source, "-o", "raw", "--until", "motion", "--no-refine")[0] == 0
    assert (here / "raw/motions/wave.pt").read_bytes() == source.read_bytes()
    assert command(source, "-o", "out", "--until", "motion")[0] == 0
    refined = here / "out/motions/wave.pt"
    assert command(refined, "-o", "again", "--until", "motion")[0] == 0
    assert (here / "again/motions/wave.pt").read_bytes() == refined.read_bytes()
    assert read(here / "out/refine_report.json")[0]["outputs"] == ["out/motions/wave.pt"]
    assert command(source, "-o", "out", "--until", "motion")[0] == 0
    assert len(read(here / "out/refine_report.json")) == 1, "the record of unchanged motions stays"


def test_a_motion_of_another_rate_is_rejected_and_says_why(command, tmp_path):
    save_clip(tmp_path / "slow.pt", fps=30.0)
    code, out, _ = command(tmp_path / "slow.pt", "-o", "out", "--judge", "none")
    assert code == 0 and "not passed" in out and "30" in out


def test_two_runs_in_one_folder_wait_for_each_other(command, tmp_path, capsys):
    if os.name != "posix":
        pytest.skip("locks a folder")
    from motion_rep.files.folder_lock import folder_lock

    waited: list[str] = []
    with folder_lock(tmp_path) as held:
        assert held is not None
        handle = os.dup(held)

        def waiting() -> None:
            waited.append("waits")
            os.close(handle)
            os.close(held)

        with folder_lock(tmp_path, waiting) as again:
            assert waited == ["waits"] and again is not None
        os.dup2(os.open(tmp_path, os.O_RDONLY), held)  # for the outer block to close


def test_a_video_that_is_replaced_during_its_capture_is_captured_again(command, tmp_path, make_capture, monkeypatch):
    here, captured = tmp_path / "my folder (ü) #1", []
    write_video(here / "v.mp4", one_person(9))

    def capture(job):
        captured.append(job.video.read_bytes())
        if len(captured) == 1:
            write_video(here / "v.mp4", one_person(12))
        save_capture(job.target, make_capture(frames=9 * len(captured)))
        return CapturedFile("captured", ())

    monkeypatch.setattr(steps, "start_capturing", lambda options: capture)
    monkeypatch.setattr(checks, "require_weights", lambda file: None)
    for times in (1, 2, 2):
        command("v.mp4", "-o", "out", "--judge", "none", "--hmr-model", "preview")
        assert len(captured) == times
    assert captured[1] == (here / "v.mp4").read_bytes() != captured[0]
    assert torch.load(here / "out/captures/v.pt", weights_only=True)["transl"].shape[0] == 18


def test_files_of_the_current_folder_with_the_names_of_results_are_no_contradiction(command, tmp_path):
    here = tmp_path / "my folder (ü) #1"
    save_clip(here / "walk.pt")
    save_clip(here / "motions/walk.pt", seed=1)
    code, _, err = command("walk.pt", "-o", "out", "--judge", "none", "--until", "gate", "--no-refine")
    assert "two different files" not in err, err
    assert (here / "out/motions/walk.pt").read_bytes() == (here / "walk.pt").read_bytes()
    (record,) = read(here / "out/quality_report.json")
    assert record["metrics_error"] is None
