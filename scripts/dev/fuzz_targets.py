"""The targets of fuzzing: every reader of the project as a function of a file, with small valid files for each."""

from __future__ import annotations

import io
import itertools
import json
import os
import pickle
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import torch

from motion_gating.archives.archive import read_entries
from motion_gating.judges.answers import CallFailure, read_answer
from motion_gating.metrics.joint_clip import read_joint_clip
from motion_gating.verdicts.verdict_file import read_verdicts
from motion_rep.captures.capture_file import capture_from_dict
from motion_rep.common.errors import InputError
from motion_rep.conversion.capture_to_motion import convert
from motion_rep.conversion.items import convert_file
from motion_rep.conversion.settings import Settings
from motion_rep.hmr_formats.reading import list_people, read_capture
from motion_rep.hmr_results.names import FORMATS
from motion_rep.motions.motion_file import MotionClip, motion_dict, read_motion
from motion_rep.refining.trim_file import read_trim_file
from motion_rep.video.reading import open_video


@dataclass(frozen=True)
class Target:
    """A reader, the name of its file, and initial files. It may raise only ``accepted``."""

    name: str
    file_name: str
    read: Callable[[Path], object]
    seeds: tuple[bytes, ...]
    accepted: tuple[type[Exception], ...]


def good_motion() -> MotionClip:
    """A motion that every command accepts."""
    return convert(capture_from_dict({**_capture(), "fps": 16.0})).clip


def all_targets(folder: Path) -> tuple[Target, ...]:
    """The targets; ``folder`` is for making their seeds."""

    def every_format(path: Path) -> None:
        for name in FORMATS:
            _refusing(InputError, read_capture, path, name)
        list_people(path)

    def converted(path: Path) -> None:

        convert_file(path, path.with_name("out.pt"), Settings(target_fps=16.0, fps=30.0), durable=False)
        read_motion(path.with_name("out.pt"))

    captures = tuple(_capture_seeds())
    archives = tuple(json.dumps(value).encode() for value in _archives())
    lines = tuple(b"".join(json.dumps(entry).encode() + b"\n" for entry in value) for value in _archives())
    verdicts = tuple(
        json.dumps([{"id": 1, "matches": found, "analysis": "x"}]).encode() for found in (True, False, None)
    )
    marked = {"id": 1, "motion": "a/b.pt", "seconds": [0.5, 2], "fps": 16, "start_time": 0}
    trims = (json.dumps([marked, {"id": "c", "seconds": [0, 1]}]).encode(),)
    answers = tuple(_answers())
    return (
        Target("capture", "capture.pt", converted, captures, (InputError,)),
        Target("capture, every format", "capture.pkl", every_format, captures, (InputError,)),
        Target("motion", "motion.pt", read_motion, tuple(_motion_seeds()), (InputError,)),
        Target("eval file", "eval.pt", read_joint_clip, tuple(_eval_seeds()), (InputError,)),
        Target("archive", "archive.json", lambda path: list(read_entries(path)), archives, (InputError,)),
        Target("archive of lines", "archive.jsonl", lambda path: list(read_entries(path)), lines, (InputError,)),
        Target("verdicts", "verdicts.json", read_verdicts, verdicts, (InputError,)),
        Target("trims", "trims.json", read_trim_file, trims, (InputError,)),
        Target(
            "answer of a model",
            "answer.txt",
            lambda path: read_answer(path.read_bytes().decode("utf-8", "replace")),
            answers,
            (InputError, CallFailure),
        ),
        Target("video", "video.mp4", _first_frames, _video_seeds(folder), (InputError,)),
    )


def _refusing(accepted, read, *arguments) -> None:
    try:
        read(*arguments)
    except accepted:
        pass


def _first_frames(path: Path) -> None:

    with open_video(path) as video:
        for _ in itertools.islice(video, 20):
            pass


def _capture(frames: int = 4) -> dict:

    return {
        "global_orient": torch.tensor([[torch.pi, 0.0, 0.0]]).repeat(frames, 1),
        "body_pose": 0.1 * torch.ones(frames, 63),
        "transl": torch.tensor([[0.0, 0.3, 4.0]]).repeat(frames, 1),
    }


