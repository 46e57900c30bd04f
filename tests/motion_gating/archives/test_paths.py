"""A path in an archive names the same file after the archive is written to another folder."""

from __future__ import annotations

import pytest

from motion_gating.archives.paths import rebased
from motion_rep.files.locations import parse_location


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("motions/here.pt", "out.json", "set/motions/here.pt"),
        ("motions/missing.pt", "out.json", "set/motions/missing.pt"),
        ("motions/missing.pt", "made/out.json", "{folder}/set/motions/missing.pt"),
        ("motions/missing.pt", "set/out.json", "motions/missing.pt"),
        ("/elsewhere/missing.pt", "out.json", "/elsewhere/missing.pt"),
        ("s3://bucket/motion.pt", "out.json", "s3://bucket/motion.pt"),
        ("s3://user:key@bucket/motion.pt", "out.json", "s3://user:key@bucket/motion.pt"),
    ],
)
def test_a_path_names_the_same_file_from_another_folder(text, target, expected, tmp_path):
    (tmp_path / "set/motions").mkdir(parents=True)
    (tmp_path / "set/motions/here.pt").touch()
    entry = rebased({"motion_path": text, "note": text}, tmp_path / "set/a.json", tmp_path / target)
    assert entry == {"motion_path": expected.format(folder=tmp_path), "note": text}


@pytest.mark.parametrize(
    ("target", "expected"),
    [("s3://b/out.json", "set/missing.pt"), ("s3://b/made/out.json", "s3://b/set/missing.pt")],
)
def test_a_remote_archive_is_rebased_as_a_local_one(target, expected):
    source = parse_location("s3://b/set/a.json")
    assert rebased({"video_path": "missing.pt"}, source, parse_location(target)) == {"video_path": expected}
