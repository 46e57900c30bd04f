"""Put the data into the template. It is never parsed as markup: the page contains it as JSON and shows it as text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path

import jinja2

from motion_rep.files.atomic_writing import atomic_path

FILES = Path(__file__).parent / "page_files"
# In this order: while the page loads, a script may call only earlier scripts.
PARTS = (
    *("base", "verdicts", "reviewers", "list", "entry", "player", "pictures", "trims", "groups", "curves", "start"),
)
DATA_IN_TEMPLATE = "{{ data|safe }}"


def write_page(path: Path, title: str, data: dict, rows: Iterable[str]) -> None:
    """Write index.html, with its style, script and data inside.

    Args:
        data: the page's data except its entries.
        rows: the entries, each as :func:`harmless_json` text; read one by one.
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    parts = {kind: _joined(kind) for kind in ("css", "js")}
    halves = (FILES / "template.html").read_text(encoding="utf-8").split(DATA_IN_TEMPLATE)
    before, after = (environment.from_string(half).render(title=title, **parts) for half in halves)
    with atomic_path(path) as temporary, open(temporary, "w", encoding="utf-8", errors="replace") as file:
        file.write(before + harmless_json(data)[:-1] + ',"entries":[')
        for number, row in enumerate(rows):
            file.write(row if number == 0 else "," + row)
        file.write("]}" + after)


def _joined(kind: str) -> str:
    """The page's files of one kind, ``css`` or ``js``, as one text."""
    paths = [FILES / f"{part}.{kind}" for part in PARTS]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths if path.is_file())


def write_entry_script(path: Path, key: str, data: dict) -> None:
    """Write an entry's details as a script, because a page opened from disk cannot fetch files."""
    with atomic_path(path, durable=False) as temporary:  # every run rewrites it
        temporary.write_text(f"reviewEntry({harmless_json(key)}, {harmless_json(data)});\n", encoding="ascii")


def harmless_json(value: object) -> str:
    """ASCII JSON for a script element: no ``<``, ``>`` or ``&``; numbers that JSON cannot represent become null."""
    text = json.dumps(_finite(value), ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _finite(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
