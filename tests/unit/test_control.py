import numpy as np
import pytest

from muzikantas.analysis.control import Made, as_content, control, placed
from muzikantas.analysis.history import Array
from muzikantas.domain.style import DIMENSIONS, Style


def tracks(
    n: int, seed: int, *, provider: str = "suno", genre: str = "folk", bias: float = 0.0, slope: float = 1.0
) -> list[Made]:
    """Asked at random; every dimension is heard on the same line, with a scatter of 0.05."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        asked = rng.random(len(DIMENSIONS))
        heard = 0.5 + bias + slope * (asked - 0.5) + rng.normal(0, 0.05, len(asked))
        made.append(
            Made(
                provider=provider,
                asked=Style(genre, tuple(asked.tolist())),
                realised=Style(genre, tuple(heard.tolist())),
            )
        )
    return made


def test_a_line_that_was_planted_is_found_for_each_provider_and_genre() -> None:
    made = [
        *tracks(80, 1, bias=0.2, slope=0.6),
        *tracks(80, 2, genre="trap", bias=0.1, slope=0.9),
        *tracks(80, 3, provider="elevenlabs", bias=-0.1, slope=0.3),
    ]
    found = control(made)
    assert [(each.provider, each.genre, each.tracks) for each in found] == [
        ("elevenlabs", "folk", 80),
        ("suno", "folk", 80),
        ("suno", "trap", 80),
    ]
    for each, bias, slope in zip(found, (-0.1, 0.2, 0.1), (0.3, 0.6, 0.9), strict=True):
        for habit in each.habits:
            assert abs(habit.bias - bias) < 4 * habit.bias_error < 0.1
            assert abs(habit.slope - slope) < 4 * habit.slope_error < 0.3
            assert habit.spread == pytest.approx(0.05, rel=0.4)


def test_a_provider_without_tracks_of_a_genre_borrows_from_the_others() -> None:
    known = [*tracks(60, 4, bias=0.2), *tracks(60, 5, provider="kie", bias=0.2)]
    (one,) = [each for each in control([*known, *tracks(1, 6, genre="trap", bias=0.2)]) if each.genre == "trap"]
    (alone,) = control(tracks(1, 6, genre="trap", bias=0.2))
    for borrowed, own in zip(one.habits, alone.habits, strict=True):
        assert borrowed.bias_error < own.bias_error
        assert abs(borrowed.bias - 0.2) < 2 * borrowed.bias_error
        assert own.slope == pytest.approx(1.0, abs=0.35)


def test_with_nothing_heard_there_is_nothing_to_say() -> None:
    assert control([]) == []
    assert as_content([]) == []


def test_order_has_no_meaning() -> None:
    made = [*tracks(10, 7), *tracks(10, 8, genre="trap", bias=0.3)]
    assert control(made) == control(made[::-1])


def test_the_row_that_is_stored_names_every_dimension() -> None:
    (row,) = as_content(control(tracks(12, 9, bias=0.2)))
    assert (row["provider"], row["genre"], row["tracks"]) == ("suno", "folk", 12)
    for name in ("bias", "bias_error", "slope", "slope_error", "spread"):
        assert tuple(row[name]) == DIMENSIONS


def test_a_narrow_ear_is_stretched_to_the_scale_of_what_is_asked() -> None:
    rng = np.random.default_rng(7)
    asked = rng.random((60, len(DIMENSIONS)))
    played = asked + rng.normal(0, 0.08, asked.shape)
    narrow = 0.3 + 0.2 * (played - 0.5) + rng.normal(0, 0.03, asked.shape)
    found = np.array([each.values for each in placed(_heard(asked, narrow))])
    assert found.std(axis=0) == pytest.approx(played.std(axis=0), rel=0.15)
    assert _distance(found, played) < 0.09
    assert _distance(narrow, played) > 0.2


def test_disobedience_that_is_heard_well_stays_in_the_place() -> None:
    rng = np.random.default_rng(8)
    asked = rng.uniform(0.2, 0.8, (60, len(DIMENSIONS)))
    played = asked + rng.normal(0, 0.08, asked.shape)
    found = np.array([each.values for each in placed(_heard(asked, 0.1 + 0.8 * played))])
    assert _distance(found, played) < 0.03
    assert _distance(asked, played) > 0.07


def test_a_place_stays_in_bounds_and_nothing_has_none() -> None:
    wild = _heard(np.full((3, len(DIMENSIONS)), 0.9), np.array([[0.0], [0.5], [1.0]]) * np.ones(len(DIMENSIONS)))
    assert all(0.0 <= value <= 1.0 for each in placed(wild) for value in each.values)
    assert placed([]) == []


def _heard(asked: Array, heard: Array) -> list[Made]:
    return [
        Made(provider="suno", asked=Style("folk", tuple(a)), realised=Style("folk", tuple(h)))
        for a, h in zip(asked.tolist(), heard.tolist(), strict=True)
    ]


def _distance(found: Array, truth: Array) -> float:
    return float(np.sqrt(np.mean((found - truth) ** 2)))
