"""A wrapper script and the programs that it runs receive the signal that ends the command."""

from __future__ import annotations

import os
import shutil
import threading
import time

import pytest

from motion_gating.preparing import wrappers
from motion_rep.common.end_signals import END_SIGNALS, Ended, signals_raise_ended

# Its program and the program's child run longer than any test.
SCRIPT = """
trap 'echo tidy >"$1"; exit 1' HUP INT TERM
bash -c 'touch "$1"; (sleep 100; :); :' program "$1"
"""


@pytest.mark.skipif(not shutil.which("bash"), reason="the wrappers need bash")
@pytest.mark.parametrize("number", END_SIGNALS)
def test_a_signal_to_the_command_alone_ends_its_wrapper_and_the_program(tmp_path, monkeypatch, number):
    monkeypatch.setattr(wrappers, "SCRIPTS", tmp_path)
    (tmp_path / "waits.sh").write_text(SCRIPT)
    said = tmp_path / "said"

    def end() -> None:
        while not said.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    threading.Thread(target=end, daemon=True).start()
    with pytest.raises(Ended), signals_raise_ended():
        wrappers.run_wrapper("waits.sh", [str(said)], None)
    assert said.read_text() == "tidy\n"
