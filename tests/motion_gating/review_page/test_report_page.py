"""The review page in a real browser, from disk."""

from __future__ import annotations

import json
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import pytest
from report_support import LARGE_ID, MARKUP, build, make_batch

pytest.importorskip("selenium.webdriver", reason="selenium is not installed (pip install selenium)")
from browser_support import (  # noqa: E402
    NAMELESS,
    PATIENCE,
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
from selenium import webdriver  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("batch with spaces & signs")
    meta, report = make_batch(folder)
    build(meta, report, folder / "page", "--side-size", "96", "--smplx-model-dir", "mannequin")
    return folder


@pytest.fixture
def page(browser, folder):
    """The page as a first visitor sees it, the first entry open and its videos there."""
    size(browser, 1366, 820)
    browser.get("about:blank")
    browser.get((folder / "page" / "index.html").as_uri())
    browser.execute_script(NAMELESS)
    load_again(browser, (folder / "page" / "index.html").as_uri())
    wait(browser, "return Boolean(player) && player.clips.every(({node}) => node.readyState > 0)")
    return browser


def test_counts_stand_on_the_chips_and_filter(page):
    counts = {
        chip.get_attribute("data-name"): int(chip.find_element(By.TAG_NAME, "b").text)
        for chip in page.find_elements(By.CSS_SELECTOR, "#groups button")
    }
    assert counts == {"all": 6, "pass": 2, "mismatch": 1, "jitter": 1, "undecided": 1, "failed": 1}
    for name, expected in {
        "mismatch": ["seven"],
        "jitter": [str(LARGE_ID)],
        "undecided": ["5"],
        "failed": ["3"],
    }.items():
        click(page, f"#groups [data-name={name}]")
        assert shown(page) == expected
        assert len(page.find_elements(By.CSS_SELECTOR, "#list .row")) == len(expected)
        assert page.find_element(By.ID, "count").text == f"{len(expected)} of 6 entries"
    click(page, "#groups [data-name=all]")
    assert len(shown(page)) == 6


def test_search_and_order(page):
    page.find_element(By.ID, "search").send_keys("PERSON trembl")
    assert shown(page) == [str(LARGE_ID)]
    page.find_element(By.ID, "search").clear()
    page.find_element(By.ID, "search").send_keys(" ")
    assert len(shown(page)) == 6
    page.execute_script("const sort = find('sort'); sort.value = '0'; sort.dispatchEvent(new Event('change'))")
    assert shown(page)[-2:] == [str(LARGE_ID), "5"], "the shakiest last, then the one without a figure"
    click(page, "#order")
    assert (shown(page)[0], shown(page)[-1]) == (str(LARGE_ID), "5")


def test_a_prompt_full_of_html_is_text(page):
    page.execute_script("open('seven')")
    wait(page, "return document.querySelector('.fullprompt')?.textContent.includes('script') && Boolean(player)")
    assert page.find_element(By.CSS_SELECTOR, ".fullprompt").get_attribute("textContent") == MARKUP
    assert any(
        paragraph.get_attribute("textContent") == MARKUP for paragraph in page.find_elements(By.CSS_SELECTOR, ".card p")
    )
    assert "hacked" not in page.title
    assert page.execute_script("return document.querySelectorAll('script:not([src])').length") == 2
    assert not page.find_elements(By.CSS_SELECTOR, "img[src=x]")


def test_all_videos_follow_the_one_scrubber(page):
    page.execute_script("const slider = player.slider; slider.value = 1.2; slider.dispatchEvent(new Event('input'))")
    times = wait(
        page,
        "return player.clips.every(({node}) => !node.seeking && node.readyState > 1) && player.clips.map(({node}) => "
        "node.currentTime)",
    )
    assert len(times) == 3
    assert times == pytest.approx([1.2] * 3, abs=1e-3)
    assert "1.20 / 1.88 s, frame 19" in page.find_element(By.CSS_SELECTOR, ".player output").text


def test_the_videos_picture_is_that_of_the_moment(page):
    """The square of the made-up clip moves one pixel a frame: it tells which frame is shown."""
    click(page, "[data-view=lit]")
    wait(page, "return player.clips.length === 4 && player.clips.every(({node}) => node.readyState > 0)")
    page.execute_script("player.step(10)")
    wait(page, "return player.clips.every(({node}) => !node.seeking && node.readyState > 1)")
    picture = cv2.imdecode(
        np.frombuffer(page.find_element(By.CSS_SELECTOR, ".lit video").screenshot_as_png, np.uint8), cv2.IMREAD_COLOR
    )
    row = picture[len(picture) * 30 // 64, :, 2]  # red: the square has little of it
    left = int(np.flatnonzero(row < 140)[0]) * 64 / len(row)
    assert abs(left - 10) <= 1


def test_playing_moves_on_and_space_stops_it(page):
    page.execute_script("find('entry').focus(); player.speed.value = 0.25")  # so that it does not end meanwhile
    press(page, " ")
    wait(page, "return player.playing && player.time > 0.2")
    press(page, " ")
    assert page.execute_script("return player.playing") is False
    here = page.execute_script("return player.time")
    assert page.execute_script("return player.time") == here


def test_playing_ends_at_the_end(page):
    page.execute_script("player.seek(1.7); player.play()")
    wait(page, "return !player.playing && player.time === player.duration")


def test_arrow_keys_step_frames(page):
    page.execute_script("find('entry').focus()")
    press(page, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert "frame 2" in page.find_element(By.CSS_SELECTOR, ".player output").text


def test_clicking_a_curve_seeks(page):
    curve = page.find_elements(By.CSS_SELECTOR, ".curve svg")[1]
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", curve)
    webdriver.ActionChains(page).move_to_element(curve).click().perform()
    assert page.execute_script("return player.time") == pytest.approx(1.875 / 2, abs=0.02)
    head = page.execute_script("return document.querySelector('.curve .head').getAttribute('x1')")
    assert float(head) == pytest.approx(curve.rect["width"] / 2, abs=3)


def test_the_worst_half_second_is_marked_and_a_key_goes_there(page):
    press(page, "w")
    assert page.execute_script("return player.time") == 0.5
    assert len(page.find_elements(By.CSS_SELECTOR, ".curve rect.worst")) == 3


def test_alternative_texts(page):
    labels = [node.get_attribute("aria-label") for node in page.find_elements(By.CSS_SELECTOR, "svg[role=img]")]
    assert labels[0].startswith("Histogram of jitter: 5 entries, median 0.01, 1 at or above the threshold 0.05")
    assert (
        labels[1].startswith("Jitter over time in m/frame² at 16 fps: all joints from")
        and "worst half second is from 0.50 to 1.00" in labels[1]
    )
    assert all(node.get_attribute("aria-label") for node in page.find_elements(By.TAG_NAME, "video"))
    unnamed = page.execute_script("""
        const named = (node) => node.textContent.trim() || node.getAttribute("aria-label")
          || node.labels?.[0]?.textContent.trim();
        return [...document.querySelectorAll("button, input, select, textarea")]
          .filter((node) => !named(node)).map((node) => node.outerHTML)""")
    assert unnamed == []


def test_keyboard_alone_reviews_a_batch_and_the_file_is_what_the_gate_reads(page, folder):
    for old in page.downloads.iterdir():
        old.unlink()
    press(page, "m", "j", "x", "n")
    press(page, 'the <b>text</b> says "jump"', Keys.ESCAPE)
    press(page, "j", "m", "j", "u", "j", "j")
    assert open_id(page) == "5"
    press(page, "n")
    press(page, "only a note", Keys.ESCAPE)
    press(page, "e")
    target = page.downloads / "verdicts.json"
    WebDriverWait(page, PATIENCE).until(lambda _: target.is_file())
    assert (
        "4 verdicts exported" in page.find_element(By.ID, "notice").text
        and "1 with a note" in page.find_element(By.ID, "notice").text
    )
    exported = json.loads(target.read_text())
    assert all(len(item["content"][part]) == 32 for item in exported for part in ("motion", "clip", "text"))
    assert [{key: item[key] for key in ("id", "matches", "analysis")} for item in exported] == [
        {"id": 0, "matches": True, "analysis": None},
        {"id": "seven", "matches": False, "analysis": 'the <b>text</b> says "jump"'},
        {"id": LARGE_ID, "matches": True, "analysis": None},
        {"id": 3, "matches": None, "analysis": None},
    ]
    _gate_takes(folder, target)


def _gate_takes(folder: Path, verdicts: Path) -> None:
    from motion_gating import apply_quality_gate

    out = folder / "gated.json"
    code = apply_quality_gate.main(
        [
            "--meta-json",
            str(folder / "meta.json"),
            "--quality-report",
            str(folder / "again.json"),
            "--output-json",
            str(out),
            "--judge",
            "manual",
            "--verdicts",
            str(verdicts),
        ]
    )
    assert code == 1, "some entries stay undecided"
    records = {str(record["id"]): record for record in json.loads((folder / "again.json").read_text())}
    assert [records[name]["vlm_matches"] for name in ("0", "seven", str(LARGE_ID), "3", "5")] == [
        True,
        False,
        True,
        None,
        None,
    ]
    assert records["seven"]["vlm_analysis"] == 'the <b>text</b> says "jump"'


def test_verdicts_and_notes_survive_a_reload_and_can_be_taken_back(page):
    press(page, "x", "n")
    press(page, "hm", Keys.ESCAPE)
    page.refresh()
    wait(page, "return Boolean(player)")
    pressed = page.find_elements(By.CSS_SELECTOR, ".judge [aria-pressed=true]")
    assert [button.get_attribute("data-verdict") for button in pressed] == ["mismatch"]
    assert page.find_element(By.ID, "note").get_attribute("value") == "hm"
    assert page.find_element(By.ID, "progress").text == "1 of 6 reviewed"
    click(page, "#reviewed [data-name=differs]")
    assert shown(page) == ["0"], "the judge had said match"
    press(page, "x")
    assert page.find_element(By.ID, "progress").text == "0 of 6 reviewed"


def test_a_verdict_on_another_motion_under_the_same_id_is_not_taken(page):
    press(page, "m")
    page.execute_script(
        "const all = JSON.parse(localStorage.getItem(storageKey)); all['0'][0].about = 'of another motion'; "
        "localStorage.setItem(storageKey, JSON.stringify(all))"
    )
    page.refresh()
    wait(page, "return Boolean(player)")
    assert page.find_element(By.ID, "progress").text == "0 of 6 reviewed"


def test_exported_verdicts_can_be_imported(page, tmp_path):
    (tmp_path / "mine.json").write_text(
        json.dumps([{"id": "0", "matches": False, "analysis": "no"}, {"id": "unknown", "matches": True}])
    )
    page.find_element(By.ID, "import").send_keys(str(tmp_path / "mine.json"))
    wait(page, "return find('notice').textContent.startsWith('1 of 2 verdicts')")
    assert page.find_element(By.ID, "note").get_attribute("value") == "no"
    assert page.find_element(By.ID, "progress").text == "1 of 6 reviewed"


def test_ids_stay_text_from_the_archive_to_the_import(browser, tmp_path):
    meta = tmp_path / "meta.json"
    ids = ["9007199254740992", "9007199254740993", "1.0", "1", '"__proto__"', '"constructor"', '"007"']
    meta.write_text("[" + ",".join(f'{{"id": {name}, "prompt": "p"}}' for name in ids) + "]")
    build(meta, None, tmp_path / "page", "--no-side-view")
    browser.get((tmp_path / "page" / "index.html").as_uri())
    wait(browser, "return entries.length === 7")
    answers = dict(zip(ids, ["true", "false", "true", "false", "true", "null", "false"]))
    text = "[" + ",".join(f'{{"id": {name}, "matches": {answer}}}' for name, answer in answers.items()) + "]"
    bring(browser, tmp_path / "v.json", text)
    browser.refresh()
    wait(browser, "return Boolean(entries.length)")
    words = {"true": "match", "false": "mismatch", "null": "unsure"}
    assert given_ids(browser) == {name.strip('"'): words[answer] for name, answer in answers.items()}
    exported = browser.execute_script("return exportText()")
    assert [line.partition('"id": ')[2].partition(",")[0] for line in exported.splitlines()[1:-1]] == ids


def test_an_import_overwrites_nothing_without_a_word(page, tmp_path):
    press(page, "m")
    bring(page, tmp_path / "v.json", '[{"id": 0, "matches": false, "analysis": "hm"}, {"id": 3, "matches": true}]')
    assert "1 of 2 verdicts" in page.find_element(By.ID, "notice").text
    assert "id 0: yours match, imported no match (hm)" in page.find_element(By.ID, "differing").text
    assert given_ids(page) == {"0": "match", "3": "match"}
    click(page, "#conflicts [value=later]")
    wait(page, "return !find('conflicts').open")
    assert given_ids(page) == {"0": "match", "3": "match"}
    bring(page, tmp_path / "w.json", '[{"id": 0, "matches": false}]')
    page.find_element(By.CSS_SELECTOR, "#differing select").send_keys("take theirs")
    click(page, "#conflicts [value=apply]")
    wait(page, "return find('notice').textContent.startsWith('1 of 1')")
    assert given_ids(page) == {"0": "mismatch", "3": "match"}


def test_an_import_about_another_clip_is_refused_and_counted(page, tmp_path):
    own = page.execute_script("return entries[0].content")
    items = [
        {"id": 0, "matches": True, "content": {**own, "clip": "0" * 32}},
        {"id": 3, "matches": True, "content": {}},
    ]
    bring(page, tmp_path / "v.json", json.dumps(items))
    assert "1 refused" in page.find_element(By.ID, "notice").text
    assert given_ids(page) == {"3": "match"}


def test_a_failed_entry_shows_its_cause_once_and_first(page):
    page.execute_script("open(entries[3].key)")
    wait(page, "return state.open === entries[3].key && Boolean(player)")
    entry = page.find_element(By.ID, "entry")
    assert entry.text.count("the service was busy") == 1
    assert entry.find_element(By.CSS_SELECTOR, ".decision").text == "failed"
    first = entry.find_element(By.CSS_SELECTOR, ".problems").location["y"]
    assert first < entry.find_element(By.CSS_SELECTOR, ".videos").location["y"]


def test_next_follows_the_filter_and_going_on_after_a_verdict(page):
    click(page, "#groups [data-name=pass]")
    click(page, ".judge .auto input")
    press(page, "m")
    assert open_id(page) == "../4"
    press(page, "j")
    assert "last entry" in page.find_element(By.ID, "notice").text


def test_a_missing_video_leaves_the_rest_working(page):
    page.execute_script("open(entries[4].key)")
    wait(page, "return state.open === entries[4].key && player?.clips.length === 2")
    assert "gone.mp4" in page.find_element(By.CSS_SELECTOR, ".problems").text
    assert not page.find_elements(By.CSS_SELECTOR, ".absent, .absence")
    page.execute_script("player.seek(1)")
    assert page.execute_script("return player.time") == 1
    assert len(page.find_elements(By.CSS_SELECTOR, ".curve svg")) == 3


def test_a_video_that_vanished_after_the_page_was_made(browser, tmp_path):
    meta, report = make_batch(tmp_path)
    build(meta, report, tmp_path / "page", "--no-side-view")
    (tmp_path / "lit one.mp4").unlink()
    browser.get((tmp_path / "page" / "index.html").as_uri())
    wait(browser, "return document.querySelector('.absent')?.textContent.includes('lit one.mp4')")
    browser.execute_script("player.play()")
    wait(browser, "return player.time > 0.1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_dark(page, scheme):
    page.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    ratios = page.execute_script(CONTRAST)
    assert len(ratios) > 20
    poor = [(text, ratio) for text, ratio in ratios if ratio < 4.5]
    assert poor == []
    click(page, "#theme")
    assert page.execute_script("return document.documentElement.dataset.theme") == (
        "dark" if scheme == "light" else "light"
    )


CONTRAST = """
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
  .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const back = (node) => {
  for (; node; node = node.parentElement) {
    const color = parse(getComputedStyle(node).backgroundColor);
    if (color.length < 4 || color[3] === 1) return color;
  }
  return [255, 255, 255];
};
const found = [];
document.getAnimations().forEach((animation) => animation.finish());
for (const node of document.querySelectorAll("body *")) {
  const hasText = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  if (!node.checkVisibility() || !hasText || node.closest("svg")) continue;
  const [a, b] = [light(parse(getComputedStyle(node).color)), light(back(node))].sort((x, y) => y - x);
  found.push([node.textContent.trim().slice(0, 40), (a + 0.05) / (b + 0.05)]);
}
return found;
"""


def test_on_a_phone_the_list_comes_first_and_nothing_is_wider_than_the_screen(page, folder):
    size(page, 390, 700)
    page.get("about:blank")
    page.get((folder / "page" / "index.html").as_uri())
    assert not page.find_element(By.ID, "entry").is_displayed()
    assert page.execute_script("return document.documentElement.scrollWidth") <= 390
    page.find_elements(By.CSS_SELECTOR, "#list .row")[1].click()
    wait(page, "return Boolean(player)")
    assert not page.find_element(By.ID, "list").is_displayed()
    player = page.find_element(By.CSS_SELECTOR, ".player").rect
    top = page.find_element(By.CSS_SELECTOR, ".judge").rect["y"]
    assert player["y"] + player["height"] <= min(700, top), "the player is on the first screen"
    assert page.execute_script("return document.documentElement.scrollWidth") <= 390
    click(page, ".back")
    WebDriverWait(page, PATIENCE).until(lambda driver: driver.find_element(By.ID, "list").is_displayed())


def test_the_page_asks_for_nothing_from_a_network_and_logs_no_error(page):
    page.get_log("browser")
    page.get_log("performance")
    page.refresh()
    wait(page, "return Boolean(player) && player.clips.every(({node}) => node.readyState > 0)")
    events = [json.loads(line["message"])["message"] for line in page.get_log("performance")]
    asked = {event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"}
    assert any(url.endswith("/entries/0.js") for url in asked)
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked), asked
    assert [line for line in page.get_log("browser") if line["level"] == "SEVERE"] == []


def test_thousands_of_entries(browser, tmp_path):
    """Opening, filtering and searching them; the list holds a thousand, and pictures and videos of entries that nobody
    looks at are not loaded.
    """
    meta, report = make_batch(tmp_path)
    whole = json.loads(meta.read_text())[0]
    first = json.loads(report.read_text())[0]
    entries = [
        {**(whole if number < 1000 else {}), "id": number, "prompt": f"person number {number} walks"}
        for number in range(2300)
    ]
    meta.write_text(json.dumps(entries))
    report.write_text(json.dumps([{**first, "id": number, "jitter_degree": number / 10000} for number in range(2300)]))
    # The thousand small pictures of one clip, and asking it for its rate, would say nothing more than those of the
    # first one.
    with (
        mock.patch("motion_gating.review_page.entry_page.video_rate", lambda path: 16.0),
        mock.patch("motion_gating.review_page.entry_page.write_poster", _same_poster),
    ):
        assert build(meta, report, tmp_path / "page", "--no-side-view", "--workers", 0) == 0
    size(browser, 1366, 820)
    browser.get((tmp_path / "page" / "index.html").as_uri())
    wait(browser, "return Boolean(player)")
    assert len(shown(browser)) == 2300
    assert len(browser.find_elements(By.TAG_NAME, "video")) == 2
    assert browser.execute_script("return document.querySelectorAll('#list img').length") == 1000
    assert (
        browser.execute_script(
            "return [...document.querySelectorAll('#list img')].filter((image) => image.naturalWidth > 0).length"
        )
        < 200
    )
    click(browser, "#after")
    click(browser, "#after")
    assert listed(browser) == ["2000", "2299", 300] and not browser.find_element(By.ID, "after").is_enabled()
    click(browser, "#before")
    assert listed(browser) == ["1000", "1999", 1000]
    click(browser, "#list li:last-child .row")
    press(browser, "x", "j")
    assert open_id(browser) == "2000" and listed(browser)[0] == "2000", "the list goes on where the next entry is"
    press(browser, "k")
    assert (
        listed(browser)[0] == "1000"
        and browser.execute_script("return rows.get(state.open).querySelector('.mine').textContent") == "✗"
    )
    assert browser.execute_script("return document.querySelectorAll('#list [aria-current]').length") == 1
    browser.find_element(By.ID, "search").send_keys("number 77")
    assert (
        len(shown(browser)) == sum("77" in str(number) for number in range(2300))
        and not browser.find_element(By.ID, "pager").is_displayed()
    )
    press(browser, Keys.ESCAPE)
    press(browser, "j")
    assert open_id(browser) == "77"


def listed(browser) -> list:
    """First and last id in the list, and how many there are."""
    return browser.execute_script(
        "const keys = [...rows.keys()].map((key) => byKey.get(key).id); return [keys[0], keys.at(-1), keys.length]"
    )


def _same_poster(video_path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if not (target.parent / "0.jpg").is_file():
        cv2.imwrite(str(target.parent / "0.jpg"), np.full((64, 64, 3), 200, np.uint8))
    if target.name != "0.jpg":
        target.write_bytes((target.parent / "0.jpg").read_bytes())
