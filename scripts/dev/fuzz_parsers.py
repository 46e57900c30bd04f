"""Fuzz the parsers written in Python with atheris, which searches for inputs that reach new lines of code.

python scripts/dev/fuzz_parsers.py TARGET [libFuzzer options]; without a target, it lists the targets. Needs: pip
install atheris
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

if __package__ in (None, ""):  # run by path from a checkout
    sys.path[0] = str(Path(__file__).resolve().parents[2])

TARGETS = ("capture, every format", "archive", "archive of lines", "verdicts", "answer of a model", "eval file")
PARSERS = ("motion_rep", "motion_gating")


def main() -> int:
    if sys.argv[1:] in (["--help"], ["-h"]):
        print(__doc__.strip(), "\n\nTargets:", ", ".join(f"'{target}'" for target in TARGETS))
        return 0
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        print("\n".join(TARGETS))
        return 2
    import atheris
    import torch  # noqa: F401  loaded before the instrumentation: theirs, and large

    with atheris.instrument_imports(include=list(PARSERS)):
        from scripts.dev.fuzz_targets import all_targets

        folder = Path(tempfile.mkdtemp())
        target = next(found for found in all_targets(folder) if found.name == sys.argv[1])
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(target.seeds):
        (corpus / str(number)).write_bytes(seed)
    file = folder / target.file_name

    def read(data: bytes) -> None:
        file.write_bytes(data)
        try:
            target.read(file)
        except target.accepted:
            pass

    atheris.Setup([sys.argv[0], *sys.argv[2:], "-timeout=20", "-rss_limit_mb=4096", str(corpus)], read)
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
