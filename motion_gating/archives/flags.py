"""Flags for an archive and the fields of its entries."""

from __future__ import annotations

import argparse

from motion_gating.archives.fields import Fields
from motion_rep.common.flag_values import positive_int, whole_number
from motion_rep.files.locations import read_location

# Fields' attributes: flag and help.
FIELD_FLAGS = {
    "video": (
        "--video-field",
        "entry field with the rendered clip; if an entry has judge_video_path, judges see that instead of video_path",
    ),
    "evaluation": ("--eval-field", "entry field with the eval file"),
    "prompt": ("--prompt-field", "entry field with the description"),
}


def add_archive_flag(parser: argparse._ActionsContainer, required: bool = True) -> None:
    """Add ``--meta-json`` for an archive of rendered entries to a parser or a group of one."""
    parser.add_argument(
        "--meta-json",
        type=read_location,
        required=required,
        metavar="A",
        help="archive of rendered entries (JSON list, or JSON lines); a path or fsspec URL",
    )
    add_scheme_flag(parser)


def add_scheme_flag(parser: argparse._ActionsContainer) -> None:
    """Add ``--allow-scheme`` and ``--allow-host`` for the addresses in an archive."""
    parser.add_argument(
        "--allow-scheme",
        nargs="+",
        default=[],
        metavar="S",
        help="URL schemes (s3, gs) that the archive may contain, besides http and those of this command's paths",
    )
    parser.add_argument(
        "--allow-host",
        nargs="+",
        default=[],
        metavar="HOST",
        help="private-network hosts that the archive may contain, besides those of this command's paths",
    )


def add_candidate_flags(parser: argparse._ActionsContainer) -> None:
    """Add ``--candidates`` and ``--seed`` for videos that are made from text."""
    parser.add_argument(
        "--candidates",
        type=positive_int,
        default=1,
        metavar="N",
        help="number of videos for each prompt without a file; rank_candidates.py chooses the best one",
    )
    parser.add_argument(
        "--seed",
        type=whole_number,
        metavar="S",
        help="seed of the first video of a prompt (default: 42); the candidates get S to S+N-1",
    )


def add_field_flags(parser: argparse._ActionsContainer, *names: str) -> None:
    """Add the flags of some :class:`Fields` attributes (by default all) to a parser or a group of one."""
    for name in names or FIELD_FLAGS:
        flag, meaning = FIELD_FLAGS[name]
        parser.add_argument(flag, default=getattr(Fields(), name), metavar="NAME", help=meaning)


def fields_from(args: argparse.Namespace) -> Fields:
    """The field names from the flags; defaults for flags that the command does not have."""
    given = {name: getattr(args, flag.strip("-").replace("-", "_"), None) for name, (flag, _) in FIELD_FLAGS.items()}
    return Fields(**{name: value for name, value in given.items() if value is not None})
