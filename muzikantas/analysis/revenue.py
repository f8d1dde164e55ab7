"""What a track will earn in its first year, what it costs, and which slots are worth their cost.

Streams of a year follow from those of the first days by the artist's decay; both are log-normal. Below a number of
streams in twelve months a platform pays nothing for a track, so the revenue that counts is the payable one. Amounts are
millionths of a dollar (`domain/money.py`), prices are decimals; only streams and probabilities are floats.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import exp, log, sqrt

import numpy as np
from scipy import stats

from muzikantas.domain.errors import InputError
from muzikantas.domain.money import MICROS, decimal_text

#: Streams within twelve months below which Spotify pays nothing for a track (its rule since 2024), and those months.
PAYABLE_FROM, YEAR_DAYS = 1000, 365
#: Streams with a stated revenue from which the observed price of a stream counts, and not the configured one.
OBSERVED_FROM = 1000


@dataclass(frozen=True, kw_only=True)
class Year:
    """Streams of one track in its first twelve months: mean and standard deviation of their logarithm."""

    log_mean: float
    log_sd: float

    @property
    def payable(self) -> float:
        """Probability that they pass the threshold."""
        return float(stats.norm.cdf((self.log_mean - log(PAYABLE_FROM)) / self.log_sd))

    def payable_streams(self, power: int = 1) -> float:
        """Expected streams that are paid for (or their square): E[Sᵏ; S ≥ threshold] of a log-normal S."""
        k, variance = power, self.log_sd**2
        reach = (self.log_mean + k * variance - log(PAYABLE_FROM)) / self.log_sd
        return exp(k * self.log_mean + 0.5 * k**2 * variance) * float(stats.norm.cdf(reach))

    def streams(self, probability: float) -> float:
        """Streams that are not passed with this probability."""
        return exp(self.log_mean + self.log_sd * float(stats.norm.ppf(probability)))


@dataclass(frozen=True, kw_only=True)
class Revenue:
    """Payable revenue in millionths of a dollar: the expectation and a 95 % interval."""

    expected: int
    low: int
    high: int

    def __str__(self) -> str:
        """Write it as dollars."""
        return f"{decimal_text(self.expected)} USD ({decimal_text(self.low)} to {decimal_text(self.high)})"


@dataclass(frozen=True, kw_only=True)
class Spending:
    """Which slots of a plan are worth their cost.

    Parameters
    ----------
    order
        Positions of the slots that are, the best return first.
    stopped
        Why there are not more, in words; None when all are.
    """

    order: tuple[int, ...]
    stopped: str | None


def first_year(
    log_mean: float, log_sd: float, *, days: int, exponent: float, floor: float = 0.0, exponent_sd: float = 0.0
) -> Year:
    """Extend the streams of the first `days` days to a year by the decay `(age + 1) ** -exponent + floor`.

    The doubt about the exponent is added by its first-order effect on the logarithm of the ratio. Raises `InputError`
    when a deviation or `days` is out of range.
    """
    if not (log_sd > 0 and exponent_sd >= 0 and 0 < days <= YEAR_DAYS):
        raise InputError(
            f"a log standard deviation of {log_sd}, {exponent_sd} of the exponent, {days} days; expected above 0, at "
            f"least 0, and 1 to {YEAR_DAYS}"
        )
    ages = np.arange(YEAR_DAYS) + 1.0
    falling = ages**-exponent
    shape = falling + floor
    ratio = float(shape.sum() / shape[:days].sum())
    moved = falling * np.log(ages)
    slope = float(moved[:days].sum() / shape[:days].sum() - moved.sum() / shape.sum())
    return Year(log_mean=log_mean + log(ratio), log_sd=sqrt(log_sd**2 + (slope * exponent_sd) ** 2))


def revenue(years: Sequence[Year], usd_per_stream: Decimal) -> Revenue:
    """Add up the payable revenue of tracks whose luck is independent; of none it is nothing.

    One track's interval are quantiles of what it is paid, of several the normal one about the sum, never below zero.
    """
    expected = sum(year.payable_streams() for year in years)
    if len(years) == 1:
        low, high = (s if s >= PAYABLE_FROM else 0.0 for s in (years[0].streams(0.025), years[0].streams(0.975)))
    else:
        variance = sum(max(year.payable_streams(2) - year.payable_streams() ** 2, 0.0) for year in years)
        low, high = (expected + sign * 1.96 * sqrt(variance) for sign in (-1, 1))
    return Revenue(
        expected=_paid(expected, usd_per_stream),
        low=_paid(max(low, 0.0), usd_per_stream),
        high=_paid(high, usd_per_stream),
    )


def usd_per_stream(
    heard: Mapping[tuple[str, str], int],
    reported: Mapping[tuple[str, str], tuple[int, int]],
    configured: Mapping[str, Decimal],
) -> Decimal | None:
    """Price of one of the artist's streams, by where they come from; None while a price is missing.

    Parameters
    ----------
    heard
        The artist's streams by platform and country: how much each price counts.
    reported
        Streams whose revenue was stated, and that revenue in millionths of a dollar, by platform and country.
    configured
        Prices by `platform:COUNTRY`, `platform` or `*`, the nearest of which is taken where reports say too little.
    """
    total, value = 0, Decimal(0)
    for (platform, country), streams in sorted(heard.items()):
        price = _price(platform, country, reported, configured)
        if price is None:
            return None
        total, value = total + streams, value + streams * price
    return value / total if total else configured.get("*")


def cost_micros(credits_spent: int, usd_per_credit: Decimal, words_micros: int) -> int:
    """Give what music and words have cost together.

    >>> cost_micros(20, Decimal("0.005"), 1_500)
    101500
    """
    music = (credits_spent * usd_per_credit * MICROS).to_integral_value(rounding=ROUND_HALF_UP)
    return int(music) + words_micros


def spend(years: Sequence[Year | None], usd_per_stream: Decimal, cost: int) -> Spending:
    """Take the slots in the order of what they will earn, and stop where the next earns less than it costs.

    None stands for a slot of which nothing is known yet: it is bought, since nobody can say that it is not worth it.
    """
    returns = [None if year is None else _paid(year.payable_streams(), usd_per_stream) for year in years]
    order = sorted(range(len(years)), key=lambda i: (returns[i] is not None, -(returns[i] or 0), i))
    worth = [i for i in order if (earned := returns[i]) is None or earned >= cost]
    if len(worth) == len(order):
        return Spending(order=tuple(worth), stopped=None)
    earned, chance = returns[order[len(worth)]] or 0, years[order[len(worth)]]
    stopped = (
        f"{len(worth)} of {len(order)} slots are worth their cost: the next one would earn {decimal_text(earned)} USD "
        f"in its first year ({0.0 if chance is None else chance.payable:.0%} to be paid at all) and costs "
        f"{decimal_text(cost)} USD"
    )
    return Spending(order=tuple(worth), stopped=stopped)


def _paid(streams: float, price: Decimal) -> int:
    """Price streams in millionths of a dollar; a thousandth of a stream is exact enough."""
    return int((Decimal(f"{streams:.3f}") * price * MICROS).to_integral_value(rounding=ROUND_HALF_UP))


def _price(
    platform: str,
    country: str,
    reported: Mapping[tuple[str, str], tuple[int, int]],
    configured: Mapping[str, Decimal],
) -> Decimal | None:
    streams, micros = reported.get((platform, country), (0, 0))
    if streams >= OBSERVED_FROM:
        return Decimal(micros) / MICROS / streams
    for name in (f"{platform}:{country}", platform, "*"):
        if name in configured:
            return configured[name]
    return None
