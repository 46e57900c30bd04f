"""--trim-file of refine_motion.py: marks in seconds, from files of people and of the review page."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from motion_rep.common.errors import InputError, UsageError
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.motion_file import read_motion, write_motion
from motion_rep.refine_motion import main
from motion_rep.refining.settings import Trim
from motion_rep.refining.trim_file import read_trim_file
from scripts.dev.refining_evaluation.clips import clip_of, sample

AS_THEY_ARE = ("--level", "off", "--smooth", "off", "--feet", "off", "--workers", "0")


@pytest.fixture
def raw(tmp_path):
    """Waves: as it is, one with an unknown rate, one that starts later in its source; and a squat."""
    clip = clip_of(sample("wave"))
    folder = tmp_path / "raw"
    (folder / "sub").mkdir(parents=True)
    write_motion(folder / "wave.pt", clip)
    write_motion(folder / "no_rate.pt", dataclasses.replace(clip, fps=None))
    write_motion(folder / "sub/later.pt", dataclasses.replace(clip, start_time=0.5))
    write_motion(folder / "squat.pt", clip_of(sample("squat")))
    return folder


def trims(folder: Path, *items: object) -> Path:
    path = folder / "trims.json"
    path.write_text(json.dumps(items))
    return path


def rows_of(raw: Path, out: Path, name: str) -> tuple[int, int]:
    """The first and the last row of a motion that are left."""
    before, after = (body_parameters(read_motion(folder / name).motion.double()).body for folder in (raw, out))
    first = next(row for row in range(len(before)) if torch.allclose(before[row], after[0], atol=1e-4))
    assert torch.allclose(before[first : first + len(after)], after, atol=1e-4)
    return first, first + len(after) - 1


def test_each_motion_is_trimmed_by_its_own_marks(raw, tmp_path, capsys):
    marks = trims(
        tmp_path,
        {"id": 0, "motion": "motions/wave.pt", "seconds": [1.0, 3.0], "fps": 16.0, "start_time": 0.0},
        {"id": "squat", "seconds": [0.5, 1.5]},
    )
    out = tmp_path / "out"
    assert main(["-i", str(raw), "-o", str(out), "--trim-file", str(marks), *AS_THEY_ARE]) == 0
    assert rows_of(raw, out, "wave.pt") == (16, 47) and len(read_motion(out / "squat.pt")) == 16
    assert len(read_motion(out / "no_rate.pt")) == 80, "no mark names it"
    # Another mark makes one file again, not all.
    trims(tmp_path, {"id": "wave", "seconds": [1.0, 2.0]}, {"id": "squat", "seconds": [0.5, 1.5]})
    capsys.readouterr()
    assert main(["-i", str(raw), "-o", str(out), "--trim-file", str(marks), *AS_THEY_ARE]) == 0
    assert "1 regenerated (input or settings changed), 3 unchanged" in capsys.readouterr().out


def test_seconds_are_those_of_the_motion_on_which_they_were_marked(raw, tmp_path):
    marks = trims(
        tmp_path,
        {"id": "no_rate", "seconds": [1.0, 3.0], "fps": 20},
        # Marked on a part that starts at 1.5 s of the source; the raw motion starts at 0.5 s.
        {"id": "later", "seconds": [1.0, 2.0], "start_time": 1.5},
    )
    out = tmp_path / "out"
    assert main(["-i", str(raw), "-o", str(out), "--trim-file", str(marks), *AS_THEY_ARE]) == 0
    assert rows_of(raw, out, "no_rate.pt") == (20, 59)
    assert rows_of(raw, out, "sub/later.pt") == (32, 47)
    assert read_motion(out / "sub/later.pt").start_time == 2.5


@pytest.mark.parametrize("own, taken, expected", [(16.0, 16.0, (1, 2)), (32.0, 32.0, (1, 2)), (16.0, 32.0, (0.5, 1))])
def test_marks_are_independent_of_the_rate(own, taken, expected):
    assert Trim(1.0, 2.0, fps=24.0, start_time=0.0).seconds_of(0.0, own, taken) == expected


def test_the_path_decides_between_motions_of_one_name(tmp_path):
    path = trims(tmp_path, {"motion": "a/walk.pt", "seconds": [0, 1]}, {"motion": "b/walk", "seconds": [1, 2]})
    read = read_trim_file(path)
    assert read.of(Path("/x/a/walk.pt")) == Trim(0.0, 1.0) and read.of(Path("b/walk.pt")) == Trim(1.0, 2.0)
    assert read.of(Path("walk2.pt")) is None
    with pytest.raises(UsageError, match=r"trims.json: has 2 different trims for c/walk.pt. Keep one of them."):
        read.of(Path("c/walk.pt"))


def test_names_that_fit_no_motion_are_reported(raw, tmp_path, capsys):
    marks = trims(tmp_path, {"id": "wave", "seconds": [1, 2]}, {"id": "wvae", "seconds": [1, 2]})
    flags = ["-i", str(raw), "-o", str(tmp_path / "out"), "--trim-file", str(marks), *AS_THEY_ARE]
    assert main(flags) == 0
    assert "trims.json: no motion of the input has the name wvae" in capsys.readouterr().err
    trims(tmp_path, {"id": "wvae", "seconds": [1, 2]})
    assert main(flags) == 2
    assert "trims.json: lists wvae, but none of the 4 motions of the input." in capsys.readouterr().err


def test_a_part_that_is_too_short_names_the_motion(raw, tmp_path, capsys):
    marks = trims(tmp_path, {"id": "wave", "seconds": [1, 1.1]})
    assert main(["-i", str(raw), "-o", str(tmp_path / "out"), "--trim-file", str(marks), *AS_THEY_ARE]) == 1
    assert "wave.pt: 3 frames lie from 1 to 1.1 s, expected at least 4." in capsys.readouterr().err


@pytest.mark.parametrize(
    "content, message",
    [
        ("{}", "contains a dict, expected a list of"),
        ("[]", "contains no trims, expected a list of"),
        ("[3]", "item 1 is 3, expected a list of"),
        ('[{"id": 1, "seconds": [0, 1], "second": 3}]', "item 1 has the unknown key 'second'"),
        ('[{"seconds": [0, 1]}]', "item 1 has no motion or id"),
        ('[{"id": true, "seconds": [0, 1]}]', "item 1 has no motion or id"),
        ('[{"id": "", "seconds": [0, 1]}]', "item 1 has no motion or id"),
        ('[{"id": "a"}]', "item 1 ('a'): seconds is None, expected [START, END]."),
        ('[{"id": "a", "seconds": [2, 1]}]', "item 1 ('a'): seconds is [2, 1], expected 0 <= START < END."),
        ('[{"id": "a", "seconds": [0, "1"]}]', "item 1 ('a'): seconds is '1', expected a number."),
        ('[{"id": "a", "seconds": [0, NaN]}]', "contains NaN, which JSON does not allow."),
        ('[{"id": "a", "seconds": [0, 1], "start_time": 1e308}]', "start_time is 1e+308, expected 0 to 1e+06 seconds."),
        ('[{"id": "a", "seconds": [0, 1], "fps": 0}]', "fps is 0, expected 0.1 to 1000 frames per second."),
    ],
)
def test_a_wrong_file_is_named_with_what_was_expected(content, message, tmp_path, capsys):
    (tmp_path / "trims.json").write_text(content)
    with pytest.raises(InputError) as raised:
        read_trim_file(tmp_path / "trims.json")
    assert str(raised.value).startswith(f"{tmp_path}/trims.json: ") and message in str(raised.value)


def test_a_missing_file_is_wrong_usage(raw, tmp_path, capsys):
    assert main(["-i", str(raw), "-o", str(tmp_path / "out"), "--trim-file", str(tmp_path / "none.json")]) == 2
    error = capsys.readouterr().err
    assert "none.json" in error and error.count("\n") == 1


@pytest.mark.parametrize("identifier", [7, 1.5, "1.5"])
def test_an_id_of_any_kind_that_an_archive_takes_names_a_motion(tmp_path, identifier):
    """The page exports the id of an entry as the archive writes it."""
    (tmp_path / "trims.json").write_text(json.dumps([{"id": identifier, "seconds": [0, 1]}]))
    assert read_trim_file(tmp_path / "trims.json").of(tmp_path / f"{identifier}.pt") == Trim(0.0, 1.0)
