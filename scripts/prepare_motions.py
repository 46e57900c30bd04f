"""From videos, captures, motions or prompts to gated reference motions: runs motion_gating/prepare_motions.py."""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_gating.prepare_motions import main

if __name__ == "__main__":
    raise SystemExit(main())
