"""Bookkeeping of prepare_custom_motion.sh: the working archive of a folder, and the outcome of each entry."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from motion_gating.archives.archive import Entry, entry_id, entry_writer, is_lines, read_entries, read_items
from motion_gating.archives.entry_number import entry_number
from motion_gating.archives.fields import (
    GLOBAL_ID,
    ID,
    JUDGED_CONTENT,
    MOTION_DURATION,
    MOTION_PATH,
    PROMPT,
    SOURCE_VIDEO,
    TEXT_KEYS,
    USE_REF_MOTION,
)
from motion_gating.archives.paths import path_in_archive
from motion_gating.archives.texts import text_note, text_of
from motion_rep.common.command_line import DONE, SOME_FAILED, Parser, run_command, say, say_warning
from motion_rep.common.errors import InputError, UsageError
from motion_rep.common.overwriting import folder_path, read_path, refuse_overwriting
from motion_rep.files.atomic_writing import atomic_path, require_folder
from motion_rep.files.local_files import OutputNames
from motion_rep.files.locations import resolve_from
from motion_rep.files.temporaries import remove_stale_temporaries

# Most entries that are listed under a heading; the report has all of them.
LISTED = 20
# What the chain writes for an entry.
ENTRY_FILES = (
    *("captures/{}.pt", "captures/{}_preview.mp4", "motions/{}.pt", "motions_raw/{}.pt", "checks/{}_overlay.mp4"),
    *("renders/{}.mp4", "renders/{}_eval.pt", "logs/{}.capture.log", "logs/{}.check.log"),
    *(".state/{}.capture", ".state/{}.check"),
)
VIDEO_FILES = ("videos/{}.mp4", "videos/{}.mp4.json")


def build_parser() -> Parser:
    parser = Parser(description=__doc__)
    parser.add_argument(
        "action",
        choices=("begin", "measure", "finish", "decisions"),
        help="begin: write the archive and list id, name and video of each entry; measure: add the length of each "
        "motion; finish: print a summary; decisions: print the decisions of a quality report",
    )
    parser.add_argument("folder", type=folder_path, help="the set's folder; decisions: the quality report")
    parser.add_argument("--archive", type=read_path, help="begin: entries to prepare")
    parser.add_argument("--prompt", help="begin: the description of the only entry")
    parser.add_argument("--video", type=read_path, help="begin: the video of the only entry")
    parser.add_argument("--verdicts", type=read_path, help="begin: the verdicts that the gate will read")
    return parser


@dataclass(frozen=True)
class SetFiles:
    """Paths of the parts of a set."""

    folder: Path
    suffix: str

    @property
    def archive(self) -> Path:
        return self.folder / f"archive{self.suffix}"

    @property
    def gated(self) -> Path:
        return self.folder / f"gated{self.suffix}"

    @property
    def for_tm2m(self) -> Path:
        return self.folder / "tm2m.json"

    @property
    def report(self) -> Path:
        return self.folder / "quality_report.json"

    @cached_property
    def _names(self) -> OutputNames:
        return OutputNames(self.folder / "videos", ".mp4")

    def name(self, identifier: object) -> str:
        """The name of an entry's files."""
        return self._names.of(identifier)

    def motion(self, name: str) -> Path:
        return self.folder / "motions" / f"{name}.pt"

    def video(self, name: str) -> Path:
        return self.folder / "videos" / f"{name}.mp4"

    def capture(self, name: str) -> Path:
        return self.folder / "captures" / f"{name}.pt"

    def written(self, identifiers: Iterable[object], makes_videos: bool) -> Iterator[Path]:
        """All files that the chain may write."""
        yield from (self.archive, self.gated, self.for_tm2m, self.report, self.folder / f"rendered{self.suffix}")
        yield from (self.folder / f"{name}.json" for name in ("quality_report.run", "refine_report"))
        yield from (
            self.folder / "logs" / f"{name}.log"
            for name in ("videos", "convert", "refine", "render", "gate", "review", "tm2m")
        )
        places = ENTRY_FILES + (VIDEO_FILES if makes_videos else ())
        for name in map(self.name, identifiers):
            yield from (self.folder / place.replace("{}", name) for place in places)

    def log(self, name: str, step: str) -> tuple[Path, str]:
        """The log of a step, and the text that error lines about this entry contain; each capture has its own log."""
        logs = self.folder / "logs"
        shared = {"video": (logs / "videos.log", f"/{name}.mp4: "), "motion": (logs / "convert.log", f"/{name}.pt: ")}
        return shared.get(step, (logs / f"{name}.{step}.log", ""))


