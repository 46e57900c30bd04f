"""List an archive's entries for the shell wrappers: id, safe file name and prompt, each followed by a NUL byte."""

from __future__ import annotations

import sys
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_gating.archives.archive import Entry, entry_id, read_entries
from motion_gating.archives.fields import PROMPT, VIDEO_DETAILED
from motion_gating.archives.texts import text_note, text_of
from motion_rep.common.command_line import Parser, run_command, say_warning
from motion_rep.common.errors import UsageError
from motion_rep.common.overwriting import folder_path, read_path, refuse_overwriting
from motion_rep.files.local_files import OutputNames

# A video model needs a description of the scene, not only of the motion.
PROMPT_FIELDS = (VIDEO_DETAILED, PROMPT)


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("archive", type=read_path, help="JSON list or JSON lines")
    parser.add_argument(
        "--output-dir", type=folder_path, help="where the videos will be; names of older ones there are kept"
    )
    parser.add_argument("--prompt-field", help="default: prompt_video_detailed where an entry has it, else prompt")
    return parser


def prompt_field(entry: Entry, field: str | None) -> str:
    """The field that holds the text to make a video from.

    Raises:
        UsageError: the field is missing or empty, or its text cannot be a command-line argument.
    """
    fields = (field,) if field else PROMPT_FIELDS
    found = next((name for name in fields if text_of(entry, name) is not None), None)
    if found is None:
        raise UsageError(
            f"entry {entry_id(entry)!r} has no text in {' or '.join(fields)}. "
            "Add it, or name another field with --prompt-field."
        )
    if "\0" in str(text_of(entry, found)):
        raise UsageError(f"entry {entry_id(entry)!r} has a NUL character in its prompt. Remove it.")
    return found


def _run(args) -> int:
    rows: list[str] = []
    names = OutputNames(args.output_dir, ".mp4")
    for entry in read_entries(args.archive):
        identifier, field = entry_id(entry), prompt_field(entry, args.prompt_field)
        if note := text_note(entry, field):
            say_warning(f"entry {identifier!r}: {note}")
        rows += [str(identifier).replace("\0", ""), names.of(identifier), str(text_of(entry, field))]
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
