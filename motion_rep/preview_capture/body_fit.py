"""Fit the neutral body to a clip: to an estimate of its joints, to landmarks in the image, to smoothness and to joint
limits.

The source of estimate and landmarks does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from motion_rep.common.errors import InputError
from motion_rep.kinematics.rotations import matrix_to_rot6d, matrix_to_rotvec, rot6d_to_matrix, rotvec_to_matrix
from motion_rep.kinematics.skeleton import JOINT_NAMES, PARENTS, JointPoses, forward_kinematics, pelvis_at_rest
from motion_rep.preview_capture.adam import minimise
from motion_rep.preview_capture.markers import Markers

LEFT_KNEE, RIGHT_KNEE, LEFT_ELBOW, RIGHT_ELBOW = (
    JOINT_NAMES.index(n) - 1 for n in ("left_knee", "right_knee", "left_elbow", "right_elbow")
)
FEET = [JOINT_NAMES.index(n) for n in ("left_ankle", "right_ankle", "left_foot", "right_foot")]
NEAREST_DEPTH = 0.3
# Between neighbouring frames, second differences count as if at this rate, whatever the video's: the noise of the
# landmarks is per frame. Their share relative to those over ``smooth_seconds``:
NEIGHBOUR_RATE, NEIGHBOUR_SHARE = 30.0, 0.2
SLOWEST_FOR_NOISE = 20.0


@dataclass(frozen=True)
class BodyEstimate:
    """The estimate of each frame's body before the fit; camera axes (x right, y down, z forward).

    joints: (T, 22, 3) metres relative to the pelvis, of the neutral body.
    spread: (T, 22, 3) standard deviations of joints in metres, along the axes of view.
    view: (T, 3, 3) camera axes from an axis system whose z axis points at the person.
    rotations: (T, 22, 3, 3) global rotations.
    """

    joints: Tensor
    spread: Tensor
    view: Tensor
    rotations: Tensor

    def __post_init__(self) -> None:
        frames = len(self.joints)
        wanted = {
            "joints": (frames, 22, 3),
            "spread": (frames, 22, 3),
            "view": (frames, 3, 3),
            "rotations": (frames, 22, 3, 3),
        }
        for name, shape in wanted.items():
            if tuple(getattr(self, name).shape) != shape:
                raise InputError(
                    f"body estimate: {name} has shape {tuple(getattr(self, name).shape)}, expected {shape}."
                )


@dataclass(frozen=True)
class ImagePoints:
    """The image positions of the body's markers.

    pixels: (T, M, 2). weight: (T, M), zero or more. focal_length: pixels. centre: (2,) of the image, pixels.
    """

    pixels: Tensor
    weight: Tensor
    focal_length: float
    centre: Tensor

    def rays(self) -> Tensor:
        """(T, M, 2) x and y at depth 1."""
        return (self.pixels - self.centre) / self.focal_length


@dataclass(frozen=True)
class FitSettings:
    """Weights of the fit. Lengths in metres, times in seconds."""

    steps: int = 200
    rate: float = 0.02
    joint_weight: float = 0.5
    image_spread: float = 0.03
    image_weight: float = 1.0
    image_bound: float = 100.0
    rotation_spread: float = 0.35
    limit_weight: float = 30.0
    acceleration_spread: float = 6.0
    turn_spread: float = 40.0
    depth_speed_spread: float = 6.0
    smooth_weight: float = 0.25
    smooth_seconds: float = 1 / 15
    usual_noise: float = 0.0076
    most_smoothing: float = 8.0
    contact_weight: float = 1.0
    contact_speed: float = 0.25
    start_smoothing: float = 0.05


@dataclass(frozen=True)
class FittedBody:
    """SMPL-X parameters in the camera frame: root (T, 3, 3), body (T, 21, 3, 3), transl (T, 3)."""

    root: Tensor
    body: Tensor
    transl: Tensor


def fit_body(
    estimate: BodyEstimate, points: ImagePoints, markers: Markers, fps: float, settings: FitSettings = FitSettings()
) -> FittedBody:
    """The body whose joints and markers fit the clip best.

    Args:
        points: one column for each marker; frames of weight 0 are bridged by smoothness.
        fps: frames per second, for speeds.
    """
    pelvis = place_pelvis(estimate, points, markers, fps)
    settings = replace(settings, smooth_weight=settings.smooth_weight * _smoothing(points, pelvis, fps, settings))
    start = _local_rotations(_calmed(estimate.rotations, settings.start_smoothing * fps))
    still = _Contact(settings.steps // 3)

    def loss(values: Sequence[Tensor], step: int) -> Tensor:
        turn, bends, place = values
        pose = forward_kinematics(
            start[:, 0] @ rotvec_to_matrix(turn), rotvec_to_matrix(bends), place - pelvis_at_rest(place)
        )
        total = _joint_loss(pose, estimate, points, settings) + _image_loss(pose, points, markers, settings)
        total = total + _smooth_loss(pose, fps, settings) + _limit_loss(bends, settings)
        return total + still.loss(pose.positions, step, fps, settings)

    begin = (torch.zeros_like(pelvis), matrix_to_rotvec(start[:, 1:]).clamp(-2.6, 2.6), pelvis)
    turn, bends, pelvis = minimise(loss, begin, settings.steps, settings.rate)
    return FittedBody(start[:, 0] @ rotvec_to_matrix(turn), rotvec_to_matrix(bends), pelvis - pelvis_at_rest(pelvis))


def image_noise(points: ImagePoints, pelvis: Tensor) -> float:
    """Size of the landmarks' noise in metres at the person's depth, from fourth differences over time.

    Movement hardly affects a fourth difference; for white noise, it is sqrt(70) times the noise. The median ignores
    wrong frames.
    """
    sure = points.weight > 0.1 * points.weight.max()
    path = points.rays() * pelvis[:, None, 2:]
    shake = torch.diff(path, n=4, dim=0).abs()
    known = torch.stack([sure[k : len(sure) - 4 + k] for k in range(5)]).all(0)
    return float(shake[known].median()) / (0.6745 * 70**0.5) if bool(known.any()) else 0.0


def _smoothing(points: ImagePoints, pelvis: Tensor, fps: float, settings: FitSettings) -> float:
    """Factor on the usual smoothing for a clip; at low rates, movement cannot be distinguished from noise."""
    if len(pelvis) < 5 or fps < SLOWEST_FOR_NOISE:
        return 1.0
    noise = image_noise(points, pelvis) / settings.usual_noise
    return min(settings.most_smoothing, max(1.0, noise) ** 2)


def place_pelvis(estimate: BodyEstimate, points: ImagePoints, markers: Markers, fps: float) -> Tensor:
    """(T, 3) pelvis positions that put the estimated body on the image points, by linear least squares per frame.

    Frames without points are interpolated between their neighbours; the path is smoothed over time.
    """
    shape = markers.place(JointPoses(estimate.rotations, estimate.joints))
    rays, weight = points.rays(), points.weight.sqrt()
    one, zero = torch.ones_like(weight), torch.zeros_like(weight)
    rows = torch.cat((torch.stack((one, zero, -rays[..., 0]), -1), torch.stack((zero, one, -rays[..., 1]), -1)), dim=1)
    known = torch.cat(
        (rays[..., 0] * shape[..., 2] - shape[..., 0], rays[..., 1] * shape[..., 2] - shape[..., 1]), dim=1
    )
    double = torch.cat((weight, weight), dim=1)[..., None]
    rows, known = rows * double, known[..., None] * double
    seen = points.weight.sum(-1) > 1e-3
    normal = rows.mT @ rows + 1e-6 * torch.eye(3, dtype=rows.dtype)
    found = torch.linalg.solve(normal, rows.mT @ known)[..., 0]
    found[:, 2] = found[:, 2].clamp(min=NEAREST_DEPTH)
    filled = bridge(found, seen)
    return gaussian_smooth(median_smooth(filled, max(1, round(0.15 * fps))), 0.1 * fps)


def bridge(values: Tensor, known: Tensor) -> Tensor:
    """(T, ...) values with the unknown frames on the line between their known neighbours; at the ends the nearest known
    one.

    Args:
        known: (T,) bool, at least one True.
    """
    index = torch.arange(len(values))
    there = index[known]
    after = torch.searchsorted(there, index).clamp(max=len(there) - 1)
    before = (torch.searchsorted(there, index, right=True) - 1).clamp(min=0)
    low, high = there[before], there[after]
    share = (
        ((index - low).clamp(min=0) / (high - low).clamp(min=1)).to(values.dtype).reshape(-1, *[1] * (values.ndim - 1))
    )
    return values[low] * (1 - share) + values[high] * share


def gaussian_smooth(values: Tensor, spread: float) -> Tensor:
    """A Gaussian filter over the frames of (T, C), edges repeated; spread in frames."""
    radius = max(1, round(3 * spread))
    kernel = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, dtype=values.dtype) / max(spread, 1e-3)) ** 2)
    windows = _windows(values, radius)
    return (windows * kernel).sum(-1) / kernel.sum()


def median_smooth(values: Tensor, radius: int) -> Tensor:
    """A median filter over the frames of (T, C), edges repeated."""
    return _windows(values, radius).median(-1).values


def _windows(values: Tensor, radius: int) -> Tensor:
    padded = torch.cat((values[:1].expand(radius, -1), values, values[-1:].expand(radius, -1)))
    return padded.unfold(0, 2 * radius + 1, 1)


def _local_rotations(rotations: Tensor) -> Tensor:
    """Global (T, 22, 3, 3) to the root's and the others' relative to their parents."""
    parents = torch.tensor([max(p, 0) for p in PARENTS])
    local = rotations[:, parents].mT @ rotations
    return torch.cat((rotations[:, :1], local[:, 1:]), dim=1)


def _calmed(rotations: Tensor, spread: float) -> Tensor:
    """(T, J, 3, 3) rotations smoothed over time.

    Slow waves of a path converge last, so a calm start gives a calm result.
    """
    columns = gaussian_smooth(matrix_to_rot6d(rotations).flatten(1), spread)
    return rot6d_to_matrix(columns.unflatten(1, (-1, 6)))


def _robust(squared: Tensor, bound: float = 9.0) -> Tensor:
    """Geman and McClure's loss of squared residuals; it saturates far above the bound."""
    return squared / (1.0 + squared / bound)


