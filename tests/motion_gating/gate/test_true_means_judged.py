"""``use_ref_motion: true`` stands only for the motion and the text that were judged."""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
import subprocess

import pytest
import torch
from gate_support import OpenAIProtocol, Service, always, command, gate, read, verdict
from sample_motions import smooth_clip

from motion_gating import apply_quality_gate, build_report, render_mbench_videos
from motion_gating.archives.content import motion_digest, text_digest
from motion_gating.archives.paths import path_in_archive
from motion_gating.gate import gate as gate_module
from motion_gating.gate import write_back
from motion_gating.rendering import archive_run, clip_render
from motion_rep.motions.motion_file import MotionClip, read_motion, write_motion


def render(folder, output="rendered.json", source="meta.json", *flags, code=0):
    size = ["--width", "32", "--height", "32"]
    paths = ["--meta-json", folder / source, "--output-json", folder / output, "--output-dir", folder / "renders"]
    assert render_mbench_videos.main([*map(str, paths), *size, *flags]) == code
    return read(folder / output)


def save_motion(path, seed=0, fps=16.0):
    write_motion(path, MotionClip(smooth_clip(160, seed=seed, reach=0.2).motion[:40], fps=fps))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """An archive that came with a true and a false, and its clips, which later renderings of the same motions take."""
    folder = tmp_path_factory.mktemp("drawn")
    (folder / "motions").mkdir()
    entries = []
    for number in range(2):
        save_motion(folder / f"motions/{number}.pt", number)
        path = f"motions/{number}.pt"
        entries.append({"id": number, "prompt": f"walk {number}", "motion_path": path, "use_ref_motion": number == 0})
    (folder / "meta.json").write_text(json.dumps(entries))
    render(folder)
    (folder / "rendered.json").unlink()
    return folder


