import numpy as np
import pytest

from muzikantas.analysis.control import Made, as_content, control
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
