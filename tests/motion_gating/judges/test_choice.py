"""Settings of a judge that are refused before it is asked."""

from __future__ import annotations

import json

from motion_gating.apply_quality_gate import main


def test_an_address_that_cannot_be_read_is_refused_without_its_key(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "meta.json").write_text(json.dumps([{"id": 1, "prompt": "A person waves."}]))
    words = [
        "--meta-json",
        "meta.json",
        "--quality-report",
        "r.json",
        "--output-json",
        "o.json",
        "--judge",
        "openai",
        "--vlm-model",
        "m",
    ]
    assert main([*words, "--vlm-base-url", "http://user:sk-abc+/=secret@localhost/v1"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: --vlm-base-url") and "sk-abc" not in said and len(said.splitlines()) == 1
