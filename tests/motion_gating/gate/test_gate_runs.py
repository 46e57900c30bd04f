"""Runs as a whole: killed, interrupted, repeated, counted beforehand, with votes."""

from __future__ import annotations

import datetime
import functools
import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter

import cv2
import numpy as np
import pytest
import torch
from ffmpeg_support import ffmpeg
from gate_support import (
    CLIP_START,
    KEY,
    GeminiProtocol,
    OpenAIProtocol,
    Service,
    always,
    command,
    environment,
    gate,
    gate_process,
    in_turn,
    jittery_joints,
    make_archive,
    read,
    run_here,
    verdict,
)

from motion_gating import apply_quality_gate
from motion_gating.archives.fields import Fields
from motion_gating.gate.gate import GateOptions, apply_gate
from motion_gating.judges.answer_cache import AnswerCache
from motion_gating.judges.cost import price_of
from motion_gating.judges.gemini import GeminiService
from motion_gating.judges.manual import ManualJudge
from motion_gating.judges.openai_compatible import OpenAICompatibleService
from motion_gating.metrics import entry_metrics
from motion_gating.metrics.joint_clip import read_eval_file
from motion_gating.verdicts.verdict_file import HumanVerdict
from motion_rep.common.errors import InputError
from motion_rep.runs.engine import Engine
from motion_rep.runs.ordered_threads import in_order
from motion_rep.video.reading import open_video

ANSWER = GeminiProtocol.answer()
# A generous end for waits: the machine may be busy.
MOST_SECONDS = 100


def clip_of(question):
    """The bytes of the clip that a question carries, as text."""
    return question.json["contents"][0]["parts"][0]["inlineData"]["data"]


