"""Which paths name one file, and that an output which is an input, or another output, is refused."""

from __future__ import annotations

import argparse
import os
import unicodedata
from pathlib import Path

import pytest

from motion_rep.common import overwriting
from motion_rep.common.errors import UsageError
from motion_rep.common.overwriting import GivenPath, read_path, refuse_overwriting, require_apart, written_path
from motion_rep.files.locations import parse_location


def refused(outputs, inputs=()) -> str:
    with pytest.raises(UsageError) as caught:
        refuse_overwriting(outputs, inputs)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def other_spellings(path: Path) -> list[Path | str]:
    """Names of a file that is there: relative, by a link to it, to its folder, and by a second entry of the disk."""
    folder = path.parent
    (folder / "link").symlink_to(path)
    os.link(path, folder / "hard link")
    (folder.parent / "linked folder").symlink_to(folder)
    return [
        os.path.relpath(path),
        f"{folder}/../{folder.name}/./{path.name}",
        folder / "link",
        folder / "hard link",
        folder.parent / "linked folder" / path.name,
    ]


def test_every_spelling_of_a_file_is_that_file(tmp_path):
    path = tmp_path / "in" / "a.json"
    path.parent.mkdir()
    path.write_text("[]")
    for other in [path, *other_spellings(path)]:
        for output, read in ((path, other), (other, path)):
            message = refused([("--failures", output)], [("--meta-json", read)])
            assert "--failures" in message and "--meta-json" in message and "the same file" in message
            assert Path(read).name in message
    refuse_overwriting([("--failures", path)], [("--meta-json", tmp_path / "other.json"), ("--folder", tmp_path)])


def test_two_outputs_that_are_not_there_yet(tmp_path):
    """They are told apart by the folder that will hold them."""
    (tmp_path / "linked").symlink_to(tmp_path / "new")
    (tmp_path / "to a").symlink_to(tmp_path / "a.json")
    pairs = [
        ("new/deep/a.json", "new/deep/../deep/a.json"),
        ("new/a.json", "linked/a.json"),
        ("a.json", "to a"),
        ("a.json", "./a.json"),
    ]
    for one, other in pairs:
        assert "the same file" in refused([("--output", tmp_path / one), ("--failures", f"{tmp_path}/{other}")])
    refuse_overwriting([("--output", tmp_path / "a.json"), ("--failures", tmp_path / "new" / "a.json")], [])


@pytest.mark.parametrize("folds", [False, True])
def test_names_are_folded_where_the_disk_folds_them(tmp_path, monkeypatch, folds):
    monkeypatch.setattr(overwriting, "_folds_names", lambda folder: folds)
    accented = unicodedata.normalize("NFC", "é.json"), unicodedata.normalize("NFD", "é.json")
    for one, other in (("Walk.json", "walk.JSON"), accented):
        outputs = [("--output", tmp_path / one), ("--failures", tmp_path / other)]
        if folds:
            assert "the same file" in refused(outputs)
        else:
            refuse_overwriting(outputs, [])


def test_a_disk_that_folds_names_is_recognised(tmp_path, monkeypatch):
    (tmp_path / "Walk").touch()
    assert not overwriting._folds_names(str(tmp_path))
    real = os.lstat

    def folding(path, **options):
        folder, name = os.path.split(path)
        there = {found.lower(): found for found in os.listdir(folder)}
        return real(os.path.join(folder, there.get(name.lower(), name)), **options)

    monkeypatch.setattr(os, "lstat", folding)
    assert overwriting._folds_names(str(tmp_path))


def test_addresses_are_compared_as_texts():
    one, other = (parse_location(text) for text in ("S3://bucket/a.json", "s3://bucket/a.json"))
    assert "the same file" in refused([("--output", one)], [("--meta-json", other)])
    refuse_overwriting([("--output", one)], [("--meta-json", parse_location("s3://bucket/b.json"))])


def test_what_is_no_regular_file_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/null", tmp_path / "pipe"):
        with pytest.raises(UsageError, match="--failures .*not a regular file"):
            require_apart([GivenPath("--failures", written_path, path)])


@pytest.mark.parametrize("text", ["a\0b", "x" * 5000, "\udc80"])
def test_paths_that_no_file_can_have_are_somebody_elses_error(text):
    refuse_overwriting([("--output", text), ("--failures", "other")], [("--meta-json", text)])


def test_many_outputs_take_no_memory_for_their_names(tmp_path):
    """A number each; the folder is looked at once."""
    names = ((f"--output for {number}", f"{tmp_path}/new/{number}.pt") for number in range(3000))
    refuse_overwriting(names, [])


def test_a_local_path_is_no_address(tmp_path):
    assert written_path(f"file://{tmp_path}/f.json") == tmp_path / "f.json"
    assert written_path("12:30/a.json") == Path("12:30/a.json")
    for text in ("s3://bucket/f.json", "HTTPS://host/f.json"):
        with pytest.raises(argparse.ArgumentTypeError, match="is a URL, expected a path on this machine"):
            read_path(text)


@pytest.mark.parametrize("text", ["", " "])
@pytest.mark.parametrize("kind", [read_path, written_path])
def test_an_empty_path_is_not_the_current_folder(kind, text):
    with pytest.raises(argparse.ArgumentTypeError, match="the path is empty"):
        kind(text)