def _joint_loss(pose: JointPoses, estimate: BodyEstimate, points: ImagePoints, settings: FitSettings) -> Tensor:
    """Distance of joints and orientations from the estimate, in frames with a detection."""
    seen = (points.weight.sum(-1) > 1e-3).to(pose.positions.dtype)
    away = (pose.positions - pose.positions[:, :1] - estimate.joints) @ estimate.view / estimate.spread
    joints = _robust((away * away).sum(-1)).sum(-1)
    turned = ((pose.rotations - estimate.rotations) ** 2).sum((-1, -2, -3)) / (2 * settings.rotation_spread**2)
    return ((settings.joint_weight * joints + turned) * seen).sum() / len(seen)


def _image_loss(pose: JointPoses, points: ImagePoints, markers: Markers, settings: FitSettings) -> Tensor:
    """Distance of the markers from their image positions, in metres at the person's depth."""
    placed = markers.place(pose)
    depth = placed[..., 2:].clamp(min=NEAREST_DEPTH)
    miss = (placed[..., :2] / depth - points.rays()) * (
        pose.positions[:, :1, 2:].detach().clamp(min=NEAREST_DEPTH) / settings.image_spread
    )
    return (
        settings.image_weight
        * (_robust((miss * miss).sum(-1), settings.image_bound) * points.weight).sum()
        / len(placed)
    )


