"""Render the motions of an archive in MBench style: per entry a lit video and a small eval file."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.command_line import DONE, SOME_FAILED, Parser, device_or_error, positive_int, positive_number, progress, run_command, say, say_error
from motion_rep.errors import InputError, UsageError

OWN_FIELDS = ("video_path", "mbench_eval_path")


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument("--meta-json", type=Path, required=True, help="archive (.json list or .jsonl) with id and motion_path")
    parser.add_argument("--output-json", type=Path, required=True, help="the archive with video_path and mbench_eval_path added")
    parser.add_argument("--output-dir", type=Path, required=True, help="folder for <id>.mp4 and <id>_eval.pt")
    parser.add_argument("--smplx-model-dir", metavar="PATH", help="SMPL-X model file or folder; 'mannequin' takes the built-in body")
    parser.add_argument("--fps", type=positive_number, help="frame rate of the videos (the motion's own, else 20)")
    parser.add_argument("--width", type=positive_int, default=960, help="pixels")
    parser.add_argument("--height", type=positive_int, default=960, help="pixels")
    parser.add_argument("--device", default="auto", help="where an SMPL-X model is posed")
    parser.add_argument("--limit", type=positive_int, help="render only the first entries; the others stay as they are")
    parser.add_argument("--renderer", choices=("auto", "opencv", "gl"), default="auto", help="who draws")
    parser.add_argument("--overwrite", action="store_true", help="draw again what is there already")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return run_command(_run, build_parser().parse_args(argv))


@dataclass
class Counts:
    """How the entries of a run ended."""

    drawn: int = 0
    reused: int = 0
    failed: int = 0


def _run(args: argparse.Namespace) -> int:
    from motion_rep.archive import entry_writer, read_entries
    from motion_rep.safe_files import require_folder

    if args.output_json.resolve() == args.meta_json.resolve():
        raise UsageError(f"{args.output_json}: is the input archive too. Give --output-json another name.")
    entries = read_entries(args.meta_json)
    first = next(entries, None)
    if first is None:
        raise UsageError(f"{args.meta_json}: holds no entries, nothing to render.")
    require_folder(args.output_dir)
    draw = _drawer(args)
    counts = Counts()
    with entry_writer(args.output_json) as write:
        for number, entry in enumerate(progress(_chain(first, entries), "rendering", unit="clip")):
            write(entry if args.limit is not None and number >= args.limit else _rendered(entry, draw, counts))
    say(f"{counts.drawn} rendered, {counts.reused} reused (unchanged), {counts.failed} failed -> {args.output_json}")
    return SOME_FAILED if counts.failed else DONE


def _drawer(args: argparse.Namespace):
    """A function that renders an entry and returns its two paths and whether anything was drawn."""
    from motion_gating.clip_render import RenderSettings, RenderTarget, render_clip
    from motion_rep.archive import entry_id
    from motion_rep.body_models import load_body
    from motion_rep.renderers import load_renderer
    from motion_rep.safe_files import resolve_beside, safe_name

    body = load_body("smplx", args.smplx_model_dir, device_or_error(args.device))
    renderer = load_renderer(args.renderer)
    say(f"body: {body.name}")
    settings = RenderSettings(args.width, args.height, args.fps, renderer.name, body.key)

    def draw(entry: dict) -> tuple[RenderTarget, bool]:
        motion_path = entry.get("motion_path")
        if not isinstance(motion_path, str) or not motion_path:
            raise InputError(f"has no motion_path (found {motion_path!r}); expected the path of a motion .pt")
        name = safe_name(entry_id(entry))
        target = RenderTarget(args.output_dir / f"{name}.mp4", args.output_dir / f"{name}_eval.pt")
        return target, render_clip(resolve_beside(motion_path, args.meta_json), target, body, renderer, settings, args.overwrite)

    return draw


def _rendered(entry: dict, draw, counts: Counts) -> dict:
    """The entry with its two paths; one that failed is reported and loses them, so that nobody judges an old video."""
    from motion_rep.archive import entry_id

    try:
        target, drawn = draw(entry)
    except InputError as error:
        say_error(f"entry {entry_id(entry)}: {error}")
        counts.failed += 1
        return {key: value for key, value in entry.items() if key not in OWN_FIELDS}
    counts.drawn += drawn
    counts.reused += not drawn
    return {**entry, "video_path": str(target.video), "mbench_eval_path": str(target.eval)}


def _chain(first: dict, rest):
    yield first
    yield from rest


if __name__ == "__main__":
    raise SystemExit(main())
