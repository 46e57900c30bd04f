"""The number of known-bad clips that a claim about false accepts needs, and whether the claim holds."""

from __future__ import annotations

import math

CONFIDENCE = 0.95


def clips_needed(rate: float) -> int:
    """The smallest number of rejected known-bad clips that shows, at 95 % confidence, that at most this share is
    accepted.

    29 for 0.1, 59 for 0.05, 149 for 0.02; more if some were accepted.
    """
    return math.ceil(math.log(1 - CONFIDENCE) / math.log(1 - rate))


def claim_holds(accepted: int, decided: int, rate: float) -> bool:
    """Whether so few accepted clips would occur in at most 5 % of runs if the true share were ``rate`` or more."""
    chance = sum(math.comb(decided, k) * rate**k * (1 - rate) ** (decided - k) for k in range(accepted + 1))
    return chance <= 1 - CONFIDENCE
