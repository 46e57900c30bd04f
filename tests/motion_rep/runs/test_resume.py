"""Runs that are killed at random moments and started again end with the files of an undisturbed run.

The full loop (20 kills over 200 items) runs where FULL_KILL_LOOP is set; here it is smaller.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch
from command_support import (
    CONVERTER,
    RENDERER,
    files_in,
    render_flags,
    save_json,
    save_motion,
    save_waving_captures,
)
from gate_support import GATE, OpenAIProtocol, Service, environment, jittery_joints, make_archive, read, smooth_joints
from kill_support import GROUP, PARENT, Kills, files_made

from motion_gating.apply_quality_gate import main as gate
from motion_gating.render_mbench_videos import main as render
from motion_rep.convert_hmr_to_motion import main as convert

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the processes to kill in /proc")

FULL = bool(os.environ.get("FULL_KILL_LOOP"))
KILLS, ITEMS = (20, 200) if FULL else (3, 40)


@pytest.fixture(scope="module")
def captures(tmp_path_factory):
    """A folder of captures long enough for a kill to meet one in the making."""
    folder = tmp_path_factory.mktemp("captures")
    save_waving_captures(folder, ITEMS, frames=500)
    return folder


def test_conversion(repo, captures, tmp_path, capsys):
    def arguments(name):
        return ["-i", str(captures), "-o", str(tmp_path / name)]

    kills = Kills(lambda: files_made(tmp_path / "killed"), ITEMS // KILLS // 2, 0.005)
    kills.kill_often(
        KILLS,
        lambda number: [sys.executable, repo / CONVERTER, *arguments("killed"), "--workers", 2 * (number % 2)],
        lambda: shutil.rmtree(tmp_path / "killed"),
    )
    assert convert(arguments("killed")) == convert(arguments("whole")) == 0
    kills.wait_for_orphans()
    assert files_in(tmp_path / "killed") == files_in(tmp_path / "whole") and files_made(tmp_path / "whole") == ITEMS
    capsys.readouterr()
    assert convert(arguments("killed")) == 0 and f"{ITEMS} unchanged" in capsys.readouterr().out


def test_rendering(repo, make_capture, tmp_path, capsys):
    count = 200 if FULL else 12
    for number in range(count):
        save_motion(tmp_path / f"motions/{number}.pt", make_capture(frames=8, seed=number))
    archive = save_json(
        tmp_path / "a.json",
        [{"id": number, "prompt": "p", "motion_path": f"motions/{number}.pt"} for number in range(count)],
    )

    def arguments(name):
        return render_flags(archive, tmp_path / name, 96)

    # Two files a clip, and a third while it is drawn.
    kills = Kills(lambda: files_made(tmp_path / "killed"), 2 * count // KILLS)
    kills.kill_often(
        KILLS,
        lambda number: [sys.executable, repo / RENDERER, *arguments("killed"), "--workers", 2 * (number % 3 > 0)],
        lambda: shutil.rmtree(tmp_path / "killed"),
    )
    here = ["--workers", "0"]
    assert render([*arguments("killed"), *here]) == render([*arguments("whole"), *here]) == 0
    kills.wait_for_orphans()
    killed, whole = files_in(tmp_path / "killed"), files_in(tmp_path / "whole")
    assert killed == whole and len(whole) == 2 * count
    assert (tmp_path / "killed.json").read_text() == (tmp_path / "whole.json").read_text().replace("whole/", "killed/")
    left = {path.name for path in tmp_path.iterdir()} - {
        "motions",
        "a.json",
        "killed",
        "whole",
        "killed.json",
        "whole.json",
    }
    assert not left, "a killed run's half-written archive was not swept"
    capsys.readouterr()
    assert render([*arguments("killed"), *here]) == 0 and f"{count} reused" in capsys.readouterr().out


def test_two_runs_on_one_folder_do_not_disturb_each_other(repo, captures, tmp_path):
    command = [sys.executable, str(repo / CONVERTER), "-i", str(captures), "-o", str(tmp_path / "shared")]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for run in runs:
        _, errors = run.communicate()
        assert run.returncode == 0, errors
    assert convert(["-i", str(captures), "-o", str(tmp_path / "alone")]) == 0
    assert files_in(tmp_path / "shared") == files_in(tmp_path / "alone")


@pytest.mark.parametrize("name", ["meta.json", "meta.jsonl"])
def test_the_gate_in_place(name, tmp_path, capsys):
    """The metadata is at every moment what it was or what it becomes, and so is the report."""
    count = 4000 if FULL else 400
    for kind, joints in (("smooth", smooth_joints()), ("jittery", jittery_joints())):
        torch.save({"joints": joints, "fps": 16.0}, tmp_path / f"{kind}.pt")
    entries = [
        {"id": number, "prompt": "p", "mbench_eval_path": f"{'jittery' if number % 7 == 0 else 'smooth'}.pt"}
        for number in range(count)
    ]
    before = json.dumps(entries) if name.endswith(".json") else "".join(json.dumps(entry) + "\n" for entry in entries)

    def arguments(folder, matches):
        verdicts = tmp_path / f"{matches}.json"
        verdicts.write_text(
            json.dumps([{"id": number, "matches": matches, "analysis": "seen"} for number in range(count)])
        )
        return [
            "--meta-json",
            str(folder / name),
            "--quality-report",
            str(folder / "report.json"),
            "--judge",
            "manual",
            "--verdicts",
            str(verdicts),
        ]

    def put(folder):
        folder.mkdir()
        for path in tmp_path.glob("*.pt"):
            (folder / path.name).symlink_to(path)
        (folder / name).write_text(before)
        return folder

    known = {name: {before}, "report.json": set()}
    for matches in (True, False):
        whole = put(tmp_path / f"whole_{matches}")
        assert gate(arguments(whole, matches)) == 0
        for file, texts in known.items():
            texts.add((whole / file).read_text())
    folder = put(tmp_path / "killed")
    # It grows by a file where the report or the metadata are being written.
    kills = Kills(lambda: files_made(folder), pause=count * 2e-5, kinds=(GROUP, PARENT))
    for number in range(4 * KILLS):
        if len(kills.killed) == KILLS:
            break
        kills.kill([sys.executable, GATE, *arguments(folder, bool(number % 2))])
        assert (folder / name).read_text() in known[name], "metadata that no run writes"
        assert not (folder / "report.json").exists() or (folder / "report.json").read_text() in known["report.json"]
    kills.wait_for_orphans()
    assert kills.killed, "every run ended before it was killed"
    assert gate(arguments(folder, True)) == 0
    whole = tmp_path / "whole_True"
    assert all((folder / file).read_text() == (whole / file).read_text() for file in known)
    assert {path.name for path in folder.iterdir()} == {path.name for path in whole.iterdir()}


def test_answers_that_were_paid_for(tmp_path):
    """A killed gate asks again only what was in flight."""
    count, threads = (200, 4) if FULL else (30, 4)
    archive = {name: make_archive(tmp_path / name, range(count)) for name in ("killed", "whole")}

    def command(name):
        fixed = [
            "--meta-json",
            archive[name],
            "--quality-report",
            tmp_path / name / "report.json",
            "--num-threads",
            threads,
        ]
        return [sys.executable, GATE, *fixed, *OpenAIProtocol.flags]

    with Service(lambda request, number: OpenAIProtocol.answer()) as server:
        kills = Kills(lambda: len(server.questions), 2 * count // KILLS, 0.02, kinds=(GROUP, PARENT))
        for _ in range(KILLS):
            kills.kill(command("killed"), env=environment(server))
        last = subprocess.run(
            [str(word) for word in command("killed")],
            env=environment(server),
            capture_output=True,
            text=True,
            check=False,
        )
        # What was killed while it asked has not asked.
        asked = Counter(
            question.body
            for question in server.questions
            if len(question.body) == int(question.headers["content-length"])
        )
        subprocess.run(
            [str(word) for word in command("whole")], env=environment(server), capture_output=True, check=True
        )
    kills.wait_for_orphans()
    assert last.returncode == 0, last.stderr
    assert len(asked) == count and sum(asked.values()) - count <= threads * len(kills.killed)
    assert read(archive["killed"]) == read(archive["whole"])
    reports = [
        [{**record, "vlm_cached_answers": None} for record in read(tmp_path / name / "report.json")] for name in archive
    ]
    assert reports[0] == reports[1]
    assert sorted(path for path in files_in(tmp_path / "killed/report.cache") if not path.endswith(".json")) == []
