"""Worker processes may be slow, fail and die: every item is answered once, in order, and nothing outlives the run."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from multiprocessing import util
from pathlib import Path

import pytest
import torch
from checkout import REPO

from motion_rep.common.errors import InputError, UsageError
from motion_rep.runs import work_pool
from motion_rep.runs.attempt import Failed
from motion_rep.runs.work_pool import FEWEST_AHEAD, MOST_AHEAD, StartIn, _Worker, default_workers, run_items
from motion_rep.runs.worker_process import cause_of_death


def start_doubling():
    return lambda item: 2 * item


def add(number, item):
    return number + item


def start_adding(number):
    return functools.partial(add, number)


def start_with_a_late_signal():
    """The parent ends workers by this signal, which can meet one that is at its end."""
    util.Finalize(None, os.kill, (os.getpid(), signal.SIGTERM), exitpriority=1)
    return lambda item: item


class Unreadable:
    """Can be sent to a worker, and not be read there."""

    def __reduce__(self):
        return (int, ("no number",))


def start_uneven():
    def work(item):
        time.sleep(0.05 if item % 10 == 0 else 0)
        return os.getpid()

    return work


def start_with_bad_items(folder: str):
    """Items named by what happens to them."""

    def work(item):
        if item == "raises InputError":
            raise InputError("clip.pt: is empty")
        if item == "raises":
            raise KeyError("a\nb")
        if item == "exits":
            os._exit(3)
        if item == "is killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if item == "cannot be sent":
            return lambda: None
        if item == "dies once":
            marker = Path(folder, "died")
            if not marker.exists():
                marker.touch()
                os._exit(1)
        return f"did {item}"

    return work


def start_without_model():
    raise UsageError("/nowhere: no model was found there")


def start_and_die():
    os._exit(9)


def start_noting_process(folder: str):
    def work(item):
        Path(folder, str(os.getpid())).touch()
        time.sleep(0.2)

    return work


def start_with_endless_items():
    """Items that never end.

    One in Python code that catches what it can, one in a call that no signal handler interrupts.
    """

    def work(item):
        if item == "loops":
            while True:
                with contextlib.suppress(Exception):
                    time.sleep(0.01)
        if item == "is deaf":
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
            time.sleep(1000)
        return f"did {item}"

    return work


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_every_item_is_answered_once_and_in_order(workers):
    assert list(run_items(start_doubling, range(500), workers)) == [(item, 2 * item) for item in range(500)]


def test_slow_items_do_not_change_the_order_and_all_workers_work():
    items, processes = zip(*run_items(start_uneven, range(100), 2))
    assert items == tuple(range(100)) and len(set(processes)) == 2 and os.getpid() not in processes


def test_nothing_to_do_is_done():
    assert list(run_items(start_doubling, [], 2)) == []


def test_bad_items_cost_only_themselves(tmp_path):
    bad = ("raises InputError", "raises", "exits", "is killed", "cannot be sent")
    items = (
        [name for pair in zip(bad, map(str, range(5))) for name in pair]
        + ["dies once"]
        + [str(number) for number in range(5, 60)]
    )
    results = list(run_items(functools.partial(start_with_bad_items, str(tmp_path)), items, 2))
    assert [item for item, _ in results] == items
    failed = {item: result.message for item, result in results if isinstance(result, Failed)}
    assert set(failed) == set(bad)
    assert failed["raises InputError"] == "clip.pt: is empty"
    assert "KeyError" in failed["raises"] and "\n" not in failed["raises"]
    assert "code 3 on it 2 times" in failed["exits"]
    assert "was killed" in failed["is killed"]
    assert all(result == f"did {item}" for item, result in results if item not in bad)


@pytest.mark.parametrize(("code", "words"), [(-40, "was ended by signal 40"), (-15, "was ended by SIGTERM")])
def test_the_signal_that_ended_a_worker_is_told_even_without_a_name(code, words):
    assert cause_of_death(code) == words


@pytest.mark.parametrize("workers", [0, 1])
def test_an_unexpected_error_keeps_its_traceback(workers, tmp_path):
    ((_, result),) = run_items(functools.partial(start_with_bad_items, str(tmp_path)), ["raises"], workers)
    assert "Traceback" in result.detail and "KeyError" in result.detail


@pytest.mark.parametrize("workers", [0, 2])
def test_what_is_missing_for_all_items_ends_the_run(workers):
    with pytest.raises(UsageError, match="no model was found"):
        list(run_items(start_without_model, range(5), workers))


def test_workers_that_die_as_they_start_end_the_run():
    with pytest.raises(UsageError, match="ended with code 9 during start-up"):
        list(run_items(start_and_die, range(5), 2))


def test_items_are_taken_as_they_are_needed():
    taken = []
    results = run_items(start_doubling, (taken.append(number) or number for number in range(100_000)), 2)
    next(results)
    assert len(taken) < 1000
    results.close()


@pytest.mark.parametrize("workers", [0, 1])
def test_work_is_imported_by_name(workers):
    assert list(run_items(StartIn("test_work_pool", "add", (10,)), range(3), workers)) == [
        (0, 10),
        (1, 11),
        (2, 12),
    ]


def test_who_only_hands_out_conversions_needs_no_torch(make_capture, tmp_path):
    for number in range(3):
        torch.save(make_capture(seed=number), tmp_path / f"{number}.pt")
    program = (
        "import sys; from motion_rep.convert_hmr_to_motion import main\n"
        f"if __name__ == '__main__': print(main(['-i', {str(tmp_path)!r}, '-o', {str(tmp_path / 'out')!r}, "
        "'--workers', '1']), 'torch' in sys.modules)"
    )
    (tmp_path / "run.py").write_text(program)
    done = subprocess.run(
        [sys.executable, tmp_path / "run.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[-1] == "0 False" and len(list((tmp_path / "out").iterdir())) == 3, done.stderr


def test_workers_hold_more_items_the_quicker_these_are():
    worker = _Worker(None, None)
    assert worker.ahead() == FEWEST_AHEAD
    for seconds, expected in ((10.0, FEWEST_AHEAD), (0.005, 10), (1e-5, MOST_AHEAD), (0.0, MOST_AHEAD)):
        worker.since, worker.answered = 100.0, 4
        worker.measure(100.0 + 4 * seconds)
        assert worker.ahead() == pytest.approx(expected, abs=1) and worker.answered == 0
    worker.since = 100.0
    worker.measure(1000.0)
    assert worker.ahead() == MOST_AHEAD  # no answer came, so nothing is known that was not known before


def test_a_run_that_is_given_up_leaves_no_process(tmp_path):
    others = set(multiprocessing.active_children())
    results = run_items(functools.partial(start_noting_process, str(tmp_path)), range(100), 2)
    next(results)
    assert set(multiprocessing.active_children()) - others
    results.close()
    assert not [child for child in multiprocessing.active_children() if child.is_alive() and child not in others]


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at /proc")
def test_workers_end_with_a_run_that_is_killed(tmp_path):
    program = (
        "import functools, test_work_pool as t; "
        f"list(t.run_items(functools.partial(t.start_noting_process, {str(tmp_path)!r}), range(1000), 2))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", program], env=environment)
    assert _wait(lambda: len(list(tmp_path.iterdir())) == 2 or process.poll() is not None) and process.poll() is None
    process.kill()
    process.wait()
    assert _wait(lambda: not [path for path in tmp_path.iterdir() if _is_running(path.name)])


def test_few_items_are_not_worth_a_worker():
    assert default_workers(1, 10) == default_workers(19, 10) == 0


def _is_running(number: str) -> bool:
    try:
        return Path("/proc", number, "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _wait(condition, seconds: float = 60.0) -> bool:
    """Whether a condition came true; generous, because the machine may be busy."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_large_items_and_large_answers_do_not_wait_for_each_other():
    items = ["x" * 1_000_000] * 12
    assert [len(result) for _, result in run_items(functools.partial(start_adding, ""), items, 2)] == [1_000_000] * 12


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_item_that_a_worker_cannot_read_is_no_reason_to_wait():
    results = [result for _, result in run_items(start_doubling, [Unreadable(), 3], 1)]
    assert isinstance(results[0], Failed) and results[1] == 6


