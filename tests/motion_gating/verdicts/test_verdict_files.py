"""Files of several reviewers: merged without loss, and what counts where they contradict each other."""

from __future__ import annotations

import datetime
import json

import pytest

from motion_gating.verdicts.settling import conflicts_in, settle, settle_all
from motion_gating.verdicts.verdict_file import last_of_each, left_out, read_verdicts
from motion_rep.common.errors import UsageError

EARLY, LATE = "2026-03-01T08:00:00Z", "2026-03-01T10:00:00+01:00"


def save(folder, name, *items):
    path = folder / f"{name}.json"
    path.write_text(json.dumps(items))
    return path


def said(identifier, matches, reviewer=None, time=None, **more):
    known = {"reviewer": reviewer, "time": time}
    return {"id": identifier, "matches": matches, **{k: v for k, v in known.items() if v}, **more}


def test_two_reviewers_files_are_merged_without_loss(tmp_path):
    ann = save(tmp_path, "a", said(0, True, "Ann", EARLY), said("x", None, "Ann", EARLY), said(2, False, "Ann", EARLY))
    bea = save(tmp_path, "b", said("0", True, "Bea", LATE), said("x", True, "Bea", LATE), said(3, True, "Bea", LATE))
    verdicts = read_verdicts(ann, bea)
    found = {name: [(one.reviewer, one.matches) for one in given] for name, given in verdicts.items()}
    assert found == {
        "0": [("Ann", True), ("Bea", True)],
        "x": [("Ann", None), ("Bea", True)],
        "2": [("Ann", False)],
        "3": [("Bea", True)],
    }
    assert {name: one.matches for name, one in settle_all(verdicts).items()} == {
        "0": True,
        "x": True,
        "2": False,
        "3": True,
    }
    both = save(tmp_path, "both", *json.loads(ann.read_text()), *json.loads(bea.read_text()))
    assert read_verdicts(both) == verdicts == read_verdicts(ann, bea, both), "what is there already adds nothing"


def test_contradicting_reviewers_leave_an_entry_undecided_and_are_named(tmp_path):
    verdicts = read_verdicts(save(tmp_path, "a", said(1, True, "Ann"), said(1, False, "Bea"), said(1, None, "Cem")))
    settled = settle(verdicts["1"])
    assert settled.verdict is None and settled.conflict == "Ann: match; Bea: no match; Cem: unsure"
    assert conflicts_in(verdicts) == ["1"] and settle_all(verdicts) == {}


@pytest.mark.parametrize(
    ("rule", "given", "expected"),
    [
        ("latest", [(True, EARLY), (False, LATE)], False),
        ("latest", [(True, LATE), (False, EARLY)], True),
        ("latest", [(True, LATE), (False, LATE)], None),
        ("latest", [(True, LATE), (False, None)], None),
        ("majority", [(True, EARLY), (False, LATE)], None),
        ("majority", [(True, EARLY), (False, LATE), (True, None)], True),
        ("majority", [(True, EARLY), (False, LATE), (None, None)], None),
        ("undecided", [(True, EARLY), (False, LATE), (True, None)], None),
    ],
)
def test_a_rule_decides_conflicts_or_leaves_them_open(tmp_path, rule, given, expected):
    items = [said(1, matches, f"reviewer {number}", time) for number, (matches, time) in enumerate(given)]
    settled = settle(read_verdicts(save(tmp_path, "v", *items))["1"], rule)
    assert (settled.verdict and settled.verdict.matches) is expected and settled.conflict


def test_the_later_verdict_of_one_reviewer_counts(tmp_path):
    old, new = save(tmp_path, "a", said(1, True, "Ann", EARLY)), save(tmp_path, "b", said(1, False, "Ann", LATE))
    for files in ((old, new), (new, old)):
        assert [one.matches for one in read_verdicts(*files)["1"]] == [False]
    without = save(tmp_path, "c", said(1, False, "Ann"))
    assert settle(read_verdicts(old, without)["1"]).conflict == "Ann: match; Ann: no match"


def test_a_copy_that_knows_more_is_the_same_verdict(tmp_path):
    content = {"motion": "a" * 32, "clip": None, "text": None}
    by_hand, by_page = (
        save(tmp_path, "a", said(1, True, "Ann")),
        save(tmp_path, "b", said(1, True, "Ann", EARLY, content=content, analysis="fine", overruled=True)),
    )
    for files in ((by_hand, by_page), (by_page, by_hand)):
        (verdict,) = read_verdicts(*files)["1"]
        assert (verdict.analysis, verdict.content.motion, verdict.overruled) == ("fine", "a" * 32, True)
        assert verdict.time is not None


def test_old_files_without_names_are_reviewers_by_their_file(tmp_path):
    files = save(tmp_path, "a", said(1, True), said(2, True)), save(tmp_path, "b", said(1, False), said(2, True))
    verdicts = read_verdicts(*files)
    assert settle(verdicts["1"]).conflict == "a.json: match; b.json: no match"
    assert settle_all(verdicts)["2"].matches is True


