"""The preview capture as a user runs it, on the sample video and on broken ones. Needs the landmark networks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from checkout import REPO
from ffmpeg_support import ffmpeg
from gate_support import Finished, run_here
from PIL import Image

from motion_rep import capture_preview
from motion_rep.captures.capture_file import read_standard_capture
from motion_rep.inspect_capture import main as inspect
from motion_rep.kinematics.skeleton import forward_kinematics
from motion_rep.preview_capture.tracking import PeopleFinder
from motion_rep.preview_capture.weights import WEIGHT_FILES, is_intact
from motion_rep.video.reading import open_video
from motion_rep.video.writing import open_writer

REPOSITORY = REPO
COMMAND = REPOSITORY / "motion_rep" / "capture_preview.py"
SAMPLE = REPOSITORY / "data_samples" / "sample_video.mp4"


@cache
def why_no_networks() -> str:
    """Empty once the networks are there; the project's own script fetches them."""
    if not all(is_intact(file) for file in WEIGHT_FILES):
        done = subprocess.run(
            [sys.executable, REPOSITORY / "scripts" / "fetch_capture_weights.py"],
            capture_output=True,
            text=True,
            check=False,
        )
        return "" if done.returncode == 0 else f"the landmark networks cannot be fetched: {done.stderr.strip()[-200:]}"
    return ""


@pytest.fixture(autouse=True)
def _networks():
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    if why_no_networks():
        pytest.skip(why_no_networks())


@cache
def sample_frames(count: int) -> list[np.ndarray]:
    with open_video(SAMPLE) as video:
        return [rgb for _, (_, rgb) in zip(range(count), video, strict=False)]


def write_video(path: Path, frames: list[np.ndarray], fps: float = 16.0) -> Path:
    with open_writer(path, frames[0].shape[1], frames[0].shape[0], fps) as writer:
        for rgb in frames:
            writer.write(rgb)
    return path


def capture(video: Path, output: Path, *flags: str) -> Finished:
    """Run the command in this process."""
    words = ["--video", str(video), "--output", str(output), *flags]
    return run_here(capture_preview.main, words, dict(os.environ))


def capture_process(video: Path, output: Path) -> subprocess.CompletedProcess:
    """Run the command as a process of its own, from another folder."""
    command = [sys.executable, str(COMMAND), "--video", str(video), "--output", str(output)]
    return subprocess.run(command, cwd=output.parent, capture_output=True, text=True, check=False, timeout=240)


def assert_one_line(done: Finished, code: int, *words: str) -> None:
    assert done.returncode == code, done.stderr
    assert done.stdout == "" and len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith("error: ") and all(word in done.stderr for word in words)


def pelvis_pixels(path: Path) -> np.ndarray:
    read = read_standard_capture(path)
    pelvis = forward_kinematics(read.root_rotations, read.body_rotations, read.transl).positions[:, 0]
    return (
        pelvis[:, :2] / pelvis[:, 2:] * read.focal_length[:, None] + torch.tensor([read.width / 2, read.height / 2])
    ).numpy()


def test_a_sample_clip_gives_the_documented_file_and_the_same_again(tmp_path):
    video = write_video(tmp_path / "clip.mp4", sample_frames(24))
    for name, run in (("a.pt", capture), ("b.pt", capture_process)):
        done = run(video, tmp_path / name)
        assert done.returncode == 0 and done.stderr == "", done.stderr
    first, second = (torch.load(tmp_path / name, weights_only=True) for name in ("a.pt", "b.pt"))
    assert all(torch.equal(first[k], second[k]) for k in first if isinstance(first[k], torch.Tensor))
    assert first["body_pose"].shape == (24, 63) and first["visibility"].shape == (24, 33)
    assert first["fps"] == 16.0 and first["frame_index"].tolist() == list(range(24)) and first["detected"].all()
    read = read_standard_capture(tmp_path / "a.pt")
    assert (read.width, read.height) == (832, 480)
    joints = forward_kinematics(read.root_rotations, read.body_rotations, read.transl).positions
    assert (joints[:, 15, 1] < joints[:, 0, 1]).all() and (joints[:, 7, 1] > joints[:, 0, 1]).all()
    wrists = joints[:, [20, 21], 1].mean(1) - joints[:, 15, 1]
    assert wrists.max() > 0.3 and wrists.min() < -0.1, "the arms swing from hanging down to above the head"


