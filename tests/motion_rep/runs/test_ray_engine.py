"""The Ray engine on two nodes that run on this machine, one of which is killed in the middle. Skipped where Ray is not
installed (pip install ray).
"""

from __future__ import annotations

import functools
import os
import socket
import sys
from pathlib import Path

import pytest
import torch
from checkout import TESTS
from command_support import assert_error_lines, files_in, save_motion
from ray_support import cluster_of

from motion_rep.common.errors import UsageError
from motion_rep.convert_hmr_to_motion import main as convert
from motion_rep.refine_motion import main as refine
from motion_rep.runs.attempt import Failed
from motion_rep.runs.ray_engine import run_items_on_ray


@pytest.fixture(scope="module")
def cluster(s3):
    """Two nodes with one processor each; the second may be killed."""
    with pytest.MonkeyPatch.context() as patch:
        # What the tests themselves run on the workers; the project is brought by the engine.
        own = (str(TESTS / "support"), str(TESTS / "motion_rep" / "runs"))
        patch.setenv("PYTHONPATH", os.pathsep.join(own))
        with cluster_of(1, 1) as cluster:
            yield cluster


def test_conversion_gives_the_same_files_as_without_ray(cluster, make_capture, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for number in range(20):
        torch.save(make_capture(seed=number), f"in/{number}.pt")
    Path("in/7.pt").write_bytes(b"broken")
    assert convert(["-i", "in", "-o", "local"]) == 1
    capsys.readouterr()
    assert convert(["-i", "in", "-o", "on_ray", "--engine", "ray", "--ray-address", cluster.address]) == 1
    said = capsys.readouterr()
    assert "19 converted" in said.out and "in/7.pt" in assert_error_lines(said.err, 1)[0]
    assert files_in(tmp_path / "on_ray") == files_in(tmp_path / "local")


def test_refining_gives_the_same_files_as_without_ray(cluster, make_capture, tmp_path, capsys):
    for number in range(3):
        save_motion(tmp_path / f"in/{number}.pt", make_capture(frames=20, seed=number))
    flags = ["-i", str(tmp_path / "in"), "--heading", "30"]
    assert refine([*flags, "-o", str(tmp_path / "local")]) == 0
    on_ray = ["--engine", "ray", "--ray-address", cluster.address]
    assert refine([*flags, "-o", str(tmp_path / "on_ray"), *on_ray]) == 0
    assert files_in(tmp_path / "on_ray") == files_in(tmp_path / "local") != {}


def test_machines_that_share_no_folder_work_on_addresses(cluster, make_capture, tmp_path, capsys, s3, bucket):
    for number in range(3):
        torch.save(make_capture(seed=number), tmp_path / f"{number}.pt")
        s3.put_file(f"{tmp_path}/{number}.pt", f"{bucket}/in/{number}.pt")
    assert convert(["-i", str(tmp_path), "-o", str(tmp_path / "local")]) == 0
    assert (
        convert(["-i", f"{bucket}/in", "-o", f"{bucket}/out", "--engine", "ray", "--ray-address", cluster.address]) == 0
    )
    assert {name: s3.cat_file(f"{bucket}/out/{name}") for name in ("0.pt", "1.pt", "2.pt")} == files_in(
        tmp_path / "local"
    )


def test_missing_prerequisites_end_the_run(cluster):
    from test_work_pool import start_without_model

    with pytest.raises(UsageError, match="no model was found"):
        list(run_items_on_ray(start_without_model, range(3), cluster.address))


def test_a_lost_machine_costs_no_item_and_a_deadly_item_only_itself(cluster, tmp_path):
    from ray_work import start

    results = []
    for item, result in run_items_on_ray(functools.partial(start, str(tmp_path)), range(40), cluster.address):
        results.append((item, result))
        if len(results) == 3:
            cluster.remove_node(cluster.nodes[0], allow_graceful=False)
    assert [item for item, _ in results] == list(range(40))
    assert [item for item, result in results if isinstance(result, Failed)] == [13]
    assert "was lost on Ray 2 times" in results[13][1].message


def test_without_ray_the_install_line_is_shown(make_capture, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    torch.save(make_capture(), tmp_path / "a.pt")
    assert convert(["-i", str(tmp_path / "a.pt"), "-o", str(tmp_path / "out"), "--engine", "ray"]) == 2
    assert "pip install ray" in assert_error_lines(capsys.readouterr().err, 1)[0]


def test_a_python_that_ray_cannot_start_is_refused(make_capture, tmp_path, capsys, monkeypatch):
    pytest.importorskip("ray", reason="Ray is not installed: pip install ray")
    monkeypatch.setattr(sys, "executable", "/my tools/python")
    torch.save(make_capture(), tmp_path / "a.pt")
    assert convert(["-i", str(tmp_path / "a.pt"), "-o", str(tmp_path / "out"), "--engine", "ray"]) == 2
    assert "/my tools/python: Ray cannot start" in assert_error_lines(capsys.readouterr().err, 1)[0]


def test_an_address_without_the_engine_is_an_error(make_capture, tmp_path, capsys):
    torch.save(make_capture(), tmp_path / "a.pt")
    assert convert(["-i", str(tmp_path / "a.pt"), "-o", str(tmp_path / "out"), "--ray-address", "here:1"]) == 2
    assert_error_lines(capsys.readouterr().err, 1)


def test_an_address_that_nobody_answers_is_told_at_once(make_capture, tmp_path, capsys):
    pytest.importorskip("ray", reason="Ray is not installed: pip install ray")
    torch.save(make_capture(), tmp_path / "a.pt")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    assert (
        convert(
            ["-i", str(tmp_path / "a.pt"), "-o", str(tmp_path / "out"), "--engine", "ray", "--ray-address", address]
        )
        == 2
    )
    assert f"the Ray cluster {address} does not answer" in assert_error_lines(capsys.readouterr().err, 1)[0]
