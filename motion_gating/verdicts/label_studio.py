"""Read verdicts from Label Studio: the labels of our project in its JSON export.

Format: https://labelstud.io/guide/export (JSON) and https://labelstud.io/guide/tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeGuard

from motion_rep.common.errors import InputError
from motion_rep.files.json_files import STRICT_JSON

MATCH, MISMATCH, UNSURE = "match", "mismatch", "unsure"
USABLE, NOT_USABLE = "usable", "not usable"
VERDICT, USE, ANALYSIS = "verdict", "use", "analysis"  # names of the controls
MATCHES = {MATCH: True, MISMATCH: False, UNSURE: None}
LABELS = {matches: label for label, matches in MATCHES.items()}
# Keys of a task's data.
ID, CONTENT = "entry_id", "content"
# Reviewer and time of an exported verdict. Label Studio keeps the "meta" of a label; its own author is the importer.
META, SAID = "meta", "said"
KEPT = ("reviewer", "time", "overruled", "chosen")


def is_task(item: object) -> TypeGuard[Mapping]:
    """Whether an item of a list is a task that was exported with its annotations."""
    return isinstance(item, dict) and isinstance(item.get("annotations"), list) and isinstance(item.get("data"), dict)


def verdicts_in(task: Mapping) -> Iterator[dict[str, object]]:
    """A task's annotations as items of a verdict file; skipped and empty ones give none."""
    data = task["data"]
    for annotation in task["annotations"]:
        labels = _labels(annotation)
        if labels.get(VERDICT) not in MATCHES or annotation.get("was_cancelled"):
            continue
        found = {
            "id": _identifier(data.get(ID)),
            "matches": MATCHES[labels[VERDICT]],
            "analysis": labels.get(ANALYSIS),
            "usable": {USABLE: True, NOT_USABLE: False}.get(labels.get(USE, "")),
            "reviewer": _reviewer(annotation.get("completed_by")),
            "time": annotation.get("updated_at") or annotation.get("created_at"),
            CONTENT: data.get(CONTENT),
            **_kept(annotation, labels[VERDICT]),
        }
        yield {key: value for key, value in found.items() if value is not None or key == "matches"}


def _kept(annotation: Mapping, label: str) -> dict[str, object]:
    """The data that our export wrote about a verdict; empty if the verdict has been changed since."""
    for result in annotation["result"]:
        meta = result.get(META) if isinstance(result, dict) and result.get("from_name") == VERDICT else None
        if isinstance(meta, dict) and meta.get(SAID) == label:
            return {key: meta.get(key) for key in KEPT}
    return {}


def _labels(annotation: object) -> dict[str, str]:
    """The first choice or text of each control."""
    results = annotation.get("result") if isinstance(annotation, dict) else None
    found: dict[str, str] = {}
    for result in results if isinstance(results, list) else ():
        value = result.get("value") if isinstance(result, dict) else None
        given = (value.get("choices") or value.get("text")) if isinstance(value, dict) else None
        words = given[0] if isinstance(given, list) and given else given
        if isinstance(words, str):
            found[str(result.get("from_name"))] = words
    return found


def _identifier(value: object) -> object:
    """An id; a task stores it as JSON, to distinguish 7 from "7"."""
    try:
        return STRICT_JSON.decode(value) if isinstance(value, str) else value
    except (InputError, ValueError, RecursionError):
        return value


def _reviewer(value: object) -> str:
    """The annotator's e-mail address, or Label Studio's number."""
    if isinstance(value, dict):
        return str(value.get("email") or value.get("username") or value.get("id"))
    return f"Label Studio user {value}" if isinstance(value, int) else str(value or "Label Studio")
