"""What the test of the Ray engine runs on its workers."""

from __future__ import annotations

import os
import time
from pathlib import Path


def start(folder: str):
    """Items take a moment, so that a machine can be lost in the middle; item 13 ends its process."""

    def work(item: int) -> int:
        Path(folder, f"{item}.{os.getpid()}").touch()
        time.sleep(0.05)
        if item == 13:
            os._exit(1)
        return os.getpid()

    return work
