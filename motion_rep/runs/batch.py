"""The driver of commands over many items: progress, counts, failures, exit code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from motion_rep.common.command_line import DONE, SOME_FAILED
from motion_rep.common.messages import progress
from motion_rep.runs.engine import Engine
from motion_rep.runs.report import ItemFailure, say_failure, write_failures

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass
class Batch:
    """One run over many items and its outcomes.

    Attributes:
        doing, unit: words of the progress bar.
        failures_file: JSON file for the failures, or None.
        counts: items per outcome; the caller counts those that did not fail.
        failures: items that failed, in order.
    """

    engine: Engine
    doing: str
    unit: str
    failures_file: Path | None = None
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[ItemFailure] = field(default_factory=list)

    def shown(self, results: Iterable[Result], count: int) -> Iterator[Result]:
        """The results of :meth:`motion_rep.runs.engine.Engine.run` under a progress bar; one item needs none."""
        yield from results if count == 1 else progress(results, self.doing, total=count, unit=self.unit)

    def fail(self, item: object, message: str, traceback: str = "", place: str = "") -> None:
        """Record and print a failed item.

        Args:
            place: printed before the message, for messages that do not name the item.
        """
        self.failures.append(ItemFailure(item, message, traceback))
        say_failure(self.failures[-1], place)

    def finish(self) -> int:
        """Write the failures; returns the exit code."""
        if self.failures_file is not None:
            write_failures(self.failures_file, {**self.counts, "failed": len(self.failures)}, self.failures)
        return SOME_FAILED if self.failures else DONE
