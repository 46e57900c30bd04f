"""Rank the groups of an archive; write one archive with the chosen candidates and one with all."""

from __future__ import annotations

import datetime
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass

from motion_gating.archives.archive import claims_use, entry_id, entry_writer, read_entries
from motion_gating.archives.archive_lock import archive_lock
from motion_gating.archives.fields import USE_REF_MOTION
from motion_gating.archives.paths import rebased
from motion_gating.judges.interface import Model, Preference, Stop
from motion_gating.ranking.candidate import Candidate
from motion_gating.ranking.group_rank import FIGURES, JUDGE, NOBODY, ONLY, PERSON, Group, Rank, RankedGroup, rank_group
from motion_gating.ranking.groups import RankOptions, read_groups
from motion_gating.verdicts.verdict_file import Verdicts
from motion_rep.common.errors import located
from motion_rep.common.overwriting import require_file_places
from motion_rep.files.json_files import write_json
from motion_rep.files.local_files import require_version, version_at
from motion_rep.files.remote_files import local_output, remove_stale_temporaries_at, require_location
from motion_rep.runs.ordered_threads import in_order

Watch = Callable[[Iterable[RankedGroup], int], Iterable[RankedGroup]]


@dataclass(frozen=True)
class Ranking:
    """The ranked groups, why the judge stopped, the cost of its calls, and the number of entries without a group."""

    groups: tuple[RankedGroup, ...]
    stop: Stop | None = None
    cost: dict[str, object] | None = None
    ungrouped: int = 0

    @property
    def missing(self) -> list[Preference]:
        """The missing answers."""
        return [answer for group in self.groups for answer in group.missing]

    def counts(self) -> dict[str, int]:
        """The number of groups decided in each way, and the number of pairs whose answer depended on the order."""
        decided = Counter(group.decided_by for group in self.groups)
        hearings = [hearing for group in self.groups for hearing in group.hearings]
        return {
            "groups": len(self.groups),
            **{name: decided[name] for name in (JUDGE, FIGURES, PERSON, ONLY, NOBODY)},
            "pairs": len(hearings),
            "pairs_in_both_orders": sum(len(hearing.answers) == 2 for hearing in hearings),
            "depend_on_order": sum(hearing.depends_on_order for hearing in hearings),
            "without_answer": len(self.missing),
            "ungrouped_entries": self.ungrouped,
        }


def rank_archive(
    options: RankOptions,
    model: Model | None,
    people: Verdicts,
    watch: Watch = lambda ranked, count: ranked,
) -> Ranking:
    """Rank all groups, then write both archives and the run block, each atomically.

    Args:
        model: the judge of pairs; None ranks by figures alone.
        people: verdicts of reviewers; their choices override model and figures.
        watch: wraps the iterable of ranked groups in a progress bar, given their number.
    Raises:
        UsageError: unusable archive or report, or folders that cannot be written.
    """
    require_file_places(options.output_json, options.candidates_json, options.run_block)
    require_location(options.output_json.parent)
    remove_stale_temporaries_at(options.output_json.parent, recursive=False)
    started = datetime.datetime.now(datetime.UTC)
    version = version_at(options.meta_json)
    groups = read_groups(options, people)
    threads = 0 if model is None else options.threads
    ranked = in_order(lambda group: _ranked(group, model, options.conflicts), groups, threads, threading.Event())
    found = tuple(watch((result for _, result in ranked if result is not None), len(groups)))
    ungrouped = _write_archives(options, found, version)
    cost = None if model is None else model.meter.as_dict()
    ranking = Ranking(found, None if model is None else model.stop, cost, ungrouped)
    with local_output(options.run_block, fetch=False) as run_block:
        write_json(run_block, _run_block(options, started, ranking))
    return ranking


def _ranked(group: Group, model: Model | None, conflicts: str) -> RankedGroup:
    if model is None:
        return rank_group(group, None, conflicts)

    def ask(first: Candidate, second: Candidate, least: bool) -> Preference:
        return model.prefer(first.question, second.question, least)

    return rank_group(group, ask, conflicts)


def _write_archives(options: RankOptions, groups: tuple[RankedGroup, ...], version: tuple[int, ...] | None) -> int:
    """Write all entries into one archive and the chosen ones into the other; returns the number of entries without a
    group.

    Args:
        version: of the ranked archive, as :func:`motion_rep.files.local_files.version_at` gives it.
    Raises:
        Changed: the archive has another version now.
    """
    ranks = {str(rank.candidate.identifier): rank for group in groups for rank in group.ranks}
    kept = {str(_representative(group).identifier) for group in groups}
    ungrouped = 0
    with ExitStack() as stack:
        stack.enter_context(archive_lock(options.output_json))
        write_all, write_chosen = (
            stack.enter_context(entry_writer(path)) for path in (options.candidates_json, options.output_json)
        )
        for entry in read_entries(options.meta_json):
            identifier, entry = str(entry_id(entry)), rebased(entry, options.meta_json, options.output_json)
            rank = ranks.get(identifier)
            ungrouped += rank is None
            write_all(entry if rank is None else {**entry, **rank.fields()})
            if rank is None or identifier in kept:
                write_chosen(entry if rank is None else _kept_entry(entry, rank))
        with located(options.meta_json):
            require_version(options.meta_json, version)
    return ungrouped


def _representative(group: RankedGroup) -> Candidate:
    """The entry that represents a group: its winner, else its first candidate, so that no text is lost."""
    return group.winner or group.ranks[0].candidate


def _kept_entry(entry: dict, rank: Rank) -> dict:
    """An entry that represents its group; one that dropped out is no reference, even if the gate passed it."""
    whole = {**entry, **rank.fields()}
    return whole if rank.chosen or not claims_use(entry) else {**whole, USE_REF_MOTION: False}


def _run_block(options: RankOptions, started: datetime.datetime, ranking: Ranking) -> dict[str, object]:
    return {
        "started": started.isoformat(timespec="seconds"),
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "meta_json": str(options.meta_json),
        "output_json": str(options.output_json),
        "candidates_json": str(options.candidates_json),
        "ended_early": None if ranking.stop is None else ranking.stop.message,
        "counts": ranking.counts(),
        "cost": ranking.cost,
        **options.settings,
        "groups": [group.as_dict() for group in ranking.groups],
    }
