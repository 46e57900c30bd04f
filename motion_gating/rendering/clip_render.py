"""Render one motion file to the two files that the gate needs: the lit video and the small eval file."""

from __future__ import annotations

import contextlib
import filecmp
import functools
import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch

from motion_gating.archives.content import JOINTS_NOTE, JUDGE_SHA256, MOTION_DIGEST, motion_digest
from motion_gating.archives.fields import IMAGE_FIT
from motion_rep.bodies.body_models import Body, load_body
from motion_rep.common.errors import InputError, located
from motion_rep.common.rates import DRAWING, playback_rate
from motion_rep.drawing.contact_marks import MARKS_VERSION, contact_marks
from motion_rep.drawing.lit_clip import lit_frames
from motion_rep.drawing.mbench_scene import MBENCH, VIEWS
from motion_rep.drawing.opencv_renderer import OpenCvRenderer
from motion_rep.drawing.renderers import Renderer, load_renderer
from motion_rep.drawing.side_view import close_side_views
from motion_rep.files.atomic_writing import atomic_path
from motion_rep.files.local_files import file_sha256, unchanged
from motion_rep.files.locations import Location, resolve_from
from motion_rep.files.remote_files import local_copy, local_output
from motion_rep.kinematics.frames import y_up_from_z_up
from motion_rep.kinematics.parameters import BodyParameters
from motion_rep.kinematics.rotations import matrix_to_rotvec
from motion_rep.motions.consistency import AgreedJoints, agreed_joints
from motion_rep.motions.encoding import body_parameters
from motion_rep.motions.motion_file import MotionClip, read_motion
from motion_rep.runs.engine import Engine
from motion_rep.safe_loading.torch_files import read_torch, write_torch
from motion_rep.video.writing import open_writer

# Increase it whenever the pictures change, so that older files are redrawn.
STYLE_VERSION = 2
# As accurate as the usual settings, in half the time; the files are a third larger.
QUICK_ENCODING = {"preset": "ultrafast", "quality": 26}
# Keys of an eval file about the two videos of a motion; see RenderSettings.seals.
SEALS, JUDGE_SEALS = ("fingerprint", "video_sha256"), ("judge_fingerprint", JUDGE_SHA256)
# Settings that were added later, with the values that applied before.
NEW_SETTINGS = {"show_contacts": False, "framing": MBENCH, "sampling_fps": None}
SIDE = "side"
FRAMINGS = {**VIEWS, SIDE: close_side_views}
Place = TypeVar("Place", bound=Location)


@dataclass(frozen=True)
class RenderSettings:
    """The settings that change the pictures.

    fps: None means the motion's own rate, else 20.
    sampling_fps: for a judge, draw only the frames that it sees at this rate; None draws all frames, for people.
    """

    width: int = 960
    height: int = 960
    fps: float | None = None
    renderer: str = "opencv"
    body: str = ""
    show_contacts: bool = False
    framing: str = MBENCH
    sampling_fps: float | None = None

    @property
    def encoding(self) -> dict[str, Any]:
        """Arguments of :func:`motion_rep.video.writing.open_writer`: a judge's clip is encoded quickly."""
        return {} if self.sampling_fps is None else QUICK_ENCODING

    @property
    def seals(self) -> tuple[str, str]:
        """Keys of the eval file: fingerprint of the settings, and digest of the video that was drawn with them."""
        return SEALS if self.sampling_fps is None else JUDGE_SEALS


@dataclass(frozen=True)
class RenderTarget(Generic[Place]):
    """The paths of the two files of a clip."""

    video: Place
    eval: Place


@dataclass(frozen=True)
class RenderJob:
    """The motion path of an entry (None if it has none), its archive, and the paths of the two files to write.

    older: where earlier versions wrote them. problem: why the entry is invalid; None if it is valid.
    """

    motion_path: str | None
    meta_json: Location
    target: RenderTarget[Location]
    older: RenderTarget[Location] | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Tools:
    """The body, device, renderer and number of threads of a worker.

    The body: see :func:`motion_rep.bodies.body_models.load_body`.
    """

    model_path: str | None = None
    device: str = "cpu"
    renderer: str = "opencv"
    threads: int | None = None


@dataclass(frozen=True)
class Drawing:
    """The loaded body and renderer, and the settings.

    threads: the number of drawing threads; see :func:`motion_rep.drawing.lit_clip.lit_frames`.
    """

    body: Body
    renderer: Renderer
    settings: RenderSettings
    threads: int | None = None


@dataclass(frozen=True)
class Rendered:
    """The outcome of a job.

    Attributes:
        drawn: False if both files already existed, complete and made from this motion with these settings.
        motion: digest of the motion; see :func:`motion_gating.archives.content.motion_digest`.
        replaced: whether the older eval file was made from another motion.
        note: a sentence if the joints are not those of the motion's columns.
        both: whether the other video of this motion (for people or for the judge) exists, too.
    """

    drawn: bool
    motion: str
    replaced: bool = False
    note: str | None = None
    both: bool = False


