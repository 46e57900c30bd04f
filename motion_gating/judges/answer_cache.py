"""A cache of answers, to pay for each question only once: one small file per question, written atomically."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from motion_gating.judges.answers import longest_text, require_form
from motion_gating.judges.service import ANALYSIS_CHARACTERS, CallFailure, count_or_none, version_or_none
from motion_rep.common.errors import InputError
from motion_rep.common.overwriting import require_replaceable
from motion_rep.files.atomic_writing import require_folder
from motion_rep.files.json_files import read_json, write_json
from motion_rep.files.temporaries import remove_stale_temporaries

# An answer file also contains the question, whose longest part is the description.
MOST_FILE_BYTES = 1_000_000


@dataclass(frozen=True)
class KeptAnswer:
    """The values of an answer, with the model version and the token counts of the service."""

    values: dict[str, object]
    model_version: str | None
    prompt_tokens: int | None
    output_tokens: int | None = None


class AnswerCache:
    """A folder of answers. Errors are never cached. Several runs may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def require_writable(self) -> None:
        """Check before the first paid call that answers can be written, and remove temporary files of killed runs.

        Raises:
            UsageError: the folder cannot be created or written to.
        """
        remove_stale_temporaries(require_folder(self.folder))

    def get(self, asked: dict[str, object]) -> KeptAnswer | None:
        """The cached answer to exactly this question; None if there is none or its file is invalid."""
        path = self._path(asked)
        try:
            kept = read_json(path) if path.is_file() and path.stat().st_size <= MOST_FILE_BYTES else None
        except (InputError, OSError):
            return None
        return _kept_answer(kept, asked) if isinstance(kept, dict) else None

    def put(self, asked: dict[str, object], kept: KeptAnswer) -> None:
        """Write an answer to the cache; if a folder or pipe is in its place, only this answer is lost."""
        path, service = self._path(asked), asdict(kept)
        try:
            require_replaceable(path)
        except InputError:
            return
        write_json(path, {**service.pop("values"), **service, "asked": asked})

    def _path(self, asked: dict[str, object]) -> Path:
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        return self.folder / digest[:2] / f"{digest}.json"


def _kept_answer(kept: dict[str, object], asked: dict[str, object]) -> KeptAnswer | None:
    """The answer in a cache file; None if a value is invalid."""
    schema = asked["schema"]
    try:
        values = require_form(kept, schema) if isinstance(schema, dict) else {}
    except CallFailure:
        return None
    version = kept.get("model_version")
    tokens = [kept.get(name) for name in ("prompt_tokens", "output_tokens")]
    if longest_text(list(values.values())) > ANALYSIS_CHARACTERS or version_or_none(version) != version:
        return None
    if any(count_or_none(count) != count or isinstance(count, bool) for count in tokens):
        return None
    return KeptAnswer(values, version_or_none(version), *map(count_or_none, tokens))