def test_an_existing_output_is_kept_unless_told(tmp_path):
    output = tmp_path / "kept.pt"
    output.write_bytes(b"mine")
    assert_one_line(capture(SAMPLE, output), 2, "--overwrite")
    assert output.read_bytes() == b"mine"


def test_a_video_without_a_person_ends_in_one_line(tmp_path):
    grey = [np.full((240, 320, 3), 90 + 5 * k, np.uint8) for k in range(6)]
    assert_one_line(capture(write_video(tmp_path / "empty.mp4", grey), tmp_path / "o.pt"), 1, "0 of 6 frames", "--bbox")
    assert not (tmp_path / "o.pt").exists()


def test_a_broken_video_ends_in_one_line(tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(SAMPLE.read_bytes()[:4000])
    assert_one_line(capture(broken, tmp_path / "o.pt"), 1, "broken.mp4")


def test_ten_frames_are_enough_and_a_span_keeps_the_frame_numbers(tmp_path):
    done = capture(SAMPLE, tmp_path / "o.pt", "--start", "1", "--end", "1.5625")
    assert done.returncode == 0, done.stderr
    assert torch.load(tmp_path / "o.pt", weights_only=True)["frame_index"].tolist() == list(range(16, 26))


def test_a_span_after_the_end_ends_in_one_line(tmp_path):
    assert_one_line(
        capture(write_video(tmp_path / "v.mp4", sample_frames(6)), tmp_path / "o.pt", "--start", "60"), 1, "no frames"
    )


def test_frames_without_the_person_are_left_out_by_number(tmp_path):
    frames = list(sample_frames(30))
    frames[10:20] = [np.full_like(frames[0], 120)] * 10
    done = capture(write_video(tmp_path / "gap.mp4", frames), tmp_path / "o.pt")
    assert done.returncode == 0 and "only 67% of the frames" in done.stderr
    found = torch.load(tmp_path / "o.pt", weights_only=True)
    assert found["frame_index"].tolist() == [*range(10), *range(20, 30)]
    assert (~found["detected"]).nonzero().flatten().tolist() == list(range(10, 20))


def test_of_two_people_the_one_in_the_box_is_followed(tmp_path):
    pair = [np.concatenate((rgb[:, 208:624], rgb[:, 208:624]), axis=1) for rgb in sample_frames(6)]
    video = write_video(tmp_path / "two.mp4", pair)
    for name, left in (("left", 90), ("right", 416 + 90)):
        done = capture(video, tmp_path / f"{name}.pt", "--bbox", f"{left},40,230,420")
        assert done.returncode == 0, done.stderr
    assert (pelvis_pixels(tmp_path / "left.pt")[:, 0] < 416).all()
    assert (pelvis_pixels(tmp_path / "right.pt")[:, 0] > 416).all()
    assert "people were seen" in capture(video, tmp_path / "any.pt").stderr


def test_people_are_listed_as_lines_and_as_json_and_one_is_followed_by_number(tmp_path):
    pair = [np.concatenate((rgb[:, 208:624], rgb[:, 208:624]), axis=1) for rgb in sample_frames(8)]
    video = write_video(tmp_path / "two.mp4", pair)
    command = ["--video", str(video), "--list-people"]
    lines, listed = (run_here(capture_preview.main, [*command, *more], dict(os.environ)) for more in ([], ["--json"]))
    assert (lines.returncode, lines.stderr, listed.returncode) == (0, "", 0)
    assert [line.partition(":")[0] for line in lines.stdout.splitlines()] == ["person 0", "person 1"]
    people = json.loads(listed.stdout)
    assert [one["person"] for one in people] == [0, 1]
    assert people[0]["box"][0] < 416 < people[1]["box"][0] and people[0]["first_seconds"] == 0
    assert 300 < people[0]["height"] < 480
    for number, side in ((0, np.less), (1, np.greater)):
        assert capture(video, tmp_path / "one.pt", "--person", str(number), "--overwrite").returncode == 0
        assert side(pelvis_pixels(tmp_path / "one.pt")[:, 0], 416).all()
    assert_one_line(capture(video, tmp_path / "o.pt", "--person", "2"), 2, "shows 2 people", "person 1: box")


def test_a_video_of_two_shots_is_cut_and_the_part_named(tmp_path, capsys):
    """The second shot shows the mirrored scene from near; both parts can be chosen."""
    near = [np.ascontiguousarray(rgb[:420, 600:130:-1]) for rgb in sample_frames(22)]
    far = [np.ascontiguousarray(rgb[:420, 180:650]) for rgb in sample_frames(12)]
    video = write_video(tmp_path / "shots.mp4", far + near)
    done = capture(video, tmp_path / "long.pt")
    assert done.returncode == 0 and "a new shot begins at frame 12; only part 2 of 2 is kept, frames" in done.stderr
    found = torch.load(tmp_path / "long.pt", weights_only=True)
    assert found["shot_cuts"] == [12] and found["person_changes"] == [] and found["frame_index"].min() >= 12
    assert capture(video, tmp_path / "first.pt", "--bbox", "120,40,230,380@0").returncode == 0
    assert torch.load(tmp_path / "first.pt", weights_only=True)["frame_index"].tolist() == list(range(12))
    assert inspect([str(tmp_path / "long.pt")]) == 0
    assert "new shot at frame 12" in capsys.readouterr().out


def test_a_video_of_uneven_rate_is_captured_at_its_true_times(tmp_path):
    """In the second half every third frame is shown for three times as long: the same motion at the same times."""
    frames = sample_frames(36)
    even = write_video(tmp_path / "even.mp4", frames)
    stamps = [*range(18), *range(18, 36, 3)]
    uneven = tmp_path / "uneven.mkv"
    with av.open(str(uneven), "w") as container:
        stream = container.add_stream("libx264", rate=16, options={"crf": "12"})
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 16)
        for stamp in stamps:
            picture = av.VideoFrame.from_ndarray(frames[stamp], format="rgb24")
            picture.pts, picture.time_base = stamp, Fraction(1, 16)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    done = capture(uneven, tmp_path / "u.pt")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 1 and "resampled to an even 16 frames per second" in done.stderr
    assert capture(even, tmp_path / "e.pt").returncode == 0
    made, wanted = (torch.load(tmp_path / f"{name}.pt", weights_only=True) for name in "ue")
    assert made["fps"] == 16.0 and made["frame_index"].tolist() == list(range(34))
    joints = [
        forward_kinematics(read.root_rotations, read.body_rotations, read.transl).positions
        for read in (read_standard_capture(tmp_path / f"{name}.pt") for name in "ue")
    ]
    hands = [positions[:, [20, 21]] - positions[:, :1] for positions in joints]
    assert (hands[0][:16] - hands[1][:16]).norm(dim=-1).mean() < 0.06
    shown = torch.tensor([18, 21, 24, 27, 30, 33])
    assert (hands[0][shown] - hands[1][shown]).norm(dim=-1).mean() < 0.12
    assert (hands[0][[10, 12]] - hands[1][[18, 24]]).norm(dim=-1).mean() > 0.12, "the arms swing"


