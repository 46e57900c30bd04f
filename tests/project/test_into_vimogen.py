"""The flow of the README and the chain, up to a loader that refuses what TM2M's refuses."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
import torch
from chain_support import prepare, programs  # noqa: F401 - a fixture
from checkout import REPO, STAND_INS
from tm2m_loader import load, make_embeds

from motion_gating import apply_quality_gate, export_for_tm2m, render_mbench_videos
from motion_gating.archives.entry_number import number_for
from motion_rep import convert_hmr_to_motion
from motion_rep.motions.motion_file import read_motion

sys.path.insert(0, str(STAND_INS))
from videos import one_person, write_video  # noqa: E402

SAMPLES = REPO / "data_samples"
DEMO = (REPO / "scripts/demo.sh").read_text()


def run(command, *words):
    return command.main([str(word) for word in words])


@pytest.fixture
def gated(tmp_path):
    """What steps 3 and 4 of the README make; the sixth sample stands in for the capture of the sample video."""
    captures = shutil.copytree(SAMPLES / "captures", tmp_path / "captures")
    shutil.copy(captures / "squat.pt", captures / "sample_video.pt")
    assert run(convert_hmr_to_motion, "-i", captures, "-o", tmp_path / "motions", "--target-fps", 16) == 0
    shutil.copy(SAMPLES / "example_archive_wi_ref.json", tmp_path / "archive.json")
    rendered, out = tmp_path / "rendered.json", tmp_path / "gated.json"
    size = ("--width", 32, "--height", 32, "--output-dir", tmp_path / "renders")
    assert run(render_mbench_videos, "--meta-json", tmp_path / "archive.json", "--output-json", rendered, *size) == 0
    people = ("--judge", "manual", "--verdicts", SAMPLES / "human_verdicts.json")
    report = ("--quality-report", tmp_path / "report.json")
    assert run(apply_quality_gate, "--meta-json", rendered, "--output-json", out, *report, *people) == 0
    return out


def test_all_seven_entries_of_the_readme_load_and_true_ones_are_conditioned(gated, tmp_path):
    root = tmp_path / "ViMoGen"
    root.mkdir()
    archive = root / "custom.json"
    assert run(export_for_tm2m, "--meta-json", gated, "--vimogen-root", root, "-o", archive) == 0
    make_embeds(root, archive)
    loaded = load(root, archive)
    assert [used for used, _ in loaded.values()] == [True, True, True, True, False, False, True]
    for number, (used, motion) in loaded.items():
        if used:
            own = read_motion(json.loads(archive.read_text())[number]["motion_path"])
            assert own.fps == 16.0 and len(motion) / 20 == len(own) / 16, "it plays at the right speed"
        else:
            assert not torch.any(motion)


def test_the_demo_ends_with_an_archive_for_the_loader():
    """The demo is the front door on the samples, whose own tests lead to the archive."""
    assert "scripts/prepare_motions.py" in DEMO and '--vimogen-root "$vimogen"' in DEMO
    help_text = subprocess.run(["bash", REPO / "scripts/demo.sh", "--help"], capture_output=True, text=True)
    assert help_text.returncode == 0 and "VIMOGEN_ROOT" in help_text.stdout


def test_an_entry_of_the_chain_loads_by_a_number_made_of_its_name(tmp_path, programs):  # noqa: F811
    video = write_video(tmp_path / "my walk.mp4", one_person(41))
    (tmp_path / "verdicts.json").write_text('[{"id": "my walk", "matches": true}]')
    words = ("--video", str(video), "--prompt", "walk", "--output-dir", "set", "--hmr-model", "gvhmr")
    done = prepare(tmp_path, programs, *words, "--verdicts", "verdicts.json")
    assert done.returncode == 0, done.stderr
    (entry,) = json.loads((tmp_path / "set/gated.json").read_text())
    motion = read_motion(tmp_path / "set" / entry["motion_path"])
    assert entry["id"] == "my walk" and entry["global_id"] == number_for("my walk") and motion.fps == 16.0
    assert entry["motion_duration"] == len(motion) / 16
    assert {entry[key] for key in ("prompt", "prompt_motion_detailed", "prompt_video_detailed")} == {"walk"}
    (tmp_path / "ViMoGen").mkdir()
    archive = tmp_path / "ViMoGen/custom.json"
    flags = ("--meta-json", tmp_path / "set/gated.json", "--vimogen-root", tmp_path / "ViMoGen", "-o", archive)
    assert run(export_for_tm2m, *flags) in (0, 1)
    make_embeds(tmp_path / "ViMoGen", archive)
    assert list(load(tmp_path / "ViMoGen", archive)) == [number_for("my walk")]
