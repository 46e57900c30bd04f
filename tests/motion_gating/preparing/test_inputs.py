"""Entries from everything that the command line names, and the step at which each starts."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import torch
from command_support import save_json
from preparing_support import save_capture, save_clip

from motion_gating.preparing.inputs import layout_of, read_items
from motion_gating.preparing.items import Item
from motion_gating.preparing.settings import CaptureSettings, PrepareRun, VideoSettings
from motion_rep.common.errors import UsageError
from motion_rep.runs.engine import IN_THIS_PROCESS


def items(*inputs: Path, warned: list[str] | None = None, **more: object) -> list[Item]:
    video = VideoSettings("wan2.2", more.pop("seed", None), candidates=more.pop("candidates", 1))
    run = PrepareRun(inputs, Path("out"), video, CaptureSettings(), argparse.Namespace(), IN_THIS_PROCESS, **more)
    return read_items(run, layout_of(run), (warned if warned is not None else []).append)


def starts(found: list[Item]) -> dict[object, str]:
    """By id, the step at which an item starts."""

    def start(item: Item) -> str:
        if item.problem:
            return "problem"
        if item.motion is not None:
            return "motion"
        return "capture" if item.capture is not None else "text" if item.generated else "video"

    return {item.identifier: start(item) for item in found}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def mixed(tmp_path, make_capture) -> Path:
    folder = tmp_path / "my clips"
    folder.mkdir()
    (folder / "A walk #1.mp4").write_bytes(b"video")
    save_capture(folder / "squat.pt", make_capture())
    save_clip(folder / "wave.pt")
    return folder


def test_a_folder_of_everything(mixed):
    found = items(mixed)
    assert starts(found) == {"A walk #1": "video", "squat": "capture", "wave": "motion"}
    assert [item.entry["prompt"] for item in found] == ["A walk #1", "squat", "wave"]


def test_single_files_archives_and_texts_in_one_call(mixed, tmp_path):
    save_json(
        mixed / "a.json",
        [
            {"id": 5, "prompt": "walks", "source_video_path": "A walk #1.mp4", "motion_path": "motions/none.pt"},
            {"id": "six", "prompt": "squats", "capture_path": "squat.pt", "source_video_path": "A walk #1.mp4"},
            {"id": 7, "prompt": "waves", "motion_path": "wave.pt", "capture_path": "squat.pt", "extra": [1]},
            {"id": 8, "prompt": "generated before", "video_path": "A walk #1.mp4"},
            {
                "id": 9,
                "prompt": "was rendered",
                "video_path": "A walk #1.mp4",
                "mbench_eval_path": "x",
                "motion_path": "",
            },
            {"id": 10, "prompt": "is lost", "capture_path": "gone.pt"},
        ],
    )
    (tmp_path / "texts.txt").write_text("a person runs\na person jumps!\n")
    found = items(mixed / "a.json", tmp_path / "texts.txt", mixed / "squat.pt")
    assert starts(found) == {
        **{5: "video", "six": "capture", 7: "motion", 8: "video", 9: "text", 10: "problem"},
        **{"a_person_runs": "text", "a_person_jumps": "text", "squat": "capture"},
    }
    by_id = {item.identifier: item for item in found}
    assert by_id["six"].video == mixed / "A walk #1.mp4" and by_id[7].entry["extra"] == [1]
    assert "gone.pt: not found" in str(by_id[10].problem)
    assert by_id[8].entry["source_video_path"] == str(mixed / "A walk #1.mp4") and "video_path" not in by_id[8].entry


def test_files_of_one_name_are_one_entry_and_other_files_of_that_name_are_not(mixed, tmp_path, make_capture):
    save_capture(tmp_path / "captures/A walk #1.pt", make_capture())
    (tmp_path / "second").mkdir()
    (tmp_path / "second/A walk #1.mp4").write_bytes(b"another")
    found = items(mixed / "A walk #1.mp4", tmp_path / "captures", tmp_path / "second")
    assert starts(found) == {"A walk #1": "capture", "second_A walk #1": "video"}
    assert found[0].video == mixed / "A walk #1.mp4" and found[1].video == tmp_path / "second/A walk #1.mp4"


def test_texts_come_from_the_file_then_beside_the_video_then_from_the_name(mixed, tmp_path):
    (tmp_path / "t.csv").write_text(
        "name,prompt,dimension\nA walk #1.mp4,walks,Motion\nsquats,x,\n", encoding="utf-8-sig"
    )
    (mixed / "squat.txt").write_text("squats\n deeply ")
    warned: list[str] = []
    found = items(mixed, prompts=tmp_path / "t.csv", warned=warned)
    assert [item.entry["prompt"] for item in found] == ["walks", "squats deeply", "wave"]
    assert found[0].entry["dimension"] == "Motion" and found[0].entry["prompt_motion_detailed"] == "walks"
    assert any("1 names are no input, for example 'squats'" in line for line in warned)
    assert any("1 entry has no text" in line and "'wave'" in line for line in warned)


def test_lines_are_texts_in_the_order_of_the_inputs(mixed, tmp_path):
    (tmp_path / "t.txt").write_text("walks\nsquats\nwaves\n")
    assert [item.entry["prompt"] for item in items(mixed, prompts=tmp_path / "t.txt")] == ["walks", "squats", "waves"]
    (tmp_path / "t.txt").write_text("walks\nsquats\n")
    with pytest.raises(UsageError, match="has 2 lines for 3 entries"):
        items(mixed, prompts=tmp_path / "t.txt")


def test_a_csv_names_files_next_to_it(mixed):
    (mixed / "all.csv").write_text("file,prompt\nA walk #1.mp4,walks\nwave.pt,waves\ngone.mp4,gone\n,a person runs\n")
    found = items(mixed / "all.csv")
    assert starts(found) == {"A walk #1": "video", "wave": "motion", "gone": "problem", "a_person_runs": "text"}


def test_candidates_get_seeds_and_a_group(tmp_path):
    (tmp_path / "t.txt").write_text("a person runs\n")
    found = items(tmp_path / "t.txt", candidates=3, seed=7)
    assert [(item.identifier, item.entry["group"], item.entry["seed"]) for item in found] == [
        (f"a_person_runs_s{seed}", "a_person_runs", seed) for seed in (7, 8, 9)
    ]
    assert len({item.entry["global_id"] for item in found}) == 3 and {item.generated for item in found} == {True}


def test_candidates_of_entries_with_one_text_have_different_seeds(tmp_path):
    (tmp_path / "p.csv").write_text("name,prompt\na,sits\nb,sits\nc,walks\n")
    found = items(tmp_path / "p.csv", candidates=2, seed=7)
    assert [item.identifier for item in found] == ["a_s7", "a_s8", "b_s9", "b_s10", "c_s7", "c_s8"]


def test_several_videos_of_an_entry_are_candidates(mixed):
    (mixed / "b.mp4").write_bytes(b"video")
    save_json(mixed / "a.json", [{"id": 1, "prompt": "walks", "source_video_path": ["A walk #1.mp4", "b.mp4"]}])
    found = items(mixed / "a.json")
    assert starts(found) == {"1_v1": "video", "1_v2": "video"} and {item.entry["group"] for item in found} == {1}


def test_a_prompt_alone_and_the_text_of_one_input(mixed):
    (only,) = items(prompt="a person runs")
    assert (only.identifier, only.generated, only.entry["prompt"]) == (0, True, "a person runs")
    (given,) = items(mixed / "wave.pt", prompt="waves")
    assert given.entry["prompt"] == "waves"


@pytest.mark.parametrize(
    ("inputs", "more", "words"),
    [
        ((), {}, "give INPUT"),
        ((), {"prompt": " "}, "give INPUT"),
        (("none.mp4",), {}, "none.mp4: not found"),
        (("a.json",), {}, "contains no entries"),
        (("empty",), {}, "contains no entries"),
        (("empty", "one.json", "two.json"), {}, "entry 1 has a duplicate id"),
        (("my clips",), {"prompt": "x"}, "--prompt is the text of one entry, but there are 3"),
        (("my clips",), {"seed": 1}, "--seed sets how to generate a video"),
        (("out/archive.json",), {}, "is the working copy in the output folder"),
    ],
)
def test_wrong_inputs_are_refused(mixed, tmp_path, inputs, more, words):
    (tmp_path / "empty").mkdir()
    save_json(tmp_path / "a.json", [])
    for name, text in (("one.json", "walks"), ("two.json", "runs"), ("out/archive.json", "x")):
        save_json(tmp_path / name, [{"id": 1, "prompt": text}])
    with pytest.raises(UsageError) as caught:
        items(*map(Path, inputs), **more)
    assert words in str(caught.value)


def test_an_unreadable_file_of_a_folder_fails_alone(mixed):
    (mixed / "broken.pt").write_bytes(b"no torch file")
    torch.save({"motion": torch.zeros(3, 5)}, mixed / "odd.pt")
    warned: list[str] = []
    assert len(items(mixed, warned=warned)) == 5
    assert sum("broken.pt" in line or "odd.pt" in line for line in warned) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name,prompt\na,he walks, then jumps\n", "row 2 has more columns than the header"),
        ('name,prompt\na,"open quote\nb,jump\n', "is no CSV: unexpected end of data"),
        ("name,prompt\n,\nb,\n", "row 3 has no prompt"),
        ("name,prompt,prompt\na,one,two\n", "has two columns with the same name"),
    ],
)
def test_a_csv_that_would_lose_text_is_refused(tmp_path, text, expected):
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(UsageError, match=expected):
        items(tmp_path / "p.csv")


BAD_ROWS = {
    "b,he walks, then jumps": "has more columns than the header",
    "b,": "has no prompt",
    "b": "has no prompt",
    "b, \t": "has no prompt",
    "b,run\0s": "has a NUL character",
}


@pytest.mark.parametrize(("row", "why"), BAD_ROWS.items())
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_bad_row_of_a_csv_costs_only_itself(tmp_path, mixed, row, why, end):
    text = end.join(("name,prompt", "a,walks", row, 'c,"sits\n""down"" now"', "a,walks", "a,jumps", ""))
    (tmp_path / "p.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    found = items(tmp_path / "p.csv")
    assert [(item.identifier, item.entry.get("prompt")) for item in found if not item.problem] == [
        ("a", "walks"), ("c", 'sits\n"down" now'), ("a_2", "jumps"),
    ]  # fmt: skip
    (bad,) = (item for item in found if item.problem)
    assert (bad.identifier, bad.entry) == ("b", {}) and f"p.csv: row 3 {why}" in bad.problem
    for name in "abc":
        save_clip(mixed / f"texts/{name}.pt")
    given = items(mixed / "texts", prompts=tmp_path / "p.csv")
    assert {item.identifier: item.problem is None for item in given} == {"a": True, "b": False, "c": True}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_csvs_and_lines_of_editors_on_windows(tmp_path, encoding):
    (tmp_path / "p.csv").write_bytes("name;prompt\r\nä;walks, then jumps\r\n".encode(encoding))
    (tmp_path / "p.txt").write_bytes("geht schön\r\n \t\r\nsits\r\n".encode(encoding))
    assert [(one.identifier, one.entry["prompt"]) for one in items(tmp_path / "p.csv")] == [("ä", "walks, then jumps")]
    assert [one.entry["prompt"] for one in items(tmp_path / "p.txt")] == ["geht schön", "sits"]


BESIDE = {
    "walks slowly": (b"walks \n\t slowly\r\n", None),
    "geht schön": ("geht schön".encode("utf-16"), None),
    "läuft": ("\ufeffläuft".encode(), None),
    "v": (b" \r\n\t \x0b", None),  # only space: the file name
    "latin": ("läuft".encode("latin-1"), "is not UTF-8 text"),
    "no mark": ("walks".encode("utf-16-le"), "has a NUL character"),
    "long": (b"x" * 10_000_000, "has 10,000,000 characters"),
    "bytes": (bytes(range(256)), "is not UTF-8 text"),
}


@pytest.mark.parametrize("name", BESIDE)
def test_a_text_file_beside_a_video_costs_only_its_entry(mixed, name):
    text, why = BESIDE[name]
    for stem in ("v", "w"):
        save_clip(mixed / f"beside/{stem}.pt")
    (mixed / "beside/v.txt").write_bytes(text)
    (mixed / "beside/w.txt").write_text("waves")
    found = {item.identifier: item for item in items(mixed / "beside")}
    assert (found["w"].problem, found["w"].entry["prompt"]) == (None, "waves")
    if why is None:
        assert (found["v"].problem, found["v"].entry["prompt"]) == (None, name)
    else:
        assert "v.txt: " in found["v"].problem and why in found["v"].problem


SPREADSHEETS = {
    "quoted headings": '"name";"prompt"\n"a";"walks; then, sits"\n',
    "a line for Excel": 'sep=;\n\nname;prompt\na;"walks; then, sits"\n',
    "tabs": "name\tprompt\na\twalks; then, sits\n",
    "spaces and capitals": ' Name , Prompt\n a, "walks; then, sits"\n',
    "empty columns": 'name,prompt,,\n,,,\na,"walks; then, sits",,\n,,,\n',
    "another order": '\nprompt,name\n"walks; then, sits",a\n',
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("text", SPREADSHEETS.values(), ids=SPREADSHEETS)
def test_csvs_in_the_forms_of_spreadsheets(tmp_path, text, end, encoding):
    (tmp_path / "p.csv").write_bytes(text.replace("\n", end).encode(encoding))
    found = [(one.identifier, one.entry["prompt"]) for one in items(tmp_path / "p.csv")]
    assert found == [("a", "walks; then, sits")]


def test_a_single_column_needs_no_quotes(tmp_path):
    (tmp_path / "p.csv").write_text("prompt\nwalks; then, sits\n")
    assert [one.entry["prompt"] for one in items(tmp_path / "p.csv")] == ["walks; then, sits"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"name,text\na,walks\n", "no column with the heading prompt; found name, text"),
        ("name;prompt\na;walks\n".encode("utf-16-le"), "p.csv: has a NUL character"),
    ],
)
def test_a_csv_without_prompts_is_refused(tmp_path, data, expected):
    (tmp_path / "p.csv").write_bytes(data)
    with pytest.raises(UsageError, match=expected):
        items(tmp_path / "p.csv")


def test_a_csv_holds_texts_of_any_length(tmp_path):
    (tmp_path / "p.csv").write_text("name,prompt\na," + "x" * 1_000_000 + "\n")
    assert len(items(tmp_path / "p.csv")[0].entry["prompt"]) == 1_000_000


def test_a_name_too_long_for_a_file_is_the_problem_of_its_entry(tmp_path):
    (tmp_path / "p.csv").write_text("file,prompt\n" + "v" * 300 + ".mp4,sits\n")
    save_json(tmp_path / "a.json", [{"id": "b", "source_video_path": "v" * 300}, {"id": "c", "prompt": "runs"}])
    found = items(tmp_path / "p.csv", tmp_path / "a.json")
    assert list(starts(found).values()) == ["problem", "problem", "text"]


def test_inputs_that_are_there_twice_are_told(tmp_path, mixed):
    (tmp_path / "t.txt").write_text("a person runs\nA person sits.\na person runs\n")
    warned = []
    assert len(items(tmp_path / "t.txt", warned=warned)) == 2
    assert warned == [
        "1 inputs are there more than once, for example 'a_person_runs'; each makes one entry. --candidates makes "
        "several videos of one text"
    ]
    warned.clear()
    (tmp_path / "p.csv").write_text("name,prompt\na,sits\na,sits\na,walks\n")
    assert [item.entry["prompt"] for item in items(tmp_path / "p.csv", warned=warned)] == ["sits", "walks"]
    assert len(warned) == 1 and "for example 'a';" in warned[0]
    warned.clear()
    video = mixed / "A walk #1.mp4"
    assert len(items(video, Path("my clips/../my clips/A walk #1.mp4"), warned=warned)) == 1
    assert any("1 inputs are there more than once, for example 'A walk #1'" in line for line in warned)


def test_a_working_copy_that_is_a_link_to_itself_does_not_end_the_reading(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/archive.json").symlink_to("archive.json")
    save_json(tmp_path / "a.json", [{"id": 1, "prompt": "x"}])
    assert starts(items(Path("a.json"))) == {1: "text"}
