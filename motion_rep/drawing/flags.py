"""The flags of body and renderer that commands share."""

from __future__ import annotations

from motion_rep.common.command_line import Parser
from motion_rep.common.overwriting import READ, PathFlag

# Width and height of lit videos in pixels: for people, and for a model.
WIDE, SMALL = 960, 512


def add_model_flag(parser: Parser, drawn: str = "") -> None:
    """Add ``--smplx-model-dir``; ``drawn``: its purpose, with a leading space."""
    parser.add_argument(
        "--smplx-model-dir",
        type=PathFlag(READ, str),
        metavar="PATH",
        help=f"SMPL-X model file or folder{drawn}; 'mannequin' selects the built-in body",
    )


def add_renderer_flag(parser: Parser, drawn: str = "") -> None:
    """Add ``--renderer``; ``drawn`` as in :func:`add_model_flag`."""
    parser.add_argument("--renderer", choices=("auto", "opencv", "gl"), default="auto", help=f"renderer{drawn}")
