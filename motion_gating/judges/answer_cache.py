"""A cache of answers by question, so that no question is paid for twice; one small file each, written atomically."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from motion_gating.judges.answers import Answer
from motion_gating.judges.service import ANALYSIS_CHARACTERS, count_or_none, version_or_none
from motion_rep.common.errors import InputError
from motion_rep.files.atomic_writing import require_folder
from motion_rep.files.json_files import read_json, write_json
from motion_rep.files.temporaries import remove_stale_temporaries

# An answer file also holds the question, of which the description is the longest part.
MOST_FILE_BYTES = 1_000_000


@dataclass(frozen=True)
class KeptAnswer:
    """An answer with the service's model version and token count."""

    answer: Answer
    model_version: str | None
    prompt_tokens: int | None


class AnswerCache:
    """A folder of answers. Errors are never cached. Several runs may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def require_writable(self) -> None:
        """Check before the first paid call that answers can be written, and remove temporary files of killed runs.

        Raises:
            UsageError: the folder cannot be made or written to.
        """
        remove_stale_temporaries(require_folder(self.folder))

    def get(self, asked: dict[str, object]) -> KeptAnswer | None:
        """The cached answer to exactly this question; None where there is none, or where its file is invalid."""
        path = self._path(asked)
        try:
            kept = read_json(path) if path.is_file() and path.stat().st_size <= MOST_FILE_BYTES else None
        except (InputError, OSError):
            return None
        return _kept_answer(kept) if isinstance(kept, dict) else None

    def put(self, asked: dict[str, object], kept: KeptAnswer) -> None:
        """Write an answer to the cache."""
        service = {"model_version": kept.model_version, "prompt_tokens": kept.prompt_tokens}
        write_json(self._path(asked), {**asdict(kept.answer), **service, "asked": asked})

    def _path(self, asked: dict[str, object]) -> Path:
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        return self.folder / digest[:2] / f"{digest}.json"


def _kept_answer(kept: dict[str, object]) -> KeptAnswer | None:
    """The answer in a cache file, None where a value is invalid."""
    matches, analysis = kept.get("matches"), kept.get("analysis")
    version, tokens = kept.get("model_version"), kept.get("prompt_tokens")
    if not isinstance(matches, bool) or not isinstance(analysis, str) or len(analysis) > ANALYSIS_CHARACTERS:
        return None
    if version_or_none(version) != version or count_or_none(tokens) != tokens or isinstance(tokens, bool):
        return None
    return KeptAnswer(Answer(matches, analysis), version_or_none(version), count_or_none(tokens))
