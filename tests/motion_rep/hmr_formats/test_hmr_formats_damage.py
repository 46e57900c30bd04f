"""What is not as documented ends in one line that starts with the path; nothing in a file runs."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from hmr_layouts import (
    HEIGHT,
    WIDTH,
    known_person,
    write_4dhumans,
    write_amass,
    write_camerahmr,
    write_gvhmr,
    write_prompthmr,
    write_smpler_x,
    write_smplest_x,
    write_standard,
    write_tram,
    write_wham,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from motion_rep.common.errors import InputError
from motion_rep.hmr_formats.reading import list_people, read_capture, recognised
from motion_rep.hmr_results.documents import Document, load_value
from motion_rep.hmr_results.names import SPACES


class RunsCode:
    """Pickled, it makes a file when somebody unpickles it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def write_all(folder: Path) -> dict[str, Path]:
    """A file (or TRAM's folder) of every system but SMPLer-X."""
    person = known_person(6)
    return {
        "standard": write_standard(folder, person),
        "smplest-x": write_smplest_x(folder, person, False),
        "camerahmr": write_camerahmr(folder, person, "smpl"),
        "4dhumans": write_4dhumans(folder, {0: person, 1: person}, {1: [2]}, 6),
        "wham": write_wham(folder, {0: person}, {0: person}, {0: person.pelvis}),
        "gvhmr": write_gvhmr(folder, person, person),
        "tram": write_tram(folder, [person], 6) / "hps" / "hps_track_0.npy",
        "prompthmr": write_prompthmr(folder, {0: person}, {0: person}),
        "amass": write_amass(folder, person, "smplx"),
    }


class Written(dict):
    """name -> (path, contents), kept out of a failure's text."""

    def __repr__(self) -> str:
        return "files"


@pytest.fixture(scope="module")
def values(tmp_path_factory):
    written = write_all(tmp_path_factory.mktemp("written"))
    return Written({name: (path, load_value(path)) for name, path in written.items()})


NONSENSE = (
    None,
    5,
    -1,
    1e400,
    float("nan"),
    10**30,
    "text",
    b"",
    [],
    {},
    (),
    [[1, 2], [3]],
    np.zeros((0, 3)),
    np.zeros(()),
    np.array(["a"]),
    np.full((6, 3), np.nan),
)
NONSENSE += (
    torch.zeros(6, 3, 3),
    torch.full((6, 3), torch.inf),
    np.array([None, {}], dtype=object),
    {"tid": [0]},
    np.zeros((6, 72), complex),
)


