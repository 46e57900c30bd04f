"""Inquiries about one clip or two, answered from the cache if possible, else by the service."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from motion_gating.judges.answer_cache import AnswerCache, KeptAnswer
from motion_gating.judges.answers import read_answer
from motion_gating.judges.cost import Meter
from motion_gating.judges.inquiry import Inquiry, OtherView
from motion_gating.judges.interface import Stop
from motion_gating.judges.retrying import Caller
from motion_gating.judges.service import (
    ANALYSIS_CHARACTERS,
    MESSAGE_CHARACTERS,
    VERSION_CHARACTERS,
    Ask,
    Attempt,
    CallFailure,
    Clip,
    Failure,
    Service,
    shown,
)
from motion_gating.judges.transport import within
from motion_rep.common.errors import InputError
from motion_rep.common.hidden_secrets import without_secrets
from motion_rep.files.local_files import read_bytes


@dataclass(frozen=True)
class Conversation:
    """Questions to one service about one clip, or about several of one description.

    description: the text of the entry; data, never an instruction.
    facts: measured sentences about the motion; empty if the model gets none.
    meter: counts the cost of the calls.
    clips: empty if the model gets only the facts.
    side_view: the motion from the side; None if it cannot be drawn.
    answers: the answers so far, in order; ``from_cache`` counts those from the cache.
    """

    service: Service
    caller: Caller
    cache: AnswerCache
    ask_service: Ask
    description: str
    meter: Meter
    facts: tuple[str, ...] = ()
    clips: tuple[Clip, ...] = ()
    side_view: Callable[[], OtherView | None] = lambda: None
    answers: list[KeptAnswer] = field(default_factory=list)
    from_cache: list[KeptAnswer] = field(default_factory=list)

    @property
    def sees_clip(self) -> bool:
        """Whether the model gets a clip in addition to the facts."""
        return bool(self.clips)

    def ask(self, inquiry: Inquiry, vote: int = 0) -> dict[str, object]:
        """Ask, and return the values of the answer.

        Raises:
            CallFailure: there is no answer, with the reason.
            RunStopped: the run makes no further calls.
        """
        asked = self._asked(inquiry, vote)
        answer = self._from_cache(asked)
        if answer is not None:
            self.from_cache.append(answer)
        else:
            with self._service_for(inquiry) as ask_service:
                answer = self._call(inquiry, asked, ask_service)
        self.answers.append(answer)
        return answer.values

    def kept(self, inquiry: Inquiry, vote: int = 0) -> dict[str, object] | None:
        """The values of an answer in the cache; makes no call."""
        kept = self._from_cache(self._asked(inquiry, vote))
        return None if kept is None else kept.values

    def _from_cache(self, asked: dict[str, object]) -> KeptAnswer | None:
        """The cached answer; an earlier version may have kept a part of a secret in it."""
        kept = self.cache.get(asked)
        return None if kept is None else self._without_secrets(kept)

    @contextmanager
    def _service_for(self, inquiry: Inquiry) -> Iterator[Ask]:
        """Ask about the clip, or about the inquiry's own view instead."""
        if inquiry.view is None:
            yield self.ask_service
            return
        with inquiry.view.drawn() as path, self.service.attach([Clip(path, read_bytes(path))]) as ask_service:
            yield ask_service

    def _call(self, inquiry: Inquiry, asked: dict[str, object], ask_service: Ask) -> KeptAnswer:
        def attempt_once(attempt: Attempt) -> KeptAnswer:
            with self._readable_failures():
                reply = within(attempt.timeout, lambda: ask_service(inquiry, attempt))
                values = read_answer(without_secrets(reply.text, self.service.secrets), inquiry.schema)
            # Again after decoding: JSON escapes may have hidden a secret from the line above.
            answer = KeptAnswer(values, reply.model_version, reply.prompt_tokens, reply.output_tokens)
            return self._without_secrets(answer)

        answer = self.caller.call(attempt_once)
        if self.meter.add(answer.prompt_tokens, answer.output_tokens):
            self.caller.end_run(Stop(f"the calls cost {self.meter.dollars:.2f} dollars (--max-cost)", exit_code=1))
        try:
            self.cache.put(asked, answer)
        except InputError as error:  # the disk is full; further answers would be paid for and lost
            self.caller.end_run(Stop(str(error), exit_code=2))
        return answer

    @contextmanager
    def _readable_failures(self) -> Iterator[None]:
        """Turn every failure, even an unexpected one, into a CallFailure with one line without secrets."""
        try:
            yield
        except CallFailure as failure:
            raise CallFailure(failure.kind, self.shown(failure.message), failure.wanted_delay) from None
        except Exception as error:  # an error is not a verdict
            raise CallFailure(Failure.UNEXPECTED, self.shown(f"{type(error).__name__}: {error}")) from None

    def shown(self, text: object, length: int = MESSAGE_CHARACTERS) -> str:
        """A text from the service, as one line without secrets."""
        return shown(text, self.service.secrets, length)

    def _without_secrets(self, answer: KeptAnswer) -> KeptAnswer:
        version = answer.model_version and self.shown(answer.model_version, VERSION_CHARACTERS)
        values = {name: self._shown_value(value) for name, value in answer.values.items()}
        return replace(answer, values=values, model_version=version)

    def _shown_value(self, value: object) -> object:
        if isinstance(value, list):
            return [self._shown_value(item) for item in value]
        return self.shown(value, ANALYSIS_CHARACTERS) if isinstance(value, str) else value

    def _asked(self, inquiry: Inquiry, vote: int) -> dict[str, object]:
        """Everything that can change the answer."""
        question = {"schema": inquiry.schema, "prompt": inquiry.prompt, "vote": vote}
        digests = [hashlib.sha256(clip.data).hexdigest() for clip in self.clips] if inquiry.sees_clip else []
        seen = {"video_sha256": digests[0] if len(digests) == 1 else digests} if digests else {"media": "facts"}
        if inquiry.view is not None:
            seen = {"view": inquiry.view.digest}
        return {"judge": self.service.name, **self.service.settings(), **question, **seen}
