"""One question to a model in words, and the form that its answer must have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Schema = dict[str, object]
TEXT: Schema = {"type": "string"}
TRUE_FALSE: Schema = {"type": "boolean"}


@dataclass(frozen=True)
class Inquiry:
    """What a model is asked.

    part: which part of a protocol asks, for records.
    prompt: the words, with the description in them.
    schema: JSON schema of the answer, an object; see :func:`answer_form`.
    sees_clip: whether the clip goes with it.
    """

    part: str
    prompt: str
    schema: Schema
    sees_clip: bool = True


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