def with_one_thing_wrong(value: object, data) -> object:
    """A copy in which one entry, at any depth, is missing or something else."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 3)):
        key = data.draw(st.sampled_from(sorted(value, key=str)))
        rest = {name: entry for name, entry in value.items() if name != key}
        return rest if data.draw(st.booleans()) else {**rest, key: with_one_thing_wrong(value[key], data)}
    if isinstance(value, list) and value and data.draw(st.booleans()):
        index = data.draw(st.integers(0, len(value) - 1))
        return [*value[:index], with_one_thing_wrong(value[index], data), *value[index + 1 :]]
    return data.draw(st.sampled_from(NONSENSE))


@pytest.mark.parametrize(
    "name", ["standard", "smplest-x", "camerahmr", "4dhumans", "wham", "gvhmr", "tram", "prompthmr", "amass"]
)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_contents_that_are_wrong_somewhere_are_read_or_refused_in_one_line(values, name, data):
    path, value = values[name]
    wrong = with_one_thing_wrong(dict(value), data)
    try:
        capture = recognised(Document(path, wrong), data.draw(st.sampled_from(["auto", name]))).capture(
            space=data.draw(st.sampled_from(SPACES))
        )
    except InputError as error:
        assert str(error).startswith(str(path)) and "\n" not in str(error)
    else:
        assert len(capture) >= 2


@pytest.mark.parametrize("name", ["standard", "4dhumans", "wham", "gvhmr", "tram", "prompthmr", "amass"])
def test_a_file_that_is_cut_is_refused(tmp_path, name):
    path = write_all(tmp_path)[name]
    whole = path.read_bytes()
    for size in (0, 1, 7, len(whole) // 3, len(whole) - 40):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError) as failure:
            read_capture(path, name)
        assert str(failure.value).startswith(str(path)) and "\n" not in str(failure.value)


def test_no_file_runs_code(tmp_path):
    mark = tmp_path / "ran"
    holders = [RunsCode(mark), {"people": RunsCode(mark)}, {0: {"pose": np.array([RunsCode(mark)], dtype=object)}}]
    for number, holder in enumerate(holders):
        plain, packed, array, tensor, zipped = (
            tmp_path / f"{number}{suffix}" for suffix in (".pkl", "z.pkl", ".npy", ".pt", ".npz")
        )
        plain.write_bytes(pickle.dumps(holder))
        joblib.dump(holder, packed, compress=3)
        np.save(array, np.array(holder, dtype=object), allow_pickle=True)
        torch.save(holder, tensor)
        np.savez(zipped, poses=np.array(holder, dtype=object), trans=np.zeros((4, 3)), mocap_framerate=120.0)
        for path in (plain, packed, array, tensor, zipped):
            for ask in (
                read_capture,
                lambda path: read_capture(path, "wham"),
                lambda path: read_capture(path, "amass"),
            ):
                with pytest.raises(InputError) as failure:
                    ask(path)
                assert str(failure.value).startswith(str(path))
            with contextlib.suppress(InputError):  # the people of a .npz can be told without the array that is bad
                list_people(path)
            assert not mark.exists()


def test_trust_pickle_is_needed_said_and_enough(tmp_path):
    person, mark = known_person(), tmp_path / "ran"
    path = write_wham(tmp_path, {0: person}, {0: person}, {0: person.pelvis})
    joblib.dump({**joblib.load(path), "more": RunsCode(mark)}, path)
    with pytest.raises(InputError, match=r"mkdir.*Nothing was run.*--trust-pickle"):
        read_capture(path)
    assert not mark.exists()
    with pytest.raises(InputError, match="found the keys 0, more"):
        read_capture(path, trust_pickle=True)
    assert mark.exists(), "trusting is the ordinary loader"
    trusted = {0: joblib.load(write_wham(tmp_path, {0: person}, {0: person}, {0: person.pelvis}))[0]}
    joblib.dump(trusted, path)
    assert len(read_capture(path, trust_pickle=True)) == 20


def save_npy(path, value):
    with path.open("wb") as file:
        np.save(file, value)


def save_npz(path, **values):
    with path.open("wb") as file:
        np.savez(file, **values)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: torch.save({"motion": torch.zeros(4, 276)}, folder / "x"), "is a converted motion"),
        (lambda folder: torch.save({"a": 1}, folder / "x"), "found the keys a"),
        (lambda folder: torch.save({"transl": torch.zeros(3, 3)}, folder / "x"), "has no global_orient"),
        (lambda folder: torch.save([1], folder / "x"), "found a list"),
        (lambda folder: (folder / "x").write_text('{"text": 1}'), "is not a torch, pickle, joblib or numpy file"),
        (lambda folder: joblib.dump({}, folder / "x"), "contains no person. WHAM tracks only people"),
        (lambda folder: joblib.dump({0: {"frame_id": [1], "bbox": [2]}}, folder / "x"), "--save_pkl"),
        (
            lambda folder: np.save(folder / "x.npy", np.zeros(3)) or (folder / "x.npy").rename(folder / "x"),
            "found numbers of shape (3,) (float64)",
        ),
        (
            lambda folder: (folder / "x").write_text("HIERARCHY\nROOT Hips"),
            "(it is a BVH file), expected a capture. No tool here reads it; save",
        ),
        (lambda folder: (folder / "x").write_bytes(b"\0\0\0\x18ftypmp42"), "video"),
        (lambda folder: save_npy(folder / "x", np.zeros((9, 272))), "convert_representation.py --from 272 --to 276"),
        (lambda folder: save_npy(folder / "x", np.zeros((9, 263))), "HumanML3D's 263. It has joint positions"),
        (lambda folder: save_npy(folder / "x", np.zeros((1, 9, 272))), "Save it without the first dimension"),
        (lambda folder: save_npz(folder / "x", posed_joints=[1], global_rot_mats=[1]), "looks like a file of Kimodo"),
        (lambda folder: save_npz(folder / "x", smpl_thetas=[1], cam_trans=[1]), "looks like a result of ROMP or BEV"),
        (lambda folder: torch.save({"motion": torch.zeros(4, 272)}, folder / "x"), "--from 272 --to 276"),
        (lambda folder: (folder / "x").mkdir(), "is a folder without the result of a known system"),
        (lambda folder: None, "cannot be read"),
    ],
)
def test_other_files_are_told_apart(tmp_path, make, words):
    make(tmp_path)
    with pytest.raises(InputError) as failure:
        read_capture(tmp_path / "x")
    assert words.lower() in str(failure.value).lower() and str(failure.value).startswith(str(tmp_path / "x"))


def test_one_frame_of_smpler_x_asks_for_its_folder(tmp_path):
    folder = write_smpler_x(tmp_path, [known_person()])
    with pytest.raises(InputError, match="give the folder that contains smplx and meta"):
        read_capture(next((folder / "smplx").iterdir()))


def test_a_system_without_a_world_says_so(tmp_path):
    with pytest.raises(InputError, match="stores no gravity-aligned world"):
        read_capture(write_standard(tmp_path, known_person()), space="world")


def test_smpler_x_with_missing_or_strange_side_files(tmp_path):
    folder = write_smpler_x(tmp_path, [known_person()])
    meta = folder / "meta" / "00003_0.json"
    for text, words in [
        ("{}", "has no focal and no princpt"),
        ("[", "is not JSON"),
        (json.dumps({"focal": [1], "princpt": [1, 2]}), "focal has shape (1,)"),
    ]:
        meta.write_text(text)
        with pytest.raises(InputError) as failure:
            read_capture(folder)
        assert words in str(failure.value)
    meta.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        read_capture(folder)


def test_smpler_x_looks_only_at_pictures(tmp_path):
    """The frame's path comes from a file: it may lead anywhere."""
    folder = write_smpler_x(tmp_path, [known_person()], with_frame=False)
    for place in ("/dev/zero", "/etc/passwd", "../" * 9 + "etc/passwd", "a\0.jpg", "x" * 5000 + ".jpg", ""):
        for meta in (folder / "meta").iterdir():
            meta.write_text(json.dumps({**json.loads(meta.read_text()), "img_path": place}))
        assert read_capture(folder).focal_length is None


