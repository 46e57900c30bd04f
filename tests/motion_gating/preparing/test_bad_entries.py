"""A bad entry of an archive costs that entry, with its reason."""

from __future__ import annotations

import json

import pytest
from command_support import save_json
from preparing_support import read, save_clip

ODD = [
    *({field: value} for field in ("motion_path", "capture_path", "source_video_path") for value in ([], 5, {}, [""])),
    *({field: [3, "wave.pt"]} for field in ("motion_path", "source_video_path")),
    *({"group": value} for value in ([1], {}, True)),
    *({"group": "walk", "seed": value} for value in ("x", -1, 1.5, [], {})),
    {"capture_path": "s3://bucket/none.pt", "motion_path": None},
    {"group": "walk", "motion_path": ["wave.pt", "wave.pt"]},
]


def test_each_odd_entry_fails_alone(command, tmp_path):
    here = tmp_path / "my folder (ü) #1"
    save_clip(here / "wave.pt")
    good = {"id": "good", "prompt": "a person waves", "motion_path": "wave.pt"}
    odd = [{**good, "id": f"odd {number}", **fields} for number, fields in enumerate(ODD)]
    save_json(here / "in.json", [*odd, good])
    code, _, err = command("in.json", "-o", "out", "--until", "motion", "--failures", "f.json")
    assert code == 1, err
    failures = {one["item"]: one["error"] for one in json.loads((here / "f.json").read_text())["failures"]}
    assert set(failures) == {one["id"] for one in odd}
    for number, fields in enumerate(ODD):
        field = list(fields)[-1 if "seed" in fields else 0]
        assert field in failures[f"odd {number}"] or "s3" in failures[f"odd {number}"]
    assert (here / "out/motions/good.pt").is_file() and len(read(here / "out/archive.json")) == len(odd) + 1


@pytest.mark.parametrize("flag", ["--dry-run", "--judge=none"])
def test_a_plan_and_a_run_to_the_end_tell_the_same(command, tmp_path, flag):
    here = tmp_path / "my folder (ü) #1"
    save_clip(here / "wave.pt")
    save_json(here / "in.json", [{"id": 1, "prompt": "w", "motion_path": []}, {"id": 2, "motion_path": "wave.pt"}])
    code, out, err = command("in.json", "-o", "out", flag, *(["--judge", "none"] if flag == "--dry-run" else []))
    assert "entry 1 has motion_path [], expected paths" in out + err
    assert code == (0 if flag == "--dry-run" else 1)
