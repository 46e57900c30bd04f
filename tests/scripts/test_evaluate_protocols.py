"""The command that measures the protocols with scripted models."""

from __future__ import annotations

from command_support import save_json, save_motion

from scripts.dev.evaluate_protocols import main
from scripts.dev.samples.texts import TEXTS
from scripts.dev.witness import trial
from scripts.dev.witness.habits import HABITS

CALL = ["--by-kind", "--entries", "1"]


def rows_of(text):
    """Cells of each row of the printed table, by the first."""
    cells = [[cell.strip() for cell in line.strip("| \n").split("|")] for line in text.splitlines() if "|" in line]
    return {first: others for first, *others in cells}


def test_by_kind_prints_the_false_accepts_of_each_witness(tmp_path, monkeypatch, capsys, make_capture):
    save_motion(tmp_path / "m.pt", make_capture(frames=18))
    save_json(tmp_path / "a.json", [{"id": 1, "prompt": "a person crawls.", "motion_path": "m.pt"}])
    monkeypatch.setattr(trial, "TEXTS", [text for text in TEXTS if text.name == "squat"])
    monkeypatch.setattr(trial, "HABITS", {name: HABITS[name] for name in ("honest", "yes-sayer")})
    assert main([*CALL, "--archive", str(tmp_path / "a.json")]) == 0
    rows = rows_of(capsys.readouterr().out)
    assert rows["control"] == ["honest, single", "honest, evidence", "yes-sayer, single", "yes-sayer, evidence"]
    assert rows["other description"][:3] == ["0 of 1", "0 of 1", "1 of 1"]
    assert rows["near miss: count"][:3] == ["0 of 1", "0 of 1", "1 of 1"]
    assert rows["clip frozen"][:3] == ["0 of 1", "0 of 1", "1 of 1"]


def test_entries_and_seed_choose_the_clips_of_the_table(monkeypatch, capsys):
    monkeypatch.setattr(trial, "HABITS", {"honest": HABITS["honest"]})
    assert main(["--entries", "4", "--seed", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:] == [
        "| honest | single | 0 of 2 | 0 of 2 | 0 | 1.0 |",
        "| honest | evidence | 0 of 2 | 0 of 2 | 0 | 4.0 |",
    ]
