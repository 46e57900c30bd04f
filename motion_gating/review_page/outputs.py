"""The files that a review page writes for each entry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

from motion_gating.archives.archive import entry_id
from motion_gating.archives.fields import SOURCE_VIDEO
from motion_rep.common.overwriting import NamedPath
from motion_rep.files.local_files import OutputNames

PLACES = (
    *("entries/{}.js", "posters/{}.jpg"),
    *(f"{view}/{{}}.{kind}" for view in ("overlay", "front", "side") for kind in ("mp4", "txt")),
    *(f"before/{{}}_{view}.{kind}" for view in ("before", "side_before") for kind in ("mp4", "txt")),
)
COPIES = ("media/{}_lit.mp4", "media/{}_overlay.mp4", "media/{}_depth.mp4")


def names_on(output: Path) -> OutputNames:
    """The names of the entries' files, including those of an older page."""
    return OutputNames(output / "entries", ".js")


def written_files(output: Path, entries: Iterable[dict], copy_media: bool) -> Iterator[NamedPath]:
    """Flag and path of the page and of the files of its entries."""
    places = [place.split("{}") for place in (*PLACES, *(COPIES if copy_media else ()))]
    names = names_on(output)
    yield "--output", f"{output}/index.html"
    for entry in entries:
        key = names.of(entry_id(entry))
        for before, after in places:
            yield "--output", f"{output}/{before}{key}{after}"
        if copy_media and isinstance(source := entry.get(SOURCE_VIDEO), str):
            yield "--output", f"{output}/media/{key}_source{PurePath(source).suffix}"
