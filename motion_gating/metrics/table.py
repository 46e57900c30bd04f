"""The metrics of a record: their keys, names and units, and the limits that the gate offers.

Imports nothing heavy, so that ``--help`` answers at once; the functions are in
:mod:`motion_gating.metrics.joint_metrics`.
"""

from __future__ import annotations

from dataclasses import dataclass

from motion_gating.archives.fields import IMAGE_FIT, JITTER

TREMBLE = "tremble"
# Thresholds: a smooth motion is below.
DEFAULT_JITTER, SUGGESTED_TREMBLE = 0.04, 0.6
RAW = "raw"  # the motion before it was refined


@dataclass(frozen=True)
class Metric:
    """One figure of a record.

    Attributes:
        key: its key in the record, and the name of its check.
        name, unit: for people; multiply the figure by ``scale`` for that unit.
        limits: which of ``max`` and ``min`` can be set; each is a flag ``--max-<key>`` of the gate, off unless given.
        short: a shorter name of these flags.
        damage: a value that no sound motion reaches; None if there is no such value.
        hint: what the limit means, for ``--help``.
    """

    key: str
    name: str
    unit: str
    scale: float = 1.0
    limits: tuple[str, ...] = ("max",)
    short: str | None = None
    hint: str = ""
    damage: float | None = None

    @property
    def meaning(self) -> str:
        """What the limit means."""
        damage = "" if self.damage is None else f"{self.damage:g} or more means a damaged motion"
        return "; ".join(filter(None, (damage, self.hint)))

    def flags(self, kind: str) -> tuple[str, ...]:
        """The spellings of a limit's flag; ``kind`` is max or min."""
        return tuple(f"--{kind}-{name.replace('_', '-')}" for name in (self.key, self.short) if name)


METRICS = (
    Metric(JITTER, "jitter", "m/frame² at 16 fps", limits=()),
    Metric(
        "mbench_foot_sliding",
        "foot sliding (MBench)",
        "mm/frame",
        1000.0,
        short="foot_sliding",
        hint="metres per frame",
    ),
    Metric(
        "mbench_foot_floating",
        "foot floating (MBench)",
        "of frames",
        short="foot_floating",
        hint="share of frames, 0 to 1",
    ),
    Metric("ground_penetration", "ground penetration", "mm", 1000.0, hint="metres"),
    Metric("dynamic_degree", "dynamic degree", "mm/frame", 1000.0, limits=("max", "min"), hint="metres per frame"),
    Metric(TREMBLE, "tremble", "of white noise", hint=f"0 for none, 1 for noise; suggested: {SUGGESTED_TREMBLE:g}"),
    Metric("foot_clearance", "foot clearance", "mm", 1000.0, hint="metres"),
    Metric("skate_ratio", "skate ratio", "of ground steps", hint="share, 0 to 1"),
    Metric("skate_speed", "skate speed", "m/s", hint="metres per second"),
    Metric(
        "support_distance",
        "support distance",
        "mm",
        1000.0,
        hint="metres; from 0.10 on, a standing person leans; running and crawling give more",
    ),
    Metric("root_speed", "root speed", "m/s", damage=10.0),
    Metric("root_turn", "root turn", "rad/s", damage=20.0),
    Metric("height_range", "height range", "m", damage=2.0),
    Metric("joint_speed", "joint speed", "m/s", hint="a fast kick reaches 13", damage=20.0),
    Metric("joint_jerk", "joint jerk", "m/s³", damage=2000.0),
    Metric(
        IMAGE_FIT,
        "image fit of the capture",
        "of visible landmarks",
        limits=("min",),
        hint="share, 0 to 1; if below 0.9, look at the overlay",
    ),
)