@pytest.mark.parametrize("workers", [0, 2])
def test_an_item_over_its_time_limit_fails_and_the_others_go_on(workers):
    items = ["a", "loops", "b", "c"]
    results = dict(run_items(start_with_endless_items, items, workers, limit=0.3))
    assert list(results) == items and results["c"] == "did c"
    assert "took longer than 0.3 seconds" in results["loops"].message and "--item-timeout" in results["loops"].message


def test_a_worker_that_cannot_stop_its_item_is_replaced(monkeypatch):
    monkeypatch.setattr(work_pool, "SECONDS_OF_GRACE", 0.3)
    items = ["a", "is deaf", *map(str, range(30))]
    results = dict(run_items(start_with_endless_items, items, 2, limit=0.5))
    assert list(results) == items
    assert "took longer than 0.5 seconds" in results["is deaf"].message
    assert all(results[item] == f"did {item}" for item in items if item != "is deaf")


@pytest.mark.parametrize("workers", [0, 1])
def test_workers_get_only_what_they_need_of_an_item(workers):
    items = [(number, lambda: None) for number in range(5)]  # functions like these cannot be sent
    results = list(run_items(start_doubling, items, workers, sent=lambda item: item[0]))
    assert results == [(item, 2 * item[0]) for item in items]


def test_a_timer_of_the_caller_goes_on_after_a_time_limit():
    before = signal.setitimer(signal.ITIMER_REAL, 500)
    try:
        assert list(run_items(start_doubling, [1], 0, limit=300)) == [(1, 2)]
        assert 300 < signal.getitimer(signal.ITIMER_REAL)[0] <= 500
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before)


def test_a_signal_to_a_worker_at_its_end_is_silent(capfd):
    assert [result for _, result in run_items(start_with_a_late_signal, range(3), 2)] == [0, 1, 2]
    assert capfd.readouterr().err == ""
