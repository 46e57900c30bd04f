"""Run the gate from its flags, and print the result."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from motion_gating.archives.archive import say_invalid
from motion_gating.archives.flags import fields_from
from motion_gating.archives.paths import files_in, warn_of_stray_paths
from motion_gating.gate.decision import Limit, Limits
from motion_gating.gate.flags import given_jitter, given_limits
from motion_gating.gate.gate import Examined, GateOptions, GateResult, Watch, apply_gate
from motion_gating.gate.plan import plan_gate
from motion_gating.gate.tally import Tally
from motion_gating.judges.choice import cache_folder, judge_settings, make_judge, require_drawn_rate
from motion_gating.judges.cost import cost_line
from motion_gating.judges.interface import RUN_ENDED, Judge
from motion_gating.judges.manual import OTHER_CONTENT
from motion_gating.verdicts.unknown_ids import warn_of_unknown_ids
from motion_gating.verdicts.verdict_file import left_out
from motion_rep.common.command_line import DONE, SOME_FAILED, from_flags
from motion_rep.common.errors import counted
from motion_rep.common.messages import progress, say, say_error, say_warning
from motion_rep.common.overwriting import require_apart
from motion_rep.runs.engine import Engine


def run_gate(args: argparse.Namespace, engine: Engine, watch: Watch | None = None) -> int:
    """Apply the gate, or print the planned calls; returns the exit code.

    Args:
        watch: see :func:`motion_gating.gate.gate.apply_gate`; a progress bar by default.
    Raises:
        UsageError: flags or files that do not fit together.
    """
    _require_apart(args, _options(args, None))
    judge = make_judge(args, cache_folder(args, args.quality_report), need_key=not args.dry_run)
    options = _options(args, judge)
    require_drawn_rate(args, judge, options.fields)
    if args.dry_run:
        for line in plan_gate(options, judge, engine):
            say(line)
        return DONE
    say_invalid(args.meta_json)
    warn_of_stray_paths(args.meta_json)
    result = apply_gate(options, judge, watch or _bar, engine)
    _say_errors(options, result)
    _say_about_people(options, judge)
    _say_summary(options, result.tally, result.cost)
    return max(_exit_code(result), SOME_FAILED if judge is not None and left_out(judge.people) else DONE)


def _require_apart(args: argparse.Namespace, options: GateOptions) -> None:
    """Check that no output is an input, or a file of an entry.

    Raises:
        UsageError: names both, and the file.
    """
    written, given = [("its run block", options.run_block)], args.given_paths
    if options.output_json in (None, options.meta_json):
        written.append(("--meta-json, which is replaced,", options.meta_json))
        given = [one for one in given if one.path != options.meta_json]
    require_apart(given, written, files_in(options.meta_json, *options.fields.of_files))


def check_judge(args: argparse.Namespace) -> int:
    """Check that the judge can be used, without an archive and without a paid call; returns the exit code.

    Raises:
        UsageError: a key, a verdict file, an address, a package or a model is missing.
    """
    cache_folder(args, args.quality_report)
    with tempfile.TemporaryDirectory() as folder:
        judge = make_judge(args, Path(folder))
    return SOME_FAILED if judge is not None and left_out(judge.people) else DONE


def _options(args: argparse.Namespace, judge: Judge | None) -> GateOptions:
    others = tuple(Limit(*bound) for bound in given_limits(args))
    return from_flags(
        GateOptions,
        args,
        fields=fields_from(args),
        limits=Limits(given_jitter(args), others, **({"fps": None} if args.any_fps else {}), jitter_of=args.jitter_of),
        threads=args.num_threads,
        settings=judge_settings(args, judge),
    )


def _bar(examined: Iterable[Examined], tally: Tally, count: int) -> Iterator[Examined]:
    bar = progress(examined, "gate", total=count, unit="entry")
    for one in bar:
        yield one
        if not bar.disable:
            bar.set_postfix_str(tally.summary(), refresh=False)


def _say_errors(options: GateOptions, result: GateResult) -> None:
    tally = result.tally
    for kind, count in tally.error_kinds.most_common():
        if kind not in (RUN_ENDED, OTHER_CONTENT):  # these have their own lines
            example = f"for example: {tally.error_examples[kind]} {options.quality_report} lists all."
            say_warning(f"{count} without a verdict ({kind}), {example}")
    if result.written.edited:
        say_warning(
            f"{counted(result.written.edited, 'entry was', 'entries were')} edited during the run and got no "
            "decision. Re-run the command."
        )
    if lost := tally.dropped + result.written.stale:
        say_warning(
            f"{counted(lost, 'entry', 'entries')} lost a use_ref_motion true that was not about their current "
            "motion and text"
        )
    if tally.kept:
        say_warning(
            f"{counted(tally.kept, 'entry stays', 'entries stay')} undecided; their use_ref_motion true is kept "
            "from the archive"
        )
    if tally.metrics_errors:
        say_warning(f"{tally.metrics_errors} without figures; {options.quality_report} has the reason of each")
    if tally.fast_not_trembling and options.limits.jitter_degree is not None:
        say(f"{tally.fast_not_trembling} rejected by jitter are fast, not trembling; see --smoothness")


def _say_about_people(options: GateOptions, judge: Judge | None) -> None:
    """Warn about verdicts of reviewers that were not used."""
    if judge is None:
        return
    refused = judge.refused
    if refused:
        say_warning(
            f"{counted(len(refused), 'verdict', 'verdicts')} of reviewers were not used: they are about another "
            "motion, clip or description, "
            f"for example the one on {refused[0]!r}. Review these entries again."
        )
    warn_of_unknown_ids(judge.people, options.meta_json)


def _say_summary(options: GateOptions, tally: Tally, cost: dict | None) -> None:
    if len(tally.model_versions) > 1:
        versions = ", ".join(f"{version} ({count})" for version, count in tally.model_versions.most_common())
        say_warning(f"more than one model version answered: {versions}. Verdicts may not compare.")
    if tally.rates:
        say(f"frame rates: {tally.rates_in_words()}")
    if line := cost_line(cost):
        say(line)
    say(f"{tally.summary()}; report {options.quality_report}, metadata {options.output_json or options.meta_json}")


def _exit_code(result: GateResult) -> int:
    if result.interrupted:
        say_error("interrupted; the decisions so far are written. Re-run the command to resume it")
        return result.interrupted
    if result.stop is not None:
        say_error(f"the judge was stopped: {result.stop.message}")
        return result.stop.exit_code
    return SOME_FAILED if result.tally.incomplete else DONE
