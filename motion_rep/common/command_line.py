"""Shared by all commands: flags in both spellings, one-line errors, exit codes.

Imports only the standard library, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar, cast

from motion_rep import __version__
from motion_rep.common.allowed_schemes import addresses_allowed
from motion_rep.common.compute_threads import thread_numbers_kept
from motion_rep.common.end_signals import exit_code, ignore_repeated_signals, signals_raise_ended
from motion_rep.common.errors import InputError, one_line, printable, system_failure
from motion_rep.common.messages import say_error
from motion_rep.common.overwriting import GivenPath, PathFlag, require_apart

DONE, SOME_FAILED, CANNOT_START = 0, 1, 2

# Not in requirements.txt.
OPTIONAL_PACKAGES = ("viser",)
OWN_PACKAGES = ("motion_rep", "motion_gating", "scripts")
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


def _open_streams() -> None:
    """Replace closed standard streams with the null device."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - open until the program ends