def test_an_overruled_verdict_does_not_count_and_is_kept(tmp_path):
    settled = save(tmp_path, "a", said(1, True, "Ann", EARLY), said(1, False, "Bea", EARLY, overruled=True))
    original = save(tmp_path, "b", said(1, False, "Bea", EARLY))
    for files in ((settled, original), (original, settled)):
        verdicts = read_verdicts(*files)
        assert len(verdicts["1"]) == 2 and settle(verdicts["1"]).verdict.matches is True
    opposite = save(tmp_path, "c", said(1, True, "Ann", EARLY, overruled=True), said(1, False, "Bea", EARLY))
    assert settle(read_verdicts(settled, opposite)["1"]).conflict, "each was overruled by somebody"


def test_a_candidate_that_was_not_chosen_is_no_mismatch(tmp_path):
    path = save(tmp_path, "a", {"id": 1, "chosen": False, "reviewer": "Ann"}, said(2, True, "Ann", chosen=True))
    verdicts = read_verdicts(path)
    assert verdicts["1"][0].says_nothing and not verdicts["2"][0].says_nothing
    assert settle(verdicts["1"]).verdict.matches is None
    assert not settle([*verdicts["1"], *verdicts["2"]]).conflict


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (said(1, True, time="yesterday"), "has the time 'yesterday', expected ISO 8601"),
        (said(1, True, reviewer=7), "has a reviewer that is not text"),
        (said(1, True, chosen="yes"), "has chosen 'yes', expected true, false or null"),
        (said(1, True, overruled=1), "has overruled 1, expected true, false or null"),
        ({"id": 1}, "item 0 is not an object with id and matches"),
        ({"id": 1, "chosen": True}, "item 0 is not an object with id and matches"),
    ],
)
def test_a_wrong_item_is_named(tmp_path, item, words):
    with pytest.raises(UsageError) as caught:
        read_verdicts(save(tmp_path, "v", item))
    assert words in str(caught.value) and "v.json" in str(caught.value)


def test_one_reviewer_has_one_verdict_on_an_entry_in_a_file(tmp_path):
    with pytest.raises(UsageError, match="two verdicts of one reviewer on the id '1'"):
        read_verdicts(save(tmp_path, "v", said(1, True, "Ann"), said("1", True, "Ann")))


@pytest.mark.parametrize("other", ["ann", " Ann ", "ANN", "Ann\n"])
def test_spellings_of_a_name_are_one_reviewer(tmp_path, capsys, other):
    first, second = save(tmp_path, "a", said(1, True, "Ann", EARLY)), save(tmp_path, "b", said(1, False, other, LATE))
    (verdict,) = read_verdicts(first, second)["1"]
    assert (verdict.reviewer, verdict.matches) == ("Ann", False)
    err = capsys.readouterr().err
    assert err == (
        "" if other.strip() == "Ann" else f"warning: the reviewers 'Ann', '{other}' count as one person, 'Ann'\n"
    )


def test_two_forms_of_unicode_are_one_reviewer_also_in_one_file(tmp_path, capsys):
    composed, decomposed = "Zo\u00eb", "Zoe\u0308"
    path = save(tmp_path, "a", said(1, True, composed, EARLY), said(1, False, decomposed.upper(), LATE))
    assert [(one.reviewer, one.matches) for one in read_verdicts(path)["1"]] == [(composed, False)]
    assert capsys.readouterr().err.count("\n") == 1
    other = save(tmp_path, "b", said(1, True, "Zoe"))
    assert len(read_verdicts(path, other)["1"]) == 2, "another letter is another name"


def test_a_time_in_the_future_does_not_win(tmp_path, capsys):
    now = datetime.datetime.now(datetime.UTC)
    soon, later = ((now + datetime.timedelta(minutes=minutes)).isoformat() for minutes in (3, 60))
    wrong = save(tmp_path, "a", said(1, True, "Ann", later), said(2, True, "Ann", soon))
    right = save(tmp_path, "b", said(1, False, "Bea", LATE), said(2, False, "Bea", LATE))
    verdicts = read_verdicts(wrong, right)
    assert settle(verdicts["1"], "latest").verdict is None, "one has no time that can be trusted"
    assert settle(verdicts["2"], "latest").verdict.matches is True, "clocks differ by minutes"
    (line,) = capsys.readouterr().err.splitlines()
    assert "a.json: 1 verdict has a time in the future" in line and later[:16] in line and "of Ann" in line
    earlier = save(tmp_path, "c", said(1, False, "Ann", EARLY))
    for files in ((wrong, earlier), (earlier, wrong)):
        assert settle(read_verdicts(*files)["1"], "latest").verdict is None, "both of Ann's stay"


@pytest.mark.parametrize("time", [1772352000, "1772352000", 1772352000000, 1772352000.0, "1772352000.000"])
def test_times_since_1970(tmp_path, time):
    (verdict,) = read_verdicts(save(tmp_path, "a", said(1, True, "Ann", time)))["1"]
    assert verdict.time == datetime.datetime(2026, 3, 1, 8, tzinfo=datetime.UTC)


