"""Flags of all commands over many items: engine, workers, time limit, failures file."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from motion_rep.common.errors import UsageError
from motion_rep.common.flag_values import positive_number, worker_count
from motion_rep.common.overwriting import written_path
from motion_rep.files.atomic_writing import require_folder

if TYPE_CHECKING:
    from motion_rep.runs.engine import Engine

ENGINES = ("local", "ray")
# Waiting for the remote files of this many items costs as much as starting a worker.
REMOTE_WORTH_A_WORKER = 20
ITEM_TIMEOUT = 1800.0


def add_run_flags(parser: argparse.ArgumentParser) -> None:
    """``--workers``, ``--item-timeout``, ``--engine``, ``--ray-address`` and ``--failures``."""
    parser.add_argument(
        "--workers",
        type=worker_count,
        help="number of worker processes; 0: none (default: one per core if there are enough items)",
    )
    parser.add_argument(
        "--item-timeout",
        type=positive_number,
        default=ITEM_TIMEOUT,
        metavar="SECONDS",
        help="an item that takes longer fails; the run continues",
    )
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        default="local",
        help="ray: run on a Ray cluster that has access to the same files or URLs (pip install ray)",
    )
    parser.add_argument(
        "--ray-address",
        metavar="HOST:PORT",
        help="address of the cluster (default: RAY_ADDRESS, else start one on this machine)",
    )
    parser.add_argument(
        "--failures", type=written_path, metavar="F", help="write failed items and their causes into this JSON file"
    )


def require_failures_folder(args: argparse.Namespace) -> None:
    """Check that the file of ``--failures`` is writable.

    Raises:
        UsageError: it is not.
    """
    require_writable("--failures", args.failures)


def require_writable(flag: str, path: Path | None) -> None:
    """Check that the file given with a flag can be written; None is accepted.

    Raises:
        UsageError: a folder, or a file in a folder that cannot be written to.
    """
    if path is None:
        return
    if path.is_dir():
        raise UsageError(f"{flag} {path}: is a folder, expected the name of a file to write.")
    require_folder(path.parent)


def require_no_failures_file(args: argparse.Namespace, instead: str) -> None:
    """Check that ``--failures`` is not given for one file, whose failure the exit code reports.

    Args:
        instead: what to do.
    Raises:
        UsageError: it is given.
    """
    if args.failures is not None:
        raise UsageError(f"--failures is for a folder of outputs. {instead}")


def engine_from(
    args: argparse.Namespace, worth_a_worker: int, some_remote: bool = False, all_remote: bool = False
) -> Engine:
    """The engine that the flags choose.

    Args:
        worth_a_worker: number of items that cost as much as starting a worker.
        some_remote: whether some files are URLs, for which items wait.
        all_remote: whether all files are URLs; then the machines of a cluster need no shared folder.
    Raises:
        UsageError: an address without ``--engine ray``.
    """
    from motion_rep.runs.engine import Engine

    if args.ray_address and args.engine != "ray":
        raise UsageError("--ray-address is for --engine ray. Add that flag, or omit the address.")
    return Engine(
        workers=args.workers,
        worth_a_worker=min(worth_a_worker, REMOTE_WORTH_A_WORKER) if some_remote else worth_a_worker,
        item_timeout=args.item_timeout,
        on_ray=args.engine == "ray",
        ray_address=args.ray_address,
        folder=None if all_remote else os.getcwd(),
    )
