"""Whether a capture is plausible: its up axis over the whole clip, angles, speeds, size in the picture.

A file with other axes or units converts without an error and gives a person who lies down or flies. A sentence names
the likely cause and the flag that fixes it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from motion_rep.captures.capture import Capture
from motion_rep.captures.units import LENGTH_NAMES, LENGTHS, UP_AXES
from motion_rep.common.errors import InputError
from motion_rep.common.rates import LOADER_FPS
from motion_rep.kinematics.frames import AXIS_UP, OPENCV_FROM_UP, basis
from motion_rep.kinematics.skeleton import JOINT_NAMES

# Assumed height of a body in a picture, metres.
STANDING = 1.3
# Cosine between trunk and thighs above which a person stands or walks; crawling and sitting people bend their hips.
STRAIGHT_HIPS = 0.85
# Share of frames with straight hips, and mean alignment of the body with one axis.
STANDING_SHARE, ALONG_AXIS = 0.15, 0.75
# Metres per second that a person's pelvis exceeds in less than a tenth of the frames.
FASTEST = 20.0
# Smallest size of a person as a share of the picture's larger side; largest distance (m) from an unknown camera.
SMALLEST_SHARE, FARTHEST_FROM_CAMERA = 0.012, 250.0
# Smallest depth (m) of a pelvis in front of a known camera: the body would not fit into the picture.
NEAREST_TO_CAMERA = 0.2
# Largest height of a pelvis above the floor of a world, metres.
HIGHEST_PELVIS = 30.0
# Length of a rotation vector beyond which float32 rounds the angle by more than half a degree.
LARGEST_ANGLE = 1e5
# Radians that no joint turns in a sound file.
LARGEST_TURN = 4 * math.pi
# Typical speed (m/s), distance from the camera and height of the pelvis (m), each with its usual factor of variation.
SPEED, DISTANCE, PELVIS_HEIGHT = (0.4, 5.0), (4.0, 2.0), (0.95, 1.5)


def check_plausible(capture: Capture, joints: Tensor) -> str | None:
    """One sentence with the likely causes and their flags if the capture is implausible, else None.

    Args:
        joints: (T, 22, 3) of the capture, in its own axes, metres.
    """
    axes = _axis(capture, joints) or _behind(capture)
    found = [fault for fault in (_degrees(capture), axes, _unit(capture) or _too_near(capture)) if fault]
    if not found:
        return None
    faults, flags = (
        "; ".join(fault for fault, _ in found),
        " ".join(flag for _, flag in found if flag.partition(" ")[0] in capture.corrections),
    )
    return f"{faults}. If so, convert with {flags}" if flags else faults


def _degrees(capture: Capture) -> tuple[str, str] | None:
    if not capture.angles_beyond_joints:
        return None
    return "the rotation vectors are longer than any joint can turn: the angles look like degrees", "--degrees"


def _axis(capture: Capture, joints: Tensor) -> tuple[str, str] | None:
    """The file's axis from the feet to the head, if it is not the assumed up axis."""
    if capture.angles_beyond_joints:
        return None
    ankles, knees, hips = (_middle(joints, name) for name in ("ankle", "knee", "hip"))
    direction = _unit_vectors(joints[:, JOINT_NAMES.index("head")] - ankles).mean(0)
    direction = direction @ basis(OPENCV_FROM_UP[capture.up_axis], direction)
    trunk = _unit_vectors(joints[:, JOINT_NAMES.index("neck")] - hips)
    straight = (trunk * _unit_vectors(hips - knees)).sum(-1) > STRAIGHT_HIPS
    stands = float(straight.double().mean()) >= STANDING_SHARE
    assumed = direction.new_tensor(AXIS_UP[capture.up_axis])
    for name in UP_AXES:
        axis = direction.new_tensor(AXIS_UP[name])
        upside_down = bool((axis == -assumed).all())
        if name != capture.up_axis and float(direction @ axis) > ALONG_AXIS and (stands or upside_down):
            what = "the head is below the pelvis" if upside_down else "the person lies"
            return f"{what} over the whole clip: the file looks like {name} up", f"--up {name}"
    if abs(float(direction[0])) > ALONG_AXIS and stands and not _is_along_up(capture, direction):
        what = "the body lies along the x axis over the whole clip"
        return f"{what}: if the person stands, the video was turned by 90 degrees when it was captured", ""
    return None


def _is_along_up(capture: Capture, direction: Tensor) -> bool:
    """Whether the capture's own up direction says that the body stands."""
    return capture.up is not None and float(direction @ capture.up.to(direction)) > ALONG_AXIS


def _behind(capture: Capture) -> tuple[str, str] | None:
    """A person who is never in front of the camera."""
    if not capture.has_camera or bool((capture.parameters().pelvis()[:, 2] >= 0).any()):
        return None
    what = "the person is behind the camera over the whole clip (z is negative)"
    return f"{what}: the file's z axis probably points backwards; expected x right, y down, z forward", ""


def _middle(joints: Tensor, name: str) -> Tensor:
    """(T, 3) between the left and the right joint."""
    return (joints[:, JOINT_NAMES.index(f"left_{name}")] + joints[:, JOINT_NAMES.index(f"right_{name}")]) / 2


