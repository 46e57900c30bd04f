"""The two protocols with made-up models of known habits: what passes, what is lost, and what a missing answer does."""

from __future__ import annotations

import json

import pytest

from motion_gating.judges.protocols.distractors import BUILT_IN, WRONG_OPTIONS, Distractors, alike
from motion_gating.judges.protocols.evidence import EvidenceInParts
from scripts.dev.witness.habits import HABITS, honest
from scripts.dev.witness.server import WitnessServer
from scripts.dev.witness.trial import judged, made_archive, run_gate

PARTS = ("description", "pick", "events", "check", "reversed")


def gate(folder, habit=honest, refuses=lambda asked: False, entries=4, flags=()):
    """Records by id, and the witness that was asked."""
    meta, truths, right = made_archive(folder, entries)
    with WitnessServer(habit, truths, refuses) as server:
        run_gate(meta, server, "evidence", *flags)
    return records_of(folder), server, right


def records_of(folder):
    return {record["id"]: record for record in json.loads((folder / "report.json").read_text())}


def contradicting(asked):
    """Honest, but takes no description for the right one."""
    return {**honest(asked), "choice": "none"} if asked.kind == "pick" else honest(asked)


@pytest.mark.parametrize(
    ("habit", "protocol", "most_passed", "most_lost"),
    [
        ("honest", "single", 0, 0),
        ("honest", "evidence", 0, 1),
        ("yes-sayer", "evidence", 4, 20),
        ("first-option picker", "evidence", 4, 20),
        ("left-right confused", "evidence", 0, 1),
        ("20 % noise", "evidence", 4, 6),
    ],
)
def test_what_a_model_of_known_habits_passes_and_loses(tmp_path, habit, protocol, most_passed, most_lost):
    found = judged(tmp_path, habit, protocol, 40)
    assert (found.wrong, found.right) == (20, 20)
    assert found.wrong_passed <= most_passed
    assert found.right_lost <= most_lost


def test_a_yes_sayer_passes_everything_when_it_is_asked_once(tmp_path):
    assert judged(tmp_path, "yes-sayer", "single", 20).wrong_passed == 10


def test_the_record_holds_the_parts_in_their_order_with_what_each_supports(tmp_path):
    records, server, _ = gate(tmp_path)
    parts = records["0"]["vlm_evidence"]
    assert [(part["part"], part["supports"]) for part in parts] == [
        ("description", None),
        ("pick", True),
        ("events", True),
    ]
    assert parts[1]["options"][parts[1]["choice"]] == "a person walks slowly forward."
    assert len(parts[1]["options"]) == WRONG_OPTIONS + 1
    assert set(parts[2]["answers"].values()) == {"yes"}
    assert records["0"]["vlm_votes"] == {"match": 2, "mismatch": 0}
    assert [part["supports"] for part in records["1"]["vlm_evidence"]] == [None, False, False]
    assert [asked.kind for asked in server.asked].count("reversed") == 0


def test_the_blind_description_is_given_without_the_text(tmp_path):
    _, server, _ = gate(tmp_path)
    blind = [asked for asked in server.asked if asked.kind == "description"]
    assert len(blind) == 4
    assert {asked.data for asked in blind} == {""}


def test_the_question_is_reversed_only_where_choice_and_checks_disagree(tmp_path):
    records, server, right = gate(tmp_path, contradicting)
    assert [asked.kind for asked in server.asked].count("reversed") == len(right)
    parts = [part["part"] for part in records["0"]["vlm_evidence"]]
    assert parts == ["description", "pick", "events", "reversed"]
    assert records["0"]["use_ref_motion"] is True


def test_split_evidence_stays_undecided_and_says_so(tmp_path):
    def unsure(asked):
        return {"analysis": "?", "claim": "cannot tell"} if asked.kind == "reversed" else contradicting(asked)

    records, _, _ = gate(tmp_path, unsure)
    assert records["0"]["use_ref_motion"] is None
    assert records["0"]["vlm_error_kind"] == "split"
    said = "the evidence is split (description: neither, pick: against, events: for, reversed: neither)"
    assert records["0"]["vlm_error"] == said


