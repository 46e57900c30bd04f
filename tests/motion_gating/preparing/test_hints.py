"""A hint that names a flag of another command says so."""

from __future__ import annotations

import re

from hmr_layouts import known_person, write_smpler_x

from motion_gating.prepare_motions import build_parser
from motion_gating.preparing.board import CONVERTER, ITS_FLAGS, with_command
from motion_rep.convert_hmr_to_motion import build_parser as build_converter

# Other words for these exist, or they are no advice for a capture.
NO_HINTS = {
    "--input",
    "--output",
    "--overwrite",
    "--list-people",
    "--extrinsic-format",
    "--device",
    "--smplx-model-path",
}


def flags_of(parser) -> set[str]:
    return {flag for action in parser._actions for flag in action.option_strings if re.match(r"--[a-z]", flag)}


def test_each_flag_that_only_the_converter_has_is_known():
    own = flags_of(build_parser())
    only_there = {flag for flag in flags_of(build_converter()) - own if "_" not in flag} - NO_HINTS
    assert only_there == {f"--{name}" for name in ITS_FLAGS} - {"--fps"}
    assert "--fps" in own, "which samples videos here, and states a rate there"


def test_a_note_names_the_command_of_its_flag():
    for name in ITS_FLAGS:
        assert CONVERTER in with_command(f"no size. Give it with --{name} x")
    for note in ("--person takes another one", "refine_motion.py --level levels", "x.py --format y", "the--fps--is"):
        assert with_command(note) == note


def test_the_note_of_a_capture(command, tmp_path):
    path = write_smpler_x(tmp_path / "results", [known_person()], with_frame=False)
    _, _, err = command(path, "-o", "out", "--until", "motion")
    assert f"Set the rate with --fps. That is a flag of {CONVERTER}: make the motion with it" in err, err
