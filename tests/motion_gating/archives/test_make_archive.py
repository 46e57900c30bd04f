"""make_archive.py: entries from folders, CSV and text files, with ids that stay."""

from __future__ import annotations

import json
import os

import pytest
import torch
from sample_motions import smooth_clip

from motion_gating import make_archive
from motion_gating.archives import making
from motion_rep.motions.motion_file import MotionClip, write_motion


@pytest.fixture
def output(tmp_path):
    (tmp_path / "motions").mkdir()
    for name, fps in (("b_walk", 16.0), ("c", 8.0)):
        write_motion(tmp_path / f"motions/{name}.pt", MotionClip(smooth_clip(33).motion, fps=fps))
    return tmp_path / "archive.json"


def make(output, *sources, code=0, flags=()):
    words = [*(str(output.parent / name) for name in sources), "-o", str(output), *flags]
    assert make_archive.main(words) == code
    return json.loads(output.read_text()) if output.exists() else None


def test_a_folder_of_motions_gives_entries_that_the_loader_takes(output):
    texts = dict.fromkeys(("prompt", "prompt_motion_detailed", "prompt_video_detailed"), "b walk")
    first, second = make(output, "motions")
    expected = {"global_id": 0, "id": 0, "name": "b_walk", "motion_path": "motions/b_walk.pt", "motion_duration": 2.0}
    assert first == expected | texts
    assert (second["global_id"], second["prompt"], second["motion_duration"]) == (1, "c", 4.0)


@pytest.mark.skipif(os.name != "posix", reason="makes pipes")
@pytest.mark.parametrize("name", ["prompts.txt", "prompts.csv"])
def test_texts_come_from_regular_files_only(output, name, capsys):
    os.mkfifo(output.parent / name)
    (output.parent / f"zero_{name}").symlink_to("/dev/zero")
    (output.parent / f"latin_{name}").write_bytes(b"\xff walks")
    for given, fault in ((name, "is a pipe"), (f"zero_{name}", "is a device"), (f"latin_{name}", "is not UTF-8 text")):
        assert make(output, given, code=2) is None
        assert f"{given}: {fault}" in capsys.readouterr().err


def test_ids_stay_when_entries_are_added(output):
    folder, first = output.parent, make(output, "motions")
    write_motion(folder / "motions/a.pt", MotionClip(smooth_clip(33).motion))
    (folder / "p.csv").write_text('name,prompt\na,"a person\nsits"\n')
    (folder / "p.txt").write_text("jump high\n\n")
    after = make(output, "motions", "p.csv", "p.txt")
    assert after[:2] == first
    assert [(entry["id"], entry["prompt"]) for entry in after[2:]] == [(2, "a person\nsits"), (3, "jump high")]
    assert "motion_path" not in after[3] and after[2]["motion_duration"] == 2.0


def test_new_ids_are_beyond_all_ids_and_groups(output):
    earlier = [{"id": 7, "group": 2, "prompt": "a"}, {"id": "8_s42", "group": 8, "prompt": "b"}]
    output.write_text(json.dumps(earlier))
    assert [entry["id"] for entry in make(output, "motions")] == [7, "8_s42", 9, 10]
    output.write_text(json.dumps(earlier[:1]))
    assert [entry["id"] for entry in make(output, "motions")] == [7, 8, 9]


def test_a_new_prompt_replaces_the_texts_that_were_the_old_one(output):
    entries = make(output, "motions")
    entries[0]["prompt_video_detailed"] = "close-up"
    output.write_text(json.dumps(entries))
    (output.parent / "p.csv").write_text("name,prompt\nb_walk,walks slowly\n")
    first = make(output, "p.csv")[0]
    texts = [first[key] for key in ("prompt", "prompt_motion_detailed", "prompt_video_detailed")]
    assert texts == ["walks slowly", "walks slowly", "close-up"] and first["motion_path"]


