"""Measured facts beside the clip, or in its place."""

from __future__ import annotations

import json

import pytest
from gate_support import GeminiProtocol, OpenAIProtocol, Service, always, gate, make_archive, read, verdict
from sample_motions import smooth_clip

from motion_rep.motions.motion_file import write_motion

MENTION = "measured on the joints"


@pytest.fixture
def meta(tmp_path):
    """Two entries; only the first names a motion."""
    path = make_archive(tmp_path, (0, 1))
    write_motion(tmp_path / "sway.pt", smooth_clip(41))
    entries = read(path)
    entries[0]["motion_path"] = "sway.pt"
    path.write_text(json.dumps(entries))
    return path


def asked(meta, protocol, *flags):
    """The texts and the video parts of each question, and the gate's records."""
    with Service(always(protocol.answer(verdict(True)))) as server:
        gate(meta, *protocol.flags, *flags, "--num-threads", "1", server=server)
    return [request.text for request in server.questions], read(meta.with_name("report.json"))


@pytest.mark.parametrize("protocol", [GeminiProtocol, OpenAIProtocol])
def test_facts_go_along_where_they_are_asked_for_and_there_is_a_motion(meta, protocol):
    without, _ = asked(meta, protocol)
    assert not any(MENTION in text for text in without)
    texts, records = asked(meta, protocol, "--facts", "--cache-dir", meta.with_name("other"))
    assert [MENTION in text for text in texts] == [True, False]
    assert "The body moves" in texts[0] or "stays in place" in texts[0]
    assert [record["vlm_matches"] for record in records] == [True, True]


@pytest.mark.parametrize(("protocol", "video"), [(GeminiProtocol, "inline"), (OpenAIProtocol, "video_url")])
def test_facts_alone_send_no_clip_and_need_a_motion(meta, protocol, video):
    meta.with_name("0.mp4").unlink()
    texts, records = asked(meta, protocol, "--vlm-media", "facts")
    assert len(texts) == 1
    assert video not in texts[0]
    assert "in place of a clip" in texts[0] and "You see a short clip" not in texts[0]
    assert [record["vlm_matches"] for record in records] == [True, None]
    assert records[1]["vlm_error_kind"] == "no_question"
    assert "has no motion" in records[1]["vlm_error"]


def test_a_text_that_the_facts_contradict_gets_a_remark_and_no_rejection(meta):
    entries = read(meta)
    entries[0]["prompt"] = "a person squats 9 times"
    meta.write_text(json.dumps(entries))
    _, records = asked(meta, GeminiProtocol, "--facts")
    remarks = records[0].get("remarks", [])
    assert all("The text says 9 times" in remark for remark in remarks)
    assert records[0]["vlm_matches"] is True
