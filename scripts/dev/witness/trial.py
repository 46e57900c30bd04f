"""Scripted models of known habits as judges of an archive of which half matches."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from unittest import mock

import torch

from motion_gating import apply_quality_gate, evaluate_gate, render_mbench_videos
from motion_gating.archives.archive import read_entries
from motion_gating.archives.fields import JUDGE_VIDEO_PATH, MOTION_PATH
from motion_gating.archives.texts import text_of
from motion_gating.judges.flags import EVIDENCE, SAMPLING_FPS, SINGLE
from motion_gating.rendering.side_clip import SideClip
from motion_rep import convert_hmr_to_motion
from motion_rep.common.messages import say
from motion_rep.files.locations import Location, resolve_from
from motion_rep.motions.motion_file import read_motion
from scripts.dev.samples.texts import TEXTS
from scripts.dev.witness.habits import HABITS
from scripts.dev.witness.server import WitnessServer

ROOT = Path(__file__).resolve().parents[3]
CLIP_START = b"\0\0\0\x20ftypisom"
WHO = ("a person", "an old man", "a young woman", "a gymnast")
DOES = (
    *("walks slowly forward", "waves the right hand", "jumps over a puddle", "crouches behind a wall"),
    *("kicks with the left leg", "dances in circles", "stretches both arms overhead", "crawls under a table"),
    *("throws a heavy stone", "bows before somebody", "climbs some stairs", "swims through the room"),
    *("sits down on a chair", "punches a bag", "lifts a heavy box", "runs away quickly", "claps both hands loudly"),
    *("turns around twice", "skips rope", "falls onto the floor"),
)


@dataclass(frozen=True)
class Outcome:
    """The numbers of wrong clips that passed, of right clips that did not pass, and of calls."""

    wrong_passed: int
    wrong: int
    right_lost: int
    right: int
    undecided: int
    calls: int


def print_table(entries: int, seed: int) -> None:
    """Print the wrong clips that pass and the right clips that are lost, for each witness and protocol."""
    say("| witness | protocol | wrong clips that pass | right clips that are lost | undecided | calls per clip |")
    say("| --- | --- | --- | --- | --- | --- |")
    for habit, protocol in product(HABITS, (SINGLE, EVIDENCE)):
        with tempfile.TemporaryDirectory() as folder:
            found = judged(Path(folder), habit, protocol, entries, seed)
        shares = f"{found.wrong_passed} of {found.wrong} | {found.right_lost} of {found.right}"
        calls = found.calls / (found.wrong + found.right)
        say(f"| {habit} | {protocol} | {shares} | {found.undecided} | {calls:.1f} |")


def judged(folder: Path, habit: str, protocol: str, entries: int, seed: int = 0) -> Outcome:
    """The outcome of the gate with a witness as its judge."""
    meta, truths, right = made_archive(folder, entries, seed)
    with WitnessServer(HABITS[habit], truths) as server:
        decided = run_gate(meta, server, protocol)
        calls = len(server.asked)
    wrong = set(decided) - right
    return Outcome(
        wrong_passed=sum(decided[name] is True for name in wrong),
        wrong=len(wrong),
        right_lost=sum(decided[name] is not True for name in right),
        right=len(right),
        undecided=list(decided.values()).count(None),
        calls=calls,
    )


def made_archive(folder: Path, entries: int, seed: int = 0) -> tuple[Path, dict[bytes, str], set[str]]:
    """An archive, the texts that its clips really show, and the ids of the entries whose clips match.

    seed: 0 keeps the order of the texts; others shuffle them, and make other clips.
    """
    texts = [f"{who} {does}." for does in DOES for who in WHO]
    if seed:
        random.Random(seed).shuffle(texts)
    texts = texts[:entries]
    joints = torch.zeros(20, 22, 3).index_put((torch.tensor(0), torch.tensor(0), torch.tensor(1)), torch.tensor(1e-4))
    torch.save({"joints": joints, "fps": 16.0}, folder / "eval.pt")
    items, truths, right = [], {}, set()
    for number, text in enumerate(texts):
        clip = CLIP_START + b"clip %d" % (number + 1000 * seed)
        (folder / f"{number}.mp4").write_bytes(clip)
        matches = number % 2 == 0
        truths[clip] = text if matches else texts[(number + len(texts) // 2) % len(texts)]
        right |= {str(number)} if matches else set()
        items.append({"id": str(number), "prompt": text, "video_path": f"{number}.mp4", "mbench_eval_path": "eval.pt"})
    (folder / "meta.json").write_text(json.dumps(items))
    return folder / "meta.json", truths, right


def run_gate(meta: Path, server: WitnessServer, protocol: str, *flags: str) -> dict[str, bool | None]:
    """use_ref_motion of each entry."""
    report = meta.with_name("report.json")
    files = [
        "--meta-json",
        str(meta),
        "--quality-report",
        str(report),
        "--output-json",
        str(meta.with_name("out.json")),
    ]
    judge = ["--judge", "openai", "--vlm-model", "witness", "--vlm-base-url", server.url, "--protocol", protocol]
    with (
        mock.patch.dict(os.environ, {"no_proxy": "127.0.0.1"}),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        apply_quality_gate.main([*files, *judge, *flags])
    return {record["id"]: record["use_ref_motion"] for record in json.loads(report.read_text())}


def print_false_accepts(count: int, archive: Location | None = None) -> None:
    """Print which controls each witness accepts, by kind, on motions drawn for a judge.

    Args:
        archive: its motions are added to the sample motions; each is assumed to match its prompt.
    Raises:
        UsageError: the archive cannot be read.
    """
    rows: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truths = _drawn_archive(folder, archive)
        asked = list(product(HABITS, (SINGLE, EVIDENCE)))
        for habit, protocol in asked:
            with WitnessServer(HABITS[habit], truths) as server:
                for kind, found in _by_kind(folder, server, protocol, count, f"{habit} {protocol}").items():
                    rows.setdefault(kind, []).append(f"{found['accepted']} of {found['asked']}")
    say(f"| control | {' | '.join(f'{habit}, {protocol}' for habit, protocol in asked)} |")
    say(f"| --- |{' --- |' * len(asked)}")
    for kind, shares in rows.items():
        say(f"| {kind} | {' | '.join(shares)} |")


def _drawn_archive(folder: Path, more: Location | None) -> dict[bytes, str]:
    """Render the sample motions and those of an archive; returns the text that each clip really shows."""
    source = ROOT / "data_samples" / "captures"
    with contextlib.redirect_stdout(io.StringIO()):
        convert_hmr_to_motion.main(["-i", str(source), "-o", str(folder / "motions")])
        texts = {text.name: text.prompt for text in TEXTS if text.matches and (source / f"{text.name}.pt").is_file()}
        items = [{"id": name, "prompt": text, "motion_path": f"motions/{name}.pt"} for name, text in texts.items()]
        items += [] if more is None else list(_entries_of(more))
        (folder / "archive.json").write_text(json.dumps(items))
        files = ["--meta-json", str(folder / "archive.json"), "--output-json", str(folder / "rendered.json")]
        render_mbench_videos.main([*files, "--output-dir", str(folder), "--for-judge", "--workers", "0"])
    entries = [entry for entry in read_entries(folder / "rendered.json") if JUDGE_VIDEO_PATH in entry]
    return {clip: entry["prompt"] for entry in entries for clip in _clips_of(entry, folder)}


def _entries_of(archive: Location) -> Iterator[dict[str, str]]:
    for number, entry in enumerate(read_entries(archive)):
        text, path = text_of(entry), entry.get(MOTION_PATH)
        if text is not None and isinstance(path, str):
            yield {"id": f"archive {number}", "prompt": text, "motion_path": str(resolve_from(path, archive))}


def _clips_of(entry: dict[str, str], folder: Path) -> Iterator[bytes]:
    """The clip for the judge, and the same motion from the side."""
    yield (folder / entry[JUDGE_VIDEO_PATH]).read_bytes()
    with SideClip(read_motion(folder / entry[MOTION_PATH]), SAMPLING_FPS).drawn() as path:
        yield path.read_bytes()


def _by_kind(folder: Path, server: WitnessServer, protocol: str, count: int, name: str) -> dict[str, dict]:
    output = folder / f"{name}.json"
    judge = ["--judge", "openai", "--vlm-model", "witness", "--vlm-base-url", server.url, "--protocol", protocol]
    files = ["--meta-json", str(folder / "rendered.json"), "--output", str(output), "--controls", str(count)]
    with (
        mock.patch.dict(os.environ, {"no_proxy": "127.0.0.1"}),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        evaluate_gate.main([*files, *judge])
    found: dict[str, dict] = json.loads(output.read_text())["controls"]["by_kind"]
    return found
