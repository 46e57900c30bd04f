"""The short commands: each runs a command of the packages beside this file, whatever else has their names.

A ViMoGen checkout has packages named motion_rep and motion_gating too. With ``PYTHONPATH=.`` they would be imported in
place of ours; this module has a name of its own, and takes folders with such packages off the search path first.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

HOME = Path(__file__).resolve().parent
PACKAGES = ("motion_rep", "motion_gating")


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
    """Whether a folder of the search path holds packages with our names that are not ours."""
    return folder.resolve() != HOME and any((folder / package / "__init__.py").is_file() for package in PACKAGES)
