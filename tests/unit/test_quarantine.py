from dataclasses import replace

import numpy as np
import pytest

from muzikantas.analysis.outcome import AGES, Series, learn_decay, outcomes
from muzikantas.analysis.quarantine import quarantine

SHARES = {"BR": 0.2, "DE": 0.17, "GB": 0.15, "JP": 0.14, "US": 0.34}


def label(
    n: int, seed: int, *, viral: bool = False, people: bool = True, countries: int = 5, day: float = 0.15
) -> list[Series]:
    """Clean releases: log-normal days about a power law, own tastes by country; a viral one rises everywhere."""
    rng = np.random.default_rng(seed)
    age = np.arange(AGES)
    made = []
    for release in range(n):
        level, exponent = np.exp(rng.normal(6, 0.7)), 0.6 + 0.15 * rng.normal()
        start = int(rng.integers(2, 20))
        rise = np.where(age >= start, 1 + 20 * np.exp(-np.maximum(age - start, 0) / 5), 1.0) if viral else np.ones(AGES)
        for country in list(SHARES)[:countries]:
            usual = level * SHARES[country] * np.exp(0.3 * rng.normal()) * (age + 1.0) ** -exponent
            mean = usual * rise ** np.exp(0.15 * rng.normal()) * np.exp(day * rng.normal(size=AGES))
            streams = rng.poisson(mean).astype(float)
            counted = [rng.binomial(streams.astype(int), share).astype(float) for share in (0.72, 0.06)]
            listeners, saves = counted if people else (np.full(AGES, np.nan),) * 2
            made.append(
                Series(
                    release=release,
                    platform="p",
                    country=country,
                    streams=streams,
                    listeners=listeners,
                    saves=saves,
                )
            )
    return made


def bought(
    made: list[Series], release: int, country: str, days: slice, streams: float, *, people: float
) -> list[Series]:
    """Add streams to one country; each comes with so many listeners and a twelfth as many saves."""
    bots = np.zeros(AGES)
    bots[days] = streams
    return [
        replace(
            each,
            streams=each.streams + bots,
            listeners=each.listeners + people * bots,
            saves=each.saves + people / 12 * bots,
        )
        if (each.release, each.country) == (release, country)
        else each
        for each in made
    ]


@pytest.mark.parametrize("people", [True, False])
@pytest.mark.parametrize("viral", [True, False])
@pytest.mark.parametrize("countries", [1, 2, 5])
def test_clean_releases_raise_no_alarm_not_even_hits(viral: bool, people: bool, countries: int) -> None:  # noqa: FBT001 (parameters of a table)
    alarms = 0
    for seed in range(5):
        made = label(20, seed, viral=viral, people=people, countries=countries)
        alarms += len({found.release for found in quarantine(made, learn_decay(made, 28))[1]})
    assert alarms <= 3  # of a hundred releases


@pytest.mark.parametrize("countries", [2, 5])
def test_a_burst_of_one_country_is_set_aside_with_its_days_and_a_reason(countries: int) -> None:
    found_in = 0
    for seed in range(10):
        made = bought(label(12, seed, countries=countries), 3, "DE", slice(8, 11), 500.0, people=0.05)
        _, aside = quarantine(made, learn_decay(made, 28))
        found_in += [(each.release, each.country, each.days) for each in aside] == [(3, "DE", (8, 9, 10))]
        assert all("listeners" in each.reason and each.streams > 1400 > each.usual for each in aside)
    assert found_in >= 9


def test_bots_that_bring_listeners_are_still_a_burst_of_one_country() -> None:
    made = bought(label(12, 1), 3, "JP", slice(5, 7), 2000.0, people=0.72)
    (found,) = quarantine(made, learn_decay(made, 28))[1]
    assert (found.release, found.country) == (3, "JP")
    assert "the other countries stayed calm" in found.reason


@pytest.mark.parametrize(("days", "found"), [(slice(4, 9), 0), (slice(6, AGES), 1), (slice(7, AGES), 1)])
def test_a_promotion_explains_a_burst_that_brings_its_listeners(days: slice, found: int) -> None:
    made = bought(label(12, 1), 3, "JP", slice(3, 7), 2000.0, people=0.72)
    promoted = np.zeros(AGES, dtype=bool)
    promoted[days] = True
    decay = learn_decay(made, 28)
    assert len(quarantine(made, decay, {3: promoted})[1]) == found
    assert len(quarantine(made, decay, {4: promoted})[1]) == 1
    bots = bought(label(12, 1), 3, "JP", slice(3, 7), 2000.0, people=0.0)
    assert len(quarantine(bots, decay, {3: np.ones(AGES, dtype=bool)})[1]) == 1  # nobody came along


def test_streams_without_people_are_found_even_where_there_is_only_one_country() -> None:
    made = bought(label(12, 2, countries=1), 5, "BR", slice(8, 10), 1500.0, people=0.02)
    (found,) = quarantine(made, learn_decay(made, 28))[1]
    assert (found.release, found.days) == (5, (8, 9))


def test_the_outcome_is_as_if_nothing_had_been_bought() -> None:
    clean = label(12, 3)
    made = bought(clean, 4, "US", slice(6, 9), 3000.0, people=0.0)
    decay = learn_decay(made, 28)
    kept, _ = quarantine(made, decay)
    truth, misled, found = (outcomes(each, decay, 28)[4] for each in (clean, made, kept))
    assert misled.streams > 3 * truth.streams
    assert found.streams == pytest.approx(truth.streams, rel=0.1)
    assert found.error > 0
    others = {release: each for release, each in outcomes(made, decay, 28).items() if release != 4}
    assert others == {release: each for release, each in outcomes(kept, decay, 28).items() if release != 4}


def test_a_country_that_stays_higher_is_a_market_and_no_burst() -> None:
    made = bought(label(12, 4), 2, "DE", slice(6, AGES), 300.0, people=0.72)
    assert quarantine(made, learn_decay(made, 28))[1] == []


def test_nothing_gives_nothing() -> None:
    assert quarantine([], learn_decay([], 7)) == ([], [])
