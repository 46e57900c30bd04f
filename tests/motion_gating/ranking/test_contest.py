"""Pairs before a judge: how often the best is found, what a biased judge does, and how many answers it takes."""

from __future__ import annotations

import datetime
import random
from dataclasses import replace

import pytest

from motion_gating.judges.interface import Preference, Question
from motion_gating.metrics.joint_metrics import JointMetrics
from motion_gating.ranking.candidate import Candidate, by_figures
from motion_gating.ranking.contest import hold_contest, most_calls
from motion_gating.ranking.group_rank import FIGURES, JUDGE, NOBODY, ONLY, PERSON, Group, rank_group
from motion_gating.verdicts.verdict_file import HumanVerdict
from scripts.dev.witness.groups import AGREEMENT, made_group, ranked
from scripts.dev.witness.pairs import BIASED, PAIR_HABITS

GROUPS = 1500
ANSWERED = Preference(1, "seen")
OUTAGE = Preference(None, error_kind="server", error="the service answered 503")


def candidates(*figures, **values):
    """Candidates with (image fit, skate ratio, tremble)."""
    group, _ = made_group(0, len(figures), random.Random(0), 0.5)
    return [
        replace(one, metrics=with_figures(one.metrics, *figure), **values)
        for one, figure in zip(group.candidates, figures, strict=True)
    ]


def with_figures(metrics: JointMetrics, fit, skate, tremble):
    found = {**metrics.figures, "skate_ratio": skate, "tremble": tremble}
    return replace(metrics, figures=found, capture_fit=None if fit is None else {"image_fit": fit})


def choice(reviewer, minute=None):
    time = None if minute is None else datetime.datetime(2026, 1, 31, 12, minute, tzinfo=datetime.UTC)
    return HumanVerdict(True, None, reviewer=reviewer, chosen=True, time=time)


def names(found):
    return [one.candidate.identifier for one in found.ranks]


@pytest.mark.parametrize("figures", AGREEMENT)
@pytest.mark.parametrize("habit", ["80 % right", "80 % right, close clips less"])
def test_a_judge_that_is_right_in_four_of_five_answers_finds_the_best_of_four(figures, habit):
    found = ranked(habit, GROUPS, seed=2, agreement=AGREEMENT[figures])
    assert found.best >= 0.7 * GROUPS
    assert found.calls <= 6 * GROUPS


def test_an_honest_judge_always_finds_the_best():
    for size in (2, 3, 4, 7):
        found = ranked("honest", 100, size)
        assert found.best == 100 and found.calls <= most_calls(size) * 100


@pytest.mark.parametrize("habit", BIASED)
@pytest.mark.parametrize("size", [2, 4, 5])
def test_a_judge_that_answers_by_place_leaves_the_winner_to_the_figures(habit, size):
    assert ranked(habit, 100, size, agreement=2 / 3).by_figures == 100


@pytest.mark.parametrize("habit", PAIR_HABITS)
@pytest.mark.parametrize("size", [1, 2, 3, 4, 8])
def test_no_judge_is_asked_more_than_two_times_n_minus_one(habit, size):
    for seed in range(20):
        assert ranked(habit, 1, size, seed).calls <= 2 * (size - 1)


def test_the_first_answer_for_the_holder_ends_a_pair():
    asked = []

    def prefer(first, second, least):
        asked.append((first, second, least))
        return ANSWERED if not least else replace(ANSWERED, better=0)

    assert hold_contest(3, prefer).order == (0, 1, 2)
    assert asked == [(0, 1, False), (0, 2, False), (0, 1, True)]


def test_a_challenger_wins_in_both_orders_and_the_holder_stays_second():
    def prefer(first, second, least):
        return Preference({(0, 2): 2, (2, 0): 1}.get((first, second), 1))

    found = hold_contest(3, prefer)
    assert found.order == (2, 0, 1)
    assert [hearing.won for hearing in found.hearings] == [False, True]


def test_an_answer_that_depends_on_the_order_is_heard_again_first():
    heard = []

    def prefer(first, second, least):
        heard.append((first, second, least))
        return Preference(2 if 2 in (first, second) else 1)  # the second place, in pairs with candidate 2

    hold_contest(4, prefer)
    assert heard[:4] == [(0, 1, False), (0, 2, False), (2, 0, False), (0, 3, False)]
    assert heard[4:] == [(0, 2, True), (2, 0, True)]


def test_a_missing_answer_is_no_vote_and_is_not_asked_in_other_words():
    heard = []

    def prefer(first, second, least):
        heard.append((first, second, least))
        return OUTAGE

    found = hold_contest(3, prefer)
    assert found.order == (0, 1, 2) and heard == [(0, 1, False), (0, 2, False)]
    assert [hearing.missing for hearing in found.hearings] == [OUTAGE, OUTAGE]


def test_a_missing_second_answer_is_unknown_too():
    found = hold_contest(2, lambda first, second, least: OUTAGE if first else Preference(2))
    assert found.order == (0, 1) and found.hearings[0].missing is OUTAGE and not found.hearings[0].depends_on_order


def test_figures_rank_by_image_fit_then_skate_ratio_then_tremble():
    found = candidates((0.90, 0.0, 0.1), (0.95, 0.2, 0.1), (0.951, 0.1, 0.3), (0.949, 0.1, 0.2))
    assert [found.index(one) for one in by_figures(found)] == [3, 2, 1, 0]


