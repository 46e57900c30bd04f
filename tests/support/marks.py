"""Which tests carry which marker and time limit: by the file they are in, or by a fixture they use."""

from __future__ import annotations

import os
from fnmatch import fnmatch

import pytest
from checkout import REPO

# File pattern below tests/ -> markers. A pattern that matches no file fails tests/project/test_test_suite.py.
FILES = {
    "scripts/*": ("slow",),
    "project/test_readme_commands.py": ("slow",),
    "project/test_hostile_input.py": ("slow",),
    "motion_rep/drop_ins/*": ("slow",),
    "motion_rep/preview_capture/*": ("slow",),
    "motion_rep/runs/*": ("slow",),
    "motion_rep/runs/test_failing_calls.py": ("kill",),
    "motion_rep/runs/test_full_disk.py": ("kill",),
    "motion_rep/runs/test_lost_drive.py": ("kill",),
    "motion_rep/runs/test_resume.py": ("kill",),
    "motion_rep/runs/test_ray_kills.py": ("kill", "network"),
    "motion_rep/runs/test_ray_engine.py": ("network",),
    "scripts/test_chain_resume.py": ("kill",),
    "motion_gating/gate/test_gate_runs.py": ("slow", "network"),
    "motion_gating/judges/test_gate_services.py": ("slow", "network"),
}
# Files that take the longest, worst first: they begin first, so that no core is left with one of them at the end.
FIRST = (
    "project/test_readme_commands.py",
    "scripts/test_chain_resume.py",
    "scripts/test_prepare_custom_motion.py",
    "motion_rep/runs/*",
    "scripts/*",
    "motion_rep/preview_capture/*",
    "motion_gating/gate/*",
)
FIXTURES = {"gl": "gl", "browser": "browser", "s3": "network", "bucket": "network", "viewer": "network"}
# Seconds for one test; pyproject.toml has the limit of the others. FULL_KILL_LOOP=1 repeats each kill test many times.
LIMITS = {"slow": 300, "network": 300, "browser": 300, "kill": 3600 if os.environ.get("FULL_KILL_LOOP") else 600}


def marks_of(path: str, fixtures: list[str]) -> set[str]:
    """Markers of a test, by its file (relative to tests/) and its fixtures; ``quick`` where there is no other."""
    found = {mark for pattern, marks in FILES.items() if fnmatch(path, pattern) for mark in marks}
    return found | {mark for fixture, mark in FIXTURES.items() if fixture in fixtures}


def turn_of(path: str) -> int:
    """Place of a test file in the order in which files begin."""
    return next((place for place, pattern in enumerate(FIRST) if fnmatch(path, pattern)), len(FIRST))


def _below_tests(item: pytest.Item) -> str:
    return item.path.relative_to(REPO / "tests").as_posix() if item.path.is_relative_to(REPO / "tests") else ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Add the markers, and put long files first; a test without a marker is quick."""
    items.sort(key=lambda item: turn_of(_below_tests(item)))
    for item in items:
        path = _below_tests(item)
        marks = marks_of(path, getattr(item, "fixturenames", [])) | {mark.name for mark in item.iter_markers()}
        parametrized = getattr(getattr(item, "callspec", None), "params", {})
        if parametrized.get("renderer") == "gl":
            marks.add("gl")
        if limits := [LIMITS[mark] for mark in marks & set(LIMITS)]:
            item.add_marker(pytest.mark.timeout(max(limits)), append=True)
        known = marks & {"slow", "kill", "gl", "browser", "network"}
        for mark in known or {"quick"}:
            item.add_marker(mark)
