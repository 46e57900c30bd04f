"""The representations by name, their file extensions and rates. Imports only the standard library."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """One representation.

    suffix: extension of the written files.
    fps: the rate that programs expect of such a file; None keeps the rate of the source.
    loses: a sentence on what such a file lacks or may not be used for; empty if there is nothing to say.
    """

    suffix: str
    fps: float | None = None
    loses: str = ""


HY_LICENCE = (
    "201 is the representation of HY-Motion 1.0, whose licence excludes the European Union, the United Kingdom and "
    "South Korea"
)
HUMANML3D_LOSS = (
    "263 stores no SMPL rotations: its rotations come from inverse kinematics of the joints, bones have the lengths "
    "of HumanML3D's skeleton, and the last frame has no row"
)
KIMODO_LOSS = "Kimodo's foot contacts and smooth root path are computed by this toolkit's own rules"

SOURCES = {
    "276": Kind(".pt"),
    "272": Kind(".npy", 30.0),
    "201": Kind(".npy", 30.0, HY_LICENCE),
    "amass": Kind(".npz"),
    "smplx-npz": Kind(".npz"),
}
TARGETS = {**SOURCES, "263": Kind(".npy", 20.0, HUMANML3D_LOSS), "kimodo": Kind(".npz", 30.0, KIMODO_LOSS)}
SOURCE_SUFFIXES = (".pt", ".npy", ".npz")
