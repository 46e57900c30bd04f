"""Run the shell wrappers of steps 1 and 2, which start the programs of other projects."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from motion_rep.common.end_signals import signal_of
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
    kept = {"pass_fds": (lock,)} if lock is not None and os.name == "posix" else {}
    with subprocess.Popen(
        [*_command(script), *flags],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=_environment(),
        **kept,  # type: ignore[call-overload]
    ) as process:
        try:
            for line in process.stdout or ():
                sys.stderr.write(line.decode("utf-8", "replace").rstrip("\r\n") + "\n")
        except KeyboardInterrupt as ended:
            # A terminal sends it the signal, too; kill does not. It cleans up when the program it runs has ended.
            process.send_signal(signal_of(ended))
            process.wait()
            raise
    return process.returncode


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
