"""Run the ranking from the flags of the command, and print its result."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator

from motion_gating.archives.flags import fields_from
from motion_gating.archives.paths import files_in
from motion_gating.judges.choice import cache_folder, judge_settings, make_judge, require_drawn_rate
from motion_gating.judges.cost import cost_line
from motion_gating.judges.interface import RUN_ENDED, Judge
from motion_gating.judges.protocols.better_of_two import BETTER, WORSE
from motion_gating.ranking.group_rank import FIGURES, JUDGE, NOBODY, ONLY, PERSON, Rank, RankedGroup
from motion_gating.ranking.groups import RankOptions, invalid_groups, read_groups
from motion_gating.ranking.plan import plan_ranking
from motion_gating.ranking.ranking import Ranking, Watch, rank_archive
from motion_gating.verdicts.unknown_ids import warn_of_unknown_ids
from motion_gating.verdicts.verdict_file import left_out
from motion_rep.common.command_line import DONE, SOME_FAILED, from_flags
from motion_rep.common.errors import counted
from motion_rep.common.messages import progress, say, say_error, say_first, say_warning
from motion_rep.common.overwriting import require_apart

FEWEST_PAIRS = 4  # before any message about a judge


def run_ranking(args: argparse.Namespace, watch: Watch | None = None) -> int:
    """Rank the groups, or print the planned calls; returns the exit code.

    Args:
        watch: see :func:`motion_gating.ranking.ranking.rank_archive`; None shows a progress bar.
    Raises:
        UsageError: flags or files that do not fit together.
    """
    _require_apart(args, _options(args, None))
    judge = make_judge(args, cache_folder(args, args.quality_report or args.output_json), need_key=not args.dry_run)
    people, model = ({}, None) if judge is None else (judge.people, judge.model)
    options = _options(args, judge)
    require_drawn_rate(args, judge, options.fields)
    warn_of_unknown_ids(people, options.meta_json)
    invalid = invalid_groups(options)
    say_first(
        say_error, invalid, lambda more: f"{counted(more, 'more entry has', 'more entries have')} an invalid group"
    )
    if args.dry_run:
        for line in plan_ranking(read_groups(options, people), model, options.conflicts):
            say(line)
        return DONE
    ranking = rank_archive(options, model, people, watch or _bar)
    say_ranking(options, ranking, model is not None)
    return max(exit_code(ranking), SOME_FAILED if invalid or left_out(people) else DONE)


def _require_apart(args: argparse.Namespace, options: RankOptions) -> None:
    """Check that no output is an input, or a file of an entry.

    Raises:
        UsageError: names both, and the file.
    """
    written = [("the archive with all candidates", options.candidates_json), ("its run block", options.run_block)]
    require_apart(args.given_paths, written, files_in(options.meta_json, *options.fields.of_files))


def _options(args: argparse.Namespace, judge: Judge | None) -> RankOptions:
    asked = {} if judge is None or judge.model is None else {"prompt": [BETTER, WORSE]}
    settings = {**judge_settings(args, judge), **asked}
    return from_flags(RankOptions, args, fields=fields_from(args), threads=args.num_threads, settings=settings)


def _bar(ranked: Iterable[RankedGroup], count: int) -> Iterator[RankedGroup]:
    yield from progress(ranked, "ranking", total=count, unit="group")


def say_ranking(options: RankOptions, ranking: Ranking, asked_model: bool) -> None:
    """Print who decided, the missing answers, the groups without a winner, and the paths of the archives."""
    counts = ranking.counts()
    if not asked_model:
        say("no judge: the groups are ranked by figures alone (image fit, skate ratio, tremble)")
    _say_missing(ranking)
    both, dependent = counts["pairs_in_both_orders"], counts["depend_on_order"]
    if both >= FEWEST_PAIRS and 2 * dependent >= both:
        say_warning(
            f"{dependent} of {both} pairs judged in both orders depend on the order, so the figures decided them. "
            "This judge prefers a position, not a clip."
        )
    if lost := _without_figures(ranking):
        example = f"{lost[0].candidate.identifier}: {', '.join(lost[0].reasons)}"
        say_warning(f"{counted(len(lost), 'candidate')} without figures dropped out, for example {example}")
    _say_without_winner(ranking)
    if line := cost_line(ranking.cost):
        say(line)
    names = {
        JUDGE: "by the judge",
        FIGURES: "by figures",
        PERSON: "by a person",
        ONLY: ONLY,
        NOBODY: "without a winner",
    }
    decided = ", ".join(f"{counts[name]} {words}" for name, words in names.items() if counts[name])
    say(
        f"{counts['groups']} groups{': ' if decided else ''}{decided}; chosen {options.output_json}, "
        f"all candidates {options.candidates_json}"
    )


def _say_missing(ranking: Ranking) -> None:
    kinds = Counter(answer.error_kind for answer in ranking.missing)
    for kind, count in kinds.items():
        if kind != RUN_ENDED:  # it has its own line
            example = next(answer.error for answer in ranking.missing if answer.error_kind == kind)
            say_warning(
                f"{counted(count, 'pair')} without an answer ({kind}); the figures decided them, for example: {example}"
            )


def _say_without_winner(ranking: Ranking) -> None:
    found = [group for group in ranking.groups if group.winner is None]
    say_first(
        say_warning,
        [f"group {group.name}: no winner, all candidates drop out ({_reasons(group)})" for group in found],
        lambda more: f"{counted(more, 'more group')} without a winner",
    )


def _reasons(group: RankedGroup) -> str:
    return "; ".join(f"{one.candidate.identifier}: {', '.join(one.reasons)}" for one in group.ranks)


def exit_code(ranking: Ranking) -> int:
    """The exit code of a ranking, in which missing answers and figures are failures; prints why the judge was
    stopped.
    """
    if ranking.stop is not None:
        say_error(f"the judge was stopped: {ranking.stop.message}")
        return ranking.stop.exit_code
    return SOME_FAILED if ranking.missing or _without_figures(ranking) else DONE


def _without_figures(ranking: Ranking) -> list[Rank]:
    return [rank for group in ranking.groups for rank in group.ranks if rank.candidate.metrics is None]
