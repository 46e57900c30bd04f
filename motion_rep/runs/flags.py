"""Flags that commands over many items share: who does the work, and where failures are written."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from motion_rep.common.command_line import worker_count
from motion_rep.common.errors import UsageError

ENGINES = ("local", "ray")
# Starting a worker costs about as much as waiting for the files of this many items from an address.
WORTH_A_WORKER_AFAR = 20


def add_run_flags(parser: argparse.ArgumentParser) -> None:
    """``--workers``, ``--engine``, ``--ray-address`` and ``--failures``."""
    parser.add_argument(
        "--workers",
        type=worker_count,
        help="processes (default: one for each core where there is enough to do); 0 works in this one",
    )
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="local",
        help="ray: on a Ray cluster, which must see the same files, or URLs (pip install ray)",
    )
    parser.add_argument(
        "--ray-address",
        metavar="HOST:PORT",
        help="the cluster (default: RAY_ADDRESS, else one that is started on this machine)",
    )
    parser.add_argument("--failures", type=Path, metavar="F", help="write what failed, and why, into this JSON file")


def require_failures_folder(args: argparse.Namespace) -> None:
    """Check that the file of ``--failures`` can be written, before the work begins.

    Raises:
        UsageError: it cannot.
    """
    from motion_rep.files.atomic_writing import require_folder

    if args.failures is None:
        return
    if args.failures.is_dir():
        raise UsageError(f"--failures {args.failures}: is a folder, expected the name of a file to write.")
    require_folder(args.failures.parent)


def workers_for(args: argparse.Namespace, count: int, worth_it: int) -> int:
    """Processes for ``count`` items; see :func:`motion_rep.runs.work_pool.default_workers`."""
    from motion_rep.runs.work_pool import default_workers

    if args.ray_address and args.engine != "ray":
        raise UsageError("--ray-address is for --engine ray. Add that, or leave the address out.")
    return default_workers(count, worth_it) if args.workers is None else min(args.workers, count)


def run_on_engine(
    args: argparse.Namespace, start: Callable, items: Iterable, workers: int, all_remote: bool = False
) -> Iterator:
    """Each item with its result or why it failed, in order; see :func:`motion_rep.runs.work_pool.run_items`.

    Args:
        all_remote: whether inputs and outputs are behind URLs, so that machines of a cluster need not share a folder with this one.
    """
    if args.engine == "ray":
        from motion_rep.runs.ray_engine import run_items_on_ray

        return run_items_on_ray(start, items, args.ray_address, None if all_remote else os.getcwd())
    from motion_rep.runs.work_pool import run_items

    return run_items(start, items, workers)
