"""One question to a model in words, and the form that its answer must have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

Schema = dict[str, object]
TEXT: Schema = {"type": "string"}
TRUE_FALSE: Schema = {"type": "boolean"}


class OtherView(Protocol):
    """Another view of the motion, drawn only when a model is asked about it."""

    @property
    def digest(self) -> str:
        """Of the motion and everything that changes the pictures."""

    def drawn(self) -> AbstractContextManager[Path]:
        """The clip, while the block lasts.

        Raises:
            InputError: it cannot be written.
        """


@dataclass(frozen=True)
class Inquiry:
    """What a model is asked.

    part: which part of a protocol asks, for records.
    prompt: the words, with the description in them.
    schema: JSON schema of the answer, an object; see :func:`answer_form`.
    sees_clip: whether the clip goes with it.
    view: goes with it in place of the clip.
    """

    part: str
    prompt: str
    schema: Schema
    sees_clip: bool = True
    view: OtherView | None = None


def answer_form(**fields: Schema) -> Schema:
    """The schema of an object with these keys, in this order, so that the model reasons before it decides."""
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def one_of(choices: Sequence[str]) -> Schema:
    """One of a few words."""
    return {"type": "string", "enum": list(choices)}


def list_of(items: Schema, least: int, most: int) -> Schema:
    """A list of so many items."""
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def fields_of(schema: Mapping[str, object]) -> dict[str, Schema]:
    """The keys of an answer with the schema of each."""
    fields = schema["properties"]
    return fields if isinstance(fields, dict) else {}
