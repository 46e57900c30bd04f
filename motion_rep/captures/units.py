"""Units that files of other programs may have; this file imports only the standard library."""

from __future__ import annotations

import math

# Metres in one of each.
LENGTHS = {"m": 1.0, "cm": 0.01, "mm": 0.001}
LENGTH_NAMES = {"cm": "centimetres", "mm": "millimetres"}
DEGREE = math.pi / 180
# Up axes that --up names.
UP_AXES = ("y", "z")
