"""Packages that are imported on first use, because they may be missing or take long to load."""

from __future__ import annotations

import importlib
from importlib import metadata
from typing import Any

from motion_rep.common.errors import UsageError, one_line


def optional_module(name: str, package: str, user: str) -> Any:
    """A module of a package that may be missing.

    Args:
        name: of the module.
        package: its name for pip.
        user: what needs it, the start of the error message.
    Raises:
        UsageError: it cannot be imported.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        why = "" if isinstance(error, ModuleNotFoundError) else f" ({one_line(error)[:120]})"
        raise _missing(package, user, why) from None


def require_package(package: str, user: str) -> None:
    """Check that a package is installed, without importing it.

    Raises:
        UsageError: it is not.
    """
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError:
        raise _missing(package, user) from None


def _missing(package: str, user: str, why: str = "") -> UsageError:
    return UsageError(f"{user} needs the package {package}{why}. Install it with: pip install {package}")
