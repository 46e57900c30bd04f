"""The planned calls of a ranking, for ``--dry-run``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from motion_gating.gate.plan import price_lines, span, tokens_of
from motion_gating.judges.interface import Model, Preference
from motion_gating.ranking.candidate import Candidate
from motion_gating.ranking.contest import most_calls
from motion_gating.ranking.group_rank import Group, rank_group
from motion_rep.common.errors import counted

FOR_HOLDER = 1  # the smallest number of answers per pair


@dataclass
class _Asked:
    """The questions about a group, assuming that every answer outside the cache prefers the holder."""

    model: Model
    new: int = 0
    cached: int = 0
    tokens: int = 0

    def ask(self, first: Candidate, second: Candidate, least: bool) -> Preference:
        kept = self.model.prefer(first.question, second.question, least, ask=False)
        if kept.better is not None:
            self.cached += 1
            return kept
        self.new += 1
        self.tokens += sum(tokens_of(one.question, self.model) for one in (first, second))
        return replace(kept, better=FOR_HOLDER)


def plan_ranking(groups: Sequence[Group], model: Model | None, conflicts: str) -> Iterator[str]:
    """Lines with the number of groups and of calls, and their approximate number of prompt tokens.

    Args:
        conflicts: the rule for reviewers who chose different candidates.
    """
    dropped = sum(bool(one.dropped) for group in groups for one in group.candidates)
    count = sum(len(group.candidates) for group in groups)
    yield f"{counted(len(groups), 'group')} with {counted(count, 'candidate')}, of which {dropped} drop out"
    if model is None:
        return
    fewest = most = cached = 0
    fewest_tokens, most_tokens = 0, 0.0
    for group in groups:
        asked = _Asked(model)
        ranked = rank_group(group, asked.ask, conflicts)
        cached, fewest, fewest_tokens = cached + asked.cached, fewest + asked.new, fewest_tokens + asked.tokens
        if asked.new:
            more = most_calls(len(ranked.contenders)) - asked.cached
            most, most_tokens = most + more, most_tokens + asked.tokens * more / asked.new
    tokens = span(f"{fewest_tokens:,}", f"{round(most_tokens):,}")
    yield (
        f"{span(str(fewest), str(most))} calls, {cached} answers in the cache, about {tokens} prompt tokens; no call "
        "was made and nothing was written"
    )
    yield from price_lines(model, (fewest, most), (fewest_tokens, round(most_tokens)))
