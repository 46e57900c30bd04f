"""One question to a model, and the form that its answer must have."""

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
        """Digest of the motion and of everything that changes the pictures."""

    def drawn(self) -> AbstractContextManager[Path]:
        """The drawn clip, which exists until the block ends.

        Raises:
            InputError: it cannot be written.
        """


@dataclass(frozen=True)
class Inquiry:
    """A question to a model.

    part: the part of the protocol that asks, for records.
    prompt: the text, including the description.
    schema: JSON schema of the answer, an object; see :func:`answer_form`.
    sees_clip: whether the clip is sent along.
    view: sent along instead of the clip.
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
    """The schema of one of several words."""
    return {"type": "string", "enum": list(choices)}


def list_of(items: Schema, least: int, most: int) -> Schema:
    """The schema of a list with a limited number of items."""
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def fields_of(schema: Mapping[str, object]) -> dict[str, Schema]:
    """The keys of an answer, with the schema of each."""
    fields = schema["properties"]
    return fields if isinstance(fields, dict) else {}