def test_a_video_turned_by_its_metadata_is_captured_upright(tmp_path):
    lying = write_video(tmp_path / "lying.mp4", [np.ascontiguousarray(np.rot90(rgb, -1)) for rgb in sample_frames(8)])
    turned = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", "90", "-i", lying, "-c", "copy", turned)
    straight = write_video(tmp_path / "straight.mp4", sample_frames(8))
    for video, name in ((turned, "t"), (straight, "s")):
        assert capture(video, tmp_path / f"{name}.pt").returncode == 0
    assert np.abs(pelvis_pixels(tmp_path / "t.pt") - pelvis_pixels(tmp_path / "s.pt")).max() < 12


@pytest.mark.parametrize(
    ("flag", "value", "word"),
    [
        ("--fov", "0", "--fov"),
        ("--bbox", "1,2,3", "x,y,w,h"),
        ("--bbox", "1,2,3,4@x", "@seconds"),
        ("--bbox", "1,2,3,4@-1", "@seconds"),
        ("--end", "nan", "--end"),
        ("--list-people", None, "--output has no effect"),
        ("--fov", "50 --focal 900", "--focal"),
        ("--output", "FILE/o.pt", "no writable folder"),
        ("--weights", "FILE", "--folder"),
    ],
)
def test_wrong_flags_are_refused_before_anything_is_read(tmp_path, flag, value, word):
    file = tmp_path / "file"
    file.touch()
    values = () if value is None else value.replace("FILE", str(file)).split()
    if flag == "--output":
        assert_one_line(capture(SAMPLE, Path(*values)), 2, word)
    else:
        assert_one_line(capture(SAMPLE, tmp_path / "o.pt", flag, *values), 2, word)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--start", "9"), "no frames between 9 s and its end"),
        (("--bbox", "900,0,10,10"), "--bbox lies outside the picture, which has 832x480 pixels"),
        (("--bbox", "1,1,50,50@9"), "--bbox is at 9 s, expected a time from 0 s to 5.00 s"),
        (("--bbox", "1,1,50,50@1", "--start", "2"), "--bbox is at 1 s, expected a time from 2 s to 5.00 s"),
        (("--focal", "0.001"), "--focal 0.001 is no focal length of a picture with 832x480 pixels"),
    ],
)
def test_flags_that_do_not_fit_the_video_are_refused_before_it_is_decoded(tmp_path, monkeypatch, flags, words):
    monkeypatch.setattr(PeopleFinder, "regions", lambda *_: pytest.fail("a frame was searched"))
    assert_one_line(capture(SAMPLE, tmp_path / "o.pt", *flags), 1, words)


