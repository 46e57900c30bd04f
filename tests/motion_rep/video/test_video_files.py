"""Videos come back upright, at their own times and rates; writing is streaming, repeatable and whole or not at all."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from checkout import REPO
from ffmpeg_support import ffmpeg

from motion_rep.common.errors import InputError
from motion_rep.video.reading import open_video
from motion_rep.video.writing import exact_rate, open_writer


def picture(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A grey level for each frame, and a red upper left and a blue lower right quarter, which say what is up."""
    rgb = np.full((height, width, 3), 16 + 8 * (number % 25), np.uint8)
    rgb[: height // 2, : width // 2] = (220, 20, 20)
    rgb[height // 2 :, width // 2 :] = (20, 20, 220)
    return rgb


def write(path: Path, frames: int = 8, fps: float = 16.0, **size) -> Path:
    with open_writer(path, size.get("width", 64), size.get("height", 48), fps) as writer:
        for number in range(frames):
            writer.write(picture(number, **size))
    return path


def read(path: Path) -> tuple[list[float], list[np.ndarray]]:
    with open_video(path) as video:
        pairs = list(video)
    return [time for time, _ in pairs], [rgb for _, rgb in pairs]


def colour_at(rgb: np.ndarray, x: float, y: float) -> str:
    """``red``, ``blue`` or ``grey`` at a relative place."""
    red, _, blue = rgb[int(y * rgb.shape[0]), int(x * rgb.shape[1])].astype(int)
    return "red" if red - blue > 90 else "blue" if blue - red > 90 else "grey"


def test_frames_come_back_in_order_with_their_colours_and_times(tmp_path):
    path = write(tmp_path / "video.mp4", frames=10)
    with open_video(path) as video:
        assert (video.width, video.height, video.fps, video.frame_count) == (64, 48, 16.0, 10)
        times, frames = zip(*video, strict=True)
    assert times == pytest.approx([number / 16 for number in range(10)], abs=1e-4)
    for number, frame in enumerate(frames):
        assert frame.dtype == np.uint8 and frame.shape == (48, 64, 3)
        assert abs(frame.astype(int) - picture(number)).mean() < 4
        assert (colour_at(frame, 0.25, 0.25), colour_at(frame, 0.75, 0.75), colour_at(frame, 0.75, 0.25)) == (
            "red",
            "blue",
            "grey",
        )


def test_the_file_is_what_browsers_play(tmp_path):
    said = ffmpeg("-i", write(tmp_path / "video.mp4"))
    assert "h264" in said and "yuv420p" in said
    data = (tmp_path / "video.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # playable before it is loaded


@pytest.mark.parametrize("width, height", [(64, 48), (65, 48), (64, 49), (33, 17), (480, 270)])
def test_odd_sizes_are_padded_with_their_edge_and_nothing_is_scaled(tmp_path, width, height):
    _, frames = read(write(tmp_path / "video.mp4", width=width, height=height))
    assert frames[0].shape == (height + height % 2, width + width % 2, 3)
    assert abs(frames[0][:height, :width].astype(int) - picture(0, width, height)).mean() < 5
    # The added row or column repeats the last one.
    assert abs(frames[0][-1].astype(int) - frames[0][height - 1]).max() < 24
    assert abs(frames[0][:, -1].astype(int) - frames[0][:, width - 1]).max() < 24


@pytest.mark.parametrize(
    "fps, exact",
    [
        (16, (16, 1)),
        (20.0, (20, 1)),
        (29.97, (30000, 1001)),
        (23.976, (24000, 1001)),
        (59.94, (60000, 1001)),
        (12.5, (25, 2)),
        (30, (30, 1)),
    ],
)
def test_rates_stay_exact(tmp_path, fps, exact):
    assert exact_rate(fps) == Fraction(*exact)
    with open_video(write(tmp_path / "video.mp4", fps=fps)) as video:
        assert video.fps == pytest.approx(exact[0] / exact[1], rel=1e-6)


def test_a_long_clip_at_29_97_does_not_drift(tmp_path):
    times, _ = read(write(tmp_path / "video.mp4", frames=120, fps=29.97, width=16, height=16))
    assert len(times) == 120 and times[-1] == pytest.approx(119 * 1001 / 30000, abs=2e-3)


def test_the_same_frames_give_the_same_bytes(tmp_path):
    one, other = write(tmp_path / "one.mp4", frames=20), write(tmp_path / "other.mp4", frames=20)
    assert one.read_bytes() == other.read_bytes()
    assert write(tmp_path / "third.mp4", frames=21).read_bytes() != one.read_bytes()


@pytest.mark.parametrize("width, height", [(32, 32), (64, 48), (96, 96), (258, 98)])
def test_the_bytes_do_not_depend_on_what_memory_held_before(tmp_path, width, height):
    """PyAV and x264 both leave memory as they find it; what is behind a row must not reach the file."""
    noise, made = np.random.default_rng(0), set()
    for _ in range(12):
        left = [noise.integers(0, 255, size, dtype=np.uint8) for size in noise.integers(1000, 400_000, 60)]
        del left
        made.add(write(tmp_path / "video.mp4", frames=12, width=width, height=height).read_bytes())
    assert len(made) == 1


MOVING_NOISE = """
import sys
import numpy as np
from motion_rep.video.writing import open_writer
width, height = int(sys.argv[2]), int(sys.argv[3])
noise = np.random.default_rng(0).integers(0, 256, (height // 16, width // 16 + 20, 3), dtype=np.uint8)
noise = noise.repeat(16, axis=0).repeat(16, axis=1)
with open_writer(sys.argv[1], width, height, 20) as writer:
    for number in range(12):
        writer.write(np.ascontiguousarray(noise[:, 9 * number : 9 * number + width]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc fills memory on request")
@pytest.mark.parametrize("width, height", [(480, 480), (320, 240), (272, 384), (288, 192), (960, 960)])
def test_the_bytes_are_the_same_whatever_fills_new_memory(tmp_path, width, height):
    made = set()
    for byte in ("1", "200"):
        command = [sys.executable, "-c", MOVING_NOISE, str(tmp_path / "video.mp4"), str(width), str(height)]
        subprocess.run(command, cwd=REPO, env={**os.environ, "MALLOC_PERTURB_": byte}, check=True)
        made.add((tmp_path / "video.mp4").read_bytes())
    assert len(made) == 1


def test_grey_frames_are_the_same_as_grey_colour_frames(tmp_path):
    grey = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (47, 1))
    for name in ("grey", "rgb"):
        with open_writer(tmp_path / f"{name}.mp4", 64, 47, 16) as writer:
            writer.write_grey(grey) if name == "grey" else writer.write(np.stack([grey] * 3, axis=-1))
    (_, [one]), (_, [other]) = read(tmp_path / "grey.mp4"), read(tmp_path / "rgb.mp4")
    assert abs(one.astype(int) - other).max() <= 6
    assert abs(one[:47, :, 0].astype(int) - grey).max() <= 12


@pytest.mark.parametrize(
    "degrees, red, blue",
    [(90, (0.25, 0.75), (0.75, 0.25)), (180, (0.75, 0.75), (0.25, 0.25)), (270, (0.75, 0.25), (0.25, 0.75))],
)
def test_a_rotation_flag_is_honoured(tmp_path, degrees, red, blue):
    """The flag turns the shown picture counter-clockwise; a phone held upright writes such files."""
    source = write(tmp_path / "source.mp4")
    ffmpeg("-display_rotation", degrees, "-i", source, "-c", "copy", tmp_path / "turned.mp4")
    with open_video(tmp_path / "turned.mp4") as video:
        _, first = next(iter(video))
        assert (video.width, video.height) == ((48, 64) if degrees != 180 else (64, 48))
    assert first.shape[:2] == (video.height, video.width)
    assert colour_at(first, *red) == "red" and colour_at(first, *blue) == "blue"


def test_frames_of_uneven_length_keep_their_own_times(tmp_path):
    source = write(tmp_path / "source.mp4", frames=10, fps=25)
    ffmpeg(
        "-i",
        source,
        "-vf",
        "setpts='if(lt(N,5),N,5+3*(N-5))/25/TB'",
        "-fps_mode",
        "passthrough",
        "-c:v",
        "libx264",
        tmp_path / "uneven.mp4",
    )
    times, frames = read(tmp_path / "uneven.mp4")
    assert len(frames) == 10
    assert times == pytest.approx([n / 25 if n < 5 else (5 + 3 * (n - 5)) / 25 for n in range(10)], abs=2e-3)


@pytest.mark.parametrize(
    "content", [b"", b"hello\n" * 1000, b"\x00\x00\x00\x18ftypmp42" + bytes(500)], ids=["empty", "text", "header"]
)
def test_what_is_no_video_is_refused_in_one_line(tmp_path, content, capfd):
    path = tmp_path / "bad.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match="bad.mp4: ") as error, open_video(path):
        pass
    assert "\n" not in str(error.value)


def test_a_cut_video_a_missing_one_a_folder_and_one_without_pictures_are_refused(tmp_path):
    whole = write(tmp_path / "whole.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[:200])
    ffmpeg("-f", "lavfi", "-i", "anullsrc", "-t", "0.2", tmp_path / "sound.mp4")
    assert (tmp_path / "sound.mp4").stat().st_size > 0
    for name in ("cut.mp4", "missing.mp4", ".", "sound.mp4"):
        with pytest.raises(InputError, match=re.escape(str(tmp_path / name))), open_video(tmp_path / name):
            pass


def test_a_frame_of_another_size_or_type_is_refused_and_nothing_is_left(tmp_path):
    for wrong in (picture(1, 32, 48), picture(1).astype(np.float32), picture(1)[..., 0]):
        with (
            pytest.raises(InputError, match="expected uint8 .48, 64, 3."),
            open_writer(tmp_path / "video.mp4", 64, 48, 16) as writer,
        ):
            writer.write(picture(0))
            writer.write(wrong)
    assert list(tmp_path.iterdir()) == []


def test_an_error_between_frames_leaves_the_old_video(tmp_path):
    path = write(tmp_path / "video.mp4")
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError), open_writer(path, 64, 48, 16) as writer:
        writer.write(picture(0))
        raise ZeroDivisionError
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_a_video_without_frames_is_refused(tmp_path):
    with pytest.raises(InputError, match="no frames"), open_writer(tmp_path / "video.mp4", 64, 48, 16):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"), open_writer(tmp_path / "file" / "video.mp4", 64, 48, 16):
        pass


MANY_FRAMES = """
import resource, sys
import numpy as np
from motion_rep.video.reading import open_video
from motion_rep.video.writing import open_writer
frame = np.zeros((480, 640, 3), np.uint8)
def copy(count):
    with open_writer(sys.argv[1], 640, 480, 30, preset="ultrafast") as writer:
        for number in range(count):
            frame[:, number % 640] = number % 256
            writer.write(frame)
    with open_video(sys.argv[1]) as video:
        assert sum(1 for _ in video) == count
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(copy(30), copy(600))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is reported in other units there")
def test_memory_does_not_grow_with_the_length(tmp_path):
    """600 frames would be 550 MB if they were kept."""
    done = subprocess.run(
        [sys.executable, "-c", MANY_FRAMES, str(tmp_path / "long.mp4")],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    short, long = map(int, done.stdout.split())
    assert long - short < 100
