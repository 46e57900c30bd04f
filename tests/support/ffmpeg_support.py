"""FFmpeg's own program, which makes what no test can make with the toolkit: turned, cut and uneven videos."""

from __future__ import annotations

import subprocess

import imageio_ffmpeg


def ffmpeg_path() -> str:
    """The program that imageio-ffmpeg brings."""
    return imageio_ffmpeg.get_ffmpeg_exe()


def ffmpeg(*arguments: object) -> str:
    """Run it; what it says on stderr."""
    command = [ffmpeg_path(), "-y", "-v", "info", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr
