"""Shared by all commands: flags in both spellings, one-line errors, progress, exit codes.

Imports only the standard library, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn, TextIO, TypeVar, cast

from motion_rep import __version__
from motion_rep.common.allowed_schemes import addresses_allowed
from motion_rep.common.compute_threads import thread_numbers_kept
from motion_rep.common.end_signals import exit_code, ignore_repeated_signals, signals_raise_ended
from motion_rep.common.errors import InputError, UsageError, one_line, printable, system_failure
from motion_rep.common.overwriting import GivenPath, PathFlag, require_apart
from motion_rep.common.rates import FASTEST_RATE, SLOWEST_RATE
from motion_rep.common.sizes import LARGEST_SIDE

DONE, SOME_FAILED, CANNOT_START = 0, 1, 2

# Not in requirements.txt.
OPTIONAL_PACKAGES = ("viser",)
OWN_PACKAGES = ("motion_rep", "motion_gating", "scripts")
LARGEST_INT = 2**31 - 1
MOST_LINES = 20  # about single entries
Settings = TypeVar("Settings")


class _DefaultsThatSaySomething(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the default of a flag, but not "None" or "False"."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default is None or action.default is False else super()._get_help_string(action)


class _StoreOnce(argparse.Action):
    """Store a flag's value; a repeated flag is an error, unless it takes several values, which are added."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        seen: set[str] = parser.flags_seen  # type: ignore[attr-defined]  # of our Parser
        if self.dest in seen:
            if self.nargs not in ("+", "*"):
                parser.error(f"given more than once: {option_string}")
            values = [*getattr(namespace, self.dest), *values]
        if option_string is not None:
            seen.add(self.dest)
        setattr(namespace, self.dest, values)


class YesNo(argparse.BooleanOptionalAction):
    """``--flag`` and ``--no-flag``; giving both is an error."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        seen: set[str] = parser.flags_seen  # type: ignore[attr-defined]  # of our Parser
        before = getattr(namespace, self.dest)
        super().__call__(parser, namespace, values, option_string)
        if self.dest in seen and getattr(namespace, self.dest) != before:
            parser.error(f"{' and '.join(self.option_strings)} exclude each other")
        seen.add(self.dest)


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that accepts every long flag with ``-`` and with ``_``.

    Only the first spelling given to ``add_argument`` is shown in the help.
    """

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", _DefaultsThatSaySomething)
        options.setdefault("allow_abbrev", False)
        super().__init__(**options)
        self.flags_seen: set[str] = set()
        for name in (None, "store"):
            self.register("action", name, _StoreOnce)
        self.add_argument("--version", action="version", version=f"%(prog)s {__version__}")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        _open_streams()
        self.flags_seen = set()
        given = sys.argv[1:] if args is None else list(args)
        found, rest = super().parse_known_args(self._known_spellings(given), namespace)
        found.given_paths = self._given_paths(found)
        return found, rest

    def _given_paths(self, found: argparse.Namespace) -> list[GivenPath]:
        return [
            GivenPath(
                max(action.option_strings, key=len, default=str(action.metavar or action.dest)), action.type, path
            )
            for action in self._actions
            if isinstance(action.type, PathFlag)
            for path in _listed(getattr(found, action.dest, None))
        ]

    def error(self, message: str) -> NoReturn:
        """Exit with one line and code 2; argparse would print the whole usage first.

        The value of a misspelt key flag is not printed.
        """
        message = re.sub(r"(--?[\w-]*key[\w-]*[ =]+)[^\s-]\S*", r"\1[key]", message, flags=re.IGNORECASE)
        self.exit(CANNOT_START, f"error: {printable(one_line(message))}. See {self.prog} --help.\n")

    def _known_spellings(self, args: Sequence[str]) -> list[str]:
        known = {_spelling(flag): flag for flag in self._option_string_actions}
        return [self._known_spelling(arg, known) for arg in args]

    @staticmethod
    def _known_spelling(arg: str, known: dict[str, str]) -> str:
        if not arg.startswith("--"):
            return arg
        flag, equals, value = arg.partition("=")
        return known.get(_spelling(flag), flag) + equals + value


