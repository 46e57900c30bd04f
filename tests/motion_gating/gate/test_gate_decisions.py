"""The gate without a service: verdicts by people, decisions, report, metadata, exit codes."""

from __future__ import annotations

import json

import pytest
import torch
from gate_support import GeminiProtocol, Service, always, gate, jittery_joints, make_archive, read, smooth_joints

FIVE_KEYS = ["id", "jitter_degree", "vlm_analysis", "vlm_matches", "use_ref_motion"]


def verdicts(meta, *items):
    """A verdict file beside the archive."""
    path = meta.with_name("verdicts.json")
    path.write_text(json.dumps([dict(zip(("id", "matches", "analysis"), item, strict=False)) for item in items]))
    return path


def test_three_outcomes_reach_report_and_metadata(tmp_path):
    meta = make_archive(tmp_path, (0, "b", "../c d", 3))
    before = read(meta)
    before[3]["use_ref_motion"] = False
    meta.write_text(json.dumps(before))
    people = verdicts(meta, (0, True, "yes"), ("b", False, "no"), ("../c d", None, "too dark"))
    done = gate(meta, "--judge", "manual", "--verdicts", people)
    assert done.returncode == 1
    report, after = read(tmp_path / "report.json"), read(meta)
    assert [list(record)[:5] for record in report] == [FIVE_KEYS] * 4
    assert [record["id"] for record in report] == [0, "b", "../c d", 3]
    assert [record["vlm_matches"] for record in report] == [True, False, None, None]
    assert [record["use_ref_motion"] for record in report] == [True, False, None, None]
    assert [record["vlm_error_kind"] for record in report] == [None, None, "unsure", "no_verdict"]
    assert [entry.get("use_ref_motion", "absent") for entry in after] == [True, False, "absent", False]
    assert [
        {k: v for k, v in entry.items() if k not in ("use_ref_motion", "judged_content")} for entry in after[:3]
    ] == before[:3]


def test_all_decided_ends_with_zero(tmp_path):
    meta = make_archive(tmp_path, (1, 2))
    done = gate(
        meta,
        "--judge",
        "manual",
        "--verdicts",
        verdicts(meta, ("1", True), (2, False)),
        "--output-json",
        tmp_path / "out" / "b.json",
    )
    assert done.returncode == 0, done.stderr
    assert [entry["use_ref_motion"] for entry in read(tmp_path / "out" / "b.json")] == [True, False]
    assert "use_ref_motion" not in read(meta)[0]


def test_jitter_rejects_whatever_people_say(tmp_path):
    meta = make_archive(tmp_path, (1,), joints=jittery_joints())
    assert gate(meta, "--judge", "manual", "--verdicts", verdicts(meta, (1, True))).returncode == 0
    record = read(tmp_path / "report.json")[0]
    assert record["use_ref_motion"] is False
    assert record["failed_checks"] == ["jitter_degree"]
    assert "not below 0.04" in " ".join(record["reasons"])


def test_max_samples_keeps_every_entry(tmp_path):
    meta = make_archive(tmp_path, range(5))
    before = read(meta)
    assert (
        gate(
            meta, "--judge", "manual", "--verdicts", verdicts(meta, (0, True), (1, True)), "--max-samples", 2
        ).returncode
        == 0
    )
    after = read(meta)
    assert len(read(tmp_path / "report.json")) == 2
    assert after[2:] == before[2:]
    assert [entry["use_ref_motion"] for entry in after[:2]] == [True, True]


def test_global_id_identifies_where_present(tmp_path):
    meta = make_archive(tmp_path, (0, 1))
    entries = read(meta)
    entries[0]["global_id"] = 17
    meta.write_text(json.dumps(entries))
    assert gate(meta, "--judge", "manual", "--verdicts", verdicts(meta, (17, True), (1, False))).returncode == 0
    assert [(record["id"], record["vlm_matches"]) for record in read(tmp_path / "report.json")] == [
        (17, True),
        (1, False),
    ]


