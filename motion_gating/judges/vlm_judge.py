"""A judge that asks a service: from the cache where it can, with votes, and with every failure turned into undecided."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from motion_gating.judges.answer_cache import AnswerCache, KeptAnswer
from motion_gating.judges.answers import SCHEMA, prompt_for, read_answer
from motion_gating.judges.interface import NO_QUESTION, RUN_ENDED, Question, Stop, Verdict, undecided
from motion_gating.judges.retrying import Caller, RunStopped
from motion_gating.judges.service import Attempt, CallFailure, Failure, Service, short, video_type, without_secrets
from motion_rep.common.errors import InputError
from motion_rep.files.local_files import read_bytes
from motion_rep.files.remote_files import local_copy


@dataclass(frozen=True)
class VlmJudge:
    """Asks one service.

    Attributes:
        votes: odd; asking ends as soon as one side has the majority.
    """

    service: Service
    caller: Caller
    cache: AnswerCache
    votes: int = 1
    waits: bool = field(default=True, init=False)

    @property
    def name(self) -> str:
        return self.service.name

    @property
    def stop(self) -> Stop | None:
        return self.caller.stop

    def judge(self, question: Question) -> Verdict:
        """The verdict of the majority of the votes; undecided where an answer did not come."""
        with ExitStack() as opened:
            try:
                video, data = opened.enter_context(_clip(question))
            except InputError as error:
                return undecided(self.name, NO_QUESTION, str(error))
            return self._collect(question.description, video, data)

    def unanswered(self, question: Question) -> int:
        """How many calls the question takes at least: answers up to a majority that are not in the cache.

        Raises:
            InputError: the question cannot be asked.
        """
        with _clip(question) as (_, data):
            asked = self._asked(question.description, data)
        return sum(self.cache.get({**asked, "vote": vote}) is None for vote in range(self.votes // 2 + 1))

    def _collect(self, description: str, video: Path, data: bytes) -> Verdict:
        asked, answers, cached = self._asked(description, data), [], 0
        with self.service.attach(video, data) as media:
            for vote in range(self.votes):
                kept = self.cache.get({**asked, "vote": vote})
                cached += kept is not None
                try:
                    answers.append(kept or self._ask(description, media, {**asked, "vote": vote}))
                except RunStopped:
                    return self._verdict(answers, cached, RUN_ENDED, f"not asked: {self.stop.message}")
                except CallFailure as failure:
                    return self._verdict(answers, cached, failure.kind.value, failure.message)
                if _majority(answers, self.votes) is not None:
                    break
        return self._verdict(answers, cached)

    def _ask(self, description: str, media: object, asked: dict) -> KeptAnswer:
        def ask(attempt: Attempt) -> KeptAnswer:
            with self._readable_failures():
                reply = self.service.ask(prompt_for(description), media, attempt)
                answer = read_answer(self._hidden(reply.text))
            version = None if reply.model_version is None else short(self._hidden(reply.model_version), 120)
            return KeptAnswer(answer, version, reply.prompt_tokens)

        kept = self.caller.call(ask)
        try:
            self.cache.put(asked, kept)
        except InputError as error:  # a full disk; further answers would be paid for and lost
            self.caller.end_run(Stop(str(error), exit_code=2))
        return kept

    @contextmanager
    def _readable_failures(self) -> Iterator[None]:
        """Every failure as a CallFailure with one line that shows no secret; also one that nobody thought of."""
        try:
            yield
        except CallFailure as failure:
            raise CallFailure(failure.kind, short(self._hidden(failure.message)), failure.wanted_delay) from None
        except Exception as error:  # an error is not a verdict
            raise CallFailure(Failure.UNEXPECTED, short(self._hidden(f"{type(error).__name__}: {error}"))) from None

    def _hidden(self, text: str) -> str:
        return without_secrets(text, self.service.secrets)

    def _asked(self, description: str, data: bytes) -> dict:
        video = hashlib.sha256(data).hexdigest()
        return {
            "judge": self.name,
            **self.service.settings(),
            "schema": SCHEMA,
            "prompt": prompt_for(description),
            "video_sha256": video,
        }

    def _verdict(
        self, answers: list[KeptAnswer], cached: int, error_kind: str | None = None, error: str | None = None
    ) -> Verdict:
        matches = _majority(answers, self.votes)
        votes_for = sum(kept.answer.matches for kept in answers)
        tokens = [kept.prompt_tokens for kept in answers if kept.prompt_tokens is not None]
        return Verdict(
            matches=matches,
            analysis=None
            if matches is None
            else next(kept.answer.analysis for kept in answers if kept.answer.matches == matches),
            judge=self.name,
            error_kind=error_kind,
            error=error,
            model_versions=tuple(sorted({kept.model_version for kept in answers if kept.model_version})),
            votes_for=votes_for,
            votes_against=len(answers) - votes_for,
            cached=cached,
            prompt_tokens=sum(tokens) if tokens else None,
        )


@contextmanager
def _clip(question: Question) -> Iterator[tuple[Path, bytes]]:
    """The clip as a local file, and its bytes.

    Raises:
        InputError: there is nothing to ask about.
    """
    if question.description is None:
        raise InputError("the entry has no description. Name its field with --prompt-field.")
    if question.video is None:
        raise InputError("the entry has no video. Render it first, or name its field with --video-field.")
    if video_type(question.video) is None:
        raise InputError(
            f"{question.video}: is not a video by its name, expected .mp4 or the like. It was not sent; check --video-field."
        )
    with local_copy(question.video) as video:
        yield video, read_bytes(video)


def _majority(answers: list[KeptAnswer], votes: int) -> bool | None:
    votes_for = sum(kept.answer.matches for kept in answers)
    if votes_for > votes // 2:
        return True
    return False if len(answers) - votes_for > votes // 2 else None
