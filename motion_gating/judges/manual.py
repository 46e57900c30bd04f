"""Verdicts of people: a JSON list of ``{"id", "matches", "analysis"}``, by hand or exported by the review page."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from motion_gating.archives.content import Content, content_from
from motion_gating.judges.content import changed_part
from motion_gating.judges.interface import HumanVerdict, Model, Question, Stop, Verdict, undecided
from motion_rep.common.errors import InputError, UsageError
from motion_rep.files.json_files import read_json

NAME = "manual"
NO_VERDICT, UNSURE, OTHER_CONTENT = "no_verdict", "unsure", "other_content"  # error kinds


@dataclass(frozen=True)
class ManualJudge:
    """Looks verdicts up; asks a model where no person decided.

    Attributes:
        people: verdicts by the id's text, so that 7 and "7" are one entry.
        source: names of the files, for reasons.
    """

    people: Mapping[str, HumanVerdict]
    source: str
    model: Model | None = None
    name: str = field(default=NAME, init=False)
    refused: list[str] = field(default_factory=list, init=False)

    @property
    def is_remote_service(self) -> bool:
        return self.model is not None

    @property
    def stop(self) -> Stop | None:
        return self.model.stop if self.model else None

    def judge(self, question: Question) -> Verdict:
        """The person's verdict; undecided where the person was unsure, judged other content, or gave no verdict."""
        human = self.people.get(str(question.identifier))
        changed = None if human is None else changed_part(human.content, question)
        if changed is not None:
            self.refused.append(str(question.identifier))
        if self.model is not None and (human is None or changed is not None):
            return self.model.judge(question)
        if human is None:
            return undecided(NAME, NO_VERDICT, f"{self.source} has no verdict on this entry. Add one.")
        if changed is not None:
            reason = f"the verdict in {self.source} was given on another {changed}. Review this entry again."
            return undecided(NAME, OTHER_CONTENT, reason)
        if human.matches is None:
            return undecided(
                NAME, UNSURE, "the reviewer was unsure" + (f": {human.analysis}" if human.analysis else "")
            )
        return Verdict(human.matches, human.analysis, NAME)


def read_verdict_files(paths: Sequence[str | os.PathLike[str]]) -> dict[str, HumanVerdict]:
    """The verdicts of several files by id; the same verdict in two files counts once.

    Raises:
        UsageError: see :func:`read_verdicts`; or two files disagree.
    """
    verdicts: dict[str, HumanVerdict] = {}
    for path in paths:
        found = read_verdicts(path)
        differing = [key for key, verdict in found.items() if key in verdicts and not _agree(verdicts[key], verdict)]
        if differing:
            raise UsageError(
                f"{path}: disagrees with a verdict file before it about {len(differing)} entries, "
                f"for example {differing[0]!r}. Decide, and keep one verdict on each."
            )
        verdicts = {**found, **verdicts}
    return verdicts


def _agree(first: HumanVerdict, second: HumanVerdict) -> bool:
    return (first.matches, first.usable, first.content) == (second.matches, second.usable, second.content)


def read_verdicts(path: str | os.PathLike[str]) -> dict[str, HumanVerdict]:
    """Verdicts by the text of the id.

    Raises:
        UsageError: not a list of objects with ``id`` and a ``matches`` of true, false or null, or an id with two.
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
            raise UsageError(f"{path}: two verdicts on the id {identifier!r} (the second is item {number}). Keep one.")
        verdicts[identifier] = verdict
    return verdicts


def _read_item(path: str | os.PathLike[str], number: int, item: object) -> tuple[str, HumanVerdict]:
    if not isinstance(item, dict) or "id" not in item or "matches" not in item:
        raise UsageError(f"{path}: item {number} is not an object with id and matches. Correct it.")
    identifier, matches, analysis, usable = item["id"], item["matches"], item.get("analysis"), item.get("usable")
    if isinstance(identifier, bool) or not isinstance(identifier, (int, float, str)):
        raise UsageError(f"{path}: item {number} has the id {identifier!r}, expected a number or a string.")
    place = f"{path}: item {number} (id {identifier!r})"
    if matches is not None and not isinstance(matches, bool):
        raise UsageError(f"{place} has matches {matches!r}, expected true, false or null. Correct it.")
    if analysis is not None and not isinstance(analysis, str):
        raise UsageError(f"{place} has an analysis that is not text. Correct it.")
    if usable is not None and not isinstance(usable, bool):
        raise UsageError(f"{place} has usable {usable!r}, expected true, false or null. Correct it.")
    return str(identifier), HumanVerdict(matches, analysis, usable, _content(place, item.get("content")))


def _content(place: str, value: object) -> Content | None:
    """The digests of the content that the person saw."""
    content = content_from(value)
    if value is not None and content is None:
        raise UsageError(f"{place} has a content without the digests motion, clip and text. Remove it.")
    return content
