"""What a market's page and command say: a season only where one is sure, and why there is none."""

from typing import Any

import pytest

from muzikantas.report.market_words import about_seasons, season
from muzikantas.report.words import TIMES

SURE: dict[str, Any] = {
    "amplitude": 1.3,
    "low": 1.1,
    "high": 1.54,
    "peak_month": 12,
    "peak_from": 11,
    "peak_until": 1,
    "chance": 0.001,
    "sure": True,
}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (SURE, f"{TIMES}1.30 (1.10 to 1.54) in Dec (Nov to Jan)"),
        ({**SURE, "peak_from": 12, "peak_until": 12}, f"{TIMES}1.30 (1.10 to 1.54) in Dec"),
        ({**SURE, "sure": False}, "none seen"),
        (None, "not enough data"),
    ],
)
def test_a_season_is_said_with_its_intervals(found: dict[str, Any] | None, said: str) -> None:
    assert season(found) == said


@pytest.mark.parametrize(("weeks", "said"), [(103, "104 weeks of charts; 103 are there"), (104, "95 % intervals")])
def test_a_chart_below_two_years_says_so(weeks: int, said: str) -> None:
    assert said in about_seasons({"weeks": weeks})
