"""Print the people in captures, for ``--list-people``."""

from __future__ import annotations

from collections.abc import Sequence

from motion_rep.common.command_line import DONE, SOME_FAILED
from motion_rep.common.errors import InputError
from motion_rep.common.messages import say, say_error
from motion_rep.conversion.inputs import captures_at
from motion_rep.files.locations import Location
from motion_rep.files.remote_files import local_copy
from motion_rep.hmr_formats.reading import list_people


def say_people(paths: Sequence[Location], format: str, trust_pickle: bool) -> int:
    """Print the people in each capture (names for ``--person``); returns the exit code."""
    code = DONE
    for path in captures_at(paths):
        try:
            with local_copy(path) as copy:
                people = list_people(copy, format, trust_pickle)
        except InputError as error:
            say_error(error)
            code = SOME_FAILED
            continue
        for person in people:
            say(f"{path}: {person}")
    return code
