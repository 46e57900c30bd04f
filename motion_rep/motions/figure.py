"""A figure of a motion: speeds, accelerations, jitter, foot heights and the path of the pelvis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure, FigureBase

from motion_rep.common.errors import InputError, counted, printable
from motion_rep.kinematics.foot_contact import FEET, FOOT_NAMES, foot_contacts
from motion_rep.kinematics.skeleton import JOINT_NAMES
from motion_rep.motions.consistency import agreed_joints
from motion_rep.motions.motion_file import MotionClip

# The most informative joints and their colours (safe for colour-blind readers: Okabe and Ito).
SHOWN = {
    "pelvis": "#000000",
    "head": "#777777",
    "left_wrist": "#0072b2",
    "right_wrist": "#d55e00",
    "left_foot": "#56b4e9",
    "right_foot": "#e69f00",
}
# Top of an axis relative to its highest value: room for the legend.
LEGEND_ROOM = 1.25
FOOT_COLORS = ("#0072b2", "#d55e00")


@dataclass(frozen=True)
class ShownMotion:
    """A motion to draw.

    Raises:
        InputError: fewer than 3 rows, which give no acceleration.
    """

    clip: MotionClip
    fps: float
    title: str

    def __post_init__(self) -> None:
        if len(self.clip) < 3:
            raise InputError(f"has {counted(len(self.clip), 'row')}, expected at least 3 for an acceleration.")


def motion_figure(clip: MotionClip, fps: float, title: str, *others: ShownMotion) -> Figure:
    """Five panels for each motion, all from its joint positions; several motions share their scales.

    Raises:
        InputError: fewer than 3 rows, which give no acceleration; or joint columns of another body.
    """
    shown = (ShownMotion(clip, fps, title), *others)
    figure = Figure(figsize=(13 * len(shown), 12.5), layout="constrained")
    columns: list[FigureBase] = [figure]
    if others:
        columns = list(figure.subfigures(1, len(shown), squeeze=False)[0])
    panels = [_draw(column, one.clip, one.fps, one.title) for column, one in zip(columns, shown, strict=True)]
    for name in panels[0]:
        _share_scales([axes[name] for axes in panels])
    return figure


def _share_scales(axes: list[Axes]) -> None:
    """Give the same panels of several motions common limits."""
    for get, put in ((Axes.get_xlim, Axes.set_xlim), (Axes.get_ylim, Axes.set_ylim)):
        limits = [get(one) for one in axes]
        turned = limits[0][0] > limits[0][1]
        low, high = min(min(pair) for pair in limits), max(max(pair) for pair in limits)
        for one in axes:
            put(one, (high, low) if turned else (low, high))
    if images := [image for one in axes for image in one.get_images()]:
        brightest = max(image.get_clim()[1] for image in images)
        for image in images:
            image.set_clim(0, brightest)


def _draw(figure: FigureBase, clip: MotionClip, fps: float, title: str) -> dict[str, Axes]:
    joints = agreed_joints(clip.motion.double()).joints
    positions, times = joints.numpy(), np.arange(len(joints)) / fps
    heading = f"{printable(title)}: {counted(len(joints), 'frame')} at {fps:g} fps, {len(joints) / fps:.2f} s"
    figure.suptitle(heading, fontsize=14, parse_math=False)  # a file name is not markup
    axes = figure.subplot_mosaic(
        [["speed", "acceleration"], ["jitter", "jitter"], ["feet", "path"]], height_ratios=(1, 1.35, 1.2)
    )
    _speeds(axes["speed"], positions, times, fps)
    _accelerations(axes["acceleration"], positions, times, fps)
    _jitter_map(figure, axes["jitter"], positions, fps)
    _feet(axes["feet"], positions, foot_contacts(joints, fps).numpy(), times)
    _path(figure, axes["path"], positions[:, 0], times)
    return axes


def jitter_of_joints(positions: np.ndarray) -> np.ndarray:
    """(N - 2, 22) length of each joint's second difference, plus that relative to the pelvis; its mean is the jitter
    degree.

    Args:
        positions: (N, 22, 3) metres; the result is in metres per frame squared.
    """
    second = positions[2:] - 2 * positions[1:-1] + positions[:-2]
    return np.linalg.norm(second, axis=-1) + np.linalg.norm(second - second[:, :1], axis=-1)


def _speeds(axes: Axes, positions: np.ndarray, times: np.ndarray, fps: float) -> None:
    speed = np.linalg.norm(np.diff(positions, axis=0), axis=-1) * fps
    _by_joint(axes, times[:-1] + 0.5 / fps, speed, "joint speed", "speed (m/s)")


def _accelerations(axes: Axes, positions: np.ndarray, times: np.ndarray, fps: float) -> None:
    second = positions[2:] - 2 * positions[1:-1] + positions[:-2]
    _by_joint(axes, times[1:-1], np.linalg.norm(second, axis=-1) * fps**2, "joint acceleration", "acceleration (m/s²)")


def _by_joint(axes: Axes, times: np.ndarray, values: np.ndarray, title: str, unit: str) -> None:
    axes.fill_between(times, values.min(1), values.max(1), color="#dddddd", label="all joints")
    for name, color in SHOWN.items():
        # Dashed, so that the line of the left side stays visible below.
        style = (0, (4, 2)) if name.startswith("right") else "-"
        axes.plot(
            times,
            values[:, JOINT_NAMES.index(name)],
            color=color,
            linewidth=1.4,
            linestyle=style,
            label=_readable(name),
        )
    axes.set(title=title, xlabel="time (s)", ylabel=unit, ylim=(0, LEGEND_ROOM * max(float(values.max()), 1e-3)))
    axes.legend(fontsize=8, ncols=4, loc="upper center", frameon=False)
    axes.margins(x=0.01)
    axes.grid(alpha=0.25)


def _jitter_map(figure: FigureBase, axes: Axes, positions: np.ndarray, fps: float) -> None:
    jitter = jitter_of_joints(positions)
    extent = (0.5 / fps, (len(jitter) + 0.5) / fps, len(JOINT_NAMES) - 0.5, -0.5)
    image = axes.imshow(jitter.T * 1000, aspect="auto", extent=extent, cmap="magma", interpolation="nearest", vmin=0)
    axes.set_yticks(range(len(JOINT_NAMES)), [_readable(name) for name in JOINT_NAMES], fontsize=8)
    axes.set(
        title=f"jitter of each joint; the mean of the map is the jitter degree per frame, {jitter.mean():.4f} m/frame²",
        xlabel="time (s)",
        ylabel="joint",
    )
    figure.colorbar(image, ax=axes, label=f"jitter (mm/frame² at {fps:g} fps)", pad=0.01)


def _feet(axes: Axes, positions: np.ndarray, contacts: np.ndarray, times: np.ndarray) -> None:
    height = positions[:, FEET, 2]
    room = max(0.1, float(np.ptp(height)))
    for side, (name, color) in enumerate(zip(FOOT_NAMES, FOOT_COLORS, strict=True)):
        axes.plot(times, height[:, side], color=color, linewidth=1.6, linestyle=("-", (0, (4, 2)))[side], label=name)
        level = height.min() - room * (0.08 + 0.06 * side)
        standing = np.where(contacts[:, side], level, np.nan)
        axes.plot(times, standing, color=color, linewidth=5, solid_capstyle="butt", label=f"{name} in contact")
    axes.axhline(0, color="#777777", linewidth=0.8)
    bottom = height.min() - 0.22 * room
    axes.set(
        title="foot height and contact",
        xlabel="time (s)",
        ylabel="height of the foot joint (m)",
        ylim=(bottom, bottom + LEGEND_ROOM * (height.max() - bottom)),
    )
    axes.legend(fontsize=8, ncols=3, loc="upper center", frameon=False)
    axes.margins(x=0.01)
    axes.grid(alpha=0.25)


def _path(figure: FigureBase, axes: Axes, pelvis: np.ndarray, times: np.ndarray) -> None:
    """The pelvis seen from above; the person starts at the origin and faces up the page."""
    points = pelvis[:, None, :2]
    lines = LineCollection(list(np.concatenate((points[:-1], points[1:]), axis=1)), cmap="viridis", linewidths=2.5)
    lines.set_array(times[:-1])
    axes.add_collection(lines)
    axes.plot(*pelvis[0, :2], "o", color="#440154", markersize=8, label="start")
    axes.plot(*pelvis[-1, :2], "s", color="#c8b400", markersize=8, label="end")
    middle, half = (
        (pelvis[:, :2].max(0) + pelvis[:, :2].min(0)) / 2,
        max(0.25, float(np.ptp(pelvis[:, :2], axis=0).max()) / 2) * 1.15,
    )
    axes.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half), aspect="equal")
    axes.set(title="pelvis path from above (the first frame faces +y)", xlabel="x (m)", ylabel="y (m)")
    axes.locator_params(nbins=6)
    axes.legend(fontsize=8, loc="best", framealpha=0.85)
    axes.grid(alpha=0.25)
    figure.colorbar(lines, ax=axes, label="time (s)", pad=0.01)


def _readable(name: str) -> str:
    return name.replace("_", " ")
