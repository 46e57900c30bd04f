"""Step 4: render the motions, measure and judge them, choose among candidates, make the review page and the archive
for TM2M.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import replace

from motion_gating.archives.export_run import export_archive
from motion_gating.archives.fields import EVAL_PATH, PROMPT, VIDEO_PATH
from motion_gating.gate.gate import Examined
from motion_gating.gate.gate_run import run_gate
from motion_gating.gate.tally import Tally
from motion_gating.judges.flags import FACTS, GEMINI, OPENAI
from motion_gating.preparing.steps import Work
from motion_gating.preparing.summary import row_of
from motion_gating.ranking.group_rank import RankedGroup
from motion_gating.ranking.ranking_run import run_ranking
from motion_gating.rendering.archive_run import ArchiveRun, render_archive
from motion_gating.review_page.page_run import PageRun, make_review
from motion_rep.drawing.flags import SMALL, WIDE
from motion_rep.drawing.mbench_scene import CLOSE


def asks_model(gate: argparse.Namespace) -> bool:
    """Whether a model judges the clips."""
    return gate.judge in (GEMINI, OPENAI)


def render(work: Work) -> None:
    """Draw the motions for people and, if a model is the judge, small clips for it."""
    run, layout = work.run, work.layout
    gate, count = run.gate, len(work.items)
    drawn = ArchiveRun(
        layout.archive,
        layout.rendered,
        layout.renders,
        WIDE,
        WIDE,
        smplx_model_dir=gate.smplx_model_dir,
        renderer=gate.renderer,
    )
    engine = replace(run.engine, worth_a_worker=3)
    with work.board.step("Step 4: render the motions", layout.log("render"), count):
        work.note_code(render_archive(drawn, engine))
        if asks_model(gate) and gate.vlm_media != FACTS and layout.rendered.is_file():
            for_judge = replace(
                drawn,
                meta_json=layout.rendered,
                width=SMALL,
                height=SMALL,
                framing=CLOSE,
                sampling_fps=gate.sampling_fps,
            )
            work.note_code(render_archive(for_judge, engine))


def gate_flags(work: Work) -> argparse.Namespace:
    """The flags of the gate for this run."""
    layout = work.layout
    target = layout.decided if work.has_groups else layout.gated
    own = {"meta_json": layout.rendered, "quality_report": layout.report, "output_json": target}
    rest = {"failures": None, "dry_run": False, "max_samples": None, "prompt_field": PROMPT, "video_field": VIDEO_PATH}
    return argparse.Namespace(**{**vars(work.run.gate), **rest, **own})


def gate(work: Work) -> None:
    """Decide each entry, and print its line as soon as it is decided."""
    failed = {str(failure.item) for _, failure in work.board.failures.values()}

    def watched(examined: Iterable[Examined], tally: Tally, count: int) -> Iterator[Examined]:
        for one in examined:
            yield one
            identifier = str(one.record["id"])
            if identifier not in failed:
                work.board.finished(row_of(one.record).line())
            work.board.advance(identifier)

    title = f"Step 4: gate ({work.run.gate.judge})"
    with work.board.step(title, work.layout.log("gate"), len(work.items)):
        work.note_code(run_gate(gate_flags(work), replace(work.run.engine, worth_a_worker=5000), watched))


def rank(work: Work) -> None:
    """Choose the best candidate of each text."""
    layout = work.layout
    flags = argparse.Namespace(
        **{**vars(gate_flags(work)), "meta_json": layout.decided, "output_json": layout.gated, "eval_field": EVAL_PATH}
    )

    def watched(ranked: Iterable[RankedGroup], count: int) -> Iterator[RankedGroup]:
        for one in ranked:
            yield one
            work.board.finished(one.line())

    with work.board.step("Step 4: rank the candidates", layout.log("rank"), 0):
        work.note_code(run_ranking(flags, watched))


def make_page(work: Work) -> None:
    """Make the review page."""
    run, layout = work.run, work.layout
    page = PageRun(
        layout.candidates if work.has_groups else layout.gated,
        layout.review,
        layout.report,
        title=run.output.resolve().name,
        smplx_model_dir=run.gate.smplx_model_dir,
        renderer=run.gate.renderer,
        checks=layout.checks if layout.checks.is_dir() else None,
        raw_motions=layout.raw_motions if run.refine and layout.raw_motions.is_dir() else None,
    )
    with work.board.step("Review page", layout.log("review"), len(work.items)):
        # The summary already lists missing files.
        make_review(page, replace(run.engine, worth_a_worker=5))


def export(work: Work) -> None:
    """Write the archive for the TM2M loader of a checkout."""
    run, layout = work.run, work.layout
    flags = argparse.Namespace(
        meta_json=layout.gated,
        vimogen_root=run.vimogen_root,
        output_json=layout.for_tm2m,
        text_key=run.text_key,
        check=False,
        for_upstream_checker=False,
    )
    with work.board.step("Archive for TM2M", layout.log("tm2m"), 0):
        work.note_code(export_archive(flags))
