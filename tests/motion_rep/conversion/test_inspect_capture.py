"""The inspector says what a file is, by name of the system, and whether the converter will take it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
from hmr_layouts import (
    known_person,
    write_4dhumans,
    write_amass,
    write_gvhmr,
    write_smpler_x,
    write_standard,
    write_tram,
)

from motion_rep.conversion.capture_report import report_on
from motion_rep.conversion.settings import Settings
from motion_rep.convert_hmr_to_motion import main as convert_main
from motion_rep.inspect_capture import main


def said(lines, what: str) -> list[str]:
    return [found for name, found in lines if name == what]


def test_everything_about_a_file_of_several_people(tmp_path):
    people = {1: known_person(20, 1).rows(np.r_[0:6, 8:20]), 2: known_person(20, 2).rows(slice(3, 9))}
    path = write_4dhumans(tmp_path, people, {1: [6]}, 20)
    report = report_on(path, Settings(fps=10.0))
    assert report.converts
    lines = report.lines
    assert said(lines, "system") == ["4dhumans"]
    assert said(lines, "who") == ["person 1: 18 frames, from frame 0 to 19", "person 2: 6 frames, from frame 3 to 8"]
    assert said(lines, "frames") == ["18, from 0 to 19 of the source"]
    assert said(lines, "frame rate") == ["10 per second (given), 1.90 s from the first to the last"]
    assert said(lines, "gaps") == ["frames 6-7 are missing"]
    assert said(lines, "camera") == ["focal length 12500.0 pixels, 640x360"]
    assert said(lines, "converts") == ["yes: 19 rows"]
    assert any("tid: list of 2" in line for line in said(lines, "contents"))
    assert said(report_on(path, Settings(person="2")).lines, "frames") == ["6, from 3 to 8 of the source"]


def test_spaces_and_rates(tmp_path):
    person = known_person()
    world = report_on(write_gvhmr(tmp_path, person, person), Settings(space="world"))
    assert said(world.lines, "space") == ["gravity-aligned world, cannot be overlaid on a video"] and said(
        world.lines, "camera"
    ) == ["unknown"]
    assert said(world.lines, "frame rate") == ["not stored; set it with --fps"]
    amass = report_on(write_amass(tmp_path, person, "smplx", 120.0), Settings())
    assert said(amass.lines, "system") == ["amass"] and said(amass.lines, "frame rate")[0].startswith("120 per second")


def test_folders(tmp_path):
    person = known_person()
    for path, system in (
        (write_smpler_x(tmp_path, [person]), "smpler-x"),
        (write_tram(tmp_path, [person], 20), "tram"),
    ):
        report = report_on(path, Settings())
        assert report.converts and said(report.lines, "system") == [system]
        assert any("files" in line for line in said(report.lines, "contents"))


def test_jumps_are_told(tmp_path):
    person = known_person()
    person.pelvis[10:] += [2.0, 0, 0]
    notes = said(report_on(write_standard(tmp_path, person), Settings()).lines, "note")
    assert any("jumps by up to" in note and "frames 10" in note for note in notes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"frame_index": torch.tensor([*range(10), *range(40, 50)])}, "has no person in the frames 10-39"),
        ({"body_pose": torch.zeros(20, 66)}, "body_pose has shape (20, 66)"),
        ({"transl": torch.full((20, 3), torch.nan)}, "not a finite number"),
    ],
)
def test_it_says_what_the_converter_says(tmp_path, capsys, change, words):
    path = write_standard(tmp_path, known_person(), **change)
    report = report_on(path, Settings())
    assert not report.converts and words in said(report.lines, "converts")[0]
    assert main([str(path)]) == 1
    capsys.readouterr()
    assert convert_main(["-i", str(path), "-o", str(tmp_path / "motion.pt")]) == 1
    assert words in capsys.readouterr().err


def test_what_is_no_capture_is_described_all_the_same(tmp_path):
    path = tmp_path / "motion.pt"
    torch.save({"motion": torch.zeros(5, 276), "fps": 16.0}, path)
    report = report_on(path, Settings())
    assert not report.converts and said(report.lines, "system") == ["unknown"]
    assert said(report.lines, "contents") == ["motion: (5, 276) float32", "fps: 16.0"]
    assert "converted motion" in said(report.lines, "converts")[0]


ESCAPE = "\x1b]0;title\x07\r"


@pytest.mark.parametrize(
    "contents",
    [
        pickle.dumps({ESCAPE: ESCAPE, "b": {"\r": 1}}),
        pickle.dumps({ESCAPE: {"pose": 1, "trans": 1, "frame_ids": 1}}),
        pickle.dumps({"people": {ESCAPE: 1}, "camera": 1}),
        pickle.dumps({ESCAPE: {"smpl": 1, "camera": 1, "tid": 1}}),
        f"c{ESCAPE[:-1]}\nname\n.".encode(),
        pickle.dumps({"poses": 1, "trans": 1, "mocap_framerate": [ESCAPE]}),
    ],
)
def test_text_of_a_file_cannot_steer_the_terminal(tmp_path, capsys, contents):
    path = tmp_path / "x.pkl"
    path.write_bytes(contents)
    assert main([str(path)]) == 1
    printed = capsys.readouterr()
    assert not any(character in printed.out + printed.err for character in "\x1b\x07\r")


def test_the_command_goes_on_after_a_bad_file_and_says_so_by_its_code(tmp_path, repo):
    good = write_standard(tmp_path, known_person())
    bad = tmp_path / "bad.pt"
    bad.write_bytes(b"x")

    def run(*paths):
        command = [sys.executable, repo / "motion_rep" / "inspect_capture.py", *paths]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=120, env={**os.environ, "COLUMNS": "200"}
        )

    done = run("bad.pt", good.name)
    assert done.returncode == 1 and done.stderr.startswith("error: bad.pt: ") and "Traceback" not in done.stderr
    assert "converts    yes: 19 rows" in done.stdout
    assert run(good.name).returncode == 0
    assert run().returncode == 2


def test_a_folder_is_looked_into(make_capture, tmp_path, capsys):
    (tmp_path / "deeper").mkdir()
    for name in ("a.pt", "deeper/b.pt"):
        torch.save(make_capture(), tmp_path / name)
    assert main([str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert f"{tmp_path}/a.pt" in said and f"{tmp_path}/deeper/b.pt" in said and said.count("yes:") == 2
    (tmp_path / "empty").mkdir()
    assert main([str(tmp_path / "empty")]) == 1
