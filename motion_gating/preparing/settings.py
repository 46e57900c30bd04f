"""Settings from the flags. Imports little, so that ``--help`` answers at once."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from motion_gating.judges.flags import GEMINI, MANUAL, NONE, OPENAI
from motion_rep.common.command_line import from_flags
from motion_rep.runs.flags import engine_from

if TYPE_CHECKING:
    from motion_rep.runs.engine import Engine

CAPTURE, MOTION, RENDER, GATE = "capture", "motion", "render", "gate"
STEPS = (CAPTURE, MOTION, RENDER, GATE)
AUTO, PREVIEW, NATIVE = "auto", "preview", "native"


@dataclass(frozen=True)
class VideoSettings:
    """Settings of step 1; see generate_video.sh. None means the default of the model."""

    model: str
    seed: int | None = None
    size: str | None = None
    frames: int | None = None
    prompt_field: str | None = None
    candidates: int = 1

    @property
    def _given(self) -> dict[str, object]:
        given = {"--seed": self.seed, "--size": self.size, "--frames": self.frames, "--prompt-field": self.prompt_field}
        return {name: value for name, value in given.items() if value is not None}

    def flags(self) -> list[str]:
        """Arguments of generate_video.sh."""
        return [f"--model={self.model}", *(f"{name}={value}" for name, value in self._given.items())]

    @property
    def given_flag(self) -> str | None:
        """A given flag that applies only to generated videos."""
        return next(iter(self._given), None)


@dataclass(frozen=True)
class CaptureSettings:
    """Settings of step 2; see extract_motion.sh."""

    model: str = AUTO
    fps: str = NATIVE
    person: str | None = None
    focal_length: float | None = None
    static_camera: bool = False

    def flags(self) -> list[str]:
        """Arguments of extract_motion.sh."""
        given = {
            "fps": None if self.fps == NATIVE else self.fps,
            "person": self.person,
            "focal-length": None if self.focal_length is None else f"{self.focal_length:g}",
        }
        words = [f"--{name}={value}" for name, value in given.items() if value is not None]
        return [f"--model={self.model}", *words, *(["--static-camera"] if self.static_camera else [])]


@dataclass(frozen=True)
class PrepareRun:
    """Settings of a run.

    Attributes:
        gate: flags of judge, limits and gate.
        until: the last step; None for all.
        refine: whether motions are refined; the raw ones are kept.
    """

    inputs: tuple[Path, ...]
    output: Path
    video: VideoSettings
    capture: CaptureSettings
    gate: argparse.Namespace
    engine: Engine
    prompt: str | None = None
    prompts: Path | None = None
    target_fps: float = 16.0
    refine: bool = True
    until: str | None = None
    vimogen_root: Path | None = None
    text_key: str = ""
    failures: Path | None = None
    dry_run: bool = False

    def reaches(self, step: str) -> bool:
        """Whether the run includes a step."""
        return self.until is None or STEPS.index(step) <= STEPS.index(self.until)

    @property
    def makes_page(self) -> bool:
        return self.until is None


def run_from(args: argparse.Namespace) -> PrepareRun:
    """The settings that the flags choose.

    Raises:
        UsageError: a cluster address without ``--engine ray``.
    """
    judge, why = _judge_and_why(args)
    gate = argparse.Namespace(**{**vars(args), "judge": judge, "why_no_judge": why})
    return from_flags(
        PrepareRun,
        args,
        inputs=tuple(args.inputs),
        video=from_flags(VideoSettings, args, model=args.t2v_model),
        capture=from_flags(CaptureSettings, args, model=args.hmr_model),
        gate=gate,
        engine=engine_from(args, 1),
    )


def _judge_and_why(args: argparse.Namespace) -> tuple[str, str]:
    """The judge: the given one, else one whose files or keys exist; and a sentence if there is none."""
    if args.judge is not None:
        return args.judge, ""
    if args.verdicts:
        return MANUAL, ""
    if args.gemini_api_key or os.environ.get("GEMINI_API_KEY") or os.environ.get("GOOGLE_API_KEY"):
        return GEMINI, ""
    if args.vlm_base_url:
        return OPENAI, ""
    return NONE, (
        "No judge was asked because GEMINI_API_KEY is not set. Give your verdicts on the review page, export them, "
        "and re-run with --verdicts FILE."
    )
