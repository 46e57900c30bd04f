"""Wrong descriptions as options: from other entries with another meaning, or from a small list."""

from __future__ import annotations

import hashlib
import heapq
import re
from collections.abc import Iterable
from dataclasses import dataclass

WRONG_OPTIONS = 7
MOST_COMMON_WORDS = 0.34  # two descriptions with a larger share of common words may mean the same motion
POOL = 400  # number of descriptions of an archive that are kept as options
BUILT_IN = (
    "a person walks forward at an easy pace.",
    "a person stands still with hanging arms.",
    "a person does jumping jacks.",
    "a person sits down on a chair and stands up again.",
    "a person crawls over the floor on hands and knees.",
    "a person throws a ball overhand.",
    "a person kicks a ball.",
    "a person does a cartwheel.",
    "a person waves with a raised hand.",
    "a person squats down and lifts a heavy box.",
    "a person runs on the spot with high knees.",
    "a person bows politely.",
)
COMMON = {"person", "someone", "their", "with", "while", "then", "does", "that", "into", "once", "twice", "times"}


@dataclass(frozen=True)
class Distractors:
    """Descriptions to choose wrong options from; a list of common motions completes them if they are too few."""

    pool: tuple[str, ...] = ()

    @classmethod
    def of(cls, descriptions: Iterable[str]) -> Distractors:
        """Some descriptions of an archive; mostly the same after entries are added, so that cached answers stay
        valid.
        """
        return cls(tuple(heapq.nsmallest(POOL, dict.fromkeys(descriptions), key=lambda text: _rank("", text))))

    def unlike(self, description: str) -> list[str]:
        """Descriptions that share few words with this one and with each other; always the same ones."""
        chosen: list[str] = []
        ranked = sorted(self.pool, key=lambda text: _rank(description, text))
        for candidate in (*ranked, *sorted(BUILT_IN, key=lambda text: _rank(description, text))):
            if all(not alike(candidate, other) for other in (description, *chosen)):
                chosen.append(candidate)
            if len(chosen) == WRONG_OPTIONS:
                break
        return chosen


def alike(first: str, second: str) -> bool:
    """Whether two descriptions may mean the same motion."""
    a, b = meaningful_words(first), meaningful_words(second)
    return a == b or len(a & b) > MOST_COMMON_WORDS * min(len(a), len(b))


def meaningful_words(text: str) -> frozenset[str]:
    """The words that probably carry meaning: four letters or more."""
    words = frozenset(re.findall(r"\w+", text.lower()))
    return frozenset(word for word in words if len(word) >= 4) - COMMON or words


def _rank(salt: str, text: str) -> bytes:
    return hashlib.sha256(f"{salt}\n{text}".encode("utf-8", "surrogatepass")).digest()
