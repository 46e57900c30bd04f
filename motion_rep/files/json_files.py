"""JSON files, written atomically."""

from __future__ import annotations

import json
import os

from motion_rep.common.errors import InputError
from motion_rep.files.atomic_writing import write_bytes
from motion_rep.files.local_files import read_bytes


def write_json(path: str | os.PathLike, value: object) -> None:
    """Write JSON atomically: two spaces, UTF-8, keys in the order they have."""
    write_bytes(path, (json_text(value, indent=2) + "\n").encode())


def json_text(value: object, indent: int | None = None) -> str:
    """JSON with readable characters; all escaped where a text holds half of a surrogate pair, which JSON can say and UTF-8 cannot."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return text


def read_json(path: str | os.PathLike) -> object:
    """JSON from a UTF-8 file.

    Raises:
        InputError: missing, empty, not UTF-8 or not JSON (with line and column).
    """
    data = read_bytes(path)
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8 text, expected a JSON file.") from None
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}: is not JSON: {error.msg} at line {error.lineno}, column {error.colno}. Correct it there."
        ) from None
    except (RecursionError, ValueError):  # ValueError: a whole number of thousands of digits
        raise InputError(
            f"{path}: is nested too deeply, or has a number too long, for JSON data of this toolkit."
        ) from None
