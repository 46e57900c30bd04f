"""How often the gate is wrong: controls through the real package, agreement against slow definitions."""

from __future__ import annotations

import base64
import json
import math
import subprocess
import sys

import pytest
from gate_support import (
    EVALUATE,
    KEY,
    GeminiProtocol,
    OpenAIProtocol,
    Service,
    always,
    environment,
    make_archive,
    read,
    run_here,
    verdict,
)

from motion_gating import evaluate_gate
from motion_gating.archives.fields import Fields
from motion_gating.evaluation import controls as controls_module
from motion_gating.evaluation.agreement import Counts, measure_agreement, wilson_interval
from motion_gating.evaluation.control_run import ask_controls
from motion_gating.evaluation.controls import choose_controls
from motion_gating.evaluation.threshold_curve import LabelledCase, best_point, threshold_curve
from motion_gating.judges.interface import Verdict

MOTIONS = [
    "jumping jacks",
    "walks around slowly",
    "waves with both hands",
    "squats deeply",
    "kicks forward",
    "turns around",
]


def evaluate(tmp_path, *flags, server=None, key=KEY):
    """Run the evaluation in this process."""
    argv = [str(flag) for flag in ("--output", tmp_path / "evaluation.json", "--retry-delay", 0.01, *flags)]
    return run_here(evaluate_gate.main, argv, environment(server, key))


def archive_of_motions(tmp_path):
    meta = make_archive(tmp_path, range(len(MOTIONS)))
    entries = read(meta)
    for entry, motion in zip(entries, MOTIONS, strict=True):
        entry["prompt"] = f"a person {motion}"
    meta.write_text(json.dumps(entries))
    return meta


@pytest.mark.parametrize("protocol", [GeminiProtocol, OpenAIProtocol])
def test_a_judge_that_always_agrees_is_found_out(tmp_path, protocol):
    meta = archive_of_motions(tmp_path)
    with Service(always(protocol.answer(verdict(True)))) as server:
        done = evaluate(tmp_path, *protocol.flags, "--controls", 5, "--meta-json", meta, server=server)
    assert done.returncode == 1, "a chain must not go on with a blind judge"
    figures = read(tmp_path / "evaluation.json")["controls"]
    assert (figures["asked"], figures["accepted"], figures["rate"]) == (5, 5, 1.0)
    assert figures["blind"] is True
    assert "blind" in done.stderr
    assert len(server.questions) == 6 + 5, "blank, 5 other descriptions, 5 near misses"


def test_a_judge_that_looks_is_cleared_up_to_what_the_number_of_controls_can_show(tmp_path):
    meta = archive_of_motions(tmp_path)
    with Service(always(GeminiProtocol.answer(verdict(False)))) as server:
        done = evaluate(tmp_path, "--controls", 5, "--meta-json", meta, server=server)
        asked = len(server.questions)
        assert evaluate(tmp_path, "--controls", 5, "--meta-json", meta, server=server).returncode == 0
        assert len(server.questions) == asked
    figures = read(tmp_path / "evaluation.json")["controls"]
    assert (figures["rate"], figures["low"], figures["blind"]) == (0.0, 0.0, False)
    assert figures["high"] == pytest.approx(wilson_interval(0, 5)[1])
    assert "the blank clip was rejected" in done.stdout
    assert "blind" not in done.stderr
    own = {entry["id"]: entry["prompt"] for entry in read(meta)}
    others = [record for record in figures["records"] if record["kind"] == "other description"]
    assert len(others) == 5
    for record in others:
        assert own[record["id"]] != own[record["description_of"]]


def test_controls_that_stay_undecided_are_no_evidence(tmp_path):
    meta = archive_of_motions(tmp_path)
    third = base64.urlsafe_b64encode((tmp_path / "2.mp4").read_bytes())
    with Service(
        lambda request, number: GeminiProtocol.answer("no" if third in request.body else verdict(False))
    ) as server:
        done = evaluate(tmp_path, "--controls", 6, "--meta-json", meta, server=server)
    assert done.returncode == 1
    figures = read(tmp_path / "evaluation.json")["controls"]
    assert (figures["asked"], figures["decided"], figures["rate"]) == (6, 5, 0.0)
    assert "2 of 12 controls are undecided, for example: the answer is not JSON" in done.stderr


def test_a_dead_key_ends_the_controls(tmp_path):
    meta = archive_of_motions(tmp_path)
    with Service(always(GeminiProtocol.bad_key())) as server:
        done = evaluate(tmp_path, "--controls", 6, "--meta-json", meta, server=server)
    assert done.returncode == 2
    assert len(server.requests) == 1
    assert read(tmp_path / "evaluation.json")["controls"]["rate"] is None


def test_a_folder_in_the_place_of_the_figures_is_found_before_the_first_call(tmp_path):
    meta = archive_of_motions(tmp_path)
    (tmp_path / "e.json").mkdir()
    with Service(always(GeminiProtocol.answer())) as server:
        flags = ("--controls", 2, "--meta-json", meta, "--output", tmp_path / "e.json")
        done = run_here(evaluate_gate.main, [str(word) for word in flags], environment(server))
    assert done.returncode == 2 and "e.json: is a folder, expected a file" in done.stderr and server.requests == []


