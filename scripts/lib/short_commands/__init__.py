"""The short commands: each runs a command of our packages, even if other packages have the same names.

A ViMoGen checkout has packages named motion_rep and motion_gating too. With ``PYTHONPATH=.`` Python would import those
instead of ours. This package is installed under another name, ``reference_motion_commands``; it first removes
folders with such packages from the search path.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

PACKAGES = ("motion_rep", "motion_gating")
# The checkout, or the folder into which pip installed the packages.
HOME = next(folder for folder in Path(__file__).resolve().parents if (folder / PACKAGES[0] / "__init__.py").is_file())


def __getattr__(name: str) -> Callable[[], int]:
    """The entry point of a command, by the name of its file."""
    package = next((package for package in PACKAGES if (HOME / package / f"{name}.py").is_file()), None)
    if package is None:
        raise AttributeError(name)
    return lambda: _run(f"{package}.{name}")


def _run(module: str) -> int:
    sys.path[:] = [folder for folder in sys.path if not _has_others(Path(folder))]
    importlib.invalidate_caches()
    for package in PACKAGES:
        found = Path(str(importlib.import_module(package).__file__)).resolve().parent
        if found != HOME / package:
            sys.stderr.write(
                f"error: {found}: is another package {package} than that of this toolkit in {HOME}. "
                f"Run the command by path: python {HOME / module.replace('.', '/')}.py\n"
            )
            return 2
    return int(importlib.import_module(module).main())


def _has_others(folder: Path) -> bool:
    """Whether a folder of the search path contains packages with our names that are not ours."""
    found = (folder / package for package in PACKAGES if (folder / package / "__init__.py").is_file())
    return any(package.resolve().parent != HOME for package in found)
