"""Decide for each entry whether its motion may condition a model: jitter and a verdict on the clip, into a report and
the metadata.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_gating.judges.flags import GEMINI, MANUAL, NONE, OPENAI, add_judge_flags
from motion_gating.metrics.table import METRICS, SUGGESTED_TREMBLE, TREMBLE
from motion_rep.common.command_line import (
    DONE,
    SOME_FAILED,
    Parser,
    positive_int,
    positive_number,
    progress,
    run_command,
    say,
    say_error,
    say_warning,
)
from motion_rep.common.errors import UsageError
from motion_rep.files.locations import is_remote, location
from motion_rep.runs.flags import add_run_flags, engine_from, require_failures_folder

INTERRUPTED = 130
# Starting a worker costs about as much as measuring this many entries.
WORTH_A_WORKER = 5000


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument(
        "--meta-json",
        type=location,
        required=True,
        metavar="A",
        help="archive of rendered entries (JSON list, or JSON lines); a path or fsspec URL, as R and B",
    )
    parser.add_argument(
        "--quality-report",
        type=location,
        required=True,
        metavar="R",
        help="the report to write; a run block goes beside it",
    )
    parser.add_argument(
        "--output-json", type=location, metavar="B", help="archive to write (default: the input, replaced atomically)"
    )
    parser.add_argument("--jitter-threshold", type=positive_number, default=0.04, help="jitter must be below")
    parser.add_argument(
        "--smoothness",
        choices=("jitter", TREMBLE, "both"),
        default="jitter",
        help="what must be low: jitter (as published; also rejects fast movement), tremble (default limit "
        f"{SUGGESTED_TREMBLE:g}), or both",
    )
    for metric in METRICS:
        for kind in metric.limits:
            hint = f"off unless given ({metric.hint})" if metric.hint else "off unless given"
            name = f"{kind}_{metric.key}"
            parser.add_argument(*metric.flags(kind), dest=name, type=positive_number, metavar="X", help=hint)
    parser.add_argument("--any-fps", action="store_true", help="accept motions whose rate is not 16 frames a second")
    parser.add_argument("--video-field", default="video_path", help="entry field with the clip")
    parser.add_argument("--eval-field", default="mbench_eval_path", help="entry field with the eval file")
    parser.add_argument(
        "--prompt-field", default="prompt", help="entry field with the description that the clip is compared with"
    )
    parser.add_argument(
        "--max-samples",
        type=positive_int,
        metavar="N",
        help="examine the first N entries; the others are kept as they are",
    )
    parser.add_argument(
        "--verdicts",
        type=Path,
        action="append",
        metavar="FILE",
        help="verdicts of reviewers; with another judge they override it; may be given several times",
    )
    parser.add_argument(
        "--skip-vlm-above-threshold", action="store_true", help="ask nobody where jitter already rejects"
    )
    parser.add_argument(
        "--on-undecided", choices=("keep", "reject"), default="keep", help="keep: the entry stays as it was"
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="count the calls and about how many tokens they take; ask and write nothing",
    )
    parser.add_argument(
        "--device", default="auto", help="accepted as before; the figures take under a millisecond on a CPU"
    )
    add_run_flags(parser)
    add_judge_flags(parser, (GEMINI, OPENAI, MANUAL, NONE))
    return parser


def main(argv: list[str] | None = None) -> int:
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    from motion_gating.gate.gate import apply_gate
    from motion_gating.judges.choice import make_judge

    if not args.dry_run:
        require_failures_folder(args)
    judge = make_judge(args, _cache_dir(args), need_key=not args.dry_run)
    options = _options(args, judge)
    remote = is_remote(args.meta_json)
    engine = engine_from(args, WORTH_A_WORKER, remote, remote)
    if args.dry_run:
        return _say_plan(options, judge, engine)
    result = apply_gate(options, judge, watch=_bar, engine=engine)
    _say_result(options, judge, result)
    if result.interrupted:
        say_error("interrupted; what was decided is written, run the same command again to go on")
        return INTERRUPTED
    if result.stop is not None:
        say_error(f"the judge was stopped: {result.stop.message}")
        return result.stop.exit_code
    return SOME_FAILED if result.tally.incomplete else DONE


def _cache_dir(args: argparse.Namespace) -> Path | None:
    """Where answers are kept; None where nobody is asked who must be paid."""
    if args.cache_dir is not None or args.judge not in (GEMINI, OPENAI):
        return args.cache_dir
    if is_remote(args.quality_report):
        raise UsageError(
            f"{args.quality_report}: answers that are paid for are kept beside the report, but in a local folder. "
            "Name one with --cache-dir."
        )
    return args.quality_report.with_name(args.quality_report.stem + ".cache")


def _options(args: argparse.Namespace, judge):
    from motion_gating.archives.fields import Fields
    from motion_gating.gate.gate import GateOptions
    from motion_gating.judges.choice import judge_settings

    return GateOptions(
        meta_json=args.meta_json,
        quality_report=args.quality_report,
        output_json=args.output_json,
        fields=Fields(args.video_field, args.eval_field, args.prompt_field),
        limits=_limits(args),
        threads=args.num_threads,
        max_samples=args.max_samples,
        skip_vlm_above_threshold=args.skip_vlm_above_threshold,
        on_undecided=args.on_undecided,
        settings=judge_settings(args, judge),
        failures=args.failures,
    )


def _limits(args: argparse.Namespace):
    from motion_gating.gate.decision import Limit, Limits

    bounds = [(metric.key, kind, getattr(args, f"{kind}_{metric.key}")) for metric in METRICS for kind in metric.limits]
    if args.smoothness != "jitter" and args.max_tremble is None:
        bounds.append((TREMBLE, "max", SUGGESTED_TREMBLE))
    others = tuple(Limit(*bound) for bound in bounds if bound[2] is not None)
    jitter = None if args.smoothness == TREMBLE else args.jitter_threshold
    return Limits(jitter, others, **({"fps": None} if args.any_fps else {}))


def _say_plan(options, judge, engine) -> int:
    from motion_gating.gate.plan import plan_gate

    for line in plan_gate(options, judge, engine):
        say(line)
    return DONE


def _bar(examined, tally, count):
    bar = progress(examined, "gate", total=count, unit="entry")
    for one in bar:
        yield one
        if not bar.disable:
            bar.set_postfix_str(tally.summary(), refresh=False)


def _say_result(options, judge, result) -> None:
    from motion_gating.judges.interface import RUN_ENDED
    from motion_gating.judges.manual import OTHER_CONTENT

    tally = result.tally
    for kind, count in tally.error_kinds.most_common():
        if kind in (RUN_ENDED, OTHER_CONTENT):  # these have a line of their own
            continue
        example = tally.error_examples[kind]
        say_warning(f"{count} without a verdict ({kind}), for example: {example} {options.quality_report} lists all.")
    if result.edited:
        say_warning(f"{result.edited} entries were edited during the run; they got no decision. Run again.")
    if tally.metrics_errors:
        say_warning(f"{tally.metrics_errors} without figures; {options.quality_report} has the reason of each")
    if tally.fast_not_trembling and options.limits.jitter_degree is not None:
        say(f"{tally.fast_not_trembling} rejected by jitter are fast, not trembling; see --smoothness")
    all_asked = not (result.interrupted or options.max_samples or options.skip_vlm_above_threshold)
    refused = judge.refused if judge else ()
    if refused:
        say_warning(
            f"{len(refused)} verdicts of reviewers were not used: they are about another motion, clip or description, "
            f"for example that on {refused[0]!r}. Review these entries again."
        )
    if all_asked and (unused := (len(judge.people) if judge else 0) - tally.judged_by_people - len(refused)):
        say_warning(f"verdicts about ids that are not in {options.meta_json}: {unused}")
    if len(tally.model_versions) > 1:
        versions = ", ".join(f"{version} ({count})" for version, count in tally.model_versions.most_common())
        say_warning(f"more than one model version answered: {versions}. Verdicts may not compare.")
    say(f"{tally.summary()}; report {options.quality_report}, metadata {options.output_json or options.meta_json}")


if __name__ == "__main__":
    raise SystemExit(main())
