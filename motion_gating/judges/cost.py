"""The cost of a run's calls: tokens as counted by the service, and dollars from a dated list of prices."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from motion_rep.common.errors import InputError, UsageError
from motion_rep.files.json_files import read_json

PRICES = Path(__file__).with_name("prices.json")
PER_MILLION = 1e6
OUTPUT_TOKENS = 250  # per answer, including thoughts; for estimates


@dataclass(frozen=True)
class Price:
    """Dollars per million tokens, and the date of the price list."""

    input: float
    output: float
    as_of: str

    def dollars(self, prompt_tokens: int, output_tokens: int) -> float:
        """The cost of these tokens."""
        return (prompt_tokens * self.input + output_tokens * self.output) / PER_MILLION


def price_of(model: str, tier: str, day: datetime.date, prices: Path | None = None) -> Price | None:
    """The price of a model on a day; None if the list does not contain it.

    Args:
        tier: standard or flex.
        prices: the user's list, in the format of prices.json.
    Raises:
        UsageError: the list cannot be read.
    """
    path = prices or PRICES
    try:
        content = read_json(path)
        return _price(content, model, tier, day) if isinstance(content, dict) else None
    except InputError as error:
        raise UsageError(str(error)) from None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UsageError(
            f"{path}: is not a list of prices, expected the format of {PRICES.name}. Correct it."
        ) from None


def _price(content: Mapping, model: str, tier: str, day: datetime.date) -> Price | None:
    periods = [
        period
        for period in content["models"].get(model, [])
        if day <= datetime.date.fromisoformat(period.get("until", "9999-12-31"))
    ]
    if not periods:
        return None
    factor = float(content["tiers"].get(tier, 1.0))
    return Price(factor * float(periods[0]["input"]), factor * float(periods[0]["output"]), str(content["as_of"]))


def cost_line(cost: Mapping | None) -> str | None:
    """What the calls of a run cost, in words, from :meth:`Meter.as_dict`; None if nothing, or if it is unknown."""
    if not cost or not cost["dollars"]:
        return None
    return f"{cost['calls']} calls cost {cost['dollars']:.4f} dollars at the prices of {cost['prices_of']}"


@dataclass
class Meter:
    """Count the tokens of the calls; answers from the cache cost nothing.

    price: None if unknown.
    most_dollars: limit for the cost of a run; None for no limit.
    """

    price: Price | None = None
    most_dollars: float | None = None
    calls: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, prompt_tokens: int | None, output_tokens: int | None) -> bool:
        """Count a call; returns whether the run has reached its limit."""
        with self.lock:
            self.calls += 1
            self.prompt_tokens += prompt_tokens or 0
            self.output_tokens += output_tokens or 0
            dollars = self.dollars
        return self.most_dollars is not None and dollars is not None and dollars >= self.most_dollars

    @property
    def dollars(self) -> float | None:
        """The cost of the calls so far; None if the price is unknown."""
        return None if self.price is None else self.price.dollars(self.prompt_tokens, self.output_tokens)

    def as_dict(self) -> dict[str, object]:
        """The counts for the run block."""
        tokens = {"prompt_tokens": self.prompt_tokens, "output_tokens": self.output_tokens}
        prices_of = None if self.price is None else self.price.as_of
        return {"calls": self.calls, **tokens, "dollars": self.dollars, "prices_of": prices_of}