def _smooth_loss(pose: JointPoses, fps: float, settings: FitSettings) -> Tensor:
    """Penalty on accelerations, proportional to their size, so that slow motions stay calm and fast ones stay fast.

    Accelerations are measured over a fixed time, so that the frame rate hardly matters; a smaller term, between
    neighbouring frames, connects these.
    """
    frames = len(pose.positions)
    if frames < 3:
        return pose.positions.new_zeros(())
    joints = torch.cat((pose.positions[:, :1], pose.positions[:, 1:] - pose.positions[:, :1]), dim=1)
    stride = max(1, min(round(fps * settings.smooth_seconds), (frames - 1) // 2))
    total = pose.positions.new_zeros(())
    for step, rate, share in ((1, NEIGHBOUR_RATE, NEIGHBOUR_SHARE), (stride, fps / stride, 1.0)):
        push = _second_difference(joints, step) * (rate**2 / settings.acceleration_spread)
        spin = _second_difference(pose.rotations.flatten(-2), step) * (rate**2 / settings.turn_spread)
        total = total + share * (_length(push).sum() + 0.5 * _length(spin).sum())
    glide = torch.diff(pose.positions[:, 0, 2]) * (fps / settings.depth_speed_spread)
    return (settings.smooth_weight * total + (glide * glide).sum()) / frames


def _second_difference(values: Tensor, step: int) -> Tensor:
    return values[2 * step :] - 2 * values[step:-step] + values[: -2 * step]


def _length(vectors: Tensor) -> Tensor:
    """Length of vectors, smooth at zero."""
    return ((vectors * vectors).sum(-1) + 0.01).sqrt() - 0.1


def _limit_loss(bends: Tensor, settings: FitSettings) -> Tensor:
    """Penalty on impossible bends: knees bend only backwards, and only until the heel stops them; elbows bend only
    forwards.
    """
    knees = bends[:, [LEFT_KNEE, RIGHT_KNEE], 0]
    elbows = torch.stack((-bends[:, LEFT_ELBOW, 1], bends[:, RIGHT_ELBOW, 1]), dim=-1)
    beyond = torch.relu(-knees) ** 2 + torch.relu(knees - 2.6) ** 2 + torch.relu(-elbows) ** 2
    return settings.limit_weight * beyond.sum() / len(bends)


class _Contact:
    """Keep standing feet in place; which feet stand is decided once, at a step at which the body is roughly right."""

    def __init__(self, decide_at: int) -> None:
        self._decide_at = decide_at
        self._surety: Tensor | None = None

    def loss(self, positions: Tensor, step: int, fps: float, settings: FitSettings) -> Tensor:
        feet = positions.index_select(1, torch.tensor(FEET))
        if step == self._decide_at:
            self._surety = _standing(feet.detach(), fps, settings)
        if self._surety is None:
            return positions.new_zeros(())
        slide = torch.diff(feet, dim=0) * (fps / settings.contact_speed)
        return settings.contact_weight * (_length(slide) * self._surety).sum() / len(positions)


def _standing(feet: Tensor, fps: float, settings: FitSettings) -> Tensor:
    """(T - 1, 4) certainty that each ankle and toe stands still from a frame to the next, 0 to 1.

    Decided by the speed across the view, because depth is not accurate enough.
    """
    calm = gaussian_smooth(feet.flatten(1), 0.05 * fps).unflatten(1, (len(FEET), 3))
    speed = torch.diff(calm[..., :2], dim=0).norm(dim=-1) * fps
    return torch.exp(-((speed / settings.contact_speed) ** 2))
