"""An error names its place once, and keeps its kind."""

from __future__ import annotations

import argparse
import io
import os
import sys

import pytest

from motion_rep.common.command_line import run_command
from motion_rep.common.errors import InputError, UsageError, counted, located, system_failure
from motion_rep.common.messages import say, say_error, say_warning


@pytest.mark.parametrize("kind", [InputError, UsageError])
@pytest.mark.parametrize("message", ["is empty", "a.pt: is empty"])
def test_the_place_is_named_once(kind, message):
    with pytest.raises(kind) as caught, located("outer"), located("a.pt"):
        raise kind(message)
    assert type(caught.value) is kind and str(caught.value) == "outer: a.pt: is empty"


def test_other_errors_pass():
    with pytest.raises(KeyError), located("a.pt"):
        raise KeyError("x")


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
@pytest.mark.parametrize("speak", [say, say_error, say_warning])
def test_any_name_is_shown_and_steers_no_terminal(monkeypatch, speak, encoding):
    shown = io.BytesIO()
    stream = io.TextIOWrapper(shown, encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", stream)
    speak("a\x1b]0;title\x07\x9b2J\u202eb\udcff\tü\n你")
    text = shown.getvalue().decode(encoding)
    assert r"a\x1b]0;title\x07\x9b2J\u202eb\udcff" in text and text.count("\n") == 1
    assert ("你" if encoding == "utf-8" else r"\u4f60") in text


def test_a_removed_current_folder_is_named(tmp_path, monkeypatch, capsys):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert run_command(lambda _: len(os.getcwd()), argparse.Namespace()) == 1
    assert capsys.readouterr().err.startswith("error: the current folder was removed.")
    assert "no such" in system_failure(FileNotFoundError(2, "no such", "a.pt"))


def test_counts_are_in_the_singular_and_in_the_plural():
    assert [counted(number, "frame") for number in (0, 1, 2, 1.0, 12.5)] == [
        "0 frames",
        "1 frame",
        "2 frames",
        "1 frame",
        "12.5 frames",
    ]
    assert (counted(1, "entry has", "entries have"), counted(3, "entry has", "entries have")) == (
        "1 entry has",
        "3 entries have",
    )


def test_a_line_is_written_at_once(monkeypatch):
    """Else a signal could come before its line break, and the line about the signal would follow on the same one."""
    written = []

    class Stream(io.StringIO):
        def write(self, text):
            written.append(text)
            return len(text)

    monkeypatch.setattr(sys, "stderr", Stream())
    say_warning("odd")
    assert written == ["warning: odd\n"]
