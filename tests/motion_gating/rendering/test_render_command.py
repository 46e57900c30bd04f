"""The renderer as a user meets it: what lands in the archive and the folder, what it refuses, what it draws again."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from command_support import RENDERER, assert_error_lines, files_in, save_json, save_motion

from motion_gating.render_mbench_videos import build_parser, main

SIZE = ("--width", "96", "--height", "64")


@pytest.fixture
def archive(tmp_path, make_capture):
    """Three entries with motions beside the archive and fields of their own."""
    entries = []
    for number in range(3):
        save_motion(tmp_path / f"data/motions/{number}.pt", make_capture(frames=6, seed=number))
        entries.append(
            {
                "id": number,
                "prompt": "a person",
                "motion_path": f"motions/{number}.pt",
                "more": {"é": [1, None]},
                "use_ref_motion": False,
            }
        )
    return save_json(tmp_path / "data/archive.json", entries)


@pytest.fixture
def render(archive, tmp_path, monkeypatch, capsys):
    """Render the archive in this process, from another folder; what was said and the new archive."""
    monkeypatch.chdir(tmp_path)

    def render(*flags: object, code: int = 0, output="out.json"):
        command = [
            "--meta-json",
            str(archive),
            "--output-json",
            output,
            "--output-dir",
            "videos",
            *SIZE,
            *map(str, flags),
        ]
        assert main(command) == code
        return capsys.readouterr(), [
            json.loads(line) for line in Path(output).read_text().splitlines()
        ] if output.endswith("l") else json.loads(Path(output).read_text())

    return render


def frames_of(path: Path):
    video = cv2.VideoCapture(str(path))
    frames = []
    while (found := video.read())[0]:
        frames.append(found[1])
    return video.get(cv2.CAP_PROP_FPS), np.stack(frames)


def test_by_path_from_another_folder(run_script, archive, tmp_path):
    done = run_script(
        RENDERER,
        "--meta_json",
        "data/archive.json",
        "--output_json=out/new.json",
        "--output-dir",
        "out/videos",
        *SIZE,
        cwd=tmp_path,
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert "body: built-in mannequin" in done.stdout and "3 rendered, 0 reused" in done.stdout
    before, after = json.loads(archive.read_text()), json.loads((tmp_path / "out/new.json").read_text())
    assert [list(entry) for entry in after] == [[*entry, "video_path", "mbench_eval_path"] for entry in before]
    moved = [{**entry, "motion_path": str(tmp_path / "data" / entry["motion_path"])} for entry in before]
    assert [{key: value for key, value in entry.items() if key in before[0]} for entry in after] == moved
    assert after[0]["video_path"] == "videos/0.mp4", "paths are relative to the archive that names them"
    fps, frames = frames_of(tmp_path / "out" / after[0]["video_path"])
    assert fps == 16.0 and frames.shape == (5, 64, 96, 3)
    judged = torch.load(tmp_path / "out" / after[0]["mbench_eval_path"], weights_only=True)
    assert tuple(judged["joints"].shape) == (5, 22, 3) and "vertices" not in judged and judged["fps"] == 16.0


def test_names_that_the_benchmarks_evaluation_finds(render, archive, tmp_path):
    render("--mbench-names")
    named = [path.name for path in (tmp_path / "videos").glob("*.pt")]
    assert sorted(named) == sorted(path.with_suffix(".pt").name for path in (tmp_path / "videos").glob("*.mp4"))
    assert all("joints" in torch.load(path, weights_only=True) for path in (tmp_path / "videos").glob("*.pt"))


def test_workers_make_the_same_files(render, tmp_path):
    render("--workers", 0)
    alone = files_in(tmp_path / "videos")
    said, _ = render("--workers", 2, "--overwrite")
    assert "3 rendered" in said.out and files_in(tmp_path / "videos") == alone and len(alone) == 6


def test_a_bad_entry_keeps_its_fields_and_the_rest_goes_on(render, archive, tmp_path):
    entries = json.loads(archive.read_text())
    (archive.parent / "motions/1.pt").write_bytes(b"broken")
    entries += [
        {"id": "none"},
        {"id": "gone", "motion_path": "gone.pt", "video_path": "old.mp4", "mbench_eval_path": "old.pt"},
        {"id": "number", "motion_path": 7},
    ]
    save_json(archive, entries)
    said, after = render("--failures", tmp_path / "failures.json", code=1)
    lines = assert_error_lines(said.err, 4)
    assert [line.split(":")[1] for line in lines] == [" entry 1", " entry none", " entry gone", " entry number"]
    assert [("video_path" in entry) for entry in after] == [True, False, True, False, False, False]
    assert after[4] == {"id": "gone", "motion_path": "data/gone.pt"}, (
        "an old video must not be judged for a motion that is gone"
    )
    failures = json.loads((tmp_path / "failures.json").read_text())
    assert failures["counts"] == {"rendered": 2, "reused": 0, "failed": 4} and [
        failure["item"] for failure in failures["failures"]
    ] == [1, "none", "gone", "number"]


def test_finished_files_are_used_again_and_others_are_drawn(render, archive, tmp_path, make_capture):
    render()
    assert "0 rendered, 3 reused" in render()[0].out
    save_motion(archive.parent / "motions/0.pt", make_capture(frames=6, seed=77))
    assert "1 rendered, 2 reused" in render()[0].out
    assert "3 rendered, 0 reused" in render("--fps", 10)[0].out
    (tmp_path / "videos/2.mp4").write_bytes(b"cut")
    (tmp_path / "videos/1_eval.pt").unlink()
    assert "2 rendered, 1 reused" in render("--fps", 10)[0].out
    assert "3 rendered, 0 reused" in render("--fps", 10, "--overwrite")[0].out


def test_files_of_another_program_are_kept(render, tmp_path):
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos/1.mp4").write_bytes(b"a stranger's video")
    torch.save({"joints": 1}, tmp_path / "videos/2_eval.pt")
    before = files_in(tmp_path / "videos")
    said, after = render(code=1)
    assert [line.split(": exists, and")[0] for line in assert_error_lines(said.err, 2)] == [
        "error: entry 1: videos/1.mp4",
        "error: entry 2: videos/2_eval.pt",
    ]
    assert [("video_path" in entry) for entry in after] == [True, False, False]
    assert before.items() <= files_in(tmp_path / "videos").items() and len(files_in(tmp_path / "videos")) == 4
    assert "3 rendered" in render("--overwrite")[0].out


def test_limit_leaves_the_others_as_they_are(render, archive):
    before = json.loads(archive.read_text())
    _, after = render("--limit", 1)
    assert "video_path" in after[0]
    assert after[1:] == [{**entry, "motion_path": "data/" + entry["motion_path"]} for entry in before[1:]]


def test_ids_never_become_paths(render, archive, tmp_path):
    entries = json.loads(archive.read_text())
    for entry, name in zip(entries, ("../../evil", "/etc/evil", ".hidden\n")):
        entry["id"] = name
    save_json(archive, entries)
    _, after = render()
    folder = tmp_path / "videos"
    assert all(
        Path(entry[key]).resolve().parent == folder for entry in after for key in ("video_path", "mbench_eval_path")
    )
    assert len(list(folder.iterdir())) == 6 and not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_global_id_names_the_files(render, archive, tmp_path):
    save_json(archive, [{**entry, "global_id": f"set_{entry['id']}"} for entry in json.loads(archive.read_text())])
    assert render()[1][1]["video_path"] == "videos/set_1.mp4"


def test_json_lines(archive, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lines = "".join(json.dumps(entry) + "\n" for entry in json.loads(archive.read_text()))
    source = archive.with_suffix(".jsonl")
    source.write_text(lines)
    assert (
        main(
            ["--meta-json", str(source), "--output-json", "out.jsonl", "--output-dir", "videos", *SIZE, "--limit", "1"]
        )
        == 0
    )
    after = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert [entry["id"] for entry in after] == [0, 1, 2] and after[0]["video_path"] == "videos/0.mp4"


@pytest.mark.parametrize("fps, wanted", [(None, 20.0), (29.97, 30000 / 1001), (12.5, 12.5)])
def test_the_motions_own_rate(render, archive, tmp_path, make_capture, fps, wanted):
    save_motion(archive.parent / "motions/0.pt", make_capture(frames=6, fps=fps))
    render("--limit", 1)
    assert frames_of(tmp_path / "videos/0.mp4")[0] == pytest.approx(wanted, abs=1e-4)


def test_odd_sizes_are_padded(archive, tmp_path):
    places = [
        "--meta-json",
        str(archive),
        "--output-json",
        str(tmp_path / "o.json"),
        "--output-dir",
        str(tmp_path / "v"),
    ]
    assert main([*places, "--width", "97", "--height", "63", "--limit", "1"]) == 0
    assert frames_of(tmp_path / "v/0.mp4")[1].shape == (5, 64, 98, 3)


def test_a_bare_tensor_is_drawn(render, archive):
    path = archive.parent / "motions/0.pt"
    torch.save(torch.load(path, weights_only=True)["motion"], path)
    assert "video_path" in render("--limit", 1)[1][0]


ARCHIVES = {
    "no JSON": ("[{", "not JSON"),
    "no list": ('{"id": 1}', "expected a list"),
    "no objects": ("[1, 2]", "expected an object"),
    "an entry without an id": ('[{"prompt": "x"}]', "id"),
    "an id twice": ('[{"id": 1}, {"id": "1"}]', "duplicate id"),
    "nothing in it": ("[]", "no entries"),
    "no bytes": ("", "empty"),
    "no UTF-8": (b"\xff\xfe[", "UTF-8"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_refused_archives(tmp_path, capsys, name):
    text, said = ARCHIVES[name]
    source = tmp_path / "a.json"
    source.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert (
        main(
            ["--meta-json", str(source), "--output-json", str(tmp_path / "o.json"), "--output-dir", str(tmp_path / "v")]
        )
        == 2
    )
    (line,) = assert_error_lines(capsys.readouterr().err, 1)
    assert str(source) in line and said in line
    assert not (tmp_path / "o.json").exists()


@pytest.mark.parametrize(
    "flags",
    [
        ("--output-dir", "{archive}/in_a_file"),
        ("--output-dir", "/proc/nobody_may"),
        ("--smplx-model-dir", "/nowhere"),
        ("--meta-json", "/nowhere.json"),
    ],
)
def test_wrong_usage_ends_with_2(archive, tmp_path, capsys, flags):
    before = archive.read_bytes()
    usual = [
        "--meta-json",
        str(archive),
        "--output-json",
        str(tmp_path / "o.json"),
        "--output-dir",
        str(tmp_path / "v"),
    ]
    given = dict(zip(usual[::2], usual[1::2])) | {flags[0]: flags[1].format(archive=archive)}
    assert main([word for pair in given.items() for word in pair]) == 2
    assert_error_lines(capsys.readouterr().err, 1)
    assert archive.read_bytes() == before and not (tmp_path / "o.json").exists()


def test_flags_are_taken_with_dashes_and_underscores():
    dashes = "--meta-json a --output-json b --output-dir c --smplx-model-dir d --workers 2".split
    lines = "--meta_json a --output_json b --output_dir c --smplx_model_dir d --workers 2".split
    assert build_parser().parse_args(dashes()) == build_parser().parse_args(lines())


def rename(folder, before, after):
    for path in list(folder.iterdir()):
        if path.name.startswith(before):
            path.rename(folder / path.name.replace(before, after))


def test_files_of_earlier_names_are_taken_over_by_content(render, archive, tmp_path):
    """Earlier versions gave eight digits, so two ids could have one name; the content says whose a file is."""
    entries = json.loads(archive.read_text())[:2]
    odd, taken = "../bad clip", "bad_clip-4f9ccc89"
    archive.write_text(json.dumps([{**entries[0], "id": odd}]))
    _, (entry,) = render()
    name = Path(entry["video_path"]).stem
    before = (tmp_path / entry["video_path"]).read_bytes()
    rename(tmp_path / "videos", name, taken)
    archive.write_text(json.dumps([{**entries[0], "id": odd}, {**entries[1], "id": taken}]))
    said, (entry, other) = render()
    assert "1 rendered, 1 reused (unchanged), 0 failed" in said.out
    assert Path(entry["video_path"]).stem == name and (tmp_path / entry["video_path"]).read_bytes() == before
    assert (tmp_path / other["video_path"]).read_bytes() != before, "drawn from its own motion"
    assert (tmp_path / f"videos/{taken}.mp4").read_bytes() == before, "the old files stay"
    assert "0 rendered, 2 reused" in render()[0].out


def test_a_judges_clip_of_an_earlier_name_is_taken_over_too(render, archive, tmp_path):
    entries = json.loads(archive.read_text())[:1]
    archive.write_text(json.dumps([{**entries[0], "id": "a b"}]))
    for_judge = ("--for-judge", "--sampling-fps", 4)
    render()
    _, (entry,) = render(*for_judge)
    files = files_in(tmp_path / "videos")
    rename(tmp_path / "videos", Path(entry["judge_video_path"]).name.removesuffix(".judge.mp4"), "a_b-c8687a08")
    assert files_in(tmp_path / "videos").keys() != files.keys()
    for flags in ((), for_judge, ()):
        assert "0 rendered, 1 reused" in render(*flags)[0].out
    found = files_in(tmp_path / "videos")
    assert {name: found[name] for name in files} == files


def test_a_file_of_an_earlier_name_with_other_settings_is_drawn_again(render, archive, tmp_path):
    entries = json.loads(archive.read_text())[:1]
    archive.write_text(json.dumps([{**entries[0], "id": "../bad clip"}]))
    _, (entry,) = render()
    rename(tmp_path / "videos", Path(entry["video_path"]).stem, "bad_clip-4f9ccc89")
    assert "1 rendered, 0 reused" in render("--fps", 9)[0].out