def test_controls_are_the_same_for_the_same_seed_and_never_pair_like_with_like(tmp_path):
    meta = archive_of_motions(tmp_path)
    entries = read(meta)
    entries[1]["prompt"] = entries[0]["prompt"].upper()
    meta.write_text(json.dumps(entries))
    first = choose_controls(meta, Fields(), 6, seed=3)
    assert first == choose_controls(meta, Fields(), 6, seed=3)
    assert any(first != choose_controls(meta, Fields(), 6, seed=seed) for seed in range(4, 9))
    assert {control.question.identifier for control in first} == set(range(6))
    for control in first:
        assert {control.question.identifier, control.description_of} != {0, 1}
        assert control.question.identifier != control.description_of


def test_controls_need_entries_that_differ(tmp_path):
    meta = make_archive(tmp_path, range(3))
    meta.write_text(json.dumps([{**entry, "prompt": "the same"} for entry in read(meta)]))
    done = evaluate(tmp_path, "--controls", 2, "--meta-json", meta)
    assert done.returncode == 2
    assert "different descriptions" in done.stderr


def report_of(tmp_path, *rows):
    """A report and its labels from (label, vlm, jitter) rows."""
    records = [
        {
            "id": number,
            "jitter_degree": jitter,
            "vlm_analysis": None,
            "vlm_matches": vlm,
            "use_ref_motion": None if vlm is None else vlm and jitter < 0.04,
        }
        for number, (_, vlm, jitter) in enumerate(rows)
    ]
    (tmp_path / "report.json").write_text(json.dumps(records))
    (tmp_path / "people.json").write_text(
        json.dumps([{"id": str(number), "matches": label} for number, (label, _, _) in enumerate(rows)])
    )
    return ["--labels", tmp_path / "people.json", "--quality-report", tmp_path / "report.json"]


def test_labels_give_precision_recall_kappa_and_coverage(tmp_path):
    rows = (
        [(True, True, 0.01)] * 6
        + [(True, False, 0.01)] * 2
        + [(False, True, 0.01)]
        + [(False, False, 0.01)] * 5
        + [(True, None, 0.01)] * 2
        + [(None, True, 0.01)]
    )
    done = evaluate(tmp_path, *report_of(tmp_path, *rows), key=None)
    assert done.returncode == 0, done.stderr
    vlm = read(tmp_path / "evaluation.json")["labels"]["vlm"]
    assert (vlm["labelled"], vlm["decided"]) == (16, 14)
    assert vlm["coverage"] == 14 / 16
    assert (vlm["precision"], vlm["recall"]) == (6 / 7, 6 / 8)
    observed, expected = 11 / 14, (8 * 7 + 6 * 7) / 14**2
    assert vlm["kappa"] == pytest.approx((observed - expected) / (1 - expected))
    assert vlm["kappa_low"] < vlm["kappa"] < vlm["kappa_high"]
    assert (tmp_path / "evaluation.png").exists() is True


def test_always_yes_has_high_accuracy_and_no_kappa():
    agreement = measure_agreement([True] * 95 + [False] * 5, [True] * 100)
    assert agreement.counts.accuracy == 0.95
    assert agreement.counts.kappa == 0.0
    assert Counts(10, 0, 0, 0).kappa is None
    assert measure_agreement([], []).coverage is None


def test_the_bootstrap_interval_narrows_with_more_cases():
    few, many = (
        measure_agreement([True, True, False, False, True] * n, [True, False, False, False, True] * n) for n in (4, 40)
    )
    assert few.counts.kappa == pytest.approx(many.counts.kappa)
    assert few.kappa_high - few.kappa_low > 2 * (many.kappa_high - many.kappa_low)


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [(0, 20, 0.0, 0.1611), (20, 20, 0.8389, 1.0), (10, 20, 0.2993, 0.7007), (1, 10, 0.0179, 0.4042)],
)
def test_wilson_interval(hits, trials, low, high):
    assert wilson_interval(hits, trials) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_the_best_threshold_is_the_one_that_separates(tmp_path):
    rows = [(True, True, 0.001 * n) for n in range(1, 70)] + [(False, True, 0.07 + 0.001 * n) for n in range(1, 30)]
    done = evaluate(tmp_path, *report_of(tmp_path, *rows), key=None)
    assert done.returncode == 0, done.stderr
    figures = read(tmp_path / "evaluation.json")["labels"]
    assert 0.069 < figures["best_threshold"] < 0.071
    assert figures["best_kappa"] == 1.0
    assert (tmp_path / "evaluation.png").read_bytes().startswith(b"\x89PNG")


