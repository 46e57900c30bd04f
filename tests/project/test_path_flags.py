"""Every flag with a path says whether its file is read or written, and no command writes over what it reads."""

from __future__ import annotations

import argparse
import importlib
import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkout import REPO
from command_support import assert_error_lines, files_in

from motion_rep.common.command_line import Parser
from motion_rep.common.overwriting import FOLDER, READ, WRITTEN, PathFlag
from motion_rep.files.locations import location

# Words in the names of flags with paths, and the flags with such words that are none.
PATH_WORDS = re.compile(
    r"path|file|dir|folder|json|input|output|video|report|verdicts|labels|weights|wheel|motion|archive|captures?|"
    r"failures|checks|root|copy|sources|keep|findings|screenshot"
)
NO_PATHS = {"video_field"}


def commands() -> list[str]:
    """Dotted names of all files that build a parser of ours; other environments run scripts with argparse's own."""
    files = [*REPO.glob("motion_*/*.py"), *REPO.glob("scripts/*.py"), *REPO.glob("scripts/*/*.py")]
    with_parsers = (path for path in files if "-> Parser:" in path.read_text(encoding="utf-8"))
    return sorted(".".join(path.relative_to(REPO).with_suffix("").parts) for path in with_parsers)


def parser_of(command: str) -> Parser:
    return importlib.import_module(command).build_parser()


def actions_of(command: str) -> list[argparse.Action]:
    return [action for action in parser_of(command)._actions if action.dest not in ("help", "version")]


def test_the_commands_are_found():
    assert {"motion_rep.convert_hmr_to_motion", "motion_gating.build_report", "motion_gating.prepare_motions"} <= {
        *commands()
    }


@pytest.mark.parametrize("command", commands())
def test_every_path_has_a_declaration(command):
    for action in actions_of(command):
        takes_text = action.nargs != 0 and action.type in (None, str) and action.choices is None
        assert action.type not in (Path, location), (
            f"{command} {action.dest}: use read_path, written_path or folder_path"
        )
        if takes_text and PATH_WORDS.search(action.dest) and action.dest not in NO_PATHS:
            pytest.fail(f"{command} {action.dest}: declare it with a PathFlag, or name it in NO_PATHS")


def _words(action: argparse.Action, value: str) -> list[str]:
    return [max(action.option_strings, key=len), value] if action.option_strings else [value]


def _flag(action: argparse.Action) -> str:
    return max(action.option_strings, key=len, default=action.metavar or action.dest)


def pairs() -> Iterator[tuple[str, str, str]]:
    """Command, flag of an output, and flag of an input or of another output."""
    for command in commands():
        paths = [action for action in actions_of(command) if isinstance(action.type, PathFlag)]
        written = [action for action in paths if action.type.role == WRITTEN]
        for one, other in itertools.product(written, paths):
            if other.type.role in (READ, WRITTEN) and one.dest < other.dest or (other.type.role == READ):
                yield command, one.dest, other.dest


ALL_PAIRS = sorted(set(pairs()))


def test_there_are_pairs_to_try():
    assert len(ALL_PAIRS) > 30


def line_for(command: str, place: Path, chosen: dict[str, str]) -> list[str]:
    """A command line with these paths; what else is required gets a value that is accepted."""
    words: list[str] = []
    positional: list[str] = []
    for action in actions_of(command):
        value = chosen.get(action.dest)
        if value is None and not action.required and action.option_strings:
            continue
        if value is None and action.nargs in ("*", "?") and not action.option_strings:
            continue
        if value is None:
            value = _accepted(action, place)
        (words if action.option_strings else positional).extend(_words(action, value))
    return [*words, "--", *positional] if positional else words


def _accepted(action: argparse.Action, place: Path) -> str:
    if action.choices is not None:
        return str(next(iter(action.choices)))
    if isinstance(action.type, PathFlag):
        return str(place / ("out" if action.type.role == FOLDER else f"{action.dest}.json"))
    return "16"


@pytest.mark.parametrize("link", ["same", "hard", "soft"])
@pytest.mark.parametrize(("command", "output", "other"), ALL_PAIRS)
def test_no_output_is_an_input_or_another_output(tmp_path, capsys, command, output, other, link):
    path, second = tmp_path / "kept.pt", tmp_path / "second.pt"
    path.write_bytes(b"the only copy")
    if link == "same":
        second = path
    elif link == "hard":
        os.link(path, second)
    else:
        second.symlink_to(path)
    kinds = {action.dest: action for action in actions_of(command)}
    if link == "same" and kinds[output].type.replaces == _flag(kinds[other]):
        pytest.skip("replacing this input is what the flag is for")
    before = files_in(tmp_path)
    arguments = line_for(command, tmp_path, {output: str(path), other: str(second)})
    module = importlib.import_module(command)
    assert module.main(arguments) == 2
    (line,) = assert_error_lines(capsys.readouterr().err, 1)
    assert "the same file" in line and _flag(kinds[output]) in line and _flag(kinds[other]) in line
    assert files_in(tmp_path) == before
