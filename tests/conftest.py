"""What several test files share: where the checkout is, how a script is run, and small captures."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import fsspec
import numpy as np
import pytest
import torch
from hypothesis import settings

REPO = Path(__file__).resolve().parents[1]
SHARED = REPO.parent / "shared"
if str(REPO) not in sys.path:
    sys.path.insert(0, str(REPO))

torch.set_num_threads(1)
# No deadline: how long an example takes is the machine's affair. The same examples every time, so that a failure is the change's.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

SMPLX_VERTICES = 10475
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


@pytest.fixture
def run_script(tmp_path):
    """Run a script of the checkout by its path, from a folder that is not the checkout."""

    def run(script: str, *arguments, cwd: Path | None = None, env: dict | None = None) -> subprocess.CompletedProcess:
        command = [sys.executable, str(REPO / script), *map(str, arguments)]
        environment = {**os.environ, **(env or {})}
        return subprocess.run(command, cwd=cwd or tmp_path, env=environment, capture_output=True, text=True, timeout=MOST_SECONDS, check=False)

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
    """A body in SMPL-X's file schema: the neutral joints, each with one vertex on it that follows it; the rest of the vertices lie at the pelvis."""
    path = tmp_path_factory.mktemp("body") / "SMPLX_NEUTRAL.npz"
    np.savez_compressed(path, **smplx_arrays())
    return path


def smplx_arrays() -> dict[str, np.ndarray]:
    """The arrays of :func:`smplx_file`."""
    from motion_rep.kinematics.skeleton import PARENTS, REST_JOINTS

    parents = [*PARENTS, 15, 15, 15, *(20 + i % 2 for i in range(30))]
    joints = np.array([*REST_JOINTS, *[(0.0, 0.3, 0.05)] * 3, *[(0.72, 0.03, -0.06), (-0.72, 0.03, -0.06)] * 15], np.float32)
    template, weights = np.tile(joints[0], (SMPLX_VERTICES, 1)), np.zeros((SMPLX_VERTICES, 55), np.float32)
    template[:55] = joints
    weights[:, 0] = 1.0
    weights[:55] = np.eye(55)
    regressor = np.zeros((55, SMPLX_VERTICES), np.float32)
    regressor[:, :55] = np.eye(55)
    return {
        "v_template": template,
        "f": np.array([[0, 1, 2], [3, 6, 9], [12, 13, 14]], np.uint32),
        "weights": weights,
        "J_regressor": regressor,
        "kintree_table": np.array([parents, range(55)], np.int64),
        "shapedirs": np.zeros((SMPLX_VERTICES, 3, 400), np.float16),
        "posedirs": np.zeros((SMPLX_VERTICES, 3, 486), np.float16),
        "hands_meanl": np.full(45, 0.1, np.float32),
        "hands_meanr": np.full(45, -0.1, np.float32),
        "hands_componentsl": np.eye(45, dtype=np.float32),
        "hands_componentsr": np.eye(45, dtype=np.float32),
        "lmk_faces_idx": np.zeros(51, np.int64),
        "lmk_bary_coords": np.full((51, 3), 1 / 3, np.float32),
        "dynamic_lmk_faces_idx": np.zeros((79, 17), np.int64),
        "dynamic_lmk_bary_coords": np.full((79, 17, 3), 1 / 3, np.float32),
    }


@pytest.fixture(scope="module")
def s3():
    """The file system of a server that runs while a module's tests do; workers find it by the environment."""
    server_of = pytest.importorskip("moto.server", reason="moto is not installed")
    server = server_of.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"ENDPOINT_URL": f"http://{host}:{port}", "ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret", "DEFAULT_REGION": "us-east-1"}.items():
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
