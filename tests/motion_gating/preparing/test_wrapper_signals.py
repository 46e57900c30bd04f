"""A wrapper script receives the signal that ends the command."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time

import pytest

from motion_gating.preparing import wrappers
from motion_rep.common.end_signals import Ended, signals_raise_ended

SCRIPT = """
trap 'echo tidy >"$1"; exit 143' TERM
touch "$1"
for _ in $(seq 600); do sleep 0.1; done
"""


@pytest.mark.skipif(not shutil.which("bash"), reason="the wrappers need bash")
def test_a_signal_to_the_command_alone_ends_its_wrapper(tmp_path, monkeypatch):
    monkeypatch.setattr(wrappers, "SCRIPTS", tmp_path)
    (tmp_path / "waits.sh").write_text(SCRIPT)
    said = tmp_path / "said"

    def end() -> None:
        while not said.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=end, daemon=True).start()
    with pytest.raises(Ended), signals_raise_ended():
        wrappers.run_wrapper("waits.sh", [str(said)], None)
    assert said.read_text() == "tidy\n"
