"""Signals end a run tidily: exit code, one line, no temporary files; the next run finishes it."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_support import CONVERTER, assert_error_lines, files_in, save_waving_captures
from kill_support import descendants, files_made

from motion_rep.common import end_signals
from motion_rep.common.command_line import Parser, command_main
from motion_rep.common.end_signals import Ended, handlers_kept, signals_raise_ended
from motion_rep.convert_hmr_to_motion import main as convert
from motion_rep.files import atomic_writing

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes in /proc")
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
HOLDS_A_TEMPORARY = """
import sys, time
from pathlib import Path
from motion_rep.common.command_line import Parser, command_main
from motion_rep.files.atomic_writing import atomic_path
from motion_rep.runs.work_pool import run_items

def start():
    return hold

def hold(path):
    with atomic_path(path) as temporary:
        temporary.write_bytes(b"half")
        Path(f"{path}.begun").touch()
        while True:
            time.sleep(0.01)

def build_parser():
    parser = Parser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("workers", type=int)
    return parser

def run(args):
    return len(list(run_items(start, [args.folder / name for name in "ab"], args.workers)))

if __name__ == "__main__":
    raise SystemExit(command_main(build_parser, run)())
"""
SENDS_AT_THE_END = """
import os, signal
from motion_rep.common.command_line import Parser, command_main

class Late:
    kill, number, process, write = staticmethod(os.kill), signal.SIGTERM, os.getpid(), staticmethod(os.write)

    def __del__(self):
        self.kill(self.process, self.number)
        self.write(1, b"sent\\n")

