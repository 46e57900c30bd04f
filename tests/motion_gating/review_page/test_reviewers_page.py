"""Several reviewers and groups of candidates on the review page, in a real browser."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("selenium.webdriver", reason="selenium is not installed (pip install selenium)")
from browser_support import (  # noqa: E402
    bring,
    click,
    given_ids,
    load_again,
    open_id,
    press,
    shown,
    size,
    wait,
)
from report_support import build, make_batch, record  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402

from motion_gating.verdicts.settling import settle  # noqa: E402
from motion_gating.verdicts.verdict_file import read_verdicts  # noqa: E402

NAMED = "localStorage.clear(); localStorage.setItem('motion-review-setting reviewer', arguments[0])"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two plain entries and two groups: one of five candidates, one of two."""
    folder = tmp_path_factory.mktemp("team")
    meta, report = make_batch(folder)
    whole = {**json.loads(meta.read_text())[0]}
    del whole["overlay_path"]
    members = [("plain", None), ("other", None), *((f"a{seed}", "a") for seed in range(5)), ("b0", "b"), ("b1", "b")]
    entries = [
        {**whole, "id": name, **({} if group is None else {"group": group, "seed": int(name[1]), "rank": 1})}
        for name, group in members
    ]
    meta.write_text(json.dumps(entries))
    report.write_text(json.dumps([record(name) for name, _ in members]))
    (folder / "Bea.json").write_text(json.dumps([said("plain", False, "Bea", "2026-01-01T10:00:00Z")]))
    (folder / "Cem.json").write_text(json.dumps([said("plain", True, "Cem"), said("other", True, "Cem")]))
    given = [word for name in ("Bea", "Cem") for word in ("--verdicts", folder / f"{name}.json")]
    assert build(meta, report, folder / "page", "--no-side-view") == 0
    assert (
        build(meta, report, folder / "team", "--no-side-view", *given, "--reviewers", "Ann,Bea", "--overlap", 0.5) == 0
    )
    return folder


def said(identifier, matches, reviewer, time=None, **more) -> dict:
    return {"id": identifier, "matches": matches, "reviewer": reviewer, **({"time": time} if time else {}), **more}


def visit(browser, folder, name="page", script=NAMED, reviewer="Ann"):
    size(browser, 1366, 820)
    address = (folder / name / "index.html").as_uri()
    browser.get("about:blank")
    browser.get(address)
    browser.execute_script(script, reviewer)
    load_again(browser, address)
    wait(browser, "return Boolean(player)")
    return browser


@pytest.fixture
def page(browser, folder):
    """The page as Ann sees it."""
    return visit(browser, folder)


def exported(page) -> list[dict]:
    return json.loads(page.execute_script("return exportText()"))


def test_the_name_is_asked_for_once_and_goes_into_every_verdict(browser, folder):
    page = visit(browser, folder, script="localStorage.clear()")
    press(page, "m")
    assert page.find_element(By.ID, "naming").is_displayed()
    page.find_element(By.ID, "name").send_keys("Änne <b>", Keys.ENTER)
    wait(page, "return !find('naming').open")
    assert page.find_element(By.ID, "who").text == "Änne <b>"
    page.execute_script("find('entry').focus()")
    press(page, "j", "x")
    assert not page.find_element(By.ID, "naming").is_displayed()
    items = exported(page)
    assert [(item["id"], item["matches"], item["reviewer"]) for item in items] == [
        ("plain", True, "Änne <b>"),
        ("other", False, "Änne <b>"),
    ]
    assert all(item["time"].endswith("Z") and len(item["time"]) == 24 for item in items)
    page.refresh()
    wait(page, "return Boolean(player)")
    assert page.find_element(By.ID, "who").text == "Änne <b>" and given_ids(page) == {
        "plain": "match",
        "other": "mismatch",
    }
    nameless = visit(browser, folder, script="localStorage.clear()")
    press(nameless, "m")
    click(nameless, "#naming [value=skip]")
    page.execute_script("find('entry').focus()")
    press(nameless, "j", "m")
    assert not nameless.find_element(By.ID, "naming").is_displayed(), "only once"
    assert all("reviewer" not in item for item in exported(nameless))


def test_verdicts_of_an_earlier_version_of_the_page_are_kept(page, folder):
    page.execute_script(
        "const old = {[entries[0].key]: {verdict: 'match', note: 'hm', about: entries[0].about}};"
        "localStorage.setItem(storageKey, JSON.stringify(old));"
        "localStorage.removeItem('motion-review-setting reviewer')"
    )
    page.refresh()
    wait(page, "return Boolean(player)")
    assert given_ids(page) == {"plain": "match"}
    page.execute_script("setName('Ann')")
    assert given_ids(page) == {"plain": "match"} and exported(page)[0]["reviewer"] == "Ann"


