from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest
import torch
from command_support import assert_error_lines, save_json, save_motion

from motion_rep.common.errors import UsageError
from motion_rep.files.disk_space import require_space, sizes_to_do
from motion_rep.files.locations import parse_location


def test_a_disk_with_too_little_room_is_named_with_what_it_has(tmp_path, monkeypatch):
    asked = []
    usage = SimpleNamespace(total=10**9, free=1_500_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: asked.append(place) or usage)
    with pytest.raises(UsageError) as raised:
        require_space(tmp_path / "not/there", 2_000_000, "9 motions")
    assert str(raised.value) == (
        f"{tmp_path}/not/there: its disk has 1.5 MB left, expected at least 2.0 MB for 9 motions. Free some space, or "
        "choose another folder."
    )
    require_space(tmp_path, 1_500_000)
    assert asked == [tmp_path, tmp_path]


def test_disks_that_cannot_be_asked_are_not_checked(tmp_path, monkeypatch):
    require_space(parse_location("s3://bucket/folder"), 1 << 60)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(total=0, free=0))
    require_space(tmp_path, 1 << 60)


def test_a_real_disk_has_less_than_an_exabyte(tmp_path):
    with pytest.raises(UsageError, match="MB left, expected at least 1,152,921,504,606.8 MB for the results"):
        require_space(tmp_path, 1 << 60)


def test_only_what_is_to_be_made_counts(tmp_path):
    for name, size in (("a", 5), ("b", 7), ("made", 1)):
        (tmp_path / name).write_bytes(bytes(size))
    pairs = [("a", "new"), ("b", "made"), ("missing", "new"), ("\0", "new")]
    assert list(sizes_to_do((tmp_path / one, tmp_path / other) for one, other in pairs)) == [5, 0, 0]


def test_commands_ask_before_they_write(make_capture, tmp_path, monkeypatch, capsys):
    from motion_gating.build_report import main as build
    from motion_gating.render_mbench_videos import main as render
    from motion_rep.convert_hmr_to_motion import main as convert

    torch.save(make_capture(), tmp_path / "in.pt")
    save_motion(tmp_path / "m.pt", make_capture(frames=4))
    save_json(tmp_path / "a.json", [{"id": 1, "prompt": "p", "motion_path": "m.pt"}, {"id": 2, "prompt": "p"}])
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(total=10**9, free=100))
    before = sorted(tmp_path.rglob("*"))
    assert convert(["-i", str(tmp_path / "in.pt"), "-o", str(tmp_path / "out")]) == 2
    assert "/out: its disk has 0.1 kB left, expected at least 1.3 kB for 1 new file." in capsys.readouterr().err
    rendering = [
        "--meta-json",
        tmp_path / "a.json",
        "--output-json",
        tmp_path / "b.json",
        "--output-dir",
        tmp_path / "r",
    ]
    assert render([str(word) for word in rendering]) == 2
    line = assert_error_lines(capsys.readouterr().err, 1)[0]
    assert "/r: its disk has 0.1 kB left, expected at least 5.2 kB for the files of 1 new clip." in line
    assert sorted(tmp_path.rglob("*")) == before
    (tmp_path / "v.mp4").write_bytes(bytes(2000))
    save_json(tmp_path / "c.json", [{"id": 1, "video_path": "v.mp4"}, {"id": 2, "video_path": 5}])
    copying = ["--meta-json", tmp_path / "c.json", "--output", tmp_path / "page", "--copy-media", "--no-side-view"]
    assert build([str(word) for word in copying]) == 2
    line = assert_error_lines(capsys.readouterr().err, 1)[0]
    assert "/page: its disk has 0.1 kB left, expected at least 2.0 kB for the copies of 1 video." in line
    assert not (tmp_path / "page").exists()
