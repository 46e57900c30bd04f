"""Verdicts written by people: a JSON list of ``{"id", "matches", "analysis"}``, by hand or exported by the review page."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from motion_gating.judges.interface import Judge, Question, Stop, Verdict, undecided
from motion_rep.common.errors import InputError, UsageError
from motion_rep.files.json_files import read_json

NAME = "manual"


@dataclass(frozen=True)
class HumanVerdict:
    """What a person said.

    Attributes:
        matches: None where the person could not tell.
        usable: whether the person would let the motion condition a model; only for evaluating the gate, None where not said.
    """

    matches: bool | None
    analysis: str | None
    usable: bool | None = None


@dataclass(frozen=True)
class ManualJudge:
    """Looks verdicts up; asks ``otherwise`` where no person gave one.

    Attributes:
        verdicts: by the id's text, so that 7 and "7" are one entry.
        source: name of the file, for reasons.
    """

    verdicts: dict[str, HumanVerdict]
    source: str
    otherwise: Judge | None = None
    name: str = field(default=NAME, init=False)

    @property
    def waits(self) -> bool:
        return self.otherwise is not None and self.otherwise.waits

    @property
    def stop(self) -> Stop | None:
        return self.otherwise.stop if self.otherwise else None

    def judge(self, question: Question) -> Verdict:
        """The person's verdict; undecided where the person was unsure or nobody looked."""
        human = self.verdicts.get(str(question.identifier))
        if human is None and self.otherwise is not None:
            return self.otherwise.judge(question)
        if human is None:
            return undecided(NAME, "no_verdict", f"{self.source} has no verdict for this entry. Add one.")
        if human.matches is None:
            return undecided(
                NAME, "unsure", "the person who looked was unsure" + (f": {human.analysis}" if human.analysis else "")
            )
        return Verdict(human.matches, human.analysis, NAME)


def read_verdicts(path: str | os.PathLike) -> dict[str, HumanVerdict]:
    """Verdicts by id.

    Raises:
        UsageError: not a list of objects with ``id`` and a ``matches`` of true, false or null, or two verdicts for one id.
    """
    try:
        items = read_json(path)
    except InputError as error:
        raise UsageError(str(error)) from None
    if not isinstance(items, list):
        raise UsageError(
            f'{path}: holds no list, expected [{{"id": 0, "matches": true, "analysis": "..."}}]. Correct the file.'
        )
    verdicts: dict[str, HumanVerdict] = {}
    for number, item in enumerate(items):
        identifier, verdict = _read_item(path, number, item)
        if identifier in verdicts:
            raise UsageError(f"{path}: two verdicts for the id {identifier!r} (the second is item {number}). Keep one.")
        verdicts[identifier] = verdict
    return verdicts


def _read_item(path: str | os.PathLike, number: int, item: object) -> tuple[str, HumanVerdict]:
    if not isinstance(item, dict) or "id" not in item or "matches" not in item:
        raise UsageError(f"{path}: item {number} is not an object with id and matches. Correct it.")
    identifier, matches, analysis, usable = item["id"], item["matches"], item.get("analysis"), item.get("usable")
    if isinstance(identifier, bool) or not isinstance(identifier, (int, float, str)):
        raise UsageError(f"{path}: item {number} has the id {identifier!r}, expected a number or a string.")
    if matches is not None and not isinstance(matches, bool):
        raise UsageError(
            f"{path}: item {number} (id {identifier!r}) has matches {matches!r}, expected true, false or null. Correct it."
        )
    if analysis is not None and not isinstance(analysis, str):
        raise UsageError(f"{path}: item {number} (id {identifier!r}) has an analysis that is not text. Correct it.")
    if usable is not None and not isinstance(usable, bool):
        raise UsageError(
            f"{path}: item {number} (id {identifier!r}) has usable {usable!r}, expected true, false or null. Correct it."
        )
    return str(identifier), HumanVerdict(matches, analysis, usable)