def test_two_reviewers_verdicts_are_merged_without_loss_and_conflicts_are_settled(page, tmp_path):
    press(page, "m", "j", "m")
    theirs = [
        said("plain", False, "Bea", "2026-01-01T10:00:00Z", analysis="the arm <i>trembles</i>"),
        said("other", True, "Bea"),
        said("b0", None, "Bea"),
    ]
    bring(page, tmp_path / "Bea.json", json.dumps(theirs))
    assert "3 of 3 verdicts of Bea.json imported. 1 differ from yours." in page.find_element(By.ID, "notice").text
    assert "id plain: yours match, Bea no match (the arm <i>trembles</i>)" in page.find_element(By.ID, "differing").text
    click(page, "#conflicts [value=later]")
    wait(page, "return !find('conflicts').open")
    found = {(item["id"], item["reviewer"]): item["matches"] for item in exported(page)}
    assert found == {
        ("plain", "Ann"): True,
        ("plain", "Bea"): False,
        ("other", "Ann"): True,
        ("other", "Bea"): True,
        ("b0", "Bea"): None,
    }
    (tmp_path / "merged.json").write_text(page.execute_script("return exportText()"))
    verdicts = read_verdicts(tmp_path / "merged.json")
    assert (
        settle(verdicts["plain"]).conflict == "Bea: no match; Ann: match" or settle(verdicts["plain"]).verdict is None
    )
    click(page, "#reviewed [data-name=conflicts]")
    assert shown(page) == ["plain"]
    click(page, "#list .row")
    others = page.find_element(By.CSS_SELECTOR, ".others")
    assert "You: match" in others.text and "Bea: no match (the arm <i>trembles</i>) – 2026-01-01 10:00" in others.text
    others.find_elements(By.TAG_NAME, "button")[1].click()
    wait(page, "return document.querySelector('.others .overruled')")
    assert page.find_element(By.CSS_SELECTOR, "#reviewed [data-name=conflicts] b").text == "0"
    (tmp_path / "settled.json").write_text(page.execute_script("return exportText()"))
    verdicts = read_verdicts(tmp_path / "settled.json", tmp_path / "Bea.json")
    assert len(verdicts["plain"]) == 2 and settle(verdicts["plain"]).verdict.matches is True
    page.execute_script("undo()")
    assert page.find_element(By.CSS_SELECTOR, "#reviewed [data-name=conflicts] b").text == "1"


def test_an_import_offers_mine_theirs_and_both(page, tmp_path):
    press(page, "m", "j", "m")
    page.execute_script("open(entries[7].key)")
    wait(page, "return state.open === entries[7].key && Boolean(player)")
    press(page, "m")
    items = [said(name, False, "Bea") for name in ("plain", "other", "b0")]
    bring(page, tmp_path / "Bea.json", json.dumps(items))
    for select, choice in zip(page.find_elements(By.CSS_SELECTOR, "#differing select"), ("mine", "theirs", "both")):
        page.execute_script("arguments[0].value = arguments[1]", select, choice)
    click(page, "#conflicts [value=apply]")
    wait(page, "return find('notice').textContent.startsWith('1 of 3 decided')")
    assert "1 for yours" in page.find_element(By.ID, "notice").text
    overruled = {(item["id"], item["reviewer"]): item.get("overruled", False) for item in exported(page)}
    assert [name for name, value in overruled.items() if value] == [("plain", "Bea"), ("other", "Ann")]
    assert len(overruled) == 6, "nothing is lost"
    page.execute_script("undo(); undo()")
    assert {(item["id"], item["reviewer"]) for item in exported(page)} == {(n, "Ann") for n in ("plain", "other", "b0")}


def test_the_later_verdict_of_one_reviewer_counts_in_an_import(page, tmp_path):
    bring(page, tmp_path / "a.json", json.dumps([said("plain", True, "Ann", "2026-01-02T00:00:00Z")]))
    older, newer = ([said("plain", False, "Ann", f"2026-01-0{day}T00:00:00Z")] for day in (1, 3))
    bring(page, tmp_path / "b.json", json.dumps(older))
    assert given_ids(page) == {"plain": "match"}
    bring(page, tmp_path / "c.json", json.dumps(newer))
    assert given_ids(page) == {"plain": "mismatch"}


def test_spellings_of_a_name_are_one_reviewer_on_the_page(page, tmp_path):
    press(page, "m")
    items = [said("plain", True, " ANN"), said("other", False, "Zo\u00eb"), said("b0", True, "ZOE\u0308")]
    bring(page, tmp_path / "b.json", json.dumps(items))
    assert {item["reviewer"] for item in exported(page)} == {"Ann", "Zo\u00eb"}
    page.execute_script("setName('zo\u00eb')")
    assert page.execute_script("return state.me") == "Zo\u00eb"