def test_captures_and_videos_are_what_motions_are_made_of(output, capsys):
    folder = output.parent / "sources"
    folder.mkdir()
    torch.save({"body_pose": torch.zeros(3, 63)}, folder / "capture.pt")
    for name in ("clip.mp4", "wham.pkl", "notes.md", "a_eval.pt"):
        (folder / name).touch()
    (folder / "broken.pt").write_text("no torch file")
    entries = {entry["name"]: entry for entry in make(output, "sources")}
    assert set(entries) == {"broken", "capture", "clip", "wham"}
    assert entries["clip"]["source_video_path"] == "sources/clip.mp4" and "motion_path" not in entries["clip"]
    assert entries["capture"]["capture_path"] == "sources/capture.pt" and "motion_path" not in entries["capture"]
    assert "broken.pt" in capsys.readouterr().err and "motion_duration" not in entries["broken"]


def test_files_of_a_csv_are_found_beside_it(output):
    (output.parent / "p.csv").write_text("file,prompt,main_action\nmotions/c.pt,sits down,sit\n")
    (entry,) = make(output, "p.csv")
    assert (entry["name"], entry["main_action"]) == ("c", "sit") and entry["motion_path"] == "motions/c.pt"


def test_unusable_sources_are_refused(output, capsys):
    make(output, "none.txt", code=2)
    (output.parent / "p.csv").write_text("name\nwalk\n")
    make(output, "p.csv", code=2)
    (output.parent / "empty").mkdir()
    make(output, "empty", code=2)
    errors = capsys.readouterr().err
    assert all(
        words in errors
        for words in ("none.txt", "no column with the heading prompt; found name", "nothing to make entries from")
    )


def test_an_unexpected_error_costs_one_file(output, monkeypatch, capsys):
    reading = making.read_torch

    def read(path):
        if path.name == "c.pt":
            raise ZeroDivisionError("odd bytes")
        return reading(path)

    monkeypatch.setattr(making, "read_torch", read)
    first, second = make(output, "motions")
    assert first["motion_duration"] == 2.0 and "motion_duration" not in second
    error = capsys.readouterr().err
    assert "motions/c.pt: ZeroDivisionError: odd bytes" in error and error.count("\n") == 1


def test_each_prompt_gets_its_candidates_and_a_file_gets_none(output):
    (output.parent / "p.txt").write_text("jump high\nsit down\n")
    entries = make(output, "motions", "p.txt", flags=("--candidates", "2", "--seed", "7"))
    assert [entry["id"] for entry in entries] == [0, 1, "2_s7", "2_s8", "3_s7", "3_s8"]
    assert [(entry.get("group"), entry.get("seed")) for entry in entries[1:4]] == [(None, None), (2, 7), (2, 8)]
    assert {entry["prompt"] for entry in entries[4:]} == {"sit down"}
    assert len({entry["global_id"] for entry in entries}) == 6


def test_seeds_without_candidates_are_given_only_when_asked_for(output):
    (output.parent / "p.txt").write_text("jump high\n")
    assert "seed" not in make(output, "p.txt")[0]
    output.unlink()
    assert make(output, "p.txt", flags=("--seed", "7"))[0]["seed"] == 7


def test_more_candidates_are_added_and_ids_stay(output):
    (output.parent / "p.txt").write_text("jump high\n")
    first = make(output, "p.txt", flags=("--candidates", "2"))
    assert make(output, "p.txt", flags=("--candidates", "2")) == first
    first[0] |= {"source_video_path": "a.mp4", "rank": 1, "chosen": True, "use_ref_motion": True}
    output.write_text(json.dumps(first))
    (output.parent / "q.txt").write_text("sit down\n")
    after = make(output, "p.txt", "q.txt", flags=("--candidates", "3"))
    assert [entry["id"] for entry in after] == ["0_s42", "0_s43", "0_s44", "1_s42", "1_s43", "1_s44"]
    assert after[:2] == first and after[2]["group"] == 0
    assert not {"source_video_path", "rank", "chosen", "use_ref_motion"} & set(after[2])


def test_an_entry_that_is_there_without_candidates_is_refused(output, capsys):
    (output.parent / "p.txt").write_text("jump high\n")
    before = make(output, "p.txt")
    assert make(output, "p.txt", code=2, flags=("--candidates", "2")) == before
    assert "entry 0 is already there without candidates" in capsys.readouterr().err


