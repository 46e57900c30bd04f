"""What the review page is made of, without a browser."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
import re
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from urllib.parse import unquote

import cv2
import numpy as np
import pytest
import torch
from checkout import REPO
from command_support import files_in
from ffmpeg_support import ffmpeg
from report_support import LARGE_ID, MARKUP, build, entry_details, make_batch, page_data, record, write_clip
from sample_motions import smooth_clip

from motion_gating.archives.content import text_digest
from motion_gating.archives.scratch_file import scratch_file
from motion_gating.review_page import page_run
from motion_gating.review_page.entry_files import PageOptions
from motion_gating.review_page.entry_page import start_pages
from motion_gating.review_page.media import copied, write_poster
from motion_gating.review_page.page import harmless_json
from motion_gating.review_page.page_run import build_review
from motion_gating.review_page.records import keep_records, read_reviewed
from motion_rep.drawing.mbench_scene import Bounds, MbenchScene
from motion_rep.drawing.side_view import close_side_views
from motion_rep.files.folder_lock import folder_lock
from motion_rep.files.local_files import safe_name
from motion_rep.motions.motion_file import write_motion
from motion_rep.runs.batch import Batch
from motion_rep.runs.engine import Engine
from motion_rep.video.reading import open_video
from motion_rep.video.writing import open_writer

COMMAND = REPO / "motion_gating" / "build_report.py"


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    folder = tmp_path_factory.mktemp("batch")
    meta, report = make_batch(folder)
    code = build(meta, report, folder / "page", "--side-size", "96", "--smplx-model-dir", "mannequin")
    return folder, code


@pytest.fixture(scope="module")
def rows(batch):
    return {row["id"]: row for row in page_data(batch[0] / "page")["entries"]}


def test_a_second_run_waits_for_the_first(tmp_path, monkeypatch):
    meta, report = make_batch(tmp_path)
    (tmp_path / "page").mkdir()
    waited = []
    with contextlib.ExitStack() as first:
        first.enter_context(folder_lock(tmp_path / "page"))

        def warn(words):
            waited.append((words, files_in(tmp_path / "page")))
            first.close()

        monkeypatch.setattr(page_run, "say_warning", warn)
        build(meta, report, tmp_path / "page", "--no-side-view")
    assert waited[0] == (f"{tmp_path / 'page'}: in use by another run; waiting until it ends.", {})
    assert page_data(tmp_path / "page")["entries"]


def test_every_entry_is_on_the_page_and_a_missing_video_makes_the_exit_code_one(batch, rows):
    assert batch[1] == 1
    assert list(rows) == ["0", "seven", str(LARGE_ID), "3", "../4", "5"]


@pytest.mark.parametrize(
    ("identifier", "groups"),
    [
        ("0", ["pass"]),
        ("seven", ["mismatch"]),
        (str(LARGE_ID), ["jitter"]),
        ("3", ["failed"]),
        ("../4", ["pass"]),
        ("5", ["undecided"]),
    ],
)
def test_groups_follow_the_record(rows, identifier, groups):
    assert rows[identifier]["groups"] == groups


def test_groups_from_the_five_documented_keys_alone(tmp_path):
    documented = [
        {
            key: record(0, jitter=jitter, matches=matches)[key]
            for key in ("id", "jitter_degree", "vlm_analysis", "vlm_matches", "use_ref_motion")
        }
        for jitter, matches in ((0.1, False), (0.1, True), (0.01, None))
    ]
    for number, item in enumerate(documented):
        item["id"] = number
    (tmp_path / "meta.json").write_text(json.dumps([{"id": number, "prompt": "p"} for number in range(3)]))
    (tmp_path / "report.json").write_text(json.dumps(documented))
    assert build(tmp_path / "meta.json", tmp_path / "report.json", tmp_path / "page", "--no-side-view") == 0
    assert [row["groups"] for row in page_data(tmp_path / "page")["entries"]] == [
        ["mismatch", "jitter"],
        ["jitter"],
        ["undecided"],
    ]
    assert entry_details(tmp_path / "page", "0")["reasons"] == [
        "jitter 0.1 is not below 0.04",
        "the judge says that the clip does not match the description",
    ]


def test_threshold_is_the_one_of_the_run(batch):
    assert page_data(batch[0] / "page")["threshold"] == 0.05


def test_ids_keep_their_json_text(rows):
    assert [rows[name]["idJson"] for name in ("0", "seven", str(LARGE_ID))] == ["0", '"seven"', str(LARGE_ID)]


def test_files_are_named_by_safe_names_only(batch, rows):
    assert rows["../4"]["key"] == safe_name("../4")
    assert {path.stem for path in (batch[0] / "page" / "entries").iterdir()} == {row["key"] for row in rows.values()}


def test_links_lead_to_the_files_also_with_odd_characters(batch):
    videos = {video["kind"]: video for video in entry_details(batch[0] / "page", "0")["videos"]}
    assert list(videos) == ["overlay", "front", "side", "lit"]
    assert [video["extra"] for video in videos.values()] == [False, False, False, True]
    assert " " not in videos["lit"]["src"]
    for video in videos.values():
        assert (batch[0] / "page" / unquote(video["src"])).is_file(), video


def test_overlay_runs_on_the_source_s_own_time(batch):
    overlay = entry_details(batch[0] / "page", "0")["videos"][1]
    assert (overlay["scale"], overlay["offset"]) == (1.0, 0.0), (
        "a motion with a rate and a video share their seconds, whatever the video's frame rate"
    )


def test_a_lit_video_at_another_rate_runs_frame_by_frame(tmp_path):
    meta, report = make_batch(tmp_path)
    write_clip(tmp_path / "lit one.mp4", frames=30, fps=20.0)
    build(meta, report, tmp_path / "page", "--no-side-view")
    assert entry_details(tmp_path / "page", "0")["videos"][0]["scale"] == pytest.approx(16 / 20)


def test_overlay_of_a_cut_motion_starts_where_the_motion_does(tmp_path):
    meta, report = make_batch(tmp_path)
    write_motion(tmp_path / "walk.pt", replace(smooth_clip(31, seed=2), start_time=0.75))
    build(meta, report, tmp_path / "page", "--no-side-view")
    assert entry_details(tmp_path / "page", "0")["videos"][1]["offset"] == 0.75


def test_checks_folder_gives_the_overlay_where_the_entry_names_none(tmp_path):
    meta, report = make_batch(tmp_path)
    checks = tmp_path / "checks"
    checks.mkdir()
    write_clip(checks / "walk_depth.mp4")
    build(meta, report, tmp_path / "page", "--no-side-view", "--checks", checks)
    assert [video["kind"] for video in entry_details(tmp_path / "page", "seven")["videos"]] == ["lit", "depth"]
    assert [video["kind"] for video in entry_details(tmp_path / "page", "0")["videos"]] == ["lit", "overlay"]


def test_side_view_is_drawn_for_every_frame_and_kept(batch):
    path = batch[0] / "page" / "side" / "0.mp4"
    with open_video(path) as video:
        assert (video.width, video.height, video.fps, sum(1 for _ in video)) == (96, 96, 16.0, 30)
    before = path.stat().st_mtime_ns
    build(
        batch[0] / "meta.json",
        batch[0] / "report.json",
        batch[0] / "page",
        "--side-size",
        "96",
        "--smplx-model-dir",
        "mannequin",
    )
    assert path.stat().st_mtime_ns == before


def test_side_views_see_the_left_of_the_person_and_follow():
    path = np.stack((np.zeros(40), np.zeros(40), np.linspace(0, 6, 40)), axis=1)
    boxes = path[:, None] + np.array([[-0.5, -0.9, -0.3], [0.7, 0.9, 0.4]])
    bounds = Bounds(boxes[:, 0].min(0), boxes[:, 1].max(0))
    views = close_side_views(MbenchScene(np.zeros(3), bounds, boxes, path), 100, 100)
    left, right, front = views[0].to_camera(np.array([[1.0, 0, 0], [-1.0, 0, 0], [0, 0, 1.0]], np.float32))
    assert left[2] < right[2], "the person's left (+x) is nearer"
    assert front[0] < 0, "who faces +z looks to the left of the picture"
    for view, (low, high) in zip(views, boxes, strict=True):
        corners = view.to_camera(np.array(list(itertools.product(*zip(low, high, strict=True))), np.float32))
        pixels = corners @ view.intrinsic.T
        pixels = pixels[:, :2] / pixels[:, 2:]
        assert (corners[:, 2] > 0).all() and (np.abs(pixels - 50) <= 50).all(), "the person is in every picture"
        assert np.ptp(pixels, axis=0).max() > 50, "and fills half of it"
    rotation = views[0].world_to_camera[:3, :3]
    assert np.allclose(rotation @ rotation.T, np.eye(3)) and np.isclose(np.linalg.det(rotation), 1.0)
    still = MbenchScene(np.zeros(3), bounds, boxes[:1].repeat(3, 0), path[:1].repeat(3, 0))
    assert len({id(view) for view in close_side_views(replace(still, bounds=Bounds(*boxes[0])), 100, 100)}) == 1


def test_curves_tell_speed_in_metres_per_second_and_jitter_whose_mean_is_the_figure(batch):
    from motion_gating.metrics.joint_clip import read_joint_clip
    from motion_gating.metrics.joint_metrics import measure

    details = entry_details(batch[0] / "page", "0")
    jitter, speed, height = details["panels"]
    clip = read_joint_clip(batch[0] / "walk_eval.pt")
    assert np.mean(jitter["lines"][0]["values"]) == pytest.approx(measure(clip).jitter_degree, abs=1e-5)
    step = torch.tensor(clip.joints[4, 10] - clip.joints[3, 10]).norm() * 16
    assert speed["lines"][0]["values"][3] == pytest.approx(float(step), abs=1e-4)
    assert height["lines"][1]["values"] == pytest.approx(clip.joints[:, 11, 1].tolist(), abs=1e-5)
    assert (jitter["unit"], speed["unit"], height["unit"], details["worst"]) == (
        "m/frame² at 16 fps",
        "m/s",
        "m",
        [0.5, 1.0],
    )


def test_what_is_missing_is_said_in_words(batch):
    details = entry_details(batch[0] / "page", safe_name("../4"))
    assert "lit" not in [video["kind"] for video in details["videos"]]
    assert sum("gone.mp4" in line for line in details["problems"] + details["absent"]) == 1, "the cause is told once"
    assert entry_details(batch[0] / "page", "5")["absent"][0] == "Lit video: the entry names none"
    assert entry_details(batch[0] / "page", "3")["problems"] == ["no verdict: the service was busy"]


@pytest.mark.parametrize("name", ["index.html", "entries/seven.js"])
def test_no_text_of_the_batch_is_markup(batch, name):
    text = (batch[0] / "page" / name).read_text()
    assert "<img" not in text and 'onerror=\\"' in text
    if name == "index.html":
        assert text.count("</script>") == 2 and text.count("<script") == 2


def test_harmless_json_is_the_same_data():
    value = {"a": [MARKUP, "\u2028", "\ud800", float("nan"), 1e300, None, True]}
    text = harmless_json(value)
    assert not re.search(r"[<>&]", text) and text.isascii()
    assert json.loads(text) == {"a": [MARKUP, "\u2028", "\ud800", None, 1e300, None, True]}


def test_nothing_on_the_page_comes_from_a_network(batch):
    text = (batch[0] / "page" / "index.html").read_text()
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", text)
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text)


def test_copied_media_make_the_folder_whole(tmp_path):
    meta, report = make_batch(tmp_path / "batch")
    build(meta, report, tmp_path / "page", "--no-side-view", "--copy-media")
    for video in entry_details(tmp_path / "page", "0")["videos"]:
        assert not video["src"].startswith("..")
        assert (tmp_path / "page" / video["src"]).is_file()


def test_the_disk_needs_room_for_every_video_that_is_copied(tmp_path, monkeypatch):
    sizes = {"lit.mp4": 10, "source.mp4": 200, "over.mp4": 3000, "depth.mp4": 40000}
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(bytes(size))
    named = {"motion_path": "a.pt", "source_video_path": "source.mp4", "depth_path": "depth.mp4"}
    entries = [{"id": 0, **named, "video_path": "lit.mp4", "overlay_path": "over.mp4"}, {"id": 1, **named}]
    (tmp_path / "meta.json").write_text(json.dumps(entries))
    asked = []
    monkeypatch.setattr(page_run, "require_space", lambda folder, size, what: asked.append((size, what)))
    run = page_run.PageRun(tmp_path / "meta.json", tmp_path / "page", copy_media=True)
    page_run._require_space(run)
    page_run._require_space(replace(run, no_side_view=True))
    assert asked == [(10 + 200 + 3000 + 200 + 40000, "the copies of 5 videos"), (43010, "the copies of 3 videos")]


def test_without_a_report_the_page_shows_the_clips(tmp_path):
    meta, _ = make_batch(tmp_path)
    build(meta, None, tmp_path / "page", "--no-side-view")
    assert all(row["groups"] == ["undecided"] for row in page_data(tmp_path / "page")["entries"])


@pytest.mark.parametrize(
    ("meta", "report", "message"),
    [
        ("nothing.json", "report.json", "nothing.json: cannot be read"),
        ("meta.json", "nothing.json", "nothing.json: cannot be read"),
        ("meta.json", "object.json", "expected a list of records"),
    ],
)
def test_unusable_input_is_one_line_and_exit_two(tmp_path, meta, report, message):
    make_batch(tmp_path)
    (tmp_path / "object.json").write_text("{}")
    done = subprocess.run(
        [sys.executable, str(COMMAND), "--meta-json", meta, "--quality-report", report, "--output", "page"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 2 and message in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "page" / "index.html").exists()


def test_verdicts_are_about_one_motion_and_prompt(tmp_path):
    meta, report = make_batch(tmp_path)
    about = []
    for prompt in ("a person walks", "a person runs", "a person walks"):
        entries = json.loads(meta.read_text())
        entries[0]["prompt"] = prompt
        meta.write_text(json.dumps(entries))
        build(meta, report, tmp_path / "page", "--no-side-view")
        about.append(page_data(tmp_path / "page")["entries"][0]["about"])
    assert about[0] == about[2] != about[1]


def test_workers_make_the_page_that_one_process_makes_and_failures_are_listed(tmp_path):
    meta, report = make_batch(tmp_path)
    made = []
    for workers in (0, 2):
        page = tmp_path / f"page{workers}"
        assert (
            build(
                meta,
                report,
                page,
                "--side-size",
                32,
                "--smplx-model-dir",
                "mannequin",
                "--workers",
                workers,
                "--failures",
                tmp_path / "f.json",
            )
            == 1
        )
        made.append((files_in(page), json.loads((tmp_path / "f.json").read_text())))
    assert made[0] == made[1] and len(made[0][0]) > 12
    failures = made[0][1]
    assert failures["counts"] == {"shown": 5, "failed": 1}
    assert failures["failures"][0]["item"] == "../4" and "gone.mp4" in failures["failures"][0]["error"]


def start_pages_dangerously(options):
    """A worker that dies on the entry "seven"."""
    work = start_pages(options)

    def make(item):
        if item.identifier == "seven":
            os._exit(5)
        return work(item)

    return make


class DangerousEngine(Engine):
    def run(self, start, items, count):
        return super().run(functools.partial(start_pages_dangerously, *start.args), items, count)


def test_a_worker_that_dies_costs_one_entry_what_is_shown_of_it(tmp_path):
    meta, report = make_batch(tmp_path)
    options = PageOptions(meta, tmp_path / "page", 0.04)
    (tmp_path / "page").mkdir()
    with scratch_file(tmp_path / "page" / "index.html") as file:
        items = read_reviewed(meta, keep_records(report, file))
        batch = Batch(DangerousEngine(workers=2), "review page", "entry")
        build_review(items, 6, options, {"title": "t", "said": ""}, batch)
    failure, _ = batch.failures
    assert failure.item == "seven" and "ended with code 5 on it 2 times" in failure.error
    rows = page_data(tmp_path / "page")["entries"]
    assert [row["id"] for row in rows] == ["0", "seven", str(LARGE_ID), "3", "../4", "5"]
    assert rows[1]["groups"] == ["mismatch"] and rows[1]["prompt"] == MARKUP and rows[0]["poster"]
    details = entry_details(tmp_path / "page", "seven")
    assert details["problems"] == [failure.error] and details["videos"] == []


def test_records_are_found_whatever_their_order_and_form(tmp_path):
    (tmp_path / "meta.json").write_text(json.dumps([{"id": number, "prompt": "p"} for number in range(4)]))
    records = [
        record(3, jitter=0.3),
        record(77),
        record("1", jitter=0.5),
        record(0),
        record(1, jitter=0.1, vlm_analysis="Grüße\n\ud800"),
    ]
    pages = []
    for name, text in (
        ("r.json", json.dumps(records)),
        ("r.jsonl", "".join(json.dumps(item) + "\n" for item in records)),
    ):
        (tmp_path / name).write_text(text)
        assert build(tmp_path / "meta.json", tmp_path / name, tmp_path / name[2:], "--no-side-view") == 0
        pages.append(files_in(tmp_path / name[2:]))
    assert pages[0] == pages[1]
    assert [row["figures"][0] for row in page_data(tmp_path / "json")["entries"]] == [0.01, 0.1, None, 0.3], (
        "the later of two records counts"
    )
    assert entry_details(tmp_path / "json", "1")["analysis"] == "Grüße\n\ud800"


def test_an_empty_picture_that_a_power_failure_left_is_made_again(tmp_path):
    meta, report = make_batch(tmp_path)
    build(meta, report, tmp_path / "page", "--no-side-view")
    poster = tmp_path / "page" / "posters" / "0.jpg"
    whole = poster.read_bytes()
    poster.write_bytes(b"")
    build(meta, report, tmp_path / "page", "--no-side-view")
    assert poster.read_bytes() == whole


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        ({"prompt": ["walks", "goes"]}, "walks"),
        ({"motion_text_annot": ["runs"]}, "runs"),
        ({"prompt": {"en": "sits"}}, '{"en": "sits"}'),
        ({}, ""),
    ],
)
def test_the_page_shows_the_text_that_the_judge_gets(tmp_path, entry, shown):
    (tmp_path / "meta.json").write_text(json.dumps([{"id": 0, **entry}]))
    build(tmp_path / "meta.json", None, tmp_path / "page", "--no-side-view")
    (row,) = page_data(tmp_path / "page")["entries"]
    assert (row["prompt"], row["content"]["text"]) == (shown, text_digest(shown) if shown else None)


def write_grey(path, *greys):
    """A video of plain frames."""
    with open_writer(path, 64, 64, 16.0) as writer:
        for grey in greys:
            writer.write(np.full((64, 64, 3), grey, np.uint8))


def test_a_poster_and_a_copy_follow_the_content_of_the_video_not_its_date(tmp_path):
    video, poster, copy = (tmp_path / name for name in ("v.mp4", "p.jpg", "c.mp4"))

    made = []
    for grey, date in ((40, 2_000_000_000), (200, 1_000_000_000)):
        write_grey(video, *[grey] * 4)
        os.utime(video, (date, date))
        write_poster(video, poster)
        assert copied(video, copy).read_bytes() == video.read_bytes()
        made.append(cv2.imread(str(poster)).mean())
        before = poster.stat().st_mtime_ns
        write_poster(video, poster)
        assert poster.stat().st_mtime_ns == before, "the same video's poster is kept"
    assert made == pytest.approx([40, 200], abs=4)


@pytest.mark.parametrize("name", ["known.mp4", "unknown.mkv"])
def test_a_poster_is_from_the_middle_also_of_a_video_of_unknown_length(tmp_path, name):
    write_grey(tmp_path / "known.mp4", 20, 60, 200)
    ffmpeg("-i", tmp_path / "known.mp4", "-c", "copy", "-live", 1, tmp_path / "unknown.mkv")
    write_poster(tmp_path / name, tmp_path / "poster.jpg")
    assert cv2.imread(str(tmp_path / "poster.jpg")).mean() == pytest.approx(60, abs=4)


def test_a_side_view_is_drawn_again_where_its_motion_or_its_file_has_changed(tmp_path):
    meta, report = make_batch(tmp_path)
    flags = ("--side-size", 32, "--smplx-model-dir", "mannequin")
    side = tmp_path / "page" / "side" / "0.mp4"
    build(meta, report, tmp_path / "page", *flags)
    first = side.read_bytes()
    side.write_bytes(first[:-10])
    build(meta, report, tmp_path / "page", *flags)
    assert side.read_bytes() == first
    write_motion(tmp_path / "walk.pt", smooth_clip(31, seed=5))
    build(meta, report, tmp_path / "page", *flags)
    assert side.read_bytes() != first


def test_memory_of_the_page_does_not_grow_with_its_entries(tmp_path):
    """Entries and records wait on disk: the peak grows by far less than what they hold."""
    peaks = []
    for count in (100, 700):
        (tmp_path / "meta.json").write_text(
            json.dumps([{"id": number, "prompt": "p" * 20_000} for number in range(count)])
        )
        (tmp_path / "report.json").write_text(
            json.dumps([record(number, vlm_analysis="a" * 20_000) for number in range(count)])
        )
        tracemalloc.start()
        assert (
            build(tmp_path / "meta.json", tmp_path / "report.json", tmp_path / "page", "--no-side-view", "--workers", 0)
            == 0
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 8_000_000, "600 entries more hold 24 MB"


def test_files_of_an_older_page_keep_their_names(tmp_path):
    """Earlier versions kept capitals in the names of files."""
    from motion_gating.build_report import main
    from motion_gating.review_page.outputs import names_on

    (tmp_path / "entries").mkdir()
    (tmp_path / "entries" / "Walk.js").touch()
    archive = tmp_path / "a.json"
    archive.write_text(json.dumps([{"id": "Walk"}, {"id": "Run"}]))
    assert names_on(tmp_path).of("Walk") == "Walk"
    main(["--meta-json", str(archive), "--output", str(tmp_path), "--no-side-view", "--workers", "0"])
    names = sorted(path.name for path in (tmp_path / "entries").iterdir())
    assert len(names) == 2 and "Walk.js" in names and names_on(tmp_path).of("Walk") == "Walk"


def test_videos_of_an_older_page_are_taken_over_by_content(tmp_path, monkeypatch):
    """Earlier versions gave eight digits; two ids could have one name."""
    from motion_gating.review_page import drawn_videos

    drawn = []
    monkeypatch.setattr(drawn_videos, "lit_frames", _counting(drawn_videos.lit_frames, drawn))
    for number in (1, 2):
        write_motion(tmp_path / f"{number}.pt", smooth_clip(9, seed=number))
    odd, taken = "../bad clip", "bad_clip-4f9ccc89"
    meta = tmp_path / "meta.json"
    report = tmp_path / "report.json"
    report.write_text(json.dumps([record(odd), record(taken)]))
    meta.write_text(json.dumps([{"id": odd, "motion_path": "1.pt"}]))
    build(meta, report, tmp_path / "page", "--workers", 0)
    assert len(drawn) == 2, "front and side"
    before = {path.name: path.read_bytes() for path in (tmp_path / "page/side").iterdir()}
    for path in [*(tmp_path / "page/side").iterdir(), *(tmp_path / "page/front").iterdir()]:
        path.rename(path.with_name(taken + path.suffix))
    meta.write_text(json.dumps([{"id": odd, "motion_path": "1.pt"}, {"id": taken, "motion_path": "2.pt"}]))
    build(meta, report, tmp_path / "page", "--workers", 0)
    assert len(drawn) == 4, "only the other entry was drawn"
    found = {path.name: path.read_bytes() for path in (tmp_path / "page/side").iterdir()}
    assert {name: found[name] for name in before} == before and len(set(found.values())) == len(found) - 2


def _counting(function, calls):
    def counted(*args, **more):
        calls.append(args)
        return function(*args, **more)

    return counted