def test_on_undecided_reject_rejects_and_still_says_that_something_is_missing(tmp_path):
    meta = make_archive(tmp_path, (0, 1))
    done = gate(meta, "--judge", "manual", "--verdicts", verdicts(meta, (0, True)), "--on-undecided", "reject")
    assert done.returncode == 1
    assert [entry["use_ref_motion"] for entry in read(meta)] == [True, False]
    assert read(tmp_path / "report.json")[1]["vlm_matches"] is None


def test_judge_none_gives_figures_and_decides_only_what_jitter_decides(tmp_path):
    meta = make_archive(tmp_path, (0, 1))
    torch.save({"joints": jittery_joints(), "fps": 16.0}, tmp_path / "1_eval.pt")
    assert gate(meta, "--judge", "none").returncode == 1
    assert [record["use_ref_motion"] for record in read(tmp_path / "report.json")] == [None, False]


@pytest.mark.parametrize(
    ("flag", "value", "check"),
    [
        ("--max-foot-sliding", 1e-6, "mbench_foot_sliding"),
        ("--max-foot-floating", 1e-6, "mbench_foot_floating"),
        ("--max_ground_penetration", 1e-6, "ground_penetration"),
        ("--max-dynamic-degree", 1e-6, "dynamic_degree"),
        ("--min-dynamic-degree", 1e6, "dynamic_degree"),
    ],
)
def test_each_metric_has_a_threshold_that_rejects(tmp_path, flag, value, check):
    joints = smooth_joints()
    joints[3, 11, 1] = -0.1
    joints[:, :, 0] += torch.arange(len(joints))[:, None] * 0.004  # feet that glide along with the pelvis
    meta = make_archive(tmp_path, (0,), joints=joints)
    people = verdicts(meta, (0, True))
    assert gate(meta, "--judge", "manual", "--verdicts", people, "--jitter-threshold", 9, flag, value).returncode == 0
    assert check in read(tmp_path / "report.json")[0]["failed_checks"]


BAD_EVALS = {
    "nan": {"joints": torch.full((9, 22, 3), float("nan"))},
    "shape": {"joints": torch.zeros(9, 21, 3)},
    "two frames": {"joints": torch.zeros(2, 22, 3)},
    "no joints": {"vertices": torch.zeros(9, 22, 3)},
    "a list": [1, 2],
    "no time": {"joints": torch.zeros(9, 22, 3), "fps": float("nan")},
    "fps text": {"joints": torch.zeros(9, 22, 3), "fps": "fast"},
    "slow": {"joints": torch.zeros(9, 22, 3), "fps": 1e-9},
    "text joints": {"joints": "many"},
    "too short at 16": {"joints": torch.zeros(3, 22, 3), "fps": 60.0},
}


def test_unusable_eval_files_leave_their_entries_undecided_and_say_why(tmp_path):
    meta = make_archive(tmp_path, range(len(BAD_EVALS) + 3))
    for number, content in enumerate(BAD_EVALS.values()):
        torch.save(content, tmp_path / f"{number}_eval.pt")
    count = len(BAD_EVALS)
    (tmp_path / f"{count}_eval.pt").unlink()
    (tmp_path / f"{count + 1}_eval.pt").write_bytes((tmp_path / f"{count + 2}_eval.pt").read_bytes()[:500])
    people = verdicts(meta, *((number, True) for number in range(count + 3)))
    done = gate(meta, "--judge", "manual", "--verdicts", people)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    report = read(tmp_path / "report.json")
    assert [record["use_ref_motion"] for record in report] == [None] * (count + 2) + [True]
    assert all(record["metrics_error"] and "_eval.pt: " in record["metrics_error"] for record in report[:-1])
    assert all("use_ref_motion" not in entry for entry in read(meta)[:-1])


