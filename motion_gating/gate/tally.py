"""Counts over the records of a run, for the run block."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from motion_gating.archives.fields import DROPPED, FAST, KEPT

OUTCOMES = {True: "passed", False: "rejected", None: "undecided"}


@dataclass
class Tally:
    """Counts over records, in constant memory."""

    outcomes: Counter = field(default_factory=Counter)
    failed_checks: Counter = field(default_factory=Counter)
    error_kinds: Counter = field(default_factory=Counter)
    error_examples: dict[str, str] = field(default_factory=dict)
    model_versions: Counter = field(default_factory=Counter)
    judges: Counter = field(default_factory=Counter)
    rates: Counter = field(default_factory=Counter)
    kept: int = 0
    dropped: int = 0
    metrics_errors: int = 0
    fast_not_trembling: int = 0
    cached_answers: int = 0
    answers: int = 0
    voted: int = 0
    split: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0

    def add(self, record: dict) -> None:
        """Count one record."""
        self.outcomes[OUTCOMES[record["use_ref_motion"]]] += 1
        self.failed_checks.update(record["failed_checks"])
        self.judges[record["judge"] or "none"] += 1
        self.metrics_errors += record["metrics_error"] is not None
        self.fast_not_trembling += record.get(FAST) is True
        self.kept += record.get(KEPT, False)
        self.dropped += record.get(DROPPED, False)
        if "motion_fps" in record:
            self.rates[record["motion_fps"]] += 1
        if record["vlm_error_kind"]:
            self.error_kinds[record["vlm_error_kind"]] += 1
            self.error_examples.setdefault(record["vlm_error_kind"], record["vlm_error"])
        if "vlm_votes" in record:
            self._add_verdict(record)

    def _add_verdict(self, record: dict) -> None:
        votes = record["vlm_votes"]
        self.answers += votes["match"] + votes["mismatch"]
        self.voted += votes["match"] + votes["mismatch"] > 1
        self.split += bool(votes["match"] and votes["mismatch"])
        self.cached_answers += record["vlm_cached_answers"]
        self.prompt_tokens += record["vlm_prompt_tokens"] or 0
        self.output_tokens += record["vlm_output_tokens"] or 0
        self.model_versions.update(record["vlm_model_version"].split(", ") if record["vlm_model_version"] else ())

    @property
    def incomplete(self) -> bool:
        """Whether an entry stayed undecided, or a requested figure or answer is missing."""
        return bool(self.outcomes["undecided"] or self.error_kinds or self.metrics_errors)

    def outcome_counts(self) -> dict[str, int]:
        """Passed, rejected and undecided."""
        return {name: self.outcomes[name] for name in OUTCOMES.values()}

    def summary(self) -> str:
        """Passed, rejected and undecided in one line."""
        return ", ".join(f"{count} {name}" for name, count in self.outcome_counts().items())

    def rates_in_words(self) -> str:
        """The number of motions of each frame rate, in words."""
        found = sorted(self.rates.items(), key=lambda item: (item[0] is None, item[0]))
        return ", ".join(f"{count} at {'an unknown rate' if fps is None else f'{fps:g} fps'}" for fps, count in found)

    def as_dict(self) -> dict:
        """The counts for the run block; the split rate is None if no question had two answers."""
        return {
            "records": sum(self.outcomes.values()),
            **self.outcome_counts(),
            "failed_checks": dict(self.failed_checks),
            "without_verdict": dict(self.error_kinds),
            "without_metrics": self.metrics_errors,
            FAST: self.fast_not_trembling,
            "frame_rates": {"unknown" if fps is None else f"{fps:g}": count for fps, count in self.rates.items()},
            KEPT: self.kept,
            DROPPED: self.dropped,
            "judges": dict(self.judges),
            "answers": self.answers,
            "answers_from_cache": self.cached_answers,
            "prompt_tokens": self.prompt_tokens,
            "output_tokens": self.output_tokens,
            "split_rate": self.split / self.voted if self.voted else None,
            "model_versions": dict(self.model_versions),
        }
