"""Facts of motions whose truth is known, as numbers and as sentences."""

from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest

from motion_rep import describe_motion
from motion_rep.common.errors import InputError
from motion_rep.describing.contradictions import contradictions
from motion_rep.describing.facts import MotionFacts, motion_facts
from motion_rep.describing.sentences import sentences
from motion_rep.kinematics.skeleton import forward_kinematics
from scripts.dev import evaluate_facts
from scripts.dev.motion_evaluation import facts
from scripts.dev.samples import motions as samples


def facts_of(figure, mirrored=False) -> MotionFacts:
    joints = forward_kinematics(figure.root, figure.body, figure.transl).positions.numpy()
    return motion_facts(facts._mirrored(joints) if mirrored else joints, samples.FPS)


def counts(facts):
    return {(action.name, action.side): action.count for action in facts.actions}


@pytest.fixture(scope="module")
def waving():
    return facts_of(samples.wave(4))


def test_jumping_jacks_are_jumps_and_arms_overhead_together():
    facts = facts_of(samples.jumping_jack(1))
    assert counts(facts) == {("jump", ""): 4, ("raise_arm", "both"): 2}
    assert "The person raises both arms overhead twice" in " ".join(sentences(facts))


def test_a_wave_has_its_side_and_its_mirror_image_the_other(waving):
    assert counts(waving) == {("wave_hand", "right"): 4, ("raise_arm", "right"): 1}
    assert counts(facts_of(samples.wave(4), mirrored=True)) == {("wave_hand", "left"): 4, ("raise_arm", "left"): 1}


def test_a_circle_is_a_turn_with_steps_that_ends_where_it_began():
    facts = facts_of(samples.circle_walk(3))
    assert facts.turn == pytest.approx(360, abs=10)
    assert facts.steps == {"left": 4, "right": 4}
    assert facts.path == pytest.approx(2 * np.pi * 0.73, abs=0.3)
    assert max(abs(facts.ahead), abs(facts.left)) < 0.3
    assert "turns 357 degrees to the left" in " ".join(sentences(facts))


def test_facts_do_not_depend_on_where_the_body_stands_and_faces():
    figure = samples.squat(2)
    joints = forward_kinematics(figure.root, figure.body, figure.transl).positions.numpy()
    turned = joints[..., [2, 1, 0]] * (1, 1, -1) + (5, 0, -3)
    assert motion_facts(turned, samples.FPS).as_dict() == motion_facts(joints, samples.FPS).as_dict()


def test_a_clip_of_three_frames_is_refused():
    with pytest.raises(InputError, match="has 3 frames, expected at least 4"):
        motion_facts(np.zeros((3, 22, 3)), 16)


def test_upside_down_and_lying_bodies_are_named():
    joints = forward_kinematics(*_standing()).positions.numpy()
    over = joints.copy()
    over[..., 1] = joints[..., 1].max() - joints[..., 1]
    assert [posture.name for posture in motion_facts(over, 16).postures] == ["upside down"]
    lying = joints[..., [0, 2, 1]]
    assert [posture.name for posture in motion_facts(lying - lying.min(), 16).postures] == ["lying"]
    assert [posture.name for posture in motion_facts(joints, 16).postures] == ["standing"]


def _standing():
    figure = samples.wave(4)
    return (part[:1].repeat(40, *[1] * (part.ndim - 1)) for part in (figure.root, figure.body, figure.transl))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a person raises the right hand and waves.", None),
        ("a person raises the left hand and waves.", "names the left arm"),
        ("the left hand rests while the right hand waves", None),
        ("a person waves four times", None),
        ("a person waves 7 times.", "says 7 times"),
        ("two people stand and wave", None),
        ("2 waves", "says 2 times"),
        ("a person does three jumping jacks", "says 3 times"),
        ("a person walks to the left", None),
    ],
)
def test_only_plain_sides_and_numbers_of_a_text_are_contradicted(waving, text, found):
    remarks = contradictions(text, waving)
    assert len(remarks) == (found is not None)
    assert found is None or found in remarks[0]


def test_a_turn_to_the_other_side_is_contradicted():
    facts = facts_of(samples.circle_walk(3), mirrored=True)
    assert "turns 357 degrees to the right" in contradictions("walks in a circle to the left.", facts)[0]
    assert contradictions("a person turns to the right", facts) == []
    assert len(contradictions("a person turns around to the left", facts)) == 1


def test_facts_of_the_generators_are_right_in_95_of_100():
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert evaluate_facts.main(["--seeds", "1"]) == 0
    rows = [line.split("|") for line in said.getvalue().splitlines()[2:]]
    shares = {row[1].strip(): float(row[4]) for row in rows}
    assert set(shares) == {"counts", "sides", "turns", "heights"}
    assert min(shares.values()) >= 0.95


def test_the_command_says_sentences_and_writes_json(tmp_path, sample_motion):
    output, said, warned = tmp_path / "facts.json", io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(warned):
        code = describe_motion.main([str(sample_motion), "-o", str(output), "--text", "the person waves the left hand"])
    assert code == 0
    written = json.loads(output.read_text())
    assert said.getvalue().splitlines() == written["sentences"]
    assert written["facts"]["actions"][0]["side"] == "right"
    assert "names the left arm" in warned.getvalue()
    assert written["contradictions"][0] in warned.getvalue()


@pytest.fixture
def sample_motion(tmp_path):
    from checkout import REPO

    from motion_rep import convert_hmr_to_motion

    target = tmp_path / "wave.pt"
    with contextlib.redirect_stdout(io.StringIO()):
        capture = REPO / "data_samples" / "captures" / "wave.pt"
        assert convert_hmr_to_motion.main(["--input", str(capture), "--output", str(target)]) == 0
    return target
