"""Servers that redirect, drip, explode, leak, or answer in forms of their own."""

from __future__ import annotations

import base64
import gzip
import json
import random
from types import SimpleNamespace

import pytest
from gate_support import (
    BOTH,
    KEY,
    GeminiProtocol,
    OpenAIProtocol,
    Response,
    Service,
    always,
    command,
    environment,
    gate,
    in_turn,
    make_archive,
    read,
    run_gate,
    run_here,
    verdict,
)
from sample_motions import smooth_clip

from motion_gating.apply_quality_gate import main
from motion_gating.archives.content import clip_digest, motion_digest, text_digest
from motion_gating.judges.answers import read_answer
from motion_gating.judges.openai_compatible import _reply
from motion_gating.judges.service import CallFailure
from motion_rep.kinematics.frames import y_up_from_z_up
from motion_rep.motions.layout import unpack
from motion_rep.motions.motion_file import read_motion, write_motion


def run(tmp_path, protocol, script, *flags, ids=(0,)):
    """The same with one thread."""
    return run_gate(tmp_path, protocol, script, "--num-threads", 1, *flags, ids=ids)


def everything(folder, done):
    """All bytes that a run wrote or said."""
    files = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return (files + (done.stdout + done.stderr).encode()).decode("utf-8", "replace")


PASSWORD = "Pr0xyS3cretWord99"
ADDRESSES = ("GOOGLE_GEMINI_BASE_URL", "OPENAI_BASE_URL")


def through_proxy(tmp_path, protocol, script, proxy, address="http://judge.example/v1"):
    """Ask a judge at an address through a proxy on loopback; returns (how it ended, everything, requests)."""
    meta = make_archive(tmp_path)
    with Service(script) as server:
        port = server.server.server_address[1]
        words = command(meta, *protocol.flags, "--num-threads", 1, "--deadline", 2)[2:]
        own = dict.fromkeys(ADDRESSES, address.format(port=port))
        done = run_here(
            main, words, environment() | own | {name: text.format(port=port) for name, text in proxy.items()}
        )
    return done, everything(tmp_path, done), server.requests


@BOTH
@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("login", [f"me:{PASSWORD}", PASSWORD])
def test_a_proxy_that_repeats_its_login_does_not_put_it_anywhere(tmp_path, protocol, name, login):
    def repeat(request, _):
        given = request.headers["proxy-authorization"].partition(" ")[2]
        return Response(407, {"error": {"message": f"no: {given} {base64.b64decode(given).decode()}"}})

    done, text, requests = through_proxy(tmp_path, protocol, repeat, {name: f"http://{login}@127.0.0.1:{{port}}"})
    assert (done.returncode, len(requests)) == (2, 1) and "proxy" in done.stderr
    for secret in (PASSWORD, base64.b64encode(login.encode()).decode().rstrip("="), KEY):
        assert secret[:10] not in text


@BOTH
@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_hosts_without_a_proxy_are_asked_directly(tmp_path, protocol, name):
    proxy = {"http_proxy": f"http://me:{PASSWORD}@127.0.0.1:1", name: "localhost,127.0.0.1"}
    done, text, requests = through_proxy(
        tmp_path, protocol, always(protocol.answer()), proxy, "http://127.0.0.1:{port}/v1"
    )
    assert (done.returncode, len(requests)) == (0, 1) and "proxy-authorization" not in requests[0].headers
    assert PASSWORD not in text


@BOTH
@pytest.mark.parametrize("scheme", ["socks9", "nonsense"])
def test_a_proxy_that_cannot_be_used_is_found_first(tmp_path, protocol, scheme):
    proxy = {"https_proxy": f"{scheme}://me:{PASSWORD}@127.0.0.1:{{port}}"}
    done, text, requests = through_proxy(tmp_path, protocol, always(protocol.answer()), proxy)
    assert (done.returncode, requests) == (2, []) and f"HTTPS_PROXY is a proxy of the scheme {scheme}" in done.stderr
    assert PASSWORD not in text


