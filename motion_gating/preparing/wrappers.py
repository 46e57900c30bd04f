"""Run the shell wrappers of steps 1 and 2, which start the programs of other projects."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from motion_rep.common.end_signals import signal_of, signals_held
from motion_rep.common.errors import UsageError

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
GENERATE, EXTRACT = "generate_video.sh", "extract_motion.sh"


def require_wrapper(script: str, flags: Sequence[str]) -> None:
    """Check that a wrapper can run with these flags: bash, the script, its flags, and the program that it starts.

    Raises:
        UsageError: one is missing or wrong.
    """
    command = [*_command(script), "--check-only", *flags]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=_environment(), check=False)
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").splitlines()
        errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        raise UsageError(errors[-1] if errors else f"{script} ended with code {done.returncode}: {lines[-1:]}")


def run_wrapper(script: str, flags: Sequence[str], lock: int | None) -> int:
    """Run a wrapper and forward its output; returns its exit code.

    Args:
        lock: a file descriptor that the program keeps open, so that the output folder stays locked while it runs, even
            if this process is killed.
    """
    # bash handles a signal only after its program has ended, so the program must receive the signal, too. Both run in
    # their own process group: they receive each signal once, from this process, even if a terminal sends it to all.
    options = {"pass_fds": () if lock is None else (lock,), "process_group": 0} if os.name == "posix" else {}
    process = None
    with contextlib.ExitStack() as started:
        try:
            with signals_held():
                process = subprocess.Popen(
                    [*_command(script), *flags],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    env=_environment(),
                    **options,  # type: ignore[call-overload]
                )
                started.enter_context(process)
            _forward_output(process)
        except KeyboardInterrupt as ended:
            if process is not None:
                _send(process, signal_of(ended))
                _forward_output(process)
            raise
    return process.returncode


def _forward_output(process: subprocess.Popen) -> None:
    for line in process.stdout or ():
        sys.stderr.write(line.decode("utf-8", "replace").rstrip("\r\n") + "\n")


def _send(process: subprocess.Popen, number: int) -> None:
    """Send a signal to a wrapper and to the programs that it runs."""
    with contextlib.suppress(ProcessLookupError):
        if os.name == "posix":
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)


def _command(script: str) -> list[str]:
    """The first words of a wrapper's command line.

    Raises:
        UsageError: no bash, or an installation without the scripts.
    """
    bash, path = shutil.which("bash"), SCRIPTS / script
    if bash is None:
        raise UsageError(f"{script} needs bash, which is not on the PATH. Install it, or start from captures.")
    if not path.is_file():
        raise UsageError(f"{path}: not found. Run this command from a checkout of the toolkit.")
    return [bash, str(path)]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHON": sys.executable}
