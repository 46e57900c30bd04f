"""Files whose names a command makes itself never overwrite what it reads, nor what an archive names."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
from checkout import REPO
from command_support import assert_error_lines, files_in, save_json, save_motion
from gate_support import make_archive

from motion_gating.apply_quality_gate import main as gate
from motion_gating.build_report import main as build_page
from motion_gating.evaluate_gate import main as evaluate
from motion_gating.export_for_tm2m import main as export
from motion_gating.make_archive import main as make
from motion_gating.prepare_motions import main as prepare
from motion_gating.render_mbench_videos import main as render
from motion_rep.convert_hmr_to_motion import main as convert
from motion_rep.motion_checker import main as check
from scripts.lib.list_prompts import main as list_prompts


def refused(capsys, main, place: Path, *arguments: object, words: tuple[str, ...] = ()) -> None:
    """Exit code 2 and one line that names all words; nothing is written."""
    before = files_in(place)
    assert main([str(argument) for argument in arguments]) == 2
    (line,) = assert_error_lines(capsys.readouterr().err, 1)
    assert "the same file" in line and all(word in line for word in words), line
    assert files_in(place) == before


def test_captures_in_folders(tmp_path, make_capture, capsys):
    for name in ("in/a.pt", "in/folder/a.pt"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        torch.save(make_capture(), tmp_path / name)
    one, inside = tmp_path / "in/a.pt", tmp_path / "in/folder/a.pt"
    for outputs in ((tmp_path / "in",), (tmp_path / "out", "--failures", one)):
        refused(capsys, convert, tmp_path, "-i", tmp_path / "in", "-o", *outputs)
    refused(capsys, convert, tmp_path, "-i", one, inside, "-o", tmp_path / "out", words=("in/a.pt", "in/folder/a.pt"))
    (tmp_path / "link").symlink_to(tmp_path / "in")
    refused(capsys, convert, tmp_path, "-i", tmp_path / "in", "-o", tmp_path / "link", words=("--input", "--output"))


def test_an_overlay_that_is_the_source_video(tmp_path, make_capture, capsys):
    motion = save_motion(tmp_path / "walk.pt", make_capture())
    video = tmp_path / "walk_overlay.mp4"
    video.write_bytes(b"the only copy")
    arguments = ("--motion-file", motion, "--video-file", video, "--output-dir", tmp_path)
    refused(capsys, check, tmp_path, *arguments, words=("--output-dir", "--video-file", "walk_overlay.mp4"))
    shutil.move(video, tmp_path / "other.mp4")
    os.link(tmp_path / "other.mp4", video)
    arguments = ("--motion-file", motion, "--video-file", tmp_path / "other.mp4", "--output-dir", tmp_path)
    refused(capsys, check, tmp_path, *arguments, words=("--video-file",))


@pytest.mark.parametrize("field", ["motion_path", "source_video_path", "capture_path", "video_path", "overlay_path"])
def test_renderings_that_are_files_of_an_entry(tmp_path, make_capture, capsys, field):
    name = "x_eval.pt" if field == "motion_path" else "x.mp4"
    motion = save_motion(tmp_path / ("x_eval.pt" if field == "motion_path" else "y.pt"), make_capture())
    if field != "motion_path":
        (tmp_path / name).write_bytes(b"the only copy")
    entries = [{"id": "x", "motion_path": motion.name, **({} if field == "motion_path" else {field: name})}]
    archive = save_json(tmp_path / "a.json", entries)
    arguments = ("--meta-json", archive, "--output-json", tmp_path / "b.json", "--output-dir", tmp_path)
    refused(capsys, render, tmp_path, *arguments, words=("--output-dir", field, name))


@pytest.mark.parametrize("flag", ["--failures", "--output-json"])
def test_a_renderer_that_would_write_over_a_motion(tmp_path, make_capture, capsys, flag):
    motion = save_motion(tmp_path / "a.json", make_capture())
    archive = save_json(tmp_path / "meta.json", [{"id": 1, "motion_path": "a.json"}])
    outputs = {"--output-json": tmp_path / "b.json", "--output-dir": tmp_path / "out", flag: motion}
    flags = [str(word) for pair in outputs.items() for word in pair]
    refused(capsys, render, tmp_path, "--meta-json", archive, *flags, words=(flag, "motion_path"))


@pytest.mark.parametrize("flag", ["--failures", "--output-json"])
@pytest.mark.parametrize("field", ["video_path", "mbench_eval_path", "judge_video_path", "raw_motion_path"])
def test_a_renderer_that_would_write_over_earlier_renderings_or_files_of_others(
    tmp_path, make_capture, capsys, flag, field
):
    save_motion(tmp_path / "a.pt", make_capture(frames=3))
    named = tmp_path / "named.json"
    named.write_bytes(b"the only copy")
    entry = {"id": 1, "motion_path": "a.pt", "video_path": "v.mp4", "mbench_eval_path": "e.pt", field: "./named.json"}
    archive = save_json(tmp_path / "meta.json", [entry])
    outputs = {"--output-json": tmp_path / "b.json", "--output-dir": tmp_path / "out", flag: named}
    flags = [str(word) for pair in outputs.items() for word in pair]
    refused(capsys, render, tmp_path, "--meta-json", archive, *flags, words=(flag, field))


@pytest.mark.parametrize("address", ["x_eval.pt", "file://{}/x_eval.pt"])
def test_a_rendering_that_is_a_file_of_another_program(tmp_path, make_capture, capsys, address):
    save_motion(tmp_path / "y.pt", make_capture(frames=3))
    (tmp_path / "x_eval.pt").write_bytes(b"the only copy")
    entry = {"id": "x", "motion_path": "y.pt", "smplx_path": address.format(tmp_path)}
    archive = save_json(tmp_path / "a.json", [entry])
    arguments = ("--meta-json", archive, "--output-json", tmp_path / "b.json", "--output-dir", tmp_path)
    refused(capsys, render, tmp_path, *arguments, words=("--output-dir", "smplx_path"))


def test_a_rendered_archive_can_be_rendered_again(tmp_path, make_capture):
    save_motion(tmp_path / "a.pt", make_capture(frames=3))
    archive = save_json(tmp_path / "a.json", [{"id": 1, "motion_path": "a.pt"}])
    size = ("--width", "64", "--height", "64", "--workers", "0", "--output-dir", str(tmp_path / "r"))
    assert render(["--meta-json", str(archive), "--output-json", str(tmp_path / "b.json"), *size]) == 0
    assert render(["--meta-json", str(tmp_path / "b.json"), "--output-json", str(tmp_path / "c.json"), *size]) == 0


@pytest.mark.parametrize("flag", ["--quality-report", "--output-json", "--failures"])
@pytest.mark.parametrize("victim", ["verdicts.json", "0_eval.pt", "0.mp4"])
def test_outputs_of_the_gate_that_are_read(tmp_path, capsys, flag, victim):
    meta = make_archive(tmp_path)
    verdicts = save_json(tmp_path / "verdicts.json", [{"id": 0, "matches": True}])
    outputs = {"--quality-report": tmp_path / "report.json", flag: tmp_path / victim}
    flags = [word for pair in outputs.items() for word in pair]
    arguments = ("--meta-json", meta, "--judge", "manual", "--verdicts", verdicts, *flags)
    refused(capsys, gate, tmp_path, *arguments, words=(flag, victim))


@pytest.mark.parametrize("flag", ["--quality-report", "--output-json", "--failures"])
def test_outputs_of_the_gate_that_only_other_programs_read(tmp_path, capsys, flag):
    (tmp_path / "named.json").write_bytes(b"the only copy")
    archive = save_json(tmp_path / "a.json", [{"id": 1, "prompt": "p", "raw_motion_path": "named.json"}])
    outputs = {"--output-json": "b.json", "--quality-report": "q.json"} | {flag: "named.json"}
    flags = [word for name, file in outputs.items() for word in (name, tmp_path / file)]
    refused(capsys, gate, tmp_path, "--meta-json", archive, *flags, "--judge", "none", words=(flag, "raw_motion_path"))


def test_the_run_block_of_the_gate(tmp_path, capsys):
    meta = make_archive(tmp_path, name="report.run.json")
    arguments = ("--meta-json", meta, "--judge", "none", "--quality-report", tmp_path / "report.json")
    refused(capsys, gate, tmp_path, *arguments, "--output-json", tmp_path / "b.json", words=("run block",))


@pytest.mark.parametrize("victim", ["--labels", "--quality-report"])
def test_an_evaluation_that_would_be_its_labels_or_report(tmp_path, capsys, victim):
    files = {"--labels": tmp_path / "labels.json", "--quality-report": tmp_path / "report.json"}
    for path in files.values():
        save_json(path, [])
    flags = [word for pair in files.items() for word in pair]
    refused(capsys, evaluate, tmp_path, *flags, "--output", files[victim], words=("--output", victim))
    shutil.move(files[victim], tmp_path / "curve.png")
    flags = [tmp_path / "curve.png" if word == files[victim] else word for word in flags]
    refused(capsys, evaluate, tmp_path, *flags, "--output", tmp_path / "curve.json", words=("curve", victim))


@pytest.mark.parametrize("output", ["index.html", "posters/x.jpg", "side/x.mp4", "entries/x.js", "media/x_lit.mp4"])
@pytest.mark.parametrize("victim", ["archive", "video"])
def test_files_of_the_page_that_are_read(tmp_path, capsys, output, victim):
    path = tmp_path / "page" / output
    if victim == "archive":
        save_json(path, [{"id": "x"}])
        archive = path
    else:
        archive = save_json(tmp_path / "a.json", [{"id": "x", "video_path": f"page/{output}"}])
        path.parent.mkdir(parents=True)
        path.write_bytes(b"the only copy")
    arguments = ("--meta-json", archive, "--output", tmp_path / "page", "--copy-media")
    refused(capsys, build_page, tmp_path, *arguments, words=("--output", Path(output).name))


def test_an_overlay_in_the_folder_of_side_views(tmp_path, capsys):
    archive = save_json(tmp_path / "a.json", [{"id": "x_overlay"}])
    (tmp_path / "side").mkdir()
    (tmp_path / "side/x_overlay.mp4").write_bytes(b"the only copy")
    arguments = ("--meta-json", archive, "--output", tmp_path, "--checks", tmp_path / "side")
    refused(capsys, build_page, tmp_path, *arguments, words=("--output", "--checks"))


def test_archives_that_would_be_a_file_of_an_entry(tmp_path, make_capture, capsys):
    motion = save_motion(tmp_path / "motions/a.pt", make_capture())
    refused(capsys, make, tmp_path, tmp_path / "motions", "-o", motion, words=("--output-json", "motion_path"))
    archive = save_json(tmp_path / "a.json", [{"id": 1, "motion_path": "b.json", "prompt": "walks"}])
    shutil.copy(motion, tmp_path / "b.json")
    arguments = ("--meta-json", archive, "--vimogen-root", tmp_path, "-o", tmp_path / "b.json")
    refused(capsys, export, tmp_path, *arguments, words=("--output-json", "motion_path"))


def test_the_record_of_a_video_that_is_the_archive(tmp_path, capsys):
    archive = save_json(tmp_path / "walk.mp4.json", [{"id": "walk", "prompt": "walks"}])
    refused(capsys, list_prompts, tmp_path, archive, "--output-dir", tmp_path, words=("--output-dir", "archive"))


@pytest.mark.parametrize(
    ("flag", "victim"),
    [
        ("INPUT", "rendered.json"),
        ("INPUT", "quality_report.json"),
        ("--verdicts", "gated.json"),
        ("--verdicts", "logs/gate.log"),
        ("INPUT", "checks/1_overlay.mp4"),
        ("INPUT", "renders/1.mp4"),
    ],
)
def test_files_of_a_set_that_are_given_to_it(tmp_path, capsys, flag, victim):
    path = save_json(tmp_path / "set" / victim, [{"id": 1, "prompt": "walks"}])
    words: list[object] = [
        save_json(tmp_path / "own.json", [{"id": 1, "prompt": "walks"}]),
        "--output",
        tmp_path / "set",
    ]
    if victim.endswith(".mp4"):
        shutil.move(path, tmp_path / "1.mp4")
        path.symlink_to(tmp_path / "1.mp4")
        path = tmp_path / "1.mp4"
    words = [path, *words[1:]] if flag == "INPUT" else [*words, flag, path, "--judge", "manual"]
    refused(capsys, prepare, tmp_path, *words, words=("--output", flag))


@pytest.mark.parametrize("victim", ["motions/1.pt", "captures/1.pt", "renders/1.mp4"])
def test_a_result_of_a_set_is_no_input_of_it(tmp_path, make_capture, capsys, victim):
    path = tmp_path / "set" / victim
    path.parent.mkdir(parents=True)
    torch.save(make_capture(), path)
    before = files_in(tmp_path)
    assert prepare([str(path), "-o", str(tmp_path / "set")]) == 2
    (line,) = assert_error_lines(capsys.readouterr().err, 1)
    assert victim in line and "is a result in the output folder" in line and files_in(tmp_path) == before


@pytest.mark.parametrize("names", [("a.pt", "a.pt"), ("a.pt", "./linked.pt"), ("a_preview.mp4", "a.pt")])
def test_a_capture_that_would_be_its_video(tmp_path, names):
    video, output = (tmp_path / name for name in names)
    video.write_bytes(b"the only copy")
    if "linked" in names[1]:
        output.symlink_to(video)
    before = files_in(tmp_path)
    command = ["bash", str(REPO / "scripts/extract_motion.sh"), "--video", str(video), "--output", str(output)]
    done = subprocess.run([*command, "--model", "preview"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "the same file" in done.stderr and "--video" in done.stderr, done.stderr
    assert files_in(tmp_path) == before
