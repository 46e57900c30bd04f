"""The plan of a run: the number of entries of each step, and estimates of time and cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from motion_gating.archives.candidates import valid_group
from motion_gating.judges.cost import OUTPUT_TOKENS
from motion_gating.judges.interface import Judge
from motion_gating.preparing.items import Item
from motion_gating.preparing.layout import Layout
from motion_gating.preparing.settings import CAPTURE, GATE, MOTION, RENDER, PrepareRun
from motion_gating.preparing.steps import has_capture, has_video, uses_preview
from motion_gating.ranking.contest import most_calls
from motion_rep.common.errors import InputError, counted
from motion_rep.drawing.flags import SMALL
from motion_rep.runs.ordered_threads import usable_cores
from motion_rep.video.reading import open_video

VIDEOS, CAPTURES, MOTIONS = "step 1, videos from text", "step 2, captures", "step 3, motions"
OVERLAYS, RENDERS = "step 3, overlays", "step 4, videos of the motions"
# CPU seconds on one core per second of motion at 16 fps, measured on one machine (see Speed in scripts/README.md).
PREVIEW, SHARES = 0.8, {MOTIONS: 0.03, OVERLAYS: 0.23, RENDERS: 0.22}
USUAL_SECONDS = 5.0  # length assumed for a motion of unknown length
MEASURED_VIDEOS = 200  # the mean of these is assumed for the rest
QUESTION_TOKENS = 400  # in the text of one call
ELSEWHERE = "time not known: another program does it"


@dataclass(frozen=True)
class PlannedStep:
    """A step: number of entries, number of finished entries, and seconds on one core (None: unknown)."""

    title: str
    entries: int
    done: int
    seconds: float | None

    def line(self, cores: int) -> str:
        """One line for the user."""
        done = f" ({self.done} done already)" if self.done else ""
        if self.seconds is None:
            return f"{self.title}: {self.entries}{done}, {ELSEWHERE}"
        return f"{self.title}: {self.entries}{done}, about {_hours(self.seconds / cores)}"


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} hours" if seconds >= 360 else f"{max(seconds, 1):.0f} seconds"


def step_entries(run: PrepareRun, items: Sequence[Item]) -> dict[str, int]:
    """The number of entries of each step of a run, without empty steps."""
    good = [item for item in items if item.problem is None]
    counts = (
        (CAPTURE, VIDEOS, sum(item.generated for item in good)),
        (CAPTURE, CAPTURES, sum(item.needs_capture for item in good)),
        (MOTION, MOTIONS, len(good)),
        (MOTION, OVERLAYS, sum(item.video is not None for item in good)),
        (RENDER, RENDERS, len(good)),
    )
    return {name: count for reached, name, count in counts if run.reaches(reached) and count}


def planned_steps(run: PrepareRun, layout: Layout, items: Sequence[Item], length: float) -> list[PlannedStep]:
    """The steps of a run that have entries, with the number of finished ones and the remaining time.

    Args:
        length: mean seconds of a motion.
    """
    good = [item for item in items if item.problem is None]
    done = {
        VIDEOS: sum(item.generated and has_video(item, layout) for item in good),
        CAPTURES: sum(item.needs_capture and has_capture(item, run, layout) for item in good),
    }
    titles = {VIDEOS: f"{VIDEOS} ({run.video.model})", CAPTURES: f"{CAPTURES} ({_capture_name(run)})"}
    shares = {**SHARES, CAPTURES: PREVIEW} if uses_preview(run) else SHARES
    return [
        PlannedStep(
            titles.get(name, name), count, made, (count - made) * length * shares[name] if name in shares else None
        )
        for name, count in step_entries(run, items).items()
        for made in (done.get(name, 0),)
    ]


def _capture_name(run: PrepareRun) -> str:
    return "preview" if uses_preview(run) else run.capture.model


def plan_lines(run: PrepareRun, layout: Layout, items: Sequence[Item], judge: Judge | None) -> Iterator[str]:
    """The plan, line by line."""
    bad = [item for item in items if item.problem is not None]
    starts = {
        "a text": sum(item.generated for item in items),
        "a video": sum(item.needs_capture and not item.generated for item in items),
        "a capture": sum(item.capture is not None for item in items),
        "a motion": sum(item.motion is not None for item in items),
    }
    yield f"{counted(len(items), 'entry', 'entries')}: " + ", ".join(
        f"{count} from {what}" for what, count in starts.items() if count
    )
    for item in bad:
        yield f"cannot start: {item.identifier}: {item.problem}"
    length = _mean_seconds(items)
    steps = planned_steps(run, layout, items, length)
    cores = min(usable_cores(), run.engine.workers or usable_cores())
    for step in steps:
        yield step.line(cores)
    if run.reaches(GATE):
        yield _judging(run, len(items) - len(bad), length, judge)
        yield from _ranking(items, judge)
    total = sum(step.seconds or 0.0 for step in steps) / cores
    unknown = " and the steps whose time is not known" if any(step.seconds is None for step in steps) else ""
    yield (
        f"together about {_hours(total)} on {counted(cores, 'core')}{unknown}; results in {layout.folder}; "
        "nothing was done"
    )


def _ranking(items: Sequence[Item], judge: Judge | None) -> Iterator[str]:
    """The step of ranking; none without candidates."""
    groups = Counter(name for item in items if item.problem is None and (name := valid_group(item.entry)) is not None)
    if not groups:
        return
    calls = sum(map(most_calls, groups.values())) if judge is not None and judge.model is not None else 0
    count = sum(groups.values())
    yield (
        f"step 4, ranking: {counted(count, 'candidate')} of {counted(len(groups), 'text')}, at most "
        f"{counted(calls, 'call')} about two clips each"
    )


def _judging(run: PrepareRun, entries: int, length: float, judge: Judge | None) -> str:
    """The work of the judge."""
    start = f"step 4, judge ({run.gate.judge})"
    if judge is None:
        return f"{start}: no judge is asked; nothing can pass"
    by_people, model = len(judge.people), judge.model
    if model is None:
        return f"{start}: {counted(by_people, 'verdict')} of reviewers"
    asked = max(entries - by_people, 0)
    least, most = asked * model.least_calls, asked * (model.least_calls + model.more_calls)
    calls = str(least) if least == most else f"{least} to {most}"
    price = model.meter.price
    if price is None:
        return f"{start}: {calls} calls; their price is not known"
    tokens = model.estimate_tokens(length, SMALL, SMALL) + QUESTION_TOKENS
    low, high = (price.dollars(count * tokens, count * OUTPUT_TOKENS) for count in (least, most))
    dollars = f"{low:.2f}" if low == high else f"{low:.2f} to {high:.2f}"
    return f"{start}: {calls} calls, about {dollars} dollars at the prices of {price.as_of}"


def _mean_seconds(items: Sequence[Item]) -> float:
    """The mean length of the source videos; a default if none can be read."""
    lengths = []
    videos = [item.video for item in items if item.video is not None and item.video.is_file()]
    for path in videos[:MEASURED_VIDEOS]:
        try:
            with open_video(path) as video:
                lengths.append((video.frame_count or 0) / video.fps)
        except InputError:
            continue
    known = [length for length in lengths if length > 0]
    return sum(known) / len(known) if known else USUAL_SECONDS
