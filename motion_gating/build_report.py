"""Make one page to review a batch: videos, curves, figures and verdicts of every entry. It opens from disk, without a server."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.command_line import DONE, SOME_FAILED, Parser, picture_side, positive_number, progress, run_command, say, say_warning
from motion_rep.errors import UsageError

SHOWN_WARNINGS = 10


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("--meta-json", type=Path, required=True, metavar="A", help="archive of rendered entries (JSON list, or JSON lines)")
    parser.add_argument("--quality-report", type=Path, metavar="R", help="report of apply_quality_gate.py; without it the page shows the clips only")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for index.html and what it needs")
    parser.add_argument("--title", help="heading of the page (default: the archive's name)")
    parser.add_argument("--checks", type=Path, metavar="DIR", help="folder with <motion>_overlay.mp4 or <motion>_depth.mp4; an entry's overlay_path or depth_path goes first")
    parser.add_argument("--no-side-view", action="store_true", help="do not draw the view from 90 degrees")
    parser.add_argument("--side-size", type=picture_side, default=480, metavar="PIXELS", help="width and height of the side view")
    parser.add_argument("--copy-media", action="store_true", help="copy the videos into DIR, so that the folder can be sent elsewhere")
    parser.add_argument("--jitter-threshold", type=positive_number, help="default: what the gate used, else 0.04")
    parser.add_argument("--smplx-model-dir", metavar="PATH", help="SMPL-X model file or folder for the side view; 'mannequin' takes the built-in body")
    parser.add_argument("--renderer", choices=("auto", "opencv", "gl"), default="auto", help="who draws the side view")
    parser.add_argument("--video-field", default="video_path", help="entry field with the lit video")
    parser.add_argument("--eval-field", default="mbench_eval_path", help="entry field with the eval file")
    parser.add_argument("--prompt-field", default="prompt", help="entry field with the description")
    return parser


def main(argv: list[str] | None = None) -> int:
    return run_command(_run, build_parser().parse_args(argv))


def _run(args: argparse.Namespace) -> int:
    from motion_gating.review_page.records import read_reviewed
    from motion_rep.safe_files import require_folder, sweep

    if args.checks is not None and not args.checks.is_dir():
        raise UsageError(f"--checks {args.checks}: is not a folder. Give the folder that motion_checker.py wrote to, or leave the flag out.")
    items = list(read_reviewed(args.meta_json, args.quality_report))
    if args.quality_report is not None and items and all(item.record is None for item in items):
        say_warning(f"{args.quality_report}: has no record for any of the {len(items)} entries of {args.meta_json}. Give the report of this archive.")
    sweep(require_folder(args.output))
    troubles = build_review(items, _options(args), _heading(args))
    for trouble in troubles[:SHOWN_WARNINGS]:
        say_warning(trouble)
    if len(troubles) > SHOWN_WARNINGS:
        say_warning(f"{len(troubles) - SHOWN_WARNINGS} more entries lack something; the page says what")
    say(f"{args.output / 'index.html'}: {len(items)} entries. Open it in a browser.")
    return SOME_FAILED if troubles else DONE


def build_review(items: list, options, heading: dict) -> list[str]:
    """Write the page and everything beside it.

    Args:
        items: :class:`motion_gating.review_page.records.ReviewEntry` of the batch.
        options: :class:`motion_gating.review_page.entry_page.PageOptions`.
        heading: title, and what is said about the run.
    Returns:
        One sentence for every entry of which something could not be shown.
    """
    from motion_gating.review_page.entry_page import entry_page
    from motion_gating.review_page.page import write_entry_script, write_page
    from motion_gating.review_page.records import FIGURES

    rows, troubles = [], []
    for item in progress(items, "review page", unit="entry"):
        page = entry_page(item, options)
        write_entry_script(options.output / "entries" / f"{page.key}.js", page.key, page.details)
        rows.append(page.row)
        if page.missing:
            troubles.append(f"entry {item.identifier!r}: {'; '.join(page.missing)}")
    figures = [{"name": figure.name, "unit": figure.unit} for figure in FIGURES]
    data = {"threshold": options.threshold, "figures": figures, "entries": rows, **heading}
    write_page(options.output / "index.html", heading["title"], data)
    return troubles


def _options(args: argparse.Namespace):
    from motion_gating.review_page.entry_page import PageOptions
    from motion_gating.review_page.records import jitter_threshold, run_facts

    return PageOptions(
        meta_json=args.meta_json,
        output=args.output,
        threshold=args.jitter_threshold or jitter_threshold(run_facts(args.quality_report)),
        side=None if args.no_side_view else _side_painter(args),
        checks=args.checks,
        copy_media=args.copy_media,
        video_field=args.video_field,
        eval_field=args.eval_field,
        prompt_field=args.prompt_field,
    )


def _side_painter(args: argparse.Namespace):
    from motion_gating.review_page.side_video import SidePainter
    from motion_rep.body_models import load_body
    from motion_rep.renderers import load_renderer

    return SidePainter(load_body("smplx", args.smplx_model_dir), load_renderer(args.renderer), args.side_size + args.side_size % 2)


def _heading(args: argparse.Namespace) -> dict:
    from motion_gating.review_page.records import run_facts

    facts = run_facts(args.quality_report)
    finished = facts.get("finished")
    said = [f"gate run of {finished[:10]}" if isinstance(finished, str) else None, f"judge {facts['judge']}" if isinstance(facts.get("judge"), str) else None]
    return {"title": args.title or args.meta_json.stem, "said": ", ".join(part for part in said if part)}


if __name__ == "__main__":
    raise SystemExit(main())
