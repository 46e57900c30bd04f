"""One entry as labelling programs show it: its video, text, figures and verdicts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from motion_gating.archives.archive import InvalidEntry
from motion_gating.archives.content import Content, content_from
from motion_gating.archives.fields import CONTENT, REASONS, VLM_ANALYSIS, VLM_MATCHES, Fields
from motion_gating.gate.gate import question_of
from motion_gating.judges.content import changed_part
from motion_gating.judges.interface import Question
from motion_gating.metrics.table import METRICS
from motion_gating.review_page.records import KeptRecords, ReviewEntry, read_reviewed
from motion_gating.verdicts.verdict_file import HumanVerdict, Verdicts, last_of_each
from motion_rep.common.errors import InputError
from motion_rep.files.locations import Location


@dataclass(frozen=True)
class Labelled:
    """An entry with a video.

    Attributes:
        figures: metrics by key, in the units of the report.
        matches, analysis: the judge's verdict and its reason.
        decision: the gate's decision.
        content: digests of the judged content, so that a verdict is not used for another clip.
        people: verdicts of reviewers on this content; outdated: the number of those on other content.
    """

    identifier: object
    video: Location
    text: str
    figures: dict[str, float]
    matches: bool | None
    analysis: str | None
    decision: bool | None
    reasons: tuple[str, ...]
    content: Content | None
    people: tuple[HumanVerdict, ...]
    outdated: int

    @property
    def decision_in_words(self) -> str:
        """The gate's decision."""
        return {True: "passes", False: "rejected", None: "undecided"}[self.decision]


def labelled_entries(
    meta_json: Location, records: KeptRecords, verdicts: Verdicts, fields: Fields
) -> Iterator[Labelled | InputError | None]:
    """Each valid entry of an archive; None for one without a video or whose local video is missing, an error for one
    that names a file in an invalid way.

    Raises:
        UsageError: the archive cannot be used.
    """
    for item in read_reviewed(meta_json, records):
        if isinstance(item.entry, InvalidEntry):
            continue
        try:
            question = question_of(item.entry, fields, meta_json)
        except InputError as error:
            yield error
            continue
        place = question.for_people or question.video
        if place is None or (isinstance(place, Path) and not os.path.isfile(place)):
            yield None
        else:
            yield _labelled(item, place, verdicts.get(str(item.identifier), ()), question)


def _labelled(item: ReviewEntry, video: Location, people: tuple[HumanVerdict, ...], question: Question) -> Labelled:
    record = item.record or {}
    current = tuple(one for one in people if changed_part(one.content, question) is None)
    matches, reasons = record.get(VLM_MATCHES), record.get(REASONS)
    numbers = {metric.key: item.number(metric.key) for metric in METRICS}
    return Labelled(
        identifier=item.identifier,
        video=video,
        text=question.description or "",
        figures={key: value for key, value in numbers.items() if value is not None},
        matches=matches if isinstance(matches, bool) else None,
        analysis=item.text(VLM_ANALYSIS),
        decision=item.decision,
        reasons=tuple(map(str, reasons)) if isinstance(reasons, list) else (),
        content=content_from(record.get(CONTENT)),
        people=last_of_each(current),
        outdated=len(people) - len(current),
    )
