"""The model behind the policy: exact under one guess, weighed by evidence, and awake to a break of taste."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from muzikantas.analysis.bayes import NOISE_SDS, STRENGTHS, noise_log_odds
from muzikantas.analysis.candidates import repeated
from muzikantas.analysis.history import Array, Observation, arrange
from muzikantas.analysis.opinion import Opinion, learn_opinion
from muzikantas.analysis.policy import Ways, learn_prior, propose_with
from muzikantas.analysis.smooth import Smooth, learn_smooth
from muzikantas.analysis.surface import HEIGHTS, Guess, weigh
from muzikantas.domain.style import Style, StyleSpace

SPACE = StyleSpace(("ambient", "house"), ("tempo", "energy", "brightness"))
SLOTS = 8

Liking = Callable[[int, Array], float]


def slope(cycle: int, values: Array) -> float:  # noqa: ARG001 (the same in every cycle)
    return 5.0 + 3.0 * float(values[0] - 0.5)


def turning(cycle: int, values: Array) -> float:
    return 5.0 + (3.0 if cycle < 9 else -3.0) * float(values[0] - 0.5)


def hill(cycle: int, values: Array) -> float:  # noqa: ARG001 (the same in every cycle)
    return 5.0 + 3.0 * float(np.exp(-0.5 * np.sum((values - 0.5) ** 2) / 0.25**2))


def career(liking: Liking, cycles: int, *, seed: int = 0, luck: float = 0.5, repeats: float = 0.0) -> list[Observation]:
    """Releases at random, half of each cycle's at one spot; `repeats` is lost for each one close by in the cycle."""
    rng = np.random.default_rng(seed)
    made: list[Observation] = []
    for cycle in range(1, cycles + 1):
        spot = rng.normal(rng.random(3), 0.02, (SLOTS // 2, 3))
        values = np.clip(np.vstack([rng.random((SLOTS // 2, 3)), spot]), 0, 1)
        apart = np.sqrt(np.mean((values[:, None] - values[None]) ** 2, axis=2))
        near = np.sum(apart < 0.1, axis=1) - 1
        for slot, (where, others) in enumerate(zip(values, near, strict=True)):
            outcome = liking(cycle, where) - repeats * others + rng.normal(0, luck)
            style = Style(SPACE.genres[slot % 2], tuple(map(float, where)))
            made.append(Observation(cycle, style, style, float(outcome), id=len(made)))
    return made


def learnt(observations: list[Observation], cycle: int) -> Smooth:
    history = arrange(observations, SPACE)
    return learn_smooth(history, repeated(history), SPACE, cycle)


def both(observations: list[Observation], cycle: int) -> Opinion:
    history = arrange(observations, SPACE)
    return learn_opinion(history, repeated(history), SPACE, cycle, np.random.default_rng(3))


def expected(opinion: Smooth | Opinion, *values: float) -> float:
    return float(opinion.expect(opinion.rows(np.array([1]), np.array([values])))[0])


def chance_of_a_break(opinion: Smooth) -> float:
    return sum(share for share, fit in opinion.fits if np.isfinite(fit.guess.since))


def test_the_evidence_is_the_probability_of_the_outcomes() -> None:
    ground = learnt(career(slope, 5), 6).ground
    fits = {fit.guess: fit for _, fit in weigh(ground)}
    guesses = [guess for guess in fits if guess.height == 1 and guess.width == 1 and not np.isfinite(guess.since)]
    assert len(guesses) > 1
    told = []
    for guess in guesses:
        covariance = ground.firm + STRENGTHS[guess.strength] ** 2 * ground.elastic
        covariance = covariance + HEIGHTS[1] ** 2 * ground.bumps[1] + NOISE_SDS[guess.noise] ** 2 * np.eye(40)
        likelihood = stats.multivariate_normal(np.zeros(40), covariance).logpdf(ground.surplus)
        odds = noise_log_odds(NOISE_SDS[guess.noise]) - 0.5 * (np.log(STRENGTHS[guess.strength]) / 0.8) ** 2
        told.append(likelihood + odds - fits[guess].evidence)
    assert np.ptp(told) < 1e-6


def test_an_expectation_is_the_belief_and_what_each_release_adds() -> None:
    opinion = learnt(career(hill, 6), 7)
    rows = opinion.rows(np.array([0, 1]), np.array([[0.2, 0.5, 0.9], [0.5, 0.5, 0.5]]))
    told, _, influence = opinion.look(rows, np.array([[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]]))
    before = rows.design @ opinion.ground.belief.mean
    assert told[:2] == pytest.approx(opinion.expect(rows))
    assert told[:2] == pytest.approx(before + influence[:2] @ opinion.ground.surplus)
    assert told[2] == pytest.approx(told[0] - told[1])


def test_a_style_is_surely_worth_what_it_is_worth_and_doubt_shrinks_with_releases() -> None:
    short, long = both(career(slope, 2), 3), both(career(slope, 20), 21)
    rows = long.rows(np.array([1, 1]), np.array([[0.3, 0.3, 0.3]] * 2))
    sums = np.array([[1.0, 0.0], [1.0, -1.0]])
    assert long.look(rows, sums).doubt[0] < short.look(rows, sums).doubt[0]
    assert long.look(rows, sums).doubt[1] == pytest.approx(0, abs=1e-6)


def test_with_nothing_heard_the_belief_comes_back() -> None:
    opinion = both([], 1)
    rows = opinion.rows(np.array([0]), np.array([[0.5, 0.5, 0.5]]))
    assert opinion.smooth.fits == []
    assert opinion.look(rows, np.eye(1)).doubt[0] > 3
    assert opinion.expect(rows) == pytest.approx(rows.design @ opinion.smooth.ground.belief.mean)


def test_a_narrow_hill_is_seen_though_no_line_can_show_it() -> None:
    opinion = learnt(career(hill, 20, luck=0.3), 21)
    for place in ((0.5, 0.5, 0.5), (0.8, 0.5, 0.5), (0.2, 0.5, 0.2)):
        assert expected(opinion, *place) == pytest.approx(hill(1, np.array(place)), abs=1.0)
    assert all(fit.guess.height > 0 for _, fit in opinion.fits)


def test_the_mean_of_both_models_and_its_doubt_are_those_of_the_mixture() -> None:
    opinion = both(career(hill, 10), 11)
    rows = opinion.rows(np.array([0, 1]), np.array([[0.2, 0.5, 0.9], [0.5, 0.5, 0.5]]))
    sight = opinion.look(rows, np.eye(2))
    smooth, doubt, _ = opinion.smooth.look(rows, np.eye(2))
    for row, genre in enumerate((0, 1)):
        drawn = opinion.hills[genre].worth(rows.place)[:, row]
        assert sight.expected[row] == pytest.approx((smooth[row] + drawn.mean()) / 2)
        second = (doubt[row] ** 2 + smooth[row] ** 2 + np.mean(drawn**2)) / 2
        assert sight.doubt[row] ** 2 == pytest.approx(second - sight.expected[row] ** 2)
    assert opinion.expect(rows) == pytest.approx(sight.expected)


def test_hills_wait_for_releases_where_others_have_taught() -> None:
    made = career(slope, 5)
    history, prior = arrange(made, SPACE), learn_prior([made], SPACE)
    rng = np.random.default_rng(0)
    taught = learn_opinion(history, repeated(history), SPACE, 6, rng, prior)
    assert taught.share == pytest.approx(0.5 * 40 / 90)
    assert both(made, 6).share == 0.5


@pytest.mark.parametrize("seed", range(3))
def test_a_break_of_taste_is_noticed_within_two_cycles_and_only_then(seed: int) -> None:
    steady, turned = (learnt(career(liking, 10, seed=seed, luck=0.3), 11) for liking in (slope, turning))
    assert chance_of_a_break(steady) < 0.5
    assert chance_of_a_break(turned) > 0.9
    assert expected(steady, 0.9, 0.5, 0.5) > expected(steady, 0.1, 0.5, 0.5) + 1.0
    assert expected(turned, 0.9, 0.5, 0.5) < expected(turned, 0.1, 0.5, 0.5)


def test_the_cost_of_repetition_is_learnt() -> None:
    costly, free = (learnt(career(slope, 20, luck=0.3, repeats=cost), 21).repetition for cost in (0.3, 0.0))
    assert free < 0.1
    assert costly > free + 0.15


def test_a_draw_of_the_tastes_scatters_about_what_is_expected() -> None:
    opinion = learnt(career(slope, 10), 11)
    rng = np.random.default_rng(0)
    drawn = np.array([expected(opinion.one(rng), 0.9, 0.5, 0.5) for _ in range(200)])
    assert drawn.std() > 0.05
    assert drawn.mean() == pytest.approx(expected(opinion, 0.9, 0.5, 0.5), abs=4 * drawn.std() / 200**0.5)


def test_weights_count_as_precision() -> None:
    made = career(slope, 6)
    loud = [replace(o, weight=4.0 if o.cycle == 6 else 1.0, outcome=o.outcome + 2 * (o.cycle == 6)) for o in made]
    meek = [replace(o, weight=0.01 if o.cycle == 6 else 1.0) for o in loud]
    assert expected(learnt(loud, 7), 0.5, 0.5, 0.5) > expected(learnt(meek, 7), 0.5, 0.5, 0.5) + 0.2


def test_the_latest_releases_are_kept_by_cycle() -> None:
    history = arrange(career(slope, 6)[::-1], SPACE)
    assert set(history.latest(16).cycle) == {5, 6}
    assert history.latest(16).ids == history.ids[-16:]
    assert history.latest(1000).ids == history.ids


@pytest.mark.parametrize("way", ["guard", "thompson", "realised", "explore", "hills", "countries"])
def test_every_way_of_choosing_gives_a_batch(way: str) -> None:
    ways = replace(Ways(), **{way: not getattr(Ways(), way)})
    made = career(slope, 8)
    batch = propose_with(ways, made, SPACE, 4, cycle=9, rng=np.random.default_rng(1))
    assert len({p.style for p in batch}) > 1
    assert np.mean([p.style.values[0] for p in batch]) > 0.6


def test_neighbours_of_a_guess_stay_on_the_grid() -> None:
    assert all(0 <= each.noise < len(NOISE_SDS) for each in Guess(noise=0).neighbours())
    assert {each.width for each in Guess(height=1, width=2).neighbours() if each.height == 0} == {0}