def test_rows_of_a_csv_with_one_group_are_candidates(output):
    (output.parent / "p.csv").write_text("name,file,prompt,group,seed\n,motions/c.pt,sits,one,\nx,,sits,one,5\n")
    first, second = make(output, "p.csv", flags=("--candidates", "4"))
    assert (first["group"], second["group"], second["seed"]) == ("one", "one", "5")


def test_entries_with_one_prompt_get_different_seeds(output):
    (output.parent / "p.csv").write_text("name,prompt\na,sits\nb,sits\nc,walks\n")
    make(output, "p.csv", flags=("--candidates", "2", "--seed", "7"))
    (output.parent / "q.csv").write_text("name,prompt\nd,sits\n")
    entries = make(output, "q.csv", flags=("--candidates", "2", "--seed", "7"))
    seeds = {name: [entry["seed"] for entry in entries if entry["name"] == name] for name in "abcd"}
    assert seeds == {"a": [7, 8], "b": [9, 10], "c": [7, 8], "d": [11, 12]}


def test_equal_lines_are_told(output, capsys):
    (output.parent / "t.txt").write_text("a person runs\na person sits\n  a person runs\n")
    assert [one["prompt"] for one in make(output, "t.txt")] == ["a person runs", "a person sits"]
    err = capsys.readouterr().err
    assert "1 inputs are there more than once, for example 'a person runs'; each makes one entry" in err
    assert len(err.splitlines()) == 1 and len(make(output, "t.txt")) == 2


def test_rows_and_files_of_one_name_lose_nothing(output, capsys):
    folder = output.parent
    (folder / "t.csv").write_text("name,prompt\na,walks\na,runs\na,walks\n")
    (folder / "other").mkdir()
    write_motion(folder / "other/c.pt", MotionClip(smooth_clip(33, 1).motion))
    entries = make(output, "t.csv", "motions", "other", "motions/../motions/c.pt")
    assert [(one["name"], one["prompt"], one.get("motion_path")) for one in entries] == [
        ("a", "walks", None),
        ("a_2", "runs", None),
        ("b_walk", "b walk", "motions/b_walk.pt"),
        ("c", "c", "motions/c.pt"),
        ("c_2", "c 2", "other/c.pt"),
    ]
    assert "2 inputs are there more than once, for example 'a'" in capsys.readouterr().err
    assert make(output, "t.csv", "motions", "other") == entries, "names stay"


def test_a_bad_row_is_left_out_with_a_word(output, capsys):
    (output.parent / "p.csv").write_text("name,prompt\na,walks\nb,\nc,sits\0\n")
    assert make_archive.main([str(output.parent / "p.csv"), "-o", str(output)]) == 1
    assert [entry["name"] for entry in json.loads(output.read_text())] == ["a"]
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert ["row 3 has no prompt" in errors[0], "row 4 has a NUL character" in errors[1]] == [True, True]


def test_an_archive_that_is_replaced_while_entries_are_added_keeps_the_new_content(output, monkeypatch, capsys):
    """By a gate that writes its decisions, for example."""
    entries = make(output, "motions")
    (output.parent / "p.txt").write_text("jump high\n")
    updated, decided = making._updated, [{**entry, "use_ref_motion": True} for entry in entries]

    def replace_then_update(*arguments):
        output.write_text(json.dumps(decided))
        return updated(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(making, "_updated", replace_then_update)
        assert make(output, "p.txt", code=1) == decided
    assert f"{output}: was changed while it was read" in capsys.readouterr().err
    assert make(output, "p.txt")[:2] == decided


def test_the_archive_is_read_under_its_lock(output, monkeypatch):
    read, locked = making.read_entries, output.with_name(".archive.json.lock")
    make(output, "motions")
    monkeypatch.setattr(making, "read_entries", lambda path: read(path) if locked.exists() else pytest.fail("no lock"))
    make(output, "motions")