def _listed(value: object) -> list:
    return [] if value is None else value if isinstance(value, list) else [value]


def _spelling(flag: str) -> str:
    return flag.replace("_", "-")


def run_command(command: Callable[[argparse.Namespace], int], args: argparse.Namespace) -> int:
    """Run a command.

    First checks that no output is an input (:func:`motion_rep.common.overwriting.require_apart`). An InputError or a
    system error on a file becomes one line on stderr and an exit code. Ctrl-C gives 130, SIGTERM 143, SIGHUP 129.
    """
    with signals_raise_ended() as raise_waiting, thread_numbers_kept():
        return _run_command(command, args, raise_waiting)


def _run_command(
    command: Callable[[argparse.Namespace], int], args: argparse.Namespace, raise_waiting: Callable[[], None]
) -> int:
    try:
        given = getattr(args, "given_paths", ())
        require_apart(given)
        more = (getattr(args, name, ()) for name in ("allow_scheme", "allow_host"))
        with addresses_allowed((one.path for one in given), *more):
            code = command(args)
            raise_waiting()
            return code
    except InputError as error:
        say_error(error)
        return error.exit_code
    except MemoryError as error:
        say_error(f"not enough memory: {error}. Close other programs or give a shorter clip.")
        return SOME_FAILED
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if not package or package in OWN_PACKAGES:
            raise
        if package in OPTIONAL_PACKAGES:
            say_error(f"the package {package} is missing. Install it with: pip install {package}")
        else:
            say_error(
                f"the package {package} is missing; run bash scripts/setup_environment.sh and use .venv/bin/python, "
                "or: pip install -r requirements.txt"
            )
        return CANNOT_START
    except KeyboardInterrupt as error:
        say_error("interrupted; finished outputs are kept. Re-run the command to resume it")
        return exit_code(error)
    except OSError as error:
        say_error(system_failure(error))
        return SOME_FAILED


def command_main(
    build_parser: Callable[[], Parser],
    run: Callable[[argparse.Namespace], int],
    parse: Callable[[Parser, list[str] | None], argparse.Namespace] = Parser.parse_args,
) -> Callable[..., int]:
    """The ``main`` of a command: it parses its arguments, or those of the program, and returns the exit code.

    With arguments of its own, it is called from a program that goes on, and leaves signals as they were.
    """

    def main(argv: list[str] | None = None) -> int:
        code = run_command(run, parse(build_parser(), argv))
        if argv is None:
            ignore_repeated_signals()
        return code

    return main


def from_flags(kind: type[Settings], args: argparse.Namespace, **others: object) -> Settings:
    """A dataclass whose fields have the names of flags, with the values of these flags, and others."""
    names = {field.name for field in dataclasses.fields(cast(Any, kind))} - set(others)
    return kind(**{name: getattr(args, name) for name in names}, **others)


def say(text: object) -> None:
    """Print one line of result or information; line breaks become spaces, columns stay as they are."""
    _print(" ".join(str(text).splitlines()), sys.stdout)


def say_warning(text: object) -> None:
    """Print one warning line on stderr."""
    _print(f"warning: {one_line(text)}", sys.stderr)


def say_error(text: object) -> None:
    """Print one error line on stderr."""
    _print(f"error: {one_line(text)}", sys.stderr)


def say_first(
    say: Callable[[str], None], lines: Sequence[str], rest: Callable[[int], str], most: int = MOST_LINES
) -> None:
    """Print up to ``most`` lines with ``say``, and one with the number of the others."""
    for line in lines[:most]:
        say(line)
    if (more := len(lines) - most) > 0:
        say(rest(more))