def start_and_wait_for(meta, server, count, *flags):
    """Start the gate as a process and wait until the server got ``count`` questions."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(
        command(meta, *flags), env=environment(server), cwd="/", text=True, start_new_session=True, **pipes
    )
    give_up = time.monotonic() + MOST_SECONDS
    while len(server.questions) < count and process.poll() is None and time.monotonic() < give_up:
        time.sleep(0.005)
    assert process.poll() is None, process.communicate()
    return process


def test_killed_in_the_middle_nothing_is_lost_or_asked_twice(tmp_path):
    meta = make_archive(tmp_path, range(50))
    before = meta.read_bytes()
    killed = threading.Event()

    def script(request, number):
        if number >= 40:  # so that the run cannot end before
            killed.wait(MOST_SECONDS)
        return ANSWER

    with Service(script) as server:
        process = start_and_wait_for(meta, server, 20, "--num-threads", 4)
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed.set()
        assert meta.read_bytes() == before
        assert not (tmp_path / "report.json").exists()
        done = gate(meta, "--num-threads", 4, server=server)
    assert done.returncode == 0, done.stderr
    asked = Counter(clip_of(question) for question in server.questions)
    assert len(asked) == 50
    assert sum(asked.values()) - 50 <= 4, "only the calls in flight may be asked again"
    assert [record["use_ref_motion"] for record in read(tmp_path / "report.json")] == [True] * 50
    after = read(meta)
    assert all(entry.pop("judged_content")["text"] for entry in after)
    assert after == [{**entry, "use_ref_motion": True} for entry in json.loads(before)]


@pytest.mark.parametrize("workers", [0, 2])
def test_ctrl_c_keeps_what_was_decided_and_does_not_wait_for_calls_in_flight(tmp_path, workers):
    meta = make_archive(tmp_path, range(30))
    before = read(meta)
    release = threading.Event()

    def script(request, number):
        if number >= 10:
            release.wait(2 * MOST_SECONDS)
        return ANSWER

    with Service(script) as server:
        process = start_and_wait_for(meta, server, 12, "--on-undecided", "reject", "--workers", workers)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does, to the workers too
        _, err = process.communicate(timeout=MOST_SECONDS)
        release.set()
        assert process.returncode == 130
        assert err.splitlines()[-1].startswith("error: interrupted")
        decided = [entry.get("use_ref_motion") for entry in read(meta)]
        assert decided.count(True) == 10
        assert decided.count(None) == 20
        assert [entry["id"] for entry in read(meta)] == [entry["id"] for entry in before]
        assert len(read(tmp_path / "report.json")) == 30
        asked = len(server.questions)
        assert gate(meta, server=server).returncode == 0
    assert len(server.questions) - asked == 20


def test_a_second_run_asks_only_for_what_is_undecided_or_changed(tmp_path):
    meta = make_archive(tmp_path, range(4))
    with Service(
        in_turn(
            ANSWER,
            ANSWER,
            GeminiProtocol.answer("no"),
            GeminiProtocol.answer("no"),
            GeminiProtocol.answer("no"),
            ANSWER,
        )
    ) as server:
        assert gate(meta, "--num-threads", 1, server=server).returncode == 1
        assert len(server.questions) == 6
        assert gate(meta, server=server).returncode == 0
        assert len(server.questions) == 7
        (tmp_path / "3.mp4").write_bytes(CLIP_START + b"another clip")
        entries = read(meta)
        entries[0]["prompt"] = "another description"
        meta.write_text(json.dumps(entries))
        assert gate(meta, server=server).returncode == 0
        assert len(server.questions) == 9
        for flags in (["--gemini-model", "other"], ["--sampling-fps", 3], ["--temperature", 1]):
            asked = len(server.questions)
            gate(meta, *flags, server=server)
            assert len(server.questions) - asked == 4
            gate(meta, *flags, server=server)
            assert len(server.questions) - asked == 4


def test_a_damaged_answer_file_is_asked_again(tmp_path):
    meta = make_archive(tmp_path)
    with Service(always(ANSWER)) as server:
        for content in ("", "{", "[]", "{}", '{"matches": "yes", "analysis": "x"}', '{"matches": true}'):
            gate(meta, "--cache-dir", tmp_path / "c", server=server)
            asked = len(server.questions)
            (kept,) = (tmp_path / "c").rglob("*.json")
            kept.write_text(content)
            assert gate(meta, "--cache-dir", tmp_path / "c", server=server).returncode == 0
            assert len(server.questions) == asked + 1


def test_votes_stop_when_one_side_has_the_majority(tmp_path):
    meta = make_archive(tmp_path, range(3))
    yes, no = ANSWER, GeminiProtocol.answer(verdict(False, "It stands."))
    with Service(in_turn(yes, yes, no, yes, no, yes, no, no)) as server:
        assert gate(meta, "--votes", 3, "--num-threads", 1, server=server).returncode == 0
        assert len(server.questions) == 8
        assert gate(meta, "--votes", 3, server=server).returncode == 0
        assert len(server.questions) == 8
    report = read(tmp_path / "report.json")
    assert [record["vlm_votes"] for record in report] == [
        {"match": 2, "mismatch": 0},
        {"match": 1, "mismatch": 2},
        {"match": 1, "mismatch": 2},
    ]
    assert [record["vlm_matches"] for record in report] == [True, False, False]
    assert report[1]["vlm_analysis"] == "It stands."
    assert read(tmp_path / "report.run.json")["counts"]["split_rate"] == 2 / 3


def test_the_call_is_saved_where_jitter_decides(tmp_path):
    meta = make_archive(tmp_path, joints=jittery_joints())
    with Service(always(ANSWER)) as server:
        done = gate(meta, "--skip-vlm-above-threshold", server=server)
        assert done.returncode == 0
        assert not server.questions
        gate(meta, server=server)
        assert len(server.questions) == 1
    assert read(meta)[0]["use_ref_motion"] is False


def test_an_answer_that_never_came_is_reported_also_where_jitter_decides(tmp_path):
    meta = make_archive(tmp_path, joints=jittery_joints())
    with Service(always(GeminiProtocol.error(500))) as server:
        assert gate(meta, server=server).returncode == 1
    record = read(tmp_path / "report.json")[0]
    assert (record["use_ref_motion"], record["vlm_matches"], record["vlm_error_kind"]) == (False, None, "server")


def test_people_override_the_model_and_save_its_call(tmp_path):
    meta = make_archive(tmp_path, range(4))
    people = [{"id": 0, "matches": False, "analysis": "no"}, {"id": "1", "matches": None}, {"id": 99, "matches": True}]
    (tmp_path / "v.json").write_text(json.dumps(people))
    with Service(always(ANSWER)) as server:
        done = gate(meta, "--verdicts", tmp_path / "v.json", server=server)
    assert done.returncode == 1
    assert f"verdicts about ids that are not in {meta}: 1" in done.stderr
    assert len(server.questions) == 2
    report = read(tmp_path / "report.json")
    assert [record["judge"] for record in report] == ["manual", "manual", "gemini", "gemini"]
    assert [record["vlm_matches"] for record in report] == [False, None, True, True]


def test_an_entry_that_cannot_be_asked_about_is_still_in_the_archive(tmp_path):
    meta = make_archive(tmp_path, range(2))
    entries = read(meta)
    entries[0]["video_path"] = "zip://a.mp4::b.zip"
    meta.write_text(json.dumps(entries))
    (tmp_path / "v.json").write_text(json.dumps([{"id": 1, "matches": True}]))
    done = gate(meta, "--judge", "manual", "--verdicts", tmp_path / "v.json")
    assert [record["vlm_error_kind"] for record in read(tmp_path / "report.json")] == ["no_question", None]
    assert "verdicts about ids" not in done.stderr


def write_clip(path, seconds=2.0, fps=10, size=(64, 48)):
    """A small mp4 whose grey rises with time."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), fps, size)
    for number in range(int(seconds * fps)):
        writer.write(np.full((size[1], size[0], 3), number * 5, np.uint8))
    writer.release()