def set_files(folder: Path) -> SetFiles:
    """The files of an existing set.

    Raises:
        UsageError: the folder holds no archive.
    """
    for suffix in (".json", ".jsonl"):
        if (folder / f"archive{suffix}").is_file():
            return SetFiles(folder, suffix)
    raise UsageError(f"{folder}: has no archive.json. Start with prepare_custom_motion.sh.")


def begin(args) -> int:
    """Write the set's archive with the future motion_path of each entry, and list the entries for the shell."""
    files = SetFiles(args.folder, ".jsonl" if args.archive and is_lines(args.archive) else ".json")
    other = SetFiles(args.folder, ".json" if files.suffix == ".jsonl" else ".jsonl")
    if args.archive and args.archive.resolve() in (files.archive.resolve(), other.archive.resolve()):
        raise UsageError(
            f"{args.archive}: is the working copy in the output folder. Give your own archive, or another --output-dir."
        )
    given = {"--archive": args.archive, "--video": args.video, "--verdicts": args.verdicts}
    written = chain((other.archive,), files.written(map(entry_id, _entries(args)), makes_videos=args.video is None))
    refuse_overwriting(
        (("--output-dir", path) for path in written), [(flag, path) for flag, path in given.items() if path is not None]
    )
    remove_stale_temporaries(require_folder(args.folder), recursive=False)
    other.archive.unlink(missing_ok=True)
    rows, lists = [], 0
    with entry_writer(files.archive) as write:
        for entry in _entries(args):
            name = files.name(entry_id(entry))
            lists += text_note(entry) is not None
            write(_prepared(entry, path_in_archive(files.motion(name), files.archive)))
            rows += [str(entry_id(entry)).replace("\0", ""), name, str(args.video or _video(entry, name, files, args))]
    if not rows:
        raise UsageError(f"{args.archive}: holds no entries. Add entries to prepare.")
    if lists:
        say_warning(f"{args.archive}: {lists} entries hold several texts; the first of each counts")
    sys.stdout.buffer.write("".join(row + "\0" for row in rows).encode("utf-8", "surrogateescape"))
    return DONE


def _prepared(entry: Entry, motion_path: str) -> Entry:
    """An entry with what the next program takes; a ``true`` about a motion that is made here counts for nothing."""
    if entry.get(USE_REF_MOTION) is True and JUDGED_CONTENT not in entry:
        entry = {key: value for key, value in entry.items() if key != USE_REF_MOTION}
    known = {ID: entry_id(entry), GLOBAL_ID: entry_number(entry)}
    texts = {key: text_of(entry, key) or text_of(entry) for key in (PROMPT, *TEXT_KEYS)}
    texts = {key: text for key, text in texts.items() if text is not None}
    return {**known, **entry, **texts, MOTION_PATH: motion_path}


def _video(entry: Entry, name: str, files: SetFiles, args) -> Path:
    """The video of an entry; one that the archive names is copied to where the next steps look for it."""
    target, source = files.video(name), entry.get(SOURCE_VIDEO)
    if isinstance(source, str) and source and not target.exists():
        found = resolve_from(source, args.archive)
        if isinstance(found, Path) and found.is_file():
            target.parent.mkdir(exist_ok=True)
            with atomic_path(target) as temporary:
                shutil.copyfile(found, temporary)
    return target


def _entries(args) -> Iterator[Entry]:
    if args.archive:
        yield from read_entries(args.archive)
        return
    description = {"prompt": args.prompt} if args.prompt else {}
    yield {"id": args.video.stem if args.video else 0, **description}


def measure(args) -> int:
    """Add the length of each motion to the set's archive."""
    from motion_gating.archives.making import seconds_of
    from motion_rep.motions.motion_file import read_motion

    files = set_files(args.folder)
    with entry_writer(files.archive) as write:
        for entry in read_entries(files.archive):
            path = resolve_from(entry[MOTION_PATH], files.archive)
            try:
                entry = {**entry, MOTION_DURATION: seconds_of(read_motion(path))}
            except InputError:  # the summary says why there is no motion
                entry.pop(MOTION_DURATION, None)
            write(entry)
    return DONE


