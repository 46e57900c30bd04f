"""rank_candidates.py on an archive with groups: winners, all candidates with ranks, outages, the cache, costs."""

from __future__ import annotations

import base64
import json
import threading

import pytest
import torch
from gate_support import GeminiProtocol, OpenAIProtocol, Service, always, environment, jittery_joints, read, run_here

from motion_gating import rank_candidates
from motion_gating.ranking import ranking
from scripts.dev.witness.groups import made_archive
from scripts.dev.witness.habits import honest as honest_about_clips
from scripts.dev.witness.pairs import PAIR_HABITS, honest
from scripts.dev.witness.server import WitnessServer

QUALITIES = {"walk": [0.1, 0.9, 0.5], "7": [0.8, 0.2]}


def rank(meta, *flags, server=None, key="a-key", variables=()):
    """Run the command on an archive; returns how it ended."""
    files = ["--meta-json", meta, "-o", meta.with_name("gated.json"), "--retry-delay", 0.02]
    judge = ["--judge", "openai", "--vlm-model", "witness", "--vlm-base-url", server.url] if server else []
    words = [str(word) for word in (*files, *judge, *flags)]
    return run_here(rank_candidates.main, words, environment(key=key) | dict(variables))


def witness(clips, habit=honest, refuses=lambda asked: False):
    return WitnessServer(honest_about_clips, {}, qualities=clips, pair_habit=habit, refuses_pair=refuses)


def written(folder):
    """The chosen entries, all entries by id, and the run block."""
    candidates = {one["id"]: one for one in read(folder / "gated_candidates.json")}
    return read(folder / "gated.json"), candidates, read(folder / "gated_candidates.run.json")


def test_one_winner_a_group_and_the_others_beside_with_their_ranks(tmp_path):
    meta, clips = made_archive(tmp_path, QUALITIES)
    entries = read(meta)
    meta.write_text(json.dumps([{"id": "alone", "prompt": "sits", "note": 1}, *entries]))
    with witness(clips) as server:
        done = rank(meta, server=server)
    chosen, candidates, block = written(tmp_path)
    assert done.returncode == 0, done.stderr
    assert [one["id"] for one in chosen] == ["alone", "walk_s1", "7_s0"]
    assert chosen[0] == {"id": "alone", "prompt": "sits", "note": 1} and len(candidates) == 6
    assert {name: one.get("rank") for name, one in candidates.items()} == {
        "alone": None,
        "walk_s0": 2,
        "walk_s1": 1,
        "walk_s2": 3,
        "7_s0": 1,
        "7_s1": 2,
    }
    assert [one["id"] for one in candidates.values() if one.get("chosen")] == ["walk_s1", "7_s0"]
    assert all(one["use_ref_motion"] is True for one in candidates.values() if "group" in one)
    assert candidates["walk_s1"]["rank_reasons"][0] == "preferred to walk_s0 in both orders"
    assert candidates["7_s1"]["chosen"] is False
    assert block["counts"]["judge"] == 2 and block["counts"]["ungrouped_entries"] == 1
    assert block["service"]["model"] == "witness" and len(block["prompt"]) == 2
    assert [group["winner"] for group in block["groups"]] == ["walk_s1", "7_s0"]
    assert "2 groups: 2 by the judge" in done.stdout and "alone" not in done.stdout


def test_each_pair_goes_to_the_judge_in_both_orders_within_the_budget(tmp_path):
    meta, clips = made_archive(tmp_path, {"walk": [0.1, 0.9]})
    with witness(clips) as server:
        assert rank(meta, server=server).returncode == 0
    assert [(one.first, one.second, one.least) for one in server.asked_pairs] == [(0.1, 0.9, False), (0.9, 0.1, False)]


@pytest.mark.parametrize("habit", ["always A", "always B", "prefers the second clip"])
def test_a_biased_judge_leaves_the_winner_to_the_figures_and_is_named(tmp_path, habit):
    meta, clips = made_archive(tmp_path, {name: [0.1, 0.9, 0.5] for name in ("a", "b", "c")})
    with witness(clips, PAIR_HABITS[habit]) as server:
        done = rank(meta, server=server)
    chosen, _, block = written(tmp_path)
    assert [one["id"] for one in chosen] == ["a_s0", "b_s0", "c_s0"]
    assert block["counts"]["depend_on_order"] == block["counts"]["pairs_in_both_orders"] > 0
    if block["counts"]["depend_on_order"] >= 4:
        assert "This judge prefers a position, not a clip." in done.stderr


