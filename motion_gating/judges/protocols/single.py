"""The published yes/no question whether the clip matches the description, asked once for each vote."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from motion_gating.judges.answers import PROMPT, SCHEMA, prompt_for
from motion_gating.judges.conversation import Conversation
from motion_gating.judges.inquiry import Inquiry
from motion_gating.judges.protocols.interface import Part, count_support


@dataclass(frozen=True)
class SingleQuestion:
    """One question; with several votes, it is asked until one side has the majority.

    votes: an odd number.
    """

    votes: int = 1
    name: str = field(default="single", init=False)
    wordings: str = field(default=PROMPT, init=False)

    @property
    def least_calls(self) -> int:
        """See QuestionProtocol."""
        return self.votes // 2 + 1

    @property
    def more_calls(self) -> int:
        """See QuestionProtocol."""
        return self.votes // 2

    def examine(self, conversation: Conversation) -> Iterator[Part]:
        """See QuestionProtocol."""
        parts: list[Part] = []
        for vote in range(self.votes):
            values = conversation.ask(self._inquiry(conversation), vote)
            parts.append(Part("match", values["matches"] is True, str(values["analysis"])))
            yield parts[-1]
            if self.settle(parts) is not None:
                return

    def settle(self, parts: Sequence[Part]) -> bool | None:
        """See QuestionProtocol."""
        votes_for, votes_against = count_support(parts)
        return True if votes_for > self.votes // 2 else False if votes_against > self.votes // 2 else None

    def missing(self, conversation: Conversation) -> int:
        """See QuestionProtocol."""
        inquiry = self._inquiry(conversation)
        return sum(conversation.kept(inquiry, vote) is None for vote in range(self.least_calls))

    def _inquiry(self, conversation: Conversation) -> Inquiry:
        sees_clip = conversation.sees_clip
        return Inquiry("match", prompt_for(conversation.description, conversation.facts, sees_clip), SCHEMA, sees_clip)
