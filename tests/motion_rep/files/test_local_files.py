"""Files are read without running anything, written whole or not at all, and ids never become paths."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from checkout import REPO
from hypothesis import example, given
from hypothesis import strategies as st

from motion_rep.common.errors import InputError, UsageError
from motion_rep.files.atomic_writing import atomic_path, require_folder, write_bytes
from motion_rep.files.json_files import STRICT_JSON, read_json, write_json
from motion_rep.files.local_files import OutputNames, file_sha256, read_bytes, read_text, require_file, safe_name
from motion_rep.files.locations import only_in_current_folder, resolve_from
from motion_rep.files.temporaries import remove_stale_temporaries
from motion_rep.hmr_results.documents import load_value
from motion_rep.hmr_results.names import holds_sam_frames
from motion_rep.safe_loading.numpy_file import NpzArrays, read_npy
from motion_rep.safe_loading.torch_files import read_torch, write_torch


def run_python(code: str, *arguments, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=REPO,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_was_written_is_there_and_nothing_else(tmp_path):
    write_bytes(tmp_path / "new" / "folder" / "a.bin", b"abc")
    write_json(tmp_path / "b.json", {"z": 1, "a": "é", "list": [1.5, None, True]})
    write_torch(tmp_path / "c.pt", {"x": torch.arange(3)})
    assert (tmp_path / "new" / "folder" / "a.bin").read_bytes() == b"abc"
    assert (tmp_path / "b.json").read_text(encoding="utf-8").startswith('{\n  "z": 1,\n  "a": "é"')
    assert read_json(tmp_path / "b.json") == {"z": 1, "a": "é", "list": [1.5, None, True]}
    assert read_torch(tmp_path / "c.pt")["x"].tolist() == [0, 1, 2]
    assert names(tmp_path) == ["b.json", "c.pt", "new"] and names(tmp_path / "new" / "folder") == ["a.bin"]


def test_a_new_file_has_the_permissions_of_a_plain_one(tmp_path):
    write_bytes(tmp_path / "ours", b"1")
    (tmp_path / "plain").write_bytes(b"1")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_an_error_in_the_middle_leaves_the_old_file_and_no_other(tmp_path):
    target = tmp_path / "file.txt"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError), atomic_path(target) as temporary:
        temporary.write_text("half")
        assert temporary.suffix == ".txt" and temporary.parent == tmp_path and temporary.name.startswith(".")
        raise ZeroDivisionError
    assert target.read_text() == "old" and names(tmp_path) == ["file.txt"]


def test_who_reads_while_a_file_is_replaced_keeps_the_whole_old_one(tmp_path):
    target = tmp_path / "file.bin"
    write_bytes(target, b"old")
    with open(target, "rb") as reader:
        write_bytes(target, b"new and longer")
        assert reader.read() == b"old"
    assert target.read_bytes() == b"new and longer"


KILLED = """
import sys, time
from motion_rep.files.atomic_writing import atomic_path
with atomic_path(sys.argv[1]) as temporary:
    temporary.write_text("half of the new")
    print("ready", flush=True)
    time.sleep(600)
"""


def test_a_kill_in_the_middle_leaves_the_old_file_and_the_rest_is_swept(tmp_path):
    target = tmp_path / "deep" / "file.json"
    write_json(target, "old")
    process = run_python(KILLED, target)
    try:
        assert process.stdout.readline() == "ready\n"
        # A running writer's file is not in the way of a sweep, and stays.
        remove_stale_temporaries(tmp_path)
        assert len(names(target.parent)) == 2
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert read_json(target) == "old"
    assert len(names(target.parent)) == 2
    remove_stale_temporaries(tmp_path, recursive=False)
    assert len(names(target.parent)) == 2
    remove_stale_temporaries(tmp_path)
    assert names(target.parent) == ["file.json"]


def test_a_sweep_touches_no_file_of_the_users(tmp_path):
    kept = [".hidden", ".env.tmp", "a.tmp", "clip.tmp.mp4", ".clip.mp4", ".a.b.tmp.mp4"]
    kept += [".clip.abcd1234.tmp.mp4", ".clip.0123abcd-0123abcd.tmp.mp4", ".in_use.abcd1234.tmp"]
    for name in kept:
        (tmp_path / name).write_text("mine")
    remove_stale_temporaries(tmp_path)
    assert names(tmp_path) == sorted(kept)


DISK_FULL = """
import resource, sys
import torch
from motion_rep.common.errors import InputError
from motion_rep.files.atomic_writing import write_bytes
from motion_rep.files.json_files import write_json
from motion_rep.safe_loading.torch_files import write_torch
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
for write, value in ((write_bytes, b"x" * 5000), (write_json, "x" * 5000), (write_torch, torch.zeros(5000))):
    try:
        write(sys.argv[1], value)
    except InputError as error:
        print(error)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of a process are POSIX")