def test_a_header_that_claims_a_billion_frames_is_refused_before_memory_is_taken(tmp_path):
    path = tmp_path / "walk.npz"
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": (10**9, 156)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("poses.npy", buffer.getvalue() + b"\0" * 100)
        archive.writestr("trans.npy", buffer.getvalue().replace(b"156", b"3  ") + b"\0" * 100)
        archive.writestr("mocap_framerate.npy", b"")
    with pytest.raises(InputError, match="claims 24,000,000,000 more bytes of data"):
        read_capture(path)


def test_frames_of_one_person_belong_together(tmp_path):
    person = known_person()
    path = write_wham(tmp_path, {0: person}, {0: person}, {0: person.pelvis})
    result = joblib.load(path)
    for key, value, words in [
        ("trans", np.zeros((19, 3)), r"person 0: trans has shape (19, 3), expected (20, 3)"),
        ("pose", np.zeros((20, 60)), "person 0: pose has shape (20, 60)"),
        ("frame_ids", np.arange(20) / 2, "frame numbers"),
        ("frame_ids", np.zeros(20), "does not increase"),
        ("trans", np.full((20, 3), np.nan), "not a finite number in 20 of 20 frames"),
    ]:
        joblib.dump({0: {**result[0], key: value}}, path)
        with pytest.raises(InputError) as failure:
            read_capture(path, "wham")
        assert words in str(failure.value)


def test_tram_with_a_camera_of_another_run(tmp_path):
    folder = write_tram(tmp_path, [known_person(20)], 10)
    with pytest.raises(InputError, match="camera.npy has 10 frames"):
        read_capture(folder, space="world")
    (folder / "camera.npy").unlink()
    assert read_capture(folder).focal_length is None
    with pytest.raises(InputError, match="no gravity-aligned world"):
        read_capture(folder, space="world")


def test_4dhumans_refuses_lists_that_do_not_fit(tmp_path):
    path = write_4dhumans(tmp_path, {0: known_person()}, {}, 20)
    frames = joblib.load(path)
    last = list(frames)[-1]
    for change, words in [
        ({"size": [[HEIGHT, WIDTH], [1, 1]]}, "entries, expected as many each"),
        ({"size": [[1, 2]]}, "the image size changes"),
    ]:
        joblib.dump({**frames, last: {**frames[last], **change}}, path)
        with pytest.raises(InputError, match=words):
            read_capture(path)


@pytest.mark.parametrize("rows", [0, 1, 5, 6, 7])
def test_the_lens_of_gvhmr_has_one_row_or_one_for_each_frame(tmp_path, rows):
    person = known_person(6)
    path = write_gvhmr(tmp_path, person, person)
    values = torch.load(path)
    torch.save({**values, "K_fullimg": values["K_fullimg"][:1].expand(rows, 3, 3).clone()}, path)
    if rows in (1, 6):
        assert read_capture(path).focal_length.tolist() == [900.0] * 6
    else:
        with pytest.raises(InputError, match=f"K_fullimg has {rows} matrices, expected one"):
            read_capture(path)


@pytest.mark.parametrize(("width", "told"), [(WIDTH, False), (WIDTH % 256, True)])
def test_boxes_outside_the_picture_are_told(tmp_path, width, told):
    path = write_smplest_x(tmp_path, known_person(20), False)
    torch.save({**torch.load(path), "width": torch.tensor(width)}, path)
    assert any("outside the picture" in note for note in read_capture(path).notes) == told
