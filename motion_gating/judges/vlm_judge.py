"""A judge that asks a service with a protocol; every failure gives an undecided verdict."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from motion_gating.archives.content import DIGITS, Content, motion_digest
from motion_gating.judges.answer_cache import AnswerCache
from motion_gating.judges.content import require_measured
from motion_gating.judges.conversation import Conversation
from motion_gating.judges.cost import Meter
from motion_gating.judges.interface import (
    NO_QUESTION,
    RUN_ENDED,
    SPLIT,
    UNEXPECTED,
    Preference,
    Question,
    Stop,
    Verdict,
    undecided,
)
from motion_gating.judges.protocols.better_of_two import LABELS, better_of, two_clips_inquiry
from motion_gating.judges.protocols.interface import Part, QuestionProtocol, count_support
from motion_gating.judges.protocols.single import SingleQuestion
from motion_gating.judges.retrying import Caller, RunStopped
from motion_gating.judges.service import MESSAGE_CHARACTERS, CallFailure, Clip, Service, shown, video_type
from motion_gating.rendering.side_clip import SideClip
from motion_gating.verdicts.verdict_file import Verdicts
from motion_rep.common.errors import InputError, located
from motion_rep.describing.description import Description, describe_clip
from motion_rep.files.local_files import read_bytes, require_file
from motion_rep.files.locations import Location
from motion_rep.files.remote_files import local_copy
from motion_rep.motions.motion_file import MotionClip, read_motion

MOST_CLIP_BYTES = 200_000_000
# The first bytes of video containers, with their offsets: a playlist, or any other file with the name of a video, is
# never sent.
CONTAINERS = (
    *((4, box) for box in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")),
    *((0, start) for start in (b"\x1aE\xdf\xa3", b"OggS", b"FLV\x01", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3")),
    *((8, b"AVI "), (0, b"G@"), (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11")),
)


@dataclass(frozen=True)
class VlmJudge:
    """A judge that asks one service.

    Attributes:
        protocol: the questions and how their answers decide.
        gives_facts: whether the model gets the facts measured on the motion.
        sees_clip: False if it gets only the facts.
        side_fps: frames per second of a view from the side.
    """

    service: Service
    caller: Caller
    cache: AnswerCache
    protocol: QuestionProtocol = field(default_factory=SingleQuestion)
    meter: Meter = field(default_factory=Meter)
    gives_facts: bool = False
    sees_clip: bool = True
    side_fps: float = 5.0
    is_remote_service: bool = field(default=True, init=False)
    people: Verdicts = field(default_factory=dict, init=False)
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

    @property
    def least_calls(self) -> int:
        """See Model."""
        return self.protocol.least_calls

    @property
    def more_calls(self) -> int:
        """See Model."""
        return self.protocol.more_calls

    @property
    def wordings(self) -> str | list[str]:
        """See Model."""
        return self.protocol.wordings

    def settings(self) -> dict[str, object]:
        """See Model."""
        media = {} if self.sees_clip else {"media": "facts"}
        return {**self.service.settings(), **media, "protocol": self.protocol.name, "facts": self.gives_facts}

    def estimate_tokens(self, seconds: float, width: int, height: int) -> int:
        """See Service."""
        return self.service.estimate_tokens(seconds, width, height) if self.sees_clip else 0

    def judge(self, question: Question) -> Verdict:
        """The verdict of the protocol; undecided if an answer is missing."""
        try:
            with self._conversation(question) as (conversation, (described,)):
                return self._examined(conversation, described)
        except Exception as error:  # affects only this entry, not the run
            return undecided(self.name, *self._why(error))

    def unanswered(self, question: Question) -> int:
        """The smallest number of calls for the question: the answers that are not in the cache.

        Raises:
            InputError: the question cannot be asked.
        """
        with self._conversation(question) as (conversation, _):
            return self.protocol.missing(conversation)

    def prefer(self, first: Question, second: Question, least: bool = False, ask: bool = True) -> Preference:
        """The clip that shows the description of the first question better; a missing answer has a reason.

        Args:
            least: ask which clip is worse, which is another question about the same pair.
            ask: False uses only the cache.
        """
        try:
            with self._conversation(first, second) as (conversation, described):
                facts = [one.sentences if one and self.gives_facts else () for one in described]
                inquiry = two_clips_inquiry(conversation, facts, least)
                values = conversation.ask(inquiry) if ask else conversation.kept(inquiry)
                if values is None:
                    return Preference(None, error_kind=NO_QUESTION, error="not in the cache")
                cached = not ask or bool(conversation.from_cache)
                return Preference(better_of(values, least), str(values["analysis"]), cached=cached)
        except Exception as error:  # affects only this pair, not the run
            kind, words = self._why(error)
            return Preference(None, error_kind=kind, error=words)

    def _examined(self, conversation: Conversation, described: Description | None) -> Verdict:
        parts: list[Part] = []
        remarks = described.contradictions if described else ()
        try:
            for part in self.protocol.examine(conversation):
                parts.append(part)
        except (RunStopped, CallFailure) as error:
            return _verdict(conversation, parts, remarks, None, *self._why(error))
        matches = self.protocol.settle(parts)
        if matches is None:
            said = ", ".join(f"{part.name}: {_SUPPORT[part.supports]}" for part in parts)
            return _verdict(conversation, parts, remarks, None, SPLIT, f"the evidence is split ({said})")
        return _verdict(conversation, parts, remarks, matches)

    def _why(self, error: Exception) -> tuple[str, str]:
        """Kind and text of an error that leaves a question without an answer."""
        match error:
            case RunStopped():
                return RUN_ENDED, f"not asked: {self.stop.message if self.stop else 'the run ended'}"
            case CallFailure():
                return error.kind.value, self._shown(error.message)
            case InputError():
                return NO_QUESTION, self._shown(error, 2 * MESSAGE_CHARACTERS)
        return UNEXPECTED, self._shown(f"{type(error).__name__}: {error}")

    def _shown(self, text: object, length: int = MESSAGE_CHARACTERS) -> str:
        return shown(text, self.service.secrets, length)

    @contextmanager
    def _conversation(self, *questions: Question) -> Iterator[tuple[Conversation, list[Description | None]]]:
        """The conversation about a clip, or about two with labels, and the description of each motion.

        Raises:
            InputError: a clip or description is missing.
        """
        text = questions[0].description
        if text is None:
            raise InputError("the entry has no description. Give its field with --prompt-field.")
        described = [self._description(question) for question in questions]
        facts = described[0].sentences if described[0] and self.gives_facts else ()
        labels = LABELS if len(questions) > 1 else ("",)
        with ExitStack() as stack:
            clips = [
                replace(stack.enter_context(_clip(question)), label=label)
                for question, label in zip(questions, labels, strict=True)
                if self.sees_clip
            ]
            ask = stack.enter_context(self.service.attach(clips))
            settings = (self.service, self.caller, self.cache, ask, text, self.meter)
            side = functools.partial(self._side_view, questions[0])
            yield Conversation(*settings, facts, tuple(clips), side), described

    def _side_view(self, question: Question) -> SideClip | None:
        """The motion from the side; None if the model sees no clips, or the motion cannot be read."""
        if not self.sees_clip or question.motion is None:
            return None
        try:
            motion = _motion(question.motion)
        except InputError:
            return None
        require_measured(question, Content(motion_digest(motion)))
        return SideClip(motion, self.side_fps)

    def _description(self, question: Question) -> Description | None:
        """The facts of the motion; None if they are not wanted.

        Raises:
            InputError: the model would get neither clip nor facts, or facts about another motion.
        """
        if not self.gives_facts:
            return None
        try:
            if question.motion is None:
                raise InputError("the entry has no motion, so there are no facts about it.")
            motion = _motion(question.motion)
            with located(question.motion):
                described = describe_clip(motion, text=question.description)
        except InputError:
            if self.sees_clip:
                return None
            raise
        require_measured(question, Content(motion_digest(motion)))
        return described


_SUPPORT = {True: "for", False: "against", None: "neither"}


def _verdict(
    conversation: Conversation,
    parts: Sequence[Part],
    remarks: Sequence[str],
    matches: bool | None,
    error_kind: str | None = None,
    error: str | None = None,
) -> Verdict:
    answers, (votes_for, votes_against) = conversation.answers, count_support(parts)
    said = [part.said for part in parts if part.supports == matches and matches is not None]
    evidence = tuple(part.as_dict() for part in parts)
    found = [str(remark) for part in parts for remark in _listed(part.details.get("remarks"))]
    return Verdict(
        matches=matches,
        analysis=said[0] if said else None,
        judge=conversation.service.name,
        error_kind=error_kind,
        error=error,
        model_versions=tuple(sorted({answer.model_version for answer in answers if answer.model_version})),
        votes_for=votes_for,
        votes_against=votes_against,
        cached=len(conversation.from_cache),
        prompt_tokens=_sum([answer.prompt_tokens for answer in answers]),
        output_tokens=_sum([answer.output_tokens for answer in answers]),
        evidence=evidence if any(part.name != "match" for part in parts) else (),
        remarks=(*remarks, *found),
    )


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _sum(counts: Sequence[int | None]) -> int | None:
    """The sum of the known counts; None if none is known."""
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


@contextmanager
def _clip(question: Question) -> Iterator[Clip]:
    """The clip with its bytes.

    Raises:
        InputError: it is missing, not a video, too large, or another one than was measured.
    """
    location = question.video
    if location is None:
        raise InputError("the entry has no video. Render it first, or give its field with --video-field.")
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
                f"{location}: does not begin like a video file (mp4, webm, avi). It was not sent; re-render it."
            )
        require_measured(question, Content(clip=hashlib.sha256(data).hexdigest()[:DIGITS]))
        yield Clip(path, data)


def _motion(location: Location) -> MotionClip:
    with local_copy(location) as path:
        return read_motion(path)