def start_rendering(tools: Tools, settings: RenderSettings, overwrite: bool = False) -> Callable[[RenderJob], Rendered]:
    """The work of a worker process: a function that renders a job."""
    body, renderer = load_body("smplx", tools.model_path, tools.device), load_renderer(tools.renderer)
    if settings.sampling_fps is not None and renderer.name == "opencv":
        renderer = OpenCvRenderer(supersampling=1)
    settings = replace(settings, renderer=renderer.name, body=body.key)
    return functools.partial(_render_job, Drawing(body, renderer, settings, tools.threads), overwrite)


def engine_for(renderer: Renderer, engine: Engine) -> Engine:
    """The engine, without workers by default if OpenGL draws: one process keeps a GPU busy."""
    return engine if renderer.name == "opencv" else replace(engine, worth_a_worker=sys.maxsize)


def _render_job(drawing: Drawing, overwrite: bool, job: RenderJob) -> Rendered:
    if job.problem is not None:
        raise InputError(job.problem)
    if job.motion_path is None:
        raise InputError("has no motion_path, expected the path of a motion .pt")
    with contextlib.ExitStack() as copies:
        motion_path = copies.enter_context(local_copy(resolve_from(job.motion_path, job.meta_json)))
        eval_path, video = (
            copies.enter_context(local_output(path, fetch=not overwrite))
            for path in (job.target.eval, job.target.video)
        )
        if job.older is not None and not overwrite and not video.exists():
            _take_over(job.older, RenderTarget(video, eval_path), motion_path, drawing.settings)
        return _render_clip(motion_path, RenderTarget(video, eval_path), drawing, overwrite)


def _take_over(
    older: RenderTarget[Location], target: RenderTarget[Path], motion_path: Path, settings: RenderSettings
) -> None:
    """Copy the two files of an earlier version if they were made from this motion with these settings."""
    if not (isinstance(older.video, Path) and isinstance(older.eval, Path)):
        return
    made, known = _earlier_eval(older.eval), _earlier_eval(target.eval)
    clip, sha256 = motion_with_sha256(motion_path)
    digest, fingerprint = motion_digest(clip), render_fingerprint(sha256, settings)
    found = RenderTarget(older.video, older.eval)
    if made.get(MOTION_DIGEST) != digest or not is_finished(found, fingerprint, made, settings.seals):
        return
    with atomic_path(target.video) as temporary:
        shutil.copyfile(older.video, temporary)
    # The data of the other video, for people or for the judge, is kept.
    write_torch(target.eval, {**made, **known} if known.get(MOTION_DIGEST) == digest else dict(made))


def _render_clip(motion_path: Path, target: RenderTarget[Path], drawing: Drawing, overwrite: bool) -> Rendered:
    """Write the video, and the eval file with a fingerprint of the motion and the settings.

    Args:
        overwrite: also draw a finished video, and replace files that this function did not write.
    Raises:
        InputError: the motion cannot be read, a file cannot be written, or a file of another program is in the way.
    """
    settings = drawing.settings
    clip, sha256 = motion_with_sha256(motion_path)
    digest, fingerprint = motion_digest(clip), render_fingerprint(sha256, settings)
    made = _earlier_eval(target.eval)
    replaced = made.get(MOTION_DIGEST) not in (None, digest)
    others = JUDGE_SEALS if settings.seals == SEALS else SEALS
    kept = {key: made[key] for key in others if key in made and made.get(MOTION_DIGEST) == digest}
    if not overwrite and made.get(MOTION_DIGEST) == digest and is_finished(target, fingerprint, made, settings.seals):
        return Rendered(False, digest, both=bool(kept))
    foreign = not overwrite and made.keys().isdisjoint((*SEALS, *JUDGE_SEALS))
    if foreign and target.eval.exists():
        raise _kept(target.eval)
    with located(motion_path):
        agreed = agreed_joints(clip.motion)
    parameters = body_parameters(clip.motion.double())
    fps, _ = playback_rate(DRAWING, settings.fps, clip.fps)
    check = functools.partial(_require_same, target.video) if foreign and target.video.exists() else None
    drawn = draw_video(target.video, parameters, fps, drawing, check)
    # If a run ends before it has written the eval file, the older one does not match this video, so the clip counts as
    # unfinished.
    seals = dict(zip(settings.seals, (fingerprint, drawn), strict=True))
    made_from = {**kept, **seals, MOTION_DIGEST: digest}
    write_torch(target.eval, {**eval_dict(clip, agreed, parameters), **made_from})
    return Rendered(True, digest, replaced, agreed.note, bool(kept))