def test_an_entry_without_eval_field_is_still_rejected_by_a_mismatch(tmp_path):
    meta = make_archive(tmp_path, (0,))
    meta.write_text(json.dumps([{"id": 0, "prompt": "x"}]))
    assert gate(meta, "--judge", "manual", "--verdicts", verdicts(meta, (0, False))).returncode == 1
    assert read(meta)[0]["use_ref_motion"] is False


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("{", "is not JSON"),
        ("{}", "contains a JSON object, expected a list like"),
        ("[3]", "item 0"),
        ('[{"id": 1}]', "id and matches"),
        ('[{"id": 1, "matches": "yes"}]', "'yes'"),
        ('[{"id": [1], "matches": true}]', "[1]"),
        ('[{"id": 1, "matches": true, "analysis": 3}]', "analysis"),
        ('[{"id": 1, "matches": true}, {"id": "1", "matches": true}]', "two verdicts"),
    ],
)
def test_a_wrong_verdict_file_is_one_line_and_exit_2(tmp_path, content, found):
    meta = make_archive(tmp_path, (1,))
    before = meta.read_bytes()
    (tmp_path / "v.json").write_text(content)
    done = gate(meta, "--judge", "manual", "--verdicts", tmp_path / "v.json")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert found in done.stderr
    assert "v.json" in done.stderr
    assert meta.read_bytes() == before
    assert not (tmp_path / "report.json").exists()


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        (["--judge", "manual"], "--verdicts"),
        (["--judge", "gemini"], "no Gemini key"),
        (["--judge", "openai"], "--vlm-base-url"),
        (["--judge", "gemini", "--votes", "2"], "odd"),
        (["--judge", "gemini", "--gemini-api-key", "a b"], "Copy it again"),
        (["--judge", "none", "--output-json", "report.json"], "same file"),
        (["--gemini-key", "a-misplaced-secret"], "[key]"),
        (["--api_key=a-misplaced-secret"], "[key]"),
    ],
)
def test_missing_prerequisites_are_one_line_and_exit_2(tmp_path, flags, found):
    meta = make_archive(tmp_path, (1,))
    flags = [str(tmp_path / flag) if flag == "report.json" else flag for flag in flags]
    done = gate(meta, *flags, key=None)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert found in done.stderr
    assert "a b" not in done.stderr
    assert "misplaced" not in done.stderr


def test_a_second_run_that_decides_otherwise_replaces_the_first(tmp_path):
    meta = make_archive(tmp_path, (1,))
    for matches in (True, False):
        gate(meta, "--judge", "manual", "--verdicts", verdicts(meta, (1, matches)))
        assert read(meta)[0]["use_ref_motion"] is matches


def test_the_run_block_says_with_what_and_how_many(tmp_path):
    meta = make_archive(tmp_path, (1, 2))
    gate(meta, "--judge", "manual", "--verdicts", verdicts(meta, (1, True)))
    block = read(tmp_path / "report.run.json")
    assert (block["counts"]["passed"], block["counts"]["undecided"]) == (1, 1)
    assert block["limits"]["jitter_degree"] == 0.04
    assert block["judge"] == "manual"
    assert block["started"] <= block["finished"]


@pytest.mark.parametrize(
    "path",
    ["a\0b", "\ud800", "x" * 5000, "/", ".", "", 7, None, ["a"], "../" * 40 + "etc/passwd", "~/a", "a\nb"],
    ids=range(12),
)
def test_paths_that_cannot_be_leave_their_entry_undecided(tmp_path, path):
    meta = make_archive(tmp_path, (0, 1))
    entries = read(meta)
    entries[0] |= {"video_path": path, "mbench_eval_path": path}
    meta.write_text(json.dumps(entries))
    done = gate(meta, "--judge", "manual", "--verdicts", verdicts(meta, (0, True), (1, True)))
    assert done.returncode == 1, done.stderr
    assert [record["use_ref_motion"] for record in read(tmp_path / "report.json")] == [None, True]
    with Service(always(GeminiProtocol.answer())) as server:
        assert gate(meta, server=server).returncode == 1
    assert len(server.requests) == 1
    assert read(tmp_path / "report.json")[0]["vlm_error_kind"] == "no_question"