def test_without_a_judge_the_figures_decide_and_the_output_says_so(tmp_path):
    meta, _ = made_archive(tmp_path, QUALITIES)
    noisy = {"joints": jittery_joints(), "fps": 16.0}
    torch.save(noisy, tmp_path / "noisy.pt")
    entries = read(meta)
    entries[0]["mbench_eval_path"] = "noisy.pt"
    meta.write_text(json.dumps(entries))
    done = rank(meta, "--judge", "none")
    chosen, candidates, block = written(tmp_path)
    assert done.returncode == 0 and "ranked by figures alone (image fit, skate ratio, tremble)" in done.stdout
    assert [one["id"] for one in chosen] == ["walk_s1", "7_s0"]
    assert block["counts"]["figures"] == 2 and block["cost"] is None
    assert candidates["walk_s0"]["rank"] is None and "is damage" in candidates["walk_s0"]["rank_reasons"][0]


def test_what_the_report_rejects_drops_out_with_its_checks(tmp_path):
    meta, clips = made_archive(tmp_path, QUALITIES)
    meta.write_text(json.dumps([{k: v for k, v in one.items() if k != "use_ref_motion"} for one in read(meta)]))
    records = [{"id": one["id"], "use_ref_motion": True, "failed_checks": []} for one in read(meta)]
    records[1] = {**records[1], "use_ref_motion": False, "failed_checks": ["tremble", "vlm"]}
    (tmp_path / "report.json").write_text(json.dumps(records))
    with witness(clips) as server:
        rank(meta, "--quality-report", tmp_path / "report.json", server=server)
    chosen, candidates, _ = written(tmp_path)
    assert [one["id"] for one in chosen] == ["walk_s2", "7_s0"]
    assert candidates["walk_s1"]["rank_reasons"] == ["the gate rejects it: tremble, vlm"]
    assert 0.9 not in {value for one in server.asked_pairs for value in (one.first, one.second)}
    assert (tmp_path / "report.cache").is_dir()


def test_a_report_about_another_motion_decides_nothing(tmp_path):
    meta, _ = made_archive(tmp_path, {"walk": [0.1, 0.9]})
    content = {"motion": "0" * 32, "clip": None, "text": None, "text_field": None}
    entries = [{**one, "motion_path": "motion.pt"} for one in read(meta)]
    meta.write_text(json.dumps(entries))
    record = {"id": "walk_s0", "use_ref_motion": False, "failed_checks": ["vlm"], "content": content}
    (tmp_path / "report.json").write_text(json.dumps([record]))
    rank(meta, "--judge", "none", "--quality-report", tmp_path / "report.json")
    _, candidates, _ = written(tmp_path)
    assert not any("the gate rejects it" in reason for reason in candidates["walk_s0"]["rank_reasons"])


def test_a_group_without_a_sound_candidate_keeps_its_text_and_no_reference(tmp_path):
    meta, _ = made_archive(tmp_path, QUALITIES)
    entries = [{**one, "use_ref_motion": one["group"] != "walk"} for one in read(meta)]
    meta.write_text(json.dumps(entries))
    done = rank(meta, "--judge", "none")
    chosen, candidates, block = written(tmp_path)
    assert done.returncode == 0
    assert "group walk: no winner, all candidates drop out (walk_s0: the gate rejects it: false;" in done.stderr
    kept = chosen[0]
    assert (kept["id"], kept["prompt"], kept["use_ref_motion"]) == ("walk_s0", "a person does walk", False)
    assert (kept["rank"], kept["chosen"]) == (None, False) and len(chosen) == 2
    assert not any(candidates[f"walk_s{number}"]["chosen"] for number in range(3))
    assert block["groups"][0] == {"group": "walk", "winner": None, "decided_by": "no winner", "pairs": []}


def test_a_motion_that_cannot_be_measured_drops_out(tmp_path):
    meta, _ = made_archive(tmp_path, {"walk": [0.1, 0.9]})
    entries = read(meta)
    entries[0]["mbench_eval_path"] = "missing.pt"
    meta.write_text(json.dumps(entries))
    done = rank(meta, "--judge", "none")
    assert done.returncode == 1 and "1 candidate without figures dropped out, for example walk_s0: " in done.stderr
    _, candidates, _ = written(tmp_path)
    assert candidates["walk_s1"]["chosen"] is True
    assert candidates["walk_s0"]["rank_reasons"][0].startswith("no figures: ")