def test_the_curve_is_the_gate_at_each_threshold():
    cases = [
        LabelledCase(True, 0.01, True),
        LabelledCase(False, 0.02, False),
        LabelledCase(True, 0.03, True),
        LabelledCase(False, 0.05, True),
    ]
    curve = threshold_curve(cases)
    assert [point.counts.recall for point in curve] == [0.0, 0.5, 0.5, 1.0, 1.0]
    assert curve[-1].counts.precision == 2 / 3
    assert math.isclose(best_point(curve, 0.04).threshold, 0.04)
    assert threshold_curve([]) == []


def test_usable_labels_judge_the_gate_and_matches_the_vlm(tmp_path):
    flags = report_of(tmp_path, (True, True, 0.01), (True, True, 0.02), (False, False, 0.02))
    labels = read(tmp_path / "people.json")
    labels[1]["usable"] = False
    (tmp_path / "people.json").write_text(json.dumps(labels))
    evaluate(tmp_path, *flags, key=None)
    figures = read(tmp_path / "evaluation.json")["labels"]
    assert (figures["vlm"]["precision"], figures["gate"]["precision"]) == (1.0, 0.5)


def test_the_process_works_from_another_folder(tmp_path):
    flags = report_of(tmp_path, (True, True, 0.01), (False, False, 0.02))
    command = [sys.executable, str(EVALUATE), *map(str, flags), "--output", str(tmp_path / "out" / "e.json")]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "kappa 1.00" in done.stdout
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["e.json", "e.png"]


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ([], "nothing to do"),
        (["--controls", 3], "--meta-json"),
        (["--labels", "people.json"], "--quality-report"),
        (["--controls", 0], "whole number"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(tmp_path, flags, found):
    done = evaluate(tmp_path, *flags)
    assert done.returncode == 2
    assert found in done.stderr
    assert done.stderr.count("\n") == 1


def test_labels_about_other_entries_are_refused(tmp_path):
    flags = report_of(tmp_path, (True, True, 0.01))
    (tmp_path / "people.json").write_text('[{"id": "other", "matches": true}]')
    done = evaluate(tmp_path, *flags)
    assert done.returncode == 2
    assert "no label" in done.stderr


def test_a_file_that_is_no_report_is_refused(tmp_path):
    flags = report_of(tmp_path, (True, True, 0.01))
    for content in ("[1]", "{}", '[{"id": 0, "vlm_matches": "yes"}]', '[{"id": 0, "jitter_degree": "low"}]'):
        (tmp_path / "report.json").write_text(content)
        done = evaluate(tmp_path, *flags)
        assert done.returncode == 2
        assert "report.json" in done.stderr
        assert done.stderr.count("\n") == 1


class _Stumbling:
    """A judge that fails on some descriptions."""

    def __init__(self, word):
        self.word = word

    name, is_remote_service, stop = "stumbling", False, None

    def judge(self, question):
        if self.word in question.description:
            raise ZeroDivisionError("odd answer")
        return Verdict(matches=False, analysis="no", judge=self.name)


def test_an_unexpected_error_of_the_judge_costs_one_control(tmp_path):
    meta = archive_of_motions(tmp_path)
    controls = choose_controls(meta, Fields(), len(MOTIONS), seed=0)
    word = controls[0].question.description.split()[-1]
    verdicts = [verdict for _, verdict in ask_controls(_Stumbling(word), controls, 1)]
    stumbled = [word in control.question.description for control in controls]
    assert not all(stumbled) and [one.matches is None for one in verdicts] == stumbled
    assert {one.error_kind for one in verdicts if one.matches is None} == {"unexpected"}


def test_an_unexpected_error_in_an_entry_costs_this_entry(tmp_path, monkeypatch):
    meta = archive_of_motions(tmp_path)
    found = controls_module.question_of

    def question(entry, fields, meta_json):
        if "squats" in entry["prompt"]:
            raise ZeroDivisionError("odd entry")
        return found(entry, fields, meta_json)

    monkeypatch.setattr(controls_module, "question_of", question)
    chosen = choose_controls(meta, Fields(), len(MOTIONS), seed=0)
    assert len(chosen) == len(MOTIONS) - 1


def test_labels_on_another_motion_or_text_do_not_count(tmp_path):
    flags = report_of(tmp_path, (True, True, 0.01), (False, True, 0.01), (False, True, 0.01), (True, True, 0.01))
    parts = {"motion": "m" * 32, "clip": "a small one", "text": "t" * 32}
    (tmp_path / "report.json").write_text(
        json.dumps([{**one, "content": parts} for one in read(tmp_path / "report.json")])
    )
    about = [{**parts, "clip": "a large one"}, {**parts, "motion": "0" * 32}, {**parts, "text": "0" * 32}, None]
    people = [{**one, "content": content} for one, content in zip(read(tmp_path / "people.json"), about, strict=True)]
    (tmp_path / "people.json").write_text(json.dumps(people))
    done = evaluate(tmp_path, *flags)
    figures = read(tmp_path / "evaluation.json")["labels"]["vlm"]
    assert (figures["labelled"], figures["precision"]) == (2, 1.0)
    assert "2 labels were given on another motion or text than the report's" in done.stderr
