"""Every command that writes files, with its inputs and outputs on one disk: what the tests of failing disks run, and
what must hold after it.
"""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from command_support import files_in, save_json, save_motion
from gate_support import make_archive
from matplotlib.figure import Figure

from motion_rep.video.writing import open_writer

IDS = [0, 1]
SMALL = ["--width", "32", "--height", "32"]
REPAIRS, TASKS, CHOSEN = "repairs.json", "tasks.json", "chosen.json"
# Has the time of the run.
IGNORED = {"report.run.json", "chosen_candidates.run.json"}


@dataclass(frozen=True)
class Command:
    """A command and its arguments on a disk."""

    main: Callable[[list[str]], int]
    arguments: Callable[[Path], list]

    def run(self, disk: Path) -> int:
        """The exit code."""
        return self.main([str(word) for word in self.arguments(disk)])


class UndrawnFigure(Figure):
    """Saved as usual, without its contents: drawing is most of what a run costs, and calls nothing on files."""

    def __init__(self, **_) -> None:
        super().__init__(figsize=(1, 1), dpi=20)

    def draw(self, renderer) -> None:
        pass


def grey_frames(body, renderer, parameters, width: int, height: int, *_):
    """In place of the renderer's pictures, for the same reason: a grey for the pose of each frame."""
    for pose in parameters.body.flatten(1).abs().sum(1):
        yield np.full((height, width, 3), int(pose * 100) % 256, np.uint8)


def patched(main: Callable[[list[str]], int], place: str, value: object) -> Callable[[list[str]], int]:
    """A command's main with another value in a module, while it runs."""

    @functools.wraps(main)
    def run(arguments: list[str]) -> int:
        with mock.patch(place, value):
            return main(arguments)

    return run


def converter(before: Path, disk: Path, make_capture) -> Command:
    """Two captures into a folder, in which one has a motion of other settings already."""
    from motion_rep.convert_hmr_to_motion import main

    (before / "in").mkdir(parents=True)
    torch.save(make_capture(), before / "in/0.pt")
    shutil.copytree(before, disk)
    assert main(["-i", str(disk / "in"), "-o", str(disk / "out"), "--fps", "20"]) == 0
    shutil.rmtree(before)
    shutil.move(disk, before)
    torch.save(make_capture(seed=1), before / "in/1.pt")
    return Command(main, lambda place: ["-i", place / "in", "-o", place / "out", "--workers", 0])


def converter_of_one(before: Path, disk: Path, make_capture) -> Command:
    """One capture over an older motion."""
    from motion_rep.convert_hmr_to_motion import main

    save_motion(before / "out.pt", make_capture(seed=1))
    torch.save(make_capture(), before / "in.pt")
    return Command(main, lambda place: ["-i", place / "in.pt", "-o", place / "out.pt"])


def renderer(before: Path, disk: Path, make_capture) -> Command:
    """Two clips, and the archive over an older one."""
    from motion_gating.render_mbench_videos import main

    for number in IDS:
        save_motion(before / f"{number}.pt", make_capture(frames=4, seed=number))
    save_json(before / "a.json", [{"id": number, "prompt": "p", "motion_path": f"{number}.pt"} for number in IDS])
    (before / "b.json").write_text("old")
    return Command(
        patched(main, "motion_gating.rendering.clip_render.lit_frames", grey_frames),
        lambda place: [
            "--meta-json",
            place / "a.json",
            "--output-json",
            place / "b.json",
            "--output-dir",
            place / "out",
            "--workers",
            0,
            *SMALL,
        ],
    )


def gate(before: Path, disk: Path, make_capture, name: str = "a.json") -> Command:
    """Two entries in place, and the report over an older one."""
    from motion_gating.apply_quality_gate import main

    make_archive(before, IDS)
    entries = [{"id": number, "prompt": "p", "mbench_eval_path": f"{number}_eval.pt"} for number in IDS]
    (before / name).write_text(
        "".join(json.dumps(entry) + "\n" for entry in entries) if name.endswith("l") else json.dumps(entries)
    )
    (before / "report.json").write_text("old")
    verdicts = save_json(
        disk.with_name("verdicts.json"), [{"id": number, "matches": True, "analysis": "seen"} for number in IDS]
    )
    flags = ["--judge", "manual", "--verdicts", verdicts]
    return Command(main, lambda place: ["--meta-json", place / name, "--quality-report", place / "report.json", *flags])