@pytest.mark.parametrize("decision", [None, True])
def test_a_group_without_figures_is_undecided_but_never_a_reference(tmp_path, decision):
    meta, _ = made_archive(tmp_path, {"walk": [0.1, 0.9]})
    meta.write_text(
        json.dumps([{**one, "mbench_eval_path": "no.pt", "use_ref_motion": decision} for one in read(meta)])
    )
    rank(meta, "--judge", "none")
    (kept,) = written(tmp_path)[0]
    assert (kept["use_ref_motion"], kept["chosen"]) == (False if decision else None, False)


def test_an_outage_is_unknown_and_the_next_run_asks_only_for_what_is_missing(tmp_path):
    meta, clips = made_archive(tmp_path, {"walk": [0.1, 0.9], "jump": [0.2, 0.7]})
    with witness(clips, refuses=lambda asked: 0.7 in (asked.first, asked.second)) as server:
        first = rank(meta, server=server)
        chosen, candidates, block = written(tmp_path)
        asked = len(server.asked_pairs)
        server.refuses_pair = lambda pair: False
        second = rank(meta, server=server)
    assert first.returncode == 1 and "1 pair without an answer (rejected)" in first.stderr
    assert [one["id"] for one in chosen] == ["walk_s1", "jump_s0"]
    assert "the judge gave no answer (rejected), the figures decided" in candidates["jump_s1"]["rank_reasons"][0]
    assert all(one["use_ref_motion"] is True for one in candidates.values())
    assert block["counts"]["figures"] == 1 and block["counts"]["without_answer"] == 1
    assert second.returncode == 0
    assert {(one.first, one.second) for one in server.asked_pairs[asked:]} == {(0.2, 0.7), (0.7, 0.2)}
    assert [one["id"] for one in written(tmp_path)[0]] == ["walk_s1", "jump_s1"]


def test_a_second_run_asks_nothing_and_writes_the_same(tmp_path):
    meta, clips = made_archive(tmp_path, QUALITIES)
    with witness(clips) as server:
        rank(meta, server=server)
        before, count = written(tmp_path)[:2], len(server.asked_pairs)
        assert rank(meta, server=server).returncode == 0
        assert len(server.asked_pairs) == count and written(tmp_path)[:2] == before


def test_a_dead_key_stops_the_run_and_the_figures_stand(tmp_path):
    meta, _ = made_archive(tmp_path, QUALITIES)
    with Service(always(OpenAIProtocol.bad_key())) as service:
        done = rank(meta, *OpenAIProtocol.flags, "--vlm-base-url", service.url + "/v1")
    assert done.returncode == 2 and "the judge was stopped" in done.stderr and "Traceback" not in done.stderr
    assert len(service.questions) == 1
    assert [one["id"] for one in written(tmp_path)[0]] == ["walk_s0", "7_s0"]


@pytest.mark.parametrize("group", ["a", 7, 0, "../x y"])
def test_groups_of_any_name_and_of_one(tmp_path, group):
    meta, clips = made_archive(tmp_path, {"walk": [0.1]})
    meta.write_text(json.dumps([{**one, "group": group, "id": 5} for one in read(meta)]))
    with witness(clips) as server:
        assert rank(meta, server=server).returncode == 0
    chosen, _, block = written(tmp_path)
    assert (chosen[0]["rank"], chosen[0]["chosen"], chosen[0]["group"]) == (1, True, group)
    assert server.asked_pairs == [] and block["counts"]["only one left"] == 1


def test_seven_and_the_text_seven_are_one_group(tmp_path):
    meta, clips = made_archive(tmp_path, {"7": [0.1, 0.9]})
    entries = read(meta)
    entries[1]["group"] = 7
    meta.write_text(json.dumps(entries))
    with witness(clips) as server:
        rank(meta, server=server)
    assert [one["id"] for one in written(tmp_path)[0]] == ["7_s1"]


def test_a_group_of_another_type_is_refused(tmp_path):
    meta, _ = made_archive(tmp_path, {"walk": [0.1]})
    meta.write_text(json.dumps([{**one, "group": [1]} for one in read(meta)]))
    done = rank(meta, "--judge", "none")
    assert done.returncode == 2 and "has the group [1], expected a number or a text" in done.stderr