def _capture_seeds():
    """Torch files, pickles and numpy files, some of them in other systems' layouts."""

    plain = _capture()
    camera = {**plain, "focal_length": 600.0, "width": 480, "height": 832, "fps": 30.0, "frame_index": torch.arange(4)}
    arrays = {key: value.numpy() for key, value in plain.items()}
    wham = {
        0: {
            "pose": np.zeros((4, 72)),
            "trans": np.zeros((4, 3)),
            "betas": np.zeros((4, 10)),
            "frame_ids": np.arange(4),
            "verts": np.zeros((4, 2, 3)),
        }
    }
    gvhmr = {f"smpl_params_{space}": {**plain, "betas": torch.zeros(4, 10)} for space in ("incam", "global")}
    amass = {
        "poses": np.zeros((4, 156)),
        "trans": np.zeros((4, 3)),
        "betas": np.zeros(16),
        "gender": np.array("neutral"),
        "mocap_framerate": np.array(60.0),
    }
    for value in (plain, camera, arrays, gvhmr, {"motion": torch.zeros(3, 276)}):
        yield _torch_bytes(value)
    for value in (arrays, wham, {"a": [1, 2.0, None, "x"], "b": {"c": np.float32(3)}}):
        yield pickle.dumps(value, protocol=4)
        yield pickle.dumps(value, protocol=2)
    for value in (amass, arrays):
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **value)
        yield buffer.getvalue()
    buffer = io.BytesIO()
    np.save(buffer, np.array(wham, dtype=object), allow_pickle=True)
    yield buffer.getvalue()
    # These try to run a program.
    yield b"cos\nsystem\n(S'exit 1'\ntR."
    yield pickle.dumps({**arrays, "x": _Runs()}, protocol=4)
    yield _torch_bytes({**plain, "x": _Runs()})


class _Runs:
    """Its pickle calls os.system."""

    def __reduce__(self):
        return (os.system, ("exit 1",))


def _motion_seeds():

    clip = convert(
        capture_from_dict({**_capture(), "focal_length": 600.0, "width": 480, "height": 832, "fps": 20.0})
    ).clip
    yield _torch_bytes(motion_dict(clip))
    yield _torch_bytes(motion_dict(clip, "rows"))
    yield _torch_bytes(clip.motion)
    yield _torch_bytes({"motion": torch.zeros(2, 276), "fps": torch.tensor(3.0)})


def _eval_seeds():

    yield _torch_bytes({"joints": torch.rand(5, 22, 3), "fps": 16.0, "fingerprint": "x"})
    yield _torch_bytes({"joints": torch.rand(5, 22, 3).double()})


def _archives():
    yield [
        {"id": 1, "prompt": "a person", "motion_path": "m.pt"},
        {"id": "two", "global_id": "x", "use_ref_motion": True, "more": [1, {"é": None}]},
    ]
    yield []


def _answers():
    yield b'{"matches": true, "analysis": "the person waves"}'
    yield b'```json\n{"matches": false, "analysis": "no"}\n```'
    yield b'<think>hm</think> {"analysis": "x", "matches": "yes"}'
    yield b"Yes."


def _video_seeds(folder: Path) -> tuple[bytes, ...]:
    return tuple(
        _small_video(folder / name, codec, options)
        for name, codec, options in (
            ("a.mp4", "libx264", {}),
            ("b.avi", "mjpeg", {}),
            ("c.mkv", "libx264", {"bf": "2"}),
        )
    )


def _small_video(path: Path, codec: str, options: dict[str, str]) -> bytes:

    noise = np.random.default_rng(0)
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=10, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for _ in range(10):
            picture = noise.integers(0, 255, (48, 64, 3), dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path.read_bytes()


def _torch_bytes(value: object) -> bytes:

    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def wild_values() -> tuple:
    """Values in place of an array or a number; some claim to contain far more than they do."""

    return (
        None,
        "text",
        b"bytes",
        True,
        -1,
        10**30,
        10**400,
        -(10**5000),
        1e308,
        [10**400] * 4,
        np.array([10**400] * 4, dtype=object),
        float("nan"),
        [],
        {},
        [[1, 2], [3]],
        {"a": 1},
        (1, "x"),
        complex(1, 2),
        torch.zeros(0),
        torch.zeros(4),
        torch.zeros(4, 3, 3),
        torch.zeros(4, 1, 3),
        torch.zeros(4, 63),
        torch.ones(4, 21, 3, 3),
        torch.zeros(4, 69),
        torch.full((4, 3), float("inf")),
        torch.zeros(4, 3, dtype=torch.complex64),
        torch.zeros(4, 3, dtype=torch.bool),
        torch.zeros(4, 3, dtype=torch.bfloat16),
        torch.zeros(1).expand(10**9, 3),
        torch.zeros(1).expand(10**9),
        torch.zeros(1, 276).expand(10**8, 276),
        torch.zeros(4, 3).to_sparse(),
        torch.tensor([0, 1, 2, 10**15]),
        torch.tensor([3, 2, 1, 0]),
        torch.tensor(-5.0),
        torch.tensor(1e-300, dtype=torch.float64),
        np.zeros((4, 3), np.float16),
        np.zeros((4, 63), np.int8),
        np.array("text"),
        np.array(None, dtype=object),
        np.broadcast_to(np.float32(0), (10**6, 3)),
    )


def wild_file(kind: str, value: object) -> bytes:
    """A value in a file of a kind: ``torch``, ``pickle`` or ``json``."""
    if kind == "torch":
        return _torch_bytes(value)
    if kind == "pickle":
        return pickle.dumps(value, protocol=4)
    return _json_text(value).encode()


def _json_text(value: object) -> str:
    """JSON, with whole numbers of more digits than Python writes as texts."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        return json.dumps(value, default=str)
    finally:
        sys.set_int_max_str_digits(before)
