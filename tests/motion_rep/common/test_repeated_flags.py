"""A flag that is given twice is refused, or its values add up where it takes several; no value is dropped silently."""

from __future__ import annotations

import importlib
import subprocess

import pytest
from checkout import REPO

from motion_rep.common.command_line import Parser, YesNo

COMMANDS = ("motion_rep.motion_checker", "motion_gating.apply_quality_gate", "motion_rep.convert_hmr_to_motion")


def test_a_repeated_flag_is_an_error(capsys):
    parser = Parser()
    parser.add_argument("--output-dir", "-o")
    for given in (["--output-dir", "a", "--output_dir", "b"], ["-o", "a", "--output-dir=a"]):
        with pytest.raises(SystemExit) as ended:
            parser.parse_args(given)
        assert ended.value.code == 2 and "given more than once" in capsys.readouterr().err
    assert parser.parse_args(["-o", "a"]).output_dir == parser.parse_args(["-o", "a"]).output_dir == "a"


def test_the_values_of_a_repeated_list_add_up():
    parser = Parser()
    parser.add_argument("--video", nargs="+", default=[])
    assert parser.parse_args(["--video", "a", "b", "--video", "c"]).video == ["a", "b", "c"]
    assert parser.parse_args([]).video == []


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_takes_a_single_value_twice(name, capsys):
    parser = importlib.import_module(name).build_parser()
    actions = [action for action in parser._actions if action.option_strings and action.nargs is None]
    single = [action for action in actions if type(action).__name__ not in ("_AppendAction", "_HelpAction")]
    assert len(single) > 4
    for action in single:
        flag, value = action.option_strings[0], next(iter(action.choices)) if action.choices else "16"
        value = {"--image-size": "64x64", "--votes": "3"}.get(flag, value)
        with pytest.raises(SystemExit):
            parser.parse_args([flag, value, flag, value])
        assert "given more than once" in capsys.readouterr().err, flag


@pytest.mark.parametrize("given", [["--facts", "--no-facts"], ["--no-facts", "--facts"]])
def test_a_flag_and_its_opposite_are_refused(capsys, given):
    parser = Parser()
    parser.add_argument("--facts", action=YesNo, default=None)
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(given)
    assert ended.value.code == 2 and "--facts and --no-facts exclude each other" in capsys.readouterr().err
    assert parser.parse_args(["--facts", "--facts"]).facts is True and parser.parse_args([]).facts is None


@pytest.mark.parametrize(
    "words",
    [
        ["extract_motion.sh", "--model", "wham", "--video", "a.mp4", "--output", "x.pt", "--video", "b.mp4"],
        ["extract_motion.sh", "--model", "wham", "--video=a.mp4", "--focal-length=900", "--focal_length", "800"],
        ["generate_video.sh", "--model", "wan2.2", "--prompt", "a", "--prompt", "b", "--output", "x.mp4"],
    ],
)
def test_shell_commands_refuse_a_repeated_flag_too(tmp_path, words):
    done = subprocess.run(
        ["bash", REPO / "scripts" / words[0], *words[1:]], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and done.stderr.startswith("error: given more than once: --"), done.stderr
