"""Prices by date and tier, the cost of a run in its block, and a run that ends at its limit."""

from __future__ import annotations

import datetime
import json

import pytest
from gate_support import GeminiProtocol, Service, always, gate, make_archive, read, verdict

from motion_gating.judges.cost import Meter, price_of
from motion_rep.common.errors import UsageError

ANSWER = GeminiProtocol.answer(verdict(True))
MODEL = "gemini-3.8-flash"


@pytest.mark.parametrize(
    ("day", "tier", "prices"),
    [
        ("2026-12-31", "standard", (0.75, 3.75)),
        ("2027-01-01", "standard", (1.5, 7.5)),
        ("2027-01-01", "flex", (0.75, 3.75)),
    ],
)
def test_a_price_depends_on_day_and_tier(day, tier, prices):
    price = price_of(MODEL, tier, datetime.date.fromisoformat(day))
    assert (price.input, price.output) == prices
    assert price_of("another", tier, datetime.date(2027, 1, 1)) is None


def test_a_clip_costs_a_quarter_of_a_cent():
    price = price_of(MODEL, "standard", datetime.date(2026, 11, 26))
    assert price.dollars(1900, 250) == pytest.approx(0.0024, abs=0.0001)


@pytest.mark.parametrize(
    "content", ("[]", "{}", '{"models": {"m": [{"until": "soon"}]}, "tiers": {}, "as_of": ""}', "no")
)
def test_a_list_of_prices_of_another_form_is_refused_or_has_no_price(tmp_path, content):
    path = tmp_path / "prices.json"
    path.write_text(content)
    try:
        assert price_of("m", "standard", datetime.date(2027, 1, 1), path) is None
    except UsageError as error:
        assert str(path) in str(error)


def test_the_run_block_has_tokens_and_dollars_of_the_calls_but_not_of_the_cache(tmp_path):
    meta = make_archive(tmp_path, (1, 2))
    with Service(always(ANSWER)) as server:
        done = gate(meta, server=server)
        first = read(tmp_path / "report.run.json")["cost"]
        gate(meta, server=server)
    assert (first["calls"], first["prompt_tokens"], first["output_tokens"]) == (2, 2000, 40)
    assert first["dollars"] > 0
    assert first["prices_of"] == "2026-11-26"
    assert "2 calls cost" in done.stdout
    assert read(tmp_path / "report.run.json")["cost"]["calls"] == 0


def test_a_run_ends_when_it_has_cost_what_it_may(tmp_path):
    meta = make_archive(tmp_path, range(6))
    with Service(always(ANSWER)) as server:
        done = gate(meta, "--max-cost", "0.001", "--num-threads", "1", server=server)
    assert done.returncode == 1
    assert 1 <= len(server.questions) < 6
    assert "--max-cost" in done.stderr
    decided = [record["use_ref_motion"] for record in read(tmp_path / "report.json")]
    assert decided.count(True) == len(server.questions)


def test_a_limit_without_a_price_is_refused(tmp_path):
    meta = make_archive(tmp_path, (1,))
    done = gate(meta, "--max-cost", "1", "--gemini-model", "unknown-1")
    assert done.returncode == 2
    assert "the price of unknown-1 is unknown" in done.stderr


def test_the_flex_tier_is_asked_for(tmp_path):
    with Service(always(ANSWER)) as server:
        gate(make_archive(tmp_path, (1,)), "--service-tier", "flex", server=server)
    assert "flex" in json.dumps(server.questions[0].json).lower()


def test_a_meter_without_a_price_counts_tokens_alone():
    meter = Meter(None, 5.0)
    assert not meter.add(10**9, None)
    assert meter.as_dict() == {
        "calls": 1,
        "prompt_tokens": 10**9,
        "output_tokens": 0,
        "dollars": None,
        "prices_of": None,
    }
