"""A command that is called from a program, for example a notebook, leaves the program's process as it was."""

from __future__ import annotations

import argparse
import importlib
import os
import random
import signal
import sys
import warnings

import cv2
import numpy as np
import pytest
import torch
from command_support import save_motion, save_waving_captures

from motion_rep.common.command_line import run_command
from motion_rep.common.compute_threads import _FUNCTIONS, NUMPY, _blas, use_one_thread
from motion_rep.common.end_signals import END_SIGNALS, Ended
from motion_rep.common.errors import InputError

COMMANDS = {
    "convert_hmr_to_motion": ["-i", "captures", "-o", "converted"],
    "refine_motion": ["-i", "motions", "-o", "refined"],
    "convert_representation": ["-i", "motions", "-o", "other", "--to", "272"],
    "plot_motion": ["motions", "-o", "plots"],
    "export_motion": ["motions", "-o", "exported", "--format", "bvh", "glb"],
    "motion_checker": ["--motion-file", "motions/a.pt", "--output-dir", "checks", "--H", "64", "--W", "64"],
}


def blas_threads() -> int | None:
    """The number of threads in which NumPy multiplies matrices; None if its library does not tell."""
    count = getattr(_blas(), _FUNCTIONS[NUMPY][0], None)
    return None if count is None else count()


def state() -> dict[str, object]:
    """What a command could change for the rest of the process."""
    return {
        "signals": [signal.getsignal(number) for number in (*END_SIGNALS, signal.SIGALRM)],
        "threads": (torch.get_num_threads(), cv2.getNumThreads(), blas_threads()),
        "random": (random.getstate(), str(np.random.get_state()), torch.get_rng_state().tolist()),
        "settings": (np.geterr(), torch.is_grad_enabled(), torch.get_default_dtype(), sys.getrecursionlimit()),
        "warnings": list(warnings.filters),
        "surroundings": (os.getcwd(), dict(os.environ), sys.unraisablehook, sys.stdout, sys.stderr, list(sys.path)),
    }


@pytest.fixture
def three_threads():
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(3)
    cv2.setNumThreads(3)
    yield
    torch.set_num_threads(before[0])
    cv2.setNumThreads(before[1])


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_leaves_the_process_as_it_was(name, three_threads, make_capture, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "captures").mkdir()
    save_waving_captures(tmp_path / "captures", 2, frames=8)
    save_motion(tmp_path / "motions" / "a.pt", make_capture())
    main = importlib.import_module(f"motion_rep.{name}").main
    before = state()
    assert main(COMMANDS[name]) == 0
    assert state() == before
    for path in tmp_path.glob("*/*.pt"):
        path.write_bytes(b"damaged")
    assert main(COMMANDS[name]) != 0
    assert state() == before


@pytest.mark.parametrize("error", [InputError("wrong"), Ended(), ValueError("unexpected")])
def test_the_numbers_of_threads_are_put_back_however_a_command_ends(error, three_threads):
    def work(_):
        use_one_thread()
        assert torch.get_num_threads() == cv2.getNumThreads() == 1
        assert blas_threads() in (1, None)
        raise error

    before = blas_threads()

    try:
        run_command(work, argparse.Namespace())
    except ValueError:
        pass
    assert torch.get_num_threads() == cv2.getNumThreads() == 3
    assert blas_threads() == before