@BOTH
def test_parameters_of_an_address_follow_the_path(tmp_path, protocol):
    address = f"http://127.0.0.1:{{port}}/v1?api-version=3&key={PASSWORD}#{PASSWORD}"
    done, text, requests = through_proxy(tmp_path, protocol, always(protocol.answer()), {}, address)
    path, _, parameters = requests[0].path.partition("?")
    assert done.returncode == 0 and path.endswith(("/v1/chat/completions", ":generateContent"))
    assert parameters == f"api-version=3&key={PASSWORD}" and PASSWORD not in text


@BOTH
@pytest.mark.parametrize("code", [301, 302, 307, 308])
def test_a_redirect_to_another_server_gets_neither_key_nor_clip(tmp_path, protocol, code):
    with Service(always(protocol.answer())) as other:
        script = always(Response(code, b"", {"Location": f"{other.url}/elsewhere"}))
        done, records, questions = run(tmp_path, protocol, script)
    assert other.requests == []
    assert (done.returncode, len(questions)) == (2, 1)
    assert f"redirects to {other.url}" in records[0]["vlm_error"]


@BOTH
def test_a_redirect_within_the_server_is_followed(tmp_path, protocol):
    there = "/moved/generateContent/chat/completions"
    script = in_turn(Response(307, b"", {"Location": there}), protocol.answer())
    done, records, questions = run(tmp_path, protocol, script)
    assert (done.returncode, records[0]["vlm_matches"], questions[1].path) == (0, True, there)


def test_a_clip_is_not_uploaded_to_another_server(tmp_path):
    with Service(always(Response(body={}))) as other:
        meta = make_archive(tmp_path)
        (tmp_path / "0.mp4").write_bytes((tmp_path / "0.mp4").read_bytes() + b"x" * 15_100_000)
        headers = {"X-Goog-Upload-URL": f"{other.url}/piece", "X-Goog-Upload-Status": "active"}
        with Service(always(Response(body={}, headers=headers))) as server:
            assert gate(meta, server=server).returncode == 2
    assert other.requests == []


@BOTH
@pytest.mark.parametrize("action", ["drip_body", "drip_head"])
def test_a_server_that_drips_is_left_when_the_time_is_up(tmp_path, protocol, action):
    answer = protocol.answer()
    answer.action = action
    _, records, questions = run(tmp_path, protocol, always(answer), "--call-timeout", 1, "--deadline", 1)
    assert records[0]["vlm_error_kind"] == "timeout", "three seconds later it would have answered"
    assert len(questions) == 1


@BOTH
def test_a_body_that_unpacks_to_more_than_any_answer_is_not_read(tmp_path, protocol):
    answer = json.dumps(protocol.answer().body).encode()
    bomb = Response(body=gzip.compress(b" " * 50_000_000 + answer), headers={"Content-Encoding": "gzip"})
    _, records, _ = run(tmp_path, protocol, always(bomb))
    assert records[0]["vlm_error_kind"] == "malformed" and "more than" in records[0]["vlm_error"]
    packed = Response(body=gzip.compress(answer), headers={"Content-Encoding": "gzip"})
    _, records, questions = run(tmp_path, protocol, always(packed))
    assert records[0]["vlm_matches"] is True
    assert questions[0].headers["accept-encoding"] == "identity"


@BOTH
def test_a_damaged_compression_is_named(tmp_path, protocol):
    _, records, _ = run(
        tmp_path, protocol, always(Response(body=b"\x1f\x8b\0\0", headers={"Content-Encoding": "gzip"}))
    )
    assert records[0]["vlm_error_kind"] == "malformed" and "is compressed and damaged" in records[0]["vlm_error"]


@BOTH
def test_a_compression_that_nobody_asked_for_is_refused(tmp_path, protocol):
    packed = Response(body=b"(\xb5/\xfd", headers={"Content-Encoding": "zstd"})
    _, records, _ = run(tmp_path, protocol, always(packed))
    assert records[0]["vlm_error_kind"] == "malformed" and "zstd" in records[0]["vlm_error"]


ESCAPED = "".join(f"\\u{ord(character):04x}" for character in KEY)
TWICE = "".join(f"\\\\u{ord(character):04X}" for character in KEY)
PERCENT = "".join(f"%{ord(character):02x}" for character in KEY)
ENTITIES = "".join(f"&#{ord(character)};" for character in KEY)