@pytest.mark.parametrize("time", [5, True, 10**15, "1772352000000000", [1], 1e308])
def test_other_numbers_are_no_times(tmp_path, time):
    with pytest.raises(UsageError, match="expected ISO 8601"):
        read_verdicts(save(tmp_path, "a", said(1, True, "Ann", time)))


def test_a_time_without_a_zone_is_in_utc(tmp_path):
    (verdict,) = read_verdicts(save(tmp_path, "a", said(1, True, "Ann", "2026-03-01T08:00:00")))["1"]
    assert verdict.time == datetime.datetime(2026, 3, 1, 8, tzinfo=datetime.UTC)


def test_nameless_files_of_one_name_in_two_folders_are_two_reviewers(tmp_path):
    """The page saves every reviewer's verdicts as verdicts.json."""
    for name, matches in (("ann", True), ("bea", False)):
        (tmp_path / name).mkdir()
        save(tmp_path / name, "verdicts", said(1, matches, time=EARLY if matches else LATE))
    ann, bea = (tmp_path / name / "verdicts.json" for name in ("ann", "bea"))
    found = read_verdicts(ann, bea)["1"]
    assert [(one.reviewer, one.matches) for one in found] == [(str(ann), True), (str(bea), False)]
    assert settle(found).verdict is None
    assert [
        one.reviewer for one in read_verdicts(ann, ann, tmp_path / "bea" / ".." / "ann" / "verdicts.json")["1"]
    ] == ["verdicts.json"]


BAD = [
    ({"id": 2, "matches": "yes"}, "item 1 (id 2) has matches 'yes'"),
    ({"id": [2], "matches": True}, "item 1 has the id [2]"),
    ({"id": 2, "matches": True, "analysis": 5}, "has an analysis that is not text"),
    ({"id": 2, "matches": True, "time": "yesterday"}, "has the time 'yesterday'"),
    ({"id": 2, "matches": True, "content": "x"}, "has a content field"),
    ({"id": 2}, "is not an object with id and matches"),
    ("text", "is not an object with id and matches"),
    ([[1]], "is not an object with id and matches"),
    (None, "is not an object with id and matches"),
    ({"id": 2, "matches": True, "size": float("nan")}, "item 1 contains NaN"),
]


@pytest.mark.parametrize(("item", "words"), BAD)
def test_a_wrong_item_is_left_out_alone(tmp_path, capsys, item, words):
    path = save(tmp_path, "v", said(1, True), item, said(3, False))
    verdicts = read_verdicts(path)
    assert {name: [one.matches for one in given] for name, given in verdicts.items()} == {"1": [True], "3": [False]}
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {path}: ") and words in line and left_out(verdicts) == 1


def test_two_verdicts_of_one_reviewer_in_a_file_are_left_out_alone(tmp_path, capsys):
    path = save(
        tmp_path, "v", said(1, True, "Ann"), said("1", False, "Ann"), said(1, True, "Bea"), said(2, True, "Ann")
    )
    verdicts = read_verdicts(path)
    assert [one.reviewer for one in verdicts["1"]] == ["Bea"] and verdicts["2"][0].matches and verdicts.left_out == 1
    assert "two verdicts of one reviewer on the id '1'" in capsys.readouterr().err


def test_many_wrong_items_are_counted(tmp_path, capsys):
    verdicts = read_verdicts(save(tmp_path, "v", *[5] * 1000, said(1, True)))
    assert list(verdicts) == ["1"] and verdicts.left_out == 1000
    assert len(lines := capsys.readouterr().err.splitlines()) == 21 and "980 more" in lines[-1]


def content(motion, clip=None):
    return {"motion": motion * 32, "clip": clip and clip * 32, "text": None}


def test_a_later_verdict_on_other_content_does_not_hide_one_on_the_current(tmp_path):
    """A motion was judged, replaced, judged again, and the first one restored."""
    a = save(tmp_path, "a", said(1, True, "Ann", EARLY, content=content("a")))
    b = save(tmp_path, "b", said(1, False, "Ann", LATE, content=content("b")))
    one = save(tmp_path, "one", *json.loads(a.read_text()), *json.loads(b.read_text()))
    for files in ((a, b), (b, a), (one,)):
        given = read_verdicts(*files)["1"]
        now = {name: [v.matches for v in given if v.content.motion == name * 32] for name in "ab"}
        assert now == {"a": [True], "b": [False]}


def test_of_several_verdicts_on_the_current_content_the_last_counts(tmp_path):
    """The second was given on another drawing of the same motion, the third by hand without content."""
    items = [
        said(1, True, "Ann", EARLY, content=content("a", "c")),
        said(1, False, "Ann", LATE, content=content("a", "d")),
    ]
    hand = said(1, None, "Ann", "2026-03-02T00:00:00Z")
    assert settle(read_verdicts(save(tmp_path, "v", *items))["1"]).verdict.matches is False
    assert settle(read_verdicts(save(tmp_path, "v", *items, hand))["1"]).verdict.matches is None
    assert [one.matches for one in last_of_each(read_verdicts(save(tmp_path, "v", hand, *items))["1"])] == [None]
