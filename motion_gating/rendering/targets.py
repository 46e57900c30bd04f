"""The output files of an entry, and the check that none of them is an input."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from motion_gating.archives.archive import Entry, entry_id, read_entries
from motion_gating.archives.fields import EVAL_PATH, JUDGE_VIDEO_PATH, VIDEO_PATH
from motion_gating.archives.paths import files_named
from motion_gating.rendering.clip_render import RenderTarget
from motion_rep.common.overwriting import NamedPath
from motion_rep.files.local_files import OutputNames
from motion_rep.files.locations import Location


@dataclass(frozen=True)
class Targets:
    """The outputs of entries in a folder.

    Attributes:
        names: see :class:`motion_rep.files.local_files.OutputNames`.
        mbench_names: whether eval files have the names that the benchmark's own evaluation expects.
        for_judge: whether the videos are those for the judge.
    """

    folder: Location
    names: OutputNames
    mbench_names: bool = False
    for_judge: bool = False

    @property
    def field(self) -> str:
        """The entry field with the video's path."""
        return JUDGE_VIDEO_PATH if self.for_judge else VIDEO_PATH

    def of(self, entry: Entry) -> RenderTarget[Location]:
        """The paths of an entry's two files."""
        return self._named(self.names.of(entry_id(entry)))

    def older(self, entry: Entry) -> RenderTarget[Location] | None:
        """Where earlier versions put them, if elsewhere; they count only by content."""
        name = self.names.older(entry_id(entry)) if isinstance(self.folder, Path) else None
        return None if name is None else self._named(name)

    def _named(self, name: str) -> RenderTarget[Location]:
        eval_name = f"{name}{'' if self.mbench_names else '_eval'}.pt"
        return RenderTarget[Location](
            self.folder / f"{name}{'.judge' if self.for_judge else ''}.mp4", self.folder / eval_name
        )

    def written(self, entries: Iterable[Entry]) -> Iterator[NamedPath]:
        """Flag and path of all files written for entries."""
        for target in map(self.of, entries):
            yield "--output-dir", target.video
            yield "--output-dir", target.eval


def targets_in(folder: Location, mbench_names: bool, for_judge: bool = False) -> Targets:
    """The outputs of entries in a folder with its current files."""
    return Targets(folder, OutputNames(folder, ".mp4"), mbench_names, for_judge)


def read_for(archive: Location) -> Iterator[NamedPath]:
    """Flag and path of all files of an archive's entries that must not be overwritten.

    Earlier renderings may be overwritten; a video without an eval file belongs to the user.
    """
    return files_named(map(_without_renderings, read_entries(archive)), archive)


def _without_renderings(entry: Entry) -> Entry:
    made = (VIDEO_PATH, EVAL_PATH, JUDGE_VIDEO_PATH) if entry.get(EVAL_PATH) else ()
    return {key: value for key, value in entry.items() if key not in made}
