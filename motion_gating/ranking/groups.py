"""Read groups of candidates from an archive, the gate's report and verdicts of people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from motion_gating.archives.archive import InvalidEntry, entry_id, read_entries, read_items
from motion_gating.archives.candidates import candidates_path, group_of, valid_group
from motion_gating.archives.content import content_from, why_not_judged
from motion_gating.archives.fields import CONTENT, FAILED_CHECKS, USE_REF_MOTION, Fields
from motion_gating.gate.gate import question_of
from motion_gating.judges.content import changed_part
from motion_gating.judges.interface import Question
from motion_gating.metrics.entry_metrics import Measured, measured_entries
from motion_gating.ranking.candidate import Candidate, damage_in
from motion_gating.ranking.group_rank import Group
from motion_gating.verdicts.flags import UNDECIDED
from motion_gating.verdicts.verdict_file import HumanVerdict, Verdicts, last_of_each
from motion_rep.common.errors import InputError, UsageError
from motion_rep.files.locations import Location
from motion_rep.runs.engine import IN_THIS_PROCESS


@dataclass(frozen=True)
class RankOptions:
    """Inputs and outputs of a run.

    Attributes:
        quality_report: the gate's report; None takes the decisions from the archive.
        threads: number of groups that are judged concurrently.
        settings: for the run block; must not contain secrets.
        conflicts: the rule for reviewers who chose different candidates; one of ``verdicts.flags.RULES``.
    """

    meta_json: Location
    output_json: Location
    quality_report: Location | None = None
    fields: Fields = field(default_factory=Fields)
    threads: int = 2
    settings: dict[str, object] = field(default_factory=dict)
    conflicts: str = UNDECIDED

    @property
    def candidates_json(self) -> Location:
        """The archive with all candidates."""
        return candidates_path(self.output_json)

    @property
    def run_block(self) -> Location:
        """Settings, counts and pairs of the run."""
        return self.candidates_json.with_name(f"{self.candidates_json.stem}.run.json")


def read_groups(options: RankOptions, people: Verdicts) -> list[Group]:
    """The groups in the order of their first entries; entries without a group are omitted.

    Raises:
        UsageError: the archive or the report is broken.
    """
    records = {} if options.quality_report is None else _records(options.quality_report)
    groups: dict[str, list[Candidate]] = {}
    count = sum(1 for _ in _grouped(options))
    measured = measured_entries(lambda: _grouped(options), count, options.fields, options.meta_json, IN_THIS_PROCESS)
    for entry, figures in measured:
        candidate = _candidate(entry, figures, records.get(str(entry_id(entry))), options, people)
        groups.setdefault(str(group_of(entry)), []).append(candidate)
    return [Group(name, tuple(found)) for name, found in groups.items()]


def invalid_groups(options: RankOptions) -> list[str]:
    """A sentence for each entry that is invalid, or whose group is; it is not ranked.

    Raises:
        UsageError: no entry has a valid group, but some have an invalid one.
    """
    found, invalid, valid = [], [], False
    for entry in read_entries(options.meta_json):
        try:
            valid = group_of(entry) is not None or valid
        except UsageError as error:
            found.append(str(error))
        if isinstance(entry, InvalidEntry):
            invalid.append(f"entry {entry.identifier} {entry.problem}")
    if found and not valid:
        raise UsageError(found[0])
    return invalid + found


def _grouped(options: RankOptions) -> Iterator[dict]:
    return (entry for entry in read_entries(options.meta_json) if valid_group(entry) is not None)


def _records(report: Location) -> dict[str, dict]:
    """The report's record of each entry, keyed by the text of the id."""
    kept = (USE_REF_MOTION, FAILED_CHECKS, CONTENT)
    items = (item for item in read_items(report, "a list of records") if isinstance(item, dict))
    return {str(item.get("id")): {key: item.get(key) for key in kept} for item in items}


def _candidate(
    entry: dict, figures: Measured, record: dict | None, options: RankOptions, people: Verdicts
) -> Candidate:
    identifier, metrics = entry_id(entry), figures.metrics
    try:
        question = replace(question_of(entry, options.fields, options.meta_json), measured=figures.content)
    except InputError as error:
        return Candidate(identifier, Question(identifier, None, None), metrics, dropped=(str(error),))
    passed = _decision(entry, figures, record)
    choices = _choices(people.get(str(identifier), ()), question)
    damage = () if metrics is None or choices else damage_in(metrics)  # a chosen one was reviewed
    no_figures = (f"no figures: {figures.error}",) if metrics is None else damage
    dropped = (*(_rejection(record) if passed is False else ()), *no_figures)
    return Candidate(identifier, question, metrics, passed, dropped, choices)


def _decision(entry: dict, figures: Measured, record: dict | None) -> bool | None:
    """The gate's decision on the current motion; None if undecided or about another motion."""
    if record is None:
        value = entry.get(USE_REF_MOTION)
        return value if isinstance(value, bool) and why_not_judged(entry, figures.content.motion) is None else None
    value, judged = record[USE_REF_MOTION], content_from(record[CONTENT])
    about_this = judged is None or judged.motion is None or judged.motion == figures.content.motion
    return value if isinstance(value, bool) and about_this else None


def _rejection(record: dict | None) -> tuple[str, ...]:
    failed = record[FAILED_CHECKS] if record is not None else None
    return (f"the gate rejects it: {', '.join(map(str, failed)) if isinstance(failed, list) and failed else 'false'}",)


def _choices(verdicts: tuple[HumanVerdict, ...], question: Question) -> tuple[HumanVerdict, ...]:
    """The valid choices of this candidate, made for its current motion, clip and text."""
    if not any(one.chosen for one in verdicts):
        return ()
    current = last_of_each(one for one in verdicts if changed_part(one.content, question) is None)
    return tuple(one for one in current if one.chosen and not one.overruled)
