"""Run the commands on odd archives, reports and verdicts, with odd servers, and twice at once, for a bounded time.

A finding is a traceback, an exit code other than 0, 1 or 2, an error that is not a separate line, a changed input,
output that is not JSON, or a lost entry. The folder of each finding is kept in --findings.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_rep.common.command_line import DONE, SOME_FAILED, Parser, command_main
from motion_rep.common.flag_values import positive_int
from motion_rep.common.messages import say, say_error
from motion_rep.common.overwriting import folder_path
from motion_rep.files.atomic_writing import is_temporary_name
from scripts.dev.fuzz_servers import odd_server

ALLOWED_CODES = (0, 1, 2)
CAPTURES = Path(__file__).resolve().parents[2] / "data_samples" / "captures"
GIANT = 10**300
# Values that a key of an entry, a record or a verdict may have.
ODD_VALUES = (
    *(None, True, False, 0, -1, GIANT, -GIANT, 1e308, 0.1, "", " ", "x", "\x1b[31mred", "a\0b", "../../a", "\ud800"),
    *([], [[]], ["x", 5], {}, {"motion": 5}, {"motion": "x", "clip": None, "text": "y", "text_field": "prompt"}),
    *("reference://", "dir://", "zip://x", "http://127.0.0.1:9/x", "s3://bucket/x", "file://", "a" * 3000, "/dev/zero"),
    *("m/good.pt", "m/eval.pt", "m/clip.mp4", "m", "archive.json", "\u202ename", "é", "é"),
)
ENTRY_KEYS = (
    *("id", "global_id", "prompt", "prompt_motion_detailed", "prompt_video_detailed", "motion_text_annot"),
    *("motion_path", "video_path", "mbench_eval_path", "use_ref_motion", "judged_content", "motion_duration", "name"),
    *("source_video_path", "capture_path", "overlay_path", "depth_path", "refined", "group", "seed"),
)
RECORD_KEYS = (
    *("id", "jitter_degree", "vlm_analysis", "vlm_matches", "use_ref_motion", "reasons", "failed_checks", "judge"),
    *("vlm_error", "vlm_error_kind", "vlm_votes", "vlm_model_version", "metrics_error", "metrics_fps", "content"),
    *("worst_half_second", "motion_fps", "mbench_foot_sliding", "tremble"),
)
VERDICT_KEYS = ("id", "matches", "analysis", "usable", "content", "about", "reviewer", "time")


@dataclass
class Trial:
    """One run of one command, and its finding."""

    name: str
    main: Callable[[list[str]], int]
    arguments: list[str]
    outputs: list[Path] = field(default_factory=list)
    code: object = None
    twice: bool = False

    def run(self, place: Path) -> str | None:
        """The finding; None if there is none."""
        inputs = _contents(place / "inputs")
        out, err = io.StringIO(), io.StringIO()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = self.main(self.arguments)
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 99
        except BaseException:
            return f"traceback\n{traceback.format_exc()}"
        (place / "stderr.txt").write_text(err.getvalue(), encoding="utf-8", errors="backslashreplace")
        self.code = code
        if code not in ALLOWED_CODES:
            return f"exit code {code}"
        odd = [line for line in err.getvalue().splitlines() if not line.startswith(("error: ", "warning: "))]
        if odd:
            return f"a line that is no error: {odd[0][:200]!r}"
        if any(not char.isprintable() and char != "\n" for char in err.getvalue() + out.getvalue().replace("\t", "")):
            return "a control character is printed"
        if _contents(place / "inputs") != inputs:
            return "an input was changed"
        return next(filter(None, map(_not_json, self.outputs)), None)

    def run_twice_at_once(self, place: Path) -> str | None:
        """Run it in two processes at the same time, with one output folder."""
        results = [place / f"result {number}.txt" for number in range(2)]
        children = [_forked(self, place, result) for result in results]
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        text = [result.read_text(encoding="utf-8", errors="backslashreplace") for result in results if result.is_file()]
        self.code = max(codes)
        if len(text) < len(results) or self.code not in ALLOWED_CODES:
            return f"a run of two at once ended with {codes}"
        left = [path.name for path in (place / "out").rglob("*") if is_temporary_name(path.name)]
        return next(filter(None, text), None) or (f"left over: {left[0]}" if left else None)


def _forked(trial: Trial, place: Path, result: Path) -> int:
    """Start a trial in a process; its finding goes into a file."""
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        result.write_text(trial.run(place) or "", encoding="utf-8", errors="backslashreplace")
        code = trial.code if isinstance(trial.code, int) else 99
    finally:
        os._exit(code)


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _not_json(path: Path) -> str | None:
    def refuse(text: str) -> None:
        raise ValueError(text)

    if not path.is_file():
        return None
    try:
        json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    except ValueError as error:
        return f"{path.name} is no JSON: {error}"
    return None


def build_parser() -> Parser:
    """The command line."""
    parser = Parser(description=__doc__)
    parser.add_argument("--seconds", type=positive_int, default=120, help="time limit for all commands together")
    parser.add_argument(
        "--findings", type=folder_path, default=Path("fuzz_findings"), help="folder for the inputs that caused findings"
    )
    parser.add_argument("--seed", type=positive_int, default=1, help="another seed tries different inputs")
    return parser


def _run(args: argparse.Namespace) -> int:
    args.findings.mkdir(parents=True, exist_ok=True)
    chance, counts, seen = random.Random(args.seed), Counter(), set()
    with tempfile.TemporaryDirectory() as folder, odd_server(args.seed) as server:
        good = _good_files(Path(folder) / "good")
        end = time.monotonic() + args.seconds
        while time.monotonic() < end:
            place = Path(folder) / "place"
            shutil.copytree(good, place / "inputs" / "m")
            shutil.copytree(CAPTURES, place / "inputs" / "c")
            for trial in _trials(place, chance, server):
                wrong = trial.run_twice_at_once(place) if trial.twice else trial.run(place)
                counts[f"{trial.name} {trial.code}"] += 1
                kind = None if wrong is None else (trial.name, wrong.strip().splitlines()[-1])
                if kind is not None and kind not in seen:
                    seen.add(kind)
                    say_error(f"{trial.name}: {wrong.strip().splitlines()[-1]}")
                    kept = args.findings / f"{trial.name} {len(seen)}"
                    shutil.copytree(place, kept, dirs_exist_ok=True)
                    (kept / "finding.txt").write_text(f"{wrong}\n{trial.arguments}", errors="backslashreplace")
            shutil.rmtree(place)
    say(f"runs by command and exit code: {', '.join(f'{name}: {count}' for name, count in sorted(counts.items()))}")
    say(f"{counts.total()} runs of commands, {len(seen)} findings in {args.findings}")
    return SOME_FAILED if seen else DONE


def _good_files(folder: Path) -> Path:
    """A usable motion, eval file and clip."""
    import numpy as np

    from motion_rep.kinematics.frames import y_up_from_z_up
    from motion_rep.motions.layout import unpack
    from motion_rep.motions.motion_file import write_motion
    from motion_rep.safe_loading.torch_files import write_torch
    from motion_rep.video.writing import open_writer
    from scripts.dev.fuzz_targets import good_motion

    folder.mkdir(parents=True)
    motion = good_motion()
    write_motion(folder / "good.pt", motion)
    write_torch(folder / "eval.pt", {"joints": y_up_from_z_up(unpack(motion.motion).joints).contiguous(), "fps": 16.0})
    with open_writer(folder / "clip.mp4", 64, 64, 16.0) as writer:
        for _ in range(6):
            writer.write(np.zeros((64, 64, 3), np.uint8))
    return folder


def _trials(place: Path, chance: random.Random, server: str) -> list[Trial]:
    from motion_gating.apply_quality_gate import main as gate
    from motion_gating.build_report import main as page
    from motion_gating.evaluate_gate import main as evaluate
    from motion_gating.export_for_tm2m import main as export
    from motion_gating.export_labels import main as label
    from motion_gating.make_archive import main as make
    from motion_gating.rank_candidates import main as rank
    from motion_gating.render_mbench_videos import main as render
    from motion_rep.convert_hmr_to_motion import main as convert

    inputs, out = place / "inputs", place / "out"
    archive, report, verdicts = (inputs / f"{name}.json" for name in ("archive", "report", "verdicts"))
    # Usually only one file has odd values, so that the others are read to their end.
    odd = chance.choice(("archive", "report", "verdicts", "all"))
    for path, make_one, keys in (
        (archive, _entry, ENTRY_KEYS),
        (report, _record, RECORD_KEYS if chance.random() < 0.5 else RECORD_KEYS[6:]),
        (verdicts, _verdict, VERDICT_KEYS if chance.random() < 0.3 else ("analysis",)),
    ):
        whole = [make_one(number) for number in range(chance.randrange(1, 5) if odd == "all" else 4)]
        _write(path, _with_faults(whole, keys, chance) if odd in (path.stem, "all") else whole, chance)
    out.mkdir()
    fail = ["--failures", str(out / "failures.json")]
    fields = chance.choice(([], [], ["--video-field", "id"], ["--prompt-field", "judged_content"]))
    common = ["--meta-json", str(archive)]
    manual = ["--judge", "manual", "--verdicts", str(verdicts)]
    decided = ["--quality-report", str(out / "q.json"), "--output-json", str(out / "gated.json"), "--any-fps"]
    size = ["--width", "16", "--height", "16", "--workers", "0"]
    shown = ["--output", str(out / "page"), "--no-side-view", "--workers", "0", "--copy-media"]
    drawn = ["--output-json", str(out / "rendered.json"), "--output-dir", str(out / "r"), *size]
    labelled = ["--labels", str(verdicts), "--quality-report", str(report), "--output", str(out / "e.json")]
    texts = inputs / "prompts.csv"
    texts.write_text("name,prompt\n" + "\n".join(f"n{chance.choice(ODD_VALUES)},p" for _ in range(3)), errors="replace")
    outputs = [out / name for name in ("q.json", "gated.json", "failures.json", "q.run.json")]
    trials = [
        Trial("gate", gate, [*common, *decided, *manual, *fields, *fail], outputs),
        Trial("gate again", gate, [*common, *decided, "--judge", "none", "--on-undecided", "reject"], outputs),
        Trial("page", page, [*common, "--quality-report", str(report), *shown, *fail], [out / "failures.json"]),
        Trial("evaluate", evaluate, labelled, [out / "e.json"]),
        Trial("make", make, [str(inputs / "m"), str(texts), "-o", str(out / "made.json")], [out / "made.json"]),
        Trial("export", export, [*common, "--vimogen-root", str(place), "-o", str(out / "t.json")], [out / "t.json"]),
    ]
    ranked, labels = [out / "ranked.json", out / "ranked_candidates.json"], out / "labels.json"
    reported = [*common, "--quality-report", str(report)]
    trials.append(Trial("rank", rank, [*reported, "-o", str(ranked[0]), "--judge", "none", *fields], ranked))
    form = chance.choice(("label-studio", "fiftyone"))
    labelling = [*reported, "--format", form, "-o", str(labels), "--verdicts", str(verdicts), *fields]
    trials.append(Trial("labels", label, labelling, [labels]))
    asked = [
        "--judge",
        "openai",
        "--vlm-model",
        "m",
        "--vlm-base-url",
        server,
        "--call-timeout",
        "1",
        "--deadline",
        "3",
    ]
    quick = ["--retry-delay", "0.01", "--cache-dir", str(out / "cache")]
    trials.append(Trial("gate, odd server", gate, [*common, *decided, *asked, *quick, *fail], outputs))
    at_once = [*manual, "--quality-report", str(out / "two.json"), "--output-json", str(out / "two_gated.json")]
    trials.append(Trial("gate twice at once", gate, [*common, *at_once, "--any-fps"], [out / "two.json"], twice=True))
    convert_all = ["-i", str(inputs / "c"), "-o", str(out / "motions"), "--workers", "0"]
    trials.append(Trial("convert twice at once", convert, convert_all, twice=True))
    drawing = Trial("render", render, [*common, *drawn, *fail], [out / "rendered.json", out / "failures.json"])
    return [*trials, drawing] if chance.random() < 0.3 else trials


def _entry(number: int) -> dict:
    paths = {"motion_path": "m/good.pt", "video_path": "m/clip.mp4", "mbench_eval_path": "m/eval.pt"}
    return {"id": number, "prompt": f"a person does {number}", "group": number // 2, **paths}


def _record(number: int) -> dict:
    return {"id": number, "jitter_degree": 0.01, "vlm_matches": True, "use_ref_motion": True, "reasons": []}


def _verdict(number: int) -> dict:
    return {"id": number, "matches": number != 3, "analysis": "seen"}


def _with_faults(values: list[dict], keys: tuple[str, ...], chance: random.Random) -> list[dict]:
    """One of the values with faults, or all of them."""
    if chance.random() < 0.7:
        values[0] = _odd(values[0], keys, chance)
        return values
    return [_odd(value, keys, chance) for value in values]


def _odd(value: dict, keys: tuple[str, ...], chance: random.Random) -> dict:
    """The same with a few keys changed, added or removed."""
    for _ in range(chance.choice((0, 1, 1, 2, 4))):
        key = chance.choice(keys)
        if chance.random() < 0.15:
            value.pop(key, None)
        else:
            value[key] = chance.choice(ODD_VALUES)
    return value


def _write(path: Path, value: list, chance: random.Random) -> None:
    text = json.dumps(value)
    if chance.random() < 0.05:
        text = text.replace(str(GIANT), "1" + "0" * 5000).replace("0.1", "1e999")
    path.write_text(text, encoding="utf-8")


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
