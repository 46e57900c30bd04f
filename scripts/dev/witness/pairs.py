"""Scripted models with known habits, which judge which of two clips of known quality is better."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass

from motion_gating.judges.protocols.better_of_two import SAME, WORSE, A, B

NOISE = 0.2

Answer = dict[str, object]


@dataclass(frozen=True)
class AskedAboutPair:
    """A question about two clips as understood by a witness.

    least: whether the question is which clip is worse. first, second: quality of clip A and of clip B.
    chance: the same for the same question about the same clips in the same order.
    """

    least: bool
    first: float
    second: float
    chance: random.Random


def understood_pair(prompt: str, first: float, second: float) -> AskedAboutPair:
    """The question about two clips in a prompt."""
    seed = hashlib.sha256(f"{prompt}\n{first!r} {second!r}".encode()).digest()
    return AskedAboutPair(WORSE in prompt, first, second, random.Random(seed))


def honest(asked: AskedAboutPair) -> Answer:
    """Sees which clip is better."""
    return _answer(A if (asked.first > asked.second) != asked.least else B)


def noisy(asked: AskedAboutPair) -> Answer:
    """Honest, but one answer in five is wrong."""
    right = honest(asked)
    if asked.chance.random() >= NOISE:
        return right
    return _answer(B if right["choice"] == A else A)


def near_blind(asked: AskedAboutPair) -> Answer:
    """Sees each quality with an error, so that close clips are confused more often; right in 80 % of random pairs."""
    spread = 0.7265  # 1 / tan(0.3 pi), for qualities of a normal distribution
    seen = [value + asked.chance.gauss(0, spread) for value in (asked.first, asked.second)]
    return _answer(A if (seen[0] > seen[1]) != asked.least else B)


def first_place(asked: AskedAboutPair) -> Answer:
    """Chooses clip A for every question."""
    return _answer(A)


def second_place(asked: AskedAboutPair) -> Answer:
    """Chooses clip B for every question."""
    return _answer(B)


def better_in_front(asked: AskedAboutPair) -> Answer:
    """Considers the first clip better, whichever way it is asked."""
    return _answer(B if asked.least else A)


def better_behind(asked: AskedAboutPair) -> Answer:
    """Considers the second clip better, whichever way it is asked."""
    return _answer(A if asked.least else B)


def undecided(asked: AskedAboutPair) -> Answer:
    """Sees no difference."""
    return _answer(SAME)


def blind(asked: AskedAboutPair) -> Answer:
    """Guesses."""
    return _answer(asked.chance.choice([A, B]))


BIASED: dict[str, Callable[[AskedAboutPair], Answer]] = {
    "always A": first_place,
    "always B": second_place,
    "prefers the first clip": better_in_front,
    "prefers the second clip": better_behind,
    "sees no difference": undecided,
}
PAIR_HABITS: dict[str, Callable[[AskedAboutPair], Answer]] = {
    "honest": honest,
    "80 % right": noisy,
    "80 % right, close clips less": near_blind,
    **BIASED,
    "blind": blind,
}


def _answer(choice: str) -> Answer:
    return {"analysis": "compared", "choice": choice}
