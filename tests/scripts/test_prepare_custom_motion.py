"""prepare_custom_motion.sh passes the flags of earlier versions to prepare_motions.py."""

from __future__ import annotations

import json
import subprocess
import sys

import torch
from chain_support import asked, prepare
from checkout import REPO, STAND_INS

sys.path.insert(0, str(STAND_INS))
from videos import one_person, write_video  # noqa: E402


def test_a_video_becomes_a_gated_motion_and_another_video_is_captured_again(tmp_path, programs):
    video = write_video(tmp_path / "my video.mp4", one_person(45))
    (tmp_path / "verdicts.json").write_text('[{"id": "my video", "matches": true, "analysis": "walks"}]')
    (tmp_path / "ViMoGen").mkdir()
    arguments = ("--video", video, "--prompt", 'a person\'s "walk"', "--output_dir", "set", "--hmr-model=gvhmr")
    arguments = (*map(str, arguments), "--vimogen-root", "ViMoGen", "--", "--verdicts", "verdicts.json")
    done = prepare(tmp_path, programs, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    folder = tmp_path / "set"
    (entry,) = json.loads((folder / "gated.json").read_text())
    assert entry["id"] == "my video" and entry["prompt"] == 'a person\'s "walk"' and entry["use_ref_motion"] is True
    motion = folder / entry["motion_path"]
    assert (folder / entry["video_path"]).is_file() and "refined" not in torch.load(motion, weights_only=True)
    assert list((folder / "checks").glob("*_overlay.mp4")) and not (folder / "motions_raw").exists()
    assert "\nmy video  passed " in done.stdout and "/set/review/index.html" in done.stdout
    (item,) = json.loads((folder / "tm2m.json").read_text())
    assert isinstance(item["global_id"], int) and item["use_ref_motion"] is True
    assert (tmp_path / "ViMoGen" / item["motion_path"]).is_file()
    assert "archive for TM2M: set/tm2m.json" in done.stdout and "text_encoding_batch.py" in done.stdout
    write_video(video, one_person(12))
    changed = prepare(tmp_path, {**programs, "GVHMR_ROOT": "/none"}, *arguments)
    assert changed.returncode == 2 and "Correct GVHMR_ROOT" in changed.stderr and changed.stdout == ""
    refined = prepare(tmp_path, programs, *arguments[:-3], "--refine", "--judge", "none")
    assert refined.returncode == 1 and len(torch.load(motion, weights_only=True)["motion"]) < 12
    raw = torch.load(folder / "motions_raw" / motion.name, weights_only=True)
    assert torch.load(motion, weights_only=True)["refined"]["raw_motion"] and "refined" not in raw
    assert list((folder / "review/before").glob("*_before.mp4"))


def test_a_dry_run_and_wrong_use(tmp_path, programs):
    (tmp_path / "a.json").write_text('[{"id": 1, "prompt": "a person walks"}]')
    done = prepare(tmp_path, programs, "--archive", "a.json", "--output-dir", "set", "--dry-run")
    assert (done.returncode, done.stderr) == (0, "") and "videos from text (wan2.2): 1" in done.stdout
    wrong = prepare(tmp_path, programs, "--archive=a.json", "--speed", "3")
    assert wrong.returncode == 2 and "--speed" in wrong.stderr and wrong.stderr.count("\n") == 1
    assert "needs a value" in prepare(tmp_path, programs, "--video").stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "programs"] and asked(programs) == []


def test_missing_networks_of_the_preview_are_told_before_work(tmp_path):
    script = str(REPO / "scripts/fetch_capture_weights.py")
    command = [sys.executable, script, "--check-only", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "a network of the preview capture is missing. Fetch it with" in done.stderr
    assert list(tmp_path.iterdir()) == []
