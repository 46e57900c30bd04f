"""Whatever a model or a person writes ends in a verdict or in one line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motion_gating.judges.answers import prompt_for, read_answer
from motion_gating.judges.openai_compatible import OpenAICompatibleService
from motion_gating.judges.service import CallFailure, count_or_none, delay_in_seconds, short
from motion_gating.verdicts.verdict_file import read_verdicts
from motion_rep.common.errors import UsageError
from motion_rep.common.hidden_secrets import without_secrets

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "matches", "analysis", "usable", "x"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(st.text() | JSON.map(json.dumps) | JSON.map(lambda value: f"```json\n{json.dumps(value)}\n```"))
@settings(max_examples=300, deadline=None)
def test_any_text_is_an_answer_or_a_failure_of_one_line(text):
    try:
        answer = read_answer(text)
    except CallFailure as failure:
        assert "\n" not in failure.message
        assert len(failure.message) < 400
    else:
        assert isinstance(answer["matches"], bool)
        assert isinstance(answer["analysis"], str)


@given(st.booleans(), st.text(), st.dictionaries(st.text(max_size=3), JSON, max_size=2))
@settings(max_examples=100, deadline=None)
def test_a_whole_answer_is_read_as_it_is(matches, analysis, more):
    text = json.dumps({**more, "analysis": analysis, "matches": matches})
    values = {"analysis": analysis, "matches": matches}
    assert read_answer(text) == values
    assert read_answer(f"<think>{{}} true false</think>\n```json\n{text}\n```") == values


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_no_description_leaves_its_line(description):
    lines = prompt_for(description).splitlines()
    assert json.loads(lines[-1]) == description
    assert len(lines) == len(prompt_for("").splitlines())


@given(
    JSON
    | st.lists(
        st.fixed_dictionaries({"id": JSON, "matches": JSON}, optional={"analysis": JSON, "usable": JSON}), max_size=3
    )
)
@settings(max_examples=200, deadline=None)
def test_any_verdict_file_is_verdicts_or_one_line(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "people.json"
    path.write_text(json.dumps(content))
    try:
        verdicts = read_verdicts(path)
    except UsageError as error:
        assert "\n" not in str(error)
        assert "people.json" in str(error)
    else:
        assert all(
            verdict.matches in (True, False, None) and verdict.matches.__class__ in (bool, type(None))
            for (verdict,) in verdicts.values()
        )


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=8), st.text(), st.text())
@settings(max_examples=200)
def test_no_form_of_a_secret_is_left(secret, before, after):
    hidden = without_secrets(before + secret + after + json.dumps(secret), (secret,))
    assert secret not in hidden.replace("[key]", "")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3.5s", 3.5),
        ("7", 7.0),
        (" 0.25s ", 0.25),
        (None, None),
        ("", None),
        ("soon", None),
        ("-3s", None),
        ("1e9s", None),
        ("9" * 40, None),
    ],
)
def test_wanted_delays(text, seconds):
    assert delay_in_seconds(text) == seconds


def test_a_delay_until_a_date_is_counted_by_the_clock_of_the_server():
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    assert delay_in_seconds(date, "Sun, 06 Nov 1994 08:49:07 GMT") == 30.0
    assert (
        delay_in_seconds(date, "Sun, 06 Nov 1994 08:50:00 GMT")
        == 0.0
        == delay_in_seconds(date, None)
        == delay_in_seconds(date, "soon")
    )


@given(st.text(), st.text())
def test_no_delay_is_made_up(text, server_time):
    delay = delay_in_seconds(text, server_time)
    assert delay is None or delay >= 0


@pytest.mark.parametrize(
    ("value", "count"), [(0, 0), (999_999_999, 999_999_999), (10**9, None), (-1, None), (True, None), (3.0, None)]
)
def test_counts_of_tokens(value, count):
    assert count_or_none(value) is count or count_or_none(value) == count


def test_long_words_are_cut_at_their_length():
    assert short("x" * 20, 20) == "x" * 20
    assert short("x" * 21, 20) == "x" * 17 + "..."
    assert short("a\nb\tc \x1b[31m\ud800", 40) == r"a b c \x1b[31m\ud800"


@pytest.mark.parametrize(("media", "tokens"), [("video", 100), ("frames", 200)])
def test_estimated_tokens_follow_patches_of_28_pixels(media, tokens):
    service = OpenAICompatibleService(None, "m", "http://localhost/v1", media=media, sampling_fps=5.0)
    assert service.estimate_tokens(4.0, 28 * 5, 28 * 2) == tokens
    assert service.estimate_tokens(0.0, 28 * 10, 28) == tokens / 20
