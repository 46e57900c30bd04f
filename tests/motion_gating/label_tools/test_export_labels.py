"""Entries for Label Studio and FiftyOne, and the way back from Label Studio."""

from __future__ import annotations

import json
import os
from xml.etree import ElementTree

import pytest
from command_support import save_json

from motion_gating.export_labels import main
from motion_gating.label_tools.fiftyone_samples import heading
from motion_gating.verdicts.verdict_file import read_verdicts

DIGESTS = {"motion": "m" * 32, "clip": "c" * 32, "text": "t" * 32, "text_field": "prompt"}
RECORD = {"id": 7, "jitter_degree": 0.01, "vlm_matches": True, "vlm_analysis": "It walks.", "use_ref_motion": False}


@pytest.fixture
def folder(tmp_path):
    """Two entries, of which one has a video, a record and a verdict of Ann."""
    entries = [{"id": 7, "prompt": "a person walks", "video_path": "r/a b.mp4"}, {"id": "8", "video_path": "r/8.mp4"}]
    save_json(tmp_path / "a.json", entries)
    save_json(tmp_path / "report.json", [{**RECORD, "reasons": ["too fast"], "content": DIGESTS}])
    (tmp_path / "r").mkdir()
    for name in ("a b", "7"):
        (tmp_path / f"r/{name}.mp4").write_bytes(b"any bytes")
    ann = {"id": 7, "matches": False, "analysis": "It runs.", "usable": False, "reviewer": "Ann"}
    save_json(tmp_path / "ann.json", [ann])
    return tmp_path


def exported(folder, *flags, code=1):
    """What the file holds; one entry has no video, so the exit code is 1."""
    files = ["--meta-json", folder / "a.json", "--quality-report", folder / "report.json", "-o", folder / "out.json"]
    words = (*files, "--verdicts", folder / "ann.json", *flags)
    assert main([str(word) for word in words]) == code
    return json.loads((folder / "out.json").read_text())


def answered(task, verdict, **more):
    """The task as Label Studio exports it after somebody labelled it."""
    result = [{"from_name": "verdict", "to_name": "video", "type": "choices", "value": {"choices": [verdict]}}]
    annotation = {"id": 3, "completed_by": {"id": 1, "email": "bea@x.org"}, "result": result, "was_cancelled": False}
    times = {"created_at": "2026-11-01T10:00:00.000000Z", "updated_at": "2026-11-01T11:00:00.000000Z"}
    return {"id": 1, "data": task["data"], "annotations": [{**annotation, **times, **more}], "predictions": []}


def test_a_task_has_video_text_figures_and_verdicts(folder, capsys):
    (task,) = exported(folder, "--format", "label-studio")
    assert task["data"]["video"] == "/data/local-files/?d=r/a%20b.mp4"
    assert task["data"]["text"] == "a person walks"
    assert task["data"]["jitter_degree"] == 0.01
    assert task["data"]["figures"] == "rejected: too fast. jitter_degree 0.01"
    said = {label["from_name"]: label["value"] for label in task["annotations"][0]["result"]}
    assert said == {
        "verdict": {"choices": ["mismatch"]},
        "use": {"choices": ["not usable"]},
        "analysis": {"text": ["It runs."]},
    }
    assert task["predictions"][0]["result"][0]["value"] == {"choices": ["match"]}
    printed = capsys.readouterr()
    assert "1 entry has no video file and was omitted" in printed.err
    assert "out.xml" in printed.out


def test_the_labels_name_what_the_tasks_hold(folder):
    (task,) = exported(folder, "--format", "label-studio")
    root = ElementTree.parse(folder / "out.xml").getroot()
    shown = {node.get("value").removeprefix("$") for node in root if node.get("value")}
    assert shown == {"text", "video", "figures"}
    assert shown <= set(task["data"])
    choices = {node.get("name"): [choice.get("value") for choice in node] for node in root.iter("Choices")}
    assert choices == {"verdict": ["match", "mismatch", "unsure"], "use": ["usable", "not usable"]}
    assert {label["from_name"] for label in task["annotations"][0]["result"]} == {*choices, "analysis"}


