"""An error that nobody expected costs the entry in which it lies, never the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_support import save_json, save_motion
from gate_support import make_archive

from motion_gating.apply_quality_gate import main as gate
from motion_gating.build_report import main as build_page
from motion_gating.evaluate_gate import main as evaluate
from motion_gating.export_for_tm2m import main as export
from motion_gating.render_mbench_videos import main as render


def failing(monkeypatch, target: str, on: object) -> None:
    """Let a function raise for entry ``on``."""
    import importlib

    module, name = target.rsplit(".", 1)
    found = importlib.import_module(module)
    real = getattr(found, name)

    def raises(*arguments, **options):
        if any(_is_about(argument, on) for argument in arguments):
            raise AttributeError("nobody expected this")
        return real(*arguments, **options)

    monkeypatch.setattr(found, name, raises)


def _is_about(argument: object, on: object) -> bool:
    entry = getattr(argument, "entry", argument)
    return isinstance(entry, dict) and entry.get("id") == on and "prompt" in entry


def failures(path: Path) -> list:
    return [failure["item"] for failure in json.loads(path.read_text())["failures"]]


def test_the_gate(tmp_path, monkeypatch, capsys):
    meta = make_archive(tmp_path, (1, 2, 3))
    failing(monkeypatch, "motion_gating.gate.gate.text_of", 2)
    monkeypatch.setattr("motion_gating.gate.write_back.text_of", lambda entry, field="prompt": "x")
    verdicts = save_json(tmp_path / "v.json", [{"id": number, "matches": True} for number in (1, 2, 3)])
    flags = ("--quality-report", tmp_path / "q.json", "--judge", "manual", "--verdicts", verdicts)
    out = ("--output-json", tmp_path / "b.json", "--failures", tmp_path / "f.json")
    assert gate([str(word) for word in ("--meta-json", meta, *flags, *out)]) == 1
    assert failures(tmp_path / "f.json") == [2]
    decisions = [entry.get("use_ref_motion") for entry in json.loads((tmp_path / "b.json").read_text())]
    assert decisions == [True, None, True]
    assert "nobody expected this" in (tmp_path / "q.json").read_text()
    capsys.readouterr()
    page = ("--output", tmp_path / "page", "--quality-report", tmp_path / "q.json", "--no-side-view")
    assert build_page([str(word) for word in ("--meta-json", tmp_path / "b.json", *page)]) in (0, 1)


def archive(tmp_path: Path, make_capture) -> Path:
    save_motion(tmp_path / "a.pt", make_capture(frames=4))
    entries = [{"id": number, "prompt": "walks", "motion_path": "a.pt", "use_ref_motion": True} for number in (1, 2)]
    return save_json(tmp_path / "a.json", entries)


def test_the_renderer(tmp_path, make_capture, monkeypatch):
    failing(monkeypatch, "motion_gating.rendering.archive_run.with_decision", 1)
    flags = ("--output-json", tmp_path / "b.json", "--output-dir", tmp_path / "r", "--failures", tmp_path / "f.json")
    size = ("--width", 32, "--height", 32, "--workers", 0)
    assert render([str(word) for word in ("--meta-json", archive(tmp_path, make_capture), *flags, *size)]) == 1
    first, second = json.loads((tmp_path / "b.json").read_text())
    assert failures(tmp_path / "f.json") == [1]
    assert "video_path" not in first and "use_ref_motion" not in first and second["video_path"] == "r/2.mp4"


def test_the_page(tmp_path, make_capture, monkeypatch):
    failing(monkeypatch, "motion_gating.review_page.entry_page.groups_of", 1)
    flags = ("--output", tmp_path / "page", "--no-side-view", "--failures", tmp_path / "f.json", "--workers", 0)
    assert build_page([str(word) for word in ("--meta-json", archive(tmp_path, make_capture), *flags)]) == 1
    assert 1 in failures(tmp_path / "f.json")
    assert "nobody expected this" in (tmp_path / "page/entries/1.js").read_text()


def test_the_export(tmp_path, make_capture, monkeypatch, capsys):
    failing(monkeypatch, "motion_gating.archives.for_tm2m._texts", 1)
    flags = ("--vimogen-root", tmp_path, "-o", tmp_path / "b.json")
    assert export([str(word) for word in ("--meta-json", archive(tmp_path, make_capture), *flags)]) == 1
    written = json.loads((tmp_path / "b.json").read_text())
    assert [entry["id"] for entry in written] == [1, 2] and written[0]["use_ref_motion"] is False
    assert "entry 1: AttributeError: nobody expected this" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change",
    [
        {"failed_checks": None},
        {"failed_checks": [[]]},
        {"jitter_degree": 1e300},
        {"vlm_matches": []},
        {"use_ref_motion": 1},
    ],
)
def test_a_record_that_is_none(tmp_path, capsys, change):
    record = {"id": 1, "jitter_degree": 0.01, "vlm_matches": True, "use_ref_motion": True, **change}
    report, labels = (
        save_json(tmp_path / "r.json", [record]),
        save_json(tmp_path / "l.json", [{"id": 1, "matches": True}]),
    )
    flags = ("--labels", labels, "--quality-report", report, "--output", tmp_path / "e.json")
    assert evaluate([str(word) for word in flags]) == 2
    assert "record 0 is not a record of a quality report" in capsys.readouterr().err
    save_json(report, [record, {**record, **dict.fromkeys(change, None), "id": 2, "failed_checks": []}])
    save_json(labels, [{"id": one, "matches": True} for one in (1, 2)])
    assert evaluate([str(word) for word in flags]) == 0, "one record costs only itself"
    assert "1 record was omitted: record 0 is not a record of a quality report" in capsys.readouterr().err
    del record["jitter_degree"]
    save_json(report, [record])
    assert evaluate([str(word) for word in flags]) == 2
