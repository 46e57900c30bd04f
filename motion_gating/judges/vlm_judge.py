"""A judge that asks a service: from the cache where it can, with votes; every failure becomes undecided."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from motion_gating.judges.answer_cache import AnswerCache, KeptAnswer
from motion_gating.judges.answers import SCHEMA, Answer, prompt_for, read_answer
from motion_gating.judges.interface import (
    NO_QUESTION,
    RUN_ENDED,
    UNEXPECTED,
    HumanVerdict,
    Question,
    Stop,
    Verdict,
    undecided,
)
from motion_gating.judges.retrying import Caller, RunStopped
from motion_gating.judges.service import (
    ANALYSIS_CHARACTERS,
    MESSAGE_CHARACTERS,
    VERSION_CHARACTERS,
    Attempt,
    CallFailure,
    Clip,
    Failure,
    Reply,
    Service,
    shown,
    video_type,
    without_secrets,
)
from motion_gating.judges.transport import within
from motion_rep.common.errors import InputError
from motion_rep.files.local_files import read_bytes, require_file
from motion_rep.files.remote_files import local_copy

Ask = Callable[[str, Attempt], Reply]
MOST_CLIP_BYTES = 200_000_000
# How files of video containers begin, with the place of these bytes: a playlist, or any other file under a video's
# name, is never sent.
CONTAINERS = (
    *((4, box) for box in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")),
    *((0, start) for start in (b"\x1aE\xdf\xa3", b"OggS", b"FLV\x01", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3")),
    *((8, b"AVI "), (0, b"G@"), (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11")),
)


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
    is_remote_service: bool = field(default=True, init=False)
    people: Mapping[str, HumanVerdict] = field(default_factory=dict, init=False)
    refused: Sequence[str] = field(default=(), init=False)

    @property
    def name(self) -> str:
        return self.service.name

    @property
    def model(self) -> VlmJudge:
        return self

    @property
    def stop(self) -> Stop | None:
        return self.caller.stop

    def settings(self) -> dict[str, object]:
        """See Service."""
        return self.service.settings()

    def estimate_tokens(self, seconds: float, width: int, height: int) -> int:
        """See Service."""
        return self.service.estimate_tokens(seconds, width, height)

    def judge(self, question: Question) -> Verdict:
        """The verdict of the majority of the votes; undecided where an answer is missing."""
        try:
            with _clip(question) as (clip, description):
                return self._collect(description, clip)
        except InputError as error:
            return undecided(self.name, NO_QUESTION, self._shown(error, 2 * MESSAGE_CHARACTERS))
        except Exception as error:  # costs this entry its verdict, not the run
            return undecided(self.name, UNEXPECTED, self._shown(f"{type(error).__name__}: {error}"))

    def unanswered(self, question: Question) -> int:
        """The least number of calls that the question takes: answers up to a majority that are not in the cache.

        Raises:
            InputError: the question cannot be asked.
        """
        with _clip(question) as (clip, description):
            asked = self._asked(description, clip)
        return sum(self.cache.get({**asked, "vote": vote}) is None for vote in range(self.votes // 2 + 1))

    def _collect(self, description: str, clip: Clip) -> Verdict:
        asked, answers, cached = self._asked(description, clip), list[KeptAnswer](), 0
        with self.service.attach(clip) as ask:
            for vote in range(self.votes):
                kept = self.cache.get({**asked, "vote": vote})
                cached += kept is not None
                try:
                    answers.append(kept or self._ask(ask, description, {**asked, "vote": vote}))
                except RunStopped:
                    reason = self.stop.message if self.stop else "the run ended"
                    return self._verdict(answers, cached, RUN_ENDED, f"not asked: {reason}")
                except CallFailure as failure:
                    return self._verdict(answers, cached, failure.kind.value, failure.message)
                if _majority(answers, self.votes) is not None:
                    break
        return self._verdict(answers, cached)

    def _ask(self, ask: Ask, description: str, asked: dict[str, object]) -> KeptAnswer:
        def attempt_once(attempt: Attempt) -> KeptAnswer:
            with self._readable_failures():
                reply = within(attempt.timeout, lambda: ask(prompt_for(description), attempt))
                answer = read_answer(without_secrets(reply.text, self.service.secrets))
            # Once more after decoding: JSON may have hidden a secret from the line above.
            analysis = self._shown(answer.analysis, ANALYSIS_CHARACTERS)
            version = reply.model_version and self._shown(reply.model_version, VERSION_CHARACTERS)
            return KeptAnswer(Answer(answer.matches, analysis), version, reply.prompt_tokens)

        kept = self.caller.call(attempt_once)
        try:
            self.cache.put(asked, kept)
        except InputError as error:  # a full disk; further answers would be paid for and lost
            self.caller.end_run(Stop(str(error), exit_code=2))
        return kept

    @contextmanager
    def _readable_failures(self) -> Iterator[None]:
        """Every failure, also an unexpected one, as a CallFailure with one line without secrets."""
        try:
            yield
        except CallFailure as failure:
            raise CallFailure(failure.kind, self._shown(failure.message), failure.wanted_delay) from None
        except Exception as error:  # an error is not a verdict
            raise CallFailure(Failure.UNEXPECTED, self._shown(f"{type(error).__name__}: {error}")) from None

    def _shown(self, text: object, length: int = MESSAGE_CHARACTERS) -> str:
        return shown(text, self.service.secrets, length)

    def _asked(self, description: str, clip: Clip) -> dict[str, object]:
        question = {"schema": SCHEMA, "prompt": prompt_for(description)}
        video = {"video_sha256": hashlib.sha256(clip.data).hexdigest()}
        return {"judge": self.name, **self.service.settings(), **question, **video}

    def _verdict(
        self, answers: list[KeptAnswer], cached: int, error_kind: str | None = None, error: str | None = None
    ) -> Verdict:
        matches = _majority(answers, self.votes)
        votes_for = sum(kept.answer.matches for kept in answers)
        tokens = [kept.prompt_tokens for kept in answers if kept.prompt_tokens is not None]
        analyses = [kept.answer.analysis for kept in answers if kept.answer.matches == matches]
        return Verdict(
            matches=matches,
            analysis=self._shown(analyses[0], ANALYSIS_CHARACTERS) if analyses else None,
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
def _clip(question: Question) -> Iterator[tuple[Clip, str]]:
    """The clip with its bytes, and the description.

    Raises:
        InputError: there is nothing to ask about.
    """
    location = question.video
    if question.description is None:
        raise InputError("the entry has no description. Name its field with --prompt-field.")
    if location is None:
        raise InputError("the entry has no video. Render it first, or name its field with --video-field.")
    with local_copy(location) as path:
        if video_type(path) is None:
            raise InputError(
                f"{location}: is not a video by its name, expected for example .mp4. It was not sent; "
                "check --video-field."
            )
        if require_file(path).stat().st_size > MOST_CLIP_BYTES:
            raise InputError(f"{location}: has more than {MOST_CLIP_BYTES:,} bytes. Render it shorter or smaller.")
        data = read_bytes(path)
        if not any(data.startswith(mark, place) for place, mark in CONTAINERS):
            raise InputError(
                f"{location}: does not begin as a video file does (mp4, webm, avi). It was not sent; render it again."
            )
        yield Clip(path, data), question.description


def _majority(answers: list[KeptAnswer], votes: int) -> bool | None:
    votes_for = sum(kept.answer.matches for kept in answers)
    if votes_for > votes // 2:
        return True
    return False if len(answers) - votes_for > votes // 2 else None
