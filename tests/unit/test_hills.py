"""One hill a genre: the slope it climbs is its own, it finds what is there, and it doubts where nothing was heard."""

from dataclasses import replace

import numpy as np
import pytest

from muzikantas.analysis.differences import Differences, differences
from muzikantas.analysis.hills import BELOW, DRAWS, FONDNESS_SD, HEIGHT, LEVEL_SD, Lesson, sample_hills
from muzikantas.analysis.history import Array, Observation, arrange
from muzikantas.domain.errors import InputError
from muzikantas.domain.style import Style, StyleSpace

SPACE = StyleSpace(("ambient",), ("tempo", "energy", "brightness"))
COUNTRIES = ("BR", "DE", "JP", "US")
TOP = np.array([0.4, -0.3, 0.1])


def lesson(releases: int, luck: float = 0.4, seed: int = 0) -> Lesson:
    rng = np.random.default_rng(seed)
    place = rng.uniform(-1, 1, (releases, 3))
    outcome = liking(place) + rng.normal(0, luck, releases)
    return Lesson(place, outcome, np.full((DRAWS, releases), luck**-2), 5.0, silent(releases))


def silent(releases: int) -> Differences:
    return Differences(np.zeros((releases, 0)), np.zeros(releases))


def liking(place: Array, top: Array = TOP) -> Array:
    worth: Array = 4.8 + 2.5 * np.exp(-0.5 * np.sum(4.0 * (place - top) ** 2, axis=1))
    return worth


def abroad(releases: int, seed: int, *, shift: float = 0.15, luck: float = 1.2) -> Lesson:
    """Countries' hills `shift` aside; the luck of a track is the same in all of them, a little is their own."""
    rng = np.random.default_rng([seed, 1])
    place = rng.uniform(-1, 1, (releases, 3))
    tops = TOP + rng.normal(0, shift, (len(COUNTRIES), 3))
    shared = rng.normal(0, luck, (releases, 1))
    logs = np.array([liking(place, top) for top in tops]).T + shared + rng.normal(0, 0.15, (releases, len(COUNTRIES)))
    made = [
        Observation(1, asked, asked, float(row.mean()), by_country=dict(zip(COUNTRIES, map(float, row), strict=True)))
        for row, asked in zip(logs, [Style("ambient", tuple(map(float, (1 + p) / 2))) for p in place], strict=True)
    ]
    history = arrange(made, SPACE)
    place = 2 * history.realised - 1
    return Lesson(place, history.outcome, np.full((DRAWS, releases), luck**-2), 5.0, differences(history))


@pytest.mark.parametrize("heat", [0.05, 1.0])
def test_the_gradient_is_the_slope_of_the_density(heat: float) -> None:
    told, step = lesson(30), 1e-5
    unit = np.random.default_rng(1).standard_normal((DRAWS, told.numbers))
    gradient = told.climb(unit, heat)[1]
    for axis in range(told.numbers):
        aside = step * np.eye(told.numbers)[axis]
        rise = told.climb(unit + aside, heat)[0] - told.climb(unit - aside, heat)[0]
        assert gradient[:, axis] == pytest.approx(rise / (2 * step), abs=1e-3)


def test_the_level_is_integrated_out() -> None:
    told = lesson(12)
    unit = np.random.default_rng(2).standard_normal((DRAWS, told.numbers))
    hills = told.hills(unit)
    likelihood = told.judge(hills.worth(told.place), 1.0)[0]
    covariance = 0.4**2 * np.eye(12) + LEVEL_SD**2
    missing = told.outcome - hills.worth(told.place)
    exact = -0.5 * np.sum(missing * np.linalg.solve(covariance, missing.T).T, axis=1)
    assert likelihood == pytest.approx(exact)


def test_a_hill_is_found() -> None:
    hills = sample_hills(lesson(120), np.random.default_rng(3))
    assert hills.middle.mean(axis=0) == pytest.approx(TOP, abs=0.15)
    there = np.array([TOP, [-0.8, 0.8, -0.8]])
    assert hills.worth(there).mean(axis=0) == pytest.approx(liking(there), abs=0.5)


def test_draws_scatter_as_much_as_they_err() -> None:
    places = np.random.default_rng(4).uniform(-1, 1, (40, 3))
    far = []
    for seed in range(8):
        worth = sample_hills(lesson(25, seed=seed), np.random.default_rng(seed)).worth(places)
        far.append((worth.mean(axis=0) - liking(places)) / worth.std(axis=0))
    assert 0.6 < np.std(far) < 1.6


