"""Folders of motions: what is found in them."""

from __future__ import annotations

from motion_rep.files.remote_files import files_in
from motion_rep.motions.motion_paths import motions_in


def test_suffixes_count_in_any_case_and_hidden_files_do_not(tmp_path):
    for name in ("b.pt", "A.PT", ".hidden.pt", ".folder/c.pt", "deeper/d.pt", "e.npz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert motions_in(tmp_path) == [tmp_path / "A.PT", tmp_path / "b.pt", tmp_path / "deeper" / "d.pt"]
    assert files_in(tmp_path, (".npz",)) == [tmp_path / "e.npz"]
