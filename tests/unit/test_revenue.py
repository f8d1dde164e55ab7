"""Payable revenue: closed forms against sums and draws, and a budget that stops where it should."""

from decimal import Decimal
from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muzikantas.analysis.revenue import (
    PAYABLE_FROM,
    YEAR_DAYS,
    Year,
    cost_micros,
    first_year,
    revenue,
    spend,
    usd_per_stream,
)
from muzikantas.domain.errors import InputError

PRICE = Decimal("0.003")


def test_without_decay_a_year_is_so_many_weeks() -> None:
    year = first_year(log(70.0), 1.1, days=7, exponent=0.0)
    assert exp(year.log_mean) == pytest.approx(70.0 * YEAR_DAYS / 7)
    assert year.log_sd == pytest.approx(1.1)


def test_the_harmonic_decay_has_harmonic_sums() -> None:
    year = first_year(0.0, 1.0, days=2, exponent=1.0)
    assert exp(year.log_mean) == pytest.approx(sum(1 / n for n in range(1, 366)) / 1.5)


def test_a_floor_only_adds() -> None:
    bare, floored = (first_year(5.0, 1.0, days=7, exponent=0.7, floor=floor) for floor in (0.0, 0.1))
    assert floored.log_mean > bare.log_mean
    level = exp(5.0) / sum(n**-0.7 + 0.1 for n in range(1, 8))
    assert exp(floored.log_mean) == pytest.approx(level * sum(n**-0.7 + 0.1 for n in range(1, 366)))


def test_doubt_about_the_exponent_widens_as_draws_do() -> None:
    year = first_year(5.0, 0.5, days=7, exponent=0.8, exponent_sd=0.1)
    draws = [first_year(5.0, 0.5, days=7, exponent=e).log_mean for e in np.random.default_rng(1).normal(0.8, 0.1, 4000)]
    assert year.log_sd == pytest.approx(sqrt(0.25 + np.var(draws)), rel=0.03)


def test_half_of_the_tracks_at_the_threshold_are_paid() -> None:
    assert Year(log_mean=log(PAYABLE_FROM), log_sd=0.7).payable == pytest.approx(0.5)
    assert Year(log_mean=log(PAYABLE_FROM) + 0.7, log_sd=0.7).payable == pytest.approx(0.8413, abs=1e-4)


@pytest.mark.parametrize("power", [1, 2])
def test_payable_streams_are_what_draws_say(power: int) -> None:
    year = Year(log_mean=6.5, log_sd=0.8)
    streams = np.exp(np.random.default_rng(2).normal(6.5, 0.8, 400_000))
    paid = np.where(streams >= PAYABLE_FROM, streams, 0.0)
    assert year.payable_streams(power) == pytest.approx(float(np.mean(paid**power)), rel=0.03)
    assert year.payable == pytest.approx(float(np.mean(paid > 0)), abs=0.003)


def test_revenue_of_several_tracks_adds_up_and_its_interval_covers() -> None:
    years = [Year(log_mean=7.0 + 0.1 * k, log_sd=0.6) for k in range(30)]
    total = revenue(years, PRICE)
    assert total.expected == pytest.approx(sum(revenue([year], PRICE).expected for year in years), abs=len(years))
    rng = np.random.default_rng(3)
    drawn = np.exp(np.array([[y.log_mean] for y in years]) + 0.6 * rng.normal(size=(30, 4000)))
    sums = np.where(drawn >= PAYABLE_FROM, drawn, 0.0).sum(axis=0) * 3000
    assert 0.93 <= np.mean((total.low <= sums) & (sums <= total.high)) <= 0.97


def test_one_track_that_will_hardly_pass_may_earn_nothing() -> None:
    found = revenue([Year(log_mean=log(300), log_sd=0.5)], PRICE)
    assert (found.low, found.high) == (0, 0)
    assert 0 < found.expected < 300 * 3000
    assert revenue([], PRICE).expected == revenue([], PRICE).high == 0


def test_nonsense_is_named() -> None:
    with pytest.raises(InputError, match="0 days"):
        first_year(5.0, 1.0, days=0, exponent=0.7)


def test_the_price_of_a_stream_follows_where_streams_come_from() -> None:
    heard = {("spotify", "US"): 300, ("spotify", "DE"): 100, ("deezer", "FR"): 100}
    table = {"spotify": Decimal("0.002"), "spotify:DE": Decimal("0.004"), "*": Decimal("0.001")}
    assert usd_per_stream(heard, {}, table) == Decimal("0.0022")
    observed = {("spotify", "US"): (2000, 10_000_000), ("deezer", "FR"): (10, 1_000_000)}
    assert usd_per_stream(heard, observed, table) == Decimal("0.004")


def test_without_a_price_there_is_no_price() -> None:
    assert usd_per_stream({("spotify", "US"): 300}, {}, {"deezer": PRICE}) is None
    assert usd_per_stream({}, {}, {}) is None
    assert usd_per_stream({}, {}, {"*": PRICE}) == PRICE


def test_cost_is_credits_and_words() -> None:
    assert cost_micros(10, Decimal("0.0055"), 300) == 55_300
    assert cost_micros(0, Decimal(1), 7) == 7


def test_the_budget_goes_to_the_best_and_stops_below_cost() -> None:
    years = [Year(log_mean=mean, log_sd=0.5) for mean in (5.0, 8.0, 7.0, 9.0)]
    cost = revenue([years[2]], PRICE).expected
    found = spend(years, PRICE, cost)
    assert found.order == (3, 1, 2)
    assert found.stopped is not None
    assert "3 of 4 slots" in found.stopped
    assert spend(years, PRICE, 0).stopped is None
    assert spend(years, PRICE, 10**12).order == ()


def test_what_nobody_knows_yet_is_bought_first() -> None:
    found = spend([Year(log_mean=3.0, log_sd=0.5), None], PRICE, 10**9)
    assert found.order == (1,)
    assert spend([None, None], PRICE, 10**9).stopped is None


@given(
    means=st.lists(st.floats(0, 12), max_size=8),
    cost=st.integers(0, 100_000_000),
)
def test_every_slot_that_is_bought_is_worth_it_and_no_other_is_left_out(means: list[float], cost: int) -> None:
    years = [Year(log_mean=mean, log_sd=1.0) for mean in means]
    earned = [revenue([year], PRICE).expected for year in years]
    found = spend(years, PRICE, cost)
    assert sorted(found.order) == [i for i, each in enumerate(earned) if each >= cost]
    assert [earned[i] for i in found.order] == sorted((earned[i] for i in found.order), reverse=True)
    assert (found.stopped is None) == (len(found.order) == len(years))
