"""A small batch for the review page's tests: every kind of decision, a broken file, and texts that try to be markup."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from sample_motions import smooth_clip

from motion_gating import build_report
from motion_rep.kinematics.frames import y_up_from_z_up
from motion_rep.motions.layout import unpack
from motion_rep.motions.motion_file import write_motion
from motion_rep.video.writing import open_writer

MARKUP = (
    "<img src=x onerror=\"document.title='hacked'\"> "
    "</script><script>document.title='hacked'</script> & 'quotes' \"too\""
)
LARGE_ID = 12345678901234567890


def write_clip(path: Path, frames: int = 30, fps: float = 16.0, size: int = 64) -> None:
    """A video whose square moves to the right, so that a frame can be told by its picture."""
    with open_writer(path, size, size, fps) as writer:
        for number in range(frames):
            picture = np.full((size, size, 3), 255, np.uint8)
            picture[20:40, number : number + 12] = (20, 120, 200)
            writer.write(picture)


def write_eval(path: Path, clip, fps: float | None = 16.0) -> None:
    joints = y_up_from_z_up(unpack(clip.motion).joints).contiguous()
    torch.save({"joints": joints, **({} if fps is None else {"fps": fps})}, path)


def record(identifier, jitter=0.01, matches: bool | None = True, **more) -> dict:
    """A record as the gate writes it."""
    passes = None if matches is None else matches and jitter < 0.04
    failed = [name for name, wrong in (("jitter_degree", jitter >= 0.04), ("vlm", matches is False)) if wrong]
    known = {
        "reasons": [f"jitter_degree {jitter:g} is measured", f"manual says {matches}"],
        "failed_checks": failed,
        "judge": "manual",
    }
    figures = {
        "mbench_foot_sliding": 0.004,
        "ground_penetration": 0.0,
        "foot_clearance": 0.012,
        "dynamic_degree": 0.03,
    }
    worst = {
        "worst_half_second": {
            "first_frame": 8,
            "last_frame": 16,
            "start_seconds": 0.5,
            "end_seconds": 1.0,
            "jitter_degree": jitter,
        }
    }
    documented = {
        "id": identifier,
        "jitter_degree": jitter,
        "vlm_analysis": "It moves.",
        "vlm_matches": matches,
        "use_ref_motion": passes,
    }
    return {**documented, **known, **figures, **worst, **more}


def make_batch(folder: Path) -> tuple[Path, Path]:
    """Six entries in ``folder``; returns the archive and the report."""
    folder.mkdir(parents=True, exist_ok=True)
    clip = smooth_clip(31, seed=2)
    write_motion(folder / "walk.pt", clip)
    write_eval(folder / "walk_eval.pt", clip)
    write_clip(folder / "lit one.mp4")
    write_clip(folder / "walk_overlay.mp4", frames=60, fps=32.0)
    whole = {"motion_path": "walk.pt", "video_path": "lit one.mp4", "mbench_eval_path": "walk_eval.pt"}
    entries = [
        {"id": 0, "prompt": "a person walks", **whole, "overlay_path": "walk_overlay.mp4"},
        {"id": "seven", "prompt": MARKUP, **whole},
        {"id": LARGE_ID, "prompt": "a person trembles", **whole},
        {"id": 3, "prompt": "a person sits; nobody could say", **whole},
        {"id": "../4", "prompt": "a person whose video is gone", **whole, "video_path": "gone.mp4"},
        {"id": 5, "prompt": "a person whom nobody examined"},
    ]
    error = {"vlm_error": "the service was busy", "vlm_error_kind": "busy"}
    records = [
        record(0),
        record("seven", matches=False, vlm_analysis=MARKUP),
        record(LARGE_ID, jitter=0.11),
        record(3, matches=None, **error),
        record("../4", jitter=0.02),
    ]
    (folder / "meta.json").write_text(json.dumps(entries))
    (folder / "report.json").write_text(json.dumps(records))
    (folder / "report.run.json").write_text(
        json.dumps({"limits": {"jitter_degree": 0.05}, "finished": "2026-01-02T03:04:05+00:00", "judge": "manual"})
    )
    return folder / "meta.json", folder / "report.json"


def build(meta: Path, report: Path | None, output: Path, *more: object) -> int:
    given = [] if report is None else ["--quality-report", report]
    return build_report.main([str(part) for part in ("--meta-json", meta, *given, "--output", output, *more)])


def page_data(output: Path) -> dict:
    """The data inside a page."""
    text = (output / "index.html").read_text()
    start = text.index('<script type="application/json" id="data">') + len('<script type="application/json" id="data">')
    return json.loads(text[start : text.index("</script>", start)])


def entry_details(output: Path, key: str) -> dict:
    """What the page loads for one entry."""
    text = (output / "entries" / f"{key}.js").read_text()
    assert text.startswith("reviewEntry(") and text.endswith(");\n")
    return json.loads(f"[{text[len('reviewEntry(') : -3]}]")[1]
