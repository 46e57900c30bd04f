"""The description of a motion file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from motion_rep.common.errors import located
from motion_rep.common.rates import TIMING, playback_rate
from motion_rep.describing.contradictions import contradictions
from motion_rep.describing.facts import MotionFacts, motion_facts
from motion_rep.describing.sentences import sentences
from motion_rep.kinematics.frames import y_up_from_z_up
from motion_rep.motions.consistency import agreed_joints
from motion_rep.motions.motion_file import MotionClip, read_motion


@dataclass(frozen=True)
class Description:
    """Facts of a motion as sentences, its ``contradictions`` with a text, and ``notes`` on how the file was read."""

    facts: MotionFacts
    sentences: tuple[str, ...]
    contradictions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """The values for JSON."""
        return {
            "sentences": list(self.sentences),
            "facts": self.facts.as_dict(),
            "contradictions": list(self.contradictions),
        }


def describe_file(path: Path, fps: float | None = None, text: str | None = None) -> Description:
    """The description of a motion file.

    Args:
        fps: frames per second; None means the file's own.
        text: a description to compare with.
    Raises:
        InputError: the file cannot be read, or is too short.
    """
    clip = read_motion(path)
    with located(path):
        return describe_clip(clip, fps, text)


def describe_clip(clip: MotionClip, fps: float | None = None, text: str | None = None) -> Description:
    """The description of a motion; see :func:`describe_file`."""
    rate, guess = playback_rate(TIMING, fps, clip.fps)
    joints, note = agreed_joints(clip.motion)
    facts = motion_facts(y_up_from_z_up(joints.double()).numpy(), rate)
    found = contradictions(text, facts) if text else []
    return Description(facts, tuple(sentences(facts)), tuple(found), tuple(filter(None, (guess, note))))
