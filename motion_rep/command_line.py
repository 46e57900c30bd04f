"""What all command-line files share: flags in both spellings, one-line errors, progress, exit codes.

Imports only the standard library, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence

from motion_rep.errors import InputError, UsageError, one_line

DONE, SOME_FAILED, CANNOT_START = 0, 1, 2


class _DefaultsThatSaySomething(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the default of a flag, but not "None" or "False"."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default is None or action.default is False else super()._get_help_string(action)


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that takes every long flag with ``-`` and with ``_``.

    Only the first spelling given to ``add_argument`` is shown in the help.
    """

    def __init__(self, **options) -> None:
        options.setdefault("formatter_class", _DefaultsThatSaySomething)
        options.setdefault("allow_abbrev", False)
        super().__init__(**options)

    def parse_known_args(self, args=None, namespace=None):
        given = sys.argv[1:] if args is None else list(args)
        return super().parse_known_args(self._known_spellings(given), namespace)

    def error(self, message: str) -> None:
        """One line and exit code 2; argparse prints the whole usage in front of it. A key given to a misspelt flag is not repeated."""
        message = re.sub(r"(--?[\w-]*key[\w-]*[ =]+)[^\s-]\S*", r"\1[key]", message, flags=re.IGNORECASE)
        self.exit(CANNOT_START, f"error: {one_line(message)}. See {self.prog} --help.\n")

    def _known_spellings(self, args: Sequence[str]) -> list[str]:
        known = {_spelling(flag): flag for flag in self._option_string_actions}
        return [self._known_spelling(arg, known) for arg in args]

    @staticmethod
    def _known_spelling(arg: str, known: dict[str, str]) -> str:
        if not arg.startswith("--"):
            return arg
        flag, equals, value = arg.partition("=")
        return known.get(_spelling(flag), flag) + equals + value


def _spelling(flag: str) -> str:
    return flag.replace("_", "-")


def run_command(command: Callable[[argparse.Namespace], int], args: argparse.Namespace) -> int:
    """Run a command; an InputError becomes one line on stderr and its exit code, Ctrl-C becomes 130."""
    try:
        return command(args)
    except InputError as error:
        say_error(error)
        return error.exit_code
    except MemoryError as error:
        say_error(f"not enough memory: {error}. Close other programs or give a shorter clip.")
        return SOME_FAILED
    except KeyboardInterrupt:
        say_error("interrupted; finished outputs are kept, run the same command again to go on")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOME_FAILED


def say(text: str) -> None:
    """Print one line of result or information."""
    print(text, flush=True)


def say_warning(text: object) -> None:
    """Print one warning line on stderr."""
    print(f"warning: {one_line(text)}", file=sys.stderr, flush=True)


def say_error(text: object) -> None:
    """Print one error line on stderr."""
    print(f"error: {one_line(text)}", file=sys.stderr, flush=True)


def progress(items: Iterable, description: str, total: int | None = None, unit: str = "it"):
    """A tqdm bar on stderr; silent where stderr is not a terminal, so that logs stay readable."""
    from tqdm import tqdm

    return tqdm(items, desc=description, total=total, unit=unit, disable=None, dynamic_ncols=True)


def positive_number(text: str) -> float:
    """argparse type: a finite number above zero."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above zero")
    return value


def whole_number(text: str) -> int:
    """argparse type: a whole number, zero or more."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def positive_int(text: str) -> int:
    """argparse type: a whole number above zero."""
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above zero")
    return int(text)


def device_or_error(name: str) -> str:
    """A torch device name that exists on this machine; ``auto`` takes cuda where it is there, else cpu."""
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(f"--device {name}: {one_line(error)[:160]}. Use --device auto or cpu.") from None
    return name
