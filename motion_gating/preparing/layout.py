"""Paths of the files of a run: one folder with a subfolder for each step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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


class Layout:
    """Paths in the output folder.

    Attributes:
        decided: the archive of all candidates with the gate's decisions; ``gated`` then contains only the chosen ones.
        candidates: the archive of all entries with the ranks of the candidates.
        to_generate: the archive of the entries that need a generated video.
        other_archive: the archive of a run with the other suffix.
    """

    def __init__(self, folder: Path, suffix: str = ".json") -> None:
        """``suffix`` is that of the archives, ``.json`` or ``.jsonl``."""
        self.folder = folder
        self.archive = folder / f"archive{suffix}"
        self.other_archive = folder / f"archive{'.json' if suffix == '.jsonl' else '.jsonl'}"
        self.rendered = folder / f"rendered{suffix}"
        self.gated = folder / f"gated{suffix}"
        self.decided = folder / f"decided{suffix}"
        self.candidates = folder / candidates_path(self.gated).name
        self.for_tm2m = folder / "tm2m.json"
        self.report = folder / "quality_report.json"
        self.refine_report = folder / "refine_report.json"
        self.review = folder / "review"
        self.page = self.review / "index.html"
        self.checks = folder / "checks"
        self.renders = folder / "renders"
        self.videos = folder / "videos"
        self.motions = folder / "motions"
        self.raw_motions = folder / "motions_raw"
        self.logs = folder / "logs"
        self.to_generate = folder / ".state" / "to_generate.json"

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

    def older_video(self, identifier: object) -> Path | None:
        """Where earlier versions put the video of an entry, under a name that may be another entry's; None if it is
        the present name.
        """
        name = self._names.older(identifier)
        return None if name is None else self.video(name)

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
