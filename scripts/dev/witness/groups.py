"""Groups of candidates of known quality, ranked with scripted judges of known habits."""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass
from pathlib import Path

import torch

from motion_gating.judges.interface import Preference, Question
from motion_gating.judges.protocols.better_of_two import BETTER, WORSE, better_of
from motion_gating.metrics.joint_metrics import JointMetrics, WorstSpan
from motion_gating.ranking.candidate import SKATE_RATIO, Candidate
from motion_gating.ranking.group_rank import AskAboutTwo, Group, rank_group
from motion_rep.common.messages import say
from motion_rep.kinematics.skeleton import rest_joints
from scripts.dev.witness.pairs import PAIR_HABITS, understood_pair
from scripts.dev.witness.trial import CLIP_START

NOWHERE = WorstSpan(0, 1, None, None, 0.0)
# The correlation of figures and quality that gives this share of agreement in pairs: asin(r) / pi.
AGREEMENT = {"figures say nothing": 0.5, "figures right in 2 of 3 pairs": 2 / 3}


@dataclass(frozen=True)
class Found:
    """For ``groups`` groups: how often the best was found, how often the winner is that of the figures, and the
    calls.
    """

    groups: int
    best: int
    by_figures: int
    calls: int


def print_rankings(groups: int, size: int, seed: int) -> None:
    """Print the results of each witness, with useless and with useful figures."""
    say("| judge | figures | finds the best | winner of the figures | calls per group |")
    say("| --- | --- | --- | --- | --- |")
    for name in ("no judge", *PAIR_HABITS):
        for figures, agreement in AGREEMENT.items():
            found = ranked(None if name == "no judge" else name, groups, size, seed, agreement)
            shares = f"{found.best / groups:.0%} | {found.by_figures / groups:.0%} | {found.calls / groups:.1f}"
            say(f"| {name} | {figures} | {shares} |")


def ranked(habit: str | None, groups: int, size: int = 4, seed: int = 0, agreement: float = 0.5) -> Found:
    """Rank synthetic groups.

    Args:
        habit: a key of PAIR_HABITS; None for no judge.
        agreement: the share of pairs in which the better figure belongs to the better candidate.
    """
    chance, best, by_figures, calls = random.Random(seed), 0, 0, 0
    for number in range(groups):
        group, qualities = made_group(number, size, chance, agreement)
        found = rank_group(group, None if habit is None else _witness(habit, qualities))
        winner = found.winner.identifier if found.winner else None
        without = rank_group(group, None).winner
        best += winner == max(qualities, key=qualities.__getitem__)
        by_figures += without is not None and winner == without.identifier
        calls += sum(len(hearing.answers) for hearing in found.hearings)
    return Found(groups, best, by_figures, calls)


def made_group(number: int, size: int, chance: random.Random, agreement: float) -> tuple[Group, dict[object, float]]:
    """A group whose figures agree with its qualities to the given degree, and the quality of each candidate."""
    share = math.sin(math.pi * (agreement - 0.5))
    qualities: dict[object, float] = {f"{number}_{one}": chance.gauss(0, 1) for one in range(size)}
    found = []
    for name, quality in qualities.items():
        figure = share * quality + math.sqrt(1 - share**2) * chance.gauss(0, 1)
        question = Question(name, None, f"text {number}")
        found.append(Candidate(name, question, _figures(math.exp(-figure))))
    return Group(str(number), tuple(found)), qualities


def _figures(tremble: float) -> JointMetrics:
    return JointMetrics(0.01, 0.01, 16.0, NOWHERE, 16.0, {SKATE_RATIO: 0.0, "tremble": tremble} | SOUND)


SOUND = dict.fromkeys(("root_speed", "root_turn", "height_range", "joint_speed", "joint_jerk"), 0.0)


def _witness(habit: str, qualities: dict[object, float]) -> AskAboutTwo:
    def ask(first: Candidate, second: Candidate, least: bool) -> Preference:
        values = [qualities[one.identifier] for one in (first, second)]
        answer = PAIR_HABITS[habit](understood_pair(WORSE if least else BETTER, *values))
        return Preference(better_of(answer, least))

    return ask


def _swaying_joints(frames: int = 40) -> torch.Tensor:
    """(T, 22, 3) y-up joints of a stiff body that sways slowly, at 16 frames per second."""
    rest = rest_joints(torch.float32)
    sway = 0.05 * torch.sin(torch.arange(frames) / 8)[:, None, None] * torch.tensor([1.0, 0.0, 0.5])
    return rest - rest[:, 1].min() * torch.tensor([0.0, 1.0, 0.0]) + sway


def made_archive(folder: Path, qualities: dict[str, list[float]]) -> tuple[Path, dict[bytes, float]]:
    """A rendered archive with a group for each name, and the quality of each clip; all figures are the same.

    The first candidate of a group is first in the order of the figures.
    """
    torch.save({"joints": _swaying_joints(), "fps": 16.0}, folder / "eval.pt")
    items, clips = [], {}
    for name, values in qualities.items():
        for number, quality in enumerate(values):
            clip = CLIP_START + f"clip {name} {number}".encode()
            (folder / f"{name}_{number}.mp4").write_bytes(clip)
            clips[clip] = quality
            files = {"video_path": f"{name}_{number}.mp4", "mbench_eval_path": "eval.pt"}
            candidate = {"id": f"{name}_s{number}", "group": name, "seed": number, "prompt": f"a person does {name}"}
            items.append({**candidate, **files, "use_ref_motion": True})
    (folder / "meta.json").write_text(json.dumps(items))
    return folder / "meta.json", clips
