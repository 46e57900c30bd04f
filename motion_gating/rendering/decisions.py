"""Decisions of earlier runs that are still valid after rendering."""

from __future__ import annotations

from motion_gating.archives.archive import Entry, claims_use, entry_id, read_entries, without_decision
from motion_gating.archives.content import Content, text_digest, why_not_judged
from motion_gating.archives.fields import JUDGED_CONTENT, PROMPT, USE_REF_MOTION
from motion_gating.archives.texts import text_of
from motion_rep.common.errors import InputError
from motion_rep.files.locations import Location

DECISION = (USE_REF_MOTION, JUDGED_CONTENT)


def earlier_decisions(output_json: Location) -> dict[str, dict]:
    """The judged decisions in an archive of an earlier run, by id; empty if it cannot be read."""
    try:
        return {
            str(entry_id(entry)): {name: entry.get(name) for name in DECISION}
            for entry in read_entries(output_json)
            if isinstance(entry.get(USE_REF_MOTION), bool) and JUDGED_CONTENT in entry
        }
    except InputError:
        return {}


def with_decision(entry: Entry, earlier: dict | None, motion: str, replaced: bool) -> Entry:
    """An entry with the newest decision about its content; a ``true`` about other content is removed.

    Args:
        earlier: the decision of an earlier gate run in the output archive.
        motion: digest of the entry's motion.
        replaced: whether an older rendering shows that the motion has been replaced.
    """
    if earlier is not None and why_not_judged({**entry, **earlier}, motion) is None:
        return {**entry, **earlier}
    if not claims_use(entry):
        return entry
    if why_not_judged(entry, motion) is not None:
        return without_decision(entry)
    if JUDGED_CONTENT in entry:
        return entry
    if replaced:
        return without_decision(entry)
    # A decision that came with the archive: from now on it applies to this motion and this text.
    text = text_of(entry)
    content = Content(motion, text=None if text is None else text_digest(text), text_field=PROMPT)
    return {**entry, JUDGED_CONTENT: content.as_dict()}