def gate_of_lines(before: Path, disk: Path, make_capture) -> Command:
    """The same with JSON lines."""
    return gate(before, disk, make_capture, "a.jsonl")


def checker(before: Path, disk: Path, make_capture) -> Command:
    """A depth video over an older one."""
    from motion_rep.motion_checker import main

    save_motion(before / "a.pt", make_capture(frames=4))
    (before / "checks").mkdir()
    (before / "checks/a_depth.mp4").write_bytes(b"old")
    return Command(main, lambda place: ["--motion-file", place / "a.pt", "--output-dir", place / "checks", *SMALL])


def exporter(before: Path, disk: Path, make_capture) -> Command:
    """All exports, one of them over an older one."""
    from motion_rep.export_motion import main

    save_motion(before / "a.pt", make_capture(frames=4))
    (before / "a.npz").write_bytes(b"old")
    return Command(
        main, lambda place: [place / "a.pt", "-o", place / "a.npz", place / "a.bvh", place / "a.glb", place / "a.csv"]
    )


def review(before: Path, disk: Path, make_capture) -> Command:
    """The review page of two entries without pictures, over an older one."""
    from motion_gating.build_report import main

    make_archive(before, IDS)
    (before / "review").mkdir()
    (before / "review/index.html").write_bytes(b"old")
    return Command(
        main, lambda place: ["--meta-json", place / "meta.json", "--output", place / "review", "--no-side-view"]
    )


def evaluator(before: Path, disk: Path, make_capture) -> Command:
    """A report compared with people."""
    from motion_gating.apply_quality_gate import main as gate
    from motion_gating.evaluate_gate import main

    archive = make_archive(before, IDS)
    verdicts = save_json(
        before / "verdicts.json", [{"id": number, "matches": True, "analysis": "seen"} for number in IDS]
    )
    flags = [
        "--quality-report",
        before / "report.json",
        "--output-json",
        before / "b.json",
        "--judge",
        "manual",
        "--verdicts",
        verdicts,
    ]
    assert gate([str(word) for word in ("--meta-json", archive, *flags)]) == 0
    (before / "e.json").write_text("old")
    return Command(
        patched(main, "motion_gating.evaluation.threshold_curve.Figure", UndrawnFigure),
        lambda place: [
            "--labels",
            place / "verdicts.json",
            "--quality-report",
            place / "report.json",
            "--output",
            place / "e.json",
        ],
    )


def importer(before: Path, disk: Path, make_capture) -> Command:
    """A capture as a system left it, over an older one."""
    from scripts.lib.import_capture import main

    before.mkdir(parents=True)
    torch.save(make_capture(), before / "in.pt")
    (before / "out.pt").write_bytes(b"old")
    return Command(main, lambda place: [place / "in.pt", place / "out.pt", "--fps", "16"])


def recorder(before: Path, disk: Path, make_capture) -> Command:
    """A new video over an older one, and its record."""
    from scripts.lib.video_record import main

    before.mkdir(parents=True)
    with open_writer(before / "new.mp4", 64, 48, 16.0) as writer:
        for number in range(6):
            writer.write(np.full((48, 64, 3), 20 * number, np.uint8))
    (before / "v.mp4").write_bytes(b"old")
    return Command(main, lambda place: ["write", place / "new.mp4", "--as-name", place / "v.mp4"])


def refiner(before: Path, disk: Path, make_capture) -> Command:
    """A motion into a folder, and the report over an older one."""
    from motion_rep.refine_motion import main

    save_motion(before / "in/0.pt", make_capture(frames=8))
    (before / REPAIRS).write_text("old")
    flags = ["--workers", 0, "--level", "off"]
    return Command(main, lambda place: ["-i", place / "in", "-o", place / "out", "--report", place / REPAIRS, *flags])


def representations(before: Path, disk: Path, make_capture) -> Command:
    """A motion into a folder, with its record."""
    from motion_rep.convert_representation import main

    save_motion(before / "in/0.pt", make_capture(frames=8))
    flags = ["--to", "272", "--fps", 16, "--workers", 0]
    return Command(main, lambda place: ["-i", place / "in", "-o", place / "out", *flags])


def describer(before: Path, disk: Path, make_capture) -> Command:
    """The facts of a motion over older ones."""
    from motion_rep.describe_motion import main

    save_motion(before / "a.pt", make_capture(frames=8))
    (before / "facts.json").write_text("old")
    return Command(main, lambda place: [place / "a.pt", "-o", place / "facts.json", "--fps", 16])


