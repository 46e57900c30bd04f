"""Units in files of other programs. Imports only the standard library."""

from __future__ import annotations

import math

# Unit -> metres.
LENGTHS = {"m": 1.0, "cm": 0.01, "mm": 0.001}
LENGTH_NAMES = {"cm": "centimetres", "mm": "millimetres"}
DEGREE = math.pi / 180
# The flags that correct a file's up axis and units.
CORRECTION_FLAGS = ("--up", "--units", "--degrees")
# Up axes that --up names.
UP_AXES = ("y", "z")
