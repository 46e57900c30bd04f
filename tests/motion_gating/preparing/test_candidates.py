"""Several candidates of one text: the best is in the gated archive, the page shows all of them."""

from __future__ import annotations

import json
import re
import sys

import pytest
from chain_support import asked
from command_support import save_json
from preparing_support import read, save_clip
from sample_motions import smooth_clip

from motion_rep.motions.motion_file import write_motion

MODEL = ("--hmr-model", "gvhmr")


@pytest.fixture
def here(tmp_path):
    return tmp_path / "my folder (ü) #1"


def candidates(here, *groups):
    """An archive of motions, one for each group that is named."""
    entries = []
    (here / "in").mkdir()
    for number, group in enumerate(groups):
        write_motion(here / f"in/{number}.pt", smooth_clip(41, number, 0.02, 16.0))
        entries.append({"id": f"c{number}", "prompt": f"text {group}", "group": group, "motion_path": f"{number}.pt"})
    return save_json(here / "in/a.json", entries)


def test_videos_of_one_text_are_ranked_and_the_page_has_all(command, programs, quick_python, here, monkeypatch):
    monkeypatch.setattr(sys, "executable", quick_python)
    for name, value in programs.items():
        monkeypatch.setenv(name, value)
    (here / "new.txt").write_text("a person runs\n")
    words = ("new.txt", "-o", "out", *MODEL, "--frames", 9, "--candidates", 2, "--seed", 5, "--jitter-threshold", 9)
    code, out, err = command(*words)
    assert code == 1, "nobody judged, so both are undecided"
    assert asked(programs) == ["a person runs", "a person runs"]
    (chosen,) = read(here / "out/gated.json")
    everything = {one["id"]: one for one in read(here / "out/gated_candidates.json")}
    assert sorted(everything) == ["a_person_runs_s5", "a_person_runs_s6"]
    assert (chosen["rank"], chosen["chosen"]) == (1, True) and everything[chosen["id"]] == chosen
    assert f"group a_person_runs: {chosen['id']} chosen (figures)" in err
    assert "ranked by figures alone" in err and re.search(rf"{chosen['id']}.*chosen; ", out)
    assert "rank 2 of its group" in out
    page = (here / "out/review/index.html").read_text()
    assert all(name in page for name in everything)
    code, _, err = command(*words)
    assert "0 rendered, 2 reused" in err and len(asked(programs)) == 2


def test_a_choice_on_the_page_decides_and_only_the_chosen_goes_on(command, here):
    candidates(here, "a", "a", "b")
    save_json(here / "v.json", [{"id": "c1", "matches": True, "chosen": True}, {"id": "c0", "chosen": False}])
    (here / "ViMoGen").mkdir()
    words = ("in/a.json", "-o", "out", "--jitter-threshold", 9, "--verdicts", "v.json", "--vimogen-root", "ViMoGen")
    code, out, err = command(*words)
    assert [one["id"] for one in read(here / "out/gated.json")] == ["c1", "c2"], err
    assert "group a: c1 chosen (person)" in err and "group b: c2 chosen (only one left)" in err
    assert [one["name"] for one in read(here / "out/tm2m.json")] == ["c1", "c2"]
    assert len(read(here / "out/decided.json")) == 3 and code == 1


def test_the_plan_counts_the_calls_about_pairs(command, here, monkeypatch):
    candidates(here, "a", "a", "a", "b")
    monkeypatch.setenv("GEMINI_API_KEY", "key")
    code, out, err = command("in/a.json", "-o", "out", "--dry-run")
    assert code == 0, err
    assert "step 4, ranking: 4 candidates of 2 texts, at most 4 calls about two clips each" in out
    assert not (here / "out").exists()


@pytest.mark.parametrize(("field", "value"), [("group", [1]), ("seed", -1)])
def test_an_invalid_group_or_seed_costs_its_entry_before_any_work_on_it(command, here, field, value):
    path = candidates(here, "a")
    entries = json.loads(path.read_text())
    save_json(path, [{**entries[0], field: value}])
    code, _, err = command("in/a.json", "-o", "out")
    assert code == 1 and f"c0: entry 'c0' has the {field} {value!r}" in err and not list(here.glob("out/motions/*"))


def test_without_groups_nothing_is_ranked(command, here):
    save_clip(here / "in/wave.pt")
    command("in", "-o", "out", "--jitter-threshold", 9)
    assert (here / "out/gated.json").is_file()
    assert not (here / "out/decided.json").exists() and not (here / "out/gated_candidates.json").exists()
