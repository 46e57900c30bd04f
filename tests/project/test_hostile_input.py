"""Files that want something else: to run code, to fill the memory, to write elsewhere; and places that cannot be
written. What fuzzing found is here too.
"""

from __future__ import annotations

import io
import os
import pickle
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from command_support import CONVERTER, RENDERER, RunsCode, assert_error_lines, files_in, save_json, save_motion

from motion_gating.metrics.joint_clip import read_joint_clip
from motion_rep.common.errors import InputError
from motion_rep.convert_hmr_to_motion import main as convert
from motion_rep.hmr_formats.reading import read_capture
from motion_rep.motions.motion_file import read_motion
from motion_rep.video.reading import open_video

READERS = (read_capture, read_motion, read_joint_clip)


def refused(read, path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(str(path)) and "\n" not in message
    return message


def pickled(value: object, protocol: int) -> bytes:
    return pickle.dumps(value, protocol=protocol)


def in_torch(value: object, protocol: int) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, pickle_protocol=protocol)
    return buffer.getvalue()


def in_numpy(value: object, protocol: int) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array({"x": value}, dtype=object), allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("write", [pickled, in_torch, in_numpy])
@pytest.mark.parametrize("protocol", [2, 4])
def test_nothing_in_a_file_is_run(tmp_path, read, write, protocol):
    path = tmp_path / "a.pt"
    path.write_bytes(write({"motion": RunsCode(tmp_path / "ran"), "joints": 1, "transl": 2}, protocol))
    refused(read, path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("name", ["data.pkl", "DATA.PKL"])
def test_a_key_that_takes_for_ever_to_hash(tmp_path, read, legacy, name):
    """A tuple that holds a tuple twice, that holds a tuple twice, and so on."""
    path = tmp_path / "a.pt"
    nested = b"\x80\2)q\0" + b"h\0h\0\x86q\0" * 100 + b"}h\0Ns."
    if legacy:
        buffer = io.BytesIO()
        torch.save({}, buffer, _use_new_zipfile_serialization=False)
        start = buffer.getvalue()
        path.write_bytes(start[: start.index(b"\x80\2}q\0.")] + nested)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"a/{name}", nested)
            archive.writestr("a/version", b"3\n")
            archive.writestr("a/byteorder", b"little")
    assert "tuples" in refused(read, path)


@pytest.mark.parametrize("read", READERS)
def test_numbers_that_claim_to_be_many_take_no_memory(tmp_path, read):
    """A tensor of one number that is repeated a billion times is a small file."""
    path = tmp_path / "a.pt"
    many = torch.zeros(1).expand(10**9)
    torch.save(
        {
            "transl": many[:, None].expand(10**9, 3),
            "global_orient": many,
            "body_pose": many,
            "motion": many,
            "joints": many,
        },
        path,
    )
    assert path.stat().st_size < 5000
    program = (
        "import resource, sys\n"
        f"sys.path[:0] = {sys.path!r}\n"
        f"from {read.__module__} import {read.__name__} as read\n"
        "from motion_rep.common.errors import InputError\n"
        "try:\n"
        f"    read(r'{path}')\n"
        "except InputError as error:\n"
        "    print(error)\n"
        "assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2 * 2**20, 'more than 2 GB'\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0 and done.stdout.startswith(str(path)), done.stderr


def test_a_damaged_zip_directory(tmp_path):
    path = tmp_path / "a.pt"
    data = bytearray(in_torch({"transl": torch.zeros(4, 3)}, 2))
    data[data.rindex(b"PK\x01\x02") + 1] ^= 0xFF
    path.write_bytes(data)
    refused(read_capture, path)


def test_an_archive_that_says_to_span_several_disks(tmp_path):
    path = tmp_path / "a.pt"
    data = in_torch({"transl": torch.zeros(4, 3)}, 2)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 5)
    path.write_bytes(data[:-22] + locator + data[-22:])
    for read in READERS:
        refused(read, path)


def test_a_pickle_that_ends_within_a_number(tmp_path):
    path = tmp_path / "a.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"\x80\x02J\x01")
        archive.writestr("a/version", b"3\n")
        archive.writestr("a/byteorder", b"little")
    for read in READERS:
        refused(read, path)


@pytest.mark.parametrize("change", [lambda value: value.to_sparse(), lambda value: value.to(torch.complex64)])
def test_tensors_of_other_kinds(tmp_path, make_capture, change):
    path = tmp_path / "a.pt"
    capture = make_capture()
    torch.save({**capture, "transl": change(capture["transl"])}, path)
    refused(read_capture, path)


