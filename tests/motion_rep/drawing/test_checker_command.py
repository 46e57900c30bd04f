"""The motion checker as a user meets it: sizes, rates, rotated videos, and what it refuses."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from command_support import CHECKER, assert_error_lines, save_motion
from ffmpeg_support import ffmpeg

from motion_rep.drawing.row_match import match_rows
from motion_rep.motion_checker import build_parser, main
from motion_rep.motions.motion_file import read_motion
from motion_rep.video.reading import frame_times
from motion_rep.video.writing import open_writer


@pytest.fixture
def motion(tmp_path, make_capture):
    """A function that saves a motion as clip.pt; keywords change the capture."""

    def save(**changes) -> Path:
        return save_motion(
            tmp_path / "clip.pt",
            make_capture(**{"frames": 9, "width": 128, "height": 96, "focal_length": 120.0, **changes}),
        )

    return save


def check(motion: Path, *flags: object, code: int = 0) -> Path:
    folder = motion.parent / "checks"
    assert main(["--motion-file", str(motion), "--output-dir", str(folder), *map(str, flags)]) == code
    ending = "_recover_velocity" if "-rfv" in flags else ""
    return folder / f"clip_{'overlay' if '--video-file' in flags else 'depth'}{ending}.mp4"


def make_video(path: Path, frames: int = 9, size=(128, 96), rate: str = "16", rotation: int | None = None) -> Path:
    """A video whose upper half is white, made by ffmpeg alone."""
    width, height = size
    plain = path if rotation is None else path.with_name("plain.mp4")
    filters = f"drawbox=x=0:y=0:w={width}:h={height // 2}:color=white:t=fill"
    source = ("-f", "lavfi", "-i", f"color=black:s={width}x{height}:r={rate}")
    ffmpeg(*source, "-frames:v", frames, "-vf", filters, "-pix_fmt", "yuv420p", plain)
    if rotation is not None:
        ffmpeg("-display_rotation", rotation, "-i", plain, "-c", "copy", path)
    return path


def read_video(path: Path):
    video = cv2.VideoCapture(str(path))
    frames = []
    while (found := video.read())[0]:
        frames.append(found[1])
    return video.get(cv2.CAP_PROP_FPS), np.stack(frames)


def test_depth_by_path_from_another_folder(run_script, motion, tmp_path):
    motion()
    done = run_script(CHECKER, "--motion_file", "clip.pt", "--output_dir", "out", cwd=tmp_path)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert "clip.pt -> out/clip_depth.mp4" in done.stdout and "body: built-in mannequin" in done.stdout
    fps, frames = read_video(tmp_path / "out/clip_depth.mp4")
    assert fps == 16.0 and frames.shape == (8, 96, 128, 3)
    assert frames.max() > 200, "the nearest point of the body is white"
    assert np.ptp(frames.astype(int), axis=3).max() <= 2, "depth is grey"


def test_overlay_by_path_from_another_folder(run_script, motion, tmp_path):
    motion()
    make_video(tmp_path / "video.mp4")
    done = run_script(
        CHECKER, "--motion-file", "clip.pt", "--output-dir", "out", "--video-file", "video.mp4", cwd=tmp_path
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    fps, frames = read_video(tmp_path / "out/clip_overlay.mp4")
    assert fps == 16.0 and frames.shape == (9, 96, 128, 3)
    assert abs(int(frames[0, 5, 5, 0]) - 127) < 8 and frames[0, 90, 5, 0] < 8, (
        "half the source shows where the body is not"
    )


def test_depth_without_a_camera_says_so(motion, capsys):
    target = check(motion(focal_length=None, width=None, height=None), "--W", 160, "--H", 90)
    assert "camera is unknown" in capsys.readouterr().err
    assert read_video(target)[1].shape[1:3] == (90, 160)


def test_sizes_of_the_published_default(motion):
    assert read_video(check(motion(frames=3, focal_length=None, width=None, height=None)))[1].shape[1:3] == (1080, 1920)


@pytest.mark.parametrize("width, height", [(127, 95), (126, 95), (33, 17)])
def test_odd_sizes_are_padded_and_not_scaled(motion, width, height):
    _, frames = read_video(check(motion(width=width, height=height, focal_length=float(width))))
    assert frames.shape[1:3] == (height + height % 2, width + width % 2)


@pytest.mark.parametrize("rate, exact", [(29.97, 30000 / 1001), (23.976, 24000 / 1001), (25, 25), (12.5, 12.5)])
def test_rates_stay_exact(motion, rate, exact):
    assert read_video(check(motion(), "--fps", rate))[0] == pytest.approx(exact, abs=1e-4)


def test_an_overlay_has_the_videos_rate(motion, tmp_path):
    video = make_video(tmp_path / "v.mp4", frames=20, rate="30000/1001")
    fps, frames = read_video(check(motion(), "--video-file", video))
    assert fps == pytest.approx(30000 / 1001, abs=1e-4) and len(frames) == 20


def test_an_overlay_matches_frames_by_time(motion, tmp_path):
    """Eight rows at 16 fps last half a second: a video of a second at 32 fps shows a body in its first half only."""
    video = make_video(tmp_path / "v.mp4", frames=32, rate="32")
    _, frames = read_video(check(motion(), "--video-file", video))
    bright = frames[:, 60:].max(axis=(1, 2, 3))  # the lower half of the source is black
    assert (bright[:15] > 60).all() and (bright[17:] < 20).all()


def test_a_video_of_another_size_scales_the_camera_and_says_so(motion, tmp_path, capsys):
    small = read_video(check(motion(), "--video-file", make_video(tmp_path / "v.mp4")))[1]
    large = read_video(check(tmp_path / "clip.pt", "--video-file", make_video(tmp_path / "w.mp4", size=(256, 192))))[1]
    assert "camera was scaled" in capsys.readouterr().err and large.shape[1:3] == (192, 256)
    shrunk = cv2.resize(large[3], (128, 96), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(shrunk - small[3]).mean() < 6


def uneven_video(path: Path) -> Path:
    """Eight frames at 16 fps, then eight at 32 fps."""
    times = [number / 16 if number < 8 else 0.5 + (number - 8) / 32 for number in range(16)]
    with open_writer(path, 128, 96, 16.0, even=False) as writer:
        for number, time in enumerate(times):
            writer.write(np.full((96, 128, 3), 10 * number, np.uint8), time)
    return path


def test_an_overlay_keeps_the_times_of_an_uneven_video(motion, tmp_path):
    video = uneven_video(tmp_path / "v.mp4")
    overlay = check(motion(frames=30, fps=32.0), "--video-file", video)
    assert np.abs(frame_times(overlay) - frame_times(video)).max() < 1e-4 and len(frame_times(overlay)) == 16


@pytest.mark.parametrize(("fps", "by_number"), [(16.0, False), (18.5, True), (None, True)])
def test_rows_of_an_uneven_video_are_matched_by_how_the_motion_was_made(motion, fps, by_number):
    """Made from evenly resampled frames: by time; one row a frame at the average rate: by number."""
    times = np.array([*np.arange(4) / 32, *(0.125 + np.arange(12) / 16)])
    clip = dataclasses.replace(read_motion(motion(frames=24)), fps=fps)
    match, notes = match_rows(clip, times, 18.5)
    assert match.by_number == by_number and any("not evenly spaced" in note for note in notes) == by_number
    assert [match.row(number, times[number]) for number in (4, 10)] == ([4, 10] if by_number else [2, 8])


@pytest.mark.parametrize("rate", [12.0, 16.0, 24.0])
def test_a_rate_that_is_not_the_average_belongs_to_even_rows(motion, rate):
    """Slow frames after quick ones: the usual rate (16 / 3) is farther from these rates than the average."""
    times = np.array([*np.arange(10) / 16, *(9 / 16 + 3 / 16 * np.arange(1, 8))])
    clip = dataclasses.replace(read_motion(motion(frames=round(times[-1] * rate) + 1)), fps=rate)
    match, notes = match_rows(clip, times, 16 / times[-1])
    assert not match.by_number and notes == []
    assert match.row(14, times[14]) == round(times[14] * rate)


EVEN, GAP = np.arange(60) / 24, np.array([*np.arange(30) / 24, *(1.25 + 3 + np.arange(30) / 24)])


@pytest.mark.parametrize(
    ("rows", "rate", "times", "by_number", "words"),
    [
        (59, 24.0, EVEN, False, None),
        (59, 24.02, EVEN, False, None),
        (59, 30.0, EVEN, True, "a row for each of the video's 60 frames, but 30 rows per second.*--fps 24"),
        (60, 30.0, EVEN, True, "a row for each of the video's 60 frames"),
        (59, 24.0, GAP, True, "not evenly spaced, and the motion has a row for each of them at one rate"),
        (39, 16.0, EVEN, False, None),
        (29, 24.0, EVEN, False, "ends after 1.21 of the video's 2.46 s.*one of 2 frames.* --fps 12"),
        (19, 24.0, EVEN, False, "one of 3 frames.* --fps 8"),
        (35, 24.0, EVEN, False, None),
        (80, 24.0, EVEN, False, "ends 0.88 s after the video"),
    ],
)
def test_a_rate_that_contradicts_the_video_is_told(motion, rows, rate, times, by_number, words):
    clip = dataclasses.replace(read_motion(motion(frames=rows + 1)), fps=rate)
    match, notes = match_rows(clip, times, 24.0 if times is EVEN else 59 / times[-1])
    assert match.by_number == by_number
    assert [bool(re.search(words or "", note)) for note in notes] == [True] * (words is not None)


def test_a_motion_that_says_where_it_begins_may_be_a_part(motion):
    clip = dataclasses.replace(read_motion(motion(frames=30)), fps=24.0, start_time=0.5)
    assert match_rows(clip, EVEN, 24.0)[1] == []


def test_the_rate_flag_is_ignored_with_a_video_and_said_so(motion, tmp_path, capsys):
    video = make_video(tmp_path / "v.mp4")
    plain = check(motion(), "--video-file", video).read_bytes()
    assert "--fps" not in capsys.readouterr().err
    assert check(motion(), "--video-file", video, "--fps", "20").read_bytes() == plain
    assert "--fps 20 is ignored" in capsys.readouterr().err


def test_a_video_of_another_shape_is_refused(motion, tmp_path, capsys):
    video = make_video(tmp_path / "v.mp4", size=(96, 128))
    target = check(motion(), "--video-file", video, code=1)
    (line,) = assert_error_lines(capsys.readouterr().err, 1)
    assert "shows 96x128 pixels" in line and "128x96" in line and not target.exists()


def test_a_turned_video_of_a_system_that_did_not_turn_it_is_refused_with_the_cause(motion, tmp_path, capsys):
    video = make_video(tmp_path / "v.mp4", rotation=90)
    check(motion(), "--video-file", video, code=1)
    (line,) = assert_error_lines(capsys.readouterr().err, 1)
    assert "stored as 128x96" in line and "made from the stored pixels" in line


def test_pixels_that_are_not_square_are_made_so(motion, tmp_path):
    plain, wide = make_video(tmp_path / "p.mp4"), tmp_path / "w.mp4"
    ffmpeg("-i", plain, "-vf", "scale=64:96,setsar=2", wide)
    frames = [read_video(check(motion(), "--video-file", video))[1].astype(int) for video in (plain, wide)]
    assert frames[0].shape == frames[1].shape and np.abs(frames[0] - frames[1]).mean() < 4


def test_several_motions_and_videos(motion, tmp_path, capsys):
    first, second = motion(), tmp_path / "other.pt"
    second.write_bytes(first.read_bytes())
    videos = [make_video(tmp_path / "v.mp4"), tmp_path / "gone.mp4"]
    flags = ["--motion-file", first, second, "--output-dir", tmp_path / "out", "--video-file", *videos]
    assert main([str(flag) for flag in flags]) == 1
    assert "gone.mp4" in assert_error_lines(capsys.readouterr().err, 1)[0]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["clip_overlay.mp4"]
    assert main(["--motion-file", str(first), str(first), "--output-dir", str(tmp_path / "out")]) == 2
    assert "two outputs are the same" in capsys.readouterr().err
    repeated = ["--video-file", str(videos[0]), "--video-file", str(videos[0]), "--video-file", str(videos[0])]
    assert main(["--motion-file", str(first), str(second), "--output-dir", str(tmp_path / "out"), *repeated]) == 2
    assert "3 videos for 2 motions" in capsys.readouterr().err


def test_a_missing_gpu_falls_back_to_the_cpu_and_says_so(motion, capsys):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    assert check(motion(), "--device", "cuda:0").is_file()
    assert "--device cuda:0: this machine has no such device; using the CPU" in capsys.readouterr().err


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_a_rotation_flag_is_honoured(motion, tmp_path, rotation):
    video = make_video(tmp_path / "v.mp4", rotation=rotation)
    wide = rotation == 180
    _, frames = read_video(check(motion() if wide else motion(width=96, height=128), "--video-file", video))
    assert frames.shape[1:3] == ((96, 128) if wide else (128, 96))
    corners = frames[-1][4:-4:, 4:-4]
    halves = {
        "180": (corners[-1, 0], corners[0, 0]),
        "90": (corners[0, 0], corners[0, -1]),
        "-90": (corners[0, -1], corners[0, 0]),
    }
    white, black = halves[str(rotation)]
    assert white[0] > 100 and black[0] < 30


def rows(value):
    from motion_rep.kinematics.camera import extrinsic_rows

    return {**value, "extrinsic": extrinsic_rows(value["extrinsic"].double(), len(value["motion"])).float()}


@pytest.mark.parametrize(
    "form", [rows, lambda value: {**value, "extrinsic": value["extrinsic"].repeat(len(value["motion"]), 1, 1)}]
)
def test_every_form_of_extrinsic_draws_the_same(motion, form):
    path = motion()
    wanted = read_video(check(path))[1].astype(int)
    torch.save(form(torch.load(path, weights_only=True)), path)
    assert np.abs(read_video(check(path))[1] - wanted).mean() < 0.5


def test_the_form_of_the_extrinsic_is_told(motion, capsys):
    path = motion()
    check(path, "--extrinsic")
    said = capsys.readouterr().out
    assert "its extrinsic is (4, 4); ViMoGen's own" in said and "--extrinsic-format rows" in said
    torch.save(rows(torch.load(path, weights_only=True)), path)
    check(path, "--extrinsic")
    assert "rows as ViMoGen's own motion_checker.py reads them" in capsys.readouterr().out
    torch.save(torch.load(path, weights_only=True)["motion"], path)
    check(path, "--extrinsic")
    assert "its extrinsic is missing" in capsys.readouterr().out


def test_a_bare_tensor_is_drawn(motion, capsys):
    path = motion()
    torch.save(torch.load(path, weights_only=True)["motion"], path)
    assert len(read_video(check(path, "--W", 64, "--H", 64))[1]) == 8
    assert "camera is unknown" in capsys.readouterr().err


def test_root_paths_of_choice(motion):
    path = motion()
    plain, from_velocity, still = (
        read_video(check(path, *flags))[1].astype(int) for flags in ((), ("-rfv",), ("--zero_trans",))
    )
    assert np.abs(plain - from_velocity).mean() < 0.5, "the velocities of a converted motion sum up to its path"
    assert np.abs(plain - still).mean() > 0.5


def test_the_batch_size_changes_nothing(motion):
    path = motion()
    assert np.array_equal(
        read_video(check(path, "--batch-size", 1))[1], read_video(check(path, "--batch-size", 100))[1]
    )


def test_a_body_out_of_sight_is_told(motion, capsys):
    path = motion()
    value = torch.load(path, weights_only=True)
    torch.save({**value, "extrinsic": torch.diag(torch.tensor([1.0, -1, -1, 1])) @ value["extrinsic"]}, path)
    assert read_video(check(path))[1].max() < 8
    assert "never in the camera's view" in capsys.readouterr().err


def test_the_same_bytes_every_time(motion):
    path = motion()
    first = check(path).read_bytes()
    assert check(path).read_bytes() == first


REFUSED = {
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:400]),
    "text": lambda path: path.write_text("hello"),
    "a capture": lambda path: torch.save(
        {"global_orient": torch.zeros(3, 3), "body_pose": torch.zeros(3, 63), "transl": torch.zeros(3, 3)}, path
    ),
    "another width": lambda path: torch.save(torch.zeros(5, 263), path),
    "no rows": lambda path: torch.save(torch.zeros(0, 276), path),
    "NaN": lambda path: torch.save(torch.full((5, 276), torch.nan), path),
    "zeros": lambda path: torch.save(torch.zeros(5, 276), path),
    "gone": lambda path: path.unlink(),
    "half an extrinsic": lambda path: torch.save(
        {**torch.load(path, weights_only=True), "extrinsic": torch.zeros(3, 9)}, path
    ),
    "a rate of text": lambda path: torch.save({**torch.load(path, weights_only=True), "fps": "fast"}, path),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_motions(motion, capsys, name):
    path = motion()
    REFUSED[name](path)
    target = check(path, code=1)
    (line,) = assert_error_lines(capsys.readouterr().err, 1)
    assert line.startswith(f"error: {path}: ") and not target.exists()


@pytest.mark.parametrize("content", [b"", b"no video", None])
def test_refused_videos(motion, tmp_path, capsys, content):
    video = tmp_path / "v.mp4"
    if content is not None:
        video.write_bytes(content)
    target = check(motion(), "--video-file", video, code=1)
    (line,) = assert_error_lines(capsys.readouterr().err, 1)
    assert str(video) in line
    assert not target.exists() and list(target.parent.iterdir()) == []


def test_a_cut_video_is_an_error_or_what_is_left_of_it(motion, tmp_path, capsys):
    video = make_video(tmp_path / "v.mp4", frames=64)
    video.write_bytes(video.read_bytes()[:-200])
    code = main(["--motion-file", str(motion()), "--output-dir", str(tmp_path / "checks"), "--video-file", str(video)])
    assert code == 0 or len(assert_error_lines(capsys.readouterr().err, 1)) == 1


@pytest.mark.parametrize(
    "flags",
    [("--smpl-model-path", "/nowhere"), ("--smpl-type", "smplh"), ("--output-dir", "/proc/none"), ("--device", "warp")],
)
def test_missing_prerequisites_end_with_2(motion, tmp_path, capsys, monkeypatch, flags):
    monkeypatch.chdir(tmp_path)
    folder = () if flags[0] == "--output-dir" else ("--output-dir", str(tmp_path / "out"))
    assert main(["--motion-file", str(motion()), *folder, *flags]) == 2
    assert_error_lines(capsys.readouterr().err, 1)


def test_flags_are_taken_with_dashes_and_underscores():
    dashes = (
        "--motion-file a --output-dir b --smpl-type smplx --recover-from-velocity --zero-trans --video-file v".split
    )
    lines = "--motion_file a --output_dir b --smpl_type smplx --recover_from_velocity --zero_trans --video_file v".split
    short = "--motion_file a --output_dir b -rfv -zt --video_file v".split
    assert (
        build_parser().parse_args(dashes()) == build_parser().parse_args(lines()) == build_parser().parse_args(short())
    )
