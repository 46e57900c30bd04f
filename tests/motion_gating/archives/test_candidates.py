"""Groups of candidates: one entry becomes several, with seeds, ids and a group."""

from __future__ import annotations

from pathlib import Path

import pytest

from motion_gating.archives.archive import entry_id
from motion_gating.archives.candidates import (
    FreeSeeds,
    candidates_path,
    distinct_seeds,
    group_of,
    seed_of,
    with_candidates,
)
from motion_rep.common.errors import UsageError


def test_an_entry_becomes_one_candidate_for_each_seed():
    entry = {"id": 7, "global_id": 7, "prompt": "walk", "main_action": "walk"}
    found = list(with_candidates(entry, 3, 10))
    assert [(entry_id(one), one["group"], one["seed"]) for one in found] == [
        ("7_s10", 7, 10),
        ("7_s11", 7, 11),
        ("7_s12", 7, 12),
    ]
    assert {one["main_action"] for one in found} == {"walk"}
    assert len({one["global_id"] for one in found}) == 3
    assert entry == {"id": 7, "global_id": 7, "prompt": "walk", "main_action": "walk"}


def test_seeds_start_at_the_entrys_own():
    assert [one["seed"] for one in with_candidates({"id": "a", "seed": "5"}, 2, 10)] == [5, 6]


def test_one_candidate_is_no_group_but_has_its_seed():
    assert list(with_candidates({"id": "a"}, 1, 10)) == [{"id": "a", "seed": 10}]


def test_several_videos_of_an_entry_are_its_candidates():
    found = list(with_candidates({"id": "walk", "source_video_path": ["a.mp4", "b c.mp4"]}, 4))
    assert [(one["id"], one["group"], one["source_video_path"]) for one in found] == [
        ("walk_v1", "walk", "a.mp4"),
        ("walk_v2", "walk", "b c.mp4"),
    ]


@pytest.mark.parametrize(
    "entry",
    [
        {"id": 1, "group": 0, "seed": 3},
        {"id": 1, "motion_path": "a.pt"},
        {"id": 1, "source_video_path": "a.mp4"},
    ],
)
def test_a_candidate_and_an_entry_with_a_file_stay_one_entry(entry):
    assert list(with_candidates(entry, 4)) == [entry]


@pytest.mark.parametrize("given", [7, "7"])
def test_a_group_is_a_number_or_a_text(given):
    assert group_of({"id": 1, "group": given}) == "7"


@pytest.mark.parametrize("given", [None, ""])
def test_an_entry_without_a_group_is_no_candidate(given):
    assert group_of({"id": 1, "group": given}) is None and group_of({"id": 1}) is None


@pytest.mark.parametrize("given", [True, [1], {}])
def test_another_group_is_refused_with_its_entry(given):
    with pytest.raises(UsageError, match="entry 'walk' has the group .*, expected a number or a text"):
        group_of({"id": "walk", "group": given})


@pytest.mark.parametrize("given", [-1, 1.5, True, "x", "-3", 2**31, "9" * 30])
def test_another_seed_is_refused_with_its_entry(given):
    with pytest.raises(UsageError, match="entry 'walk' has the seed .*, expected a whole number from 0 to 2147483647"):
        seed_of({"id": "walk", "seed": given})


@pytest.mark.parametrize("given", [[], [1], ["a.mp4", ""]])
def test_a_list_of_something_else_than_paths_is_refused(given):
    with pytest.raises(UsageError, match="expected paths"):
        list(with_candidates({"id": 1, "source_video_path": given}, 2))


def test_the_candidates_lie_next_to_the_archive():
    assert candidates_path(Path("out/gated.jsonl")) == Path("out/gated_candidates.jsonl")


def test_seeds_of_one_text_differ_and_an_own_seed_is_kept():
    entries = [("jump", None), ("jump", 8), ("walk", None), ("jump", None), ("jump", None)]
    assert distinct_seeds(entries, 7) == [7, 8, 7, 9, 10]
    assert distinct_seeds([("jump", 3), ("jump", 3)], 7) == [3, 3]


def test_free_seeds_come_in_runs_that_nobody_has():
    free = FreeSeeds([("jump", 10), ("jump", None), ("walk", 8)], 7, 3)
    assert [free.of("jump"), free.of("jump"), free.of("walk"), free.of("sit")] == [7, 13, 10, 7]
