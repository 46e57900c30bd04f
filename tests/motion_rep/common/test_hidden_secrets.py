"""Keys and parts of keys are hidden in any spelling; ordinary words stay."""

from __future__ import annotations

import base64
import codecs
import json
import random
import urllib.parse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motion_rep.common.hidden_secrets import address_secrets, shown_address, without_secrets

KEY = "AIzaSyD3-x9Qm_7LwRtPvBn2KfHjUe4ZcG8sXo5"
PIECES = {
    "whole": KEY,
    "first": KEY[:20],
    "last": KEY[-20:],
    "middle": KEY[10:20],
    "first of ten": KEY[:10],
    "spaced": " ".join(KEY),
    "lines": "\n".join(KEY[start : start + 4] for start in range(0, len(KEY), 4)),
    "dotted": "...".join(KEY[start : start + 3] for start in range(0, 30, 3)),
    "in a list": json.dumps([KEY[start : start + 5] for start in range(0, len(KEY), 5)]),
    "zero width": "\u200b".join(KEY),
    "wide letters": "".join(chr(ord(c) + 0xFEE0) for c in KEY),
    "reversed": KEY[::-1],
    "reversed part": KEY[5:25][::-1],
    "upper": KEY.upper(),
    "lower": KEY[:20].lower(),
    "swapped": KEY.swapcase(),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64 of a part": base64.b64encode(KEY[:20].encode()).decode(),
    "base64 after one": base64.b64encode(b"x" + KEY.encode()).decode(),
    "base64 after two": base64.b64encode(b"xy" + KEY.encode()).decode(),
    "base64, urls": base64.urlsafe_b64encode(b"ab:" + KEY.encode()).decode(),
    "base64 of the reversed": base64.b64encode(KEY[::-1].encode()).decode(),
    "hex": KEY.encode().hex(),
    "hex, spaced": KEY.encode().hex(" ").upper(),
    "codes": ", ".join(str(ord(c)) for c in KEY),
    "percent": "".join(f"%{ord(c):02X}" for c in KEY[:20]),
    "percent twice": "".join(f"%25{ord(c):02x}" for c in KEY),
    "url": urllib.parse.quote(KEY[3:23], safe=""),
    "unicode": "".join(f"\\u{ord(c):04x}" for c in KEY[-20:]),
    "unicode, braces": "".join(f"\\u{{{ord(c):04x}}}" for c in KEY),
    "hex escapes": "".join(f"\\x{ord(c):02x}" for c in KEY),
    "entities": "".join(f"&#{ord(c)};" for c in KEY),
    "entities, hex": "".join(f"&#x{ord(c):x};" for c in KEY[:20]),
    "code points": " ".join(f"U+{ord(c):04X}" for c in KEY),
}


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
@pytest.mark.parametrize("around", ["%s", "I saw %s in the clip", '{"analysis": "%s", "matches": true}'])
def test_no_long_part_of_a_key_is_left_in_any_spelling(piece, around):
    hidden = without_secrets(around % piece, (KEY,))
    assert "[key]" in hidden
    left = hidden.replace("[key]", "")
    assert len(left) <= len(around) + 6, "a few letters at an end of an encoding may stay"


@given(st.integers(0, 10**6), st.integers(0, 30), st.integers(8, 40))
@settings(max_examples=200, deadline=None)
def test_eight_letters_of_a_random_key_are_too_many(seed, start, length):
    letters = "".join(random.Random(seed).choices("ABCDEFGHabcdefgh0123456789", k=40))
    part = letters[start : start + length]
    hidden = without_secrets(f"it says {part}!", (letters,))
    assert len(part) < 12 and (part.isalpha() or len(part) < 8) or hidden == "it says [key]!"


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        (KEY, "The body turns 360 degrees, jumps at 2.5 s and lands at 3.1 s; AIza is how such keys begin."),
        ("my-secret-password-of-2026", "The password of my team is secret; 2026 frames."),
        ("sk-proj-jumping9motion", "The jumping motion of the project is right."),
        ("test", "the latest and greatest contest"),
        ("EMPTY", "the answer is empty"),
        ("abc", "abc"),
        ("none-given", "None of the given clips matches."),
        (base64.b64encode(b"jump").decode(), "He jumps."),
    ],
)
def test_ordinary_words_stay(secret, text):
    assert without_secrets(text, (secret,)) == text


@pytest.mark.parametrize(
    ("secret", "text", "expected"),
    [
        ("test", "the key test was refused", "the key [key] was refused"),
        ("a1b2", "xa1b2x", "x[key]x"),
        ("!?$%&/()", "it is !?$%&/() here", "it is [key] here"),
        ("pässwörd-7", "p%C3%A4ssw%c3%b6rd-7", "[key]"),
        ("xu+abcd12", "xu+abcd12", "[key]"),
        ("\\\\", "a\\\\b", "a\\\\b"),
        ("user:pw12", base64.b64encode(b"user:pw12").decode(), "[key]"),
        (KEY, f"{KEY}{KEY} {KEY}", "[key] [key]"),
    ],
)
def test_what_is_hidden_exactly(secret, text, expected):
    assert without_secrets(text, (secret,)) == expected


def test_several_secrets_and_none():
    assert without_secrets("one-key-1 two-key-2", ("one-key-1", "two-key-2")) == "[key] [key]"
    assert without_secrets("any \\u0041", ()) == "any \\u0041"


@given(st.text(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_text_without_a_secret_stays_as_it_is(text):
    assert without_secrets(text, (KEY, codecs.encode(KEY, "rot13"))) == text


def test_secrets_of_an_address():
    address = "https://ann:p%2Fw1@host.example:8000/v1?api_key=abc123&size=5"
    assert address_secrets(address) == ("p/w1", "ann:p/w1", "abc123")
    assert shown_address(address) == "https://host.example:8000/v1?api_key&size"
    assert address_secrets("http://localhost:8000/v1") == ()


@pytest.mark.parametrize("filling", ["x", "\\", "%25", "&#", "%5Cu", "\\u00"])
def test_a_key_in_a_long_text_is_hidden(filling):
    """A server may send megabytes; a row of backslashes once took time with the square of its length."""
    found = without_secrets(f"{filling * 50_000} {KEY} end", (KEY, "a-key"))
    assert found.endswith("[key] end") and KEY[:20] not in found
