"""Which reviewers look at which entry."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def reviewers_for(identifier: object, reviewers: Sequence[str], overlap: float) -> tuple[str, ...]:
    """The reviewers of an entry; the same in every run, and for most entries also where a reviewer joins or leaves.

    Args:
        identifier: of the entry, or of its group of candidates, which one person compares.
        overlap: the share that goes to all.
    """
    if _place("overlap", identifier) < overlap:
        return tuple(reviewers)
    return tuple(sorted(reviewers, key=lambda name: _place(name, identifier))[:1])


def _place(name: str, identifier: object) -> float:
    """A number from 0 to 1 that looks random, by the digest of both."""
    text = f"{name}\n{identifier}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") / 2**64