def test_a_missing_event_of_a_side_stands_as_a_remark_and_does_not_reject(tmp_path):
    records, _, right = gate(tmp_path, HABITS["left-right confused"], entries=8)
    named = next(record for name, record in records.items() if name in right and "remarks" in record)
    assert named["use_ref_motion"] is True
    assert named["remarks"][0].startswith("not seen: It is the left or right side")


@pytest.mark.parametrize("part", PARTS)
def test_a_part_without_an_answer_leaves_the_clip_undecided_and_is_all_that_is_asked_again(tmp_path, part):
    meta, truths, right = made_archive(tmp_path, 4)
    with WitnessServer(contradicting, truths, refuses=lambda asked: asked.kind == part) as server:
        run_gate(meta, server, "evidence")
        records, first = records_of(tmp_path), list(server.asked)
        server.refuses = lambda asked: False
        run_gate(meta, server, "evidence")
        again, second = records_of(tmp_path), server.asked[len(first) :]
    lost = [records[name] for name in (right if part == "reversed" else records)]
    assert {record["use_ref_motion"] for record in lost} == {None}
    assert {record["vlm_error_kind"] for record in lost} == {"rejected"}
    before = [given["part"] for given in lost[0].get("vlm_evidence", ())]
    assert before == {"description": [], "pick": ["description"], "reversed": ["description", "pick", "events"]}.get(
        part, ["description", "pick"]
    )
    assert None not in {record["use_ref_motion"] for record in again.values()}
    answered = {(asked.kind, asked.data, asked.truth) for asked in first if asked.kind != part}
    assert second
    assert not answered & {(asked.kind, asked.data, asked.truth) for asked in second}


def test_an_archive_of_which_half_is_not_answered_stays_undecided_there(tmp_path):
    records, _, right = gate(tmp_path, refuses=lambda asked: bool(asked.truth) and "person" in asked.truth, entries=8)
    assert {record["use_ref_motion"] for record in records.values()} == {None, True, False}
    without = [name for name, record in records.items() if record["vlm_error_kind"] == "rejected"]
    assert len(without) == 2
    assert all(records[name]["use_ref_motion"] is None for name in without)


def test_two_clips_of_one_text_share_the_question_about_its_events(tmp_path):
    meta, truths, _ = made_archive(tmp_path, 4)
    entries = json.loads(meta.read_text())
    meta.write_text(json.dumps([{**entry, "prompt": entries[0]["prompt"]} for entry in entries]))
    with WitnessServer(honest, truths) as server:
        run_gate(meta, server, "evidence", "--num-threads", "1")
    assert [asked.kind for asked in server.asked].count("events") == 1


@pytest.mark.parametrize("flags", (["--votes", "3"],))
def test_votes_do_not_go_with_evidence(tmp_path, flags):
    meta, truths, _ = made_archive(tmp_path, 2)
    with WitnessServer(honest, truths) as server, pytest.raises(FileNotFoundError):
        run_gate(meta, server, "evidence", *flags)
    assert server.asked == []


def test_wrong_descriptions_are_unlike_and_the_same_each_time():
    texts = [f"a person walks {number} metres forward slowly" for number in range(9)]
    chosen = Distractors.of(texts).unlike("somebody sits and reads")
    assert len(chosen) == WRONG_OPTIONS
    assert len([text for text in chosen if text in texts]) == 1
    assert chosen == Distractors.of(reversed(texts)).unlike("somebody sits and reads")
    assert alike("a person walks slowly.", "an old man walks slowly")
    assert not alike("a person walks slowly.", "a person bows.")


def test_one_entry_alone_is_compared_with_a_list_of_common_motions():
    options = EvidenceInParts(Distractors.of(["a person does a cartwheel."])).options("a person does a cartwheel.")
    assert "a person does a cartwheel." in options
    assert len(options) == WRONG_OPTIONS + 1
    assert set(options) <= set(BUILT_IN)