def test_a_dry_run_counts_without_key_calls_or_files(tmp_path):
    meta = make_archive(tmp_path, range(3))
    for number in range(3):
        write_clip(tmp_path / f"{number}.mp4", seconds=2 + number)
    with Service(always(ANSWER)) as server:
        gate(meta, "--max-samples", 1, server=server)
        before = sorted(path.name for path in tmp_path.rglob("*"))
        done = gate(meta, "--dry-run", "--votes", 3, server=server, key=None)
    assert done.returncode == 0, done.stderr
    assert len(server.questions) == 1
    assert "5 to 8 calls about 3 entries" in done.stdout
    tokens = int(done.stdout.split("about ")[-1].split(" ")[0].replace(",", ""))
    assert 70 * 5 * (2 + 3 * 2 + 4 * 2) < tokens < 70 * 5 * (2 + 3 * 2 + 4 * 2) + 5 * 400
    price = price_of("gemini-3.8-flash", "standard", datetime.datetime.now(datetime.UTC).date())
    dollars = float(done.stdout.split("they cost ")[1].split(" ")[0])
    assert dollars == pytest.approx(price.dollars(tokens, 5 * 250), abs=1e-4)
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_a_dry_run_counts_the_frames_of_a_clip_whose_container_does_not(tmp_path):
    meta, said = make_archive(tmp_path), []
    write_clip(tmp_path / "0.mp4", seconds=4)
    for name in ("0.mp4", "0.mkv"):
        ffmpeg("-i", tmp_path / "0.mp4", "-c", "copy", "-live", 1, tmp_path / "0.mkv")
        meta.write_text(json.dumps([{**read(meta)[0], "video_path": name}]))
        said.append(gate(meta, "--dry-run", key=None).stdout)
    with open_video(tmp_path / "0.mkv") as video:
        assert video.frame_count is None
    assert said[0] == said[1] and "1 calls about 1 entry" in said[0]


def test_pictures_carry_their_times_where_a_server_takes_no_video(tmp_path):
    meta = make_archive(tmp_path)
    write_clip(tmp_path / "0.mp4", seconds=2.0, fps=10)
    with Service(always(OpenAIProtocol.answer())) as server:
        done = gate(meta, *OpenAIProtocol.flags, "--vlm-media", "frames", "--sampling-fps", 5, server=server)
    assert done.returncode == 0, done.stderr
    body = server.questions[0].json
    parts = body["messages"][0]["content"]
    assert sum(part["type"] == "image_url" for part in parts) == 10
    assert [part["text"] for part in parts[1:6:2]] == ["0.00 s", "0.20 s", "0.40 s"]
    assert parts[2]["image_url"]["url"].startswith("data:image/jpeg;base64,")
    assert "media_io_kwargs" not in body


def test_an_unreadable_clip_is_undecided_where_pictures_are_sent(tmp_path):
    meta = make_archive(tmp_path)
    with Service(always(OpenAIProtocol.answer())) as server:
        assert gate(meta, *OpenAIProtocol.flags, "--vlm-media", "frames", server=server).returncode == 1
    assert not server.questions
    assert "0.mp4" in read(tmp_path / "report.json")[0]["vlm_error"]


