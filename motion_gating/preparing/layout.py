"""Paths of the files of a run: one folder with a subfolder for each step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from motion_gating.archives.candidates import candidates_path
from motion_rep.files.local_files import OutputNames

FOLDERS = ("captures", "motions", "checks", "videos", "renders", "logs", ".state")
# The files that a run writes for an entry.
ENTRY_FILES = (
    *("captures/{}.pt", "captures/{}_preview.mp4", "motions/{}.pt", "motions_raw/{}.pt", "checks/{}_overlay.mp4"),
    *("renders/{}.mp4", "renders/{}_eval.pt", "renders/{}.judge.mp4", "logs/{}.capture.log", "logs/{}.check.log"),
    *(".state/{}.capture", ".state/{}.check"),
)
VIDEO_FILES = ("videos/{}.mp4", "videos/{}.mp4.json")
LOGS = ("videos", "motions", "checks", "render", "gate", "rank", "review", "tm2m")


@dataclass(frozen=True)
class Layout:
    """Paths in the output folder. ``suffix`` is that of the archives, ``.json`` or ``.jsonl``."""

    folder: Path
    suffix: str = ".json"

    @property
    def archive(self) -> Path:
        return self.folder / f"archive{self.suffix}"

    @property
    def rendered(self) -> Path:
        return self.folder / f"rendered{self.suffix}"

    @property
    def gated(self) -> Path:
        return self.folder / f"gated{self.suffix}"

    @property
    def decided(self) -> Path:
        """The archive of all candidates with the gate's decisions; ``gated`` then contains only the chosen ones."""
        return self.folder / f"decided{self.suffix}"

    @property
    def candidates(self) -> Path:
        """The archive of all entries with the ranks of the candidates."""
        return self.folder / candidates_path(self.gated).name

    @property
    def for_tm2m(self) -> Path:
        return self.folder / "tm2m.json"

    @property
    def report(self) -> Path:
        return self.folder / "quality_report.json"

    @property
    def refine_report(self) -> Path:
        return self.folder / "refine_report.json"

    @property
    def review(self) -> Path:
        return self.folder / "review"

    @property
    def page(self) -> Path:
        return self.review / "index.html"

    @property
    def checks(self) -> Path:
        return self.folder / "checks"

    @property
    def renders(self) -> Path:
        return self.folder / "renders"

    @property
    def videos(self) -> Path:
        return self.folder / "videos"

    @property
    def motions(self) -> Path:
        return self.folder / "motions"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def raw_motions(self) -> Path:
        return self.folder / "motions_raw"

    @property
    def to_generate(self) -> Path:
        """The archive of the entries that need a generated video."""
        return self.folder / ".state" / "to_generate.json"

    @property
    def other_archive(self) -> Path:
        """The archive of a run with the other suffix."""
        return self.folder / f"archive{'.json' if self.suffix == '.jsonl' else '.jsonl'}"

    @cached_property
    def _names(self) -> OutputNames:
        return OutputNames(self.videos, ".mp4")

    def name(self, identifier: object) -> str:
        """The name of an entry's files."""
        return self._names.of(identifier)

    def motion(self, name: str) -> Path:
        return self.motions / f"{name}.pt"

    def raw_motion(self, name: str) -> Path:
        return self.raw_motions / f"{name}.pt"

    def video(self, name: str) -> Path:
        return self.videos / f"{name}.mp4"

    def capture(self, name: str) -> Path:
        return self.folder / "captures" / f"{name}.pt"

    def overlay(self, name: str) -> Path:
        return self.checks / f"{name}_overlay.mp4"

    def stamp(self, name: str, step: str) -> Path:
        return self.folder / ".state" / f"{name}.{step}"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def written(self, names: Iterable[tuple[str, bool]]) -> Iterator[Path]:
        """All files that a run may write, given the names of the entries and whether their videos are generated."""
        yield from (self.archive, self.other_archive, self.rendered, self.gated, self.for_tm2m, self.report)
        yield from (self.decided, self.candidates)
        yield from (
            self.folder / f"{name}.json" for name in ("quality_report.run", "refine_report", "gated_candidates.run")
        )
        yield from map(self.log, LOGS)
        for name, makes_video in names:
            places = ENTRY_FILES + (VIDEO_FILES if makes_video else ())
            yield from (self.folder / place.replace("{}", name) for place in places)