def test_a_full_disk_is_one_line_and_the_old_file_stays(tmp_path):
    target = tmp_path / "file.bin"
    target.write_text("old")
    out, err = run_python(DISK_FULL, target).communicate()
    lines = out.splitlines()
    assert len(lines) == 3 and all(f"{target}: cannot be written" in line and "free space" in line for line in lines), (
        out + err
    )
    assert target.read_text() == "old" and names(tmp_path) == ["file.bin"]


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_bytes(tmp_path / "file" / "a", b"1")
    with pytest.raises(UsageError, match="cannot be written"):
        require_folder(tmp_path / "file" / "b")
    assert require_folder(tmp_path / "new" / "one").is_dir()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(InputError, match="cannot be written"):
            write_bytes(tmp_path / "a", b"1")
        with pytest.raises(UsageError, match="cannot be written"):
            require_folder(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_equal_contents_give_equal_torch_files(tmp_path):
    for name in ("one.pt", "other.pt"):
        write_torch(tmp_path / name, {"x": torch.arange(5), "fps": 16.0})
    assert (tmp_path / "one.pt").read_bytes() == (tmp_path / "other.pt").read_bytes()
    assert file_sha256(tmp_path / "one.pt") == hashlib.sha256((tmp_path / "one.pt").read_bytes()).hexdigest()


@pytest.mark.parametrize("read", [require_file, read_bytes, read_json, read_torch])
def test_missing_empty_and_folders_are_refused_by_every_reader(tmp_path, read):
    (tmp_path / "empty").touch()
    for name, fault in (("nothing", "cannot be read"), ("empty", "is empty"), (".", "is a folder")):
        with pytest.raises(InputError, match=fault) as error:
            read(tmp_path / name)
        assert str(tmp_path) in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content, fault",
    [
        (b"{", "line 1, column 2"),
        (b"[1,\n 2,,\n 3]", "line 2"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"1" * 10_000, "a whole number beyond"),
        (b"[1" + b"0" * 400 + b"]", "a whole number beyond"),
        (b'{"a": 1e400}', "a number beyond"),
        (b'{"a": -1e400}', "a number beyond"),
        (b'{"a": NaN}', "NaN, which JSON does not"),
        (b"[-Infinity]", "-Infinity, which JSON does not"),
        (b'[{"a": 1, "b": 2, "a": 3}]', "the key 'a' more than once"),
        (b"  \n", "not JSON"),
    ],
)
def test_what_is_not_json_is_refused_with_its_place(tmp_path, content, fault):
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=fault):
        read_json(path)


class Compared(str):
    """A text that counts how often it is compared."""

    times = 0

    def __eq__(self, other):
        Compared.times += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_a_repeated_key_among_many_is_found_in_one_pass():
    names = [Compared(f"key {number}") for number in range(2000)]
    with pytest.raises(InputError, match="the key 'key 1999' more than once"):
        STRICT_JSON.object_pairs_hook([(name, 1) for name in (*names, Compared("key 1999"))])
    assert Compared.times < 100