def test_missing_clips_and_descriptions_are_undecided_without_a_call(tmp_path):
    meta = make_archive(tmp_path, range(4))
    entries = read(meta)
    entries[0].pop("video_path")
    entries[1]["video_path"] = "nothing.mp4"
    entries[2]["prompt"] = 7
    meta.write_text(json.dumps(entries))
    with Service(always(ANSWER)) as server:
        assert gate(meta, server=server).returncode == 1
    assert len(server.questions) == 1
    assert [record["vlm_error_kind"] for record in read(tmp_path / "report.json")] == ["no_question"] * 3 + [None]


def test_json_lines_go_in_and_out_as_lines(tmp_path):
    meta = make_archive(tmp_path, range(3))
    lines = tmp_path / "meta.jsonl"
    lines.write_text("".join(json.dumps(entry) + "\n" for entry in read(meta)))
    with Service(always(ANSWER)) as server:
        assert gate(lines, "--max-samples", 2, server=server, report="report.jsonl").returncode == 0
    assert [json.loads(line).get("use_ref_motion") for line in lines.read_text().splitlines()] == [True, True, None]
    assert len((tmp_path / "report.jsonl").read_text().splitlines()) == 2


def test_the_process_works_from_another_folder_and_leaves_nothing_half_written(tmp_path):
    meta = make_archive(tmp_path)
    with Service(always(ANSWER)) as server:
        done = gate_process(meta, server=server)
    assert done.returncode == 0, done.stderr
    assert "1 passed, 0 rejected, 0 undecided" in done.stdout
    assert done.stderr == ""
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"0.mp4", "0_eval.pt", "meta.json", "report.json", "report.run.json", "report.cache"}


def test_the_key_given_as_a_flag_wins_and_stays_out_of_every_file(tmp_path):
    meta = make_archive(tmp_path)
    with Service(always(ANSWER)) as server:
        done = gate(meta, "--gemini-api-key", "flag-key-123", server=server)
    assert server.requests[0].headers["x-goog-api-key"] == "flag-key-123"
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"flag-key-123" not in written + (done.stdout + done.stderr).encode()
    assert KEY not in done.stderr


@pytest.mark.parametrize(("gemini_key", "used"), [(KEY, KEY), (None, "the-other")])
def test_gemini_api_key_comes_before_google_api_key_and_nothing_reroutes_the_call(tmp_path, gemini_key, used):
    meta = make_archive(tmp_path)
    with Service(always(ANSWER)) as server:
        rerouting = {
            "GOOGLE_GENAI_USE_VERTEXAI": "true",
            "GOOGLE_CLOUD_PROJECT": "p",
            "GOOGLE_CLOUD_LOCATION": "l",
            "GOOGLE_GENAI_API_VERSION": "v9",
        }
        variables = environment(server, gemini_key) | {"GOOGLE_API_KEY": "the-other"} | rerouting
        done = run_here(apply_quality_gate.main, command(meta)[2:], variables)
    assert (done.returncode, done.stderr) == (0, "")
    assert server.requests[0].headers["x-goog-api-key"] == used
    assert server.requests[0].path.startswith("/v1beta/")


def test_a_key_is_not_in_the_description_of_its_service():
    assert KEY not in repr(GeminiService(KEY, "m")) + repr(OpenAICompatibleService(KEY, "m", "http://localhost/v1"))


def test_a_password_in_the_address_is_in_no_file(tmp_path):
    meta = make_archive(tmp_path)
    with Service(always(OpenAIProtocol.answer())) as server:
        address = server.url.replace("//", "//user:pass-word@") + "/v1"
        done = gate(meta, *OpenAIProtocol.flags, "--vlm-base-url", address, server=server)
    assert done.returncode == 0, done.stderr
    assert b"pass-word" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_answers_that_can_no_longer_be_kept_end_the_run_with_what_was_decided(tmp_path, monkeypatch):
    meta = make_archive(tmp_path, range(6))

    def full(self, asked, kept):
        raise InputError("answers: cannot be written: No space left on device.")

    monkeypatch.setattr(AnswerCache, "put", full)
    with Service(always(ANSWER)) as server:
        done = gate(meta, "--num-threads", 1, server=server)
    assert done.returncode == 2
    assert "No space left" in done.stderr
    assert len(server.questions) == 1
    assert [entry.get("use_ref_motion") for entry in read(meta)] == [True] + [None] * 5


