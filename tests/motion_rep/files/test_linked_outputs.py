"""Outputs that are links: the link stays and its target is written, or one line says why not."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from place_support import exporter, labels, renderer

from motion_rep.common.errors import InputError, UsageError
from motion_rep.files.atomic_writing import atomic_path, require_folder

OUTPUTS = {exporter: "a.npz", labels: "tasks.json", renderer: "b.json"}


@pytest.fixture
def linked(tmp_path, make_capture):
    """A function that runs a command whose output is a link to a place; gives the exit code and the link."""

    def run(make, place):
        command = make(tmp_path / "before", tmp_path / "disk", make_capture)
        shutil.copytree(tmp_path / "before", tmp_path / "disk", dirs_exist_ok=True)
        output = tmp_path / "disk" / OUTPUTS[make]
        output.unlink(missing_ok=True)
        output.symlink_to(place)
        return command.run(tmp_path / "disk"), output

    return run


@pytest.mark.parametrize("make", OUTPUTS)
def test_a_link_to_itself_is_told(make, linked, capsys):
    code, output = linked(make, OUTPUTS[make])
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert code in (1, 2) and "Too many levels of symbolic links" in line and output.is_symlink()


def test_the_suffix_of_a_link_chooses_the_format(tmp_path, linked):
    code, output = linked(exporter, tmp_path / "stored")
    assert code == 0 and output.is_symlink() and [path.name for path in tmp_path.glob(".*")] == []
    assert "trans" in np.load(tmp_path / "stored")


def test_a_temporary_file_has_the_suffix_of_the_name_that_was_given(tmp_path):
    (tmp_path / "a.mp4").symlink_to(tmp_path / "b.other")
    with atomic_path(tmp_path / "a.mp4") as temporary:
        assert temporary.suffix == ".mp4"
    assert (tmp_path / "b.other").is_file()


def test_a_link_to_a_missing_folder_is_named(tmp_path):
    (tmp_path / "out").symlink_to(tmp_path / "drive")
    with pytest.raises(UsageError, match="out: cannot be written: it is a link to a folder that is missing"):
        require_folder(tmp_path / "out")
    with pytest.raises(InputError, match="File exists|link to a folder"), atomic_path(tmp_path / "out/a.pt"):
        pass