def _print(line: str, stream: TextIO | None) -> None:
    """Print a line; a closed pipe or a full disk does not stop the work.

    Control characters and characters that the stream cannot encode are escaped: file names may contain any bytes.
    """
    if stream is None:  # closed
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        shown = printable(line).encode(encoding, "backslashreplace").decode(encoding)
        # print would write the line break separately: a signal between the two would join this line and the next one.
        stream.write(f"{shown}\n")
        stream.flush()
    except OSError:
        # Python flushes once more at exit, and would fail there again.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _open_streams() -> None:
    """Replace closed standard streams with the null device."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - open until the program ends


# Called for the items of all progress bars, which are then hidden; see progress_reported_to.
_listeners: list[Callable[[], object]] = []


@contextlib.contextmanager
def progress_reported_to(listener: Callable[[], object]) -> Iterator[None]:
    """Within this block, :func:`progress` shows no bars and calls ``listener`` for each finished clip or entry."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def progress(items: Iterable[object], description: str, total: int | None = None, unit: str = "it") -> Any:
    """A tqdm bar on stderr; silent if stderr is not a terminal, to keep logs readable."""
    from tqdm import tqdm

    if _listeners:
        return tqdm(_reported(items) if unit in ("clip", "entry") else items, disable=True)
    return tqdm(items, desc=description, total=total, unit=unit, disable=None, dynamic_ncols=True)


def _reported(items: Iterable[object]) -> Iterator[object]:
    for item in items:
        yield item
        _listeners[-1]()


def positive_number(text: str) -> float:
    """argparse type: a number above zero, from a millionth to a thousand million."""
    return _number_within(text, 1e-6, 1e9, "a number above zero (0.000001 to 1000000000)")


def share(text: str) -> float:
    """argparse type: a share of something, from 0.001 to 0.999."""
    return _number_within(text, 0.001, 0.999, "a share (0.001 to 0.999)")


def frame_rate(text: str) -> float:
    """argparse type: frames per second, within the range of cameras and players."""
    return _number_within(
        text, SLOWEST_RATE, FASTEST_RATE, f"a frame rate ({SLOWEST_RATE:g} to {FASTEST_RATE:g} frames per second)"
    )


def whole_number(text: str) -> int:
    """argparse type: a whole number, zero or more."""
    return _int_within(text, 0, LARGEST_INT, f"a whole number (0 to {LARGEST_INT})")


def positive_int(text: str) -> int:
    """argparse type: a whole number above zero."""
    return _int_within(text, 1, LARGEST_INT, f"a whole number above zero (1 to {LARGEST_INT})")


def thread_count(text: str) -> int:
    """argparse type: a number of threads."""
    return _int_within(text, 1, 256, "a number of threads (1 to 256)")


def worker_count(text: str) -> int:
    """argparse type: a number of worker processes; 0 means none."""
    return _int_within(text, 0, 1024, "a whole number of processes (0 to 1024)")


def picture_side(text: str) -> int:
    """argparse type: width or height of a picture in pixels."""
    return _int_within(text, 16, LARGEST_SIDE, f"a width or height of a picture (16 to {LARGEST_SIDE} pixels)")


def port(text: str) -> int:
    """argparse type: a TCP port."""
    return _int_within(text, 1, 65535, "a port (1 to 65535)")


def _number_within(text: str, least: float, most: float, expected: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not {expected}")
    return value


def _int_within(text: str, least: int, most: int, expected: str) -> int:
    # Reject absurdly long digit strings; int() itself raises above 4,300 digits.
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not {expected}")
    return value


def device_or_error(name: str) -> str:
    """The named torch device if this machine has it; otherwise a warning and the CPU.

    ``auto`` takes CUDA if it is available.
    """
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"--device {name}: {one_line(error)[:160]}. Use --device auto or cpu.") from None
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError, NotImplementedError):
        say_warning(f"--device {name}: this machine has no such device; using the CPU")
        return "cpu"
    return name