def test_videos_lie_below_the_folder_that_label_studio_serves(folder):
    save_json(folder / "a.json", [{"id": 7, "video_path": "r/7.mp4"}, {"id": 8, "video_path": "https://h.org/8.mp4"}])
    tasks = exported(folder, "--format", "label-studio", "--media-root", folder.parent, code=0)
    assert [task["data"]["video"] for task in tasks] == [
        f"/data/local-files/?d={folder.name}/r/7.mp4",
        "https://h.org/8.mp4",
    ]


@pytest.mark.parametrize(("label", "matches"), [("match", True), ("mismatch", False), ("unsure", None)])
def test_what_label_studio_exports_is_a_verdict_file(folder, label, matches):
    (task,) = exported(folder, "--format", "label-studio")
    save_json(folder / "labelled.json", [answered(task, label)])
    (verdict,) = read_verdicts(folder / "labelled.json")["7"]
    assert (verdict.matches, verdict.reviewer, verdict.time.hour) == (matches, "bea@x.org", 11)
    assert verdict.content.as_dict() == DIGESTS


def test_skipped_and_empty_annotations_are_no_verdicts(folder):
    (task,) = exported(folder, "--format", "label-studio")
    save_json(folder / "labelled.json", [answered(task, "match", was_cancelled=True), answered(task, "x", result=[])])
    assert read_verdicts(folder / "labelled.json") == {}


def test_a_sample_of_fiftyone_has_only_declared_fields(folder):
    data = exported(folder, "--format", "fiftyone")
    (sample,) = data["samples"]
    assert data["media_type"] == "video"
    assert set(sample) - set(heading("x")["sample_fields"]) == {"filepath", "tags"}
    assert sample["filepath"] == str(folder / "r/a b.mp4")
    assert (sample["gate"]["label"], sample["judge"]["label"], sample["jitter_degree"]) == ("rejected", "match", 0.01)
    (ann,) = sample["people"]["classifications"]
    assert (ann["label"], ann["reviewer"], ann["analysis"]) == ("mismatch", "Ann", "It runs.")
    assert not (folder / "out.xml").exists()


def test_no_file_of_the_archive_is_overwritten(folder, capsys):
    save_json(folder / "a.json", [{"id": 7, "video_path": "out.xml"}])
    (folder / "out.xml").write_text("mine")
    with pytest.raises(FileNotFoundError):
        exported(folder, "--format", "label-studio", code=2)
    assert (folder / "out.xml").read_text() == "mine"
    assert "out.xml" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--meta-json", "--quality-report", "--verdicts"])
def test_the_labels_overwrite_no_input(folder, capsys, flag):
    files = {"--meta-json": "a.json", "--quality-report": "report.json", "--verdicts": "ann.json"}
    (folder / "out.xml").hardlink_to(folder / files[flag])
    before = (folder / "out.xml").read_bytes()
    words = [str(part) for name, file in files.items() for part in (name, folder / file)]
    assert main([*words, "--format", "label-studio", "-o", str(folder / "out.json")]) == 2
    assert f"the labels of --output and {flag}" in capsys.readouterr().err
    assert (folder / "out.xml").read_bytes() == before


def test_a_name_too_long_for_a_file_is_one_missing_video(folder):
    save_json(folder / "a.json", [{"id": 7, "video_path": "r/a b.mp4"}, {"id": 8, "video_path": "x" * 400}])
    assert len(exported(folder, "--format", "label-studio")) == 1


@pytest.mark.parametrize("named", ["[" * 50_000, "1" * 5_000, "NaN"])
def test_an_id_that_is_no_json_stays_text(folder, named):
    save_json(folder / "back.json", [answered({"data": {"entry_id": named}}, "match")])
    assert list(read_verdicts(folder / "back.json")) == [named]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"entry_id": [7]}, "has the id [7], expected a number or a string"),
        ({"entry_id": None}, "is not an object with id and matches"),
        ({"content": "none"}, "content field"),
    ],
)
def test_an_odd_annotation_costs_itself_only(folder, capsys, change, words):
    (task,) = exported(folder, "--format", "label-studio")
    odd = {**task, "data": {**task["data"], **change}}
    capsys.readouterr()
    save_json(folder / "labelled.json", [answered(odd, "match"), answered(task, "mismatch"), answered(odd, "unsure")])
    verdicts = read_verdicts(folder / "labelled.json")
    assert [one.matches for one in verdicts["7"]] == [False]
    (line,) = capsys.readouterr().err.splitlines()
    assert "2 annotations are left out" in line and words in line


