"""Warn of verdicts on ids that an archive does not have."""

from __future__ import annotations

import unicodedata

from motion_gating.archives.archive import entry_id, read_entries
from motion_gating.verdicts.verdict_file import Verdicts
from motion_rep.common.messages import say_warning
from motion_rep.files.locations import Location


def warn_of_unknown_ids(verdicts: Verdicts, meta_json: Location) -> None:
    """One warning if verdicts are about ids that no entry has, with the id that is probably meant.

    Raises:
        UsageError: the archive cannot be read.
    """
    if not verdicts:
        return
    known = {str(entry_id(entry)) for entry in read_entries(meta_json)}
    unknown = [identifier for identifier in verdicts if identifier not in known]
    if not unknown:
        return
    plain = {_plain(identifier): identifier for identifier in known}
    similar = next((one for one in unknown if _plain(one) in plain), None)
    example = ascii(unknown[0][:60])
    text = f"verdicts about ids that are not in {meta_json}: {len(unknown)}, for example {example}"
    if similar is not None:
        meant = ascii(plain[_plain(similar)][:60])
        text += f"; {ascii(similar[:60])} is not {meant}. Write ids as in the archive"
    say_warning(text)


def _plain(identifier: str) -> str:
    """An id without the differences that spreadsheets and editors make."""
    text = unicodedata.normalize("NFC", identifier).strip().casefold()
    whole, point, rest = text.partition(".")
    return whole if whole.isdigit() and point and not rest.strip("0") else text
