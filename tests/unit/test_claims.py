import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muzikantas.analysis.claims import effects, learning_note, releases_needed
from muzikantas.analysis.history import Observation
from muzikantas.domain.style import DIMENSIONS, Style, StyleSpace

SPACE = StyleSpace(("folk", "trap"), DIMENSIONS)


def releases(n: int, seed: int, *, tempo: float = 0.0, trap: float = 0.0, per_cycle: int = 6) -> list[Observation]:
    """Styles at random; `tempo` is the planted effect of half the width, `trap` that of the genre against the mean."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(n):
        values = rng.random(len(DIMENSIONS))
        genre = SPACE.genres[int(rng.integers(2))]
        style = Style(genre, tuple(values.tolist()))
        outcome = 5 + tempo * (2 * values[0] - 1) + (trap if genre == "trap" else -trap) + rng.normal(0, 0.8)
        made.append(Observation(i // per_cycle, style, style, outcome, id=i))
    return made


@pytest.mark.parametrize("per_cycle", [1, 6])
@pytest.mark.parametrize("n", [12, 60])
def test_where_nothing_matters_nothing_is_claimed(n: int, per_cycle: int) -> None:
    histories = [releases(n, seed, per_cycle=per_cycle) for seed in range(100)]
    quiet = [all(e.verdict != "supported" for e in effects(history, SPACE)) for history in histories]
    assert np.mean(quiet) >= 0.95


@pytest.mark.parametrize("seed", range(5))
def test_a_strong_effect_is_claimed_with_its_sign_and_size(seed: int) -> None:
    found = {e.name: e for e in effects(releases(120, seed, tempo=1.0, trap=0.6), SPACE)}
    assert found["tempo"].verdict == found["trap"].verdict == found["folk"].verdict == "supported"
    assert found["tempo"].low - 0.2 < 1.0 < found["tempo"].high + 0.2
    assert found["trap"].estimate == pytest.approx(-found["folk"].estimate)
    assert found["trap"].estimate > 0.3


def test_good_weeks_are_not_taken_for_a_good_style() -> None:
    claimed = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        made = []
        for cycle in range(12):
            week = rng.normal(0, 1.0)  # lifts every release of the cycle, and the artist played faster in good weeks
            for i in range(6):
                fast = float(np.clip(0.5 + 0.2 * week + rng.normal(0, 0.1), 0, 1))
                style = Style("folk", (fast, *rng.random(4).tolist()))
                made.append(Observation(cycle, style, style, 5 + week + rng.normal(0, 0.5), id=6 * cycle + i))
        claimed += {e.name: e.verdict for e in effects(made, SPACE)}["tempo"] == "supported"
    assert claimed <= 4


def test_what_cannot_be_told_apart_is_not_claimed() -> None:
    rng = np.random.default_rng(0)
    made = []
    for i in range(60):
        both = float(rng.random())
        style = Style("folk", (both, both, *rng.random(3).tolist()))
        made.append(Observation(i // 6, style, style, 5 + 4 * both + rng.normal(0, 0.2), id=i))
    found = {e.name: e for e in effects(made, SPACE)}
    assert found["tempo"].q_value == found["energy"].q_value == 1.0
    assert found["trap"].releases == 0
    assert found["trap"].verdict == "not enough data"


@settings(max_examples=30, deadline=None)
@given(n=st.integers(0, 40), per_cycle=st.integers(1, 8), seed=st.integers(0, 1000))
def test_a_report_exists_for_any_number_of_releases(n: int, per_cycle: int, seed: int) -> None:
    note = learning_note(releases(n, seed, tempo=1.0, per_cycle=per_cycle), SPACE)
    assert [e.name for e in note.effects] == [*SPACE.genres, *DIMENSIONS]
    assert note.releases == n
    for e in note.effects:
        assert np.isfinite([e.estimate, e.low, e.high]).all()
        assert e.low <= e.estimate <= e.high
        assert 0 <= e.q_value <= 1
        assert e.verdict == "not enough data" or (e.q_value <= 0.05 and e.low * e.high > 0)
    assert (note.residual_sd is None) == (note.releases_needed is None)


def test_the_order_of_releases_has_no_meaning_and_unheard_ones_have_no_say() -> None:
    history = releases(50, 3, tempo=0.5)
    unheard = [Observation(2, o.asked, o.realised, 99.0, weight=0.0, id=100) for o in history[:5]]
    assert learning_note([*unheard, *history[::-1]], SPACE) == learning_note(history, SPACE)


def test_residual_spread_is_the_luck() -> None:
    note = learning_note(releases(600, 4, tempo=1.0), SPACE)
    assert note.residual_sd == pytest.approx(0.8, rel=0.1)


def test_the_number_of_releases_needed_follows_the_formula() -> None:
    # z(0.975) + z(0.8) = 1.960 + 0.842 = 2.802; ln 1.2 = 0.1823; 4 · (2.802 · 1.1 / 0.1823)² = 1143
    assert releases_needed(1.1) == 1143
    assert releases_needed(2.2) == pytest.approx(4 * 1143, abs=4)


def test_5000_releases_are_summed_up() -> None:
    found = {e.name: e for e in effects(releases(5000, 5, tempo=0.2), SPACE)}
    assert found["tempo"].verdict == "supported"
    assert found["tempo"].estimate == pytest.approx(0.2, abs=0.1)
