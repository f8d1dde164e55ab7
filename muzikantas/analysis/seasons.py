"""Seasons of a genre: how much its share of demand swings with the year, when it is highest, and how sure that is.

Weekly log-odds of the genre against all other demand follow a line (growth), one wave a year (the season) and errors
that last from week to week (least squares of Prais and Winsten 1954). One wave is a smooth season: a peak of two weeks,
such as Christmas, shows as a small one. Two years are the least: within one, a season and a fashion look the same.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from scipy import stats

from muzikantas.analysis import weekly
from muzikantas.analysis.trajectories import Array

#: Weeks that a season needs: two years of them.
LEAST_WEEKS = 104
#: Share of those weeks that the chart must have, and of these that the genre must be heard in.
LEAST_SEEN, LEAST_HEARD = 0.8, 0.5
YEAR_DAYS = 365.25
#: A swing beyond this is one of a genre that is hardly heard at all for a part of the year.
WIDEST = np.log(100.0)


@dataclass(frozen=True, kw_only=True)
class Season:
    """One wave a year.

    Parameters
    ----------
    amplitude, low, high
        Factor of the genre's odds against all other demand, from the year's middle to its peak, and its 95 % interval;
        `low` is 1 where there may be no season. The floor of `weekly` takes a twentieth off its logarithm.
    peak_month, peak_from, peak_until
        Months of the year (1 to 12) of the peak and of its 95 % interval, which may go over the turn of the year; None
        where there may be no season.
    chance
        Of so large a wave where there is no season.
    """

    amplitude: float
    low: float
    high: float
    peak_month: int | None
    peak_from: int | None
    peak_until: int | None
    chance: float


def season(part: Array, whole: Array, last: date) -> Season | None:
    """Measure a genre's season.

    Parameters
    ----------
    part, whole
        Demand by week, of the genre and of all, of shape `(weeks,)`; the last week ends on `last`. Weeks without any
        demand are left out.

    Returns
    -------
    Season or None
        None where there are fewer than two years, or the genre is heard too rarely: not enough data is an answer.
    """
    seen, weeks = whole > 0, len(whole)
    if weeks < LEAST_WEEKS or seen.mean() < LEAST_SEEN or (part[seen] > 0).mean() < LEAST_HEARD:
        return None
    middles = [last - timedelta(days=7 * (weeks - 1 - k) + 3) for k in np.flatnonzero(seen).tolist()]
    angles = np.array([_angle(day) for day in middles])
    time = np.flatnonzero(seen) - (weeks - 1) / 2
    design = np.column_stack([np.ones(len(time)), time / weeks, np.cos(angles), np.sin(angles)])
    wave, covariance, freedom = _fit(design, weekly.log_odds(part[seen], whole[seen]))
    return _season(wave, covariance, freedom)


def _fit(design: Array, values: Array) -> tuple[Array, Array, int]:
    """Give the wave (cosine, sine), its covariance and the degrees of freedom."""
    columns, lasting = design.shape[1], 0.0
    for _ in range(4):
        white, outcome = weekly.whitened(design, lasting), weekly.whitened(values, lasting)
        inverse = np.linalg.inv(white.T @ white)
        fitted = inverse @ white.T @ outcome
        rest = outcome - white @ fitted
        used = lasting
        lasting = weekly.lasting(values - design @ fitted, columns)
    # Errors that last leave fewer independent weeks than there are.
    freedom = max(round(len(values) * (1 - used) / (1 + used)) - columns, 2)
    variance = float(rest @ rest) / (len(values) - columns)
    return fitted[2:], inverse[2:, 2:] * variance, freedom


def _season(wave: Array, covariance: Array, freedom: int) -> Season:
    """Draw the circle that holds the wave in 95 of 100 cases: what it spans are the intervals."""
    swing = float(np.hypot(*wave))
    chance = float(stats.f.sf(wave @ np.linalg.solve(covariance, wave) / 2, 2, freedom))
    radius = float(np.sqrt(2 * stats.f.ppf(0.95, 2, freedom) * np.linalg.eigvalsh(covariance)[-1]))
    amplitude, low, high = (
        round(float(np.exp(np.clip(size, 0, WIDEST))), 3) for size in (swing, swing - radius, swing + radius)
    )
    if swing <= radius:
        return Season(
            amplitude=amplitude, low=1.0, high=high, peak_month=None, peak_from=None, peak_until=None, chance=chance
        )
    peak, reach = np.arctan2(wave[1], wave[0]), np.arcsin(radius / swing)
    return Season(
        amplitude=amplitude,
        low=low,
        high=high,
        peak_month=_month(peak),
        peak_from=_month(peak - reach),
        peak_until=_month(peak + reach),
        chance=chance,
    )


def _angle(day: date) -> float:
    return 2 * np.pi * (day.timetuple().tm_yday - 0.5) / YEAR_DAYS


def _month(angle: float) -> int:
    """Give the month of an angle of the year.

    >>> [_month(2 * np.pi * share) for share in (0.01, 0.5, 0.99, -0.01)]
    [1, 7, 12, 12]
    """
    return (date(2001, 1, 1) + timedelta(days=float(angle) / (2 * np.pi) % 1 * 365)).month
