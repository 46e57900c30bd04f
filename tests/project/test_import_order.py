"""Imports run one way: ``motion_gating`` on ``motion_rep``, no file on itself; and importing a command costs nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from checkout import REPO

PACKAGES = ("motion_rep", "motion_gating")
# Copied into checkouts of other projects, where they import that project's files.
DROP_INS = ("smplest_x_scripts", "camerahmr_scripts")
HEAVY = ("torch", "numpy", "cv2", "smplx", "mannequin", "google", "scipy", "imageio_ffmpeg", "trimesh", "pyrender", "OpenGL")
COMMANDS = (
    "motion_rep.convert_hmr_to_motion",
    "motion_rep.motion_checker",
    "motion_gating.render_mbench_videos",
    "motion_gating.apply_quality_gate",
    "motion_gating.evaluate_gate",
    "motion_gating.build_report",
    "motion_rep.inspect_capture",
    "motion_rep.capture_preview",
    "motion_rep.export_motion",
    "motion_rep.plot_motion",
)
DEPENDENCIES = (
    *HEAVY,
    *("imageio", "tqdm", "roma", "pytest", "hypothesis", "PIL", "openai"),
)


def source_files() -> dict[str, Path]:
    """Dotted module name -> file of both packages."""
    files = [path for package in PACKAGES for path in sorted((REPO / package).rglob("*.py"))]
    kept = [path for path in files if not set(path.relative_to(REPO).parts) & {*DROP_INS, "__pycache__"}]
    return {module_name(path): path for path in kept}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(REPO).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path) -> set[str]:
    """Project modules that a file imports anywhere, also within functions; a name from a package counts as its module where it is one."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports do not survive being run by path"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found & set(FILES)


FILES = source_files()
GRAPH = {name: imports_of(path) - {name, *PACKAGES} for name, path in FILES.items()}


def test_there_is_something_to_check():
    assert len(GRAPH) > 40 and GRAPH["motion_rep.motions.encoding"] >= {"motion_rep.motions.layout", "motion_rep.kinematics.skeleton"}


def test_the_library_knows_nothing_of_the_gate():
    backwards = {name: found for name, imports in GRAPH.items() if name.startswith("motion_rep") if (found := [i for i in imports if i.startswith("motion_gating")])}
    assert not backwards


def test_nothing_in_the_packages_imports_tests_or_scripts():
    for path in FILES.values():
        roots = {name.split(".")[0] for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) for name in names_of(node)}
        assert not roots & {"tests", "scripts", "conftest"}, path


def names_of(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def test_no_file_imports_itself_through_others():
    done: set[str] = set()

    def walk(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above[above.index(name) :], name))
        if name not in done:
            for imported in GRAPH[name]:
                walk(imported, (*above, name))
            done.add(name)

    for name in GRAPH:
        walk(name, ())


def test_no_file_has_the_name_of_a_library():
    """A script run by path puts its own folder first on the search path."""
    taken = {name.lower() for name in (*sys.stdlib_module_names, *DEPENDENCIES)}
    everywhere = [path for folder in (*PACKAGES, "scripts", "tests") for path in (REPO / folder).rglob("*.py") if not {"stand_ins", "node_modules"} & set(path.parts)]
    assert len(everywhere) > 60
    assert [str(path) for path in everywhere if path.stem.lower() in taken] == []


@pytest.mark.parametrize("module", COMMANDS)
def test_importing_a_command_imports_nothing_heavy_and_touches_nothing(module, tmp_path):
    code = (
        f"import os, sys; before = dict(os.environ), sorted(os.listdir()); import {module}; "
        f"assert before == (dict(os.environ), sorted(os.listdir())); print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(REPO), "PATH": ""}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(FILES))
def test_nothing_prints_outside_commands_and_nothing_asserts(name):
    tree = ast.parse(FILES[name].read_text(encoding="utf-8"))
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert "print" not in called or name == "motion_rep.common.command_line"
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]
