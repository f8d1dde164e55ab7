"""Seasons of genres: closed forms of a planted wave, none where there is none, and no word before two years."""

from datetime import date, timedelta

import numpy as np
import pytest

from muzikantas.analysis.countries import Entry, profile
from muzikantas.analysis.seasons import Season, season
from muzikantas.analysis.trajectories import Array

LAST = date(2031, 6, 1)


def shares(
    weeks: int, *, height: float = 0.0, peak: date = LAST, noise: float = 0.0, rho: float = 0.0, seed: int = 1
) -> tuple[Array, Array]:
    """A genre whose log-odds are a level, a little growth, a wave a year with a peak on a date, and lasting errors."""
    rng = np.random.default_rng(seed)
    error = np.zeros(weeks)
    for week in range(weeks):
        error[week] = rho * error[week - 1] + rng.normal(0, noise)
    days = [LAST - timedelta(days=7 * (weeks - 1 - week) + 3) for week in range(weeks)]
    wave = [np.cos(2 * np.pi * (day - peak).days / 365.25) for day in days]
    odds = np.exp(-1.5 + 0.002 * np.arange(weeks) + height * np.array(wave) + error)
    return 350 * odds / (1 + odds), np.full(weeks, 350.0)


def sure(part: Array, whole: Array) -> Season:
    found = season(part, whole, LAST)
    assert found is not None
    return found


@pytest.mark.parametrize("peak", [date(2031, 1, 15), date(2031, 5, 15), date(2031, 12, 15)])
def test_a_wave_has_its_height_and_its_month(peak: date) -> None:
    found = sure(*shares(114, height=0.4, peak=peak, noise=0.05))
    assert found.amplitude == pytest.approx(np.exp(0.4), rel=0.1)
    assert found.peak_month == peak.month
    assert found.chance < 1e-6


def test_the_interval_of_a_peak_goes_over_the_turn_of_the_year() -> None:
    found = sure(*shares(114, height=0.3, peak=date(2031, 1, 1), noise=0.1, rho=0.5))
    assert found.peak_from is not None
    assert found.peak_until is not None
    assert found.peak_from >= 11
    assert found.peak_until <= 3


def test_where_there_is_no_season_hardly_ever_one_is_seen() -> None:
    """Errors that last for weeks make waves by themselves: 5 in 100 may pass, and by chance of 60 draws 8 in 60."""
    seen = [sure(*shares(110, noise=0.15, rho=0.8, seed=seed)).peak_month is not None for seed in range(60)]
    assert sum(seen) <= 8


def test_intervals_hold_what_was_planted() -> None:
    found = [sure(*shares(110, height=0.4, noise=0.15, rho=0.6, seed=seed)) for seed in range(60)]
    assert sum(each.low <= np.exp(0.4) <= each.high for each in found) >= 54


def test_growth_is_no_season() -> None:
    part, whole = shares(110, noise=0.1)
    grown = part * np.linspace(1, 3, len(part))
    assert sure(grown, whole).peak_month is None


@pytest.mark.parametrize("weeks", [26, 103])
def test_below_two_years_nothing_is_said(weeks: int) -> None:
    assert season(*shares(weeks, height=0.5), LAST) is None


def test_a_genre_that_is_hardly_heard_or_a_chart_full_of_holes_says_nothing() -> None:
    part, whole = shares(110, height=0.5)
    rare = np.where(np.arange(110) % 3 == 0, part, 0)
    assert season(rare, whole, LAST) is None
    holes = np.arange(110) % 4 > 0
    assert season(part * holes, whole * holes, LAST) is None


def test_a_profile_tells_seasons_once_there_are_two_years() -> None:
    """Ten places a week: pop has eight of them around New Year and four in summer, the rest is rock."""
    entries = []
    for week in range(112):
        day = LAST - timedelta(days=7 * week)
        pop = round(6 + 2 * np.cos(2 * np.pi * day.timetuple().tm_yday / 365.25))
        entries += [
            Entry(
                day=day,
                track=f"{place} {week // 5}",
                artist=str(place),
                genre="pop" if place < pop else "rock" if place < 9 else None,
                home=None,
                demand=1.0,
            )
            for place in range(10)
        ]
    found = profile(entries, "ES", np.random.default_rng(1))
    pop, rock = (found["genres"][genre]["season"] for genre in ("pop", "rock"))
    assert found["weeks"] == 112
    assert pop["sure"]
    assert pop["peak_month"] in {12, 1}
    assert rock["peak_month"] in {6, 7}
    lately = profile(entries[:500], "ES", np.random.default_rng(1))
    assert lately["weeks"] == 50
    assert {numbers["season"] for numbers in lately["genres"].values()} == {None}