def test_numbers_that_json_does_not_have_are_written_as_null(tmp_path):
    write_json(tmp_path / "a.json", {"a": [float("nan"), (float("inf"), 1.5)], "b": -float("inf")})
    assert read_json(tmp_path / "a.json") == {"a": [None, [None, 1.5]], "b": None}


@pytest.mark.parametrize(
    "read", [require_file, read_bytes, read_text, read_json, read_torch, file_sha256, NpzArrays, read_npy, load_value]
)
def test_only_regular_files_are_opened(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "socket"))
    for name, target in (("zero", "/dev/zero"), ("to_pipe", tmp_path / "pipe"), ("terminal", "/dev/tty")):
        (tmp_path / name).symlink_to(target)
    for name, kind in (
        *(
            ("pipe", "a pipe"),
            ("to_pipe", "a pipe"),
            ("socket", "a socket"),
            ("zero", "a device"),
            ("terminal", "a device"),
        ),
    ):
        with pytest.raises(InputError, match=f"{name}: is {kind}, expected a file"):
            read(tmp_path / name)
    server.close()


def test_pipes_in_a_folder_of_captures_are_passed_over(tmp_path):
    """Whether a folder is one capture is told by the first npz in it."""
    os.mkfifo(tmp_path / "a.npz")
    assert not holds_sam_frames(tmp_path)


def test_a_file_beyond_the_limit_is_refused_unread(tmp_path):
    with open(tmp_path / "large", "wb") as file:
        file.truncate(1 << 40)
    for read in (require_file, read_bytes, read_json, read_torch, load_value):
        with pytest.raises(InputError, match=r"large: has 1,099,511,627,776 bytes, expected at most"):
            read(tmp_path / "large")


def test_a_file_swapped_for_a_pipe_does_not_block(tmp_path, monkeypatch):
    (tmp_path / "plain").write_bytes(b"1")
    os.mkfifo(tmp_path / "pipe")
    plain = os.stat(tmp_path / "plain")
    monkeypatch.setattr(os, "stat", lambda *_, **__: plain)
    with pytest.raises(InputError, match="is a pipe"):
        read_bytes(tmp_path / "pipe")


def test_replacing_keeps_mode_and_link(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(0o600)
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "link").symlink_to("../real")
    write_bytes(tmp_path / "there" / "link", b"new")
    assert (tmp_path / "there" / "link").is_symlink() and (tmp_path / "real").read_text() == "new"
    assert (tmp_path / "real").stat().st_mode & 0o7777 == 0o600
    (tmp_path / "dangling").symlink_to("later")
    write_bytes(tmp_path / "dangling", b"1")
    assert (tmp_path / "later").read_bytes() == b"1" and names(tmp_path / "there") == ["link"]


