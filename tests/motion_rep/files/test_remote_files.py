"""Inputs and outputs behind fsspec URLs: an S3 server on this machine, and fsspec's file system in memory."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path, PurePosixPath

import fsspec
import pytest
import torch
from checkout import REPO
from command_support import CONVERTER, RENDERER, assert_error_lines, save_json, save_motion
from gate_support import GeminiProtocol, Service, always, environment, gate, make_archive, read
from report_support import build, entry_details, make_batch, page_data

from motion_gating import apply_quality_gate
from motion_gating.render_mbench_videos import main as render
from motion_rep.common.errors import InputError, UsageError
from motion_rep.convert_hmr_to_motion import main as convert
from motion_rep.files import atomic_writing, temporaries
from motion_rep.files.locations import RemotePath, parse_location, resolve_from
from motion_rep.files.remote_files import (
    local_copy,
    local_output,
    remote_files_below,
    remove_stale_temporaries_at,
    require_location,
    resolve_existing,
)
from motion_rep.hmr_results.names import captures_among
from motion_rep.refine_motion import main as refine

KILLED_WITH_A_COPY = """
import fsspec, os, signal
from motion_rep.files.locations import parse_location
from motion_rep.files.remote_files import local_copy
fsspec.filesystem("memory").pipe_file("/box/a.txt", b"text")
with local_copy(parse_location("memory://box/a.txt")):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def memory():
    fs = fsspec.filesystem("memory")
    fs.store.clear()
    yield fs
    fs.store.clear()


def contents(fs, url: str) -> dict[str, bytes]:
    """Every file below a URL, with its bytes."""
    fs.invalidate_cache()
    inner = fs._strip_protocol(url)
    return {name.removeprefix(inner).lstrip("/"): fs.cat_file(name) for name in fs.find(inner)}


def local_contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("s3://user:secret@bucket/a.pt", "contains a user or password"),
        ("s3://key@bucket/a.pt", "contains a user or password"),
        ("zip://a.pt::s3://bucket/a.zip", "chains several file systems"),
        ("s3://", "names no bucket"),
        ("s3://bucket/../other/a.pt", "'..'"),
        ("s3://bucket//a.pt", "empty"),
    ],
)
def test_addresses_that_are_refused_do_not_repeat_a_password(text, words):
    with pytest.raises(InputError, match=words.replace(".", r"\.")) as caught:
        parse_location(text)
    assert "secret" not in str(caught.value)


def test_addresses_are_taken_apart_like_paths(tmp_path):
    path = parse_location("s3://bucket/some folder/a.b.pt")
    assert (str(path), path.name, path.stem, path.suffix, str(path.parent)) == (
        "s3://bucket/some folder/a.b.pt",
        "a.b.pt",
        "a.b",
        ".pt",
        "s3://bucket/some folder",
    )
    assert str(path.parent / Path("x") / "y.pt") == "s3://bucket/some folder/x/y.pt"
    assert str(parse_location("hdfs:///data/a.pt")) == "hdfs:///data/a.pt"
    assert parse_location(f"file://{tmp_path}/a b.pt") == tmp_path / "a b.pt" and parse_location("s3:/x") == Path(
        "s3:/x"
    )