@dataclass(frozen=True)
class Outcome:
    """The group of an entry (passed, not passed, undecided or failed) and the reason."""

    group: str
    identifier: object
    reason: str


RECORD_FIELDS = ("use_ref_motion", "reasons", "vlm_error")
PASSED, REJECTED, UNDECIDED, FAILED = "passed", "not passed", "undecided", "failed"


def outcome(entry: Entry, files: SetFiles, record: dict | None, video: Path | None) -> Outcome:
    """The first step that failed for an entry, or its decision."""
    identifier = entry_id(entry)
    name = files.name(identifier)
    made = [("video", video or files.video(name)), ("capture", files.capture(name)), ("motion", files.motion(name))]
    for step, path in made:
        if not path.is_file():
            return Outcome(FAILED, identifier, f"{step}: {last_error(files, name, step)}")
    if record is None:
        return Outcome(FAILED, identifier, f"gate: no record in {files.report.name}; see the messages above")
    return decision(identifier, record)


def decision(identifier: object, record: dict) -> Outcome:
    """The gate's decision on an entry, from its record."""
    reasons = "; ".join(str(reason) for reason in record["reasons"] or ())
    if record["use_ref_motion"] is None:
        return Outcome(UNDECIDED, identifier, record["vlm_error"] or reasons)
    return Outcome(PASSED if record["use_ref_motion"] else REJECTED, identifier, reasons)


def last_error(files: SetFiles, name: str, step: str) -> str:
    """The last error line of a step's log, and the path of the log."""
    log, marker = files.log(name, step)
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "not made; see the messages above"
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ") and marker in line]
    return f"{errors[-1] if errors else 'not made'} ({log})"


def read_records(report: Path) -> dict[str, dict]:
    """The fields of a quality report that a summary needs, by id.

    Raises:
        InputError: the report is missing or damaged.
    """
    return {
        str(record.get("id")): {key: record.get(key) for key in RECORD_FIELDS}
        for record in read_items(report)
        if isinstance(record, dict)
    }


def decisions(args) -> int:
    """Print the decisions of a quality report."""
    _say_groups([decision(identifier, record) for identifier, record in read_records(args.folder).items()])
    return DONE


def finish(args) -> int:
    """Print what passed, what did not, and where to look."""
    files = set_files(args.folder)
    try:
        records = read_records(files.report)
    except InputError:  # the gate did not run
        records = {}
    outcomes = [
        outcome(entry, files, records.get(str(entry_id(entry))), args.video) for entry in read_entries(files.archive)
    ]
    _say_groups(outcomes)
    _say_where(files)
    return SOME_FAILED if any(found.group in (UNDECIDED, FAILED) for found in outcomes) else DONE


def _say_groups(outcomes: list[Outcome]) -> None:
    for group in (PASSED, REJECTED, UNDECIDED, FAILED):
        _say_group(group, [found for found in outcomes if found.group == group])


def _say_group(group: str, found: list[Outcome]) -> None:
    if not found:
        return
    say(f"{group.capitalize()}: {len(found)}")
    for one in found[:LISTED]:
        say(f"  {one.identifier}: {one.reason}")
    if len(found) > LISTED:
        say(f"  ... and {len(found) - LISTED} more")


def _say_where(files: SetFiles) -> None:
    page = files.folder / "review" / "index.html"
    places = [
        ("overlays", files.folder / "checks"),
        ("motions", files.folder / "motions"),
        ("metadata", files.gated),
        ("archive for TM2M", files.for_tm2m),
        ("report", files.report),
        ("messages", files.folder / "logs"),
    ]
    say("Where to look:")
    if page.exists():
        say(f"  review page: {page.resolve().as_uri()}")
    for what, path in places:
        if path.exists():
            say(f"  {what}: {path}")


def _run(args) -> int:
    actions = {"begin": begin, "measure": measure, "finish": finish, "decisions": decisions}
    return actions[args.action](args)


def main(argv: list[str] | None = None) -> int:
    """Command line."""
    return run_command(_run, build_parser().parse_args(argv))


if __name__ == "__main__":
    raise SystemExit(main())
