"""Answers kept by what was asked, so that no answered question is asked twice; one small file each, written atomically."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from motion_gating.judges.answers import Answer
from motion_rep.common.errors import InputError
from motion_rep.files.atomic_writing import require_folder
from motion_rep.files.json_files import read_json, write_json
from motion_rep.files.temporaries import remove_stale_temporaries


@dataclass(frozen=True)
class KeptAnswer:
    """An answer with what the service said about itself."""

    answer: Answer
    model_version: str | None
    prompt_tokens: int | None


class AnswerCache:
    """A folder of answers. Errors are never kept. Several runs may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def require_writable(self) -> None:
        """Check before the first paid call that answers can be kept, and remove what a killed run left half-written.

        Raises:
            UsageError: the folder cannot be made or written to.
        """
        remove_stale_temporaries(require_folder(self.folder))

    def get(self, asked: dict) -> KeptAnswer | None:
        """The answer to exactly this, None where there is none or its file is damaged or out of reach."""
        path = self._path(asked)
        try:
            if not path.is_file():
                return None
            kept = read_json(path)
            answer = Answer(kept["matches"], kept["analysis"])
        except (InputError, KeyError, TypeError, OSError):
            return None
        decided = isinstance(answer.matches, bool) and isinstance(answer.analysis, str)
        return KeptAnswer(answer, kept.get("model_version"), kept.get("prompt_tokens")) if decided else None

    def put(self, asked: dict, kept: KeptAnswer) -> None:
        """Keep an answer."""
        content = {
            **asdict(kept.answer),
            "model_version": kept.model_version,
            "prompt_tokens": kept.prompt_tokens,
            "asked": asked,
        }
        write_json(self._path(asked), content)

    def _path(self, asked: dict) -> Path:
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        return self.folder / digest[:2] / f"{digest}.json"
