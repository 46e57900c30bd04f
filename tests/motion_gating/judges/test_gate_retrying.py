"""When calls are made, with a clock of the test's own."""

from __future__ import annotations

import threading

import pytest

from motion_gating.judges.retrying import Caller, Policy, RunStopped
from motion_gating.judges.service import CallFailure, Failure


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Service:
    """Fails in the given ways, then answers; notes when it was asked and with what bounds."""

    def __init__(self, clock, *failures, takes=0.0):
        self.clock, self.failures, self.takes = clock, list(failures), takes
        self.times, self.attempts = [], []

    def __call__(self, attempt):
        self.times.append(self.clock.now)
        self.attempts.append(attempt)
        self.clock.now += self.takes
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


def failure(kind, delay=None):
    return CallFailure(kind, "message", delay)


def caller_with(clock, **policy):
    return Caller(Policy(**policy), clock=clock, sleep=clock.sleep)


@pytest.mark.parametrize(
    ("kind", "attempts"),
    [
        (Failure.SERVER, 5),
        (Failure.TIMEOUT, 5),
        (Failure.NETWORK, 5),
        (Failure.RATE_LIMIT, 8),
        (Failure.MALFORMED, 3),
        (Failure.EMPTY, 3),
        (Failure.TRUNCATED, 3),
        (Failure.BLOCKED, 1),
        (Failure.REJECTED, 1),
    ],
)
def test_each_kind_is_tried_a_bounded_number_of_times(kind, attempts):
    clock = Clock()
    service = Service(clock, *[failure(kind) for _ in range(99)])
    with pytest.raises(CallFailure) as caught:
        caller_with(clock).call(service)
    assert caught.value.kind is kind
    assert len(service.times) == attempts


def test_kinds_of_one_outage_count_together():
    clock = Clock()
    service = Service(clock, *[failure(kind) for kind in (Failure.SERVER, Failure.TIMEOUT, Failure.NETWORK) * 9])
    with pytest.raises(CallFailure):
        caller_with(clock).call(service)
    assert len(service.times) == 5


def test_waits_double_and_differ():
    clock = Clock()
    service = Service(clock, *[failure(Failure.SERVER) for _ in range(4)])
    assert caller_with(clock, first_delay=2.0).call(service) == "answer"
    waits = [after - before for before, after in zip(service.times, service.times[1:], strict=False)]
    for wait, expected in zip(waits, (2, 4, 8, 16), strict=True):
        assert 0.7 * expected <= wait <= 1.3 * expected
    assert waits != [2, 4, 8, 16]


def test_a_longer_wait_that_the_service_asks_for_is_kept():
    clock = Clock()
    service = Service(clock, failure(Failure.RATE_LIMIT, 37.0))
    caller_with(clock).call(service)
    assert service.times[1] - service.times[0] >= 37.0


def test_one_threads_rate_limit_holds_the_others_back():
    clock = Clock()
    caller = caller_with(clock)
    with pytest.raises(CallFailure):
        caller.call(Service(clock, *[failure(Failure.RATE_LIMIT, 20.0)] * 8))
    held = clock.now
    other = Service(clock)
    caller.call(other)
    assert other.times[0] >= held + 20.0


def test_the_deadline_bounds_all_attempts_and_the_last_call():
    clock = Clock()
    service = Service(clock, *[failure(Failure.TIMEOUT) for _ in range(99)], takes=40.0)
    with pytest.raises(CallFailure):
        caller_with(clock, call_timeout=50.0, deadline=100.0).call(service)
    assert clock.now <= 130.0
    assert all(attempt.timeout <= 50.0 for attempt in service.attempts)
    assert service.attempts[-1].timeout <= 100.0 - service.times[-1] + 1e-6


def test_a_wait_that_would_pass_the_deadline_is_not_begun():
    clock = Clock()
    with pytest.raises(CallFailure):
        caller_with(clock, deadline=100.0).call(Service(clock, failure(Failure.SERVER, 61.0), takes=40.0))
    assert clock.now == 40.0
    caller_with(clock, deadline=100.0).call(Service(clock, failure(Failure.SERVER, 59.0), takes=40.0))
    assert clock.now == 40.0 + 40.0 + 59.0 + 40.0


def test_no_wait_of_our_own_is_longer_than_a_minute_and_a_quarter():
    clock = Clock()
    service = Service(clock, failure(Failure.SERVER))
    caller_with(clock, first_delay=1000.0).call(service)
    assert 45.0 <= service.times[1] <= 75.0


def test_calls_per_minute_are_kept_over_questions():
    clock = Clock()
    caller, service = caller_with(clock, calls_per_minute=30.0), Service(clock)
    for _ in range(7):
        caller.call(service)
    assert service.times == pytest.approx([2.0 * number for number in range(7)]), "60 s / 30 calls, and no slower"


def test_a_dead_key_stops_all_threads_after_one_call():
    caller, calls, ends = Caller(Policy()), [], []

    def ask(attempt):
        calls.append(attempt)
        raise failure(Failure.STOP)

    def thread():
        with pytest.raises(RunStopped):
            caller.call(ask)
        ends.append(True)

    threads = [threading.Thread(target=thread) for _ in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=100)
    assert len(ends) == 16
    assert len(calls) == 1
    assert caller.stop.exit_code == 2


def test_questions_in_a_row_without_an_answer_end_the_run_and_an_answer_in_between_does_not():
    clock = Clock()
    caller = caller_with(clock)
    for _ in range(9):
        with pytest.raises(CallFailure):
            caller.call(Service(clock, failure(Failure.REJECTED)))
    caller.call(Service(clock))
    for _ in range(10):
        assert caller.stop is None
        with pytest.raises(CallFailure):
            caller.call(Service(clock, failure(Failure.REJECTED)))
    assert caller.stop.exit_code == 1
    with pytest.raises(RunStopped):
        caller.call(Service(clock))


def test_blocked_questions_are_the_questions_fault_and_end_nothing():
    clock = Clock()
    caller = caller_with(clock)
    for _ in range(30):
        with pytest.raises(CallFailure):
            caller.call(Service(clock, failure(Failure.BLOCKED)))
    assert caller.stop is None


def test_truncated_answers_get_more_tokens():
    clock = Clock()
    service = Service(clock, failure(Failure.TRUNCATED), failure(Failure.SERVER), failure(Failure.TRUNCATED))
    caller_with(clock).call(service)
    first = service.attempts[0].max_tokens
    assert [attempt.max_tokens // first for attempt in service.attempts] == [1, 4, 4, 16]
    assert first >= 1024
