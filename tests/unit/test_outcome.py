from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from muzikantas.analysis.daily import WORLDWIDE, DailyRows, by_age, unreported
from muzikantas.analysis.outcome import AGES, Decay, Series, learn_decay, outcomes

BEGIN = date(2026, 1, 1)
UNKNOWN = np.full(AGES, np.nan)
SHARES = {"DE": 0.5, "JP": 0.3, "US": 0.2}


def market(n: int, seed: int, *, exponent: float, own: float = 0.1, floor: float = 0.0) -> list[Series]:
    """Releases whose days are Poisson about a log-normal power law, in three countries."""
    rng = np.random.default_rng(seed)
    age = np.arange(AGES) + 1.0
    made = []
    for release in range(n):
        level = np.exp(rng.normal(5, 1))
        shape = age ** -(exponent + own * rng.normal()) + floor
        for country, share in SHARES.items():
            streams = rng.poisson(level * share * shape * np.exp(0.15 * rng.normal(size=AGES))).astype(float)
            made.append(series(streams, release=release, country=country))
    return made


def series(streams: np.ndarray, *, release: int = 0, country: str = "DE", platform: str = "p") -> Series:
    return Series(
        release=release, platform=platform, country=country, streams=streams, listeners=UNKNOWN, saves=UNKNOWN
    )


def cut(made: list[Series], day: int, *, first: int = 0) -> Iterator[Series]:
    """Forget what was reported from `day` on, of the releases from `first` on."""
    for each in made:
        young = np.where(np.arange(AGES) < day, each.streams, np.nan)
        yield replace(each, streams=young) if each.release >= first else each


@pytest.mark.parametrize(("exponent", "floor"), [(0.4, 0.0), (0.8, 0.0), (1.3, 0.03)])
def test_the_decay_is_found_again(exponent: float, floor: float) -> None:
    found = learn_decay(market(60, 1, exponent=exponent, floor=floor), 28)
    truth = Decay(exponent=exponent, floor=floor).shape()
    # Exponent and floor trade off; the shape is what counts: what share of the streams comes after the first week.
    shares = [float(shape[7:].sum() / shape.sum()) for shape in (truth, found.shape())]
    assert shares[1] == pytest.approx(shares[0], abs=0.03)


def test_with_nothing_known_the_decay_is_the_usual_one() -> None:
    assert learn_decay([], 7).exponent == pytest.approx(0.7)
    assert outcomes([], Decay(exponent=0.7, floor=0.0), 7) == {}


def test_days_that_are_all_there_are_added_up() -> None:
    found = outcomes([series(np.arange(28.0)), series(np.ones(28), country="US")], Decay(exponent=0.7, floor=0.0), 7)[0]
    assert found.streams == 21 + 7
    assert found.by_country == {"DE": 21, "US": 7}
    assert (found.error, found.weight, found.age_days) == (0.0, 1.0, 7)


def test_a_power_law_is_continued_exactly() -> None:
    decay = Decay(exponent=0.6, floor=0.01)
    (young,) = cut([series(1000 * decay.shape())], 5)
    found = outcomes([young], decay, 28)[0]
    assert found.streams == pytest.approx(1000 * decay.shape().sum())
    assert 0 < found.weight < 1
    assert found.age_days == 5


def test_the_nowcast_covers_the_truth_as_often_as_it_says() -> None:
    off = []
    for seed in range(6):
        made = market(40, seed, exponent=0.6)
        now = list(cut(made, 7, first=20))
        decay = learn_decay(now, 28)
        guess, truth = outcomes(now, decay, 28), outcomes(made, decay, 28)
        off += [np.log(guess[r].streams / truth[r].streams) / guess[r].error for r in range(20, 40)]
    # 120 releases in six markets: 95 % within two standard deviations, give or take four points.
    assert 0.9 <= np.mean(np.abs(off) < 1.96) <= 1.0
    assert abs(np.mean(off)) < 0.4


