"""What can be known before any work is said before any work: one line, exit code 2, and no folder."""

from __future__ import annotations

import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from checkout import REPO
from command_support import assert_error_lines, save_json
from gate_support import BOTH, GeminiProtocol, OpenAIProtocol, Response, Service, always
from preparing_support import save_clip

from motion_gating.judges.gemini import GeminiService
from motion_gating.judges.openai_compatible import OpenAICompatibleService
from motion_gating.judges.service import CallFailure, Failure
from motion_gating.preparing import checks
from motion_gating.preparing.trial_call import try_service
from motion_rep.common.errors import UsageError
from motion_rep.files import disk_space
from motion_rep.files.local_files import OutputNames


@pytest.fixture
def here(tmp_path):
    """The folder of the command, with a motion and a file that is no video."""
    folder = tmp_path / "my folder (ü) #1"
    folder.mkdir(exist_ok=True)
    save_clip(folder / "wave.pt")
    (folder / "v.mp4").write_bytes(b"no video")
    return folder


@pytest.fixture
def service(monkeypatch):
    """Start a service that answers by a script, and name it to both judges."""
    running = []

    def start(response):
        running.append(Service(always(response)).__enter__())
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", running[-1].url)
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running[-1].url}/v1")
        monkeypatch.setenv("GEMINI_API_KEY", "a-key-of-the-test")
        return running[-1]

    yield start
    for one in running:
        one.__exit__()


@BOTH
def test_a_wrong_key_is_found_by_one_call_before_any_work(command, here, service, protocol):
    server = service(protocol.bad_key())
    code, out, err = command("wave.pt", "-o", "out", *protocol.flags)
    (line,) = [line for line in err.splitlines() if not line.startswith("warning: ")]
    assert code == 2 and out == "" and "cannot be asked" in line and "a-key-of-the-test" not in line
    assert len(server.requests) == 1 and not (here / "out").exists()


@BOTH
def test_a_good_key_costs_one_short_call_without_a_clip(command, here, service, protocol):
    server = service(protocol.answer())
    code, _, err = command("wave.pt", "-o", "out", "--jitter-threshold", 9, *protocol.flags)
    assert code == 0, err
    first, *others = server.questions
    assert b"video" not in first.body and len(others) == 1 and len(first.body) < 2000
    assert (here / "out/renders/wave.judge.mp4").is_file(), "a small clip for the model"


def test_a_server_that_is_not_there_is_found_before_any_work(command, here, service):
    server = service(OpenAIProtocol.answer())
    server.__exit__()
    code, _, err = command("wave.pt", "-o", "out", *OpenAIProtocol.flags)
    assert code == 2 and "the judge openai cannot be asked" in err and not (here / "out").exists()


PORTAL = b"<!DOCTYPE html><html><title>Hotel login</title></html>"


@BOTH
@pytest.mark.parametrize(
    ("body", "found"),
    [
        (PORTAL, "Hotel login"),
        (b"", "empty"),
        ({"status": "ok", "result": [1, 2]}, "result"),
        ([], "[]"),
        ("ready", "ready"),
        (7, "7"),
    ],
)
def test_a_service_of_another_kind_is_found_before_any_work(command, here, service, protocol, body, found):
    server = service(Response(200, body))
    code, _, err = command("wave.pt", "-o", "out", *protocol.flags)
    line = err.splitlines()[-1]
    assert code == 2 and "does not answer as its API does" in line and found in line, err
    assert len(server.requests) == 2 and not (here / "out").exists()


@BOTH
def test_a_portal_that_refuses_is_told(command, here, service, protocol):
    service(Response(403, PORTAL))
    code, _, err = command("wave.pt", "-o", "out", *protocol.flags)
    assert code == 2 and "Hotel login" in err and not (here / "out").exists()


@BOTH
@pytest.mark.parametrize("answer", ["answer", "cut", "stopped"])
def test_any_answer_in_the_form_of_the_api_is_enough(protocol, answer, monkeypatch):
    response = protocol.answer("I am ready.") if answer == "answer" else getattr(protocol, answer)()
    with Service(always(response)) as server:
        assert try_service(made_service(protocol, server)) is None
    assert len(server.requests) == 1


def made_service(protocol, server):
    if protocol is GeminiProtocol:
        return GeminiService("a-key-of-the-test", "m", base_url=server.url)
    return OpenAICompatibleService("a-key-of-the-test", "m", f"{server.url}/v1")


def test_a_busy_service_is_a_warning(monkeypatch):
    class Busy:
        name, secrets = "busy", ()

        def attach(self, clips):
            raise CallFailure(Failure.RATE_LIMIT, "slow down")

    assert "did not answer a trial question: slow down" in str(try_service(Busy()))


def test_no_judge_and_no_call_where_the_run_ends_before_the_gate(command, here, service):
    server = service(GeminiProtocol.bad_key())
    code, _, err = command("wave.pt", "-o", "out", "--until", "motion")
    assert code == 0 and server.requests == [], err


def test_a_dry_run_prints_the_plan_and_asks_and_writes_nothing(command, here, service):
    server = service(GeminiProtocol.bad_key())
    (here / "t.txt").write_text("a person runs\n")
    before = sorted(here.iterdir())
    code, out, err = command("wave.pt", "v.mp4", "t.txt", "--dry-run", "-o", "out", "--candidates", 2, "--votes", 3)
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0] == "4 entries: 2 from a text, 1 from a video, 1 from a motion"
    assert "step 1, videos from text (wan2.2): 2, time not known" in out
    assert any(line.startswith("step 2, captures (preview): 3, about ") for line in lines)
    assert any(
        line.startswith("step 4, judge (gemini): 8 to 12 calls, about 0.0") and " dollars" in line for line in lines
    )
    assert "nothing was done" in lines[-1]
    assert server.requests == [] and sorted(here.iterdir()) == before


