"""Competitors: numbers by row, and words that are refused unless they keep to the row that they cite."""

import json
from datetime import date, timedelta

import pytest

from muzikantas.analysis.competitors import (
    Appearance,
    MarketWords,
    Row,
    checked,
    compare,
    gap_rows,
    named,
    question,
    sentences,
)
from muzikantas.analysis.gaps import Cell
from muzikantas.domain.errors import Refused

TODAY = date(2031, 6, 30)


def appearance(artist: str, *, days_ago: int, best: int, now: int | None = None) -> Appearance:
    return Appearance(
        artist=artist,
        source="positions",
        country="ES",
        genre="pop",
        first_day=TODAY - timedelta(days=days_ago),
        best=best,
        now=now,
        velocity=0.5,
    )


def rows() -> list[Row]:
    busy = [appearance("Busy", days_ago=10 * k, best=10 + k, now=20) for k in range(4)]
    made = compare([*busy, appearance("Calm", days_ago=200, best=3)], TODAY, TODAY - timedelta(days=365))
    cell = Cell(
        country="ES", genre="pop", share=0.07, growth=1.5, growth_low=1.2, growth_high=1.9, growth_p=0.001,
        artists=3, artists_usual=11.0, thin_p=0.001, gap=True,
    )  # fmt: skip
    return [*made, *gap_rows([cell], first=len(made) + 1)]


NAMES = {"r1": "artist 1", "r2": "artist 2", "r3": "pop in ES"}


def test_releases_are_counted_with_their_interval() -> None:
    busy, calm, gap = rows()
    assert (busy.subject, busy.values["new_tracks_90_days"], busy.values["best_position"]) == ("Busy", 4.0, 10)
    assert float(busy.values["new_tracks_low"]) < 4.0 < float(busy.values["new_tracks_high"])
    assert (calm.values["new_tracks_90_days"], calm.values["on_chart_now"]) == (0.0, 0)
    assert gap.name == "r3"


def test_our_own_sentences_pass_our_own_check() -> None:
    told = sentences(rows(), NAMES)
    assert checked(MarketWords(sentences=told), rows(), NAMES) == told


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("Artist 1 brings 4 new tracks", "cites no row"),
        ("Artist 1 brings 4 new tracks [r9]", "cites r9"),
        ("Artist 1 and artist 2 differ [r1] [r2]", "cites r1, r2"),
        ("Artist 1 brings 5 new tracks [r1]", "has 5, which r1"),
        ("Artist 2 brings 4 new tracks [r2]", "has 4, which r2"),
        ("Artist 1 brings twice as many [r1]", "has twice"),
        ("Artist 1 grew fourfold with fifteen tracks [r1]", "has fourfold, fifteen"),
        ("Artist 1 is busy. It will win everything [r1]", "more than one sentence"),
    ],
)
def test_words_that_do_not_keep_to_their_row_are_refused(sentence: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        checked(MarketWords(sentences=[sentence]), rows(), NAMES)


def test_no_words_are_refused() -> None:
    with pytest.raises(Refused, match="0 sentences"):
        checked(MarketWords(sentences=[]), rows(), NAMES)


def test_names_stay_out_of_the_prompt_and_come_back_for_the_operator() -> None:
    instructions, asked = question("Nova", rows(), NAMES)
    assert "Busy" not in instructions + asked
    data = json.loads(asked.partition("\n\n")[2])
    assert [row["row"] for row in data["rows"]] == ["r1", "r2", "r3"]
    assert named(["artist 1 brings 4.0 [r1]"], rows(), NAMES) == ["Busy brings 4.0 [r1]"]
