"""The judge that answers with the verdicts of reviewers."""

from __future__ import annotations

from dataclasses import dataclass, field

from motion_gating.judges.content import changed_part
from motion_gating.judges.interface import Model, Question, Stop, Verdict, undecided
from motion_gating.verdicts.flags import UNDECIDED
from motion_gating.verdicts.settling import settle
from motion_gating.verdicts.verdict_file import HumanVerdict, Verdicts

NAME = "manual"
# Error kinds.
NO_VERDICT, UNSURE, OTHER_CONTENT, CONFLICT = "no_verdict", "unsure", "other_content", "conflict"


@dataclass(frozen=True)
class ManualJudge:
    """Look up verdicts of reviewers; ask a model if no person decided.

    Attributes:
        people: the verdicts of all reviewers.
        source: names of the files, for the reasons in the report.
        conflicts: the rule for reviewers who contradict each other; see :func:`motion_gating.verdicts.settling.settle`.
    """

    people: Verdicts
    source: str
    model: Model | None = None
    conflicts: str = UNDECIDED
    name: str = field(default=NAME, init=False)
    refused: list[str] = field(default_factory=list, init=False)

    @property
    def is_remote_service(self) -> bool:
        return self.model is not None

    @property
    def stop(self) -> Stop | None:
        return self.model.stop if self.model else None

    def judge(self, question: Question) -> Verdict:
        """The verdict of the reviewers who judged this content; undecided if they were unsure, contradict each other,
        judged other content, or gave no verdict.
        """
        given = self.people.get(str(question.identifier), ())
        changed = [changed_part(human.content, question) for human in given]
        current = [human for human, part in zip(given, changed, strict=True) if part is None]
        if given and not current:
            self.refused.append(str(question.identifier))
        if self.model is not None and all(human.says_nothing for human in current):
            return self.model.judge(question)
        if not given:
            return undecided(NAME, NO_VERDICT, f"{self.source} has no verdict on this entry. Add one.")
        if not current:
            reason = f"the verdict in {self.source} was given on another {changed[0]}. Review this entry again."
            return undecided(NAME, OTHER_CONTENT, reason)
        return self._settled(current)

    def _settled(self, verdicts: list[HumanVerdict]) -> Verdict:
        settled = settle(verdicts, self.conflicts)
        human = settled.verdict
        if human is None or (human.matches is None and settled.conflict):
            reason = f"the reviewers disagree ({settled.conflict}). Decide, or give --conflicts."
            return undecided(NAME, CONFLICT, reason)
        if human.says_nothing:
            return undecided(NAME, NO_VERDICT, "another candidate of the group was chosen")
        if human.matches is None:
            return undecided(
                NAME, UNSURE, "the reviewer was unsure" + (f": {human.analysis}" if human.analysis else "")
            )
        rule = f"the reviewers disagree ({settled.conflict}); decided by the rule {self.conflicts}"
        return Verdict(human.matches, human.analysis, NAME, remarks=(rule,) if settled.conflict else ())
