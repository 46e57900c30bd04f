"""The work of plain_video.py, video_record.py and write_frames.py."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np

from motion_rep.common.errors import InputError, located
from motion_rep.files.local_files import file_sha256
from motion_rep.video.reading import frame_times, open_video
from motion_rep.video.timing import frames_at_rate, is_even, measured_rate, uneven_note
from motion_rep.video.writing import open_writer

JPEG_QUALITY = 97


def write_plain_copy(video: str, copy: str, fps: float) -> None:
    """Write a copy with evenly timed, upright frames and square pixels.

    Raises:
        InputError: the video cannot be read, or the copy cannot be written.
    """
    with open_video(video) as reader, open_writer(copy, reader.width, reader.height, fps) as writer:
        for rgb in reader.at_rate(fps):
            writer.write(rgb)


def write_frames(video: str, folder: Path, fps: float) -> tuple[int, str | None]:
    """Write the frames as numbered pictures.

    Returns:
        Their number, and a sentence for the user if the video is not evenly timed.
    Raises:
        InputError: the video cannot be read, or the disk is full.
    """
    times, number = frame_times(video), 0
    with open_video(video) as reader:
        for number, rgb in enumerate(reader.at_rate(fps), 1):
            path = folder / f"{number:06d}.jpg"
            if not cv2.imwrite(str(path), rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]):
                raise InputError(f"{path}: cannot be written. Check that the disk has space.")
    return number, None if is_even(times) else f"{video}: {uneven_note(times, fps)}"


def measure_video(video: str | os.PathLike) -> dict:
    """Facts about a video, read to its end.

    Frames and rate are those of an evenly timed copy; ``plain`` means that the video needs no copy: its frames are
    evenly timed, upright, and have square pixels.

    Raises:
        InputError: missing, unreadable, or without frames.
    """
    with open_video(video) as reader:
        times = np.array([time for time, _ in reader])
        size, fps, frames = (reader.width, reader.height), reader.fps, len(times)
        plain = is_even(times) and reader.stored_size == size
    if not is_even(times):
        fps = measured_rate(times) or fps
        with located(video):
            frames = sum(1 for _ in frames_at_rate(((time, None) for time in times), fps))
    found = {"fps": fps, "frames": frames, "width": size[0], "height": size[1], "plain": plain}
    return {**found, "seconds": frames / fps, "sha256": file_sha256(video)}