def test_frames_that_cannot_be_decoded_keep_their_numbers(tmp_path):
    path = tmp_path / "damaged.mov"
    frames = sample_frames(24)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=16)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "rgb24"
        for rgb in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    for place, size in places[8:14]:
        data[place : place + size] = bytes(size)
    path.write_bytes(data)
    done = capture(path, tmp_path / "o.pt")
    assert done.returncode == 0 and "6 frames could not be decoded (first: frame 8)" in done.stderr
    found = torch.load(tmp_path / "o.pt", weights_only=True)
    assert found["frame_index"].tolist() == [*range(8), *range(14, 24)] and len(found["detected"]) == 24
    done = run_here(capture_preview.main, ["--video", str(path), "--list-people"], dict(os.environ))
    assert done.returncode == 0 and "person 0" in done.stdout


def test_a_video_that_is_cut_or_too_short_is_told(tmp_path):
    (tmp_path / "cut.mp4").write_bytes(SAMPLE.read_bytes()[: SAMPLE.stat().st_size // 3])
    done = capture(tmp_path / "cut.mp4", tmp_path / "o.pt")
    assert done.returncode == 0 and "promises 81 frames, but only" in done.stderr
    one = write_video(tmp_path / "one.mp4", sample_frames(1))
    assert_one_line(capture(one, tmp_path / "one.pt"), 1, "has 1 frame, expected at least 5. Use a longer video")


def test_a_capture_of_webp_is_plain_data(tmp_path):
    first, *others = (Image.fromarray(rgb) for rgb in sample_frames(6))
    first.save(tmp_path / "a.webp", save_all=True, append_images=others, duration=62)
    assert capture(tmp_path / "a.webp", tmp_path / "o.pt").returncode == 0
    assert torch.load(tmp_path / "o.pt", weights_only=True)["fps"] == pytest.approx(1000 / 62)
