"""A Ray cluster on this machine, for the tests of one file."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from motion_rep.common.end_signals import handlers_kept

OBJECT_BYTES = 10**8


@contextlib.contextmanager
def cluster_of(*cpus: int) -> Iterator[Any]:
    """A cluster of one node for each number of processors; ``cluster.nodes`` are those that may be removed. The test
    is skipped where Ray is not installed.
    """
    ray = pytest.importorskip("ray", reason="Ray is not installed: pip install ray")
    if " " in sys.executable:
        pytest.skip("Ray cannot start a Python whose path contains a space")
    from ray.cluster_utils import Cluster

    head, *others = ({"num_cpus": number, "object_store_memory": OBJECT_BYTES} for number in cpus)
    with handlers_kept():
        cluster = Cluster(initialize_head=True, head_node_args={**head, "include_dashboard": False})
        cluster.nodes = [cluster.add_node(**node) for node in others]
    yield cluster
    ray.shutdown()
    cluster.shutdown()
