"""Several reports on the same clips in one table."""

from __future__ import annotations

import json

import pytest
from gate_support import read, run_here

from motion_gating import evaluate_gate
from motion_gating.evaluation.comparison import compare_reports, sign_test
from motion_gating.verdicts.settling import settle_all
from motion_gating.verdicts.verdict_file import read_verdicts
from motion_rep.common.errors import UsageError


@pytest.fixture
def files(tmp_path):
    """Labels of ten clips, an always-yes report, and one that is right but leaves one clip undecided."""
    labels = [{"id": number, "matches": number < 6} for number in range(10)]
    verdicts = {"yes": lambda n: True, "good": lambda n: None if n == 9 else n < 6}
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    for name, matches in verdicts.items():
        records = [
            {
                "id": n,
                "jitter_degree": 0.01,
                "vlm_analysis": "",
                "vlm_matches": matches(n),
                "use_ref_motion": matches(n),
            }
            for n in range(10)
        ]
        (tmp_path / f"{name}.json").write_text(json.dumps(records))
    block = {
        "started": "2026-11-26T10:00:00+00:00",
        "finished": "2026-11-26T10:01:30+00:00",
        "cost": {"dollars": 0.02},
        "counts": {"prompt_tokens": 12000},
    }
    (tmp_path / "good.run.json").write_text(json.dumps(block))
    return tmp_path


def labels_of(files):
    return settle_all(read_verdicts(files / "labels.json"))


def test_reports_are_paired_clip_by_clip_with_the_first(files):
    yes, good = compare_reports([files / "yes.json", files / "good.json"], labels_of(files), 0)
    assert (yes.accepted, yes.wrong, yes.p_value) == (4, 4, None)
    assert (good.accepted, good.wrong, good.better, good.worse) == (0, 3, 3, 0)
    assert good.p_value == pytest.approx(0.25)
    assert good.agreement.coverage == pytest.approx(0.9)
    assert (good.tokens, good.dollars, good.seconds) == (12000, 0.02, 90.0)
    assert (yes.tokens, yes.dollars, yes.seconds) == (None, None, None)


def test_the_table_is_printed_and_written(files):
    names = ["--labels", "labels.json", "--compare", "yes.json", "good.json", "--output", "e.json"]
    argv = [name if name.startswith("--") else str(files / name) for name in names]
    done = run_here(evaluate_gate.main, argv, {})
    assert done.returncode == 0, done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith("| good.json"))
    assert (
        "| 0 of 3 (0.00 to 0.56) | 1.00 (1.00 to 1.00) | 0.90 | 12000 | 0.0200 | 90 | 3 better, 0 worse, p 0.250 |"
        in row
    )
    assert [one["report"] for one in read(files / "e.json")["compared"]] == ["yes.json", "good.json"]


def test_clips_that_are_not_in_all_reports_do_not_count(files):
    (files / "other.json").write_text("[]")
    with pytest.raises(UsageError, match="no labelled clip is in all 2 reports"):
        compare_reports([files / "yes.json", files / "other.json"], labels_of(files), 0)


@pytest.mark.parametrize(("better", "worse", "p"), [(0, 0, 1.0), (5, 5, 1.0), (6, 0, 2 / 64), (8, 1, 2 * 10 / 512)])
def test_the_sign_test_is_exact(better, worse, p):
    assert sign_test(better, worse) == pytest.approx(p)
