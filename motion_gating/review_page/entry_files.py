"""The files of an entry while its page is made: what they contain, or why they cannot be read."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import torch

from motion_gating.archives.fields import EVAL_PATH, MOTION_PATH, PROMPT, VIDEO_PATH
from motion_gating.archives.texts import text_of
from motion_gating.metrics.joint_clip import JointClip, read_joint_clip
from motion_gating.rendering.clip_render import motion_with_sha256
from motion_gating.review_page.drawn_videos import DrawingTools
from motion_gating.review_page.media import Video, copied, url_from
from motion_gating.review_page.records import (
    ReviewEntry,
)
from motion_gating.review_page.reviewing import Reviewing
from motion_rep.common.errors import InputError
from motion_rep.files.local_files import OutputNames, safe_name
from motion_rep.files.locations import Location, RemotePath, resolve_from
from motion_rep.files.remote_files import local_copy
from motion_rep.kinematics.frames import y_up_from_z_up
from motion_rep.motions.layout import unpack
from motion_rep.motions.motion_file import MotionClip

Read = TypeVar("Read")
# Metres, and parts of rotation matrices.
INVISIBLE = 1e-3


@dataclass(frozen=True)
class PageOptions:
    """Inputs of the page, and which parts to make.

    drawing: tools for views and overlays; None omits these.
    checks: folder where motion_checker.py wrote ``<name>_overlay.mp4`` or ``<name>_depth.mp4``.
    raw_motions: folder with the motions before they were refined, under the same file names.
    names: names of the entries' files; None accepts only safe names.
    reviewing: the reviewers and their existing verdicts.
    """

    meta_json: Location
    output: Path
    threshold: float
    drawing: DrawingTools | None = None
    checks: Path | None = None
    copy_media: bool = False
    raw_motions: Path | None = None
    video_field: str = VIDEO_PATH
    eval_field: str = EVAL_PATH
    prompt_field: str = PROMPT
    names: OutputNames | None = None
    reviewing: Reviewing = field(default_factory=Reviewing)


@dataclass
class Entry:
    """An entry while its page is made: its readable files, and why others cannot be read.

    copies, fetched: copies of remote files, which are deleted when the entry is finished.
    motion_sha256, raw_sha256: digests of the files of the motions that were read.
    """

    item: ReviewEntry
    options: PageOptions
    copies: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    fetched: set[Path] = field(default_factory=set)
    lit: Path | None = None
    motion_path: Path | None = None
    motion: MotionClip | None = None
    motion_sha256: str | None = None
    joints: JointClip | None = None
    raw: MotionClip | None = None
    raw_sha256: str | None = None
    raw_is_same: bool = False
    missing: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        names = self.options.names
        return safe_name(self.item.identifier) if names is None else names.of(self.item.identifier)

    @property
    def prompt(self) -> str:
        """The judged text; other contents of its field as JSON."""
        name = self.options.prompt_field
        text, value = text_of(self.item.entry, name), self.item.entry.get(name)
        if text is not None or not value:
            return text or ""
        return value if isinstance(value, str) else json.dumps(value)

    @property
    def fps(self) -> float | None:
        return (self.joints and self.joints.fps) or (self.motion and self.motion.fps) or None

    @property
    def frames(self) -> int | None:
        known = self.motion if self.joints is None else self.joints.joints
        return None if known is None else len(known)

    def output(self, folder: str, suffix: str) -> Path:
        """A file of this entry in the page's folder."""
        return self.options.output / folder / f"{self.key}{suffix}"

    def older(self, folder: str, suffix: str) -> Path | None:
        """The path at which an earlier version wrote a file of this entry, if different; such a file is used only if
        its content matches.
        """
        name = self.options.names and self.options.names.older(self.item.identifier)
        return self.options.output / folder / f"{name}{suffix}" if name else None

    def tried(self, read: Callable[[], Read], what: str) -> Read | None:
        """The result of a function; None if it raises InputError, which is recorded."""
        try:
            return read()
        except InputError as error:
            self.missing.append(f"{what}: {error}")
            return None

    def file(self, name: str, what: str) -> Path | None:
        """The file in a field, or a copy of a remote one; None if the field is empty or the file cannot be fetched."""
        path = self.item.path(name)
        if path is None:
            return None
        found = self.tried(lambda: resolve_from(path, self.options.meta_json), what)
        if not isinstance(found, RemotePath):
            return found
        copy = self.tried(lambda: self.copies.enter_context(local_copy(found)), what)
        if copy is not None:
            self.fetched.add(copy)
        return copy

    def read(self) -> None:
        """Read the motion and the joints."""
        motion_path = self.motion_path = self.file(MOTION_PATH, "motion")
        if motion_path is not None:
            read = self.tried(lambda: motion_with_sha256(motion_path), "motion")
            self.motion, self.motion_sha256 = read or (None, None)
        eval_path = self.file(self.options.eval_field, "curves")
        if eval_path is not None:
            self.joints = self.tried(lambda: read_joint_clip(eval_path), "curves")
        raw_path = self._raw_path()
        if raw_path is not None:
            read = self.tried(lambda: motion_with_sha256(raw_path), "motion before refining")
            self.raw, self.raw_sha256 = read or (None, None)
            if self.raw is not None and self.motion is not None and _are_same(self.raw, self.motion):
                self.raw, self.raw_is_same = None, True

    def _raw_path(self) -> Path | None:
        """The motion of the same name in the folder of raw motions, if this one was refined."""
        if self.options.raw_motions is None or self.motion_path is None or not (self.motion and self.motion.refined):
            return None
        path = self.options.raw_motions / self.motion_path.name
        return path if path.is_file() else None

    @property
    def raw_joints(self) -> JointClip | None:
        """The joints before refining, y-up."""
        if self.raw is None:
            return None
        joints, fps = y_up_from_z_up(unpack(self.raw.motion.double()).joints), self.raw.fps
        return self.tried(lambda: JointClip(joints.numpy(), fps), "curves before refining")

    @property
    def lead(self) -> float:
        """Seconds by which the raw motion begins earlier."""
        return self.motion.start_time - self.raw.start_time if self.motion and self.raw else 0.0

    def linked(self, video: Video, path: Path | None, rate: float | None, fps: float, offset: float = 0.0) -> Video:
        """A video with a link to a file whose frames correspond one to one to the motion's frames, at ``rate``."""
        if path is None:
            return replace(video, error="the entry names none")
        if rate is None:
            return replace(video, error=f"{path.name} is missing or not a video")
        if self.options.copy_media or path in self.fetched:
            path = copied(path, self.output("media", f"_{video.kind}{path.suffix}"))
        return replace(video, url=url_from(self.options.output, path), scale=fps / rate, offset=offset)


def _are_same(raw: MotionClip, refined: MotionClip) -> bool:
    """Whether refining made no visible change."""
    rows, others = raw.motion, refined.motion
    return rows.shape == others.shape and bool(torch.allclose(rows, others, rtol=0.0, atol=INVISIBLE))
