"""Every command creates the folder of its output if it is missing."""

from __future__ import annotations

import pytest
from place_support import archiver, for_tm2m, labels, ranker


@pytest.mark.parametrize("make", [archiver, for_tm2m, labels, ranker])
def test_the_folder_of_an_output_is_created(make, make_capture, tmp_path):
    command = make(tmp_path / "before", tmp_path / "disk", make_capture)
    words = [str(word) for word in command.arguments(tmp_path / "before")]
    output = tmp_path / "new/folder/o.json"
    words[words.index("-o") + 1] = str(output)
    assert command.main(words) in (0, 1) and output.is_file()