def test_a_full_disk(command, here, monkeypatch):
    Usage = namedtuple("Usage", "total used free")
    monkeypatch.setattr(disk_space.shutil, "disk_usage", lambda path: Usage(10**9, 10**9, 50_000_000))
    code, _, err = command("wave.pt", "-o", "new/set", "--judge", "none")
    assert code == 2 and "new/set: its disk has 50.0 MB left" in err and not (here / "new").exists()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("wave.pt", "--judge", "openai"), "--vlm-base-url"),
        (("wave.pt", "--judge", "gemini"), "no Gemini key"),
        (("wave.pt", "--judge", "manual"), "--verdicts"),
        (("wave.pt", "--verdicts", "missing.json"), "missing.json"),
        (("wave.pt", "--votes", "2"), "odd"),
        (("wave.pt", "--judge", "me"), "invalid choice: 'me'"),
        (("wave.pt", "--target-fps", "-3"), "frame rate"),
        (("wave.pt", "--no-such-flag"), "--no-such-flag"),
        (("wave.pt", "-o", "v.mp4/set"), "v.mp4/set: cannot be"),
        (("wave.pt", "--vimogen-root", "none"), "--vimogen-root none: is not a folder"),
        (("wave.pt", "--ray-address", "a:1"), "--engine ray"),
        (("v.mp4", "--hmr-model", "wham"), "WHAM_ROOT"),
        (("v.mp4", "--hmr-model", "nothing"), "unknown --model"),
        (("v.mp4", "--hmr-model", "preview", "--person", "2"), "the preview tracks one person"),
        (("v.mp4", "--hmr-model", "preview", "--fps", "8"), "always reads every frame"),
        (("v.mp4", "--hmr-model", "preview", "--static-camera"), "--static-camera works only with"),
        (("--prompt", "walk"), "WAN_ROOT is not set"),
        (("--prompt", "walk", "--t2v-model", "nothing"), "unknown --model"),
        (("--prompt", "walk", "--size", "3"), "expected WxH"),
    ],
)
def test_what_can_be_known_is_said_before_any_work(command, here, words, found):
    before = sorted(here.iterdir())
    judge = () if {"--judge", "--verdicts"} & {*words} else ("--judge", "none")
    code, out, err = command(*words, *judge, *(() if "-o" in words else ("-o", "set")))
    assert (code, out) == (2, "") and found in err, err
    assert_error_lines(err, 1)
    assert sorted(here.iterdir()) == before


def test_missing_networks_of_the_preview(monkeypatch, command, here):
    def missing(file):
        raise UsageError("a network of the preview capture is missing.")

    monkeypatch.setattr(checks, "require_weights", missing)
    code, _, err = command("v.mp4", "-o", "set", "--judge", "none")
    assert code == 2 and "a network of the preview capture is missing" in err and not (here / "set").exists()


def test_a_dry_run_warns_of_all_that_a_real_run_lacks(monkeypatch, command, here):
    def missing(file):
        raise UsageError(f"{file.name}: a network is missing.")

    monkeypatch.setattr(checks, "require_weights", missing)
    monkeypatch.delenv("WAN_ROOT", raising=False)
    (here / "t.txt").write_text("a person runs\n")
    code, out, err = command("v.mp4", "t.txt", "-o", "set", "--judge", "none", "--dry-run")
    warnings = [line for line in err.splitlines() if line.startswith("warning: a real run stops here: ")]
    assert code == 0 and "nothing was done" in out and not (here / "set").exists(), err
    assert "WAN_ROOT is not set" in warnings[0]
    for line, file in zip(warnings[1:], checks.WEIGHT_FILES, strict=True):
        assert line.endswith(f"{file.name}: a network is missing.")


def test_no_bash_is_said_where_a_wrapper_is_needed_only(monkeypatch, command, here):
    monkeypatch.setenv("PATH", os.fspath(here))
    code, _, err = command("--prompt", "walk", "-o", "set", "--judge", "none")
    assert code == 2 and "generate_video.sh needs bash" in err
    assert command("wave.pt", "-o", "set", "--until", "motion")[0] == 0


def test_an_archive_that_is_none_leaves_no_folder(command, here):
    save_json(here / "a.json", {})
    code, _, err = command("a.json", "-o", "set", "--judge", "none")
    assert code == 2 and "a.json: contains a JSON object" in err and not (here / "set").exists()


@pytest.mark.parametrize(("prompt", "is_there"), [("a walk", True), ("another walk", False)])
def test_a_video_under_the_name_of_an_earlier_version_needs_no_program(
    command, tmp_path, monkeypatch, prompt, is_there
):
    here = tmp_path / "my folder (ü) #1"
    monkeypatch.delenv("WAN_ROOT", raising=False)
    save_json(here / "a.json", [{"id": "My Walk", "prompt": prompt}])
    older = here / f"out/videos/{OutputNames(None, '.mp4').older('My Walk')}.mp4"
    older.parent.mkdir(parents=True)
    shutil.copy(REPO / "data_samples/circle_walk.mp4", older)
    save_json(Path(f"{older}.json"), {"made_with": {"prompt": "a walk"}})
    code, out, err = command("a.json", "-o", "out", "--until", "capture", "--hmr-model", "preview", "--dry-run")
    assert code == 0 and ("WAN_ROOT is not set" not in err) == is_there, err
    assert ("step 1, videos from text (wan2.2): 1 (1 done already)" in out) == is_there, out
