"""Refuse pickles whose tuples hold themselves over and over: a few hundred bytes of them, used as a key, take longer to hash than anyone waits."""

from __future__ import annotations

import pickletools
import zipfile
from pathlib import Path
from typing import BinaryIO

from motion_rep.safe_loading.tensor_file import ZIP_MAGIC

# Steps; what people pickle has a few for each value, this many take a second.
MOST_STEPS = 10_000_000
# A legacy torch file begins with so many pickles.
LEGACY_PICKLES = 5
NESTING = frozenset(("TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "REDUCE"))
REMEMBER, RECALL = frozenset(("PUT", "BINPUT", "LONG_BINPUT")), frozenset(("GET", "BINGET", "LONG_BINGET"))


class EndlessKey(Exception):
    """A tuple that would take too long to hash."""


def require_quick_keys(path: Path) -> None:
    """Walk over the pickle of a torch file without doing what it says; what else is wrong with it is left to torch.

    Raises:
        EndlessKey: it builds a tuple of more than ``MOST_STEPS``.
        Exception: of many kinds, where the file around the pickle is damaged.
    """
    with open(path, "rb") as file:
        if file.read(len(ZIP_MAGIC)) != ZIP_MAGIC:
            file.seek(0)
            for _ in range(LEGACY_PICKLES):
                _walk(file)
            return
    with zipfile.ZipFile(path) as archive:
        # Whatever torch may take for it: it does not mind upper and lower case.
        for name in (name for name in archive.namelist() if name.lower().endswith("data.pkl")):
            with archive.open(name) as file:
                _walk(file)


def _walk(file: BinaryIO) -> None:
    try:
        _follow_steps(file)
    except (ValueError, LookupError, OverflowError):
        # Torch stops at the same place.
        return


def _follow_steps(file: BinaryIO) -> None:
    """Follow how many steps each object on the stack takes to hash."""
    stack: list[int] = []
    marks: list[int] = []
    memory: dict[int, int] = {}
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name in REMEMBER:
            memory[argument] = stack[-1]
        elif opcode.name == "MEMOIZE":
            memory[len(memory)] = stack[-1]
        elif opcode.name in RECALL:
            stack.append(memory[argument])
        elif opcode.name == "DUP":
            stack.append(stack[-1])
        elif opcode.name == "MARK":
            marks.append(len(stack))
        else:
            taken = _taken(stack, marks, opcode)
            steps = 1 + sum(taken) if opcode.name in NESTING else 1
            if steps > MOST_STEPS:
                raise EndlessKey
            stack.extend(steps for _ in opcode.stack_after)


def _taken(stack: list[int], marks: list[int], opcode) -> list[int]:
    """What an instruction takes off the stack."""
    before = opcode.stack_before
    count = len(before)
    start = len(stack)
    if pickletools.markobject in before:
        start, count = marks.pop(), before.index(pickletools.markobject)
    start -= count
    if start < 0:
        raise LookupError
    taken = stack[start:]
    del stack[start:]
    return taken
