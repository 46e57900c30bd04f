"""The schedule of calls, retries and abandonment, for all services.

We do not use tenacity: it retries single calls, but here one reply makes all threads wait and one invalid key ends the
run.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from motion_gating.judges.interface import Stop
from motion_gating.judges.service import Attempt, CallFailure, Failure
from motion_rep.common.errors import counted

T = TypeVar("T")

ATTEMPTS = {
    Failure.SERVER: 5,
    Failure.TIMEOUT: 5,
    Failure.NETWORK: 5,
    Failure.RATE_LIMIT: 8,
    Failure.MALFORMED: 3,
    Failure.EMPTY: 3,
    Failure.TRUNCATED: 3,
    Failure.NO_SCHEMA: 2,
    Failure.UNEXPECTED: 3,
    Failure.BLOCKED: 1,
    Failure.REJECTED: 1,
}
AT_ONCE = {Failure.MALFORMED, Failure.EMPTY, Failure.TRUNCATED, Failure.NO_SCHEMA}
SIMILAR = ({Failure.SERVER, Failure.TIMEOUT, Failure.NETWORK, Failure.UNEXPECTED}, {Failure.MALFORMED, Failure.EMPTY})
FIRST_TOKENS, MORE_TOKENS = 2048, 4
GIVEN_UP_IN_A_ROW = 10


@dataclass(frozen=True)
class Policy:
    """Limits that the user may set, in seconds.

    Attributes:
        calls_per_minute: None for no limit.
        first_delay: delay before the second attempt; doubles with each further attempt.
        call_timeout: limit for one call.
        deadline: limit from the first call of a question to the last.
    """

    calls_per_minute: float | None = None
    first_delay: float = 1.0
    longest_delay: float = 60.0
    call_timeout: float = 120.0
    deadline: float = 300.0


class RunStopped(Exception):
    """Raised if the run makes no further calls."""


class Caller:
    """Makes the calls for all threads of a run: it paces and retries them, and delays or stops all together."""

    def __init__(
        self,
        policy: Policy,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self.policy = policy
        self.stop: Stop | None = None
        self._clock, self._stopped, self._random = clock, threading.Event(), random.Random()
        self._sleep = sleep or self._stopped.wait
        self._lock, self._first = threading.Lock(), threading.Lock()
        self._service_answers = False
        self._held_until = self._next_call = -1e9
        self._given_up = 0

    def call(self, ask: Callable[[Attempt], T]) -> T:
        """The result of ``ask``, retried as often as the kind of failure allows.

        Raises:
            CallFailure: no attempt of this question is left.
            RunStopped: the run has ended.
        """
        tries: Counter[Failure] = Counter()
        deadline = None
        while True:
            with self._first_call_alone():
                self._wait_for_turn()
                deadline = deadline or self._clock() + self.policy.deadline
                try:
                    result = ask(self._bounds(tries, deadline))
                except CallFailure as failure:
                    tries[failure.kind] += 1
                    delay = self._delay_before_next_attempt(failure, tries, deadline)
                else:
                    self._given_up = 0
                    return result
            self._sleep(delay)

    def end_run(self, stop: Stop) -> None:
        """Start no further calls, and wake the waiting threads."""
        with self._lock:
            self.stop = self.stop or stop
        self._stopped.set()

    def _bounds(self, tries: Counter[Failure], deadline: float) -> Attempt:
        timeout = min(self.policy.call_timeout, max(deadline - self._clock(), 1.0))
        return Attempt(max_tokens=FIRST_TOKENS * MORE_TOKENS ** tries[Failure.TRUNCATED], timeout=timeout)

    @contextmanager
    def _first_call_alone(self) -> Iterator[None]:
        """Make the first call of a run alone, so that an invalid key costs one request, not one per thread."""
        if self._service_answers:
            yield
            return
        self._first.acquire()
        alone = not self._service_answers
        if not alone:
            self._first.release()
        try:
            yield
        finally:
            if alone:
                self._service_answers = self.stop is None
                self._first.release()

    def _delay_before_next_attempt(self, failure: CallFailure, tries: Counter[Failure], deadline: float) -> float:
        """Seconds until the next attempt; a rate limit delays all questions. Raises if no attempt is left."""
        if failure.kind is Failure.STOP:
            self.end_run(Stop(failure.message, exit_code=2))
            raise RunStopped
        delay = self._delay(failure, tries)
        if failure.kind is Failure.RATE_LIMIT:
            self._hold_all(delay)
        if _tries_of_its_kind(failure.kind, tries) >= ATTEMPTS[failure.kind] or self._clock() + delay > deadline:
            self._count_given_up(failure)
            raise failure
        return 0.0 if failure.kind is Failure.RATE_LIMIT else delay

    def _delay(self, failure: CallFailure, tries: Counter[Failure]) -> float:
        if failure.kind in AT_ONCE:
            return 0.0
        backoff = min(
            self.policy.first_delay * 2.0 ** (_tries_of_its_kind(failure.kind, tries) - 1), self.policy.longest_delay
        )
        return max(backoff * self._random.uniform(0.75, 1.25), failure.wanted_delay or 0.0)

    def _hold_all(self, delay: float) -> None:
        if delay > self.policy.deadline:
            text = (
                f"the service asks to wait {delay:.0f} s, more than --deadline {self.policy.deadline:g}. "
                "Re-run the command later, or raise the quota."
            )
            self.end_run(Stop(text, exit_code=2))
            raise RunStopped
        with self._lock:
            self._held_until = max(self._held_until, self._clock() + delay)

    def _wait_for_turn(self) -> None:
        spacing = 60.0 / self.policy.calls_per_minute if self.policy.calls_per_minute else 0.0
        while True:
            self._raise_if_stopped()
            with self._lock:
                now = self._clock()
                wait = max(self._held_until, self._next_call) - now
                if wait <= 0:
                    self._next_call = now + spacing
                    return
            self._sleep(wait)

    def _raise_if_stopped(self) -> None:
        if self.stop is not None:
            raise RunStopped

    def _count_given_up(self, failure: CallFailure) -> None:
        if failure.kind is Failure.BLOCKED:
            return
        self._given_up += 1
        if self._given_up >= GIVEN_UP_IN_A_ROW:
            text = (
                f"{counted(self._given_up, 'entry', 'entries')} in a row got no answer, so no further calls "
                "were made. Re-run the command "
                f"later. The last failure: {failure.message}"
            )
            self.end_run(Stop(text, exit_code=1))


def _tries_of_its_kind(kind: Failure, tries: Counter[Failure]) -> int:
    """Number of failed attempts of this kind; the different failures of an outage count as one kind."""
    group = next((similar for similar in SIMILAR if kind in similar), {kind})
    return sum(tries[member] for member in group)
