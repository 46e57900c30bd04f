"""Archives: what is read is written back, one line for everything that is not an archive."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from motion_gating.archives import json_stream
from motion_gating.archives.archive import (
    InvalidEntry,
    entry_id,
    entry_writer,
    read_entries,
    read_items,
    say_invalid,
)
from motion_rep.common.errors import InputError, UsageError
from motion_rep.files.local_files import safe_name
from motion_rep.runs.report import ItemFailure, write_failures

SUFFIXES = pytest.mark.parametrize("suffix", [".json", ".jsonl"])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def write(path, entries):
    with entry_writer(path) as append:
        for entry in entries:
            append(entry)
    return path


@SUFFIXES
@given(fields=st.lists(st.dictionaries(st.text(max_size=6), JSON, max_size=4), max_size=4))
@settings(max_examples=60, deadline=None)
def test_every_unknown_field_survives_in_order(tmp_path_factory, suffix, fields):
    entries = [{**field, "id": number, "global_id": None} for number, field in enumerate(fields)] or [{"id": "only"}]
    path = write(tmp_path_factory.getbasetemp() / f"archive{suffix}", entries)
    read = list(read_entries(path))
    assert read == entries
    assert [list(entry) for entry in read] == [list(entry) for entry in entries]


@SUFFIXES
def test_text_that_json_can_say_and_utf8_cannot_survives(tmp_path, suffix):
    entries = [{"id": 1, "prompt": "half a pair: \ud800"}, {"id": "\udfff", "prompt": "Grüße, 你好, \u2028"}]
    assert list(read_entries(write(tmp_path / f"a{suffix}", entries))) == entries


@SUFFIXES
@pytest.mark.parametrize(
    ("entry", "found"),
    [('{"id": 1, "x": 1e400}', "a number beyond"), ('{"id": 1, "x": 2, "x": 3}', "'x' more than once"),
     ('{"id": 1, "x": NaN}', "NaN"), ('{"id": 1, "x": 1' + "0" * 400 + "}", "a whole number beyond")],
)  # fmt: skip
def test_what_writing_again_would_lose_is_refused(tmp_path, suffix, entry, found):
    (tmp_path / f"a{suffix}").write_text(entry + "\n" if suffix == ".jsonl" else f"[{entry}]")
    with pytest.raises(InputError, match=found) as caught:
        list(read_entries(tmp_path / f"a{suffix}"))
    assert str(caught.value).startswith(f"{tmp_path / f'a{suffix}'}: ") and "\n" not in str(caught.value)


def test_readable_characters_stay_readable(tmp_path):
    path = write(tmp_path / "a.json", [{"id": 1, "prompt": "Grüße"}])
    assert "Grüße" in path.read_text(encoding="utf-8")
    assert (
        path.read_text(encoding="utf-8")
        == json.dumps([{"id": 1, "prompt": "Grüße"}], indent=2, ensure_ascii=False) + "\n"
    )


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", "empty"),
        ("{", "is not JSON"),
        ('{"id": 1}', "expected a list"),
        ("[1]", "entry 0 is a JSON number"),
        ("[null]", "entry 0 is a JSON null"),
        (
            "[{}]",
            "expected a number or a string in id or global_id. An entry needs at least id, motion_path",
        ),
        ('[{"id": true}]', "has the id True"),
        ('[{"id": ""}]', "has the id ''"),
        ('[{"id": [1]}]', "has the id [1]"),
        ('[{"id": 1}, {"id": 1}]', "duplicate id"),
        ('[{"id": 1}, {"id": "1"}]', "duplicate id"),
        ('[{"id": 1}, {"id": 2, "global_id": 1}]', "duplicate id"),
        ('[{"id": 1' + "0" * 5000 + "}]", "a whole number beyond"),
        ("[" * 100000, "too deeply"),
    ],
)
def test_what_is_no_archive_is_one_line_with_the_file(tmp_path, content, found):
    path = tmp_path / "a.json"
    path.write_text(content)
    with pytest.raises(UsageError) as caught:
        list(read_entries(path))
    assert found in str(caught.value)
    assert "a.json" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("[1]", "is a JSON list, expected an object"),
        ('{"id": 1' + "0" * 5000 + "}", "a whole number beyond 1.8e308, the largest that programs can read. "
         "Correct it. See line 2."),
        ("[" * 100000, "is nested too deeply, or has a number too long, for JSON data of this toolkit. See line 2."),
    ],
)  # fmt: skip
def test_a_wrong_line_fails_alone(tmp_path, capsys, line, found):
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": 0}\n' + line + "\n")
    first, second = read_entries(path)
    assert (first, entry_id(second)) == ({"id": 0}, "number 1") and isinstance(second, InvalidEntry)
    assert say_invalid(path) == 1
    (printed,) = capsys.readouterr().err.splitlines()
    assert printed.startswith(f"error: {path}: entry number 1 ") and found in printed


@SUFFIXES
def test_a_file_that_is_cut_is_refused_whole(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_text('{"id": 0}\n{"id":' if suffix == ".jsonl" else '[{"id": 0},\n{"id":')
    with pytest.raises(UsageError, match="line 2"):
        list(read_entries(path))


INVALID = {
    '{"prompt": "x", "use_ref_motion": false}': "has the id None",
    '{"id": null, "global_id": null}': "has the id None",
    '{"id": [7]}': "has the id [7]",
    '{"id": {"a": 1}}': "has the id {'a': 1}",
    '{"id": true}': "has the id True",
    '{"id": ""}': "has the id ''",
    '"text"': "is a JSON string",
    "null": "is a JSON null",
    "[[1, [2]]]": "is a JSON list",
}


@SUFFIXES
@pytest.mark.parametrize(("text", "found"), INVALID.items())
def test_an_item_that_is_no_entry_fails_alone_and_is_written_back(tmp_path, suffix, text, found):
    source = tmp_path / f"a{suffix}"
    texts = ['{"id": 1}', text, '{"id": 2}']
    source.write_text("\n".join(texts) if suffix == ".jsonl" else f"[{', '.join(texts)}]")
    entries = list(read_entries(source))
    invalid = entries.pop(1)
    assert entries == [{"id": 1}, {"id": 2}]
    assert (invalid, entry_id(invalid)) == ({}, "number 1") and found in invalid.problem
    copy = write(tmp_path / f"copy{suffix}", read_entries(source))
    assert list(read_items(copy)) == list(read_items(source)) == [{"id": 1}, json.loads(text), {"id": 2}]


def test_all_entries_with_one_id_fail(tmp_path):
    ids = [7, "a", "7", "number 2", "number 3", {"x": 1}, "7 (number 0)", 7.0, "A", "a\u0301", "\u00e1", "x", "x"]
    path = write(tmp_path / "a.json", [{"id": one} for one in ids])
    found = list(read_entries(path))
    assert [entry_id(one) for one in found if isinstance(one, InvalidEntry)] == [
        "7 (number 0)'", "7 (number 2)", "number 5", "x (number 11)", "x (number 12)",
    ]  # fmt: skip
    assert len({str(entry_id(one)) for one in found}) == len(ids)
    assert len({safe_name(entry_id(one)) for one in found}) == len(ids)


def test_a_true_of_an_invalid_entry_is_not_written_back(tmp_path):
    entries = [{"id": 1, "use_ref_motion": True}, {"x": 2, "use_ref_motion": True, "judged_content": {}}]
    entries += [{"use_ref_motion": True}, {"id": 1, "use_ref_motion": False}, {"id": 2, "use_ref_motion": True}]
    copy = write(tmp_path / "b.json", read_entries(write(tmp_path / "a.json", entries)))
    assert list(read_items(copy)) == [{"id": 1}, {"x": 2}, {}, *entries[3:]]


@SUFFIXES
def test_the_text_of_an_unreadable_entry_is_kept(tmp_path, suffix):
    text = '{"id": 1, "use_ref_motion": true, "x": NaN, "x": "ü"}'
    source = tmp_path / f"a{suffix}"
    source.write_text(text + '\n{"id": 2}' if suffix == ".jsonl" else f'[{text}, {{"id": 2}}]', encoding="utf-8")
    assert "contains NaN" in next(read_entries(source)).problem
    for name in ("b", "c"):
        source = write(tmp_path / f"{name}{suffix}", read_entries(source))
        assert list(read_items(source)) == [{"unreadable": text}, {"id": 2}]
    assert "could not be read by an earlier step" in next(read_entries(source)).problem


def test_an_archive_that_is_edited_is_read_again(tmp_path):
    path = write(tmp_path / "a.json", [{"id": 1}, {"id": 1}, {"id": 2}])
    assert sum(isinstance(one, InvalidEntry) for one in read_entries(path)) == 2
    write(path, [{"id": 1}, {"id": 3}, {"id": 2}])
    assert not any(isinstance(one, InvalidEntry) for one in read_entries(path))


def test_other_encodings_are_refused_and_a_byte_order_mark_is_not(tmp_path):
    for suffix in (".json", ".jsonl"):
        path = tmp_path / f"a{suffix}"
        text = '[{"id": "ü"}]' if suffix == ".json" else '{"id": "ü"}\n'
        path.write_bytes(text.encode("latin-1"))
        with pytest.raises(UsageError, match="UTF-8"):
            list(read_entries(path))
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())
        assert [entry["id"] for entry in read_entries(path)] == ["ü"]


def test_large_files_of_lines_are_read_one_by_one_and_empty_ones_skipped(tmp_path, monkeypatch):
    monkeypatch.setattr(json_stream, "MOST_KEPT_BYTES", 0)
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": 0}\n\n  \n{"id": 1}\nnot json\n')
    items = read_items(path)
    assert [next(items)["id"], next(items)["id"]] == [0, 1]
    with pytest.raises(UsageError, match="line 5"):
        next(read_entries(path))


@SUFFIXES
def test_an_error_while_writing_leaves_the_old_archive(tmp_path, suffix):
    path = write(tmp_path / f"a{suffix}", [{"id": 0}])
    before = path.read_bytes()
    with pytest.raises(TypeError), entry_writer(path) as append:
        append({"id": 1})
        append({"id": object()})
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_failures_are_written_one_by_one_as_json_with_two_spaces(tmp_path, count):
    failures = [
        ItemFailure(identifier, "a.pt: it's\n \ud800 broken", "Traceback\n ü") for identifier in (7, "ü", None)[:count]
    ]
    write_failures(tmp_path / "f.json", {"done": 2, "failed": count}, iter(failures))
    text = (tmp_path / "f.json").read_text(encoding="utf-8")
    value = {"counts": {"done": 2, "failed": count}, "failures": [asdict(failure) for failure in failures]}
    assert json.loads(text) == value
    assert text == json.dumps(value, indent=2) + "\n"


def test_global_id_identifies_where_present():
    assert entry_id({"id": 3, "global_id": 7}) == 7
    assert entry_id({"id": 3, "global_id": None}) == 3
    assert entry_id({"id": 3, "global_id": 0}) == 0


@given(st.text(min_size=1) | st.integers() | st.floats())
@settings(max_examples=200)
def test_an_id_never_becomes_a_path(identifier):
    name = safe_name(identifier)
    assert 0 < len(name) <= 110
    assert not set(name) & set('/\\\0:*?"<>|\n')
    assert name[0] not in ".-"


def test_names_of_different_ids_differ():
    ids = ["a/b", "a_b", "a b", "../a/b", "A/B", "a/b/", ".a", "a", "", "ä", "\ud800", "x" * 200, "x" * 201]
    assert len({safe_name(identifier) for identifier in ids}) == len(ids)
