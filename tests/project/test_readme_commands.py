"""Every command that a README shows is run, in the order of the text, in a copy of the checkout."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import REPO
from ffmpeg_support import ffmpeg
from forked_script import run_forked
from gate_support import GeminiProtocol, Service, always, environment
from hmr_layouts import known_person, write_4dhumans

# In this order: later ones use what the first one made.
READMES = (
    "README.md",
    "data_samples/README.md",
    "motion_rep/README.md",
    "motion_rep/hmr_formats/README.md",
    "motion_rep/preview_capture/README.md",
    "motion_gating/README.md",
    "scripts/README.md",
)
# What set-up, tests of their own, or a browser's user runs; each is tested elsewhere.
TESTED_ELSEWHERE = (
    "bash scripts/test.sh",
    "bash scripts/demo.sh",
    "bash scripts/setup_environment.sh",
    "bash scripts/dev/fuzz.sh",
    "python scripts/view_motion.py",
    "python -m pip",
)
# Take minutes, or need packages that users do not; their own tests run them small.
LONG = (
    "python scripts/dev/evaluate_capture.py",
    "python scripts/dev/benchmark.py",
    "python scripts/dev/make_sample_video.py",
    "python scripts/dev/make_readme_pictures.py",
    "python scripts/dev/train_capture_lifting.py",
)
# Added to a command: small pictures are made in the same way. Defaults have tests of their own.
SMALL = {
    "motion_gating/render_mbench_videos.py": ["--width", "240", "--height", "240"],
    "motion_gating/build_report.py": ["--side-size", "96"],
}
# As many frames are taken from the video whose person is captured.
FRAMES = 48
# test_remote_files.py does these with a server of its own.
REMOTE = "s3://"
COMMAND = re.compile(r"^(?: {4})?((?:python|bash|cp|mkdir) .+)$")


def commands_of(text: str) -> list[str]:
    """Shell lines of a README, with lines that end in a backslash joined."""
    joined = re.sub(r"\s*\\\n\s*", " ", text)
    return [match.group(1).split("  #")[0].strip() for line in joined.splitlines() if (match := COMMAND.match(line))]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A copy of the checkout as a clone would be, with the downloaded weights where they are there."""
    copy = tmp_path_factory.mktemp("read me") / "checkout"
    ignored = shutil.ignore_patterns(
        ".git",
        ".venv",
        "node_modules",
        "__pycache__",
        "data",
        "demo_output",
        "out",
        "*.egg-info",
        ".*_cache",
        ".hypothesis",
    )
    shutil.copytree(REPO, copy, ignore=ignored)
    if (REPO / "data").is_dir():
        shutil.copytree(REPO / "data", copy / "data")
    sample = copy / "data_samples" / "sample_video.mp4"
    ffmpeg("-i", REPO / "data_samples" / sample.name, "-frames:v", FRAMES, sample)
    write_4dhumans(copy, {3: known_person(20)}, {}, 20).rename(copy / "demo_clip.pkl")
    (copy / "outputs" / "results").mkdir(parents=True, exist_ok=True)
    (copy / "demo_clip.pkl").rename(copy / "outputs" / "results" / "demo_clip.pkl")
    for reviewer in ("Ann", "Bea"):  # what the page of each exports
        shutil.copyfile(copy / "data_samples/human_verdicts.json", copy / f"{reviewer}.json")
    return copy


def shown_in(text: str) -> list[str]:
    """The lines of output that a README shows: indented blocks without a command."""
    blocks = re.findall(r"(?:^ {4}\S.*\n)+", text, re.MULTILINE)
    return [line[4:] for block in blocks if not commands_of(block) for line in block.splitlines()]


def pattern_of(line: str) -> str:
    """A shown line with any numbers, any spaces between words, and anything in place of three points."""
    words = (re.escape(word).replace(r"\.\.\.", ".*") for word in line.split())
    return r"\s+".join(re.sub(r"\d+(\\\.\d+)?", r"\\d+(\\.\\d+)?", word) for word in words)


@pytest.mark.timeout(1500)
def test_the_commands_in_the_readmes_run_and_print_what_the_first_one_shows(checkout):
    failed: list[str] = []
    printed: list[str] = []
    with Service(always(GeminiProtocol.answer())) as service:
        for readme in READMES:
            path = checkout / readme
            variables = environment(key=None) if readme == READMES[0] else environment(service)
            for command in commands_of(path.read_text(encoding="utf-8")) if path.is_file() else ():
                if not command.startswith((*TESTED_ELSEWHERE, *LONG)) and REMOTE not in command:
                    failed += run(command, checkout, variables, printed)
    assert not failed, "\n".join(failed)
    shown = shown_in((checkout / "README.md").read_text(encoding="utf-8"))
    assert len(shown) > 10
    assert [line for line in shown if not re.search(pattern_of(line), "".join(printed))] == []
    assert (checkout / "out" / "circle_walk_overlay.mp4").stat().st_size > 10_000


def test_the_python_lines_of_the_main_readme_run(checkout):
    (lines,) = re.findall(r"^```python\n(.*?)^```", (checkout / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    assert len([line for line in lines.splitlines() if line]) <= 6
    (checkout / "out").mkdir(exist_ok=True)
    done = subprocess.run([sys.executable, "-c", lines], cwd=checkout, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")
    assert (checkout / "out" / "squat.pt").stat().st_size and (checkout / "out" / "squat.png").stat().st_size


def test_the_main_readme_is_short():
    assert len((REPO / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_commands_are_found_in_text():
    text = "words\n\n    python a.py --x 1  # why\n```\nbash b.sh \\\n  --y\n```\n    not python c.py\n"
    assert commands_of(text) == ["python a.py --x 1", "bash b.sh --y"]


@pytest.mark.parametrize("readme", READMES)
def test_every_readme_shows_commands_and_its_links_lead_somewhere(readme):
    text = (REPO / readme).read_text(encoding="utf-8")
    assert commands_of(text)
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert link.startswith("http") or (REPO / readme).parent.joinpath(link).exists(), link


@pytest.mark.parametrize("command", [*TESTED_ELSEWHERE[:5], *LONG])
def test_commands_that_are_not_run_here_exist(command):
    assert (REPO / command.split()[1]).is_file()


def run(command: str, checkout: Path, variables: dict[str, str], printed: list[str]) -> list[str]:
    """One line if the command does not end well; entries of the samples are rejected, but none may fail.

    printed: gets the output of the command.
    """
    words = shlex.split(command)
    words += SMALL.get(words[1], [])
    variables = {**variables, "PYTHON": sys.executable, "WAN_ROOT": str(checkout), "PATH": os.environ["PATH"]}
    if words[0] == "python":
        done = run_forked(words[1:], checkout, variables)
    else:
        done = subprocess.run(words, cwd=checkout, env=variables, capture_output=True, text=True, timeout=400)
    printed.append(done.stdout)
    if "evaluate_gate.py --controls" in command:  # the stand-in says yes to everything, so it must be found out
        return [] if done.returncode == 1 and "the judge is blind" in done.stderr else [f"{command}\n  {done.stderr}"]
    expected = 1 if "no judge was asked" in done.stdout else 0  # an undecided entry is no success
    wrong = [f"{command}\n  exit {done.returncode}: {done.stderr.strip()[-400:]}"]
    return wrong if done.returncode != expected else []
