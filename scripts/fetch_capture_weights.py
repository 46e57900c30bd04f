"""Fetch the preview capture's two landmark networks from the mediapipe wheel on PyPI; check their sha256."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from motion_rep.common.command_line import DONE, Parser, command_main
from motion_rep.common.errors import InputError, UsageError, one_line
from motion_rep.common.messages import say
from motion_rep.common.overwriting import folder_path, read_path
from motion_rep.files.atomic_writing import require_folder, write_bytes
from motion_rep.preview_capture.weights import (
    DEFAULT_FOLDER,
    LICENCE,
    WEIGHT_FILES,
    WHEEL_REQUIREMENT,
    WHEEL_TAGS,
    is_intact,
    require_weights,
)


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("--folder", type=folder_path, default=DEFAULT_FOLDER, help="folder for the files")
    parser.add_argument(
        "--wheel",
        type=read_path,
        help=f"a wheel of {WHEEL_REQUIREMENT} that is already on this machine, instead of a download",
    )
    parser.add_argument("--check-only", action="store_true", help="fetch nothing; exit with 2 if a file is missing")
    return parser


def _run(args) -> int:
    if args.check_only:
        for file in WEIGHT_FILES:
            require_weights(file, args.folder)
        return DONE
    if all(is_intact(file, args.folder) for file in (*WEIGHT_FILES, LICENCE)):
        say(f"{args.folder}: the landmark networks are already there.")
        return DONE
    require_folder(args.folder)
    if args.wheel:
        unpack(args.wheel, args.folder)
    else:
        with tempfile.TemporaryDirectory() as folder:
            unpack(download(Path(folder)), args.folder)
    say(f"{args.folder}: fetched {', '.join(file.name for file in WEIGHT_FILES)} ({WHEEL_REQUIREMENT}, Apache-2.0).")
    return DONE


def download(folder: Path) -> Path:
    """Download the wheel with pip; the same file for every system, because only data is extracted from it.

    Raises:
        UsageError: pip is missing or could not get it.
    """
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--retries",
        "2",
        "--no-deps",
        "--only-binary=:all:",
        *WHEEL_TAGS,
        "--dest",
        str(folder),
        WHEEL_REQUIREMENT,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        said = one_line(done.stderr)[-160:] or f"pip ended with {done.returncode}"
        raise UsageError(
            f"{WHEEL_REQUIREMENT}: could not be downloaded ({said}). Connect to the internet and re-run this command, "
            "or give the wheel with --wheel."
        )
    return wheels[0]


def unpack(wheel: Path, folder: Path) -> None:
    """Take the networks and the licence out of a wheel.

    Raises:
        InputError: not the pinned wheel: a member is missing or its sha256 differs.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            contents = {file: archive.read(file.member) for file in (*WEIGHT_FILES, LICENCE)}
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{wheel}: is not the wheel of {WHEEL_REQUIREMENT}: {one_line(error)}. Download it again."
        ) from None
    for file, data in contents.items():
        if not file.matches(data):
            raise InputError(
                f"{wheel}: {file.member} has another sha256 than the file that this project was tested with. Get "
                f"{WHEEL_REQUIREMENT} from PyPI."
            )
    for file, data in contents.items():
        write_bytes(folder / file.name, data)


main = command_main(build_parser, _run)
if __name__ == "__main__":
    raise SystemExit(main())
