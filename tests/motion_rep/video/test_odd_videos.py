"""Frames at their true times and in their true shape, whatever the container; and what is no video names its cause."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from ffmpeg_support import ffmpeg
from PIL import Image

from motion_gating.judges.video_frames import jpeg_frames
from motion_rep.common.errors import InputError
from motion_rep.video.reading import frame_times, open_video
from motion_rep.video.timing import frames_at_rate, is_even, measured_rate
from motion_rep.video.writing import open_writer

SIZE = (64, 48)


def make(path: Path, times: np.ndarray | None = None, frames: int = 12) -> Path:
    """Frames whose grey says their number; evenly timed at 16 fps, or at given times."""
    with open_writer(path, *SIZE, 16.0, even=times is None) as writer:
        for number in range(frames if times is None else len(times)):
            picture = np.full((SIZE[1], SIZE[0], 3), 16 * number, np.uint8)
            writer.write(picture, None if times is None else times[number])
    return path


def numbers(path: Path) -> list[int]:
    with open_video(path) as video:
        return [round(rgb.mean() / 16) for _, rgb in video]


def test_uneven_times_survive_writing_and_reading(tmp_path):
    times = np.array([0, 0.05, 0.1, 0.2, 0.21, 0.5, 1.5])
    path = make(tmp_path / "v.mp4", times)
    with open_video(path) as video:
        assert [time for time, _ in video] == pytest.approx(times, abs=1e-4)
    assert frame_times(path) == pytest.approx(times, abs=1e-4) and not is_even(frame_times(path))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".webm", ".gif"])
def test_times_without_decoding_are_those_of_the_frames(tmp_path, suffix):
    source, path = make(tmp_path / "source.mp4"), tmp_path / f"v{suffix}"
    codec = {".webm": "libvpx", ".avi": "mjpeg", ".gif": "gif"}.get(suffix, "libx264")
    ffmpeg("-i", source, "-c:v", codec, path)
    with open_video(path) as video:
        times = [time for time, _ in video]
    assert len(times) == 12 and frame_times(path) == pytest.approx(times) and is_even(frame_times(path))
    assert measured_rate(frame_times(path)) == pytest.approx(16, rel=0.05)


def test_an_edit_list_leaves_frames_out_and_is_not_called_cut(tmp_path):
    source = tmp_path / "source.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x48:rate=16:duration=4", "-g", "16", "-pix_fmt", "yuv420p", source)
    ffmpeg("-ss", "0.5", "-i", source, "-t", "2", "-c", "copy", tmp_path / "v.mp4")
    with open_video(tmp_path / "v.mp4") as video:
        count = sum(1 for _ in video)
        assert video.frame_count == count == len(frame_times(tmp_path / "v.mp4")) and 30 <= count <= 36


def test_longer_sound_does_not_lengthen_the_video(tmp_path):
    for suffix in (".mp4", ".mkv"):
        path = tmp_path / f"v{suffix}"
        ffmpeg("-i", make(tmp_path / "s.mp4"), "-f", "lavfi", "-t", "5", "-i", "anullsrc", "-c:v", "copy", path)
        with open_video(path) as video:
            assert video.frame_count in (12, None) and sum(1 for _ in video) == 12


def test_a_cover_picture_is_not_the_video(tmp_path):
    cover = tmp_path / "cover.png"
    Image.new("RGB", (640, 480), "red").save(cover)
    ffmpeg("-i", cover, "-i", make(tmp_path / "s.mp4"), "-map", "0", "-map", "1", "-c", "copy", tmp_path / "v.mkv")
    assert numbers(tmp_path / "v.mkv") == list(range(12))
    sound = tmp_path / "song.m4a"
    tone = ("-f", "lavfi", "-i", "sine=duration=1")
    ffmpeg(*tone, "-i", cover, "-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v", "attached_pic", sound)
    assert sound.stat().st_size > 0
    with pytest.raises(InputError, match=r"has no video stream, only audio \(aac\), a cover picture \(png\)"):
        frame_times(sound)


@pytest.mark.parametrize("codec", ["libsvtav1", "libaom-av1"])
def test_av1_is_read(tmp_path, codec):
    ffmpeg("-i", make(tmp_path / "s.mp4"), "-c:v", codec, tmp_path / "v.mp4")
    if not (tmp_path / "v.mp4").is_file() or not (tmp_path / "v.mp4").stat().st_size:
        pytest.skip(f"this ffmpeg has no {codec}")
    assert numbers(tmp_path / "v.mp4") == list(range(12))


def test_animated_webp_is_read_with_its_times(tmp_path):
    pictures = [Image.new("RGB", SIZE, (16 * number,) * 3) for number in range(6)]
    path = tmp_path / "v.webp"
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=[50, 50, 100, 50, 50, 50], lossless=True)
    assert numbers(path) == list(range(6))
    assert frame_times(path) == pytest.approx([0, 0.05, 0.1, 0.2, 0.25, 0.3])
    pictures[0].save(path)
    with pytest.raises(InputError, match="is a still picture"):
        frame_times(path)


def test_pixels_that_are_not_square_become_square(tmp_path):
    for aspect, width in (("2", 128), ("1/2", 32), ("0", 64)):
        ffmpeg("-i", make(tmp_path / "s.mp4"), "-vf", f"setsar={aspect}", tmp_path / "v.mp4")
        with open_video(tmp_path / "v.mp4") as video:
            assert (video.width, video.height, video.stored_size) == (width, 48, (64, 48))
            assert next(iter(video))[1].shape == (48, width, 3)


@pytest.mark.parametrize(("share", "flags"), [(0.9, ()), (0.5, ()), (0.1, ("-movflags", "+faststart"))])
def test_a_video_without_its_list_of_frames_is_named(tmp_path, share, flags):
    ffmpeg("-i", make(tmp_path / "s.mp4"), "-c", "copy", *flags, tmp_path / "v.mp4")
    data = (tmp_path / "v.mp4").read_bytes()
    (tmp_path / "v.mp4").write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match="its list of frames is missing or damaged; .* probably ended early"):
        frame_times(tmp_path / "v.mp4")


@pytest.mark.parametrize("interlaced", [True, False])
def test_interlaced_frames_are_told(tmp_path, interlaced):
    flags = ("-vf", "setfield=tff", "-flags", "+ilme+ildct") if interlaced else ()
    ffmpeg("-i", make(tmp_path / "s.mp4"), *flags, tmp_path / "v.mp4")
    with open_video(tmp_path / "v.mp4") as video:
        read = len(list(video))
        assert any("is interlaced" in note for note in video.length_notes(read)) == interlaced


@pytest.mark.parametrize("name", [b"a:b.mp4", b"2024-01-01T12:30:05.mp4", b"caf\xe9.mp4", b"concat:x.mp4", b"%d.mp4"])
def test_any_file_name_is_read_and_written(tmp_path, name):
    path = tmp_path / os.fsdecode(name)
    assert numbers(make(path)) == list(range(12))


@pytest.mark.parametrize(
    "text",
    ["ffconcat version 1.0\nfile whole.mp4\n", "#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:2,\nwhole.mp4\n#EXT-X-ENDLIST\n"],
)
@pytest.mark.parametrize("suffix", [".mp4", ".m3u8", ".ffconcat"])
def test_playlists_are_refused(tmp_path, text, suffix):
    make(tmp_path / "whole.mp4")
    path = tmp_path / f"list{suffix}"
    path.write_text(text)
    with pytest.raises(InputError, match="cannot be read as a video: it starts with"):
        frame_times(path)


def test_only_regular_files_of_a_clips_size_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")
    with open(tmp_path / "sparse.mp4", "wb") as file:
        file.truncate(30 * 2**30)
    (tmp_path / "zero.mp4").symlink_to("/dev/zero")
    for name, words in (
        ("pipe", "cannot be read|pipe"),
        ("sparse", "has 32,212,254,720 bytes"),
        ("zero", "zero.mp4: "),
    ):
        with pytest.raises(InputError, match=words):
            frame_times(tmp_path / f"{name}.mp4")


def test_a_video_whose_frames_are_all_damaged_names_its_codec(tmp_path):
    data = bytearray(make(tmp_path / "v.mp4").read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = bytes(len(data) - start)
    (tmp_path / "v.mp4").write_bytes(data)
    with pytest.raises(InputError, match=r"\(h264\) has no frames that can be decoded"), open_video(tmp_path / "v.mp4"):
        pass


@pytest.mark.parametrize(
    ("times", "even", "rate"),
    [
        (np.arange(50) / 30, True, 30),
        (np.round(np.arange(50) / 29.97, 3), True, 29.97),
        (np.arange(50) / 30 + np.random.default_rng(0).uniform(0, 0.01, 50), True, None),
        (np.cumsum([0, *[1 / 16] * 40, *[1 / 32] * 40]), False, 16),
        (np.cumsum([0, *[1 / 30] * 40, 2.0, *[1 / 30] * 40]), False, 30),
        (np.array([0.0]), True, None),
        (np.array([0.0, 0.1]), True, 10),
    ],
)
def test_even_times_and_the_rate_to_resample_at(times, even, rate):
    assert is_even(times) == even
    if rate is not None or len(times) < 2:
        assert measured_rate(times) == (None if rate is None else pytest.approx(rate, rel=2e-3))


def test_frames_are_taken_by_time():
    clip = [(number / 16, number) for number in range(81)]
    assert list(frames_at_rate(clip, 16)) == list(range(81)), "its own rate takes every frame once"
    assert list(frames_at_rate(clip, 8)) == [*range(0, 81, 2)]
    repeated = list(frames_at_rate(clip, 30))
    assert len(repeated) == 151 and sorted(set(repeated)) == list(range(81))
    uneven = [(0.0, "a"), (0.3, "b"), (0.31, "c"), (1.0, "d")]
    assert "".join(frames_at_rate(uneven, 10)) == "aabbcccdddd"
    assert list(frames_at_rate([], 10)) == []


def test_a_title_that_is_not_utf_8_does_not_matter(tmp_path):
    path = tmp_path / "old.mp4"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "a title of old days"
        stream = container.add_stream("libx264", rate=16)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode())
    path.write_bytes(path.read_bytes().replace(b"a title of old days", b"a t\xeftle of old days"))
    assert b"t\xeftle" in path.read_bytes()
    with open_video(path) as video:
        assert len(list(video)) == 3


def wrong_rate(path: Path, times: np.ndarray) -> Path:
    """A video whose header says 30 frames per second, with frames at these times (s)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264" if path.suffix != ".webm" else "libvpx-vp9", rate=30)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.full((SIZE[1], SIZE[0], 3), 3 * number, np.uint8), format="rgb24")
            frame = frame.reformat(format="yuv420p")
            frame.pts, frame.time_base = round(1000 * time), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("name", ["v.mkv", "v.webm", "v.ts", "v.mp4"])
