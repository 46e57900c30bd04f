"""Commands on a Ray cluster whose workers or whose own process are killed: the same files as without Ray. Skipped where
Ray is not installed (pip install ray).
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_support import (
    CONVERTER,
    RENDERER,
    assert_error_lines,
    files_in,
    render_flags,
    save_json,
    save_motion,
    save_waving_captures,
)
from kill_support import descendants
from ray_support import cluster_of

from motion_gating.render_mbench_videos import main as render
from motion_rep.convert_hmr_to_motion import main as convert

ITEMS = 60
MOST_SECONDS = 120
# Ray's native code can log a task that lost its driver.
RAY_LOG = re.compile(r"^\[\d{4}-.*\.cc:\d+: .*\n", re.MULTILINE)
pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the processes to kill in /proc")


@pytest.fixture(scope="module")
def cluster():
    """One node with two processors."""
    with cluster_of(2) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def captures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("captures")
    save_waving_captures(folder, ITEMS, frames=400)
    assert convert(["-i", str(folder), "-o", str(folder.with_name("whole"))]) == 0
    return folder


@pytest.fixture
def start(repo, cluster, tmp_path):
    """Start a command on the cluster."""

    def begin(script, *arguments) -> subprocess.Popen:
        command = [sys.executable, repo / script, *arguments, "--engine", "ray", "--ray-address", cluster.address]
        return subprocess.Popen(
            [str(word) for word in command], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return begin


def workers() -> list[int]:
    """The processes of this test's cluster that do our work."""
    return [process for process in descendants(os.getpid()) if b"ray::_do" in _command_line(process)]


def _command_line(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def wait_until(condition, process: subprocess.Popen) -> None:
    end = time.monotonic() + MOST_SECONDS
    while not condition() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.002)
    assert process.poll() is None, process.communicate()


def made(folder: Path) -> int:
    return len(list(folder.glob("[!.]*"))) if folder.exists() else 0


def test_workers_are_killed(start, captures, tmp_path):
    process = start(CONVERTER, "-i", captures, "-o", tmp_path / "out")
    for number in (1, 20):
        wait_until(lambda: made(tmp_path / "out") >= number and workers(), process)  # noqa: B023
        os.kill(random.Random(number).choice(workers()), signal.SIGKILL)
    said, errors = process.communicate(timeout=MOST_SECONDS)
    # Ray may tell of the worker on stdout, even after our last line.
    assert process.returncode == 0 and errors == "" and ", 0 failed" in said
    assert files_in(tmp_path / "out") == files_in(captures.with_name("whole"))


def test_the_command_is_killed_and_started_again(start, captures, tmp_path):
    killed = start(CONVERTER, "-i", captures, "-o", tmp_path / "out")
    wait_until(lambda: made(tmp_path / "out") >= 3, killed)
    killed.kill()
    killed.communicate()
    again = start(CONVERTER, "-i", captures, "-o", tmp_path / "out")
    said, errors = again.communicate(timeout=MOST_SECONDS)
    assert again.returncode == 0 and errors == "" and " 0 unchanged" not in said, said + errors
    assert files_in(tmp_path / "out") == files_in(captures.with_name("whole"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_command_as_without_ray(start, captures, tmp_path, number):
    """Ray has a handler of SIGTERM of its own."""
    process = start(CONVERTER, "-i", captures, "-o", tmp_path / "out")
    wait_until(lambda: made(tmp_path / "out") >= 3, process)
    process.send_signal(number)
    _, errors = process.communicate(timeout=MOST_SECONDS)
    assert process.returncode == 128 + number
    assert "interrupted" in assert_error_lines(RAY_LOG.sub("", errors), 1)[0]
    assert not list((tmp_path / "out").glob(".*"))


def test_a_signal_while_ray_connects_is_told(captures, tmp_path, capsys, monkeypatch):
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)

    def init(**_):
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(number))
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(ray, "init", init)
    assert convert(["-i", str(captures), "-o", str(tmp_path / "out"), "--engine", "ray"]) == 143
    assert "interrupted" in assert_error_lines(capsys.readouterr().err, 1)[0]


def test_the_renderer_gives_the_same_files(start, make_capture, tmp_path):
    for number in range(4):
        save_motion(tmp_path / f"motions/{number}.pt", make_capture(frames=6, seed=number))
    (tmp_path / "motions/2.pt").write_bytes(b"broken")
    archive = save_json(
        tmp_path / "a.json", [{"id": number, "motion_path": f"motions/{number}.pt"} for number in range(4)]
    )
    process = start(RENDERER, *render_flags(archive, tmp_path / "on_ray", 64))
    said, errors = process.communicate(timeout=MOST_SECONDS)
    assert process.returncode == 1 and "3 rendered" in said
    assert "entry 2" in assert_error_lines(errors, 1)[0]
    assert render(render_flags(archive, tmp_path / "local", 64)) == 1
    assert files_in(tmp_path / "on_ray") == files_in(tmp_path / "local")


def test_another_version_of_ray_is_told_in_one_line(cluster, captures, tmp_path, repo):
    program = (
        "import sys, ray; ray.__version__ = '2.1.0'; "
        "from motion_rep.convert_hmr_to_motion import main; sys.exit(main(sys.argv[1:]))"
    )
    arguments = ["-i", captures, "-o", tmp_path / "out", "--engine", "ray", "--ray-address", cluster.address]
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=repo,
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
        check=False,
    )
    assert done.returncode == 2
    (line,) = assert_error_lines(done.stderr, 1)
    assert "Version mismatch" in line and "2.1.0" in line
