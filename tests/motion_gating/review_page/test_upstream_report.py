"""Reports of ViMoGen's own gate on the review page and in the evaluation."""

from __future__ import annotations

import json

import pytest
from gate_support import make_archive, read

from motion_gating import build_report, evaluate_gate
from motion_gating.archives.entry_number import number_for


@pytest.fixture
def batch(tmp_path):
    """An archive with a numbered and a named entry, and the report that ViMoGen's gate writes about them."""
    meta = make_archive(tmp_path, [3, "walk"])
    entries = read(meta)
    entries[1]["global_id"] = number_for("walk")
    meta.write_text(json.dumps(entries))
    records = [
        {
            "global_id": number,
            "prompt": "a person does something",
            "motion_metrics": {"Jitter_Degree": jitter},
            "vlm_matches": True,
            "use_ref_motion": jitter < 0.04,
        }
        for number, jitter in ((3, 0.01), (number_for("walk"), 0.09))
    ]
    report = tmp_path / "upstream.json"
    report.write_text(json.dumps({"source_meta": "meta.json", "records": records}))
    return meta, report


def test_the_page_shows_its_figures_and_decisions(batch, tmp_path, capsys):
    meta, report = batch
    flags = ["--meta-json", meta, "--quality-report", report, "--output", tmp_path / "page", "--no-side-view"]
    build_report.main([*map(str, flags)])
    assert "has no record" not in capsys.readouterr().err
    page = (tmp_path / "page/index.html").read_text()
    assert '"id":"3"' in page and '"figures":[0.01,' in page and '"figures":[0.09,' in page
    assert page.count('"decision":true') == 1 and page.count('"decision":false') == 1


def test_the_evaluation_compares_it_with_people(batch, tmp_path):
    _, report = batch
    labels = [{"id": 3, "matches": True}, {"id": number_for("walk"), "matches": True, "usable": False}]
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    flags = ["--labels", tmp_path / "labels.json", "--quality-report", report, "--output", tmp_path / "e.json"]
    assert evaluate_gate.main([*map(str, flags)]) == 0
    figures = read(tmp_path / "e.json")["labels"]
    assert figures["gate"]["counts"] == {"yes_yes": 1, "yes_no": 0, "no_yes": 0, "no_no": 1}
    assert figures["vlm"]["decided"] == 2


@pytest.mark.parametrize("text", ['{"records": 3}', "{}", '{"records": [1]}'])
def test_another_object_is_no_report(batch, tmp_path, capsys, text):
    meta, report = batch
    report.write_text(text)
    flags = ["--meta-json", meta, "--quality-report", report, "--output", tmp_path / "page", "--no-side-view"]
    assert build_report.main([*map(str, flags)]) == 2 and "expected a list of records" in capsys.readouterr().err