@BOTH
@pytest.mark.parametrize("before", range(150, 320, 17))
def test_no_part_of_a_key_is_shown_where_an_error_is_cut(tmp_path, protocol, before):
    done, _, _ = run(tmp_path, protocol, always(protocol.error(422, "x" * before + KEY)))
    shown = everything(tmp_path, done)
    assert not [piece for piece in (KEY[:8], KEY[8:16]) if piece in shown]


@BOTH
@pytest.mark.parametrize("form", [ESCAPED, TWICE, PERCENT, ENTITIES])
@pytest.mark.parametrize("answer", ['{"analysis": "I saw %s", "matches": true}', "no json %s"])
def test_an_escaped_key_is_hidden_in_all_that_is_kept_or_shown(tmp_path, protocol, form, answer):
    done, records, _ = run(tmp_path, protocol, always(protocol.answer(answer.replace("%s", form))))
    shown = everything(tmp_path, done)
    assert "[key]" in shown
    assert form[:60] not in shown and form.replace("\\\\", "\\")[:60] not in shown
    assert KEY[:8] not in shown and KEY not in str(records)


PARTS = {
    "first": KEY[:20],
    "last": KEY[-20:],
    "spaced": " ".join(KEY),
    "backwards": KEY[::-1],
    "upper": KEY.upper()[:20],
    "base64": base64.b64encode(KEY.encode()[:18]).decode(),
    "hex": KEY.encode().hex(),
    "escaped": ESCAPED[-120:],
}


@BOTH
@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_a_part_of_a_key_is_hidden_in_answers_errors_and_versions(tmp_path, protocol, part):
    named = protocol.answer(verdict(True, f"I saw {part} here"), version=part)
    for number, response in enumerate((named, protocol.error(422, part), Response(200, part.encode()))):
        folder = tmp_path / str(number)
        folder.mkdir()
        shown = everything(folder, run(folder, protocol, always(response))[0])
        assert "[key]" in shown and part not in shown and part.replace(" ", "") not in shown


def test_a_part_of_a_key_in_an_answer_of_an_earlier_version_is_hidden(tmp_path):
    meta = make_archive(tmp_path)
    with Service(always(GeminiProtocol.answer())) as server:
        assert gate(meta, server=server).returncode == 0
        (path,) = (tmp_path / "report.cache").rglob("*.json")
        path.write_text(json.dumps({**read(path), "analysis": f"The key starts with {KEY[:20]}."}))
        (tmp_path / "report.json").unlink()
        assert gate(meta, server=server).returncode == 0
    (record,) = read(tmp_path / "report.json")
    assert record["vlm_analysis"] == "The key starts with [key]."
    assert len(server.questions) == 1


def test_a_folder_in_the_place_of_an_answer_costs_that_answer(tmp_path):
    meta = make_archive(tmp_path, (0, 1))
    with Service(always(GeminiProtocol.answer())) as server:
        assert gate(meta, server=server).returncode == 0
        kept = sorted((tmp_path / "report.cache").rglob("*.json"))
        kept[0].unlink()
        kept[0].mkdir()
        assert gate(meta, server=server).returncode == 0
    assert len(server.questions) == 3 and kept[0].is_dir()


def test_a_model_named_after_the_key_is_not_used(tmp_path):
    listing = Response(200, {"data": [{"id": KEY}]})
    with Service(always(listing)) as server:
        done = gate(make_archive(tmp_path), "--judge", "openai", "--vlm-base-url", f"{server.url}/v1", server=server)
    assert done.returncode == 2 and "names a model after the key" in done.stderr
    assert KEY[:12] not in everything(tmp_path, done)


def test_the_login_in_the_address_of_gemini_is_not_kept(tmp_path):
    meta = make_archive(tmp_path)
    with Service(always(GeminiProtocol.answer())) as server:
        done = gate(meta, server=SimpleNamespace(url=server.url.replace("//", "//ann:hidden-word-7@")))
    assert done.returncode == 0, done.stderr
    assert "hidden-word-7" not in everything(tmp_path, done)


