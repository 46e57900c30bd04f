"""Archives for the TM2M loader, read by a small loader of our own that refuses what it refuses."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from checkout import SHARED
from sample_motions import smooth_clip
from tm2m_loader import load, make_embeds

from motion_gating import export_for_tm2m
from motion_gating.archives.entry_number import number_for
from motion_rep.motions.layout import unpack
from motion_rep.motions.motion_file import MotionClip, write_motion

REAL = SHARED / "real"


@pytest.fixture
def gated(tmp_path):
    """An archive with named entries: one true, one false, one undecided."""
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


def loaded(root, archive):
    """Conditioned or not, and the number of rows, of each entry in turn."""
    make_embeds(root, archive)
    return [(used, len(motion)) for used, motion in load(root, archive).values()]


def change(folder, **fields):
    """Change the first entry of the archive."""
    entries = json.loads((folder / "gated.json").read_text())
    entries[0] |= fields
    (folder / "gated.json").write_text(json.dumps(entries))


def test_all_entries_load_at_the_right_speed(gated):
    folder, root = gated
    code, output = export(folder, root)
    assert code == 0
    with pytest.raises(ValueError, match="no embedding"):
        load(root, output)
    assert loaded(root, output) == [(True, 100), (False, 100), (False, 100)]
    first = load(root, output)[number_for("clip 0")][1]
    assert torch.allclose(first[[0, -1]], smooth_clip(81, 0, 0.3).motion[[0, -1]], atol=1e-6)
    assert [entry["name"] for entry in json.loads(output.read_text())] == ["clip 0", "clip 1", "clip 2"]


def test_numbers_stay_when_entries_are_added_and_sorted(gated):
    folder, root = gated
    entries = json.loads((folder / "gated.json").read_text())
    export(folder, root)
    first = load_numbers(root)
    other = [{"id": identifier, "prompt": "sit"} for identifier in (7, "8", "new")]
    (folder / "gated.json").write_text(json.dumps([*other, *reversed(entries)]))
    export(folder, root)
    after = load_numbers(root)
    assert after["clip 0"] == first["clip 0"] and len(set(after.values())) == 6
    assert {name: after[name] for name in (7, "8")} == {7: 7, "8": 8}


def load_numbers(root):
    entries = json.loads((root / "data_samples/custom.json").read_text())
    return {entry.get("name", entry["id"]): entry["global_id"] for entry in entries}


def test_what_remains_is_printed_with_the_names_of_the_checkout(gated, capsys):
    folder, root = gated
    assert export(folder, root)[0] == 0
    said = capsys.readouterr().out
    assert "python text_encoding_batch.py --text_key prompt_video_detailed   (on data_samples/custom.json" in said
    assert "test_json_file_list: [data_samples/custom.json]" in said and "configs/tm2m_infer.yaml" in said
    (root / "tools").mkdir()
    options = "p.add_argument('--output_json')\np.add_argument(\n    '--json_path')\np.add_argument('--text_key')\n"
    (root / "tools/text_encoding_batch.py").write_text(options)
    (root / "scripts").mkdir()
    (root / "scripts/run_tm2m.sh").write_text("torchrun main.py --config configs/tm2m_infer.yaml")
    assert export(folder, root, "--text-key", "prompt_motion_detailed")[0] == 0
    said = capsys.readouterr().out
    encode = (
        "python tools/text_encoding_batch.py --json_path data_samples/custom.json --text_key prompt_motion_detailed"
    )
    assert f"   {encode}\n" in said and "   bash scripts/run_tm2m.sh\n" in said
    assert "   text_key: prompt_motion_detailed\n" in said


def damage_motion(path, damage, clip, mean):
    """Write a motion that the loader would refuse or misplay."""
    motion = clip.motion
    if damage == "missing":
        path.unlink()
    elif damage == "rate":
        write_motion(path, MotionClip(motion, fps=30.0))
    elif damage in ("short", "long", "endless"):
        count = {"short": 20, "long": 170, "endless": 900}[damage]
        write_motion(path, MotionClip(motion[torch.arange(count) % len(motion)], fps=16.0))
    elif damage == "normalised":
        torch.save({"motion": (motion - torch.from_numpy(mean)) / 0.01, "fps": 16.0}, path)
    elif damage == "joints":
        joints = unpack(motion).joints
        write_motion(path, MotionClip(motion.clone(), fps=16.0))
        value = torch.load(path, weights_only=True)
        value["motion"][:, 126:192] = (joints * 100).flatten(1)
        torch.save(value, path)
    elif damage == "nan":
        torch.save({"motion": motion * float("nan"), "fps": 16.0}, path)
    elif damage == "bare":
        torch.save(motion, path)
    elif damage == "double":
        torch.save({"motion": motion.double(), "fps": 16.0}, path)
    elif damage == "pickled":
        torch.save({"motion": motion, "fps": 16.0, "made": np.float64(1)}, path)


FAULTS = {
    "missing": "0.pt",
    "rate": "5 s. Convert the capture again with --target-fps 16",
    "short": "training on this clip alone never ends",
    "long": "trained on 40 to 200",
    "endless": "positions for 1024",
    "normalised": "looks normalised",
    "joints": "looks normalised",
    "nan": "not finite",
    "bare": "not a dict",
    "double": "torch.float64",
    "pickled": "torch.load(weights_only=True) refuses it",
    "root": "standard deviations",
    "judged": "replaced after it was judged",
    "text": "the text was changed",
    "word": "use_ref_motion is 'yes', expected true or false",
    "number": "use_ref_motion is 1, expected true or false",
    "unnamed": "no motion_path",
    "remote": "opens no URLs",
}


@pytest.mark.parametrize("damage", FAULTS)
def test_every_fault_is_named_and_costs_only_the_reference(gated, capsys, damage):
    folder, root = gated
    clip = smooth_clip(81, 0, 0.3)
    (root / "data/meta_info").mkdir(parents=True)
    mean = clip.motion.mean(dim=0).numpy()
    np.save(root / "data/meta_info/mean.npy", mean + (5 if damage == "root" else 0))
    np.save(root / "data/meta_info/std.npy", np.ones(276))
    damage_motion(folder / "motions/0.pt", damage, clip, mean)
    judged = {"motion": "0" * 32, "clip": None, "text": None, "text_field": None}
    if damage == "judged":
        change(folder, judged_content=judged)
    elif damage == "text":
        change(folder, judged_content={**judged, "motion": None, "text": "0" * 32})
    elif damage in ("word", "number", "unnamed", "remote"):
        fields = {"word": {"use_ref_motion": "yes"}, "number": {"use_ref_motion": 1}, "unnamed": {"motion_path": None}}
        change(folder, **fields.get(damage, {"motion_path": "s3://bucket/0.pt"}))
    code, output = export(folder, root)
    said = capsys.readouterr().err
    assert code == 1 and FAULTS[damage] in said and said.count("error: entry clip 0: ") == said.count("error: ")
    assert loaded(root, output)[0] == (False, 100)


def test_an_entry_without_text_is_left_out(gated, capsys):
    folder, root = gated
    change(folder, prompt=" ")
    code, output = export(folder, root)
    said = capsys.readouterr()
    assert code == 1 and "entry clip 0: no text in prompt_video_detailed or prompt" in said.err
    assert "1 left out (no text)" in said.out and len(loaded(root, output)) == 2


def test_of_several_texts_the_first_is_written(gated, capsys):
    folder, root = gated
    change(folder, prompt=None, motion_text_annot=["a person walks", "walking"], prompt_video_detailed=["far", "near"])
    code, output = export(folder, root)
    entry = json.loads(output.read_text())[0]
    assert code == 0 and (entry["prompt"], entry["prompt_video_detailed"]) == ("a person walks", "far")
    assert "prompt_video_detailed has 2 texts; the first counts" in capsys.readouterr().err


def test_a_true_without_a_record_is_kept_and_counted(gated, capsys):
    code, output = export(*gated)
    assert code == 0 and "1 entry has use_ref_motion true without a record" in capsys.readouterr().err


def test_check_writes_nothing(gated):
    code, output = export(*gated, "--check")
    assert code == 0 and not output.exists()


def test_wrong_use_is_refused(gated, capsys):
    folder, root = gated
    meta = str(folder / "gated.json")
    for output, words in (("x.jsonl", "JSON lists"), ("gated.json", "the same file")):
        flags = ["--meta-json", meta, "--vimogen-root", str(root), "-o", str(folder / output)]
        assert export_for_tm2m.main(flags) == 2 and words in capsys.readouterr().err
    assert export_for_tm2m.main(["--meta-json", meta, "--vimogen-root", meta, "--check"]) == 2
    assert export_for_tm2m.main(["--meta-json", meta, "--vimogen-root", str(root)]) == 2


def test_motions_that_the_upstream_checker_cannot_read_are_named(gated, capsys):
    folder, root = gated
    clip = smooth_clip(81, 0, 0.3)
    write_motion(folder / "motions/0.pt", clip)
    export(folder, root, "--for-upstream-checker")
    said = capsys.readouterr()
    assert "--extrinsic-format rows" in said.out and "entry clip 0: its extrinsic is no (rows, 9)" in said.err
    write_motion(folder / "motions/0.pt", clip, extrinsic_format="rows")
    export(folder, root, "--for-upstream-checker")
    assert "--extrinsic-format" not in capsys.readouterr().out


def test_paths_of_a_published_archive_start_at_the_checkout(gated, capsys):
    folder, root = gated
    write_motion(root / "data/mbench/wan2.2/0.pt", MotionClip(smooth_clip(81, 0, 0.3).motion, fps=16.0))
    change(folder, motion_path="data/mbench/wan2.2/0.pt")
    code, output = export(folder, root)
    assert code == 0 and json.loads(output.read_text())[0]["motion_path"] == "data/mbench/wan2.2/0.pt"
    write_motion(folder / "data/mbench/wan2.2/0.pt", MotionClip(smooth_clip(81, 5, 0.3).motion, fps=16.0))
    assert export(folder, root)[0] == 1 and "two different files" in capsys.readouterr().err


@pytest.mark.skipif(not REAL.exists(), reason="the published archive is not here")
@pytest.mark.parametrize("used", [False, True])
def test_the_published_archive_has_no_fault(tmp_path, capsys, used):
    root = tmp_path / "ViMoGen"
    (root / "data/mbench/wan2.2").mkdir(parents=True)
    entries = json.loads((REAL / "published_archive_wi_ref.json").read_text())
    for entry in entries:
        entry |= {"use_ref_motion": True} if used else {}
        shutil.copy(REAL / "wan22_motion.pt", root / entry["motion_path"])
    (root / "data/archive.json").write_text(json.dumps(entries))
    flags = ["--meta-json", str(root / "data/archive.json"), "--vimogen-root", str(root), "-o", str(root / "o.json")]
    assert export_for_tm2m.main(flags) == 0
    said = capsys.readouterr()
    assert "error" not in said.err and f"4 entries, {4 * used} with a reference motion, 0 with faults" in said.out
    assert loaded(root, root / "o.json") == [(used, 98 if used else 100)] * 4
