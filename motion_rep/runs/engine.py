"""Process the items of a run: in this process, in worker processes, or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from motion_rep.runs.attempt import Work
from motion_rep.runs.ray_engine import run_items_on_ray
from motion_rep.runs.work_pool import default_workers, run_items

Item = TypeVar("Item")


@dataclass(frozen=True)
class Engine:
    """Runs a function over items.

    Attributes:
        workers: number of processes; 0 works in this one; None chooses by the number of items.
        worth_a_worker: number of items that cost as much as starting a worker.
        item_timeout: seconds after which an item fails; None sets no limit.
        folder: base of relative paths on the machines of a cluster; None if there are none.
    """

    workers: int | None = 0
    worth_a_worker: int = 1
    item_timeout: float | None = None
    on_ray: bool = False
    ray_address: str | None = None
    folder: str | None = None

    def workers_for(self, count: int) -> int:
        """The number of worker processes for ``count`` items."""
        return default_workers(count, self.worth_a_worker) if self.workers is None else min(self.workers, count)

    def shares_the_machine(self, count: int) -> bool:
        """Whether several processes run at once, so that each should use one thread."""
        return self.on_ray or self.workers_for(count) > 0

    def run(
        self,
        start: Callable[[], Work],
        items: Iterable[Item],
        count: int,
        sent: Callable[[Item], object] = lambda item: item,
    ) -> Generator[tuple[Item, Any], None, None]:
        """Each item with its result or its failure, in order; see :func:`motion_rep.runs.work_pool.run_items`."""
        workers = self.workers_for(count)
        if not self.on_ray:
            return run_items(start, items, workers, sent, self.item_timeout)
        return run_items_on_ray(start, items, self.ray_address, self.folder, sent, self.item_timeout)


IN_THIS_PROCESS = Engine()