@BOTH
@pytest.mark.parametrize(
    ("version", "tokens"), [(5, "abc"), (["m"], -3), ({}, 1e308), (True, True), ("", None), ("m" * 10_000, 10**30)]
)
def test_odd_facts_about_an_answer_are_left_out_also_by_the_next_run(tmp_path, protocol, version, tokens):
    answer = protocol.answer()
    if protocol is OpenAIProtocol:
        answer.body["model"], answer.body["usage"]["prompt_tokens"] = version, tokens
    else:
        answer.body["modelVersion"], answer.body["usageMetadata"]["promptTokenCount"] = version, tokens
    for _ in range(2):
        _, records, _ = run(tmp_path, protocol, always(answer))
        if protocol is OpenAIProtocol:
            assert records[0]["vlm_matches"] is True
        assert records[0].get("vlm_prompt_tokens") is None
        assert len(records[0].get("vlm_model_version") or "") <= 120


@pytest.mark.parametrize(
    "change",
    [
        {"model_version": 5},
        {"prompt_tokens": "abc"},
        {"prompt_tokens": True},
        {"prompt_tokens": -1},
        {"analysis": "x" * 3000},
        {"matches": 1},
        {"padding": "x" * 1_000_001},
    ],
)
def test_a_kept_answer_that_this_program_would_not_write_is_asked_again(tmp_path, change):
    meta = make_archive(tmp_path)
    with Service(always(GeminiProtocol.answer())) as server:
        for _ in range(2):
            assert gate(meta, server=server).returncode == 0
            (path,) = (tmp_path / "report.cache").rglob("*.json")
            path.write_text(json.dumps({**read(path), **change}))
    assert len(server.questions) == 2


@BOTH
@pytest.mark.parametrize(
    "text",
    [
        "The body waves.</think>%s",
        "{It waves, } I think</think>\n\n%s",
        "says </think> or not</think>```json\n%s\n```",
        "<|begin_of_box|>%s<|end_of_box|>",
        "%s<|im_end|>",
        "<think>a</think><|begin_of_box|>%s<|end_of_box|><|im_end|>\n",
        "<s>%s</s>",
        "[THINK]hm[/THINK]%s",
        "<answer>%s</answer>",
    ],
)
def test_thoughts_without_a_beginning_and_tokens_of_templates_are_removed(tmp_path, protocol, text):
    answer = verdict(False, "It says </think> here")
    _, records, questions = run(tmp_path, protocol, always(protocol.answer(text % answer)))
    assert (records[0]["vlm_matches"], len(questions)) == (False, 1)
    assert records[0]["vlm_analysis"] == "It says </think> here"


@BOTH
@pytest.mark.parametrize(
    ("code", "body", "kind"),
    [
        (200, {"error": {"message": "the engine is tired"}}, "server"),
        (200, {"error": "the engine is tired"}, "server"),
        (200, {"error": {"message": "the engine is tired", "code": 422}}, "rejected"),
        (200, {"object": "error", "message": "the engine is tired", "code": 400}, "rejected"),
        (200, {"detail": "the engine is tired"}, "server"),
        (200, b"the engine is tired", "malformed"),
        (503, b"the engine is tired", "server"),
        (422, b"the engine is tired", "rejected"),
        (422, {"detail": "the engine is tired"}, "rejected"),
        (422, {"detail": [{"loc": ["body"], "msg": "the engine is tired", "type": "value"}]}, "rejected"),
        (500, {"message": "the engine is tired"}, "server"),
        (500, {"error": {"detail": {"reason": "the engine is tired"}}}, "server"),
        (502, [{"error": {"message": "the engine is tired"}}], "server"),
    ],
)
def test_a_servers_own_words_are_told(tmp_path, protocol, code, body, kind):
    done, records, _ = run(tmp_path, protocol, always(Response(code, body)))
    assert records[0]["vlm_error_kind"] == kind
    assert "the engine is tired" in records[0]["vlm_error"]
    assert f"1 without a verdict ({kind})" in done.stderr and "the engine is tired" in done.stderr