@pytest.fixture
def published(drawn, tmp_path):
    """The archive for one test to change."""
    shutil.copytree(drawn, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_an_unchanged_archive_keeps_what_it_came_with_and_the_report_says_so(published):
    rendered = render(published)
    assert [entry["use_ref_motion"] for entry in rendered] == [True, False]
    assert gate(published / "rendered.json", "--judge", "none").returncode == 1
    assert [entry["use_ref_motion"] for entry in read(published / "rendered.json")] == [True, False]
    record = read(published / "report.json")[0]
    assert any("kept from the archive" in reason for reason in record["reasons"]) and record["kept_from_archive"]
    assert record["content"]["text"] == text_digest("walk 0") and record["content"]["motion"]


@pytest.mark.parametrize("claim", [1, 1.0, "true", "yes", [True], {}])
def test_a_value_that_a_loader_may_take_for_true_is_no_decision(published, claim):
    meta = published / "meta.json"
    entries = read(meta)
    for entry in entries:
        entry["use_ref_motion"] = claim
    meta.write_text(json.dumps(entries))
    rendered = render(published)
    assert all("use_ref_motion" not in entry for entry in rendered)
    claiming = [{**entry, "use_ref_motion": claim} for entry in rendered]
    meta.write_text(json.dumps([*claiming, {**claiming[0], "id": 2, "motion_path": "missing.pt"}]))
    done = gate(meta, "--judge", "none", "--max-samples", 1)
    assert "3 entries lost a use_ref_motion true" in done.stderr
    assert all("use_ref_motion" not in entry for entry in read(meta))
    assert any("expected true or false" in reason for reason in read(published / "report.json")[0]["reasons"])


@pytest.mark.parametrize("damage", ["replaced", "missing", "nan", "text"])
def test_a_true_about_other_content_is_dropped_by_renderer_and_gate(published, damage):
    render(published)
    gate(published / "rendered.json", "--judge", "none")
    motion, meta = published / "motions/0.pt", published / "rendered.json"
    if damage == "replaced":
        save_motion(motion, 9)
    elif damage == "missing":
        motion.unlink()
    elif damage == "nan":
        value = torch.load(motion, weights_only=True)
        torch.save({**value, "motion": value["motion"] * float("nan")}, motion)
    else:
        meta.write_text(meta.read_text().replace("walk 0", "cartwheel"))
    shutil.copy(meta, published / "kept.json")
    gate(published / "kept.json", "--judge", "none", report="kept_report.json")
    after, record = read(published / "kept.json")[0], read(published / "kept_report.json")[0]
    assert "use_ref_motion" not in after and record["dropped_from_archive"]
    assert any("true was dropped" in reason for reason in record["reasons"])
    broken = damage in ("missing", "nan")
    again = render(published, "again.json", "rendered.json", code=int(broken))
    assert "use_ref_motion" not in again[0] and again[1]["use_ref_motion"] is False


def test_a_motion_that_was_replaced_since_it_was_rendered_is_not_judged_by_its_old_figures(published):
    render(published)
    save_motion(published / "motions/0.pt", 9)
    (published / "v.json").write_text('[{"id": 0, "matches": true}, {"id": 1, "matches": true}]')
    gate(published / "rendered.json", "--judge", "manual", "--verdicts", published / "v.json")
    record = read(published / "report.json")[0]
    assert record["use_ref_motion"] is None and "another motion" in record["metrics_error"]


def test_rendering_again_keeps_the_decisions_of_the_gate(published):
    render(published)
    (published / "v.json").write_text('[{"id": 0, "matches": false}, {"id": 1, "matches": true}]')
    gate(published / "rendered.json", "--judge", "manual", "--verdicts", published / "v.json")
    assert [entry["use_ref_motion"] for entry in render(published)] == [False, True]
    save_motion(published / "motions/1.pt", 9)
    assert [entry["use_ref_motion"] for entry in render(published)] == [False, False], "the archive's own false stays"
    assert [entry["use_ref_motion"] for entry in render(published, "rendered.json", "rendered.json")] == [False, False]


def test_an_archive_that_is_edited_during_the_run_keeps_the_edits(published, monkeypatch):
    render(published)
    meta, before = published / "rendered.json", gate_module.write_decisions
    (published / "v.json").write_text('[{"id": 0, "matches": true}, {"id": 1, "matches": true}]')

    def edit_then_write(*arguments):
        entries = read(meta)
        entries[0]["prompt"] = "sit down"
        meta.write_text(json.dumps([{"id": "new", "prompt": "x"}, *reversed(entries)]))
        return before(*arguments)

    monkeypatch.setattr(gate_module, "write_decisions", edit_then_write)
    done = gate(meta, "--judge", "manual", "--verdicts", published / "v.json")
    assert "1 entry was edited" in done.stderr
    after = {entry["id"]: entry for entry in read(meta)}
    assert list(after) == ["new", 1, 0] and after[0]["prompt"] == "sit down" and "use_ref_motion" not in after[0]
    assert after[1]["use_ref_motion"] is True and "use_ref_motion" not in after["new"]


def test_a_second_gate_on_an_archive_is_refused(published):
    render(published)
    with open(published / ".rendered.json.lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = gate(published / "rendered.json", "--judge", "none")
    assert done.returncode == 2 and "another run is writing" in done.stderr
    assert gate(published / "rendered.json", "--judge", "none").returncode == 1
    assert not list(published.glob(".*.lock"))


def test_a_known_rate_other_than_16_is_a_failed_check(published):
    save_motion(published / "motions/0.pt", fps=30.0)
    render(published)
    (published / "v.json").write_text('[{"id": 0, "matches": true}, {"id": 1, "matches": true}]')
    flags = ("--judge", "manual", "--verdicts", published / "v.json", "--jitter-threshold", 9)
    gate(published / "rendered.json", *flags)
    record = read(published / "report.json")[0]
    assert record["failed_checks"] == ["fps"] and "--target-fps 16" in " ".join(record["reasons"])
    gate(published / "rendered.json", *flags, "--any-fps")
    assert read(published / "report.json")[0]["use_ref_motion"] is True


def test_a_moved_folder_keeps_working(published, tmp_path_factory):
    render(published)
    other = tmp_path_factory.mktemp("other") / "moved"
    shutil.move(published, other)
    gate(other / "rendered.json", "--judge", "none")
    assert all(record["metrics_error"] is None for record in read(other / "report.json"))
    flags = ["--meta-json", other / "rendered.json", "--quality-report", other / "report.json"]
    assert build_report.main([*map(str, [*flags, "--output", other / "review"]), "--no-side-view"]) == 0


def test_paths_below_the_archive_are_relative_and_others_absolute(tmp_path):
    assert path_in_archive(tmp_path / "a" / "b.mp4", tmp_path / "x.json") == "a/b.mp4"
    assert path_in_archive(tmp_path / "b.mp4", tmp_path / "a" / "x.json") == str(tmp_path / "b.mp4")


def test_of_several_texts_the_first_counts(published):
    entries = read(published / "meta.json")
    entries[0] = {**entries[0], "motion_text_annot": ["a person walks", "walking"]}
    del entries[0]["prompt"]
    (published / "meta.json").write_text(json.dumps(entries))
    render(published)
    gate(published / "rendered.json", "--judge", "none")
    record = read(published / "report.json")[0]
    assert record["content"]["text"] == text_digest("a person walks") and "the first counts" in " ".join(
        record["reasons"]
    )


def judge_all(folder, *flags):
    """Gate the rendered archive with a reviewer who accepts every entry."""
    (folder / "v.json").write_text('[{"id": 0, "matches": true}, {"id": 1, "matches": true}]')
    return gate(folder / "rendered.json", "--judge", "manual", "--verdicts", folder / "v.json", *flags)


@pytest.mark.parametrize("damage", ["replaced", "missing", "text"])
@pytest.mark.parametrize("command", ["gate", "render"])
def test_an_entry_that_is_not_examined_keeps_a_true_only_with_its_content(published, damage, command):
    render(published)
    judge_all(published, "--jitter-threshold", 9)
    entries = [dict(entry, id=entry["id"] + 5) for entry in read(published / "rendered.json")]
    first, second = entries
    meta, motion = published / "rendered.json", published / "motions/1.pt"
    meta.write_text(json.dumps([{**first, "use_ref_motion": False}, first | {"id": 7}, second]))
    if damage == "replaced":
        save_motion(motion, 9)
    elif damage == "missing":
        motion.unlink()
    else:
        meta.write_text(meta.read_text().replace("walk 1", "sit"))
    if command == "gate":
        done = gate(meta, "--judge", "none", "--max-samples", 1)
        assert "1 entry lost a use_ref_motion true" in done.stderr
        after = read(meta)
    else:
        after = render(published, "again.json", "rendered.json", "--limit", "1")
    assert after[1]["use_ref_motion"] is True and "use_ref_motion" not in after[2]


def test_an_eval_file_without_digests_must_show_the_motion(published):
    """As the benchmark's own renderer writes them: joints only."""
    render(published)
    for number in range(2):
        path = published / f"renders/{number}_eval.pt"
        torch.save({"joints": torch.load(path, weights_only=False)["joints"][..., [2, 1, 0]]}, path)
    done = judge_all(published, "--jitter-threshold", 9)
    assert done.returncode == 0 and "frame rates: 2 at 16 fps" in done.stdout, "the motion knows its rate"
    shutil.copy(published / "renders/0_eval.pt", published / "renders/1_eval.pt")
    judge_all(published, "--jitter-threshold", 9)
    record = read(published / "report.json")[1]
    assert record["use_ref_motion"] is None and "its joints are not those of the motion" in record["metrics_error"]
    save_motion(published / "motions/0.pt", fps=30.0)
    judge_all(published, "--jitter-threshold", 9)
    assert read(published / "report.json")[0]["failed_checks"] == ["fps"]


def test_the_rates_are_counted(published):
    save_motion(published / "motions/0.pt", fps=30.0)
    render(published)
    done = judge_all(published)
    assert "frame rates: 1 at 16 fps, 1 at 30 fps" in done.stdout
    assert read(published / "report.run.json")["counts"]["frame_rates"] == {"30": 1, "16": 1}


def test_of_two_gates_at_once_no_decision_is_lost(published):
    render(published)
    flags = ["--judge", "manual", "--verdicts", published / "v.json", "--jitter-threshold", 9]
    (published / "v.json").write_text('[{"id": 0, "matches": true}, {"id": 1, "matches": true}]')
    words = [command(published / "rendered.json", *flags, report=f"report{number}.json") for number in range(3)]
    running = [subprocess.Popen(each, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) for each in words]
    ended = [(process.communicate(timeout=100)[1], process.returncode) for process in running]
    assert 0 in [code for _, code in ended]
    assert all(code == 0 or "another run is writing this archive" in said for said, code in ended), ended
    assert [entry["use_ref_motion"] for entry in read(published / "rendered.json")] == [True, True]


@pytest.mark.parametrize("program", ["render", "gate", "page"])
def test_files_that_only_the_current_folder_has_are_warned_about(published, monkeypatch, capsys, program):
    render(published)
    judge_all(published)
    (published / "moved").mkdir()
    for name in ("meta.json", "rendered.json"):
        shutil.move(published / name, published / "moved" / name)
    monkeypatch.chdir(published)
    flags = ["--meta-json", "moved/rendered.json", "--quality-report", "report.json"]
    if program == "render":
        render(published, "again.json", "moved/meta.json")
    elif program == "gate":
        apply_quality_gate.main([*flags, "--judge", "none"])
    else:
        build_report.main([*flags, "--output", "page", "--no-side-view"])
    assert "2 entries have paths that exist only relative to the current folder" in capsys.readouterr().err


def test_two_different_files_under_one_path_are_refused(published, monkeypatch):
    render(published)
    other = published / "elsewhere"
    (other / "motions").mkdir(parents=True)
    save_motion(other / "motions/0.pt", 9)
    monkeypatch.chdir(other)
    gate(published / "rendered.json", "--judge", "none")
    error = read(published / "report.json")[0]["metrics_error"]
    assert "two different files" in error and str(other / "motions/0.pt") in error
    assert str(published / "motions/0.pt") in error


@pytest.mark.parametrize("part", ["clip", "motion"])
def test_a_judge_is_not_asked_about_other_content_than_was_measured(published, monkeypatch, part):
    render(published)
    changed = {"clip": published / "renders/0.mp4", "motion": published / "motions/0.pt"}[part]
    other, ask = changed.with_name(changed.name.replace("0", "1")).read_bytes(), gate_module.judge_to_ask

    def replace_then_ask(*arguments):
        changed.write_bytes(other)
        return ask(*arguments)

    monkeypatch.setattr(gate_module, "judge_to_ask", replace_then_ask)
    with Service(always(OpenAIProtocol.answer(verdict(True)))) as server:
        gate(published / "rendered.json", *OpenAIProtocol.flags, "--facts", "--max-samples", 1, server=server)
    (record,) = read(published / "report.json")
    assert f"the {part} was replaced after it was measured" in record["vlm_error"] and not server.questions


def test_a_verdict_counts_for_the_motion_that_was_measured(published, monkeypatch):
    render(published)
    content = {"motion": motion_digest(read_motion(published / "motions/0.pt"))}
    (published / "v.json").write_text(json.dumps([{"id": 0, "matches": True, "content": content}]))
    ask = gate_module.judge_to_ask

    def replace_then_ask(*arguments):
        save_motion(published / "motions/0.pt", 9)
        return ask(*arguments)

    monkeypatch.setattr(gate_module, "judge_to_ask", replace_then_ask)
    gate(published / "rendered.json", "--judge", "manual", "--verdicts", published / "v.json", "--max-samples", 1)
    (record,) = read(published / "report.json")
    assert record["vlm_matches"] is True and record["content"]["motion"] == content["motion"]


def test_an_archive_that_is_replaced_while_it_is_written_keeps_the_edits(published, monkeypatch):
    render(published)
    meta, before, edits = published / "rendered.json", write_back.rebased, [1, 2]

    def edit_then_rebase(*arguments):
        if edits:
            meta.write_text(json.dumps([{"id": f"new {edits.pop()}"}, *read(meta)]))
        return before(*arguments)

    monkeypatch.setattr(write_back, "rebased", edit_then_rebase)
    done = judge_all(published, "--jitter-threshold", 9)
    assert done.returncode == 0, done.stderr
    assert {entry["id"]: entry.get("use_ref_motion") for entry in read(meta)} == {
        **{"new 1": None, "new 2": None, 0: True, 1: True}
    }


def test_an_archive_that_keeps_changing_is_not_replaced(published, monkeypatch):
    render(published)
    meta, before = published / "rendered.json", write_back.rebased

    def edit_then_rebase(*arguments):
        meta.write_text(meta.read_text() + " ")
        return before(*arguments)

    monkeypatch.setattr(write_back, "rebased", edit_then_rebase)
    done = judge_all(published, "--jitter-threshold", 9)
    assert done.returncode == 1 and "rendered.json: was changed while it was read" in done.stderr
    assert [entry["use_ref_motion"] for entry in read(meta)] == [True, False]


def test_an_archive_that_is_edited_while_it_is_rendered_in_place_keeps_the_edits(published, monkeypatch, capsys):
    render(published)
    meta, before = published / "rendered.json", archive_run.rebased

    def edit_then_rebase(*arguments):
        meta.write_text(meta.read_text().replace("walk 0", "sit"))
        return before(*arguments)

    monkeypatch.setattr(archive_run, "rebased", edit_then_rebase)
    entries = render(published, "rendered.json", "rendered.json", code=1)
    assert "rendered.json: was changed while it was read" in capsys.readouterr().err
    assert entries[0]["prompt"] == "sit" and render(published, "other.json", "rendered.json")[0]["prompt"] == "sit"


def test_a_clip_that_another_run_replaces_is_drawn_again(published, monkeypatch, capsys):
    """Two runs with different settings at once: one writes its clip, the other replaces it, the first records it."""
    meta = [json.loads((published / "meta.json").read_text())[0]]
    (published / "one.json").write_text(json.dumps(meta))
    shutil.rmtree(published / "renders")
    video, opened = published / "renders/0.mp4", clip_render.open_writer

    @contextlib.contextmanager
    def replaced_after(*arguments, **options):
        with opened(*arguments, **options) as writer:
            yield writer
        video.write_bytes(b"of the other run")

    with monkeypatch.context() as patch:
        patch.setattr(clip_render, "open_writer", replaced_after)
        render(published, "r.json", "one.json", "--workers", "0")
    capsys.readouterr()
    render(published, "r.json", "one.json", "--workers", "0")
    assert "1 rendered, 0 reused" in capsys.readouterr().out and video.read_bytes() != b"of the other run"