def test_an_invalid_group_costs_its_entry_only(tmp_path):
    meta, clips = made_archive(tmp_path, QUALITIES)
    entries = read(meta)
    meta.write_text(json.dumps([*entries, {**entries[0], "id": "odd", "group": [1]}]))
    with witness(clips) as server:
        done = rank(meta, server=server)
    assert done.returncode == 1 and "entry 'odd' has the group [1], expected a number or a text" in done.stderr
    chosen, every, _ = written(tmp_path)
    assert len(every) == len(entries) + 1
    assert [one for one in chosen if one["id"] == "odd"] == [{**entries[0], "id": "odd", "group": [1]}]


def test_a_dry_run_counts_the_calls_and_writes_nothing(tmp_path):
    meta, clips = made_archive(tmp_path, QUALITIES)
    with witness(clips) as server:
        before = sorted(path.name for path in tmp_path.iterdir())
        done = rank(meta, "--dry-run", server=server)
        assert server.asked_pairs == [] and sorted(path.name for path in tmp_path.iterdir()) == before
        assert "2 groups with 5 candidates, of which 0 drop out" in done.stdout
        assert "4 to 6 calls, 0 answers in the cache, about" in done.stdout
        rank(meta, server=server)
        again = rank(meta, "--dry-run", server=server)
    assert f"0 calls, {len(server.asked_pairs)} answers in the cache" in again.stdout


def test_the_run_ends_before_it_costs_more_than_allowed(tmp_path):
    meta, clips = made_archive(tmp_path, {name: [0.1, 0.9, 0.5] for name in "abcd"})
    prices = {"as_of": "2026-11-01", "tiers": {}, "models": {"witness": [{"input": 1000.0, "output": 1000.0}]}}
    (tmp_path / "prices.json").write_text(json.dumps(prices))
    with witness(clips) as server:
        done = rank(meta, "--prices", tmp_path / "prices.json", "--max-cost", 6, "--num-threads", 1, server=server)
    assert done.returncode == 1 and "--max-cost" in done.stderr
    assert len(server.asked_pairs) == 3
    assert written(tmp_path)[2]["cost"]["calls"] == 3
    assert len(written(tmp_path)[0]) == 4


def test_a_person_s_choice_decides_without_a_call(tmp_path):
    meta, clips = made_archive(tmp_path, {"walk": [0.9, 0.1]})
    verdicts = [{"id": "walk_s1", "matches": True, "chosen": True}]
    (tmp_path / "verdicts.json").write_text(json.dumps(verdicts))
    with witness(clips) as server:
        done = rank(meta, "--verdicts", tmp_path / "verdicts.json", server=server)
    chosen, _, block = written(tmp_path)
    assert done.returncode == 0 and server.asked_pairs == []
    assert chosen[0]["id"] == "walk_s1" and block["groups"][0]["decided_by"] == "person"


def test_a_person_may_choose_what_looks_damaged_but_not_what_the_gate_rejects(tmp_path):
    meta, _ = made_archive(tmp_path, {"walk": [0.9, 0.1], "jump": [0.9, 0.1]})
    torch.save({"joints": jittery_joints(), "fps": 16.0}, tmp_path / "noisy.pt")
    entries = read(meta)
    entries[1]["mbench_eval_path"] = "noisy.pt"
    entries[3]["use_ref_motion"] = False
    meta.write_text(json.dumps(entries))
    verdicts = [{"id": f"{name}_s1", "matches": True, "chosen": True} for name in ("walk", "jump")]
    (tmp_path / "verdicts.json").write_text(json.dumps(verdicts))
    rank(meta, "--judge", "none", "--verdicts", tmp_path / "verdicts.json")
    assert [one["id"] for one in written(tmp_path)[0]] == ["walk_s1", "jump_s0"]
    reasons = written(tmp_path)[1]["jump_s1"]["rank_reasons"]
    assert reasons == ["the gate rejects it: false", "chosen by verdicts.json, but it drops out"]