def test_a_broken_line_at_the_end_is_found_before_the_first_call(tmp_path):
    meta = make_archive(tmp_path, range(3))
    lines = tmp_path / "meta.jsonl"
    lines.write_text("".join(json.dumps(entry) + "\n" for entry in read(meta)) + "{\n")
    with Service(always(ANSWER)) as server:
        done = gate(lines, server=server)
    assert done.returncode == 2
    assert "line 4" in done.stderr
    assert not server.requests
    assert not (tmp_path / "report.json").exists()


def test_an_unwritable_place_is_found_before_the_first_call(tmp_path):
    meta = make_archive(tmp_path)
    (tmp_path / "file").write_text("x")
    with Service(always(ANSWER)) as server:
        for flags in (["--output-json", tmp_path / "file" / "b.json"], ["--cache-dir", tmp_path / "file"]):
            done = gate(meta, *flags, server=server)
            assert done.returncode == 2
            assert done.stderr.count("\n") == 1
    assert not server.requests


def failures_of(path):
    """Id -> line of what failed, from the file of --failures."""
    return {failure["item"]: failure["error"] for failure in read(path)["failures"]}


def test_workers_give_the_files_that_one_process_gives_and_failures_are_listed(tmp_path):
    meta = make_archive(tmp_path, range(12))
    torch.save({"joints": jittery_joints()}, tmp_path / "3_eval.pt")
    (tmp_path / "5_eval.pt").write_bytes(b"broken")
    entries = read(meta)
    entries[7].pop("mbench_eval_path")
    meta.write_text(json.dumps(entries))
    people = [{"id": number, "matches": None if number == 9 else True} for number in range(11)]
    (tmp_path / "v.json").write_text(json.dumps(people))
    written = []
    for workers in (0, 2):
        flags = (
            "--judge",
            "manual",
            "--verdicts",
            tmp_path / "v.json",
            "--output-json",
            tmp_path / "out.json",
            "--workers",
            workers,
            "--failures",
            tmp_path / "f.json",
        )
        assert gate(meta, *flags).returncode == 1
        written.append([read(tmp_path / name) for name in ("report.json", "out.json", "f.json")])
    assert written[0] == written[1]
    report, _, failures = written[0]
    assert [record["use_ref_motion"] for record in report] == [True] * 3 + [
        False,
        True,
        None,
        True,
        None,
        True,
        None,
        True,
        None,
    ]
    assert failures["counts"] == {"passed": 7, "rejected": 1, "undecided": 4, "failed": 2}
    assert {failure["item"] for failure in failures["failures"]} == {5, 7}, (
        "people who are unsure, or have not looked, are no failure"
    )
    assert "5_eval.pt" in failures["failures"][0]["error"]


def test_without_failures_the_file_says_so(tmp_path):
    meta = make_archive(tmp_path)
    with Service(always(ANSWER)) as server:
        assert gate(meta, "--failures", tmp_path / "new" / "f.json", server=server).returncode == 0
    assert read(tmp_path / "new" / "f.json") == {
        "counts": {"passed": 1, "rejected": 0, "undecided": 0, "failed": 0},
        "failures": [],
    }


def test_entries_without_an_answer_are_failures_also_those_that_were_not_asked_any_more(tmp_path):
    meta = make_archive(tmp_path, range(3))
    with Service(in_turn(ANSWER, GeminiProtocol.bad_key())) as server:
        assert gate(meta, "--num-threads", 1, "--failures", tmp_path / "f.json", server=server).returncode == 2
    failures = failures_of(tmp_path / "f.json")
    assert list(failures) == [1, 2]
    assert all(
        line.startswith("no verdict (run_ended): not asked: ") and "API key not valid" in line
        for line in failures.values()
    )


def test_failures_go_into_a_file_of_their_own(tmp_path):
    meta = make_archive(tmp_path)
    before = meta.read_bytes()
    for path in (meta, tmp_path / "report.json", tmp_path / "report.run.json"):
        done = gate(meta, "--judge", "none", "--failures", path)
        assert done.returncode == 2 and "the same file" in done.stderr
    assert meta.read_bytes() == before and not (tmp_path / "report.json").exists()