def test_image_fit_counts_only_where_all_have_one():
    found = candidates((0.5, 0.0, 0.1), (None, 0.2, 0.1), (0.9, 0.1, 0.1))
    assert [found.index(one) for one in by_figures(found)] == [0, 2, 1]


def test_candidates_with_equal_figures_stay_in_their_order():
    found = candidates((0.9, 0.1, 0.2), (0.9, 0.1, 0.2))
    assert by_figures(found) == found


def test_without_a_judge_the_figures_decide():
    found = rank_group(Group("walk", tuple(candidates((None, 0.3, 0.1), (None, 0.1, 0.1)))), None)
    assert (names(found), found.decided_by) == (["0_1", "0_0"], FIGURES)
    assert found.ranks[0].reasons == ("image fit unknown, skate ratio 0.10, tremble 0.10",)
    assert found.ranks[0].fields() == {
        "rank": 1,
        "chosen": True,
        "rank_reasons": ["image fit unknown, skate ratio 0.10, tremble 0.10"],
    }


def test_what_dropped_out_has_no_rank_and_is_not_shown_to_the_judge():
    first, second = candidates((None, 0, 0), (None, 0, 0))
    asked = []
    group = Group("walk", (replace(first, dropped=("the gate rejects it: vlm",)), second))
    found = rank_group(group, lambda *pair: asked.append(pair))
    assert asked == [] and found.decided_by == ONLY
    assert [(rank.rank, rank.chosen) for rank in found.ranks] == [(1, True), (None, False)]
    assert found.ranks[1].reasons == ("the gate rejects it: vlm",)


def test_a_group_in_which_all_drop_out_has_no_winner():
    group = Group("walk", tuple(candidates((None, 0, 0), (None, 0, 0), dropped=("damage",))))
    found = rank_group(group, None)
    assert found.winner is None and found.decided_by == NOBODY
    assert {rank.rank for rank in found.ranks} == {None}


def test_what_the_gate_could_not_decide_ranks_behind_what_passed():
    first, second, third = candidates((None, 0, 0.1), (None, 0, 0.2), (None, 0, 0.3))
    group = Group("walk", (first, replace(second, passed=True), replace(third, passed=True)))
    asked = []

    def ask(one, other, least):
        asked.append({one.identifier, other.identifier})
        return ANSWERED

    found = rank_group(group, ask)
    assert names(found) == ["0_1", "0_2", "0_0"] and found.decided_by == JUDGE
    assert asked == [{"0_1", "0_2"}]
    assert found.ranks[2].reasons[0] == "undecided by the gate; ranks behind those that passed"


def test_a_person_s_choice_precedes_figures_and_judge():
    first, second = candidates((None, 0, 0.1), (None, 0.5, 0.2))
    found = rank_group(
        Group("walk", (first, replace(second, choices=(choice("Ann"),)))), lambda *pair: pytest.fail("asked")
    )
    assert names(found) == ["0_1", "0_0"] and found.decided_by == PERSON
    assert found.ranks[0].reasons[0] == "chosen by Ann"


@pytest.mark.parametrize(
    ("rule", "winner", "decided_by"),
    [("undecided", "0_0", FIGURES), ("majority", "0_1", PERSON), ("latest", "0_2", PERSON)],
)
def test_different_choices_follow_the_rule_for_conflicts(rule, winner, decided_by):
    first, second, third = candidates((None, 0, 0.1), (None, 0.5, 0.2), (None, 0.6, 0.2))
    second = replace(second, choices=(choice("Ann", 1), choice("Bea", 2)))
    group = Group("walk", (first, second, replace(third, choices=(choice("Cid", 3),))))
    found = rank_group(group, None, rule)
    assert (found.winner.identifier, found.decided_by) == (winner, decided_by)
    if rule == "undecided":
        assert found.ranks[2].reasons[0] == "chosen by Cid; others chose another candidate"


@pytest.mark.parametrize("rule", ["majority", "latest"])
def test_a_draw_of_choices_is_no_choice(rule):
    first, second, third = candidates((None, 0, 0.1), (None, 0.5, 0.2), (None, 0.6, 0.2))
    chosen = [replace(one, choices=(choice(name),)) for one, name in ((second, "Ann"), (third, "Bea"))]
    assert rank_group(Group("walk", (first, *chosen)), None, rule).decided_by == FIGURES


def test_candidates_of_different_texts_are_not_compared():
    first, second = candidates((None, 0, 0.1), (None, 0, 0.2))
    other = Candidate("other", Question("other", None, "another text"), second.metrics)
    found = rank_group(Group("walk", (first, other)), lambda *pair: pytest.fail("asked"))
    assert names(found) == ["0_0", "other"] and found.decided_by == FIGURES
    assert found.ranks[0].reasons[0] == "the candidates have different descriptions, so the judge was not asked"


def test_the_reasons_tell_what_the_judge_said():
    group = Group("walk", tuple(candidates((None, 0, 0.1), (None, 0, 0.2), (None, 0, 0.3))))

    def ask(one, other, least):
        if {"0_0", "0_1"} == {one.identifier, other.identifier}:
            return replace(ANSWERED, better=2)  # by the place
        if "0_2" in (one.identifier, other.identifier) and not least:
            return OUTAGE
        return ANSWERED

    reasons = {rank.candidate.identifier: rank.reasons for rank in rank_group(group, ask).ranks}
    assert reasons["0_1"][0] == "against 0_0 the answer depends on the order, so the figures decided"
    assert reasons["0_2"][0] == (
        "against 0_0 the judge gave no answer (server), the figures decided: the service answered 503"
    )
