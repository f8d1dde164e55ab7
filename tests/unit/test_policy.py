from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muzikantas.analysis.policy import Observation, Prior, Proposal, Style, StyleSpace, learn_prior, propose
from muzikantas.domain.errors import InputError
from muzikantas.domain.style import DIMENSIONS

GENRES = ("ambient", "house")
CORRIDOR = {
    "ambient": ((0.1, 0.5), (0.0, 0.4), (0.3, 0.8), (0.2, 0.7), (0.0, 0.5)),
    "house": ((0.5, 0.9), (0.6, 1.0), (0.4, 0.4), (0.3, 0.9), (0.5, 1.0)),
}
SPACE = StyleSpace(GENRES, DIMENSIONS, CORRIDOR)
OPEN = StyleSpace(GENRES, DIMENSIONS)
PEAK = np.array([0.8, 0.7, 0.25, 0.6, 0.4])


def liking(style: Style) -> float:
    """A planted taste: one peak for both genres, a factor of e^5 between peak and the far corners."""
    return 6.0 - 4.0 * float(np.sum((np.array(style.values) - PEAK) ** 2))


def releases(n: int, space: StyleSpace, seed: int, *, luck: float = 0.5, bias: float = 0.0) -> list[Observation]:
    rng = np.random.default_rng(seed)
    made = []
    for i in range(n):
        genre = space.genres[int(rng.integers(len(space.genres)))]
        ranges = np.array(space.ranges(genre))
        asked = rng.uniform(ranges[:, 0], ranges[:, 1])
        realised = Style(genre, tuple(np.clip(asked + bias + rng.normal(0, 0.05, len(asked)), 0, 1).tolist()))
        outcome = liking(realised) + rng.normal(0, luck)
        made.append(Observation(i // 6, Style(genre, tuple(asked.tolist())), realised, outcome, id=i))
    return made


def plan(observations: list[Observation], space: StyleSpace = SPACE, count: int = 6, seed: int = 7) -> list[Proposal]:
    return propose(observations, space, count, cycle=99, rng=np.random.default_rng(seed))


def inside(style: Style, space: StyleSpace) -> bool:
    return all(low <= v <= high for v, (low, high) in zip(style.values, space.ranges(style.genre), strict=True))


@pytest.mark.parametrize("n", [0, 1, 2, 40, 5000])
def test_any_length_of_history_gives_the_asked_number_of_finite_proposals_inside_the_corridor(n: int) -> None:
    proposals = plan(releases(n, SPACE, seed=1))
    assert len(proposals) == 6
    for p in proposals:
        assert inside(p.style, SPACE)
        assert np.isfinite(p.expected)
        assert p.uncertainty > 0
        assert p.propensity is None or 0 < p.propensity <= 1
        assert set(p.evidence) <= set(range(n))
        assert p.reason


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_corridor_is_never_left_and_the_order_of_observations_has_no_meaning(data: st.DataObject) -> None:
    unit = st.floats(0, 1, allow_subnormal=False)
    edges = st.tuples(unit, unit).map(lambda pair: (min(pair), max(pair)))
    dimensions = data.draw(st.integers(1, 4))
    corridor = {g: tuple(data.draw(edges) for _ in range(dimensions)) for g in GENRES}
    space = StyleSpace(GENRES, DIMENSIONS[:dimensions], corridor)
    style = st.builds(Style, st.sampled_from((*GENRES, "polka")), st.tuples(*[unit] * dimensions))
    made = st.builds(
        Observation,
        st.integers(0, 20),
        style,
        style,
        st.floats(0, 20),
        weight=st.floats(0, 3),
        id=st.none() | st.integers(0, 9),
    )
    history = data.draw(st.lists(made, max_size=12))
    count, seed = data.draw(st.integers(0, 5)), data.draw(st.integers(0, 99))
    first = plan(history, space, count, seed)
    assert plan(data.draw(st.permutations(history)), space, count, seed) == first
    assert len(first) == count
    assert all(inside(p.style, space) for p in first)


def test_the_same_generator_state_gives_the_same_proposals_and_another_one_others() -> None:
    history = releases(30, SPACE, seed=2)
    assert plan(history, seed=1) == plan(history, seed=1)
    assert plan(history, seed=1) != plan(history, seed=2)


def test_with_nothing_known_the_batch_fills_the_space_with_genres_balanced() -> None:
    proposals = plan([], OPEN, count=8)
    assert sorted(p.style.genre for p in proposals) == ["ambient"] * 4 + ["house"] * 4
    assert {p.reason for p in proposals} == {"nothing known here yet: spreads around the middle"}
    values = np.array([p.style.values for p in proposals])
    strata = np.floor((values - 0.2) / 0.6 * 8).astype(int)  # a Latin hypercube in the middle 60 % of each range
    for column in strata.T:
        assert sorted(column) == list(range(8))


@pytest.mark.parametrize("seed", range(5))
def test_a_planted_peak_is_found_far_better_than_by_chance(seed: int) -> None:
    chosen = [liking(p.style) for p in plan(releases(60, OPEN, seed), OPEN, seed=seed)]
    chance = [liking(o.asked) for o in releases(300, OPEN, seed + 50)]
    assert np.mean(chosen) > np.mean(chance) + 1.0
    assert np.mean(chosen) > np.quantile(chance, 0.9)


def test_the_expectation_is_calibrated_against_the_planted_taste() -> None:
    misses = [
        (p.expected - liking(p.style)) / p.uncertainty
        for seed in range(12)
        for p in plan(releases(120, OPEN, seed), OPEN, seed=seed)
    ]
    assert np.mean(np.abs(misses) < 2.5) > 0.85


def test_a_biased_generator_is_asked_for_less_so_that_the_target_is_hit() -> None:
    honest = plan(releases(200, OPEN, 3, luck=0.1), OPEN)
    pushy = plan(releases(200, OPEN, 3, luck=0.1, bias=0.15), OPEN)
    aim = [float(np.mean([p.style.values for p in batch], axis=0)[1]) for batch in (honest, pushy)]
    assert aim[0] - aim[1] > 0.08


def test_a_batch_is_not_copies_of_one_style() -> None:
    batch = np.array([p.style.values for p in plan(releases(200, OPEN, 4), OPEN)])
    apart = np.sqrt(np.mean((batch[:, None] - batch[None]) ** 2, axis=2))[np.triu_indices(len(batch), 1)]
    assert apart.min() > 0.02


def test_a_release_not_heard_yet_is_not_repeated_but_says_nothing_about_taste() -> None:
    history = releases(200, OPEN, 5, luck=0.1)
    favourite = plan(history, OPEN, count=1)[0]
    pending = Observation(98, favourite.style, favourite.style, 0.0, weight=0.0, id=1000)
    again = plan([*history, *[replace(pending, id=1000 + i) for i in range(5)]], OPEN, count=1)[0]
    moved = np.sqrt(np.mean((np.array(again.style.values) - np.array(favourite.style.values)) ** 2))
    assert again.style.genre != favourite.style.genre or moved > 0.05
    assert again.expected == pytest.approx(favourite.expected, abs=0.5)


def test_the_expectation_rests_on_the_evidence_more_than_on_other_releases() -> None:
    history = releases(60, OPEN, 6, luck=0.3)
    best = plan(history, OPEN, count=1)[0]

    def without(ids: tuple[int, ...]) -> float:
        worse = [replace(o, outcome=5.0) if o.id in ids else o for o in history]
        return plan(worse, OPEN, count=1)[0].expected

    others = tuple(o.id for o in history if o.id is not None and o.id not in best.evidence)
    assert len(best.evidence) == 8
    assert without(best.evidence) < min(without(others[i::6]) for i in range(6))


def test_the_reason_says_what_changes_and_how_sure_it_is() -> None:
    reasons = [p.reason for p in plan(releases(120, OPEN, 8, luck=0.2), OPEN)]
    assert all("log streams" in reason and "±" in reason for reason in reasons)
    assert any("faster" in reason or "darker" in reason for reason in reasons)


def test_a_prior_from_other_artists_points_a_new_one_the_right_way() -> None:
    prior = learn_prior([releases(80, OPEN, seed) for seed in range(5)], OPEN)
    proposals = propose([], OPEN, 6, cycle=0, rng=np.random.default_rng(0), prior=prior)
    assert np.mean([liking(p.style) for p in proposals]) > np.mean([liking(p.style) for p in plan([], OPEN)]) + 0.7


def test_a_prior_does_not_depend_on_the_order_of_artists_and_stays_usual_without_any() -> None:
    histories = [releases(20, OPEN, seed) for seed in range(3)]
    assert learn_prior(histories, OPEN) == learn_prior(histories[::-1], OPEN)
    usual, learnt = learn_prior([], OPEN), learn_prior(histories, OPEN)
    assert usual.sd[0] > learnt.sd[0]


def test_unusable_input_is_named() -> None:
    good = releases(1, SPACE, 0)[0]
    with pytest.raises(InputError, match="observation 0: outcome nan"):
        plan([replace(good, outcome=float("nan"))])
    with pytest.raises(InputError, match="realised style"):
        plan([replace(good, realised=Style("house", (0.5,)))])
    with pytest.raises(InputError, match="-1 proposals"):
        plan([], count=-1)
    elsewhere = Prior(("polka",), DIMENSIONS, (0.0,), (1.0,))
    with pytest.raises(InputError, match="learn the prior again"):
        propose([], SPACE, 1, cycle=0, rng=np.random.default_rng(0), prior=elsewhere)