def test_who_annotates_a_task_again_has_one_verdict(folder):
    (task,) = exported(folder, "--format", "label-studio")
    again = answered(task, "match")["annotations"][0]
    first = answered(task, "mismatch", updated_at="2026-10-01T11:00:00.000000Z")
    save_json(folder / "labelled.json", [{**first, "annotations": [*first["annotations"], again]}])
    assert [one.matches for one in read_verdicts(folder / "labelled.json")["7"]] == [True]


def test_a_name_of_any_bytes_has_an_address(folder):
    name = os.fsdecode(b"r/\xff\xfe a.mp4")
    (folder / name).write_bytes(b"any bytes")
    save_json(folder / "a.json", [{"id": 7, "video_path": name}, {"id": 8, "video_path": "sftp://"}])
    (task,) = exported(folder, "--format", "label-studio")
    assert task["data"]["video"] == "/data/local-files/?d=r/%FF%FE%20a.mp4"


def returned(tasks):
    """Tasks as Label Studio exports them after an import: it names its user, and the time of the import."""
    mine = {"completed_by": 1, "created_at": "2026-11-26T10:00:00Z", "updated_at": "2026-11-26T10:00:00Z"}
    return [{**task, "annotations": [{**one, **mine} for one in task["annotations"]]} for task in tasks]


def test_reviewers_come_back_from_label_studio_as_themselves(folder):
    bea = {"id": 7, "matches": True, "reviewer": "Bea", "time": "2026-01-02T03:04:05Z", "overruled": True}
    save_json(folder / "bea.json", [bea])
    tasks = exported(folder, "--format", "label-studio", "--verdicts", folder / "bea.json")
    save_json(folder / "back.json", returned(tasks))
    found = {verdict.reviewer: verdict for verdict in read_verdicts(folder / "back.json")["7"]}
    assert {name: (one.matches, one.overruled) for name, one in found.items()} == {
        "Ann": (False, False),
        "Bea": (True, True),
    }
    assert found["Ann"].time is None and found["Bea"].time.isoformat() == "2026-01-02T03:04:05+00:00"
    changed = returned(tasks)
    changed[0]["annotations"][0]["result"][0]["value"] = {"choices": ["unsure"]}
    save_json(folder / "back.json", changed)
    assert {one.reviewer: one.matches for one in read_verdicts(folder / "back.json")["7"]} == {
        "Label Studio user 1": None,
        "Bea": True,
    }, "who changed it is who says it"


def test_a_verdict_on_another_text_is_not_exported_as_one_on_this(folder, capsys):
    old = {"motion": None, "clip": None, "text": "0" * 32}
    save_json(folder / "ann.json", [{"id": 7, "matches": False, "reviewer": "Ann", "content": old}])
    (task,) = exported(folder, "--format", "label-studio")
    assert task["annotations"] == []
    assert "1 verdict was given on another motion, clip or text and were omitted" in capsys.readouterr().err


def test_one_entry_with_an_invalid_address_costs_only_itself(folder, capsys):
    entries = [{"id": 1, "video_path": "gopher://x/y.mp4"}, {"id": 7, "video_path": "r/7.mp4"}]
    save_json(folder / "a.json", entries)
    assert len(exported(folder, "--format", "label-studio")) == 1
    assert "1 entry names an unusable file and was omitted, for example: gopher://" in capsys.readouterr().err


def test_a_video_with_any_name_and_one_that_label_studio_cannot_serve(folder, capsys):
    name = os.fsdecode(b"caf\xe9 #1.mp4")
    (folder / name).write_bytes(b"any bytes")
    save_json(folder / "a.json", [{"id": 7, "video_path": "r/7.mp4"}, {"id": 8, "video_path": name}])
    tasks = exported(folder, "--format", "label-studio", "--media-root", folder / "r", code=0)
    assert tasks[1]["data"]["video"] == "/data/local-files/?d=../caf%E9%20%231.mp4"
    assert f"1 video lies outside {folder / 'r'}" in capsys.readouterr().err
