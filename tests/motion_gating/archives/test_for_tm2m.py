"""Archives for the TM2M loader, read by a small loader of our own that refuses what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from sample_motions import smooth_clip

from motion_gating import export_for_tm2m, make_archive
from motion_rep.motions.motion_file import MotionClip, write_motion

KEY = "prompt_video_detailed"


def load_as_tm2m(root, archive):
    """What the loader makes of an archive; embeds are made for every entry first, as its own program does."""
    loaded = []
    for entry in json.loads(archive.read_text()):
        assert isinstance(entry["global_id"], int) and isinstance(entry["prompt"], str) and entry[KEY]
        motion = torch.zeros(100, 276)
        if entry["use_ref_motion"]:
            rows = torch.load(root / entry["motion_path"], weights_only=True)["motion"][:, :276]
            motion = torch.zeros(len(rows) * 20 // 16, 276)
        loaded.append((entry["global_id"], entry["use_ref_motion"], len(motion)))
    return loaded


@pytest.fixture
def gated(tmp_path):
    root = tmp_path / "ViMoGen"
    (root / "data_samples").mkdir(parents=True)
    entries = []
    for number in range(3):
        write_motion(tmp_path / f"motions/{number}.pt", MotionClip(smooth_clip(81, number, 0.3).motion, fps=16.0))
        entry = {"id": f"clip {number}", "prompt": "walk", "motion_path": f"motions/{number}.pt"}
        entries.append(entry | ({"use_ref_motion": number != 1} if number < 2 else {}))
    (tmp_path / "gated.json").write_text(json.dumps(entries))
    return tmp_path, root


def export(folder, root, *flags):
    output = root / "data_samples" / "custom.json"
    fixed = ["--meta-json", folder / "gated.json", "--vimogen-root", root, "-o", output]
    return export_for_tm2m.main([str(word) for word in (*fixed, *flags)]), output


def test_all_entries_load_at_the_right_speed(gated, capsys):
    code, output = export(*gated)
    assert code == 0
    assert load_as_tm2m(gated[1], output) == [(0, True, 100), (1, False, 100), (2, False, 100)]
    said = capsys.readouterr().out
    assert "text_encoding_batch.py --text_key" in said and "test_json_file_list: [data_samples/custom.json]" in said


@pytest.mark.parametrize("damage", ["missing", "rate", "short", "columns", "judged", "bare", "root"])
def test_every_fault_is_named_and_costs_only_the_reference(gated, capsys, damage):
    folder, root = gated
    path, clip = folder / "motions/0.pt", smooth_clip(81, 0, 0.3)
    (root / "data/meta_info").mkdir(parents=True)
    mean = clip.motion.mean(dim=0).numpy()
    np.save(root / "data/meta_info/mean.npy", mean + (5 if damage == "root" else 0))
    np.save(root / "data/meta_info/std.npy", np.ones(276))
    if damage == "missing":
        path.unlink()
    elif damage == "rate":
        write_motion(path, MotionClip(clip.motion, fps=30.0))
    elif damage == "short":
        write_motion(path, MotionClip(clip.motion[:20], fps=16.0))
    elif damage == "columns":
        torch.save({"motion": (clip.motion - mean) / 0.01, "fps": 16.0}, path)
    elif damage == "bare":
        torch.save(clip.motion, path)
    elif damage == "judged":
        entries = json.loads((folder / "gated.json").read_text())
        entries[0]["judged_content"] = {"motion": "0" * 32, "clip": None, "text": None, "text_field": None}
        (folder / "gated.json").write_text(json.dumps(entries))
    words = {
        "missing": "0.pt",
        "rate": "--target-fps 16",
        "short": "trained on 40 to 200",
        "columns": "normalised",
        "judged": "replaced after it was judged",
        "bare": "no dict",
        "root": "standard deviations",
    }
    code, output = export(folder, root)
    assert code == 1 and words[damage] in capsys.readouterr().err
    assert load_as_tm2m(root, output)[0] == (0, False, 100)


def test_check_writes_nothing(gated):
    code, output = export(*gated, "--check")
    assert code == 0 and not output.exists()


def test_an_archive_from_a_folder_keeps_its_ids_when_entries_are_added(tmp_path):
    (tmp_path / "motions").mkdir()
    for name in ("b_walk", "c"):
        (tmp_path / f"motions/{name}.pt").touch()
    output = tmp_path / "archive.json"
    assert make_archive.main([str(tmp_path / "motions"), "-o", str(output)]) == 0
    first = json.loads(output.read_text())
    assert [(entry["global_id"], entry["prompt"], entry["motion_path"]) for entry in first] == [
        (0, "b walk", "motions/b_walk.pt"),
        (1, "c", "motions/c.pt"),
    ]
    (tmp_path / "motions/a.pt").touch()
    (tmp_path / "p.csv").write_text("name,prompt\na,a person sits\n")
    (tmp_path / "p.txt").write_text("jump high\n\n")
    sources = [str(tmp_path / name) for name in ("motions", "p.csv", "p.txt")]
    assert make_archive.main([*sources, "-o", str(output)]) == 0
    after = json.loads(output.read_text())
    assert after[:2] == first
    assert [(entry["id"], entry["prompt"]) for entry in after[2:]] == [(2, "a person sits"), (3, "jump high")]
    assert make_archive.main([str(tmp_path / "none.txt"), "-o", str(output)]) == 2