def _unit_vectors(vectors: Tensor) -> Tensor:
    return vectors / vectors.norm(dim=-1, keepdim=True).clamp(min=1e-6)


def _unit(capture: Capture) -> tuple[str, str] | None:
    """The unit of length that makes speed and position plausible, if metres do not."""
    speed, place = _speed(capture), _place(capture)
    too_fast, too_far = speed > FASTEST, _is_too_far(capture, place)
    if not (too_fast or too_far):
        return None
    typical = DISTANCE if capture.has_camera else PELVIS_HEIGHT
    unit = min(
        ("m", "cm", "mm"),
        key=lambda name: _oddity(speed * LENGTHS[name], SPEED) + _oddity(place * LENGTHS[name], typical),
    )
    what = f"the pelvis moves at {speed:.3g} m/s" if too_fast else f"the person is {place:.3g} m away"
    if unit == "m":
        cause = "its depth may be in units of the focal length" if too_far else "check --fps and the unit of transl"
        return f"{what}, which is implausible: {cause}", ""
    return f"{what}: the translations look like {LENGTH_NAMES[unit]}", f"--units {unit}"


def _too_near(capture: Capture) -> tuple[str, str] | None:
    """A person in the plane of the camera, because transl has large units or is missing."""
    depth = float(capture.parameters().pelvis()[:, 2].median())
    if not capture.has_camera or capture.focal_length is None or not 0 <= depth < NEAREST_TO_CAMERA:
        return None
    what = f"the pelvis is only {depth:.3f} m in front of the camera"
    in_kilometres = float(capture.transl.norm(dim=-1).median()) * LENGTHS["km"]
    if NEAREST_TO_CAMERA < in_kilometres < FARTHEST_FROM_CAMERA:
        return f"{what}: the translations look like {LENGTH_NAMES['km']}", "--units km"
    return f"{what}: transl is missing, or in another unit", ""


def _speed(capture: Capture) -> float:
    """Metres per second that the pelvis exceeds in a tenth of the frames; ignores a camera's noisy depth."""
    axes = 2 if capture.has_camera and capture.focal_length is not None else 3
    step = capture.parameters().pelvis()[:, :axes].diff(dim=0).norm(dim=-1)
    frames = 1 if capture.frame_index is None else capture.frame_index.diff()
    return float((step / frames).quantile(0.9)) * (capture.fps or LOADER_FPS)


def _place(capture: Capture) -> float:
    """Metres between the camera and the person, or between the floor of a world and the pelvis; of the median frame."""
    pelvis = capture.parameters().pelvis()
    return float(pelvis.norm(dim=-1).median() if capture.has_camera else pelvis[:, 1].abs().median())


def _is_too_far(capture: Capture, place: float) -> bool:
    if not capture.has_camera:
        return place > HIGHEST_PELVIS
    if capture.focal_length is None or capture.width is None or capture.height is None:
        return place > FARTHEST_FROM_CAMERA
    size = float(capture.focal_length.median()) * STANDING / place if place > 0 else math.inf
    return size < SMALLEST_SHARE * max(capture.width, capture.height)


def _oddity(value: float, typical: tuple[float, float]) -> float:
    """Squared distance from a typical value on a logarithmic scale; values near zero are clamped."""
    usual, factor = typical
    return (math.log(max(value, 1e-3 * usual) / usual) / math.log(factor)) ** 2


def angles_beyond_joints(angles: Tensor) -> bool:
    """Whether angles are so large that they must be degrees.

    A joint turns by less than pi; unwrapped roots of motion capture slightly exceed 2 pi.

    Args:
        angles: (T, J) lengths of rotation vectors.
    """
    if not bool((angles > LARGEST_TURN).any()):
        return False
    return bool((angles.median(dim=0).values > LARGEST_TURN).any())


def require_angles(rotvec: Tensor) -> Tensor:
    """Rotation vectors of a file as they are.

    Args:
        rotvec: (T, ..., 3)
    Raises:
        InputError: numbers so large that they do not tell an angle; without the file's name.
    """
    longest = rotvec.abs().flatten(1).amax(dim=1) if rotvec.numel() else torch.zeros(0)
    beyond = torch.nonzero((longest > LARGEST_ANGLE) & longest.isfinite()).flatten()
    if len(beyond):
        raise InputError(
            f"a rotation vector contains {float(longest[beyond].max()):.3g} radians (first: frame {int(beyond[0])}), "
            f"expected at most {LARGEST_ANGLE:g}: the angle is lost in rounding. Run the capture again or cut these "
            "frames off."
        )
    return rotvec


def damaged_angles(angles: Tensor) -> tuple[str, ...]:
    """A sentence if single frames contain angles that no joint reaches.

    Args:
        angles: (T, J) lengths of the rotation vectors of all joints but the root, which may turn several times.
    """
    frames = torch.nonzero((angles > LARGEST_TURN).any(dim=1)).flatten().tolist()
    if not frames or angles_beyond_joints(angles):
        return ()
    where = f"in {len(frames)} of {len(angles)} frames (first: frame {frames[0]})"
    return (f"rotation vectors are longer than any joint can turn {where}; these frames are probably damaged",)
