"""Commands answer --help at once: before their flags are read they import nothing that takes long."""

from __future__ import annotations

import subprocess
import sys

import pytest

from scripts.dev.measure_cold_starts import ROOT, main, scripts

HEAVY = {
    "torch",
    "numpy",
    "cv2",
    "scipy",
    "smplx",
    "mannequin",
    "trimesh",
    "pyrender",
    "matplotlib",
    "jinja2",
    "tqdm",
    "google.genai",
    "openai",
    "fsspec",
    "ray",
    "viser",
}


@pytest.mark.parametrize("script", [script for script in scripts() if script.endswith(".py")])
def test_help_imports_nothing_heavy(script, tmp_path):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", ROOT / script, "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 and done.stdout
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "argparse" in imported or "fuzz_parsers" in script
    assert not imported & HEAVY


def test_the_table_has_a_row_for_every_command_that_is_asked_for(capsys):
    assert main(["--runs", "1", "scripts/test.sh", "scripts/dev/fuzz.sh"]) in (0, 1)
    rows = capsys.readouterr().out.splitlines()
    assert [row.split("`")[1] for row in rows[2:]] == ["scripts/test.sh", "scripts/dev/fuzz.sh"]
