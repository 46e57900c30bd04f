"""Where the checkout and its test files are."""

from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
TESTS = REPO / "tests"
STAND_INS = TESTS / "stand_ins"
SHARED = REPO.parent / "shared"