def test_terminal_escapes_of_a_server_do_not_reach_the_terminal(tmp_path):
    done, _, _ = run(tmp_path, OpenAIProtocol, always(Response(422, "\x1b]0;owned\x07 \x9b31m")))
    assert not set(done.stderr) & {"\x1b", "\x07", "\x9b"} and "owned" in done.stderr


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("content", [None, "", [], [{"type": "text", "text": ""}]])
def test_an_answer_in_the_reasoning_is_read(tmp_path, key, content):
    answer = OpenAIProtocol.answer()
    answer.body["choices"][0]["message"] = {"role": "assistant", "content": content, key: verdict(False)}
    _, records, _ = run(tmp_path, OpenAIProtocol, always(answer))
    assert records[0]["vlm_matches"] is False


def test_an_answer_in_parts_is_read(tmp_path):
    answer = OpenAIProtocol.answer()
    whole = verdict(True)
    parts = [{"type": "text", "text": whole[:9]}, {"type": "text", "text": whole[9:]}]
    answer.body["choices"][0]["message"]["content"] = parts
    _, records, _ = run(tmp_path, OpenAIProtocol, always(answer))
    assert records[0]["vlm_matches"] is True


def test_a_server_without_schemas_is_asked_without_one_for_the_rest_of_the_run(tmp_path):
    def script(request, number):
        known = "response_format" not in request.json
        return OpenAIProtocol.answer() if known else OpenAIProtocol.error(400, "response_format is not supported")

    done, records, questions = run(tmp_path, OpenAIProtocol, script, ids=range(3))
    assert done.returncode == 0, done.stderr
    assert ["response_format" in question.json for question in questions] == [True, False, False, False]


def test_a_rejection_after_an_answer_is_not_due_to_the_schema(tmp_path):
    script = in_turn(OpenAIProtocol.answer(), OpenAIProtocol.error(400, "no"))
    _, records, questions = run(tmp_path, OpenAIProtocol, script, ids=range(2))
    assert len(questions) == 2 and records[1]["vlm_error_kind"] == "rejected"


def models(*names):
    """A server that lists models and answers questions."""
    listed = Response(body={"object": "list", "data": [{"id": name} for name in names]})
    return lambda request, number: listed if request.path == "/v1/models" else OpenAIProtocol.answer()


def test_the_only_model_of_a_server_is_taken(tmp_path):
    meta = make_archive(tmp_path)
    with Service(models("org/the-model")) as server:
        done = gate(meta, "--judge", "openai", server=server)
    assert done.returncode == 0, done.stderr
    assert server.questions[0].json["model"] == "org/the-model"
    assert read(tmp_path / "report.run.json")["service"]["model"] == "org/the-model"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (models("a", "b"), "lists 2 models: a, b"),
        (models(), "lists 0 models"),
        (always(Response(404, b"no such page")), "no such page"),
        (always(Response(body={"data": [{"id": 5}, "x"]})), "cannot be read"),
        (always(Response(401, f"bad key {KEY}")), "OPENAI_API_KEY"),
    ],
)
def test_without_one_model_to_take_the_command_says_which_there_are(tmp_path, script, words):
    meta = make_archive(tmp_path)
    with Service(script) as server:
        done = gate(meta, "--judge", "openai", server=server)
    assert (done.returncode, server.questions) == (2, [])
    assert "--vlm-model" in done.stderr and words in done.stderr and KEY not in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "content", [b"ffconcat version 1.0\nfile private.mp4\n", b"#EXTM3U\nprivate.mp4\n", b"root:x:0:0", b"\0" * 64]
)
def test_only_a_video_is_sent(tmp_path, content):
    meta = make_archive(tmp_path)
    (tmp_path / "0.mp4").write_bytes(content)
    with Service(always(GeminiProtocol.answer())) as server:
        assert gate(meta, server=server).returncode == 1
    assert server.requests == []
    assert read(tmp_path / "report.json")[0]["vlm_error_kind"] == "no_question"


def test_a_video_beyond_any_clip_is_not_read(tmp_path):
    meta = make_archive(tmp_path)
    with open(tmp_path / "0.mp4", "r+b") as file:
        file.truncate(30_000_000_000)
    done = gate(meta, "--gemini-api-key", "k" * 20)
    assert done.returncode == 1
    record = read(tmp_path / "report.json")[0]
    assert record["vlm_error_kind"] == "no_question" and "0.mp4" in record["vlm_error"]


