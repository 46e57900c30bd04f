"""prepare_custom_motion.sh: the four steps in a row, with stand-ins for the programs that need a GPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import torch
from chain_support import asked, prepare
from checkout import REPO, STAND_INS

sys.path.insert(0, str(STAND_INS))
from videos import one_person, write_video  # noqa: E402


def test_a_video_becomes_a_gated_motion_and_another_video_is_captured_again(tmp_path, programs):
    video = write_video(tmp_path / "my video.mp4", one_person(45))
    (tmp_path / "verdicts.json").write_text('[{"id": "my video", "matches": true, "analysis": "walks"}]')
    arguments = (
        "--video",
        str(video),
        "--prompt",
        'a person\'s "walk"',
        "--output-dir",
        "set",
        "--hmr-model",
        "gvhmr",
        "--verdicts",
        "verdicts.json",
    )
    done = prepare(tmp_path, programs, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    folder = tmp_path / "set"
    (entry,) = json.loads((folder / "gated.json").read_text())
    assert entry["id"] == "my video" and entry["prompt"] == 'a person\'s "walk"' and entry["use_ref_motion"] is True
    assert (folder / entry["motion_path"]).is_file() and (folder / entry["video_path"]).is_file()
    assert list((folder / "checks").glob("*_overlay.mp4")) and (folder / "review" / "index.html").is_file()
    assert "Passed: 1\n  my video: " in done.stdout and "/set/review/index.html" in done.stdout
    (tmp_path / "ViMoGen").mkdir()
    exported = prepare(tmp_path, programs, *arguments, "--vimogen-root", "ViMoGen")
    assert exported.returncode == 0, exported.stderr
    (item,) = json.loads((folder / "tm2m.json").read_text())
    assert isinstance(item["global_id"], int) and item["use_ref_motion"] is True
    assert (tmp_path / "ViMoGen" / item["motion_path"]).is_file()
    assert "archive for TM2M: set/tm2m.json" in exported.stdout and "text_encoding_batch.py" in exported.stderr
    write_video(video, one_person(12))
    changed = prepare(tmp_path, {**programs, "GVHMR_ROOT": "/none"}, *arguments)
    assert changed.returncode == 2 and "Correct GVHMR_ROOT" in changed.stderr
    assert "Failed: 1\n  my video: capture: " in changed.stdout and not (folder / entry["motion_path"]).exists()


def test_a_missing_vimogen_checkout_is_found_before_work(tmp_path, programs):
    done = prepare(tmp_path, programs, "--prompt", "walk", "--output-dir", "set", "--vimogen-root", "no such folder")
    assert done.returncode == 2 and "--vimogen-root no such folder: is no folder" in done.stderr
    assert not (tmp_path / "set").exists() and asked(programs) == []


def test_an_archive_goes_on_where_it_stopped_and_says_what_failed(tmp_path, programs):
    entries = [
        {"global_id": 7, "id": "../odd", "prompt": "walk", "extra": {"kept": [1]}},
        {"id": "../no video", "prompt": "CRASH"},
    ]
    (tmp_path / "a.json").write_text(json.dumps(entries))
    arguments = (
        "--archive",
        "a.json",
        "--output_dir",
        "out put",
        "--hmr-model",
        "gvhmr",
        "--frames",
        "9",
        "--seed",
        "3",
    )
    done = prepare(tmp_path, programs, *arguments, STAND_IN_MODE="CRASH")
    assert done.returncode == 1, done.stdout + done.stderr
    folder = tmp_path / "out put"
    assert asked(programs) == ["walk", "CRASH"]
    assert "Failed: 1\n  ../no video: video: " in done.stdout and "ended with code 1" in done.stdout
    assert "Undecided: 1" in done.stdout and "No judge was asked" in done.stdout
    gated = json.loads((folder / "gated.json").read_text())
    assert [entry["id"] for entry in gated] == ["../odd", "../no video"] and gated[0]["extra"] == {"kept": [1]}
    assert json.loads((tmp_path / "a.json").read_text()) == entries, "the archive that was given stays as it was"
    assert not list(tmp_path.glob("no*")) and (folder / "motions" / "7.pt").is_file()
    again = prepare(tmp_path, programs, *arguments)
    assert again.returncode == 1 and asked(programs) == ["walk", "CRASH", "CRASH"], "only the missing video is made"
    assert all(
        words in again.stderr
        for words in ("7: capture exists, skipped", "1 converted", "1 unchanged", "1 rendered, 1 reused")
    )
    assert "Undecided: 2" in again.stdout and "Failed" not in again.stdout


def test_nobody_in_the_video(tmp_path, programs):
    (tmp_path / "broken.mp4").write_text("text")
    done = prepare(tmp_path, programs, "--video", "broken.mp4", "--output-dir", "set", "--hmr-model", "gvhmr")
    assert done.returncode == 1 and "broken: capture: broken.mp4" in done.stdout.replace(str(tmp_path) + "/", "")
    assert "messages: set/logs" in done.stdout and "review page" not in done.stdout


def test_a_missing_program_ends_it_at_once(tmp_path, programs):
    given = ("--prompt", "walk", "--output-dir", "set", "--hmr-model", "gvhmr")
    done = prepare(tmp_path, {**programs, "WAN_ROOT": ""}, *given)
    assert done.returncode == 2 and "WAN_ROOT is not set" in done.stderr and "== Step 2" not in done.stderr
    done = prepare(tmp_path, {**programs, "WAN_ROOT": "/no/checkout"}, *given)
    errors = [line for line in done.stderr.splitlines() if line and not line.startswith("==")]
    assert done.returncode == 2 and len(errors) == 1 and errors[0].startswith("error: /no/checkout: contains no")


def test_a_full_disk_is_told_before_work(tmp_path, programs):
    (tmp_path / "bin").mkdir()
    df = tmp_path / "bin/df"
    df.write_text(
        "#!/bin/sh\necho Filesystem 1024-blocks Used Available Capacity Mounted on\necho disk 9 9 51200 9% /\n"
    )
    df.chmod(0o755)
    path = {"PATH": f"{df.parent}{os.pathsep}{os.environ['PATH']}"}
    done = prepare(
        tmp_path, {**programs, **path}, "--prompt", "walk", "--output-dir", "new/set", "--hmr-model", "gvhmr"
    )
    assert done.returncode == 2 and not (tmp_path / "new").exists()
    assert "error: new/set: its disk has 50 MB left, expected at least 200 MB." in done.stderr
    assert done.stderr.count("\n") == 1


def test_missing_networks_of_the_preview_are_told_before_work(tmp_path):
    command = [
        sys.executable,
        str(REPO / "scripts/fetch_capture_weights.py"),
        "--check-only",
        "--folder",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "a network of the preview capture is missing. Fetch it with" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_prints_every_step_and_does_nothing(tmp_path):
    for request in (("--prompt", "a person's walk"), ("--video", "v.mp4")):
        (tmp_path / "v.mp4").touch()
        done = prepare(
            tmp_path,
            {},
            *request,
            "--output-dir",
            "set",
            "--dry-run",
            "--judge",
            "none",
            "--target-fps",
            "16",
            "--fps",
            "16",
            "--",
            "--votes",
            "3",
        )
        assert done.returncode == 0, done.stderr
        for command in (
            "extract_motion.sh --model auto",
            "--target-fps 16",
            "--fps=16",
            "motion_checker.py",
            "render_mbench_videos.py",
            "--votes 3",
            "build_report.py",
        ):
            assert command in done.stdout
        assert done.stdout.startswith("# A run first writes set/archive.json, with an entry for each NAME.\n")
        assert ("generate_video.sh --model wan2.2" in done.stdout) == (request[0] == "--prompt")
        assert [path.name for path in tmp_path.iterdir()] == ["v.mp4"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give --prompt TEXT"),
        (["--prompt", " "], "give --prompt TEXT"),
        (["--video", "none.mp4"], "none.mp4: not found"),
        (["--archive", "none.json"], "none.json: not found"),
        (["--archive", "a.json", "--prompt", "x"], "--archive cannot be combined with --prompt"),
        (["--video", "v.mp4", "--seed", "1"], "--seed sets how to generate a video"),
        (["--prompt", "x", "--judge", "me"], "expected gemini, openai, manual or none"),
        (["--prompt", "x", "--target-fps", "-3"], "expected frames per second"),
        (["--prompt", "x", "--speed", "3"], "unknown flag --speed"),
        (["--archive", "a.json"], "holds no entries"),
        (["--prompt", "x", "--output-dir", "v.mp4/set"], "v.mp4/set: cannot be written"),
    ],
)
def test_wrong_use_is_one_line_with_code_2(arguments, words, tmp_path):
    (tmp_path / "v.mp4").touch()
    (tmp_path / "a.json").write_text("[]")
    done = prepare(tmp_path, {}, "--output-dir", "set", *arguments)
    assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert prepare(tmp_path, {}, "--prompt", "x").returncode == 2


def test_refined_motions_are_gated_and_the_raw_ones_stay(tmp_path, programs):
    video = write_video(tmp_path / "walk.mp4", one_person(9))
    arguments = ("--video", str(video), "--output-dir", "set", "--hmr-model", "gvhmr", "--judge", "none")
    done = prepare(tmp_path, programs, *arguments, "--refine")
    assert done.returncode == 1, done.stdout + done.stderr
    folder = tmp_path / "set"
    raw, refined = (torch.load(folder / name / "walk.pt", weights_only=True) for name in ("motions_raw", "motions"))
    assert "refined" not in raw and refined["refined"]["raw_motion"]
    (record,) = json.loads((folder / "refine_report.json").read_text())
    assert record["outputs"] == ["set/motions/walk.pt"]
    assert json.loads((folder / "quality_report.json").read_text())[0]["refined"]["raw_figures"]
    assert (folder / "review/before/walk_before.mp4").is_file()
    without = prepare(tmp_path, programs, *arguments)
    assert without.returncode == 1 and "refined" not in torch.load(folder / "motions/walk.pt", weights_only=True)


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        (("--judge", "openai"), "--vlm-base-url"),
        (("--judge", "gemini"), "no Gemini key"),
        (("--judge", "manual"), "--verdicts"),
        (("--judge", "manual", "--verdicts", "missing.json"), "missing.json"),
        (("--judge", "none", "--", "--no-such-flag"), "--no-such-flag"),
        (("--judge", "none", "--", "--votes", "2"), "odd"),
        (("--judge", "none", "--hmr-model", "wham"), "WHAM_ROOT"),
        (("--judge", "none", "--hmr-model", "nothing"), "unknown --model"),
        (("--judge", "none", "--hmr-model", "preview", "--person", "2"), "the preview tracks one person"),
    ],
)
def test_what_can_be_known_is_said_before_any_work(tmp_path, flags, found):
    (tmp_path / "v.mp4").write_bytes(b"no video")
    unset = {"GEMINI_API_KEY": "", "GOOGLE_API_KEY": "", "WHAM_ROOT": "", "OPENAI_BASE_URL": ""}
    done = prepare(tmp_path, unset, "--video", "v.mp4", "--output-dir", "set", *flags)
    assert done.returncode == 2 and found in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["v.mp4"]


def test_an_archive_that_cannot_be_used_leaves_no_folders(tmp_path, programs):
    (tmp_path / "a.json").write_text("{}")
    given = ("--archive", "a.json", "--output-dir", "set", "--judge", "none", "--hmr-model", "gvhmr")
    done = prepare(tmp_path, programs, *given)
    assert done.returncode == 2 and done.stderr.count("error: ") == 1, done.stderr
    assert "a.json: holds a JSON object" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "programs"]