def motion_with_sha256(path: Path) -> tuple[MotionClip, str]:
    """A motion, and the digest of the file with it.

    The digest comes first: if a change is not seen, the result has the digest of the old content and is made again.

    Raises:
        InputError: it cannot be read, or is replaced meanwhile.
    """
    with unchanged(path):
        digest = file_sha256(path)
        return read_motion(path), digest


def _require_same(video: Path, drawn: Path) -> None:
    """Check that a video without an eval file is the one of a run that ended before it wrote this file."""
    if not filecmp.cmp(video, drawn, shallow=False):
        raise _kept(video)


def _kept(path: Path) -> InputError:
    return InputError(
        f"{path}: exists, and no eval file shows that this command wrote it. It was kept: move it away, write to "
        "another folder, or give --overwrite."
    )


def draw_video(
    target: Path,
    parameters: BodyParameters,
    fps: float,
    drawing: Drawing,
    check: Callable[[Path], None] | None = None,
) -> str:
    """Write the video of a motion, and return its sha256; another run may replace it at once.

    Args:
        parameters: canonical z-up frame.
        fps: rate of the motion.
        check: of the complete video; see :func:`motion_rep.video.writing.open_writer`.
    Raises:
        InputError: it cannot be written.
    """
    settings = drawing.settings
    width, height, view_of = settings.width, settings.height, FRAMINGS[settings.framing]
    marks = contact_marks(parameters, fps) if settings.show_contacts else None
    shown, shown_fps = (parameters, fps) if settings.sampling_fps is None else _sampled(parameters, fps, settings)
    digests: list[str] = []

    def complete(drawn: Path) -> None:
        if check is not None:
            check(drawn)
        digests.append(file_sha256(drawn))

    with open_writer(target, width, height, shown_fps, check=complete, **settings.encoding) as writer:
        for picture in lit_frames(
            drawing.body, drawing.renderer, shown, width, height, view_of, drawing.threads, marks
        ):
            writer.write(picture)
    return digests[0]


def _sampled(parameters: BodyParameters, fps: float, settings: RenderSettings) -> tuple[BodyParameters, float]:
    """The frames nearest to the times of a model's samples, and their rate; all frames of a slower motion."""
    count, rate = len(parameters.transl), min(settings.sampling_fps or fps, fps)
    samples = int((count - 1) * rate / fps + 1e-6) + 1
    frames = (torch.arange(samples, dtype=torch.float64) * fps / rate).round().long().clamp(max=count - 1)
    return BodyParameters(*(value[frames] for value in parameters)), rate


def render_fingerprint(motion_sha256: str, settings: RenderSettings) -> str:
    """Hex digest of the digest of a motion's file and of the settings."""
    used = {name: value for name, value in asdict(settings).items() if value != NEW_SETTINGS.get(name)}
    marks = {"marks": MARKS_VERSION} if settings.show_contacts else {}
    made_with = json.dumps({"style": STYLE_VERSION, **marks, **used}, sort_keys=True)
    return hashlib.sha256(f"{motion_sha256} {made_with}".encode()).hexdigest()


def is_finished(target: RenderTarget[Path], fingerprint: str, made: Mapping, seals: tuple[str, str] = SEALS) -> bool:
    """Whether the video exists, is complete, and belongs to ``made``, the contents of the eval file."""
    known = made.get(seals[0]) == fingerprint and target.video.is_file()
    return known and made.get(seals[1]) == file_sha256(target.video)


def _earlier_eval(path: Path) -> Mapping:
    """The contents of an earlier run's eval file; empty without one."""
    try:
        made = read_torch(path) if path.is_file() else {}
    except InputError:
        return {}
    return made if isinstance(made, dict) else {}


def eval_dict(clip: MotionClip, agreed: AgreedJoints, parameters: BodyParameters) -> dict:
    """The contents of an eval file: joints and SMPL-X parameters.

    Joints (T, 22, 3) y-up, floor at 0, the first pelvis above the origin; SMPL-X parameters z-up.
    """
    joints = y_up_from_z_up(agreed.joints)
    start = y_up_from_z_up(parameters.pelvis()[0]).float() * torch.tensor([1.0, 0.0, 1.0])
    value: dict[str, object] = {
        "joints": (joints - start).contiguous(),
        "global_orient": matrix_to_rotvec(parameters.root).float(),
        "body_pose": matrix_to_rotvec(parameters.body).flatten(1).float(),
        "transl": parameters.transl.float(),
    }
    more = {"fps": clip.fps, "refined": clip.refined, IMAGE_FIT: clip.image_fit, JOINTS_NOTE: agreed.note}
    return {**value, **{key: known for key, known in more.items() if known is not None}}