@pytest.mark.parametrize("address", ["reference://x.mp4", "dir://x.mp4", "zip://x.mp4::y.zip"])
def test_an_odd_address_costs_one_entry(tmp_path, address):
    meta = make_archive(tmp_path, range(2))
    entries = read(meta)
    entries[0]["video_path"] = address
    meta.write_text(json.dumps(entries))
    with Service(always(GeminiProtocol.answer())) as server:
        done = gate(meta, server=server)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert [record["vlm_matches"] for record in read(tmp_path / "report.json")] == [None, True]


def manual(meta, *files):
    flags = [flag for file in files for flag in ("--verdicts", file)]
    return gate(meta, "--judge", "manual", *flags)


def test_several_verdict_files_are_merged_and_conflicts_stay_undecided(tmp_path):
    meta = make_archive(tmp_path, range(3))
    (tmp_path / "a.json").write_text('[{"id": 0, "matches": true}, {"id": "1", "matches": false}]')
    (tmp_path / "b.json").write_text('[{"id": 1, "matches": false}, {"id": 2, "matches": true}]')
    assert manual(meta, tmp_path / "a.json", tmp_path / "b.json").returncode == 0
    assert [record["vlm_matches"] for record in read(tmp_path / "report.json")] == [True, False, True]
    (tmp_path / "b.json").write_text('[{"id": 1, "matches": true}, {"id": 2, "matches": true}]')
    done = manual(meta, tmp_path / "a.json", tmp_path / "b.json")
    assert done.returncode == 1, "an entry stays undecided"
    records = read(tmp_path / "report.json")
    assert [record["vlm_matches"] for record in records] == [True, None, True]
    assert records[1]["vlm_error_kind"] == "conflict"
    assert "a.json: no match; b.json: match" in records[1]["vlm_error"]


def test_a_conflict_is_decided_by_the_rule_and_the_record_says_so(tmp_path):
    meta = make_archive(tmp_path, range(1))
    people = [("Ann", False), ("Bea", True), ("Cem", True)]
    items = [{"id": 0, "matches": matches, "reviewer": name} for name, matches in people]
    (tmp_path / "v.json").write_text(json.dumps(items))
    flags = ("--judge", "manual", "--verdicts", tmp_path / "v.json", "--conflicts")
    assert gate(meta, *flags, "majority").returncode == 0
    (record,) = read(tmp_path / "report.json")
    assert record["vlm_matches"] is True
    assert "Ann: no match; Bea: match; Cem: match" in record["remarks"][0] and "majority" in record["remarks"][0]
    assert gate(meta, *flags, "latest").returncode == 1, "without times, nothing is the latest"


def test_a_model_is_asked_about_what_was_not_chosen_but_not_about_a_conflict(tmp_path):
    meta = make_archive(tmp_path, range(3))
    items = [
        {"id": 0, "chosen": False, "reviewer": "Ann"},
        {"id": 1, "matches": True, "reviewer": "Ann"},
        {"id": 1, "matches": False, "reviewer": "Bea"},
        {"id": 2, "matches": True, "chosen": True, "reviewer": "Ann"},
    ]
    (tmp_path / "v.json").write_text(json.dumps(items))
    with Service(always(GeminiProtocol.answer(verdict(True)))) as server:
        gate(meta, "--verdicts", tmp_path / "v.json", server=server)
        assert len(server.requests) == 1
    records = read(tmp_path / "report.json")
    assert [(record["vlm_matches"], record["judge"]) for record in records] == [
        (True, "gemini"),
        (None, "manual"),
        (True, "manual"),
    ]


