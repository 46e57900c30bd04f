"""The page's pictures in a real browser: views, the body over its source, worst moments, trim marks, phone and dark."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from browser_support import NAMELESS, click, load_again, press, size, wait
from report_support import build, record

from motion_gating.rendering.clip_render import eval_dict
from motion_rep.motions.consistency import agreed_joints
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.motion_file import MotionClip, read_motion, write_motion
from motion_rep.refine_motion import main as refine_motion
from motion_rep.video.writing import open_writer
from scripts.dev.refining_evaluation.clips import clip_of, noisy, sample

BACK = (40, 160, 60)  # of the source video, which is empty
READY = "return Boolean(player) && player.clips.length > 0 && player.clips.every(({node}) => node.readyState > 1)"
STILL = "return player.clips.every(({node}) => !node.seeking && node.readyState > 1)"


def write_source(path: Path, frames: int) -> None:
    """A green video in the shape of the motion's camera; the square in its corner tells the frame."""
    with open_writer(path, 320, 240, 16.0) as writer:
        for number in range(frames):
            picture = np.full((240, 320, 3), BACK, np.uint8)
            picture[:20, 2 * number : 2 * number + 12] = 255
            writer.write(picture)


def write_entry_files(folder: Path, name: str, clip: MotionClip) -> dict[str, str]:
    """A motion's eval file and the paths of its entry."""
    made = eval_dict(clip, agreed_joints(clip.motion), body_parameters(clip.motion.double()))
    torch.save(made, folder / f"{name}_eval.pt")
    return {"motion_path": f"motions/{name}.pt", "mbench_eval_path": f"{name}_eval.pt"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two refined motions, one with its source, the raw ones, and a page of them."""
    folder = tmp_path_factory.mktemp("batch with spaces")
    (folder / "raw").mkdir()
    squat = clip_of(noisy(sample("squat"), metres=0.02), with_camera=True)
    write_motion(folder / "raw/squat.pt", squat)
    write_motion(folder / "raw/wave.pt", clip_of(sample("wave")))
    assert refine_motion(["-i", str(folder / "raw"), "-o", str(folder / "motions"), "--workers", "0"]) == 0
    write_source(folder / "source one.mp4", 60)
    entries = [
        {"id": number, "prompt": f"A person does a {name}.", **write_entry_files(folder, name, clip)}
        for number, name in enumerate(("squat", "wave"))
        for clip in [read_motion(folder / f"motions/{name}.pt")]
    ]
    entries[0]["source_video_path"] = "source one.mp4"
    (folder / "meta.json").write_text(json.dumps(entries))
    wrong = {
        **record(1, matches=False),
        "reasons": ["jitter_degree 0.01 is below", "manual says that it does not match"],
    }
    (folder / "report.json").write_text(json.dumps([record(0), wrong]))
    flags = ["--side-size", 120, "--smplx-model-dir", "mannequin", "--raw-motions", folder / "raw", "--workers", 0]
    build(folder / "meta.json", folder / "report.json", folder / "page", *flags)
    return folder


@pytest.fixture
def page(browser, folder):
    """The page of a first visitor, the first entry open."""
    size(browser, 1366, 820)
    address = (folder / "page/index.html").as_uri()
    browser.get("about:blank")
    browser.get(address)
    browser.execute_script(NAMELESS)
    load_again(browser, address)
    wait(browser, READY)
    return browser


def views(page) -> list[str]:
    return page.execute_script("return [...document.querySelectorAll('.videos figure')].map((node) => node.className)")


def pixels(page, selector: str) -> np.ndarray:
    """(H, W, 3) RGB of an element."""
    data = np.frombuffer(page.find_element("css selector", selector).screenshot_as_png, np.uint8)
    return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB).astype(int)


def set_slider(page, selector: str, value: float) -> None:
    page.execute_script(
        "const node = document.querySelector(arguments[0]); node.value = arguments[1]; "
        "node.dispatchEvent(new Event('input'))",
        selector,
        value,
    )


def test_views_stand_side_by_side_and_can_be_chosen(page):
    assert views(page) == ["tinted", "source", "front", "before", "side", "side_before"]
    places = [page.find_element("css selector", f".{kind}").rect for kind in ("front", "before")]
    assert places[0]["y"] == places[1]["y"] and places[0]["x"] < places[1]["x"], "refined and raw side by side"
    click(page, "[data-view=source]")
    assert "source" not in views(page)
    page.refresh()
    wait(page, READY)
    assert "source" not in views(page), "the choice is kept"


def test_raw_and_refined_follow_one_scrubber(page):
    page.execute_script("player.seek(2)")
    wait(page, STILL)
    assert page.execute_script("return player.clips.map(({node}) => node.currentTime)") == pytest.approx(
        [2] * 7, abs=1e-3
    )
    page.execute_script("player.speed.value = 0.25; player.play()")
    wait(page, "return player.time > 2.3")
    away = page.execute_script("return player.clips.map(({node}) => Math.abs(node.currentTime - player.time))")
    page.execute_script("player.pause()")
    assert max(away) < 0.15


def test_the_source_keeps_its_colours_around_the_body_at_every_opacity(page):
    page.execute_script("player.step(20)")
    for opacity in (0, 0.5, 1):
        set_slider(page, ".opacity", opacity)
        wait(page, STILL)
        picture = pixels(page, ".tinted .frame")
        assert np.abs(picture[len(picture) // 2, 6] - BACK).max() < 12, "undimmed"
        blue = (picture[..., 2] > picture[..., 1] + 40).mean()
        assert blue > 0.02 if opacity == 1 else opacity > 0 or blue == 0, "the body is there, and only as asked"
    page.refresh()
    wait(page, READY)
    assert page.execute_script("return document.querySelector('.opacity').value") == "1", "the opacity is kept"


def test_the_picture_is_framed_on_the_person(page):
    set_slider(page, ".opacity", 1)
    page.execute_script("player.step(2)")
    wait(page, STILL)
    for selector in (".tinted .frame", ".front .frame"):
        picture = pixels(page, selector)
        rows = np.flatnonzero((picture[..., 2] > picture[..., 1] + 40).any(axis=1))
        assert np.ptp(rows) > 0.5 * len(picture), f"{selector}: the person fills more than half of the height"


def test_a_source_that_the_browser_cannot_play_leaves_the_body_on_it(browser, folder, page):
    page.execute_script("document.querySelector('.tinted video').dispatchEvent(new Event('error'))")
    assert "cannot play the source video" in page.find_element("css selector", ".tinted figcaption").text
    assert page.execute_script("return document.querySelector('.tinted video').style.opacity") == "1"


def test_worst_moments_lead_to_their_frame(page):
    moments = page.execute_script("return player.details.moments")
    assert moments[0]["words"].startswith("most jitter: ") and moments[0]["panel"] == "Jitter"
    buttons = page.find_elements("css selector", ".moments button")
    assert [button.text.split(": ", 1)[1] for button in buttons] == [moment["words"] for moment in moments]
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", buttons[0])
    buttons[0].click()
    assert page.execute_script("return player.time") == moments[0]["second"]
    page.execute_script("player.seek(0)")
    page.find_elements("css selector", ".strip button")[0].click()
    assert page.execute_script("return player.time") == moments[0]["second"]
    page.execute_script("player.seek(0)")
    mark = page.find_element("css selector", ".curve .moment")
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", mark)
    mark.click()
    assert page.execute_script("return player.time") == moments[0]["second"]
    assert page.find_elements("css selector", ".curve .standing"), "contacts are on the curves"


def test_the_reason_comes_first_where_an_entry_does_not_pass(page):
    page.execute_script("open('1')")
    wait(page, f"return state.open === '1' && (() => {{ {READY} }})()")
    why = page.find_element("css selector", ".entry .card")
    assert why.find_elements("css selector", "li")[0].text == "manual says that it does not match"
    assert why.rect["y"] + why.rect["height"] < page.find_element("css selector", ".fullprompt").rect["y"]
    assert page.find_element("css selector", ".absence").text.endswith("Before refining: refining changed nothing.")
    facts = [card.text for card in page.find_elements("css selector", ".card") if "Measured on the joints" in card.text]
    assert len(facts) == 1 and "stays in place" in facts[0]


def test_trim_marks_go_from_the_keys_into_refined_motions(page, folder, tmp_path):
    for old in page.downloads.iterdir():
        old.unlink()
    page.execute_script("find('entry').focus(); player.seek(1)")
    press(page, "i")
    page.execute_script("player.seek(2.95)")
    press(page, "o")
    assert page.find_element("css selector", ".trimwords").text == "keep 1.00 to 3.00 s"
    kept = page.execute_script("const {left, width} = document.querySelector('.kept').style; return [left, width]")
    assert [float(value.rstrip("%")) for value in kept] == pytest.approx([20, 40])
    page.refresh()
    wait(page, READY)
    assert page.find_element("css selector", ".trimwords").text == "keep 1.00 to 3.00 s", "the marks are kept"
    click(page, "[title*='--trim-file']")
    wait(page, "return find('notice').textContent.includes('trims.json')")
    target = page.downloads / "trims.json"
    for _ in range(100):
        if target.is_file():
            break
        wait(page, "return new Promise((done) => setTimeout(() => done(true), 50))")
    assert json.loads(target.read_text()) == [
        {"id": 0, "motion": "motions/squat.pt", "seconds": [1, 3], "fps": 16, "start_time": 0}
    ]
    flags = ["--trim-file", str(target), "--workers", "0"]
    assert refine_motion(["-i", str(folder / "raw"), "-o", str(tmp_path / "again"), *flags]) == 0
    trimmed, other = (read_motion(tmp_path / "again" / f"{name}.pt") for name in ("squat", "wave"))
    assert (len(trimmed), trimmed.start_time, len(other)) == (32, 1.0, 80)


def test_marks_in_the_wrong_order_and_marks_that_are_taken_back(page):
    page.execute_script("find('entry').focus(); player.seek(3)")
    press(page, "o")
    assert page.find_element("css selector", ".trimwords").text == "keep 0.00 to 3.06 s"
    page.execute_script("player.seek(4)")
    press(page, "i")
    assert page.find_element("css selector", ".trimwords").text == "keep 4.00 to 5.00 s", "an end before it is dropped"
    page.execute_script("player.seek(4.1)")
    press(page, "o")
    assert "at least 4 frames" in page.find_element("id", "notice").text
    assert page.find_element("css selector", ".trimwords").text == "keep 4.00 to 5.00 s"
    click(page, "[title^='Remove the trim']")
    assert page.find_element("css selector", ".trimwords").text == "whole clip"
    click(page, "[title*='--trim-file']")
    assert "no trim marks" in page.find_element("id", "notice").text


def test_on_a_phone_the_player_comes_first(page):
    size(page, 390, 760)
    page.refresh()
    page.execute_script("open('0')")
    wait(page, READY)
    assert views(page)[0] == "tinted" and "source" not in views(page)
    first = page.find_element("css selector", ".videos figure").rect
    player, judge = (page.find_element("css selector", selector).rect for selector in (".player", ".judge"))
    assert player["y"] + player["height"] <= first["y"] + 1 and first["y"] + first["height"] <= judge["y"]
    assert first["y"] < page.find_element("css selector", ".fullprompt").rect["y"]
    assert page.execute_script("return document.documentElement.scrollWidth") <= 390


def test_in_the_dark_the_marks_stand_out(page):
    page.execute_script("document.documentElement.dataset.theme = 'dark'")
    color = "return getComputedStyle(document.querySelector(arguments[0])).fill"
    assert page.execute_script(color, ".curve .moment") == "rgb(255, 106, 159)"
    back = page.execute_script("return getComputedStyle(document.querySelector('.trim button')).backgroundColor")
    assert back == "rgb(29, 33, 39)"
