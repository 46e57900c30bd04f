"""Units in files of other programs. Imports only the standard library."""

from __future__ import annotations

import math

# Unit -> metres.
LENGTHS = {"m": 1.0, "dm": 0.1, "cm": 0.01, "mm": 0.001, "km": 1000.0, "ft": 0.3048, "in": 0.0254}
# The units that a capture can show: decimetres, feet and inches give a person who is merely slower or farther away.
LENGTH_NAMES = {"cm": "centimetres", "mm": "millimetres", "km": "kilometres"}
DEGREE = math.pi / 180
# The flags that correct a file's up axis and units.
CORRECTION_FLAGS = ("--up", "--units", "--degrees")
# Up axes that --up names.
UP_AXES = ("y", "z")
