"""Flags of commands that make one file from each input, with their checks, and the run that they describe."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from motion_rep.common.errors import InputError, UsageError
from motion_rep.files.locations import Location, is_remote, read_location, written_location
from motion_rep.files.remote_files import resolve_existing
from motion_rep.runs.flags import engine_from, require_failures_folder

if TYPE_CHECKING:
    from motion_rep.runs.engine import Engine


@dataclass(frozen=True)
class PairRun:
    """What a command reads and writes, and how it runs.

    output: one file, or a folder.
    overwrite: whether to replace outputs that are up to date or that another program made.
    failures: file for the failed inputs.
    """

    inputs: Sequence[Location]
    output: Location
    engine: Engine
    overwrite: bool = False
    failures: Path | None = None


def add_pair_flags(parser: argparse.ArgumentParser, inputs: str, output: str, required: bool = True) -> None:
    """``--input`` and ``--output``.

    Args:
        inputs, output: help texts.
        required: whether the output must be given.
    """
    parser.add_argument("-i", "--input", nargs="+", type=read_location, required=True, metavar="PATH", help=inputs)
    parser.add_argument("-o", "--output", type=written_location, required=required, metavar="PATH", help=output)


def require_inputs(args: argparse.Namespace) -> None:
    """Check that the inputs exist; remote ones then know whether they are folders.

    Raises:
        UsageError: one does not.
    """
    try:
        args.input = [resolve_existing(path) for path in args.input]
    except InputError as error:
        raise UsageError(str(error)) from None


def pair_run(args: argparse.Namespace, worth_a_worker: int, output: Location | None = None) -> PairRun:
    """The run that the flags describe, checked; its engine depends on whether inputs and output are URLs.

    Args:
        worth_a_worker: see :func:`motion_rep.runs.flags.engine_from`.
        output: instead of ``args.output``.
    Raises:
        UsageError: an input does not exist, or flags that do not fit together.
    """
    require_inputs(args)
    require_failures_folder(args)
    output = args.output if output is None else output
    remote = [is_remote(path) for path in (*args.input, output)]
    engine = engine_from(args, worth_a_worker, any(remote), all(remote))
    return PairRun(args.input, output, engine, getattr(args, "overwrite", False), args.failures)
