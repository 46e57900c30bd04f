"""Settings of a judge that are refused before it is asked."""

from __future__ import annotations

import json

import pytest

from motion_gating.apply_quality_gate import main
from motion_gating.prepare_motions import main as prepare


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


@pytest.mark.parametrize("address", ["localhost:8000/v1", "ftp://host/v1", "http://", "http://host:0/v1", "host"])
@pytest.mark.parametrize("command", [main, prepare])
def test_an_address_that_is_no_web_address_is_refused_as_such(tmp_path, capsys, monkeypatch, address, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "meta.json").write_text(json.dumps([{"id": 1, "prompt": "A person waves."}]))
    own = ["--meta-json", "meta.json", "--quality-report", "r.json", "--output-json", "o.json"]
    words = own if command is main else ["meta.json", "-o", "out"]
    assert command([*words, "--judge", "openai", "--vlm-base-url", address]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "is not a valid address, expected http(s)://HOST" in line
