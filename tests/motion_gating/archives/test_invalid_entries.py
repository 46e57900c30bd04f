"""Items of an archive that are no entries: each fails alone and is kept, in every command that takes an archive."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_support import files_in, save_json
from sample_motions import smooth_clip

from motion_gating import (
    apply_quality_gate,
    build_report,
    evaluate_gate,
    export_for_tm2m,
    export_labels,
    make_archive,
    prepare_motions,
    rank_candidates,
    render_mbench_videos,
)
from motion_rep.motions.motion_file import MotionClip, write_motion
from scripts.lib import list_prompts

SIZE = ("--width", "96", "--height", "64")
# The text of each item, and what is said about it; the entries 0 and 1 stand between them.
INVALID = (
    ('{"id": null, "prompt": "x", "motion_path": "0.pt", "use_ref_motion": true}', "has the id None"),
    ('{"id": [1], "prompt": "x", "motion_path": "0.pt", "use_ref_motion": false}', "has the id [1]"),
    ('{"id": 7, "prompt": "x", "motion_path": "0.pt"}', "has a duplicate id"),
    ('"text"', "is a JSON string"),
    ('{"id": "7", "prompt": "y", "motion_path": "1.pt", "use_ref_motion": true}', "has a duplicate id"),
    ('{"id": 2, "prompt": "x", "motion_path": "0.pt", "size": NaN}', "contains NaN"),
    ("[[1], [2]]", "is a JSON list"),
)
NAMES = ("number 0", "number 1", "7 (number 3)", "number 4", "7 (number 5)", "number 6", "number 8")


@pytest.fixture
def archive(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in range(2):
        write_motion(tmp_path / f"{number}.pt", MotionClip(smooth_clip(81, number, 0.3).motion, fps=16.0))
    good = [json.dumps({"id": n, "prompt": f"person {n} walks", "motion_path": f"{n}.pt"}) for n in range(2)]
    texts = [text for text, _ in INVALID]
    Path("a.json").write_text("[" + ",\n".join([*texts[:2], good[0], *texts[2:6], good[1], *texts[6:]]) + "]")
    return tmp_path


def run(main, *words: object) -> int:
    return main([str(word) for word in words])


def rendered(code: int = 1) -> None:
    assert run(render_mbench_videos.main, "--meta-json", "a.json", "--output-json", "r.json", "--output-dir", "v",
               "--failures", "f.json", *SIZE) == code  # fmt: skip


def gated(verdicts: list[dict]) -> list[dict]:
    save_json(Path("verdicts.json"), verdicts)
    assert run(apply_quality_gate.main, "--meta-json", "r.json", "--output-json", "g.json", "--quality-report",
               "q.json", "--judge", "manual", "--verdicts", "verdicts.json", "--failures", "f.json") == 1  # fmt: skip
    return json.loads(Path("q.json").read_text())


def kept(path: str) -> list[object]:
    """The items that are no entries, as an archive written by a command has them."""
    return [item for item in json.loads(Path(path).read_text()) if not _is_good(item)]


def _is_good(item: object) -> bool:
    return isinstance(item, dict) and item.get("id") in (0, 1)


def as_written() -> list[object]:
    """The same items without a true, and the unreadable one as a text."""
    items = [{"unreadable": text} if "NaN" in text else json.loads(text) for text, _ in INVALID]
    untrue = ({k: v for k, v in item.items() if (k, v) != ("use_ref_motion", True)} if isinstance(item, dict) else item
              for item in items)  # fmt: skip
    return list(untrue)


def failures() -> dict[object, str]:
    return {one["item"]: one["error"] for one in json.loads(Path("f.json").read_text())["failures"]}


def test_renderer_and_gate_judge_the_others(archive, capsys):
    rendered()
    assert sorted(files_in(archive / "v")) == ["0.mp4", "0_eval.pt", "1.mp4", "1_eval.pt"]
    assert list(failures()) == list(NAMES)
    assert all(said in found for (_, said), found in zip(INVALID, failures().values(), strict=True))
    assert kept("r.json") == as_written()
    capsys.readouterr()
    everybody = [{"id": one, "matches": True} for one in (0, 1, 2, 7, *NAMES)]
    records = gated(everybody)
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == len(INVALID) and all(name in line for name, line in zip(NAMES, errors, strict=True))
    assert {one["id"]: one["use_ref_motion"] for one in records} == {0: True, 1: True, **dict.fromkeys(NAMES)}
    assert list(failures()) == list(NAMES) and kept("g.json") == as_written()
    assert [item["use_ref_motion"] for item in json.loads(Path("g.json").read_text()) if _is_good(item)] == [True, True]


def test_the_rest_of_the_chain_goes_on(archive, capsys):
    rendered()
    gated([{"id": one, "matches": True} for one in (0, 1)])
    page = ("--meta-json", "g.json", "--output", "page", "--no-side-view", "--failures", "f.json")
    for report in ((), ("--quality-report", "q.json")):
        assert run(build_report.main, *page, *report) == 1
        assert list(failures()) == list(NAMES)
        index = (archive / "page/index.html").read_text()
        assert all(name in index for name in NAMES)
    assert run(rank_candidates.main, "--meta-json", "g.json", "--output-json", "c.json", "--judge", "none") == 1
    assert kept("c.json") == kept("c_candidates.json") == as_written()
    (archive / "ViMoGen").mkdir()
    capsys.readouterr()
    assert run(export_for_tm2m.main, "--meta-json", "g.json", "--vimogen-root", "ViMoGen", "-o", "t.json") == 1
    said = capsys.readouterr()
    assert "9 entries, 2 with a reference motion, 7 with faults, 7 left out (not valid)" in said.out
    assert [item["id"] for item in json.loads(Path("t.json").read_text())] == [0, 1]
    for form in ("label-studio", "fiftyone"):
        assert run(export_labels.main, "--meta-json", "g.json", "--format", form, "-o", "l.json") == 1
        assert "2 entries in l.json" in capsys.readouterr().out
    save_json(archive / "labels.json", [{"id": one, "matches": True} for one in (0, 1, *NAMES)])
    assert run(evaluate_gate.main, "--labels", "labels.json", "--quality-report", "q.json", "--output", "e.json") == 0
    assert json.loads(Path("e.json").read_text())["labels"]["gate"]["decided"] == 2


def test_a_gate_that_rejects_the_undecided_keeps_them_too(archive):
    rendered()
    gated([{"id": 0, "matches": True}])
    for output in ((), ("--output-json", "g.json")):  # in place, and into another file
        assert run(apply_quality_gate.main, "--meta-json", "r.json", "--quality-report", "q.json", "--judge", "none",
                   "--on-undecided", "reject", *output) == 1  # fmt: skip
        assert kept(output[1] if output else "r.json") == as_written()


def test_new_entries_beside_invalid_ones(archive, capsys):
    (archive / "None.mp4").write_bytes(b"video")
    assert run(make_archive.main, "None.mp4", "-o", "a.json") == 0
    assert sum(line.startswith("warning: ") for line in capsys.readouterr().err.splitlines()) == len(INVALID)
    assert kept("a.json")[: len(INVALID)] == as_written()
    assert kept("a.json")[len(INVALID) :][0]["id"] == 8  # 7 is taken, although twice


def test_prompts_of_the_others_are_listed(archive, capfdbinary):
    entries = [{"id": 1, "prompt": "a"}, {"id": 2}, {"id": 3, "prompt": "b\0"}, {"id": 4, "prompt": "c", "seed": "x"},
               {"id": None, "prompt": "d"}, {"id": 5, "prompt": "e"}]  # fmt: skip
    save_json(archive / "a.json", entries)
    assert run(list_prompts.main, "a.json") == 1
    found = capfdbinary.readouterr()
    assert found.out.split(b"\0")[::5] == [b"1", b"5", b""]
    errors = found.err.decode().splitlines()
    assert [any(f"entry {one}" in line for line in errors) for one in (2, 3, 4, "number 4")] == [True] * 4


def test_prepare_motions_prepares_the_others(archive, capsys):
    save_json(
        archive / "b.json", [{"id": 1, "prompt": "x", "motion_path": "0.pt"}, 5, {"id": 9, "motion_path": "1.pt"}]
    )
    Path("lines.txt").write_text("".join(f"text {number}\n" for number in range(9)))
    code = run(prepare_motions.main, "a.json", "-o", "out", "--until", "motion", "--failures", "f.json", "--prompts",
               "lines.txt")  # fmt: skip
    assert (code, list(failures())) == (1, list(NAMES))
    relative = json.loads(json.dumps(kept("out/archive.json")).replace(f"{archive}/", ""))
    assert relative == as_written()
    assert sorted(path.name for path in (archive / "out/motions").iterdir()) == ["0.pt", "1.pt"]
    code = run(prepare_motions.main, "a.json", "b.json", "-o", "two", "--until", "motion", "--failures", "f.json")
    assert code == 1
    assert list(failures()) == [*NAMES[:6], "1", NAMES[6], "1 (2)", "number 1 (2)"]
    assert sorted(path.name for path in (archive / "two/motions").iterdir()) == ["0.pt", "9.pt"]


def test_a_wrong_verdict_costs_only_itself(archive, capsys):
    save_json(
        archive / "a.json", [{"id": n, "prompt": f"person {n} walks", "motion_path": f"{n}.pt"} for n in range(2)]
    )
    rendered(0)
    wrong = [{"id": 0, "matches": True}, {"id": 1, "matches": False}, {"id": 2, "matches": 5}]
    assert [one["use_ref_motion"] for one in gated(wrong)] == [True, False]
    archives = {"rank": ("c.json",), "page": ("page", "--no-side-view"), "labels": ("l.json", "--format", "fiftyone")}
    for name, (output, *flags) in archives.items():
        main = {"rank": rank_candidates, "page": build_report, "labels": export_labels}[name].main
        judge = ("--judge", "none") if name == "rank" else ()
        capsys.readouterr()
        assert run(main, "--meta-json", "g.json", {"rank": "--output-json"}.get(name, "--output"), output, *flags,
                   "--verdicts", "verdicts.json", *judge) == 1  # fmt: skip
        assert "item 2 (id 2) has matches 5" in capsys.readouterr().err
    evaluate = ("--labels", "verdicts.json", "--quality-report", "q.json", "--output", "e.json")
    assert run(evaluate_gate.main, *evaluate) == 1
    assert json.loads(Path("e.json").read_text())["labels"]["gate"]["decided"] == 2


def test_the_gate_uses_the_verdict_on_the_current_motion(archive):
    save_json(archive / "a.json", [{"id": 0, "prompt": "person 0 walks", "motion_path": "0.pt"}])
    rendered(0)
    record = json.loads(Path("q.json").read_text())[0] if gated([{"id": 0, "matches": None}]) else {}
    current = {
        "id": 0,
        "matches": True,
        "reviewer": "Ann",
        "time": "2026-01-01T00:00:00Z",
        "content": record["content"],
    }
    other = {**current, "matches": False, "time": "2026-02-01T00:00:00Z",
             "content": {**record["content"], "motion": "0" * 32}}  # fmt: skip
    save_json(Path("v.json"), [current, other])
    flags = ("--meta-json", "r.json", "--output-json", "g.json", "--quality-report", "q.json")
    assert run(apply_quality_gate.main, *flags, "--judge", "manual", "--verdicts", "v.json") == 0
    assert json.loads(Path("g.json").read_text())[0]["use_ref_motion"] is True


def test_a_wrong_record_of_a_report_costs_only_itself(archive, capsys):
    save_json(archive / "a.json", [{"id": 0, "prompt": "p"}, {"id": 1, "prompt": "q"}])
    record = {"jitter_degree": None, "vlm_matches": None, "use_ref_motion": False, "reasons": ["seen"]}
    texts = ["5", "null", '{"id": 3, "x": NaN}', json.dumps({**record, "id": 0}), "[]", json.dumps({**record, "id": 1})]
    Path("q.json").write_text(f"[{', '.join(texts)}]")
    page = ("--meta-json", "a.json", "--output", "page", "--no-side-view", "--quality-report", "q.json")
    assert run(build_report.main, *page) == 0
    assert "q.json: 4 items are no records with an id; they were omitted" in capsys.readouterr().err
    index = (archive / "page/index.html").read_text()
    assert index.count('"decision": false') + index.count('"decision":false') == 2
    save_json(archive / "labels.json", [{"id": one, "matches": True} for one in (0, 1)])
    assert run(evaluate_gate.main, "--labels", "labels.json", "--quality-report", "q.json", "--output", "e.json") == 0
    assert json.loads(Path("e.json").read_text())["labels"]["gate"]["decided"] == 2