def start_measuring_dangerously(start):
    """A worker that dies on the eval file of entry 4."""
    work = start()

    def measure(value):
        if value["mbench_eval_path"] == "4_eval.pt":
            os._exit(7)
        return work(value)

    return measure


def test_a_worker_that_dies_costs_one_entry_its_figures(tmp_path):
    meta = make_archive(tmp_path, range(30))
    options = GateOptions(meta, tmp_path / "report.json", failures=tmp_path / "f.json")
    judge = ManualJudge({str(number): (HumanVerdict(True, None),) for number in range(30)}, "v.json")

    class DangerousEngine(Engine):
        def run(self, start, items, count, sent):
            assert count == 30
            return super().run(functools.partial(start_measuring_dangerously, start), items, count, sent)

    tally = apply_gate(options, judge, engine=DangerousEngine(workers=2)).tally
    assert (tally.outcomes["passed"], tally.outcomes["undecided"]) == (29, 1)
    assert "ended with code 7 on it 2 times" in read(tmp_path / "report.json")[4]["metrics_error"]
    assert list(failures_of(tmp_path / "f.json")) == [4]
    assert [entry.get("use_ref_motion") for entry in read(meta)] == [True] * 4 + [None] + [True] * 25


def test_an_error_that_nobody_expected_costs_one_entry_and_keeps_its_traceback(tmp_path, monkeypatch):
    meta = make_archive(tmp_path, range(3))

    def read_clip(path):
        if "1_eval" in str(path):
            raise KeyError("odd")
        return read_eval_file(path)

    monkeypatch.setattr(entry_metrics, "read_eval_file", read_clip)
    with Service(always(ANSWER)) as server:
        assert gate(meta, "--failures", tmp_path / "f.json", server=server).returncode == 1
    assert [record["use_ref_motion"] for record in read(tmp_path / "report.json")] == [True, None, True]
    (failure,) = read(tmp_path / "f.json")["failures"]
    assert failure["item"] == 1 and "KeyError" in failure["error"] and "Traceback" in failure["traceback"]


def test_a_cancelled_run_measures_nothing_more(tmp_path):
    meta = make_archive(tmp_path, range(8))
    cancelled = threading.Event()
    entries = entry_metrics.measured_entries(lambda: iter(read(meta)), 8, Fields(), meta, Engine(), cancelled=cancelled)
    assert next(entries)[1].metrics is not None
    cancelled.set()
    rest = list(entries)
    assert [entry["id"] for entry, _ in rest] == list(range(1, 8))
    assert [measured for _, measured in rest] == [entry_metrics.NOT_REACHED] * 7


def test_no_work_begins_after_the_cancellation():
    begun, cancelled, release = [], threading.Event(), threading.Event()

    def work(item):
        begun.append(item)
        release.wait(20)
        return item

    def items():
        yield 0
        while not begun:
            time.sleep(0.001)
        cancelled.set()
        yield from range(1, 500)

    assert list(in_order(work, items(), 2, cancelled)) == [(number, None) for number in range(500)]
    release.set()
    assert begun == [0]


def test_a_dry_run_measures_where_figures_save_calls(tmp_path):
    meta = make_archive(tmp_path, range(2), joints=jittery_joints())
    done = gate(
        meta,
        "--dry-run",
        "--skip-vlm-above-threshold",
        "--workers",
        2,
        "--failures",
        tmp_path / "new" / "f.json",
        key=None,
    )
    assert done.returncode == 0, done.stderr
    assert "2 rejected by jitter without a call" in done.stdout and "0 calls about 0 entries" in done.stdout
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["report.json", "report.run.json"])
def test_a_folder_in_the_place_of_an_output_is_found_before_the_first_call(tmp_path, name):
    meta = make_archive(tmp_path)
    (tmp_path / name).mkdir()
    with Service(always(GeminiProtocol.answer())) as server:
        done = gate(meta, "--failures", tmp_path / "f.json", server=server)
    assert done.returncode == 2 and f"{name}: is a folder, expected a file" in done.stderr
    assert server.requests == [] and (tmp_path / name).is_dir()
