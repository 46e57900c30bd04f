"""A JSON list as a stream: the same items and errors as reading the whole file, with little memory.

Only a value that a rewrite would lose ends the whole file there, and one item here.
"""

from __future__ import annotations

import json
import os
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motion_gating.archives import json_stream
from motion_gating.archives.json_stream import Unreadable, json_items, json_kind
from motion_rep.common.errors import InputError
from motion_rep.files.json_files import read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**25), 10**25) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)
LISTS = st.builds(
    json.dumps, st.lists(VALUES, max_size=4), indent=st.sampled_from([None, 1]), ensure_ascii=st.booleans()
)
ODD = st.sampled_from(
    (
        "",
        " \n\t",
        "[]",
        " [ ]\n ",
        "{}",
        '{"id": 1}\n{"id": 2}',
        '"text"',
        "[1, 2,]",
        "[1 2]",
        "[1.5e+10, -0, -Infinity, NaN]",
        '[{"a": 1, "a": 2}]',
        '["\\ud800", "\\ud83d\\ude00"]',
        "[\r\n1,\r\n\r\n x]",
        "[1]\n]",
        "[-",
        "[tru",
        '["\\u12',
        '["a\nb"]',
        "[\x0b1]",
        "[\u00a01]",
        "\ufeff[1]",
        "[1, [2, [3",
        "null",
        "[0" + "1" * 5000 + "]",
        "[" + "1" * 5000 + "]",
    )
)
UNREADABLE = (
    ('{"id": 3, "x": [NaN, "}"]}', "contains NaN"),
    ("-Infinity", "contains -Infinity"),
    ('{"a": 1, "a": "]"}', "the key 'a' more than once"),
    ('{"a": {"b": [1e400]}}', "a number beyond 1.8e308"),
    ('{"id": 1' + "0" * 400 + "}", "a whole number beyond"),
    ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
)
EDITS = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 3), st.sampled_from(["", *'[]{},:"\\ \n0.e-tx'])), max_size=3
)


def edited(text: str, edits) -> str:
    for place, length, put in edits:
        text = text[:place] + put + text[place + length :]
    return text


def outcome(read, path):
    """What a reader gives, or its first error; that of an unreadable item counts, too."""
    items: list = []
    try:
        items += read(path)
        error = None
    except InputError as found:
        error = str(found)
    unreadable = (f"{path}: {item.why}" for item in items if isinstance(item, Unreadable))
    return next(unreadable, error) or repr(items)


KEPT = st.sampled_from([0, json_stream.MOST_KEPT_BYTES])


@pytest.fixture
def streamed(monkeypatch):
    """As of large files, of which no item is kept."""
    monkeypatch.setattr(json_stream, "MOST_KEPT_BYTES", 0)


def read_json_list(path):
    return json_stream.kept_items(path, json_items, "a list")


def whole(path) -> list:
    value = read_json(path)
    if not isinstance(value, list):
        raise InputError(f"{path}: contains a JSON {json_kind(value)}, expected a list.")
    return value


@given(text=LISTS | ODD, edits=EDITS, chunk=st.sampled_from([1, 2, 3, 10, 2**16]))
@settings(max_examples=400, deadline=None)
def test_items_and_errors_are_those_of_the_whole_text(tmp_path_factory, text, edits, chunk):
    path = tmp_path_factory.getbasetemp() / "list.json"
    path.write_bytes(edited(text, edits).encode("utf-8", "surrogatepass"))
    with pytest.MonkeyPatch.context() as patch:
        kept = read_or_error(path)
        patch.setattr(json_stream, "CHUNK", chunk)
        patch.setattr(json_stream, "MOST_KEPT_BYTES", 0)
        assert outcome(read_json_list, path) == outcome(whole, path)
        assert read_or_error(path) == kept


def read_or_error(path) -> str:
    try:
        return repr(list(read_json_list(path)))
    except InputError as found:
        return str(found)