def test_paths_in_an_archive(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    archive = parse_location("s3://bucket/sets/a.json")
    assert str(resolve_from("motions/1.pt", archive)) == "s3://bucket/sets/motions/1.pt"
    assert str(resolve_from("../motions/1.pt", archive)) == "s3://bucket/motions/1.pt"
    assert str(resolve_from("s3://else/1.pt", archive)) == "s3://else/1.pt"
    for holder in (archive, tmp_path / "a.json"):
        with pytest.raises(InputError, match="gs:// must be allowed by the command line"):
            resolve_from("gs://else/1.pt", holder)
    for path in ("../../other/1.pt", "../../../1.pt"):
        with pytest.raises(InputError, match="leads out of s3://bucket"):
            resolve_from(path, archive)
    Path("1.pt").touch()
    assert resolve_from("1.pt", archive) == Path("1.pt") and resolve_from("/x/1.pt", archive) == Path("/x/1.pt")


def test_copies_are_gone_afterwards_and_errors_name_the_address(memory):
    memory.pipe_file("/box/a.txt", b"text")
    with local_copy(parse_location("memory://box/a.txt")) as copy:
        assert copy.read_bytes() == b"text" and copy.name == "a.txt"
    assert not copy.parent.exists()
    with pytest.raises(InputError) as caught, local_copy(parse_location("memory://box/a.txt")) as copy:
        raise UsageError(f"{copy}: is bad.")
    assert (
        type(caught.value) is UsageError
        and str(caught.value) == "memory://box/a.txt: is bad."
        and not copy.parent.exists()
    )


def test_an_output_is_stored_only_where_it_was_changed_and_nothing_failed(memory):
    target = parse_location("memory://box/out/a.txt")
    with local_output(target) as copy:
        assert not copy.exists()
    assert memory.find("/") == []
    with contextlib.suppress(KeyError), local_output(target) as copy:
        copy.write_bytes(b"half")
        raise KeyError
    assert memory.find("/") == []
    with local_output(target) as copy:
        copy.write_bytes(b"one")
    written = memory.created("/box/out/a.txt")
    with local_output(target) as copy:
        assert copy.read_bytes() == b"one"
    assert memory.created("/box/out/a.txt") == written
    with local_output(target) as copy:
        copy.write_bytes(b"two")
    assert memory.cat_file("/box/out/a.txt") == b"two"


def test_copies_that_a_killed_run_left_are_removed_and_those_of_a_running_one_are_not(memory, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    memory.pipe_file("/box/a.txt", b"text")
    left = subprocess.run(
        [sys.executable, "-c", KILLED_WITH_A_COPY], cwd=REPO, env={**os.environ, "TMPDIR": str(tmp_path)}, check=False
    )
    assert left.returncode == -signal.SIGKILL
    (abandoned,) = tmp_path.iterdir()
    (tmp_path / "reference-motion-of-mine").mkdir()
    with local_copy(parse_location("memory://box/a.txt")) as copy:
        remove_stale_temporaries_at(parse_location("memory://box/"))
        assert copy.read_bytes() == b"text" and not abandoned.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["reference-motion-of-mine"]


def test_a_copy_that_is_begun_while_another_run_removes_old_ones_stays(memory, tmp_path, monkeypatch):
    """The other run meets the new copy's mark before it is locked."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    memory.pipe_file("/box/a.txt", b"text")
    swept, marked = threading.Event(), threading.Event()

    def sweep() -> None:
        remove_stale_temporaries_at(parse_location("memory://box/"))
        swept.set()

    other, remove, lock = threading.Thread(target=sweep), temporaries._remove_if_abandoned, atomic_writing.lock

    def remove_then_wait(*place) -> None:
        remove(*place)
        swept.set()
        marked.wait(100)

    def lock_after_the_other(handle: int) -> bool | None:
        if not other.ident:
            other.start()
            swept.wait(100)
        return lock(handle)

    monkeypatch.setattr(temporaries, "_remove_if_abandoned", remove_then_wait)
    monkeypatch.setattr(atomic_writing, "lock", lock_after_the_other)
    with local_copy(parse_location("memory://box/a.txt")) as copy:
        marked.set()
        other.join()
        assert copy.read_bytes() == b"text"


def test_names_that_lead_out_of_a_copy_are_refused(memory, tmp_path):
    memory.pipe_file("/box/in/a.npz", b"x")
    memory.store["/box/in/../../evil.npz"] = memory.store["/box/in/a.npz"]
    folder = RemotePath("memory", PurePosixPath("box/in"), folder=True)
    with pytest.raises(InputError, match="expected plain names"):
        remote_files_below(folder)
    with pytest.raises(InputError, match="expected plain names"), local_copy(folder):
        pass


def test_captures_of_a_folder_are_the_same_near_and_far(tmp_path, memory, make_capture, capsys):
    names = [
        "a.pt",
        "sub/b.pt",
        "one/smplx/0.npz",
        "one/other.pt",
        "two/hps/hps_track_0.npy",
        "three/wham_output.pkl",
        "three/deep/c.pt",
        ".hidden/d.pt",
        "sub/.e.pt",
        "f.txt",
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"damaged")
        memory.pipe_file(f"/box/{name}", b"damaged")
    files, folders = captures_among(map(PurePosixPath, names))
    assert (sorted(map(str, files)), list(map(str, folders))) == (["a.pt", "sub/b.pt"], ["one", "three", "two"])
    told = []
    for source in (str(tmp_path), "memory://box"):
        assert convert(["-i", source, "-o", str(tmp_path / "out"), "--workers", "0"]) == 1
        told.append(sorted(line.replace(source, "") for line in assert_error_lines(capsys.readouterr().err, 5)))
    assert told[0] == told[1]


def test_conversion_on_s3_gives_the_files_of_a_local_run_and_goes_on_where_it_was(
    s3, bucket, make_capture, run_script, tmp_path, capsys
):
    (tmp_path / "in/sub folder").mkdir(parents=True)
    for number in range(4):
        torch.save(make_capture(seed=number), tmp_path / f"in/sub folder/{number}.pt")
    (tmp_path / "in/broken.pt").write_bytes(b"broken")
    s3.put(f"{tmp_path}/in/", f"{bucket}/in/", recursive=True)
    assert convert(["-i", str(tmp_path / "in"), "-o", str(tmp_path / "local")]) == 1
    capsys.readouterr()

    def run(*flags):
        done = run_script(CONVERTER, "-i", f"{bucket}/in", "-o", f"{bucket}/out", *flags)
        assert done.returncode == 1 and assert_error_lines(done.stderr, 1)[0].startswith(
            f"error: {bucket}/in/broken.pt: "
        )
        return done.stdout

    assert "4 converted, 0 unchanged" in run("--workers", "2")
    assert contents(s3, f"{bucket}/out") == local_contents(tmp_path / "local")
    assert "0 converted, 4 unchanged" in run("--workers", "0")
    s3.put_file(f"{tmp_path}/in/sub folder/0.pt", f"{bucket}/in/sub folder/1.pt")
    s3.pipe_file(f"{bucket}/out/sub folder/2.pt", b"cut")
    save_motion(tmp_path / "mine.pt", make_capture(seed=9))
    s3.put_file(f"{tmp_path}/mine.pt", f"{bucket}/out/sub folder/3.pt")
    assert "1 converted, 1 regenerated (input or settings changed), 1 unchanged, 1 kept" in run("--workers", "0")
    stored = contents(s3, f"{bucket}/out")
    assert (
        stored["sub folder/1.pt"] == stored["sub folder/0.pt"]
        and stored["sub folder/3.pt"] == (tmp_path / "mine.pt").read_bytes()
    )
    assert stored["sub folder/2.pt"] == (tmp_path / "local/sub folder/2.pt").read_bytes()


def test_refining_on_s3_gives_the_files_of_a_local_run(s3, bucket, make_capture, tmp_path, capsys):
    for number in range(2):
        save_motion(tmp_path / f"in/{number}.pt", make_capture(frames=20, seed=number))
    s3.put(f"{tmp_path}/in/", f"{bucket}/in/", recursive=True)
    assert refine(["-i", str(tmp_path / "in"), "-o", str(tmp_path / "local"), "--heading", "30"]) == 0
    again = ["-i", f"{bucket}/in", "-o", f"{bucket}/refined", "--heading", "30", "--workers", "0"]
    assert refine(again) == 0
    assert contents(s3, f"{bucket}/refined") == local_contents(tmp_path / "local")
    capsys.readouterr()
    assert refine(again) == 0 and "2 unchanged" in capsys.readouterr().out


def test_one_capture_between_near_and_far(s3, bucket, make_capture, tmp_path, capsys):
    torch.save(make_capture(), tmp_path / "a.pt")
    assert convert(["-i", str(tmp_path / "a.pt"), "-o", f"{bucket}/deep/a.pt"]) == 0
    s3.put_file(f"{tmp_path}/a.pt", f"{bucket}/a.pt")
    assert convert(["-i", f"{bucket}/a.pt", "-o", str(tmp_path / "b.pt")]) == 0
    assert s3.cat_file(f"{bucket}/deep/a.pt") == (tmp_path / "b.pt").read_bytes()
    assert convert(["-i", f"{bucket}/a.pt", "--list-people"]) == 0
    assert f"{bucket}/a.pt: person 0" in capsys.readouterr().out


def test_rendering_on_s3(s3, bucket, make_capture, run_script, tmp_path):
    for number in range(3):
        save_motion(tmp_path / f"set/motions/{number}.pt", make_capture(frames=8, seed=number))
    entries = [{"id": number, "prompt": "p", "motion_path": f"motions/{number}.pt"} for number in range(3)]
    entries += [
        {"id": "missing", "motion_path": "motions/9.pt"},
        {"id": "secret", "motion_path": "s3://user:secret@bucket/9.pt"},
    ]
    save_json(tmp_path / "set/a.json", entries)
    s3.put(f"{tmp_path}/set/", f"{bucket}/set/", recursive=True)
    size = ["--width", "64", "--height", "64"]
    assert (
        render(
            [
                "--meta-json",
                str(tmp_path / "set/a.json"),
                "--output-json",
                str(tmp_path / "r.json"),
                "--output-dir",
                str(tmp_path / "r"),
                *size,
            ]
        )
        == 1
    )
    far = [
        "--meta-json",
        f"{bucket}/set/a.json",
        "--output-json",
        f"{bucket}/r.json",
        "--output-dir",
        f"{bucket}/r",
        *size,
    ]
    for workers, counts in (("2", "3 rendered, 0 reused"), ("0", "0 rendered, 3 reused")):
        done = run_script(RENDERER, *far, "--workers", workers)
        lost, secret = assert_error_lines(done.stderr, 2)
        assert done.returncode == 1 and counts in done.stdout
        assert (
            f"{bucket}/set/motions/9.pt: does not exist" in lost
            and "user or password" in secret
            and ":secret@" not in done.stderr
        )
        assert contents(s3, f"{bucket}/r") == local_contents(tmp_path / "r")
        far_json = s3.cat_file(f"{bucket}/r.json").decode()
        far_entries = json.loads(far_json.replace(f"{bucket}/r", str(tmp_path / "r")))
        near_entries = json.loads((tmp_path / "r.json").read_text())
        assert far_entries == near_entries and near_entries[3]["motion_path"] == "set/motions/9.pt"


def test_the_gate_on_s3_decides_as_it_does_on_a_disk(s3, bucket, tmp_path, run_script):
    meta = make_archive(tmp_path / "set", ids=(0, 1, 2))
    entries = json.loads(meta.read_text())
    entries[1]["mbench_eval_path"], entries[2]["video_path"] = "nothing.pt", "s3://user:secret@bucket/2.mp4"
    save_json(meta, entries)
    s3.put(f"{tmp_path}/set/", f"{bucket}/set/", recursive=True)
    with Service(always(GeminiProtocol.answer())) as service:
        near = gate(meta, "--output-json", tmp_path / "made/gated.json", server=service)
        assert near.returncode == 1 and len(service.questions) == 2, near.stderr
    far = [
        "--meta-json",
        f"{bucket}/set/meta.json",
        "--quality-report",
        f"{bucket}/made/report.json",
        "--output-json",
        f"{bucket}/made/gated.json",
    ]
    with Service(always(GeminiProtocol.answer())) as service:
        for asked in (2, 0):
            service.requests.clear()
            done = run_script(
                "motion_gating/apply_quality_gate.py",
                *far,
                "--workers",
                "2",
                "--cache-dir",
                str(tmp_path / "cache"),
                env=environment(service),
            )
            assert done.returncode == 1 and len(service.questions) == asked, done.stderr
    made = contents(s3, f"{bucket}/made")
    assert set(made) == {"report.json", "report.run.json", "gated.json"}
    written = json.loads((tmp_path / "made/gated.json").read_text().replace(str(tmp_path), str(bucket)))
    far_entries = json.loads(made["gated.json"])
    assert far_entries == written and written[1]["mbench_eval_path"] == f"{bucket}/set/nothing.pt"
    assert json.loads(made["report.json"])[0] == {**read(meta.with_name("report.json"))[0], "vlm_cached_answers": 1}
    assert f"{bucket}/set/nothing.pt: does not exist" in json.loads(made["report.json"])[1]["metrics_error"]
    assert json.loads(made["report.json"])[2]["vlm_error_kind"] == "no_question"
    assert b"secret" not in made["report.json"] and json.loads(made["report.run.json"])["meta_json"] == far[1]


def test_the_review_page_shows_a_batch_that_is_elsewhere(memory, tmp_path):
    meta, report = make_batch(tmp_path / "batch")
    memory.put(f"{tmp_path}/batch/", "/box/", recursive=True)
    far_meta, far_report = (
        parse_location(f"memory://box/{path.relative_to(tmp_path / 'batch').as_posix()}") for path in (meta, report)
    )
    flags = ("--workers", "0", "--side-size", "32", "--smplx-model-dir", "mannequin")
    codes = [
        build(meta, report, tmp_path / "near", "--copy-media", *flags),
        build(far_meta, far_report, tmp_path / "far", *flags),
    ]
    assert codes[0] == codes[1]
    near_page, far_page = page_data(tmp_path / "near"), page_data(tmp_path / "far")
    assert far_page == near_page and far_page["entries"]
    near_media, far_media = (
        sorted(path.name for path in (tmp_path / name / "media").iterdir()) for name in ("near", "far")
    )
    assert far_media == near_media and far_media
    for row in far_page["entries"]:
        near_details, far_details = (entry_details(tmp_path / name, row["key"]) for name in ("near", "far"))
        assert far_details["videos"] == near_details["videos"] and far_details["panels"] == near_details["panels"]


def test_answers_that_are_paid_for_are_not_kept_where_they_would_be_lost(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", "key")
    meta = make_archive(tmp_path)
    assert apply_quality_gate.main(["--meta-json", str(meta), "--quality-report", "memory://box/report.json"]) == 2
    assert "--cache-dir" in assert_error_lines(capsys.readouterr().err, 1)[0]


def test_decisions_go_into_a_remote_archive(memory, tmp_path):
    meta = make_archive(tmp_path)
    memory.put(f"{tmp_path}/", "/box/", recursive=True)
    said = gate(
        parse_location("memory://box/meta.json"),
        "--judge",
        "manual",
        "--verdicts",
        save_json(tmp_path / "v.json", [{"id": 0, "matches": True}]),
    )
    assert said.returncode == 0, said.stderr
    (entry,) = json.loads(memory.cat_file("/box/meta.json"))
    assert set(entry.pop("judged_content")) == {"motion", "clip", "text", "text_field"}
    assert entry == {**json.loads(meta.read_text())[0], "use_ref_motion": True}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-i", "{bucket}/nothing", "-o", "{tmp}/o"], "{bucket}/nothing: does not exist"),
        (["-i", "{tmp}/a.pt", "-o", "s3://no-such-bucket/o"], "its bucket or folder does not exist"),
        (["-i", "{tmp}/a.pt", "-o", "nosuch://box/o"], "fsspec does not support nosuch:// URLs"),
        (["-i", "{bucket}/folder", "-o", "{bucket}/one.pt"], "Give a folder as the output"),
        (["-i", "{bucket}/folder/a.pt", "-o", "{bucket}/folder/a.pt"], "--output and --input are the same file"),
    ],
)
def test_what_cannot_be_done_is_said_before_any_work(s3, bucket, make_capture, tmp_path, capsys, arguments, words):
    torch.save(make_capture(), tmp_path / "a.pt")
    s3.put_file(f"{tmp_path}/a.pt", f"{bucket}/folder/a.pt")
    before = contents(s3, bucket)
    assert convert([part.format(bucket=bucket, tmp=tmp_path) for part in arguments] + ["--workers", "0"]) == 2
    assert words.format(bucket=bucket) in assert_error_lines(capsys.readouterr().err, 1)[0]
    assert contents(s3, bucket) == before and not (tmp_path / "o").exists()


def test_a_server_that_is_gone_is_one_line(s3, make_capture, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    assert convert(["-i", "s3://bucket/a.pt", "-o", str(tmp_path / "o")]) == 2
    assert "Check the URL, your access and the network" in assert_error_lines(capsys.readouterr().err, 1)[0]
    fsspec.get_filesystem_class("s3").clear_instance_cache()


def test_a_missing_package_is_named(capsys, monkeypatch, tmp_path):
    def without(scheme):
        raise ImportError("Please install gcsfs to access Google Storage")

    from motion_rep.files import remote_files

    monkeypatch.setattr(remote_files, "_class_of", without)
    with pytest.raises(UsageError, match="install gcsfs"):
        resolve_existing(parse_location("gs://bucket/a.pt"))


def test_an_output_folder_that_cannot_be_written_to(memory, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError("no")

    monkeypatch.setattr(type(memory), "pipe_file", refuse)
    with pytest.raises(UsageError, match="cannot be written"):
        require_location(parse_location("memory://box"))
