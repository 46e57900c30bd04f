"""The test suite itself: time limits, processes that end, markers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from checkout import REPO, TESTS
from forked_script import run_forked
from marks import FILES, FIRST, FIXTURES, covers, marks_of, turn_of

HANGS = """
import subprocess, sys
from pathlib import Path

def test_waits_for_ever():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True) as process:
        Path("pid").write_text(str(process.pid))
        process.wait()
"""


def test_a_test_that_hangs_fails_and_its_process_ends(tmp_path):
    (tmp_path / "test_hangs.py").write_text(HANGS)
    (tmp_path / "conftest.py").write_text("from process_support import end_processes\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--timeout", "2", "test_hangs.py"]
    environment = {**os.environ, "PYTHONPATH": str(TESTS / "support")}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "Timeout" in done.stdout
    assert _is_gone(int((tmp_path / "pid").read_text()))


def _is_gone(process: int) -> bool:
    for _ in range(100):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_every_test_has_a_time_limit():
    options = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    assert 0 < options["timeout"] <= 300


@pytest.mark.parametrize("pattern", [*FILES, *FIRST])
def test_every_marked_file_or_test_is_there(pattern):
    file, _, test = pattern.partition("::")
    texts = [path.read_text(encoding="utf-8") for path in TESTS.glob(file) if path.is_file()]
    names = re.findall(r"^def (test_\w+)", "\n".join(texts), re.M)
    assert [name for name in names if covers(pattern, file, name)]


def test_marks_come_from_the_file_and_the_fixtures():
    assert marks_of("motion_rep/runs/test_ray_kills.py", "test_x", []) == {"slow", "kill", "network"}
    assert marks_of("motion_rep/motions/test_layout.py", "test_x", ["tmp_path"]) == set()
    assert marks_of("motion_rep/drawing/test_renderers.py", "test_x", ["gl"]) == {FIXTURES["gl"]}
    command = "motion_rep/conversion/test_convert_command.py"
    assert marks_of(command, "test_closed_streams_do_not_stop_the_work", []) == {"slow"}
    assert marks_of(command, "test_a_missing_input", []) == set()


def test_every_folder_has_quick_tests():
    """What a folder has only in slow files would not be seen by ``-m quick``."""
    for folder in {path.parent for path in TESTS.rglob("test_*.py")}:
        assert [name for path in folder.glob("test_*.py") for name in _quick_tests(path)], folder


def _quick_tests(path: Path) -> list[str]:
    names = re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M)
    return [name for name in names if not marks_of(path.relative_to(TESTS).as_posix(), name, [])]


def test_the_longest_files_begin_first():
    files = ["motion_rep/motions/test_layout.py", "scripts/test_chain_resume.py", "project/test_readme_commands.py"]
    assert sorted(files, key=turn_of) == files[::-1]


SAYS = """
import os, sys
print(sys.argv[1:], sys.stdin.read(), os.getcwd(), os.environ["WORD"], sys.path[0])
print([name for name in sys.modules if name.startswith(("motion_", "checkout", "conftest"))])
sys.exit("ends" if "end" in sys.argv else 7)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="scripts run in Python itself")
@pytest.mark.parametrize("words", [["a b", "$c"], ["end"]])
def test_a_script_runs_in_a_fork_as_in_python(words, quick_python, tmp_path):
    script = tmp_path / "it says.py"
    script.write_text(SAYS)
    options = {"cwd": tmp_path, "env": {**os.environ, "WORD": "ü"}, "capture_output": True, "text": True, "input": "in"}
    real, forked = (
        subprocess.run([python, script, *words], **options, timeout=60) for python in (sys.executable, quick_python)
    )
    assert (forked.returncode, forked.stdout, forked.stderr) == (real.returncode, real.stdout, real.stderr)
    assert real.stdout.endswith("[]\n") and real.returncode == (1 if "end" in words else 7)
    done = run_forked([str(script), *words], tmp_path, options["env"])
    assert (done.returncode, done.stdout) == (real.returncode, real.stdout.replace(" in ", "  "))
    code = ["-c", "print(1 + 1)"]
    assert subprocess.run([quick_python, *code], capture_output=True, text=True, timeout=60).stdout == "2\n"


@pytest.mark.skipif(sys.platform != "linux", reason="scripts run in Python itself")
def test_a_script_in_a_fork_ends_with_the_program_that_was_called(quick_python, tmp_path):
    script, pid = tmp_path / "a.py", tmp_path / "pid"
    script.write_text(f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)\n")
    with subprocess.Popen([quick_python, str(script)]) as client:
        while not (pid.exists() and pid.read_text()):
            time.sleep(0.02)
        client.kill()
    assert _is_gone(int(pid.read_text()))