late = Late()
raise SystemExit(command_main(Parser, lambda _: 0)())
"""


@pytest.fixture(scope="module")
def captures(tmp_path_factory):
    """A folder of captures long enough for a signal to meet one in the making."""
    folder = tmp_path_factory.mktemp("captures")
    save_waving_captures(folder, 40, frames=300)
    return folder


def started(command: list[object], **options) -> subprocess.Popen:
    return subprocess.Popen(
        [str(word) for word in command], stderr=subprocess.PIPE, text=True, start_new_session=True, **options
    )


def wait_until(reached) -> None:
    while not reached():
        time.sleep(0.002)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("send", [os.kill, os.killpg], ids=["the command", "its group"])
def test_a_signal_ends_a_command_and_its_next_run_finishes(repo, captures, tmp_path, capsys, number, workers, send):
    for attempt in range(5):
        flags = ["-i", str(captures), "-o", str(tmp_path / f"ended{attempt}")]
        run = started([sys.executable, repo / CONVERTER, *flags, "--workers", workers])
        folder = Path(flags[-1])
        wait_until(lambda folder=folder: files_made(folder) > 3)
        send(run.pid, number)
        _, errors = run.communicate(timeout=100)
        if run.returncode or files_made(folder) < 40:
            break  # else the run was quicker than the signal, which a busy machine delays
    assert run.returncode == CODES[number]
    assert "interrupted" in assert_error_lines(errors, 1)[0]
    assert not list(folder.glob(".*"))
    assert convert(flags) == convert(["-i", str(captures), "-o", str(tmp_path / "whole")]) == 0
    assert files_in(folder) == files_in(tmp_path / "whole")


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("times", [1, 2])
def test_temporary_files_of_all_processes_are_removed(repo, tmp_path, number, workers, times):
    script = tmp_path / "holds.py"
    script.write_text(HOLDS_A_TEMPORARY)
    folder = tmp_path / "made"
    run = started([sys.executable, script, folder, workers], env={**os.environ, "PYTHONPATH": str(repo)})
    wait_until(lambda: len(list(folder.glob("*.begun"))) == max(workers, 1))
    for _ in range(times):
        os.killpg(run.pid, number)
    _, errors = run.communicate(timeout=100)
    assert run.returncode == CODES[number]
    assert_error_lines(errors, 1)
    assert {path.name for path in folder.iterdir()} <= {"a.begun", "b.begun"}


def test_ctrl_c_while_workers_load_is_one_line(repo, captures, tmp_path):
    command = [sys.executable, repo / CONVERTER, "-i", captures, "-o", tmp_path / "ended", "--workers", "2"]
    run = started(command)
    wait_until(lambda: descendants(run.pid))
    for _ in range(3):  # the fork server imports what workers need
        os.killpg(run.pid, signal.SIGINT)
        time.sleep(0.05)
    _, errors = run.communicate(timeout=100)
    assert run.returncode == 130
    assert_error_lines(errors, 1)


def test_an_ignored_hangup_stays_ignored(repo, captures, tmp_path):
    """As under nohup."""
    command = [sys.executable, repo / CONVERTER, "-i", captures, "-o", tmp_path / "whole", "--workers", "2"]
    run = started(command, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    wait_until(lambda: files_made(tmp_path / "whole") > 3)
    os.killpg(run.pid, signal.SIGHUP)
    _, errors = run.communicate(timeout=100)
    assert run.returncode == 0, errors
    assert files_made(tmp_path / "whole") == 40


@pytest.mark.parametrize("after", ["the file is created", "its handle is closed"])
def test_a_signal_between_two_steps_of_a_file_leaves_none(tmp_path, monkeypatch, after):
    place, name = (atomic_writing, "locked_temporary") if after == "the file is created" else (os, "close")
    step = getattr(place, name)

    def step_then_signal(*given):
        result = step(*given)
        os.kill(os.getpid(), signal.SIGTERM)
        return result

    with pytest.raises(Ended) as ended, signals_raise_ended():
        monkeypatch.setattr(place, name, step_then_signal)
        with atomic_writing.atomic_path(tmp_path / "b.pt"):
            raise ValueError("the work fails")
    assert ended.value.number == signal.SIGTERM and not list(tmp_path.iterdir())


def ended(_):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(10)


def test_repeated_signals_do_not_break_off_the_end_of_a_program(monkeypatch):
    """They are ignored while Python unloads its modules; a program that goes on gets them again."""
    monkeypatch.setattr(sys, "argv", ["program"])
    with handlers_kept():
        for number in CODES:
            signal.signal(number, signal.default_int_handler)
        for code, work in ((130, ended), (130, ended), (0, lambda _: 0)):
            assert command_main(Parser, work)() == code
            os.kill(os.getpid(), signal.SIGTERM)
        monkeypatch.setattr(end_signals, "SECONDS_TO_TIDY_UP", 0.0)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)


def test_a_command_in_a_program_that_goes_on_leaves_signals_as_they_were():
    """A notebook, for example, in which a command was interrupted."""
    before = [signal.getsignal(number) for number in CODES]
    assert command_main(Parser, ended)([]) == 130
    assert [signal.getsignal(number) for number in CODES] == before


def test_a_signal_in_a_destructor_is_sent_again():
    class HalfMade:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGTERM)
            for _ in range(1000):
                time.sleep(0)  # Python handles the signal here

    with pytest.raises(Ended), signals_raise_ended():
        made = HalfMade()
        del made
        time.sleep(10)


def test_the_signal_is_known_where_another_error_replaces_it():
    """As the native code of Ray does."""

    def work(_):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)
        except Ended:
            raise KeyboardInterrupt from None

    assert command_main(Parser, work)([]) == 143


def test_a_signal_in_an_import_is_raised_at_its_end(tmp_path, monkeypatch):
    (tmp_path / "half_made.py").write_text(
        "import os, signal, time\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(0.2)\nis_whole = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Ended) as ended, signals_raise_ended():
        importlib.import_module("half_made")
        time.sleep(10)
    assert ended.value.number == signal.SIGTERM and sys.modules["half_made"].is_whole


def test_a_signal_in_an_import_ends_a_command_that_is_quicker_than_the_wait(tmp_path, monkeypatch, capsys):
    (tmp_path / "sends.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert command_main(Parser, lambda _: bool(importlib.import_module("sends")) - 1)([]) == 143
    assert_error_lines(capsys.readouterr().err, 1)


def test_a_signal_while_python_ends_does_not_change_the_exit_code(repo, tmp_path):
    script = tmp_path / "ends.py"
    script.write_text(SENDS_AT_THE_END)
    done = subprocess.run(
        [sys.executable, script], env={**os.environ, "PYTHONPATH": str(repo)}, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "sent\n", "")
