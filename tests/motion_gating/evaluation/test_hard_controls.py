"""Near misses by rule, changed clips, and how many known-bad clips a claim takes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from gate_support import GeminiProtocol, Service, always, environment, make_archive, read, run_here, verdict

from motion_gating import evaluate_gate
from motion_gating.evaluation.claims import claim_holds, clips_needed
from motion_gating.evaluation.hard_controls import COUNTS, SIDES, VERBS, hard_controls, near_miss
from motion_gating.judges.interface import Question
from motion_rep.video.reading import open_video
from motion_rep.video.writing import open_writer


@pytest.mark.parametrize(
    ("text", "words", "changed"),
    [
        ("A person walks twice", VERBS, "A person crawls twice"),
        ("A person walks twice", COUNTS, "A person walks five times"),
        ("raises the left hand", SIDES, "raises the right hand"),
        ("does two jumping jacks", COUNTS, "does five jumping jacks"),
        ("an archive of leftovers", SIDES, None),
        ("Jumps and walks", VERBS, "sits down and walks"),
    ],
)
def test_one_word_is_changed(text, words, changed):
    assert near_miss(text, words) == changed


@pytest.fixture
def clip(tmp_path):
    """Ten frames whose left half grows brighter."""
    path = tmp_path / "clip.mp4"
    with open_writer(path, 64, 48, 16) as writer:
        for number in range(10):
            frame = np.zeros((48, 64, 3), np.uint8)
            frame[:, :32] = 20 * number
            writer.write(frame)
    return path


def frames_of(path):
    with open_video(path) as video:
        return np.stack([frame for _, frame in video]).astype(float)


def test_clips_are_reversed_mirrored_and_frozen_where_that_makes_the_description_wrong(tmp_path, clip):
    question = Question(1, clip, "a person walks and raises the left hand", clip)
    controls = {c.kind: c.question for c in hard_controls([question], 3, tmp_path) if c.kind.startswith("clip")}
    before = frames_of(clip)
    assert np.abs(frames_of(controls["clip reversed"].video) - before[::-1]).mean() < 3
    assert np.abs(frames_of(controls["clip mirrored"].video) - before[:, :, ::-1]).mean() < 3
    assert np.abs(frames_of(controls["clip frozen"].video) - before[:1]).mean() < 3
    assert {asked.motion for asked in controls.values()} == {None}
    still = Question(1, clip, "a person stands")
    assert [c.kind for c in hard_controls([still], 3, tmp_path)] == ["clip frozen"]


def test_each_kind_has_its_false_accepts_and_the_claim_counts_them_all(tmp_path):
    meta = make_archive(tmp_path, range(2))
    entries = [{**entry, "prompt": text} for entry, text in zip(read(meta), ("walks twice", "kicks hard"), strict=True)]
    meta.write_text(json.dumps(entries))
    flags = ["--controls", "2", "--meta-json", str(meta), "--max-false-accept", "0.05"]
    with Service(always(GeminiProtocol.answer(verdict(False)))) as server:
        argv = ["--output", str(tmp_path / "evaluation.json"), *flags]
        done = run_here(evaluate_gate.main, argv, environment(server))
    assert done.returncode == 1
    figures = read(tmp_path / "evaluation.json")["controls"]
    assert {kind: found["decided"] for kind, found in figures["by_kind"].items()} == {
        "other description": 2,
        "near miss: verb": 2,
        "near miss: count": 1,
    }
    assert figures["asked"] == 2
    assert figures["max_false_accept"] == {"rate": 0.05, "needed": 59, "holds": False}
    assert "0 of 5 known-bad clips were accepted; the claim is not shown (at 95 % this takes 59" in done.stdout


@pytest.mark.parametrize(("rate", "needed"), [(0.1, 29), (0.05, 59), (0.02, 149)])
def test_a_claim_takes_so_many_known_bad_clips(rate, needed):
    assert clips_needed(rate) == needed
    assert claim_holds(0, needed, rate)
    assert not claim_holds(0, needed - 1, rate)
    assert not claim_holds(1, needed, rate)
    assert claim_holds(1, 2 * needed, rate)