@pytest.mark.parametrize(("time", "winner"), [(None, "walk_s0"), ("2026-01-01T00:00:00Z", "walk_s1")])
def test_the_latest_choice_decides_only_if_all_times_are_known(tmp_path, time, winner):
    meta, _ = made_archive(tmp_path, {"walk": [0.9, 0.1]})
    ann = {"id": "walk_s1", "matches": True, "chosen": True, "reviewer": "Ann", "time": "2026-01-02T00:00:00Z"}
    bea = {**ann, "id": "walk_s0", "reviewer": "Bea", "time": time}
    (tmp_path / "verdicts.json").write_text(json.dumps([ann, bea]))
    rank(meta, "--judge", "none", "--verdicts", tmp_path / "verdicts.json", "--conflicts", "latest")
    assert [one["id"] for one in written(tmp_path)[0]] == [winner]
    assert written(tmp_path)[2]["groups"][0]["decided_by"] == ("figures" if time is None else "person")


def test_a_choice_that_is_no_choice_is_refused(tmp_path):
    meta, _ = made_archive(tmp_path, {"walk": [0.9, 0.1]})
    (tmp_path / "verdicts.json").write_text('[{"id": "walk_s1", "matches": true, "chosen": "yes"}]')
    done = rank(meta, "--judge", "none", "--verdicts", tmp_path / "verdicts.json")
    assert done.returncode == 2 and "has chosen 'yes', expected true, false or null" in done.stderr


def test_no_output_replaces_an_input(tmp_path):
    meta, _ = made_archive(tmp_path, {"walk": [0.9, 0.1]})
    before = meta.read_bytes()
    candidates = meta.rename(tmp_path / "gated_candidates.json")
    words = ["--meta-json", str(candidates), "-o", str(tmp_path / "gated.json"), "--judge", "none"]
    done = run_here(rank_candidates.main, words, environment())
    assert done.returncode == 2 and "are the same file" in done.stderr and candidates.read_bytes() == before


def test_gemini_gets_two_labelled_videos(tmp_path):
    meta, clips = made_archive(tmp_path, {"walk": [0.1, 0.9]})
    answer = GeminiProtocol.answer('{"analysis": "B is steadier", "choice": "same"}')
    with Service(always(answer)) as service:
        done = rank(meta, "--judge", "gemini", variables={"GOOGLE_GEMINI_BASE_URL": service.url})
    assert done.returncode == 0, done.stderr
    parts = service.questions[0].json["contents"][0]["parts"]
    assert [parts[0]["text"], parts[2]["text"]] == ["Clip A:", "Clip B:"]
    sent = [base64.urlsafe_b64decode(parts[place]["inlineData"]["data"]) for place in (1, 3)]
    assert sent == list(clips) and parts[1]["videoMetadata"]["fps"] == 5
    assert "which clip is the better example" in parts[4]["text"].lower()
    assert json.loads(parts[4]["text"].splitlines()[-1]) == "a person does walk"


def test_a_server_of_pictures_gets_two_labelled_rows_of_pictures(tmp_path, monkeypatch):
    meta, _ = made_archive(tmp_path, {"walk": [0.1, 0.9]})
    module = "motion_gating.judges.openai_compatible.jpeg_frames"
    monkeypatch.setattr(module, lambda path, fps: [(0.0, path.read_bytes()), (0.2, b"second")])
    with Service(always(OpenAIProtocol.answer('{"analysis": "-", "choice": "A"}'))) as service:
        flags = [*OpenAIProtocol.flags, "--vlm-base-url", service.url + "/v1", "--vlm-media", "frames"]
        assert rank(meta, *flags).returncode == 0
    content = service.questions[0].json["messages"][0]["content"]
    texts = [part["text"] for part in content[:-1] if part["type"] == "text"]
    assert texts == [
        "Clip A as pictures, each after its time:",
        *("0.00 s", "0.20 s"),
        "Clip B as pictures, each after its time:",
        *("0.00 s", "0.20 s"),
    ]


def test_an_archive_that_is_edited_during_the_ranking_gives_no_ranks(tmp_path, monkeypatch):
    meta, _ = made_archive(tmp_path, QUALITIES)
    ranked, edited = ranking.rank_group, meta.read_text() + " "

    def edit_then_rank(*arguments):
        # Groups are ranked side by side: each writes the same whole file, under its own name first.
        own = tmp_path / f"edited-{threading.get_ident()}"
        own.write_text(edited)
        own.replace(meta)
        return ranked(*arguments)

    monkeypatch.setattr(ranking, "rank_group", edit_then_rank)
    done = rank(meta)
    assert done.returncode == 1 and f"{meta}: was changed while it was read" in done.stderr
    assert not list(tmp_path.glob("gated*.json")) and not list(tmp_path.glob(".*"))
