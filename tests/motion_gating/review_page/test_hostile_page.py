"""The review page with a storage that refuses, odd verdict files, hostile texts, two windows and broken files."""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path

import pytest

pytest.importorskip("selenium.webdriver", reason="selenium is not installed (pip install selenium)")
from browser_support import bring, given_ids, load_again, open_id, press, size, wait  # noqa: E402
from report_support import build, entry_details, make_batch, page_data, write_clip  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402

from motion_gating.verdicts.verdict_file import read_verdicts  # noqa: E402

FULL = "Storage.prototype.setItem = () => { throw new Error('QuotaExceededError') }"
OFF = "Storage.prototype.getItem = Storage.prototype.setItem = () => { throw new Error('SecurityError') }"
HELD = "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0], repeat: true, bubbles: true}))"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Six entries; the last two are candidates of one group, of which the first has no video."""
    folder = tmp_path_factory.mktemp("hostile")
    meta, report = make_batch(folder)
    whole = json.loads(meta.read_text())[0]
    entries = [{**whole, "id": number, "prompt": f"clip {number}"} for number in range(4)]
    turned = "ends \u202eereh\u202c \u2066x\x1b[31m"
    entries[3] |= {"prompt": turned + " y" * 5000}
    candidates = [{"id": "c0", "prompt": "p"}, {**whole, "id": "c1", "prompt": "p"}]
    entries += [{**one, "group": "g", "seed": 9007199254740993} for one in candidates]
    del entries[4]["prompt"]
    meta.write_text(json.dumps(entries))
    build(meta, None, folder / "page", "--no-side-view")
    return folder


@pytest.fixture
def page(browser, folder):
    """The page as Ann sees it."""
    size(browser, 1366, 820)
    address = (folder / "page" / "index.html").as_uri()
    browser.get("about:blank")
    browser.get(address)
    browser.execute_script("localStorage.clear(); localStorage.setItem('motion-review-setting reviewer', 'Ann')")
    return again(browser, address)


def again(browser, address=None):
    """The page, loaded anew."""
    load_again(browser, address or browser.current_url.partition("#")[0])
    wait(browser, "return Boolean(player)")
    return browser


def notice(page) -> str:
    return page.find_element(By.ID, "notice").get_attribute("textContent")


def exported(page) -> list[dict]:
    return json.loads(page.execute_script("return exportText()"))


def opened(page, number):
    page.execute_script("open(entries[arguments[0]].key)", number)
    wait(page, f"return state.open === entries[{number}].key && Boolean(document.querySelector('.judge'))")
    page.execute_script("find('entry').focus()")


@pytest.mark.parametrize("storage", [FULL, OFF])
def test_without_a_storage_no_verdict_is_lost_while_the_page_is_open(page, tmp_path, storage):
    press(page, "m", "j")
    page.execute_script(storage)
    press(page, "x", "j", "u")
    bring(page, tmp_path / "Bea.json", '[{"id": 3, "matches": true, "reviewer": "Bea"}]')
    assert "does not let the page keep verdicts" in notice(page), "also after another message"
    expected = {"1": "mismatch", "2": "unsure"} | ({"0": "match"} if storage == FULL else {})
    assert given_ids(page) == expected and len(exported(page)) == len(expected) + 1
    page.execute_script("undo(); undo()")
    assert given_ids(page) == {name: word for name, word in expected.items() if name != "2"}


def test_trims_are_not_lost_without_a_storage(page):
    page.execute_script(FULL)
    for number in (0, 1):
        opened(page, number)
        page.execute_script("player.seek(1)")
        press(page, "i")
    assert [item["id"] for item in json.loads(page.execute_script("return trimText()"))] == [0, 1]
    assert "does not let the page keep trim marks" in notice(page)


@pytest.mark.parametrize(
    "kept",
    [
        "{",
        "[1]",
        '"text"',
        '{"0": null}',
        '{"0": [null]}',
        '{"0": [{"reviewer": 5, "verdict": "match", "note": "", "about": "x"}]}',
        '{"0": [{"reviewer": "", "verdict": "constructor", "note": "", "about": "ABOUT"}]}',
        '{"0": [{"reviewer": "Bea", "verdict": "match", "note": {}, "about": "ABOUT"}]}',
    ],
)
def test_a_storage_that_cannot_be_read_is_set_aside_and_the_page_works(page, kept):
    kept = kept.replace("ABOUT", page.execute_script("return entries[0].about"))
    page.execute_script("localStorage.setItem(storageKey, arguments[0])", kept)
    page.execute_script("localStorage.setItem(storedTrims.name, arguments[0])", '{"0": {"first": "a"}}')
    again(page)
    assert "cannot be read" in notice(page)
    press(page, "m", "j", "x")
    assert given_ids(page) == {"0": "match", "1": "mismatch"}
    assert page.execute_script("return localStorage.getItem(`${storageKey} unread`)") == kept
    assert page.find_element(By.CSS_SELECTOR, ".trimwords").text == "whole clip"


def test_one_broken_item_costs_only_its_entry(page):
    press(page, "m", "j", "x")
    page.execute_script(
        "const all = JSON.parse(localStorage.getItem(storageKey)); all[entries[0].key] = 7;"
        "localStorage.setItem(storageKey, JSON.stringify(all))"
    )
    assert given_ids(again(page)) == {"1": "mismatch"}


def test_a_key_that_is_held_down_gives_one_verdict(page):
    page.execute_script("writeSetting('auto', '1')")
    press(page, "m")
    for key in "mmmxu1":
        page.execute_script(HELD, key)
    assert given_ids(page) == {"0": "match"}
    page.execute_script(HELD, "j")
    assert open_id(page) == "2", "stepping on goes on"


def test_verdicts_on_other_versions_are_counted_at_the_export(page):
    press(page, "m", "j", "x", "j", "m")
    page.execute_script(
        "const all = JSON.parse(localStorage.getItem(storageKey)); all[entries[0].key][0].about = 'older';"
        "all.gone = all[entries[1].key]; delete all[entries[1].key];"
        "localStorage.setItem(storageKey, JSON.stringify(all))"
    )
    again(page)
    page.execute_script("window.save = () => {}; exportVerdicts()")
    assert notice(page).startswith("1 verdict exported")
    assert notice(page).endswith("2 left out: given on another motion, description or archive.")


def test_undo_keeps_what_another_window_wrote_since(page):
    press(page, "m")
    page.execute_script(
        "const all = JSON.parse(localStorage.getItem(storageKey)); all[entries[0].key][0].note = 'from there';"
        "localStorage.setItem(storageKey, JSON.stringify(all)); undo()"
    )
    assert exported(page)[0]["analysis"] == "from there"
    assert "The entry was changed in another window, and stays." in notice(page)


@pytest.mark.parametrize(
    ("time", "utc"),
    [
        ("2026-01-31T12:00:00", "2026-01-31T12:00:00+00:00"),
        ("2026-01-31 12:00:00+02:00", "2026-01-31T10:00:00+00:00"),
        ("2026-01-31", "2026-01-31T00:00:00+00:00"),
        ("2026-01-31T24:00:00Z", "2026-02-01T00:00:00+00:00"),
        (1772352000, "2026-03-01T08:00:00+00:00"),
        ("1772352000000", "2026-03-01T08:00:00+00:00"),
        ("5", None),
        ("31 Jan 2026", None),
        ("+012026-01-31T12:00:00Z", None),
        ("9999-12-31T23:59:59-05:00", None),
        (5, None),
    ],
)
def test_a_time_is_the_same_on_the_page_and_in_the_commands(page, tmp_path, time, utc):
    page.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    bring(page, tmp_path / "v.json", json.dumps([{"id": 0, "matches": True, "reviewer": "Ann", "time": time}]))
    (tmp_path / "out.json").write_text(page.execute_script("return exportText()"))
    expected = None if utc is None else datetime.datetime.fromisoformat(utc)
    assert read_verdicts(tmp_path / "out.json")["0"][0].time == expected


def test_an_import_takes_ids_only_from_numbers_and_texts_and_counts_the_others(page, tmp_path):
    items = [{"id": ["0"], "matches": True}, {"id": {}, "matches": True}, {"matches": True}, 5, None, [], "0"]
    items += [{"id": 0, "matches": "true"}, {"id": "gone", "matches": True}, {"id": 1, "matches": True}]
    bring(page, tmp_path / "v.json", json.dumps(items))
    assert notice(page) == "1 of 10 verdicts of v.json imported. 9 left out: no entry of this page, or no verdict."


def test_an_export_holds_what_the_import_held(page, tmp_path):
    note = '"\\</script>\u2028\x00' + "x" * 9_000_000
    item = {"id": 1, "matches": True, "analysis": note, "reviewer": "Bea", "time": "2026-01-01T10:00:00.000Z"}
    bring(page, tmp_path / "v.json", "\ufeff" + json.dumps([{**item, "usable": False, "overruled": True}], indent=1))
    found = exported(page)
    assert {key: found[0][key] for key in item} == item
    assert found[0]["usable"] is False and found[0]["overruled"] is True
    (tmp_path / "out.json").write_text(page.execute_script("return exportText()"))
    assert read_verdicts(tmp_path / "out.json")["1"][0].usable is False


def test_two_verdicts_of_another_reviewer_are_called_theirs_and_nothing_goes_without_a_word(page, tmp_path):
    for name, matches in (("a", True), ("b", False)):
        bring(page, tmp_path / f"{name}.json", json.dumps([{"id": 1, "matches": matches, "reviewer": "Bea"}]))
    assert "id 1: Bea match, imported no match" in page.find_element(By.ID, "differing").text
    page.find_element(By.CSS_SELECTOR, "#conflicts [value=later]").click()
    wait(page, "return !find('conflicts').open")
    assert notice(page).startswith("1 imported left out: the same reviewer said something else here.")


def test_thousands_of_conflicts_are_imported_at_once(browser, tmp_path):
    meta = tmp_path / "meta.json"
    meta.write_text(json.dumps([{"id": number, "prompt": "p"} for number in range(3000)]))
    build(meta, None, tmp_path / "page", "--no-side-view", "--workers", 0)
    browser.get((tmp_path / "page" / "index.html").as_uri())
    wait(browser, "return entries.length === 3000")
    browser.execute_script("localStorage.clear(); state.me = 'Ann'")
    for reviewer, matches in (("Ann", True), ("Bea", False)):
        items = [{"id": number, "matches": matches, "reviewer": reviewer} for number in range(3000)]
        bring(browser, tmp_path / f"{reviewer}.json", json.dumps(items))
    assert notice(browser).endswith("3000 differ from yours.")
    assert len(browser.find_elements(By.CSS_SELECTOR, "#differing li")) == 3000
    browser.execute_script("find('conflicts').close(); undo()")
    assert len(given_ids(browser)) == 3000 and len(exported(browser)) == 3000


def test_signs_that_turn_or_control_a_text_are_shown_and_a_long_text_is_cut_in_the_list(page, tmp_path):
    opened(page, 3)
    shown = page.find_element(By.CSS_SELECTOR, ".fullprompt").get_attribute("textContent")
    assert shown.startswith("ends \\u202eereh\\u202c \\u2066x\\u001b[31m y y") and len(shown) > 10_000
    row = page.execute_script("return rows.get(entries[3].key).querySelector('.prompt').textContent")
    assert row.startswith("ends \\u202eereh") and len(row) < 400
    bring(page, tmp_path / "v.json", '[{"id": 0, "matches": true, "reviewer": "Bea", "analysis": "\\u202ehctam on"}]')
    opened(page, 0)
    press(page, "m")
    others = page.find_element(By.CSS_SELECTOR, ".others").get_attribute("textContent")
    assert "(\\u202ehctam on)" in others
    assert [item["analysis"] for item in exported(page)] == ["\u202ehctam on", None], "not changed"


def test_a_candidate_without_a_video_says_so_and_a_large_seed_keeps_its_digits(page):
    opened(page, 4)
    wait(page, "return document.querySelectorAll('.videos figure').length === 2")
    captions = [node.text.splitlines()[0] for node in page.find_elements(By.CSS_SELECTOR, ".videos figcaption")]
    assert captions == ["1: id c0, seed 9007199254740993", "2: id c1, seed 9007199254740993"]
    assert [node.text for node in page.find_elements(By.CSS_SELECTOR, ".absent")] == ["This candidate has no video"]


def test_an_address_that_is_no_key_opens_the_list(browser, folder):
    browser.get("about:blank")
    browser.get((folder / "page" / "index.html").as_uri() + "#%E0%A4%A")
    wait(browser, "return Boolean(find('undo').onclick) && Boolean(player)")


def test_a_cut_file_of_an_entry_is_named_and_a_verdict_can_still_be_given(browser, tmp_path):
    meta, _ = make_batch(tmp_path)
    build(meta, None, tmp_path / "page", "--no-side-view")
    (tmp_path / "page" / "entries" / "0.js").write_text("")
    browser.get((tmp_path / "page" / "index.html").as_uri())
    wait(browser, "return document.querySelector('#entry .problems')?.textContent.includes('0.js is incomplete')")
    assert browser.find_elements(By.CSS_SELECTOR, ".judge button")


@pytest.mark.skipif(os.name == "nt", reason="names of files are text there")
def test_a_video_whose_name_is_not_utf_8_keeps_a_link_that_can_be_moved(browser, tmp_path):
    meta, _ = make_batch(tmp_path)
    name = os.fsdecode(b"caf\xe9 #1 100%.mp4")
    write_clip(tmp_path / "plain.mp4")
    os.rename(tmp_path / "plain.mp4", tmp_path / name)
    meta.write_text(json.dumps([{"id": 0, "prompt": "p", "video_path": name}]))
    build(meta, None, tmp_path / "page", "--no-side-view")
    assert entry_details(tmp_path / "page", "0")["videos"][0]["src"] == "../caf%E9%20%231%20100%25.mp4"
    address = (tmp_path / "page" / "index.html").as_uri()
    browser.get(address)
    wait(browser, "return player?.clips[0]?.node.readyState > 0")
    os.unlink(tmp_path / name)
    again(browser, address)
    wait(browser, "return document.querySelector('.absent')?.textContent.includes('caf%E9')")


def test_a_verdict_on_a_clip_without_a_motion_is_not_taken_for_another_clip(tmp_path):
    write_clip(tmp_path / "a.mp4")
    (tmp_path / "meta.json").write_text(json.dumps([{"id": 0, "prompt": "p", "video_path": "a.mp4"}]))
    found = []
    for frames in (30, 20):
        write_clip(tmp_path / "a.mp4", frames=frames)
        build(tmp_path / "meta.json", None, tmp_path / "page", "--no-side-view")
        found.append(page_data(tmp_path / "page")["entries"][0])
    assert found[0]["content"]["clip"] != found[1]["content"]["clip"] and found[0]["about"] != found[1]["about"]