@pytest.mark.parametrize("start", [0.0, 5.0])
def test_the_rate_is_that_of_the_frames_whatever_the_header_says(tmp_path, name, start):
    path = wrong_rate(tmp_path / name, start + np.arange(33) / 16)
    with open_video(path) as video:
        assert video.fps == pytest.approx(16, abs=0.3)
        assert video.frame_count == len(list(video)) == 33


@pytest.mark.parametrize(("shown_for", "even"), [(1, True), (3, True), (1, False)])
def test_a_last_frame_that_is_shown_for_longer_does_not_change_the_rate(tmp_path, shown_for, even):
    with av.open(str(tmp_path / "v.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        frames = [av.VideoFrame(*SIZE, "yuv420p") for _ in range(20)]
        packets = [packet for frame in [*frames, None] for packet in stream.encode(frame)]
        for packet in packets:
            if not even and packet.pts >= 10:  # a pause in the middle
                packet.pts, packet.dts = packet.pts + 10, packet.dts + 10
        packets[-1].duration = shown_for
        container.mux(packets)
    with open_video(tmp_path / "v.mp4") as video:
        assert video.fps == pytest.approx(10 if even else 20 / 3, abs=1e-9 if even else 0.4)
        assert len(list(video)) == 20


def test_a_cut_video_of_a_wrong_rate_is_still_known_as_cut(tmp_path):
    path = wrong_rate(tmp_path / "v.mkv", np.arange(80) / 16)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with open_video(path) as video:
        assert video.frame_count == 80 > len(list(video))


def test_frames_a_day_apart_are_refused_in_one_line(tmp_path):
    path = wrong_rate(tmp_path / "v.mkv", np.append(np.arange(20) / 16, 86400.0))
    with pytest.raises(InputError, match="frames per second, expected 0.1 to 1000"), open_video(path):
        pass


def test_a_pause_that_would_take_too_many_frames_is_refused(tmp_path):
    path = wrong_rate(tmp_path / "v.mp4", np.append(np.arange(20) / 16, 10000.0))
    with pytest.raises(InputError, match="v.mp4: has .* frames, expected at most 100,000"), open_video(path) as video:
        for _ in video.at_rate(16.0):
            pass


def test_a_judge_sees_even_samples_after_a_pause(tmp_path):
    path = wrong_rate(tmp_path / "v.mkv", np.append(np.arange(16), np.arange(64, 80)) / 16)
    seconds = [round(time, 2) for time, _ in jpeg_frames(path, 4)]
    assert seconds == [0.0, 0.25, 0.5, 0.75, 4.0, 4.25, 4.5, 4.75]
