"""The catalogue's spread: closed forms, and warnings that come when they should and stay away when not."""

from itertools import product
from math import sqrt

import numpy as np
import pytest

from muzikantas.analysis.spread import EVEN, LEAST, RECENT, measure
from muzikantas.domain.style import Style, StyleSpace

ONE = StyleSpace(("ambient",), ("tempo", "energy"))
TWO = StyleSpace(("ambient", "house"), ("tempo", "energy"))
NARROW = StyleSpace(("ambient",), ("tempo", "energy"), {"ambient": ((0.4, 0.6), (0.0, 0.5))})


def even(space: StyleSpace, count: int, *, seed: int, within: float = 1.0) -> list[Style]:
    """Tracks drawn evenly from the corridor, or from so much of its middle."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        genre = str(rng.choice(space.genres))
        places = [(low + high) / 2 + (high - low) * within * (rng.random() - 0.5) for low, high in space.ranges(genre)]
        found.append(Style(genre, tuple(map(float, places))))
    return found


def test_two_places_drawn_evenly_are_a_sixth_apart_in_the_mean_square() -> None:
    x, y = np.random.default_rng(1).random((2, 200_000))
    assert np.mean((x - y) ** 2) == pytest.approx(EVEN, rel=0.01)


def test_the_corners_of_the_corridor_have_a_known_spread() -> None:
    """Of four corners each has two neighbours half and one opposite a whole mean square away: (2 · 1/2 + 1) / 3."""
    corners = [Style("ambient", (float(x), float(y))) for x, y in product((0, 1), repeat=2)]
    found = measure([*corners, *corners], ONE)
    assert found is not None
    # Eight tracks in four places: of seven others one is the twin, four are neighbours, two opposite.
    assert found.recent == pytest.approx(sqrt((4 * 0.5 + 2 * 1.0) / 7))
    assert found.allowed == pytest.approx(sqrt(1 / 6))
    assert found.share == pytest.approx(found.recent / found.allowed)


@pytest.mark.parametrize("space", [ONE, TWO, NARROW], ids=["one genre", "two genres", "narrow"])
def test_tracks_from_everywhere_use_what_is_allowed(space: StyleSpace) -> None:
    shares = [found.share for seed in range(60) if (found := measure(even(space, RECENT, seed=seed), space))]
    assert np.mean(shares) == pytest.approx(1.0, abs=0.08)


def test_the_interval_covers() -> None:
    found = [measure(even(ONE, RECENT, seed=seed), ONE) for seed in range(200)]
    covered = [each.low <= 1.0 <= each.high for each in found if each]
    assert len(covered) == 200
    assert 0.9 <= np.mean(covered) <= 1.0


def test_the_corridor_is_the_scale() -> None:
    wide = even(ONE, RECENT, seed=5)
    scaled = [Style(s.genre, (0.4 + 0.2 * s.values[0], 0.5 * s.values[1])) for s in wide]
    first, second = measure(wide, ONE), measure(scaled, NARROW)
    assert first is not None
    assert second is not None
    assert second.share == pytest.approx(first.share)


def test_copies_warn_and_variety_does_not() -> None:
    same = measure([Style("ambient", (0.5, 0.5))] * RECENT, ONE)
    assert same is not None
    assert same.share < 0.001
    assert same.warning
    assert "corridor" in same.warning
    assert not any(found.warning for seed in range(100) if (found := measure(even(TWO, 30, seed=seed), TWO)))


def test_drawing_together_against_the_past_warns() -> None:
    close = even(TWO, RECENT, seed=2, within=0.7)
    one_genre = [Style("house", style.values) for style in close]
    found = measure([*even(TWO, 30, seed=1), *one_genre], TWO)
    assert found is not None
    assert found.earlier is not None
    assert found.recent < 0.5 * found.earlier
    assert found.warning
    assert "earlier" in found.warning


def test_too_few_tracks_say_nothing() -> None:
    assert measure(even(ONE, LEAST - 1, seed=1), ONE) is None
    found = measure(even(ONE, LEAST, seed=1), ONE)
    assert found is not None
    assert found.earlier is None