def archiver(before: Path, disk: Path, make_capture) -> Command:
    """Two texts into an archive that has one of them."""
    from motion_gating.make_archive import main

    before.mkdir(parents=True)
    (before / "texts.txt").write_text("a walk\na run\n")
    save_json(before / "a.json", [{"id": 0, "global_id": 0, "name": "a walk", "prompt": "a walk"}])
    return Command(main, lambda place: [place / "texts.txt", "-o", place / "a.json"])


def ranker(before: Path, disk: Path, make_capture) -> Command:
    """Two candidates, and the archive of the chosen ones over an older one."""
    from motion_gating.rank_candidates import main

    archive = make_archive(before, IDS)
    save_json(archive, [{**entry, "group": 0} for entry in json.loads(archive.read_text())])
    (before / CHOSEN).write_text("old")
    flags = ["--judge", "none"]
    return Command(main, lambda place: ["--meta-json", place / "meta.json", "-o", place / CHOSEN, *flags])


def for_tm2m(before: Path, disk: Path, make_capture) -> Command:
    """An archive for a checkout, over an older one."""
    from motion_gating.export_for_tm2m import main

    for number in IDS:
        save_motion(before / f"{number}.pt", make_capture(frames=8))
    entries = [{"id": number, "global_id": number, "prompt": "p", "motion_path": f"{number}.pt"} for number in IDS]
    save_json(before / "a.json", entries)
    (before / "b.json").write_text("old")
    return Command(
        main, lambda place: ["--meta-json", place / "a.json", "--vimogen-root", place, "-o", place / "b.json"]
    )


def labels(before: Path, disk: Path, make_capture) -> Command:
    """The tasks of two entries and the labelling configuration, over older ones."""
    from motion_gating.export_labels import main

    make_archive(before, IDS)
    (before / TASKS).write_text("old")
    flags = ["--format", "label-studio"]
    return Command(main, lambda place: ["--meta-json", place / "meta.json", "-o", place / TASKS, *flags])


COMMANDS = [
    converter,
    converter_of_one,
    renderer,
    gate,
    gate_of_lines,
    checker,
    exporter,
    review,
    evaluator,
    importer,
    recorder,
    refiner,
    representations,
    describer,
    archiver,
    ranker,
    for_tm2m,
    labels,
]


def check_outputs(
    code: int, errors: str, old: dict[str, bytes], new: dict[str, bytes], now: dict[str, bytes], usual: int = 0
) -> None:
    """One line for each thing that is wrong, and every output the old or the new one; after a run as ``usual``, all
    new.

    Raises:
        AssertionError: that is not so.
    """
    lines = errors.splitlines()
    assert all(line.startswith(("error: ", "warning: ")) and "not expected" not in line for line in lines), errors
    assert code in (0, 1, 2) and (code == 0 or lines), errors
    whole = code == usual and not any(line.startswith("error: ") for line in lines)
    for name in {*old, *new} - IGNORED:
        known = (new.get(name),) if whole and usual == 0 else (old.get(name), new.get(name))
        assert now.get(name) in known or is_whole(name, now[name]), (
            f"exit {code}: {name} is neither the old nor the new file\n{errors}"
        )


def is_whole(name: str, data: bytes) -> bool:
    """Whether a report, an archive or a page is whole; of an entry that failed it says something else than in a run
    without trouble.
    """
    if name.endswith(".jsonl"):
        return [json.loads(line)["id"] for line in data.splitlines()] == IDS
    if name.endswith((".html", ".js")):
        return data.rstrip().endswith((b"</html>", b");"))
    if name in (REPAIRS, TASKS, CHOSEN):  # without those that failed
        return isinstance(json.loads(data), list)
    return name.endswith(".json") and [entry["id"] for entry in json.loads(data)] == IDS


def prepared(make, tmp_path: Path, make_capture) -> tuple[Path, Path, Command, int, dict[str, bytes], dict[str, bytes]]:
    """Folders with the files before a run and for it, the command, and how it ends without trouble: exit code, files
    before and after.
    """
    before, disk = tmp_path / "before", tmp_path / "disk"
    command = make(before, disk, make_capture)
    renew(disk, before)
    old = files_in(disk)
    code = command.run(disk)
    return before, disk, command, code, old, files_in(disk)


def renew(disk: Path, before: Path) -> None:
    """Put the files of before on the disk, and only those."""
    disk.mkdir(exist_ok=True)
    for path in disk.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(before, disk, dirs_exist_ok=True)
