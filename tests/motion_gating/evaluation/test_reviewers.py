"""How well reviewers agree with each other."""

from __future__ import annotations

import json

import pytest
from gate_support import run_here

from motion_gating import evaluate_gate
from motion_gating.evaluation.reviewers import krippendorff_alpha, reviewer_agreement
from motion_gating.verdicts.verdict_file import HumanVerdict

WORDS = {"y": True, "n": False, "u": None}


def verdicts_of(**answers: str) -> dict:
    """``answers``: by reviewer a letter for each entry: y, n, u for unsure, or a dot for none."""
    found: dict = {}
    for name, letters in answers.items():
        for number, letter in enumerate(letters):
            if letter != ".":
                verdict = HumanVerdict(WORDS[letter], None, reviewer=name)
                found[str(number)] = (*found.get(str(number), ()), verdict)
    return found


def test_alpha_is_that_of_the_published_example():
    """Krippendorff (2011): four observers, twelve units, missing data."""
    observers = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
    units = [[row[place] for row in observers if row[place] != "."] for place in range(12)]
    assert krippendorff_alpha(units) == pytest.approx(0.743, abs=5e-4)


@pytest.mark.parametrize(
    ("units", "expected"),
    [([], None), ([["y"]], None), ([["y", "y"], ["y", "y"]], None), ([["y", "y", "y"], ["n", "n"]], 1.0)],
)
def test_alpha_of_special_cases(units, expected):
    assert krippendorff_alpha(units) == expected


def test_two_reviewers_have_a_kappa_of_what_both_decided():
    found = reviewer_agreement(verdicts_of(Ann="yyyyynnnny.", Bea="yyyynynnnu."))
    (pair,) = found.pairs
    assert (pair.reviewers, pair.shared, pair.agreed) == (("Ann", "Bea"), 9, 7)
    assert pair.kappa == pytest.approx(1 - (2 / 9) / (40 / 81)), "5 and 4 of 9 on either side: chance agrees on 41 / 81"
    assert found.alpha is None and found.conflicts == ("4", "5")
    assert list(found.lines())[0].startswith("Ann and Bea: agree on 7 of 9 shared entries, kappa 0.55 (")


def test_three_reviewers_have_an_alpha_besides():
    found = reviewer_agreement(verdicts_of(Ann="yynn.", Bea="yyny.", Cem=".ynny"))
    assert len(found.pairs) == 3
    assert found.alpha == krippendorff_alpha([[1, 1], [1, 1, 1], [0, 0, 0], [0, 1, 0], [1]])
    assert list(found.lines())[3] == f"all reviewers: Krippendorff's alpha {found.alpha:.2f}"
    assert list(found.lines())[4] == "1 entry with contradicting verdicts: 3"


def test_one_reviewer_agrees_with_nobody():
    assert reviewer_agreement(verdicts_of(Ann="yn")) is None


def test_the_command_prints_and_writes_the_agreement_of_several_label_files(tmp_path):
    for name, answers in (("a", [True, True, False]), ("b", [True, False, False])):
        items = [{"id": number, "matches": matches} for number, matches in enumerate(answers)]
        (tmp_path / f"{name}.json").write_text(json.dumps(items))
    record = {"vlm_matches": True, "use_ref_motion": True, "jitter_degree": 0.01}
    (tmp_path / "report.json").write_text(json.dumps([{"id": number, **record} for number in range(3)]))
    labels = [word for name in "ab" for word in ("--labels", str(tmp_path / f"{name}.json"))]
    argv = [*labels, "--quality-report", str(tmp_path / "report.json"), "--output", str(tmp_path / "e.json")]
    done = run_here(evaluate_gate.main, argv, {})
    assert done.returncode == 0, done.stderr
    assert "a.json and b.json: agree on 2 of 3 shared entries, kappa 0.40" in done.stdout
    figures = json.loads((tmp_path / "e.json").read_text())
    assert figures["reviewers"]["conflicts"] == ["1"]
    assert figures["labels"]["vlm"]["labelled"] == 2, "the entry in conflict is no label"


def test_of_many_reviewers_the_pairs_that_share_most_are_listed():
    found = reviewer_agreement(verdicts_of(**{f"r{number:02}": "y" * (30 - number) for number in range(30)}))
    lines = list(found.lines())
    assert len(found.pairs) == 435 and len(lines) == 22
    assert lines[0].startswith("r00 and r01: agree on 29 of 29")
    assert lines[20] == "415 more pairs of reviewers share as many entries or fewer"