@given(bad=st.sampled_from(UNREADABLE), most=KEPT, chunk=st.sampled_from([1, 3, 10, 2**16]), place=st.integers(0, 2))
@settings(max_examples=100, deadline=None)
def test_a_value_that_a_rewrite_would_lose_ends_only_its_item(tmp_path_factory, bad, most, chunk, place):
    text, why = bad
    items = ['{"id": 1, "t": "]\\"{"}', '{"id": 2}']
    items.insert(place, text)
    path = tmp_path_factory.getbasetemp() / "list.json"
    path.write_text("[" + ", ".join(items) + "]")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "CHUNK", chunk)
        patch.setattr(json_stream, "MOST_KEPT_BYTES", most)
        found = list(read_json_list(path))
    item = found.pop(place)
    assert (item.text, found) == (text, [{"id": 1, "t": ']"{'}, {"id": 2}])
    assert why in item.why


def write_large(path, count: int, end: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write("[\n")
        file.writelines(f'  {{"id": {number}, "prompt": "{"ü" * 500}"}},\n' for number in range(count))
        file.write(end)


def test_memory_does_not_grow_with_the_list(tmp_path, streamed):
    peaks = []
    for count in (500, 4000):
        write_large(tmp_path / "a.json", count, '{"id": -1}]')
        tracemalloc.start()
        assert sum(1 for _ in read_json_list(tmp_path / "a.json")) == count + 1
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] < 4_000_000


@pytest.mark.parametrize(
    ("end", "found"),
    [
        ('{"id": 1 2}]', "line 3002, column 10"),
        ('{"id": "x', "line 3002, column 8"),
        ('{"id": 1}] ]', "line 3002, column 12"),
    ],
)
def test_an_error_far_into_the_file_is_found_where_it_is_after_all_before_it(tmp_path, streamed, end, found):
    write_large(tmp_path / "a.json", 3000, end)
    items = read_json_list(tmp_path / "a.json")
    assert [next(items)["id"] for _ in range(3000)] == list(range(3000))
    with pytest.raises(InputError, match=found):
        list(items)


def test_an_item_larger_than_the_pieces_that_are_read(tmp_path, streamed):
    value = [{"id": 1, "prompt": '\\"' * 200_000}, {"id": 2, "list": list(range(50_000))}, 3]
    (tmp_path / "a.json").write_text(json.dumps(value))
    assert list(read_json_list(tmp_path / "a.json")) == value


def test_bytes_that_are_no_text_far_into_the_file(tmp_path, streamed):
    write_large(tmp_path / "a.json", 1000, '{"id": "')
    with open(tmp_path / "a.json", "ab") as file:
        file.write(b'\xff"}]')
    with pytest.raises(InputError, match="is not UTF-8 text"):
        list(read_json_list(tmp_path / "a.json"))


def test_a_file_is_parsed_once_for_each_content(tmp_path):
    """Also where the new file has the size and the time of the old one, as on drives that count whole seconds."""
    path, parsed = tmp_path / "a.json", []

    def parse(*arguments):
        parsed.append(path.read_text())
        return json_items(*arguments)

    def items() -> list:
        return list(json_stream.kept_items(path, parse, "a list"))

    for text in ('[{"id": 1}]', '[{"id": 2}]'):
        path.write_text(text)
        os.utime(path, (1, 1))
        assert items() == items() == json.loads(text)
    items()[0]["id"] = "of one caller"
    assert items() == [{"id": 2}]
    assert parsed == ['[{"id": 1}]', '[{"id": 2}]']


def test_the_deepest_value_that_is_read_is_kept(tmp_path):
    """What is nested deeper is unreadable in both ways of reading."""
    path = tmp_path / "a.json"
    for depth in range(600, 1200, 20):
        path.write_text("[" + "[" * depth + "]" * depth + ", 1]")
        assert list(read_json_list(path))[1:] == [1]