def test_with_no_release_the_belief_comes_back() -> None:
    nothing = Lesson(np.zeros((0, 3)), np.zeros(0), np.zeros((DRAWS, 0)), 5.0, silent(0))
    hills = sample_hills(nothing, np.random.default_rng(5))
    assert hills.level == pytest.approx(np.full(DRAWS, 5.0 - BELOW))
    assert np.median(hills.height) == pytest.approx(HEIGHT, rel=0.2)
    assert hills.middle.mean() == pytest.approx(0.0, abs=0.15)


def test_a_release_of_low_precision_hardly_moves_a_draw() -> None:
    told = lesson(40)
    wrong = replace(told, outcome=told.outcome + 5.0 * (np.arange(40) < 20), precision=told.precision.copy())
    wrong.precision[:, :20] = 1e-4
    without = Lesson(told.place[20:], told.outcome[20:], told.precision[:, 20:], 5.0, silent(20))
    moved, usual = (sample_hills(each, np.random.default_rng(6)).worth(TOP[None]).mean() for each in (wrong, without))
    assert moved == pytest.approx(usual, abs=0.1)


def test_countries_help_to_find_a_hill() -> None:
    errors = []
    for seed in range(8):
        told = abroad(60, seed)
        found = [
            sample_hills(each, np.random.default_rng(seed)).middle.mean(axis=0)
            for each in (told, replace(told, differences=silent(60)))
        ]
        errors.append([float(np.mean((middle - TOP) ** 2)) for middle in found])
    known, unknown = np.mean(errors, axis=0)
    assert known < 0.7 * unknown


def test_what_countries_say_is_the_density_of_their_differences() -> None:
    told = abroad(12, 3)
    unit = np.random.default_rng(7).standard_normal((DRAWS, told.numbers))
    hills, said, values = told.hills(unit), told.compare(unit), told.differences.values
    exact = []
    for draw in range(DRAWS):
        slope = hills.lift(told.place)[draw][:, None] * hills.steep[draw] * (told.place - hills.middle[draw])
        shape = np.eye(12) + FONDNESS_SD**2 + hills.shift[draw] ** 2 * slope @ slope.T
        # Luck's own size integrated out (its density one over its variance): a multivariate t without its constant.
        quadratic = np.sum(values * np.linalg.solve(shape, values))
        exact.append(-0.5 * values.size * np.log(quadratic) - 1.5 * np.linalg.slogdet(shape)[1])
    assert said - said[0] == pytest.approx(np.array(exact) - exact[0])


def test_countries_that_are_alike_or_hardly_known_say_nothing() -> None:
    unit = np.random.default_rng(8).standard_normal((DRAWS, lesson(5).numbers))
    same = Differences(np.zeros((5, 3)), np.ones(5))
    few = Differences(np.ones((5, 3)), np.array([1.0, 1.0, 1.0, 0.0, 0.0]))
    assert np.isfinite(replace(lesson(5), differences=same).compare(unit)).all()
    assert not replace(lesson(5), differences=few).compare(unit).any()


def test_only_countries_known_in_most_releases_are_compared_the_largest_first() -> None:
    style = Style("ambient", (0.5, 0.5, 0.5))
    logs = {"BR": 2.0, "DE": 6.0, "JP": 4.0, "KR": 1.0, "MX": 3.0, "US": 5.0}
    made = [
        Observation(1, style, style, 7.0, by_country=logs | {"US": 5.0 + number} if number else {"JP": 4.0}, id=number)
        for number in range(8)
    ]
    told = differences(arrange(made, SPACE))
    assert told.values.shape == (8, 4)  # five of the six
    assert told.weight.tolist() == [0, *[1] * 7]
    assert told.releases == 7
    assert told.values[0].tolist() == [0] * 4
    assert told.values[1:].mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-9)
    assert np.ptp(np.sum(told.values[1:] ** 2, axis=1)) > 1
    assert differences(arrange([replace(o, by_country={"DE": 6.0}) for o in made], SPACE)).releases == 0
    assert differences(arrange([], SPACE)).releases == 0


def test_an_outcome_of_a_country_that_is_no_number_is_named() -> None:
    style = Style("ambient", (0.5, 0.5, 0.5))
    with pytest.raises(InputError, match="JP"):
        arrange([Observation(1, style, style, 7.0, by_country={"DE": 3.0, "JP": float("nan")})], SPACE)
