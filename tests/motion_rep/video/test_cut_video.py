"""A video that was cut in the middle is shown as far as it goes, and the user is told."""

from __future__ import annotations

import numpy as np
import torch

from motion_rep.video.writing import open_writer


def test_a_cut_video_is_named(tmp_path, run_script, make_capture):
    capture, motion, video = tmp_path / "capture.pt", tmp_path / "motion.pt", tmp_path / "video.mp4"
    torch.save(make_capture(frames=60), capture)
    noise = np.random.default_rng(0)
    with open_writer(video, 480, 832, 16.0) as writer:
        for _ in range(60):
            writer.write(noise.integers(0, 255, (832, 480, 3), dtype=np.uint8))
    video.write_bytes(video.read_bytes()[: video.stat().st_size // 2])
    assert run_script("motion_rep/convert_hmr_to_motion.py", "-i", capture, "-o", motion).returncode == 0
    done = run_script(
        "motion_rep/motion_checker.py", "--motion_file", motion, "--output_dir", tmp_path / "out", "--video_file", video
    )
    assert done.returncode == 0 and "could be read; it may be cut" in done.stderr
    assert (tmp_path / "out" / "motion_overlay.mp4").is_file()
