"""What several test files share: where the checkout is, how a script is run, and small captures."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import fsspec
import numpy as np
import pytest
import torch
from checkout import REPO, SHARED
from forked_script import python_that_forks
from hypothesis import settings
from marks import pytest_collection_modifyitems  # noqa: F401
from process_support import end_processes  # noqa: F401
from smplx_support import smplx_arrays

torch.set_num_threads(1)
# No deadline: how long an example takes is the machine's affair. The same examples every time, so that a failure is the
# change's.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

MOST_SECONDS = 300


@pytest.fixture(scope="session")
def repo() -> Path:
    """The root of the checkout."""
    return REPO


@pytest.fixture(scope="session")
def shared() -> Path:
    """Published data and a body model beside the checkout; tests that need them are skipped where they are not."""
    if not SHARED.is_dir():
        pytest.skip("published data are not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def roma():
    """The library of rotations to compare with; its import takes seconds, so it is left to the tests that use it."""
    return importlib.import_module("roma")


@pytest.fixture(scope="session")
def quick_python():
    """A program for shell scripts to call in place of Python: torch is imported when a script starts."""
    with python_that_forks() as path:
        yield path


@pytest.fixture
def run_script(tmp_path):
    """Run a script of the checkout by its path, from a folder that is not the checkout."""

    def run(script: str, *arguments, cwd: Path | None = None, env: dict | None = None) -> subprocess.CompletedProcess:
        command = [sys.executable, str(REPO / script), *map(str, arguments)]
        environment = {**os.environ, **(env or {})}
        return subprocess.run(
            command,
            cwd=cwd or tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=MOST_SECONDS,
            check=False,
        )

    return run


@pytest.fixture
def make_capture():
    """A documented capture dict of a person who turns and moves smoothly; keywords replace or (None) remove keys."""

    def make(frames: int = 12, seed: int = 0, **changes) -> dict:
        random = np.random.default_rng(seed)

        def wave(size: int, amount: float) -> np.ndarray:
            rate, phase = random.uniform(0.02, 0.09, size), random.uniform(0, 6.28, size)
            return amount * np.sin(6.28 * rate * np.arange(frames)[:, None] + phase)

        capture = {
            "global_orient": torch.tensor(np.array([np.pi - 0.2, 0.0, 0.0]) + wave(3, 0.15), dtype=torch.float32),
            "body_pose": torch.tensor(wave(63, 0.4), dtype=torch.float32),
            "transl": torch.tensor(np.array([0.1, 0.3, 4.0]) + wave(3, 0.3), dtype=torch.float32),
            "focal_length": 600.0,
            "width": 480,
            "height": 832,
            "fps": 16.0,
            **changes,
        }
        return {key: value for key, value in capture.items() if value is not None}

    return make


@pytest.fixture(scope="session")
def smplx_file(tmp_path_factory) -> Path:
    """A body in SMPL-X's file schema: the neutral joints, each with one vertex on it that follows it; the rest of the
    vertices lie at the pelvis.
    """
    path = tmp_path_factory.mktemp("body") / "SMPLX_NEUTRAL.npz"
    np.savez_compressed(path, **smplx_arrays())
    return path


@pytest.fixture(scope="module")
def s3():
    """The file system of a server that runs while a module's tests do; workers find it by the environment."""
    server_of = pytest.importorskip("moto.server", reason="moto is not installed")
    server = server_of.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "ENDPOINT_URL": f"http://{host}:{port}",
            "ACCESS_KEY_ID": "key",
            "SECRET_ACCESS_KEY": "secret",
            "DEFAULT_REGION": "us-east-1",
        }.items():
            patch.setenv(f"AWS_{name}", value)
        fsspec.get_filesystem_class("s3").clear_instance_cache()
        yield fsspec.filesystem("s3")
        fsspec.get_filesystem_class("s3").clear_instance_cache()
    server.stop()


@pytest.fixture
def bucket(s3, request):
    """The URL of a new bucket."""
    name = f"bucket-{abs(hash(request.node.nodeid))}"
    s3.mkdir(name)
    return f"s3://{name}"