def test_a_scalar_body_pose(tmp_path, make_capture):
    path = tmp_path / "a.pkl"
    path.write_bytes(
        pickle.dumps(
            {
                **{key: value.numpy() for key, value in make_capture().items() if hasattr(value, "numpy")},
                "body_pose": np.float64(1),
            }
        )
    )
    refused(read_capture, path)


def test_a_rate_that_prints_on_several_lines(tmp_path):
    path = tmp_path / "a.pt"
    torch.save({"joints": torch.zeros(4, 22, 3), "fps": torch.zeros(4, 3)}, path)
    refused(read_joint_clip, path)


def test_a_zip_that_unpacks_to_far_more(tmp_path):
    path = tmp_path / "bomb.pt"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("archive/data.pkl", "w", force_zip64=True) as file,
    ):
        for _ in range(300):
            file.write(bytes(2**20))
    for read in READERS:
        refused(read, path)


def test_a_video_that_is_something_else(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"#EXTM3U\n#EXTINF:10,\n/etc/passwd\n")

    def read(found):
        with open_video(found):
            pass

    refused(read, path)


# --- places


def _mount_small(folder: Path) -> bool:
    """Mount 1 MB on a folder; False where that is not allowed."""
    folder.mkdir()
    return (
        shutil.which("mount") is not None
        and subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True
        ).returncode
        == 0
    )


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    if not _mount_small(disk):
        pytest.skip("mounting a small disk is not allowed here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path, leave: int = 0) -> None:
    with open(disk / "filling", "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            file.truncate(max(0, file.tell() - leave))


def test_a_full_disk_leaves_old_outputs_whole(small_disk, make_capture, tmp_path, capsys):
    source, target = tmp_path / "in/a.pt", small_disk / "a.pt"
    source.parent.mkdir()
    torch.save(make_capture(frames=100), source)
    assert convert(["-i", str(source), "-o", str(target)]) == 0
    before = target.read_bytes()
    fill(small_disk)
    capsys.readouterr()
    assert convert(["-i", str(source), "-o", str(target), "--fps", "20"]) == 1
    (line,) = assert_error_lines(capsys.readouterr().err, 1)
    assert "cannot be written" in line and "space" in line
    assert target.read_bytes() == before and sorted(files_in(small_disk)) == ["a.pt", "filling"]


def test_a_disk_that_is_full_in_the_middle_of_a_video(small_disk, make_capture, tmp_path, run_script):
    save_motion(tmp_path / "a.pt", make_capture(frames=30))
    archive = save_json(tmp_path / "a.json", [{"id": 1, "motion_path": "a.pt"}])
    fill(small_disk, leave=20_000)
    done = run_script(
        RENDERER,
        "--meta-json",
        archive,
        "--output-json",
        tmp_path / "b.json",
        "--output-dir",
        small_disk,
        "--width",
        480,
        "--height",
        480,
        "--workers",
        0,
    )
    assert done.returncode == 1
    assert_error_lines(done.stderr, 1)
    assert sorted(files_in(small_disk)) == ["filling"]


def test_a_read_only_disk(small_disk, make_capture, tmp_path, run_script):
    torch.save(make_capture(), tmp_path / "a.pt")
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    one = run_script(CONVERTER, "-i", tmp_path / "a.pt", "-o", small_disk / "out.pt")
    many = run_script(CONVERTER, "-i", tmp_path / "a.pt", "-o", small_disk / "out")
    assert (one.returncode, many.returncode) == (1, 2)
    for done in (one, many):
        (line,) = assert_error_lines(done.stderr, 1)
        assert "cannot be written" in line


@pytest.mark.skipif(os.name != "posix", reason="takes a folder away while it is in use")
def test_a_folder_that_vanishes(make_capture, tmp_path, capsys):
    """As a network drive does: some items fail with a line each, and the command still ends."""
    for number in range(3):
        torch.save(make_capture(seed=number), tmp_path / f"{number}.pt")
    gone = tmp_path / "gone"
    gone.mkdir()
    shutil.move(tmp_path / "1.pt", gone / "1.pt")
    (tmp_path / "1.pt").symlink_to(gone / "1.pt")
    shutil.rmtree(gone)
    inputs = [str(tmp_path / f"{number}.pt") for number in range(3)]
    assert convert(["-i", *inputs, "-o", str(tmp_path / "out")]) == 1
    assert "1.pt" in assert_error_lines(capsys.readouterr().err, 1)[0]
    assert sorted(files_in(tmp_path / "out")) == ["0.pt", "2.pt"]
