"""Verdicts on ids that an archive does not have are told by every command that reads both."""

from __future__ import annotations

import pytest
from command_support import save_json

from motion_gating.verdicts.unknown_ids import warn_of_unknown_ids
from motion_gating.verdicts.verdict_file import read_verdicts


def warned(tmp_path, capsys, entries, verdicts) -> str:
    archive = save_json(tmp_path / "a.json", [{"id": one} for one in entries])
    given = save_json(tmp_path / "v.json", [{"id": one, "matches": True} for one in verdicts])
    warn_of_unknown_ids(read_verdicts(given), archive)
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("entry", "verdict", "said"),
    [
        (7, 7.0, "'7.0' is not '7'"),
        ("7", "7.00", "'7.00' is not '7'"),
        ("a", " a ", "' a ' is not 'a'"),
        ("Walk", "walk", "'walk' is not 'Walk'"),
        ("caf\u00e9", "cafe\u0301", r"'cafe\u0301' is not 'caf\xe9'"),
        (7, 8, "for example '8'"),
        ("01", "1", "for example '1'"),
    ],
)
def test_the_id_that_is_meant_is_named(tmp_path, capsys, entry, verdict, said):
    found = warned(tmp_path, capsys, [entry, "other"], [verdict, "other"])
    assert f"not in {tmp_path / 'a.json'}: 1, for example" in found and said in found
    assert ("is not" in found.partition("for example")[2]) == ("is not" in said)


def test_ids_of_entries_give_no_warning(tmp_path, capsys):
    assert warned(tmp_path, capsys, [1, "a", "1.0"], ["1", "1.0", "a"]) == ""
    assert warned(tmp_path, capsys, ["1"], [1]) == ""