def test_more_days_say_more() -> None:
    decay = Decay(exponent=0.7, floor=0.0)
    made = [series(1000 * decay.shape())]
    found = [outcomes(list(cut(made, day)), decay, 28)[0] for day in (3, 7, 14, 27, 28)]
    assert sorted(found, key=lambda each: each.weight) == found
    assert sorted(found, key=lambda each: -each.error) == found


def test_an_artist_whose_curves_are_wild_is_foretold_with_more_doubt() -> None:
    calm, wild = (learn_decay(market(30, 2, exponent=0.7, own=own), 28) for own in (0.05, 0.6))
    assert calm.scale < 1 < wild.scale


def test_too_young_has_no_weight() -> None:
    decay = Decay(exponent=0.7, floor=0.0)
    made = [series(1000 * decay.shape())]
    assert [outcomes(list(cut(made, day)), decay, 7)[0].weight > 0 for day in (0, 2, 3)] == [False, False, True]


def test_a_country_in_quarantine_is_filled_in_from_its_other_days() -> None:
    decay = Decay(exponent=0.7, floor=0.0)
    clean = 1000 * decay.shape()
    held = np.where(np.isin(np.arange(AGES), (2, 3)), np.nan, clean)
    found = outcomes([series(held), series(clean, country="US")], decay, 7)[0]
    assert found.by_country["DE"] == pytest.approx(found.by_country["US"])
    assert 0 < found.error < 0.1


def rows(
    release: int, days: dict[int, int], *, country: str = "DE", platform: str = "p", released: int = 0
) -> DailyRows:
    none = [None] * len(days)
    return DailyRows(
        release=release,
        released_on=BEGIN + timedelta(days=released),
        platform=platform,
        country=country,
        days=[BEGIN + timedelta(days=day) for day in days],
        streams=list(days.values()),
        listeners=none,
        saves=none,
    )


def volume(*days: int, streams: int = 1000) -> dict[date, int]:
    return {BEGIN + timedelta(days=day): streams for day in days}


def test_a_day_without_a_row_is_a_zero_up_to_the_newest_report() -> None:
    (found,) = by_age([rows(1, {0: 5, 2: 3})], {"p": volume(0, 1, 2, 3)})
    assert found.streams[:4].tolist() == [5, 0, 3, 0]
    assert np.isnan(found.streams[4:]).all()
    assert np.isnan(found.listeners).all()


def test_a_report_that_has_not_come_is_no_zero() -> None:
    (late, other) = by_age(
        [rows(1, {0: 5}), rows(1, {0: 9}, platform="q")], {"p": volume(0, 1, 3), "q": volume(0, 1, 2, 3, 4)}
    )
    assert np.isnan(late.streams[[2, 4]]).all()
    assert late.streams[[1, 3]].tolist() == [0, 0]
    assert other.streams[:5].tolist() == [9, 0, 0, 0, 0]


def test_quiet_days_of_a_small_label_are_zeros() -> None:
    newest = BEGIN + timedelta(days=9)
    assert unreported(volume(0, 4, streams=2), newest) == set()
    assert unreported(volume(0, 4), newest) == {BEGIN + timedelta(days=day) for day in (1, 2, 3, 5, 6, 7, 8, 9)}
    assert unreported({}, newest) == set()


def test_worldwide_rows_count_where_a_platform_gives_no_countries() -> None:
    made = [
        rows(1, {0: 99}, country=WORLDWIDE),
        rows(1, {0: 5}),
        rows(1, {0: 7}, country=WORLDWIDE, platform="q"),
    ]
    found = by_age(made, {"p": volume(0), "q": volume(0)})
    assert [(each.platform, each.country, each.streams[0]) for each in found] == [("p", "DE", 5), ("q", WORLDWIDE, 7)]


def test_rows_from_before_the_release_are_left_out() -> None:
    (found,) = by_age([rows(1, {0: 50, 3: 4}, released=3)], {"p": volume(0, 1, 2, 3)})
    assert found.streams[0] == 4
    assert np.isnan(found.streams[1:]).all()