def test_a_time_in_the_future_does_not_win_on_the_page(page, tmp_path):
    bring(page, tmp_path / "a.json", json.dumps([said("plain", True, "Ann", 1767312000)]))
    assert exported(page)[0]["time"] == "2026-01-02T00:00:00.000Z"
    bring(page, tmp_path / "b.json", json.dumps([said("plain", False, "Ann", "2199-01-01T00:00:00Z")]))
    assert given_ids(page) == {"plain": "match"}
    assert "1 have a time in the future, which counts as none." in page.find_element(By.ID, "notice").text
    bring(page, tmp_path / "c.json", json.dumps([said("plain", False, "Ann", 1767398400000)]))
    assert given_ids(page) == {"plain": "mismatch"}


def test_nameless_files_of_one_name_are_two_reviewers_on_the_page(page, tmp_path):
    """Every browser saves verdicts.json. The same file again, perhaps with later verdicts, is one reviewer."""
    times = [f"2026-01-0{day}T10:00:00.000Z" for day in range(1, 6)]
    first = [{"id": name, "matches": True, "time": time} for name, time in zip(("plain", "other"), times, strict=False)]
    second = [{"id": "plain", "matches": False, "time": times[2]}, {"id": "b0", "matches": True, "time": times[2]}]
    more = [first[0], {**first[1], "matches": False, "time": times[4]}, {"id": "b1", "matches": True, "time": times[4]}]
    for items in (first, second, second, more):
        bring(page, tmp_path / "verdicts.json", json.dumps(items))
    found = {(one["reviewer"], one["id"], one["matches"]) for one in exported(page)}
    assert found == {
        *(("verdicts.json", one["id"], one["matches"]) for one in more),
        *(("verdicts.json (2)", one["id"], one["matches"]) for one in second),
    }


def test_others_verdicts_are_hidden_until_ones_own(page, tmp_path):
    bring(page, tmp_path / "Bea.json", json.dumps([said("plain", False, "Bea")]))
    assert page.find_element(By.CSS_SELECTOR, ".others").text == "1 other verdict, shown after yours"
    press(page, "x")
    assert page.find_element(By.CSS_SELECTOR, ".others").text.startswith("Bea: no match")


def test_undo_takes_back_verdicts_notes_and_imports(page, tmp_path):
    undo = page.find_element(By.ID, "undo")
    assert not undo.is_enabled()
    press(page, "m", "x", "n")
    press(page, "some words", Keys.ESCAPE)
    bring(page, tmp_path / "Bea.json", json.dumps([said("other", False, "Bea")]))
    assert len(exported(page)) == 2
    page.execute_script("find('entry').focus()")
    press(page, Keys.CONTROL + "z")
    assert len(exported(page)) == 1 and "import of Bea.json" in page.find_element(By.ID, "notice").text
    press(page, Keys.CONTROL + "z")
    assert page.find_element(By.ID, "note").get_attribute("value") == "", "the note at once, not letter by letter"
    undo.click()
    assert given_ids(page) == {"plain": "match"}
    press(page, "j")
    undo.click()
    assert given_ids(page) == {} and open_id(page) == "plain" and not undo.is_enabled()


def test_candidates_are_side_by_side_on_one_scrubber_and_a_key_chooses(page):
    page.execute_script("open(entries[2].key)")
    wait(page, "return state.open === entries[2].key && player?.clips.length === 4")
    page.execute_script("player.seek(1)")
    wait(page, "return player.clips.every(({node}) => !node.seeking && Math.abs(node.currentTime - 1) < 0.01)")
    captions = [node.text for node in page.find_elements(By.CSS_SELECTOR, ".videos figcaption")]
    assert captions == [f"{seed + 1}: id a{seed}, seed {seed}, rank 1\nChoose {seed + 1}" for seed in range(4)]
    page.execute_script("find('entry').focus()")
    press(page, "3")
    assert [(i["id"], i.get("matches", "absent"), i["chosen"]) for i in exported(page)] == [
        ("a0", "absent", False),
        ("a1", "absent", False),
        ("a2", True, True),
        ("a3", "absent", False),
        ("a4", "absent", False),
    ]
    assert page.find_element(By.CSS_SELECTOR, "[data-choose][aria-pressed=true]").text.startswith("Choose")
    assert page.find_element(By.ID, "progress").text == "5 of 9 reviewed"
    press(page, "2")
    assert {i["id"]: i["chosen"] for i in exported(page)}["a1"] is True
    press(page, Keys.CONTROL + "z")
    assert [i["id"] for i in exported(page) if i["chosen"]] == ["a2"]
    press(page, "j")
    assert open_id(page) == "b0", "the next entry is of the next group"
    wait(page, "return player?.clips.length === 2")
    press(page, "3")
    assert [i["id"] for i in exported(page) if i["chosen"]] == ["a2"], "there is no third candidate"
    press(page, "c")
    wait(page, "return player?.clips.length === 1")
    press(page, "1")
    assert [i["id"] for i in exported(page) if i["chosen"]] == ["a2"], "one alone is not chosen from"


