"""Gaps of a market: found where they are planted, and not where something only looks like one."""

from datetime import date, timedelta
from typing import Any

import pytest

from benchmarks._markets import DECOYS, SHAPES, market
from muzikantas.analysis.gaps import Cell, find


def found(seed: int) -> tuple[dict[tuple[str, str], Cell], Any]:
    drawn = market(seed)
    return {(cell.country, cell.genre): cell for cell in find(drawn.rows)}, drawn


@pytest.mark.parametrize("seed", range(0, 20, 4))
def test_a_planted_gap_is_found_and_its_decoy_is_not(seed: int) -> None:
    cells, drawn = found(seed)
    assert cells[drawn.gap].gap
    assert not cells[drawn.non_gap].gap
    assert cells[drawn.gap].growth_low > 1
    assert cells[drawn.gap].artists < cells[drawn.gap].artists_usual


def test_every_shape_meets_every_decoy_within_twenty_seeds() -> None:
    pairs = {(SHAPES[seed % 5], DECOYS[seed // 5 % 4]) for seed in range(20)}
    assert len(pairs) == len(SHAPES) * len(DECOYS)


def test_unit_of_demand_does_not_matter() -> None:
    drawn = market(1)
    scaled = [{**row, "demand": row["demand"] * 7} for row in drawn.rows]
    assert [(c.country, c.genre, c.gap) for c in find(drawn.rows)] == [
        (c.country, c.genre, c.gap) for c in find(scaled)
    ]


def test_growth_of_a_known_factor_is_measured() -> None:
    """Odds that grow by 2 % a week grow by 1.02 ** 13 a quarter, exactly where there is no noise."""
    day = date(2031, 1, 5)
    rows = []
    for week in range(40):
        for country in ("AA", "BB"):
            for genre in range(4):
                grows = 1.02**week if (country, genre) == ("AA", 0) else 1.0
                rows += [
                    {
                        "country": country,
                        "day": day + timedelta(weeks=week),
                        "artist": f"{country}{genre}{k}",
                        "genre": f"g{genre}",
                        "demand": 100.0 * grows,
                    }
                    for k in range(5)
                ]
    cell = next(cell for cell in find(rows) if (cell.country, cell.genre) == ("AA", "g0"))
    # A twentieth of an average week is added to each, which takes a little of every growth.
    assert cell.growth == pytest.approx(1.02**13, rel=0.02)


def test_too_little_says_nothing() -> None:
    drawn = market(0)
    late = max(row["day"] for row in drawn.rows) - timedelta(weeks=8)
    assert find([row for row in drawn.rows if row["day"] > late]) == []
    assert find([]) == []


def test_unknown_genres_are_demand_and_no_cell() -> None:
    drawn = market(0)
    rows = [{**row, "genre": None} if row["genre"] == drawn.gap[1] else row for row in drawn.rows]
    assert drawn.gap[1] not in {cell.genre for cell in find(rows)}
