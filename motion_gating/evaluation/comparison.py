"""Compare several reports on the same clips: judges, models or protocols against people's labels."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from motion_gating.archives.fields import VLM_MATCHES
from motion_gating.evaluation.agreement import Agreement, measure_agreement, wilson_interval
from motion_gating.evaluation.labels import report_records
from motion_gating.verdicts.verdict_file import HumanVerdict
from motion_rep.common.errors import InputError, UsageError
from motion_rep.files.json_files import read_json

HEADER = (
    "| report | false accepts (95 %) | kappa (95 %) | coverage | tokens | dollars | seconds | against the first |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
)


@dataclass(frozen=True)
class Compared:
    """One report on the labelled clips.

    accepted, wrong: of the clips that people reject, the numbers that the judge accepts and decides.
    better, worse: numbers of clips on which it is right and the first report wrong, and vice versa.
    p_value: from an exact sign test on these; None for the first report.
    tokens, dollars, seconds: of its run; None if its run block does not contain them.
    """

    report: str
    agreement: Agreement
    accepted: int
    wrong: int
    better: int = 0
    worse: int = 0
    p_value: float | None = None
    tokens: int | None = None
    dollars: float | None = None
    seconds: float | None = None

    def as_dict(self) -> dict[str, object]:
        """The values for the evaluation file."""
        return {**asdict(self), "agreement": self.agreement.as_dict()}

    def row(self) -> str:
        """A row of the table."""
        low, high = wilson_interval(self.accepted, self.wrong) or (math.nan, math.nan)
        agreement = self.agreement
        kappa = f"{_shown(agreement.counts.kappa)} ({_shown(agreement.kappa_low)} to {_shown(agreement.kappa_high)})"
        pair = f"{self.better} better, {self.worse} worse, p {self.p_value:.3f}" if self.p_value is not None else ""
        rate = f"{self.accepted} of {self.wrong} ({low:.2f} to {high:.2f})"
        costs = (_shown(self.tokens, ".0f"), _shown(self.dollars, ".4f"), _shown(self.seconds, ".0f"))
        return f"| {' | '.join((self.report, rate, kappa, _shown(agreement.coverage), *costs, pair))} |"


def compare_reports(reports: Sequence[Path], labels: Mapping[str, HumanVerdict], seed: int) -> list[Compared]:
    """The verdicts of each report against people, paired clip by clip with the first report.

    Args:
        labels: the verdict that counts for each entry.
    Raises:
        UsageError: unusable files, or no labelled clip that is in all reports.
    """
    matches = {name: label.matches for name, label in labels.items() if label.matches is not None}
    verdicts = [{str(r["id"]): r[VLM_MATCHES] for r in report_records(report)} for report in reports]
    shared = [name for name in matches if all(name in found for found in verdicts)]
    if not shared:
        raise UsageError(f"--labels: no labelled clip is in all {len(reports)} reports. Compare others.")
    truth = {name: matches[name] for name in shared}
    return [_compared(report, found, verdicts[0], truth, seed) for report, found in zip(reports, verdicts, strict=True)]


def _compared(
    report: Path,
    found: Mapping[str, bool | None],
    first: Mapping[str, bool | None],
    truth: Mapping[str, bool],
    seed: int,
) -> Compared:
    wrong = [found[name] for name, matches in truth.items() if not matches and found[name] is not None]
    both = [name for name in truth if found[name] is not None and first[name] is not None]
    better = sum(found[name] == truth[name] != first[name] for name in both)
    worse = sum(found[name] != truth[name] == first[name] for name in both)
    agreement = measure_agreement(list(truth.values()), [found[name] for name in truth], seed)
    paired = None if found is first else sign_test(better, worse)
    return Compared(report.name, agreement, wrong.count(True), len(wrong), better, worse, paired, *_run_of(report))


def sign_test(better: int, worse: int) -> float:
    """Two-sided exact probability of counts at least this uneven if both were equally likely (McNemar's test)."""
    total, least = better + worse, min(better, worse)
    return min(1.0, 2 * sum(math.comb(total, k) for k in range(least + 1)) / 2**total)


def _run_of(report: Path) -> tuple[int | None, float | None, float | None]:
    """Tokens, dollars and seconds of the run, from its run block."""
    try:
        block = read_json(report.with_name(report.stem + ".run.json"))
    except InputError:
        return None, None, None
    if not isinstance(block, dict):
        return None, None, None
    cost, counts = block.get("cost"), block.get("counts")
    dollars = cost.get("dollars") if isinstance(cost, dict) else None
    tokens = counts.get("prompt_tokens") if isinstance(counts, dict) else None
    return _number_or_none(tokens, int), _number_or_none(dollars, (int, float)), _seconds(block)


def _seconds(block: Mapping[str, object]) -> float | None:
    try:
        started, finished = (datetime.datetime.fromisoformat(str(block[key])) for key in ("started", "finished"))
        return (finished - started).total_seconds()
    except (KeyError, ValueError, TypeError):
        return None


def _number_or_none(value: object, kind: type | tuple[type, ...]) -> Any:
    return value if isinstance(value, kind) and not isinstance(value, bool) else None


def _shown(value: float | None, form: str = ".2f") -> str:
    return "–" if value is None else format(value, form)