@pytest.mark.parametrize("part", ["motion", "clip", "text"])
def test_a_verdict_on_other_content_is_refused_and_counted(tmp_path, part):
    clip = smooth_clip(31, seed=2)
    meta = make_archive(tmp_path, range(2), joints=y_up_from_z_up(unpack(clip.motion).joints))
    entries = read(meta)
    content = {}
    for entry in entries:
        entry["motion_path"] = "walk.pt"
    write_motion(tmp_path / "walk.pt", clip)
    meta.write_text(json.dumps(entries))
    content["motion"] = motion_digest(read_motion(tmp_path / "walk.pt"))
    content["clip"] = clip_digest(tmp_path / "0.mp4")
    content["text"] = text_digest(entries[0]["prompt"])
    people = [{"id": 0, "matches": True, "content": content}, {"id": 1, "matches": True, "content": None}]
    (tmp_path / "v.json").write_text(json.dumps(people))
    assert manual(meta, tmp_path / "v.json").returncode == 0
    content[part] = "0" * 32
    (tmp_path / "v.json").write_text(json.dumps(people))
    done = manual(meta, tmp_path / "v.json")
    assert done.returncode == 1 and "1 verdict of reviewers were not used" in done.stderr
    assert [record["vlm_error_kind"] for record in read(tmp_path / "report.json")] == ["other_content", None]
    with Service(always(GeminiProtocol.answer(verdict(False)))) as server:
        done = gate(meta, "--verdicts", tmp_path / "v.json", server=server)
    assert "1 verdict of reviewers were not used" in done.stderr
    assert [record["judge"] for record in read(tmp_path / "report.json")] == ["gemini", "manual"]


@pytest.mark.parametrize("content", [3, [], {"text": 5}, {"motion": ["A"]}])
def test_a_content_that_is_none_is_refused(tmp_path, content):
    meta = make_archive(tmp_path)
    (tmp_path / "v.json").write_text(json.dumps([{"id": 0, "matches": True, "content": content}]))
    done = manual(meta, tmp_path / "v.json")
    assert done.returncode == 2 and "content" in done.stderr and done.stderr.count("\n") == 1


def damaged(value, chance):
    """A response body with one value exchanged for something odd."""
    odd = (None, 5, -1.5, "x", [], {}, True, [None], {"text": []}, "\ud800", 10**40)
    if chance.random() < 0.15 or not isinstance(value, (dict, list)) or not value:
        return chance.choice(odd)
    places = list(value) if isinstance(value, dict) else range(len(value))
    place = chance.choice(list(places))
    copy = value.copy()
    copy[place] = damaged(value[place], chance)
    return copy


@BOTH
def test_damaged_answers_cost_their_entry_and_no_more(tmp_path, protocol):
    chance = random.Random(5)
    script = lambda request, number: Response(body=damaged(protocol.answer().body, chance))  # noqa: E731
    _, records, _ = run(tmp_path, protocol, script, "--retry-delay", 0.001, ids=range(60))
    assert len(records) == 60
    assert {record["vlm_error_kind"] for record in records} <= {None, "malformed", "empty", "run_ended", "server"}
    assert all(record["vlm_matches"] in (True, None) for record in records)


ANSWER = '{"analysis": "The body waves.", "matches": true}'


@pytest.mark.parametrize(
    ("content", "more", "error"),
    [
        ([{"type": "reasoning", "text": "perhaps"}, {"type": "text", "text": ANSWER}], {}, None),
        ([{"type": "thinking", "thinking": [{"type": "text", "text": "no"}]}, {"text": ANSWER}], {}, None),
        ([ANSWER[:9], {"type": "output_text", "text": ANSWER[9:]}, 5, None], {}, None),
        (f"\ufeff{ANSWER}\u200b\n", {}, None),
        (None, {"tool_calls": [{"function": {"name": "f", "arguments": ANSWER}}]}, "the model called a tool"),
        ({"analysis": "x", "matches": True}, {}, "the answer is empty"),
        (f"{ANSWER}\n{ANSWER}", {}, "is not JSON"),
        (f"[{ANSWER}]", {}, "a JSON list"),
        ('{"analysis": "x", "matches": 1}', {}, "matches is 1"),
        ('{"analysis": "x", "matches": "true"}', {}, "matches is 'true'"),
    ],
)
def test_answers_in_parts_and_other_forms(content, more, error):
    body = json.dumps({"choices": [{"message": {"content": content, **more}}]})
    if error is None:
        assert read_answer(_reply(body).text)["matches"] is True
        return
    with pytest.raises(CallFailure, match=error):
        read_answer(_reply(body).text)