def test_json_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "bom.json").write_bytes(b"\xef\xbb\xbf[1]")
    assert read_json(tmp_path / "bom.json") == [1]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda v: st.lists(v) | st.dictionaries(st.text(), v),
    )
)
@example("\ud800")
def test_any_json_value_survives_writing(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("json") / "value.json"
    write_json(path, value)
    assert read_json(path) == json.loads(json.dumps(value))


def test_numpy_arrays_and_scalars_in_torch_files_are_read(tmp_path):
    value = {
        "array": np.arange(6, dtype=np.float16).reshape(2, 3),
        "scalar": np.float64(1.5),
        "flag": np.bool_(True),
        "nested": [{"t": torch.ones(2)}, "text", 3],
    }
    torch.save(value, tmp_path / "x.pt")
    read = read_torch(tmp_path / "x.pt")
    np.testing.assert_array_equal(read["array"], value["array"])
    assert read["scalar"] == 1.5 and read["flag"] and read["nested"][1] == "text"


def test_paths_in_json_are_looked_up_at_the_json_then_at_the_readme_then_here(tmp_path, monkeypatch):
    here, root = tmp_path / "here", tmp_path / "root"
    archive = root / "data" / "meta" / "x.json"
    archive.parent.mkdir(parents=True)
    here.mkdir()
    (root / "README.md").touch()
    monkeypatch.chdir(here)
    assert resolve_from("a.pt", archive) == Path("a.pt") and not only_in_current_folder("a.pt", archive)
    (here / "a.pt").write_text("same")
    assert resolve_from("a.pt", archive) == Path("a.pt") and only_in_current_folder("a.pt", archive)
    (root / "a.pt").write_text("same")
    assert resolve_from("a.pt", archive) == root / "a.pt" and not only_in_current_folder("a.pt", archive)
    (archive.parent / "a.pt").write_text("same")
    assert resolve_from("a.pt", archive) == archive.parent / "a.pt"
    (here / "a.pt").write_text("another person")
    with pytest.raises(InputError) as caught:
        resolve_from("a.pt", archive)
    assert str(archive.parent / "a.pt") in str(caught.value) and str(here / "a.pt") in str(caught.value)
    assert resolve_from(str(root / "a.pt"), here / "x.json") == root / "a.pt"


IDENTIFIERS = st.integers() | st.text() | st.floats() | st.from_regex(r"[./\\~a-z0-9 -]{0,30}", fullmatch=True)


@given(IDENTIFIERS)
@example("..")
@example(".")
@example("")
@example("../../etc/passwd")
@example("/etc/passwd")
@example("C:\\x")
@example("a/b")
@example("-rf")
@example("x" * 5000)
@example("\ud800")
@example("a\0b")
@example("CON\n")
def test_an_id_never_leaves_its_folder(identifier):
    name = safe_name(identifier)
    folder = Path("/some/folder")
    assert os.path.normpath(folder / name) == str(folder / name) and (folder / name).parent == folder
    assert 1 <= len(name) <= 110 and name.isascii() and "\0" not in name
    assert name[0] not in ".-~"


@given(st.lists(st.text("aA-._ 09f", max_size=4) | st.text(max_size=8), unique=True, max_size=20))
@example(["Walk", "walk", "WALK"])
@example(["../bad clip", "bad_clip-4f9ccc89", safe_name("../bad clip"), safe_name(safe_name("../bad clip"))])
@example(["nul", "a.", "a"])
def test_different_ids_get_different_names_on_every_disk(identifiers):
    assert len({safe_name(identifier).casefold().rstrip(".") for identifier in identifiers}) == len(identifiers)


@pytest.mark.parametrize("identifier, name", [(7, "7"), ("7", "7"), ("walk_01.v2", "walk_01.v2"), (0, "0")])
def test_harmless_ids_stay_as_they_are(identifier, name):
    assert safe_name(identifier) == name


@pytest.mark.parametrize(
    ("identifier", "older"),
    [
        ("../bad clip", "bad_clip-4f9ccc89"),
        ("bad_clip-4f9ccc89", "bad_clip-4f9ccc89"),
        ("Two Words", "Two_Words-8e086add"),
        ("walk", None),
        (7, None),
        ("Walk", "Walk"),
        ("con", "con"),
    ],
)
def test_names_of_earlier_versions(tmp_path, identifier, older):
    assert OutputNames(tmp_path, ".mp4").older(identifier) == older


def test_files_of_former_names_are_found_but_no_other_ids(tmp_path):
    assert OutputNames(tmp_path, ".mp4").of("Walk") == safe_name("Walk") != "Walk"
    (tmp_path / "Walk.mp4").touch()
    assert OutputNames(tmp_path, ".mp4").of("Walk") == "Walk"
    assert OutputNames(tmp_path, ".mp4").of("walk") == "walk" and OutputNames(tmp_path, ".mp4").of("WALK") == safe_name(
        "WALK"
    )
    (tmp_path / f"{safe_name('Walk')}.mp4").touch()
    assert OutputNames(tmp_path, ".mp4").of("Walk") == safe_name("Walk")
    for other in (safe_name("../bad clip"), "bad_clip-4f9ccc89"):
        (tmp_path / f"{other}.mp4").touch()
        assert OutputNames(tmp_path, ".mp4").of(other) != other
