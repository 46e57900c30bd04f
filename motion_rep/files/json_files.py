"""Strict JSON: written atomically, read without loss."""

from __future__ import annotations

import json
import math
import os
from collections import Counter

from motion_rep.common.errors import InputError, located
from motion_rep.files.atomic_writing import write_bytes
from motion_rep.files.limits import MOST_BITS, MOST_JSON_BYTES
from motion_rep.files.local_files import read_bytes


def write_json(path: str | os.PathLike, value: object) -> None:
    """Write JSON atomically: indented by two spaces, UTF-8, keys in their given order."""
    write_bytes(path, (json_text(value, indent=2) + "\n").encode())


def json_text(value: object, indent: int | None = None) -> str:
    """JSON without needless escapes; NaN and infinity become null.

    If a text contains half of a surrogate pair, which UTF-8 cannot encode, all non-ASCII characters are escaped.
    """
    try:
        text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    except ValueError:
        value = _finite(value)
        text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent, allow_nan=False)
    return text


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_json(path: str | os.PathLike) -> object:
    """JSON from a UTF-8 file.

    Raises:
        InputError: missing, empty, too large, not UTF-8, not JSON (with line and column), or not strict (see
            :data:`STRICT_JSON`).
    """
    data = read_bytes(path, MOST_JSON_BYTES)
    with located(path):
        try:
            return STRICT_JSON.decode(data.decode("utf-8-sig"))
        except InputError:
            raise
        except UnicodeDecodeError:
            raise InputError("is not UTF-8 text, expected a JSON file.") from None
        except json.JSONDecodeError as error:
            raise InputError(
                f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}. Correct it there."
            ) from None
        except (RecursionError, ValueError):  # ValueError: a whole number of thousands of digits
            raise InputError("is nested too deeply, or has a number too long, for JSON data of this toolkit.") from None


def _distinct(pairs: list[tuple[str, object]]) -> dict:
    found = dict(pairs)
    if len(found) != len(pairs):
        name = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise InputError(f"has the key {name[:80]!r} more than once in an object. Keep one of them.")
    return found


def _float(text: str) -> float:
    found = float(text)
    if math.isinf(found):
        raise InputError("contains a number beyond 1.8e308, the largest that programs can read. Correct it.")
    return found


def _int(text: str) -> int:
    # Reject absurdly long digit strings; int() itself raises above 4,300 digits.
    if len(text) > 400 or (found := int(text)).bit_length() > MOST_BITS:
        raise InputError("contains a whole number beyond 1.8e308, the largest that programs can read. Correct it.")
    return found


def _constant(text: str) -> None:
    raise InputError(f"contains {text}, which JSON does not allow. Write null instead.")


# Raises an InputError (without the file's name) for invalid JSON and for values that a rewrite would lose.
STRICT_JSON = json.JSONDecoder(
    object_pairs_hook=_distinct, parse_float=_float, parse_int=_int, parse_constant=_constant
)
