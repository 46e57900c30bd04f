"""Checks before any work: the judge and its key, programs, networks, disk space, and colliding files."""

from __future__ import annotations

import argparse
import functools
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from motion_gating.judges.choice import make_judge
from motion_gating.judges.interface import Judge
from motion_gating.judges.vlm_judge import VlmJudge
from motion_gating.preparing.items import Item
from motion_gating.preparing.layout import Layout
from motion_gating.preparing.settings import GATE, MOTION, NATIVE, RENDER, PrepareRun
from motion_gating.preparing.steps import has_capture, has_video, uses_preview
from motion_gating.preparing.trial_call import try_service
from motion_gating.preparing.wrappers import EXTRACT, GENERATE, require_wrapper
from motion_rep.bodies.body_models import body_name
from motion_rep.common.errors import InputError, UsageError
from motion_rep.common.messages import say_warning
from motion_rep.common.optional_packages import require_package
from motion_rep.common.overwriting import require_apart, require_file_places
from motion_rep.files.locations import RemotePath
from motion_rep.hmr_results.names import LONGEST
from motion_rep.preview_capture.weights import WEIGHT_FILES, require_weights

RUNTIME = "ai-edge-litert"  # of the preview capture


def require_outputs_apart(run: PrepareRun, layout: Layout, items: Iterable[Item]) -> None:
    """Check that no output is an input.

    Raises:
        UsageError: an output is, and the message contains both flags and the file; or something other than a file is at
            the path of an output of the whole run.
    """
    items = list(items)
    require_file_places(*(path for path in layout.written(()) if path.parent != layout.logs))  # logs are not needed
    own = _own(layout, items)
    require_apart(
        [one for one in run.gate.given_paths if one.path not in own],
        (("--output", path) for path in layout.written((item.name, item.generated) for item in items)),
        (("INPUT", path) for item in items for path in _files_of(item) if path not in own),
    )


def _files_of(item: Item) -> Iterator[Path]:
    """The user's files of an item."""
    for path in (item.motion, item.capture, None if item.generated else item.video):
        if path is not None and not isinstance(path, RemotePath):
            yield path


def _own(layout: Layout, items: Iterable[Item]) -> set[Path]:
    """Videos in the output folder that the user put there, or that an earlier run generated."""
    return {layout.video(item.name) for item in items if item.generated or item.video == layout.video(item.name)}


def require_programs(run: PrepareRun, layout: Layout, items: list[Item]) -> None:
    """Check the programs and networks of the steps that have entries.

    Raises:
        UsageError: one is missing, or does not support a flag.
    """
    for check in _checks_of_programs(run, layout, items):
        check()


def missing_programs(run: PrepareRun, layout: Layout, items: list[Item]) -> Iterator[str]:
    """The messages of all errors that :func:`require_programs` can raise here."""
    for check in _checks_of_programs(run, layout, items):
        try:
            check()
        except InputError as error:
            yield str(error)


def _checks_of_programs(run: PrepareRun, layout: Layout, items: list[Item]) -> Iterator[Callable[[], object]]:
    if any(item.generated and not has_video(item, layout) for item in items):
        yield functools.partial(require_wrapper, GENERATE, run.video.flags())
    if any(item.needs_capture and not has_capture(item, run, layout) for item in items):
        if uses_preview(run):
            yield functools.partial(_require_preview_flags, run)
            yield from (functools.partial(require_weights, file) for file in WEIGHT_FILES)
            yield functools.partial(require_package, RUNTIME, "the preview capture")
        else:
            yield functools.partial(require_wrapper, EXTRACT, run.capture.flags())
    if run.reaches(RENDER) or (run.reaches(MOTION) and any(item.video for item in items)):
        yield functools.partial(body_name, "smplx", run.gate.smplx_model_dir)


def _require_preview_flags(run: PrepareRun) -> None:
    capture = run.capture
    if capture.fps != NATIVE:
        raise UsageError(f"--fps {capture.fps}: the preview always reads every frame. Use --fps native.")
    if capture.person not in (None, LONGEST):
        raise UsageError(
            f"--person {capture.person}: the preview tracks one person. Make the capture with capture_preview.py "
            "--person N or --bbox x,y,w,h, and give it as the input."
        )
    if capture.static_camera:
        raise UsageError("--static-camera works only with gvhmr, gem-smpl, tram and prompthmr.")


def judge_of(run: PrepareRun) -> Judge | None:
    """Make the judge of a run that reaches the gate, and check its flags, files, package and address.

    Raises:
        UsageError: one of them is missing or wrong.
    """
    if not run.reaches(GATE):
        return None
    with tempfile.TemporaryDirectory() as folder:
        flags = argparse.Namespace(**{**vars(run.gate), "meta_json": None})
        return make_judge(flags, Path(folder), need_key=not run.dry_run)


def try_judge(judge: Judge | None) -> None:
    """Make one cheap call, to detect a wrong key before hours of work.

    Raises:
        UsageError: the service refuses the call or cannot be reached.
    """
    model = None if judge is None else judge.model
    if isinstance(model, VlmJudge) and (note := try_service(model.service)) is not None:
        say_warning(note)
