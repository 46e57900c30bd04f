"""The lit body in its source video."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from motion_rep.bodies.body_models import load_body
from motion_rep.common.errors import InputError
from motion_rep.drawing.contact_marks import contact_marks
from motion_rep.drawing.renderers import load_renderer
from motion_rep.drawing.tinted_overlay import person_square, write_tinted_overlay
from motion_rep.motions.encoding import body_parameters
from motion_rep.video.reading import frame_times, open_video
from motion_rep.video.writing import open_writer
from scripts.dev.refining_evaluation.clips import clip_of, sample

BACK = np.array((40, 160, 60))


@pytest.fixture(scope="module")
def clip():
    """Ten rows of a person who stands in the middle of a picture of 640x480 pixels."""
    whole = clip_of(sample("wave"), with_camera=True)
    return dataclasses.replace(whole, motion=whole.motion[:10])


def write_source(path, size=(320, 240), frames=12, times=None) -> None:
    with open_writer(path, *size, 16.0, even=times is None) as writer:
        for number in range(frames):
            picture = np.full((size[1], size[0], 3), BACK, np.uint8)
            picture[:16, 16 * number : 16 * number + 16] = 255
            writer.write(picture, None if times is None else times[number])


def overlay(clip, source, target):
    """The frames of an overlay."""
    marks = contact_marks(body_parameters(clip.motion.double()), 16.0)
    write_tinted_overlay(clip, source, target, load_body("smplx", "mannequin"), load_renderer("opencv"), marks, 0)
    with open_video(target) as video:
        return [picture.astype(int) for _, picture in video]


def is_blue(picture: np.ndarray) -> np.ndarray:
    return picture[..., 2] > picture[..., 1] + 40


def test_the_body_is_opaque_and_the_rest_is_the_source(clip, tmp_path):
    write_source(tmp_path / "source.mp4")
    frames = overlay(clip, tmp_path / "source.mp4", tmp_path / "overlay.mp4")
    assert len(frames) == 12 and frames[0].shape == (240, 320, 3)
    for number, picture in enumerate(frames):
        assert picture[4:12, 16 * number + 4 : 16 * number + 12].min() > 235, "each frame keeps its place in time"
        assert np.abs(picture[40:, :60] - BACK).max() < 12, "outside of the body nothing is dimmed"
        assert is_blue(picture).mean() > 0.02 if number < 10 else not is_blue(picture).any(), (
            "a body while there is a row"
        )
    joints = body_parameters(clip.motion.double()).joints()[:1].numpy()
    pose, k = clip.camera.pose(0).numpy(), clip.camera.scaled_to(320, 240).intrinsic.numpy()
    for joint in joints[0, [3, 6, 9]]:
        x, y, depth = k @ (pose[:3, :3] @ joint + pose[:3, 3])
        assert is_blue(frames[0])[round(y / depth), round(x / depth)], "it lies where the camera saw the joints"


def test_uneven_times_are_kept(clip, tmp_path):
    times = np.array([*np.arange(6) / 16, *(0.375 + np.arange(6) / 32)])
    write_source(tmp_path / "source.mp4", frames=12, times=times)
    overlay(clip, tmp_path / "source.mp4", tmp_path / "overlay.mp4")
    assert np.allclose(frame_times(tmp_path / "overlay.mp4"), times, atol=1e-4)


def test_large_videos_are_shrunk_to_even_sizes(clip, tmp_path):
    write_source(tmp_path / "source.mp4", size=(1280, 954), frames=2)
    assert overlay(clip, tmp_path / "source.mp4", tmp_path / "overlay.mp4")[0].shape == (716, 960, 3)


def test_a_motion_without_a_camera_or_a_video_of_another_shape_is_refused(clip, tmp_path):
    write_source(tmp_path / "source.mp4", size=(240, 240))
    with pytest.raises(InputError, match="expected the shape that the motion's camera saw, 640x480"):
        overlay(clip, tmp_path / "source.mp4", tmp_path / "overlay.mp4")
    with pytest.raises(InputError, match="the motion has no camera"):
        overlay(dataclasses.replace(clip, camera=None), tmp_path / "source.mp4", tmp_path / "overlay.mp4")


def test_the_square_holds_the_person(clip):
    left, top, side = person_square(clip)
    joints = body_parameters(clip.motion.double()).joints().numpy()
    pose = clip.camera.pose(0).numpy()
    points = (joints @ pose[:3, :3].T + pose[:3, 3]) @ clip.camera.intrinsic.numpy().T
    pixels = points[..., :2] / points[..., 2:]
    assert (pixels > (left, top)).all() and (pixels < (left + side, top + side)).all()
    assert np.ptp(pixels[..., 1]) > 0.7 * side, "and not much else"
    assert left >= 0 and left + side <= 640 and top >= 0 and top + side <= 480
    assert person_square(dataclasses.replace(clip, camera=None)) is None
