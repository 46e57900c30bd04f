"""Assign entries to reviewers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def reviewers_for(identifier: object, reviewers: Sequence[str], overlap: float) -> tuple[str, ...]:
    """The reviewers of an entry: the same in every run, and for most entries also after a reviewer joins or leaves.

    Args:
        identifier: id of the entry, or of its group of candidates, which one person compares.
        overlap: share of the entries that goes to all reviewers.
    """
    if _place("overlap", identifier) < overlap:
        return tuple(reviewers)
    return tuple(sorted(reviewers, key=lambda name: _place(name, identifier))[:1])


def _place(name: str, identifier: object) -> float:
    """A pseudo-random number from 0 to 1, from the digest of both texts."""
    text = f"{name}\n{identifier}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") / 2**64
