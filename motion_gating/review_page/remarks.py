"""Texts of the page besides the decision: facts measured on the joints, remarks, and the judge's evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from motion_gating.metrics.joint_clip import JointClip
from motion_gating.review_page.records import ReviewEntry
from motion_rep.describing.contradictions import contradictions
from motion_rep.describing.facts import FEWEST_FRAMES, motion_facts
from motion_rep.describing.sentences import sentences

SUPPORT = {True: "supports a match", False: "contradicts a match"}


@dataclass(frozen=True)
class Remarks:
    """Sentences for the page; empty if there are none."""

    facts: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, list[str]]:
        """The sentences for the page's script."""
        return {"facts": list(self.facts), "remarks": list(self.remarks), "evidence": list(self.evidence)}


def remarks_on(item: ReviewEntry, joints: JointClip | None, fps: float, prompt: str) -> Remarks:
    """The sentences about an entry.

    Args:
        joints: None if there are none.
        fps: rate at which the page plays them.
    """
    record = item.record or {}
    remarks = [remark for remark in _listed(record.get("remarks")) if isinstance(remark, str)]
    facts: list[str] = []
    if joints is not None and len(joints.joints) >= FEWEST_FRAMES:
        found = motion_facts(joints.joints, fps)
        facts = sentences(found)
        remarks += contradictions(prompt, found)
    return Remarks(tuple(facts), tuple(dict.fromkeys(remarks)), tuple(_evidence(record)))


def _evidence(record: dict) -> Iterator[str]:
    """The parts of the evidence, in order."""
    for part in _listed(record.get("vlm_evidence")):
        if not isinstance(part, dict):
            continue
        supports = part.get("supports")
        support = SUPPORT.get(supports) if isinstance(supports, bool) else None
        answers = part.get("answers")
        checks = [f"{event} {answer}" for event, answer in answers.items()] if isinstance(answers, dict) else []
        words = [f"{part.get('part')}{f' {support}' if support else ''}: {part.get('said')}", *checks]
        yield "; ".join(words)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []
