"""Stand-in for 4D-Humans' track.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from phalp import main

main()
