"""The description of an entry, even if a field contains several."""

from __future__ import annotations

from motion_gating.archives.fields import PROMPT, TEXT_ANNOTATIONS


def text_of(entry: dict, field: str = PROMPT) -> str | None:
    """The text of a field, or the first of a list; ``motion_text_annot`` replaces a missing prompt."""
    texts = _texts(entry, field)
    return next((text for text in texts if isinstance(text, str) and text.strip()), None)


def text_note(entry: dict, field: str = PROMPT) -> str | None:
    """A sentence if the text is the first of several."""
    count = len(_texts(entry, field))
    return f"{field} has {count} texts; the first counts" if count > 1 else None


def _texts(entry: dict, field: str) -> list:
    value = entry.get(field)
    if value is None and field == PROMPT:
        value = entry.get(TEXT_ANNOTATIONS)
    return value if isinstance(value, list) else [value]
