"""Remove an output of a TFLite network, and the operators that only this output needs.

The file is a FlatBuffer (https://flatbuffers.dev/internals): tables with offsets to their fields, and vectors with
their length in front. The numbers of the fields are those of TFLite's schema.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

_SUBGRAPHS, _OUTPUTS, _OPERATORS, _OPERATOR_INPUTS, _OPERATOR_OUTPUTS = 2, 2, 3, 1, 2
_WORD = 4


@dataclass(frozen=True)
class _Buffer:
    data: bytearray

    def number(self, place: int, kind: str = "<I") -> int:
        return int(struct.unpack_from(kind, self.data, place)[0])

    def target(self, place: int) -> int:
        """Where the offset at a place leads."""
        return place + self.number(place)

    def vector(self, table: int, field: int) -> range:
        """Places of the words of a table's vector; empty if the table has no such field."""
        about = table - self.number(table, "<i")
        entry = _WORD + 2 * field
        if entry >= self.number(about, "<H") or not (offset := self.number(about + entry, "<H")):
            return range(0)
        start = self.target(table + offset)
        return range(start + _WORD, start + _WORD + _WORD * self.number(start), _WORD)

    def numbers(self, table: int, field: int) -> list[int]:
        return [self.number(place, "<i") for place in self.vector(table, field)]

    def shorten(self, places: range, kept: Iterable[int], offsets: bool) -> None:
        """Keep some words of a vector, by their places; offsets count from their own place."""
        words = [self.number(place) + place * offsets for place in kept]
        struct.pack_into("<I", self.data, places.start - _WORD, len(words))
        for place, word in zip(places, words, strict=False):
            struct.pack_into("<I", self.data, place, word - place * offsets)


def without_output(model: bytes, number: int) -> bytes:
    """The network without one of its outputs; the others keep their order and values."""
    buffer = _Buffer(bytearray(model))
    graph = buffer.target(buffer.vector(buffer.target(0), _SUBGRAPHS).start)
    outputs, operators = buffer.vector(graph, _OUTPUTS), buffer.vector(graph, _OPERATORS)
    kept = [place for index, place in enumerate(outputs) if index != number]
    wanted, needed = {buffer.number(place) for place in kept}, []
    for place in reversed(operators):  # an operator comes after those that it needs
        operator = buffer.target(place)
        if wanted.intersection(buffer.numbers(operator, _OPERATOR_OUTPUTS)):
            wanted.update(buffer.numbers(operator, _OPERATOR_INPUTS))
            needed.append(place)
    buffer.shorten(outputs, kept, offsets=False)
    buffer.shorten(operators, reversed(needed), offsets=True)
    return bytes(buffer.data)
