"""Forecasts of charts: what is known of a track, what became of it, and intervals that keep their word."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from benchmarks._charts import made_up
from muzikantas.analysis import trends
from muzikantas.analysis.changes import log_odds, motion
from muzikantas.analysis.forest import Cases, grow
from muzikantas.analysis.moments import fates, moments
from muzikantas.analysis.trajectories import DAILY, WEEKLY, Trajectories, trajectories
from muzikantas.domain.errors import InputError

FIRST = date(2031, 1, 1)


def entry(day: int, position: int, title: str, artist: str = "Somebody", **details: str) -> dict[str, Any]:
    return {
        "day": FIRST + timedelta(days=day),
        "position": position,
        "track_title": title,
        "artist_names": artist,
        "details": details,
    }


def ladder(days: int = 60) -> Trajectories:
    """One track climbs a place a day to the top and stays, another stands at 40, one leaves after day 50."""
    rows = [entry(day, max(30 - day, 1), "Climber") for day in range(days)]
    rows += [entry(day, 40, "Rock") for day in range(days)]
    rows += [entry(day, 45, "Leaver") for day in range(51)]
    return trajectories(rows, 50)


def test_a_track_keeps_its_way_through_spellings_of_guests_and_a_missing_day() -> None:
    rows = [entry(0, 3, "Song", "Lead"), entry(1, 4, "SONG", "LEAD & Guest"), entry(3, 5, "Song", "Lead")]
    chart = trajectories(rows, 50)
    assert chart.positions.tolist() == [[3, 4, 4, 5]]
    assert chart.seen.tolist() == [True, True, False, True]
    assert (chart.pace, chart.off) == (DAILY, 51)


def test_a_chart_with_dates_a_week_apart_is_weekly() -> None:
    assert trajectories([entry(7 * k, 1, "Song") for k in range(4)], 50).pace == WEEKLY


def test_a_chart_without_names_is_refused() -> None:
    with pytest.raises(InputError, match="no entries"):
        trajectories([entry(0, 1, "", "")], 50)


def test_fates_are_what_happened() -> None:
    chart = ladder()
    at = moments(chart)
    became = fates(chart, at)
    found = {
        (chart.names[track][0], int(step)): (int(p), int(best), int(when), int(stay))
        for track, step, p, best, when, stay, known in zip(
            at.tracks, at.steps, *became.targets().T, became.known, strict=True
        )
        if known
    }
    assert found["Rock", 30] == (40, 40, 0, 28)
    assert found["Leaver", 30] == (45, 45, 0, 20)
    # It is at 2 on day 28 and at 1 from the next day on.
    assert found["Climber", 28] == (1, 1, 1, 28)
    assert not became.known[at.steps == 45].any()


def test_what_is_known_at_a_date_does_not_change_with_what_comes() -> None:
    whole = made_up("AA", seed=3, days=120)
    rows_until_90 = moments(whole).steps <= 90
    cut = Trajectories(**{**vars(whole), "positions": whole.positions[:, :91], "seen": whole.seen[:91]})
    assert np.array_equal(moments(whole).features[rows_until_90], moments(cut).features)


def test_a_forest_learns_a_distribution() -> None:
    rng = np.random.default_rng(1)
    features = rng.uniform(0, 1, (4000, 3))
    targets = np.where(features[:, 0] < 0.5, 2, rng.integers(5, 8, 4000))[:, None]
    cases = Cases(features=features, targets=targets, weights=np.ones(4000), folds=np.zeros(4000, dtype=int))
    [found] = grow(cases, [10], rng, trees=20).distributions(np.array([[0.2, 0.5, 0.5], [0.8, 0.5, 0.5]]))
    assert found.sum(axis=1) == pytest.approx([1, 1])
    assert found[0, 2] > 0.9
    assert found[1, 5:8] == pytest.approx([1 / 3] * 3, abs=0.12)


def test_a_fold_is_judged_by_trees_that_have_not_seen_it() -> None:
    """Two folds with contradicting targets: who has not seen a fold says what the other one taught."""
    rng = np.random.default_rng(2)
    folds = np.repeat([0, 1], 500)
    cases = Cases(features=rng.uniform(0, 1, (1000, 2)), targets=folds[:, None], weights=np.ones(1000), folds=folds)
    forest = grow(cases, [2], rng, trees=4)
    for fold in (0, 1):
        [found] = forest.distributions(cases.features[:5], unseen=fold)
        assert found[:, 1 - fold].tolist() == [1.0] * 5


def test_intervals_hold_what_their_level_says() -> None:
    """The level of a value is where the interval lets it go: below it holds, above it does not."""
    rng = np.random.default_rng(3)
    distribution = rng.dirichlet(np.ones(12), 200)
    value = rng.integers(0, 12, 200)
    depth = trends._depth(distribution, value)
    for shift, held in ((-1e-6, True), (1e-6, False)):
        level = np.clip(depth + shift, 0, 1)
        inside = (depth < 1 - 1e-5) & (depth > 1e-5)
        _, low, high = trends._range(distribution, level)
        assert (((low <= value) & (value <= high)) == held)[inside].all()


def test_forecasts_of_a_made_up_chart_beat_staying_as_it_is_and_keep_their_word() -> None:
    chart = made_up("AA", seed=5, days=240)
    cut = 189
    model = trends.fit(chart, [], np.random.default_rng(1), until=cut)
    at = moments(chart, since=cut + 1)
    became = fates(chart, at)
    known = became.known
    middle, low, high = (part[known] for part in model.ranges(at)[trends.POSITION])
    true = became.position[known]
    assert np.abs(middle - true).mean() < 0.97 * np.abs(at.features[known, 0] - true).mean()
    assert 0.85 < ((low <= true) & (true <= high)).mean() < 0.995
    assert ((low <= middle) & (middle <= high)).all()


def test_outlooks_are_of_the_last_day_in_order_and_in_bounds_and_the_same_again() -> None:
    chart = made_up("BB", seed=6, days=130)
    found, again = (trends.outlooks(trends.fit(chart, [], np.random.default_rng(1)), chart) for _ in range(2))
    assert found == again
    last = chart.day(len(chart.seen) - 1)
    assert [each.now for each in found] == list(range(1, 51))
    assert all(each.position.low <= each.position.middle <= each.position.high <= chart.off for each in found)
    assert all(last <= each.peak_from <= each.peak_on <= each.peak_until for each in found)
    assert all(each.peak.middle <= each.now and last <= each.expires_on <= last + timedelta(days=28) for each in found)


def test_a_short_past_is_refused_with_what_is_missing() -> None:
    with pytest.raises(InputError, match=r"a forecast needs 3000"):
        trends.fit(ladder(), [], np.random.default_rng(1))


def test_log_odds_are_even_on_both_sides() -> None:
    assert log_odds(np.array([1.0, 10.0]), 51) == pytest.approx(-log_odds(np.array([50.0, 41.0]), 51))


def test_a_turn_is_dated_and_its_speed_measured() -> None:
    """Steady noise, then a climb of 0.2 a day from day 60 on."""
    rng = np.random.default_rng(8)
    odds = np.concatenate([rng.normal(-2, 0.1, 60), -2 + 0.2 * np.arange(1, 16)])
    off = 51
    positions = off - 0.5 - (off - 1) / (1 + np.exp(-odds))
    moved = motion(positions, off)
    assert moved.since == pytest.approx(15, abs=4)
    assert moved.low < 0.2 < moved.high
    assert moved.falling_chance < 0.01


def test_noise_around_a_place_is_no_climb() -> None:
    rng = np.random.default_rng(9)
    claimed = [motion(np.clip(25 + rng.normal(0, 2, 90), 1, 50), 51).falling_chance < 0.05 for _ in range(40)]
    assert sum(claimed) <= 6
