"""Imports run one way: between packages, between folders and between files; and importing a command costs nothing."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from checkout import REPO

# A folder imports only from folders to its left; commands, at the top of a package, import from all of them.
ORDER = {
    "motion_rep": (
        *("common", "files", "safe_loading", "kinematics", "measures", "bodies", "video", "runs", "captures"),
        *("motions", "refining", "describing", "preview_capture", "hmr_results", "hmr_formats", "conversion"),
        *("exporters", "representations", "drawing", "viewer"),
    ),
    "motion_gating": (
        *("archives", "rendering", "metrics", "verdicts", "judges", "gate", "evaluation", "ranking", "review_page"),
        *("label_tools", "preparing"),
    ),
}
MOST_FILES = 18
# Copied into checkouts of other projects, where they import that project's files.
DROP_INS = ("smplest_x_scripts", "camerahmr_scripts", "sam_3d_body_scripts")
HEAVY = (
    "torch",
    "numpy",
    "cv2",
    "smplx",
    "mannequin",
    "google",
    "scipy",
    "av",
    "PIL",
    "trimesh",
    "pyrender",
    "OpenGL",
)
COMMANDS = (
    "motion_rep.convert_hmr_to_motion",
    "motion_rep.refine_motion",
    "motion_rep.motion_checker",
    "motion_gating.render_mbench_videos",
    "motion_gating.apply_quality_gate",
    "motion_gating.evaluate_gate",
    "motion_gating.build_report",
    "motion_gating.rank_candidates",
    "motion_gating.make_archive",
    "motion_gating.export_for_tm2m",
    "motion_gating.prepare_motions",
    "motion_gating.export_labels",
    "motion_rep.inspect_capture",
    "motion_rep.capture_preview",
    "motion_rep.export_motion",
    "motion_rep.convert_representation",
    "motion_rep.plot_motion",
    "motion_rep.describe_motion",
)
DEPENDENCIES = (
    *HEAVY,
    *("imageio", "tqdm", "roma", "pytest", "hypothesis", "openai"),
)


def source_files() -> dict[str, Path]:
    """Dotted module name -> file of both packages."""
    files = [path for package in ORDER for path in sorted((REPO / package).rglob("*.py"))]
    kept = [path for path in files if not set(path.relative_to(REPO).parts) & {*DROP_INS, "__pycache__"}]
    return {module_name(path): path for path in kept}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(REPO).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path) -> set[str]:
    """Project modules that a file imports anywhere, also within functions; a name from a package counts as its module
    where it is one.
    """
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports do not survive being run by path"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found & set(FILES)


FILES = source_files()


@cache
def graph() -> dict[str, set[str]]:
    """What each module imports; not made where tests are only collected."""
    return {name: imports_of(path) - {name, *ORDER} for name, path in FILES.items()}


def folder_of(module: str) -> tuple[str, str]:
    """(package, folder); the folder of a file at the top of a package is empty."""
    package, *rest = module.split(".")
    return package, rest[0] if len(rest) > 1 or (rest and FILES[module].name == "__init__.py") else ""


def test_there_is_something_to_check():
    assert len(graph()) > 40 and graph()["motion_rep.motions.encoding"] >= {
        "motion_rep.motions.layout",
        "motion_rep.kinematics.parameters",
    }


def test_the_library_knows_nothing_of_the_gate():
    backwards = {
        name: found
        for name, imports in graph().items()
        if name.startswith("motion_rep") and (found := [i for i in imports if i.startswith("motion_gating")])
    }
    assert not backwards


@pytest.mark.parametrize("package", ORDER)
def test_a_folder_imports_only_from_folders_to_its_left(package):
    place = {name: number for number, name in enumerate((*ORDER[package], ""))}
    wrong = []
    for module, imports in graph().items():
        own_package, own = folder_of(module)
        for imported in imports:
            other_package, other = folder_of(imported)
            if (own_package, other_package) == (package, package) and own != other and place[own] < place[other]:
                wrong.append(f"{module} imports {imported}")
    assert not wrong


@pytest.mark.parametrize("package", ORDER)
def test_the_order_names_every_folder_and_the_top_holds_only_commands(package):
    folders = {folder_of(module)[1] for module in FILES if module.startswith(f"{package}.")} - {""}
    assert folders == set(ORDER[package])
    top = {name for name in FILES if name.startswith(f"{package}.") and not folder_of(name)[1]}
    assert top == {name for name in COMMANDS if name.startswith(f"{package}.")}


@pytest.mark.parametrize("package", ORDER)
def test_the_readme_names_the_folders_that_are_there_in_their_order(package):
    text = (REPO / package / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`\w+/`(?:, `\w+/`)*) \|", text, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`(\w+)/`", row)]
    there = {path.name for path in (REPO / package).iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert sorted(named) == sorted(there)
    assert [name for name in named if name not in DROP_INS] == list(ORDER[package])


def test_a_folder_that_lists_its_files_lists_all_in_the_order_of_their_imports():
    listed = {
        name: re.findall(r"^\| `(\w+)\.py`", path.read_text(encoding="utf-8"), re.M) for name, path in FILES.items()
    }
    listed = {name: files for name, files in listed.items() if files}
    assert listed
    for folder, files in listed.items():
        assert sorted(files) == sorted(path.stem for path in FILES[folder].parent.glob("*.py") if path != FILES[folder])
        modules = [f"{folder}.{name}" for name in files]
        for number, module in enumerate(modules):
            assert not graph()[module] & set(modules[number + 1 :]), module


@pytest.mark.parametrize("package", ORDER)
def test_no_folder_is_crowded(package):
    counts = {folder: len(list(folder.glob("*.py"))) for folder in (REPO / package).rglob("*") if folder.is_dir()}
    assert {str(folder): count for folder, count in counts.items() if count > MOST_FILES} == {}


def test_nothing_in_the_packages_imports_tests_or_scripts():
    for path in FILES.values():
        roots = {
            name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            for name in names_of(node)
        }
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
            for imported in graph()[name]:
                walk(imported, (*above, name))
            done.add(name)

    for name in graph():
        walk(name, ())


def test_no_file_has_the_name_of_a_library():
    """A script run by path puts its own folder first on the search path."""
    taken = {name.lower() for name in (*sys.stdlib_module_names, *DEPENDENCIES)}
    everywhere = [
        path
        for folder in (*ORDER, "scripts", "tests")
        for path in (REPO / folder).rglob("*.py")
        if not {"stand_ins", "node_modules"} & set(path.parts)
    ]
    assert len(everywhere) > 60
    assert [str(path) for path in everywhere if path.stem.lower() in taken] == []


@pytest.mark.parametrize("module", COMMANDS)
def test_importing_a_command_imports_nothing_heavy_and_touches_nothing(module, tmp_path):
    code = (
        f"import os, sys; before = dict(os.environ), sorted(os.listdir()); import {module}; "
        f"assert before == (dict(os.environ), sorted(os.listdir())); print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPO), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(FILES))
def test_nothing_prints_outside_commands_and_nothing_asserts(name):
    tree = ast.parse(FILES[name].read_text(encoding="utf-8"))
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert "print" not in called
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]
