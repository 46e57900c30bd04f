"""List an archive's entries for the shell wrappers: id, file name, prompt, seed and the file name of earlier versions
(empty if it is the same), each followed by a NUL byte.

The seed is the entry's own. Entries without one get the first seed, or the next one that no entry with the same prompt
has. An entry without a usable text or seed is not listed, but named in an error line (exit code 1).
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_gating.archives.archive import Entry, InvalidEntry, entry_id, read_entries, require_valid
from motion_gating.archives.candidates import DEFAULT_SEED, distinct_seeds, seed_of
from motion_gating.archives.fields import PROMPT, VIDEO_DETAILED
from motion_gating.archives.texts import text_note, text_of
from motion_rep.common.command_line import DONE, SOME_FAILED, Parser, command_main
from motion_rep.common.errors import InputError, UsageError
from motion_rep.common.flag_values import whole_number
from motion_rep.common.messages import say_error, say_warning
from motion_rep.common.overwriting import folder_path, read_path, refuse_overwriting
from motion_rep.files.local_files import OutputNames

# A video model needs a description of the scene, not only of the motion.
PROMPT_FIELDS = (VIDEO_DETAILED, PROMPT)


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument("archive", type=read_path, help="JSON list or JSON lines")
    parser.add_argument("--output-dir", type=folder_path, help="folder of the videos; names of existing ones are kept")
    parser.add_argument(
        "--seed", type=whole_number, default=DEFAULT_SEED, help="the first seed for entries without one"
    )
    parser.add_argument("--prompt-field", help="default: prompt_video_detailed if an entry has it, else prompt")
    return parser


def prompt_field(entry: Entry, field: str | None) -> str:
    """The field with the text from which a video is made.

    Raises:
        UsageError: the field is missing or empty, or its text cannot be a command-line argument.
    """
    fields = (field,) if field else PROMPT_FIELDS
    found = next((name for name in fields if text_of(entry, name) is not None), None)
    if found is None:
        raise UsageError(
            f"entry {entry_id(entry)!r} has no text in {' or '.join(fields)}. Add it, or give another field with "
            "--prompt-field."
        )
    if "\0" in str(text_of(entry, found)):
        raise UsageError(f"entry {entry_id(entry)!r} has a NUL character in its prompt. Remove it.")
    return found


def _repeated(entries: list[tuple[str, int | None]]) -> list[tuple[str, int]]:
    """Texts and seeds that occur in several entries."""
    counts = Counter((text, seed) for text, seed in entries if seed is not None)
    return [pair for pair, count in counts.items() if count > 1]


def _run(args) -> int:
    rows: list[tuple[str, str, str]] = []
    own: list[int | None] = []
    older: list[str] = []
    names = OutputNames(args.output_dir, ".mp4")
    problems: list[str] = []
    for entry in read_entries(args.archive):
        try:
            require_valid(entry)
            identifier, field, seed = entry_id(entry), prompt_field(entry, args.prompt_field), seed_of(entry)
        except InputError as error:
            problems.append(f"entry {entry_id(entry)} {error}" if isinstance(entry, InvalidEntry) else str(error))
            continue
        if note := text_note(entry, field):
            say_warning(f"entry {identifier!r}: {note}")
        rows.append((str(identifier).replace("\0", ""), names.of(identifier), str(text_of(entry, field))))
        own.append(seed)
        older.append(names.older(identifier) or "")
    if problems and not rows:
        raise UsageError(problems[0])
    for problem in problems:
        say_error(problem)
    for text, seed in _repeated([(row[2], seed) for row, seed in zip(rows, own, strict=True)]):
        say_warning(f"entries with one prompt and the seed {seed} give the same video: {text[:80]!r}")
    if args.output_dir is not None:
        written = [args.output_dir / f"{name}.mp4{record}" for _, name, _ in rows for record in ("", ".json")]
        refuse_overwriting((("--output-dir", path) for path in written), [("--archive", args.archive)])
    seeds = distinct_seeds([(row[2], seed) for row, seed in zip(rows, own, strict=True)], args.seed)
    texts = (text for row, seed, name in zip(rows, seeds, older, strict=True) for text in (*row, str(seed), name))
    sys.stdout.buffer.write("".join(text + "\0" for text in texts).encode("utf-8", "replace"))
    return SOME_FAILED if problems else DONE


main = command_main(build_parser, _run)

if __name__ == "__main__":
    raise SystemExit(main())
