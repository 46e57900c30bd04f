"""Which reviewers look at which entry."""

from __future__ import annotations

import argparse

import pytest

from motion_gating.verdicts.assignment import reviewers_for
from motion_gating.verdicts.flags import add_reviewer_flags

NAMES = ("Ann", "Bea", "Cem")


def test_entries_are_shared_evenly_and_a_share_goes_to_all():
    given = [reviewers_for(number, NAMES, 0.2) for number in range(3000)]
    shared = sum(names == NAMES for names in given)
    assert abs(shared / 3000 - 0.2) < 0.03
    for name in NAMES:
        assert abs(given.count((name,)) / (3000 - shared) - 1 / 3) < 0.04
    assert shared + sum(given.count((name,)) for name in NAMES) == 3000, "every entry has a reviewer"


def test_the_same_id_goes_to_the_same_reviewers_as_number_or_text_and_in_any_order():
    for number in range(50):
        first = reviewers_for(number, NAMES, 0.2)
        assert reviewers_for(str(number), NAMES, 0.2) == first
        assert set(reviewers_for(number, NAMES[::-1], 0.2)) == set(first)


def test_who_joins_takes_entries_from_others_only():
    for number in range(300):
        before, after = reviewers_for(number, NAMES, 0), reviewers_for(number, (*NAMES, "Dan"), 0)
        assert after in (before, ("Dan",))


def test_no_overlap_gives_each_entry_one_reviewer():
    assert {len(reviewers_for(number, NAMES, 0.0)) for number in range(500)} == {1}


@pytest.mark.parametrize("text", ["Ann,Ann", "Ann,,Bea", "", " , "])
def test_names_must_differ(text, capsys):
    parser = argparse.ArgumentParser()
    add_reviewer_flags(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--reviewers", text])
    assert "is not a list of different names" in capsys.readouterr().err
