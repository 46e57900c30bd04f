"""One entry as labelling programs show it: its video, text, figures and verdicts."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from motion_gating.archives.content import Content, content_from
from motion_gating.archives.fields import CONTENT, REASONS, VLM_ANALYSIS, VLM_MATCHES, Fields
from motion_gating.archives.texts import text_of
from motion_gating.metrics.table import METRICS
from motion_gating.review_page.records import KeptRecords, ReviewEntry, read_reviewed
from motion_gating.verdicts.verdict_file import HumanVerdict, Verdicts
from motion_rep.common.errors import InputError
from motion_rep.files.locations import Location, resolve_from


@dataclass(frozen=True)
class Labelled:
    """An entry with a video.

    Attributes:
        figures: metrics by key, in the units of the report.
        matches, analysis: the judge's verdict and its reason.
        decision: the gate's decision.
        content: digests of the judged content, so that a verdict is not used for another clip.
        people: verdicts of reviewers.
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

    @property
    def decision_in_words(self) -> str:
        """The gate's decision."""
        return {True: "passes", False: "rejected", None: "undecided"}[self.decision]


def labelled_entries(
    meta_json: Location, records: KeptRecords, verdicts: Verdicts, fields: Fields
) -> Iterator[Labelled | None]:
    """Each entry of an archive; None for an entry without a video or whose video is missing or has an invalid path.

    Raises:
        UsageError: the archive cannot be used.
    """
    for item in read_reviewed(meta_json, records):
        video = item.path(fields.video) or item.path(fields.judged_video(item.entry))
        place = None
        with contextlib.suppress(InputError):  # counts as a missing video
            place = None if video is None else resolve_from(video, meta_json)
        if place is None or (isinstance(place, Path) and not os.path.isfile(place)):
            yield None
        else:
            yield _labelled(item, place, verdicts, fields)


def _labelled(item: ReviewEntry, video: Location, verdicts: Verdicts, fields: Fields) -> Labelled:
    record = item.record or {}
    matches, reasons = record.get(VLM_MATCHES), record.get(REASONS)
    numbers = {metric.key: item.number(metric.key) for metric in METRICS}
    return Labelled(
        identifier=item.identifier,
        video=video,
        text=text_of(item.entry, fields.prompt) or "",
        figures={key: value for key, value in numbers.items() if value is not None},
        matches=matches if isinstance(matches, bool) else None,
        analysis=item.text(VLM_ANALYSIS),
        decision=item.decision,
        reasons=tuple(map(str, reasons)) if isinstance(reasons, list) else (),
        content=content_from(record.get(CONTENT)),
        people=verdicts.get(str(item.identifier), ()),
    )
