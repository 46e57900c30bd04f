"""List an archive's entries for the shell wrappers: id, safe file name and prompt, each followed by a NUL byte."""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_gating.archives.archive import Entry, entry_id, read_entries
from motion_rep.common.command_line import Parser, run_command
from motion_rep.common.errors import UsageError
from motion_rep.common.overwriting import folder_path, read_path, refuse_overwriting
from motion_rep.files.local_files import OutputNames

# A video model needs a description of the scene, not only of the motion.
PROMPT_FIELDS = ("prompt_video_detailed", "prompt")


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("archive", type=read_path, help="JSON list or JSON lines")
    parser.add_argument(
        "--output-dir", type=folder_path, help="where the videos will be; names of older ones there are kept"
    )
    parser.add_argument("--prompt-field", help="default: prompt_video_detailed where an entry has it, else prompt")
    return parser


def prompt_of(entry: Entry, field: str | None) -> str:
    """The text to make a video from.

    Raises:
        UsageError: the field is missing or empty, or its text cannot be a command-line argument.
    """
    fields = (field,) if field else PROMPT_FIELDS
    found = next((entry[name] for name in fields if entry.get(name)), None)
    if not isinstance(found, str) or not found.strip():
        raise UsageError(
            f"entry {entry_id(entry)!r} has no text in {' or '.join(fields)}. "
            "Add it, or name another field with --prompt-field."
        )
    if "\0" in found:
        raise UsageError(f"entry {entry_id(entry)!r} has a NUL character in its prompt. Remove it.")
    return found


def _run(args) -> int:
    rows: list[str] = []
    names = OutputNames(args.output_dir, ".mp4")
    for entry in read_entries(args.archive):
        identifier = entry_id(entry)
        rows += [str(identifier).replace("\0", ""), names.of(identifier), prompt_of(entry, args.prompt_field)]
    if args.output_dir is not None:
        written = [args.output_dir / f"{name}.mp4{record}" for name in rows[1::3] for record in ("", ".json")]
        refuse_overwriting((("--output-dir", path) for path in written), [("--archive", args.archive)])
    sys.stdout.buffer.write("".join(text + "\0" for text in rows).encode("utf-8", "replace"))
    return 0


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    return run_command(_run, build_parser().parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())
