"""The remaining steps in a ViMoGen checkout, with the names used in its own files."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from motion_rep.files.local_files import require_given_folder

ENCODER = "text_encoding_batch.py"
CONFIG = "configs/tm2m_infer.yaml"
# The encoder's option for the archive: the first one about JSON that is not about the output.
ARCHIVE_OPTION = re.compile(r"""add_argument\(\s*['"](--(?!\w*out)\w*json\w*)['"]""")


def require_checkout(root: Path | None) -> None:
    """Check the folder of ``--vimogen-root``, if given.

    Raises:
        UsageError: there is no such folder.
    """
    require_given_folder("--vimogen-root", root, "Give your checkout of ViMoGen.")


def next_steps(root: Path, archive: str, text_key: str) -> Iterator[str]:
    """The commands and config lines that lead from an exported archive to generated motions, for the user.

    Args:
        root: folder of the checkout, in which the commands run.
        archive: its path from ``root``.
        text_key: the field whose text the model reads.
    """
    yield "1. make the text embeddings:"
    yield f"   {_encoding(root, archive, text_key)}"
    yield f"2. name the archive in {_config(root)}:"
    yield f"   test_json_file_list: [{archive}]"
    yield f"   text_key: {text_key}"
    yield "3. generate:"
    yield f"   {_inference(root)}"


def archive_name(archive: Path, root: Path) -> str:
    """The path of an archive relative to the root of a checkout, if it is below it."""
    archive, root = archive.resolve(), root.resolve()
    return archive.relative_to(root).as_posix() if archive.is_relative_to(root) else str(archive)


def _encoding(root: Path, archive: str, text_key: str) -> str:
    found = _first(root, ENCODER, f"*/{ENCODER}", f"*/*/{ENCODER}")
    option = ARCHIVE_OPTION.search((root / found).read_text(errors="replace")) if found else None
    words = ["python", found or ENCODER, *((option[1], archive) if option else ()), "--text_key", text_key]
    return shlex.join(words) + ("" if option else f"   (on {archive}; --help names the option for it)")


def _config(root: Path) -> str:
    return _first(root, CONFIG, "configs/*tm2m*infer*.y*ml", "configs/**/*tm2m*infer*.y*ml") or CONFIG


def _inference(root: Path) -> str:
    """The checkout's script that runs the config, if there is one."""
    config = Path(_config(root)).name
    scripts = sorted(path for pattern in ("*.sh", "scripts/*.sh", "scripts/*/*.sh") for path in root.glob(pattern))
    for path in scripts:
        if config in path.read_text(errors="replace"):
            return shlex.join(["bash", path.relative_to(root).as_posix()])
    return f"the TM2M inference command of ViMoGen's README, with {_config(root)}"


def _first(root: Path, *patterns: str) -> str | None:
    """The first file that matches, as a path from the root."""
    found = (path for pattern in patterns for path in sorted(root.glob(pattern)) if path.is_file())
    return next((path.relative_to(root).as_posix() for path in found), None)