def test_a_choice_survives_export_and_import(page, tmp_path):
    page.execute_script("open(entries[7].key)")
    wait(page, "return state.open === entries[7].key && player?.clips.length === 2")
    press(page, "2")
    text = page.execute_script("return exportText()")
    page.execute_script("undo()")
    assert exported(page) == []
    bring(page, tmp_path / "v.json", text)
    assert page.execute_script("return exportText()") == text
    found = read_verdicts(tmp_path / "v.json")
    assert found["b0"][0].says_nothing and found["b1"][0].chosen is True


def test_choices_of_different_candidates_are_a_conflict_that_is_settled_once(page, tmp_path):
    page.execute_script("open(entries[7].key)")
    wait(page, "return state.open === entries[7].key && player?.clips.length === 2")
    press(page, "1")
    items = [said("b1", True, "Bea", chosen=True), {"id": "b0", "chosen": False, "reviewer": "Bea"}]
    bring(page, tmp_path / "Bea.json", json.dumps(items))
    assert page.find_element(By.ID, "differing").text.startswith("id b0: yours match, chosen, Bea not chosen")
    assert len(page.find_elements(By.CSS_SELECTOR, "#differing li")) == 1
    assert page.find_element(By.CSS_SELECTOR, "#reviewed [data-name=conflicts] b").text == "2"
    click(page, "#setall [value=theirs]")
    click(page, "#conflicts [value=apply]")
    wait(page, "return !find('conflicts').open")
    assert page.find_element(By.CSS_SELECTOR, "#reviewed [data-name=conflicts] b").text == "0"
    (tmp_path / "v.json").write_text(page.execute_script("return exportText()"))
    found = read_verdicts(tmp_path / "v.json")
    standing = {name: [(v.reviewer, v.chosen) for v in found[name] if not v.overruled] for name in ("b0", "b1")}
    assert standing == {"b0": [("Bea", False)], "b1": [("Bea", True)]} and len(found["b0"]) == len(found["b1"]) == 2
    page.execute_script("undo()")
    assert page.find_element(By.CSS_SELECTOR, "#reviewed [data-name=conflicts] b").text == "2"


def test_a_page_shows_the_verdicts_it_was_made_with_and_whose_entries_are_whose(browser, folder):
    page = visit(browser, folder, "team", reviewer="Cem")
    assert given_ids(page) == {"plain": "match", "other": "match"}, "Cem's own"
    assert page.find_element(By.CSS_SELECTOR, "#reviewed [data-name=conflicts] b").text == "1"
    assert "Bea and Cem: agree on 0 of 1 shared" in page.find_element(By.ID, "agreement").get_attribute("textContent")
    press(page, "m")
    assert given_ids(page) == {"other": "match"}, "taken back"
    page.refresh()
    wait(page, "return Boolean(player)")
    assert given_ids(page) == {"other": "match"}
    page.execute_script("setName('Ann')")
    click(page, "#reviewed [data-name=mine]")
    ann = shown(page)
    page.execute_script("setName('Bea')")
    bea = shown(page)
    everything = page.execute_script("return entries.map((entry) => entry.id)")
    assert set(ann) | set(bea) == set(everything)
    for name in ("a", "b"):
        group = {identifier for identifier in everything if identifier[0] == name and len(identifier) == 2}
        assert set(ann) & group in (set(), group) and set(bea) & group in (set(), group), "a group stays together"
    click(page, "#reviewed [data-name=missing]")
    assert shown(page) == [identifier for identifier in bea if identifier != "plain"], "Bea's verdict is built in"
    assert page.find_element(By.ID, "progress").text == f"{int('plain' in bea)} of {len(bea)} of yours reviewed"


@pytest.mark.parametrize(("width", "height"), [(1366, 820), (390, 700)])
def test_nothing_is_wider_than_the_screen(page, width, height, tmp_path):
    size(page, width, height)
    bring(page, tmp_path / "Bea.json", json.dumps([said("plain", False, "Bea"), said("a1", True, "Bea")]))
    page.execute_script("open(entries[0].key)")
    wait(page, "return state.open === entries[0].key && Boolean(player)")
    press(page, "m")
    for script in ("", "open(entries[2].key)", "find('naming').showModal()"):
        page.execute_script(script)
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
    page.execute_script("find('naming').close()")
    wait(page, "return state.open === entries[2].key && player?.clips.length === 4")
    buttons = page.find_elements(By.CSS_SELECTOR, "[data-choose]")
    assert len(buttons) == 4 and all(button.rect["x"] + button.rect["width"] <= width for button in buttons)
