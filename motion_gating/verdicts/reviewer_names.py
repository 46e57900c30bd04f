"""Names of reviewers: spellings that differ in capitals, spaces or the form of their Unicode are one person."""

from __future__ import annotations

import unicodedata


def person(name: str) -> str:
    """A text that is equal for all spellings of a name."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", " ".join(name.split())).casefold())


class ReviewerNames:
    """The names in some files; each person keeps the first spelling."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._others: dict[str, set[str]] = {}

    def of(self, written: str) -> str:
        """The name of a person, as it was first written."""
        trimmed = " ".join(written.split())
        name = self._first.setdefault(person(written), trimmed)
        if trimmed != name:
            self._others.setdefault(name, set()).add(trimmed)
        return name

    def several_spellings(self) -> list[str]:
        """A sentence for each person with several spellings."""
        return [
            f"the reviewers {', '.join(map(repr, [name, *sorted(others)]))} count as one person, {name!r}"
            for name, others in self._others.items()
        ]
