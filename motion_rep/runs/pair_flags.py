"""Flags of commands that make one file from each input, with their checks and engine."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from motion_rep.common.errors import InputError, UsageError
from motion_rep.files.locations import is_remote, read_location, written_location
from motion_rep.files.remote_files import resolve_existing
from motion_rep.runs.flags import engine_from

if TYPE_CHECKING:
    from motion_rep.runs.engine import Engine


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


def pair_engine(args: argparse.Namespace, worth_a_worker: int) -> Engine:
    """The engine that the flags choose, by whether inputs and output are URLs; see :func:`engine_from`."""
    remote = [is_remote(path) for path in (*args.input, args.output)]
    return engine_from(args, worth_a_worker, any(remote), all(remote))
