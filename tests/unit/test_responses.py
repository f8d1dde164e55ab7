"""From reports to what is learnt from: lost versions, promoted tracks and bought streams, each in its place."""

import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from muzikantas.analysis.daily import DailyRows
from muzikantas.analysis.responses import Reports, Song, hear
from muzikantas.domain.promotion import Promotion
from muzikantas.domain.style import DIMENSIONS, Style, StyleSpace

SPACE = StyleSpace(("pop",), DIMENSIONS)
BEGIN = date(2026, 1, 1)
LOST = "version 3, which wrote it, lost its trial"


def label(songs: int, seed: int, *, factor: float = 1.0, promoted: int = 0, first: int = 0) -> Reports:
    """Songs a week apart with 28 reported days; the first `promoted` had a playlist that multiplied their streams."""
    rng = np.random.default_rng(seed)
    made, daily, placed = [], [], []
    for number in range(1, songs + 1):
        track_id, day = first + number, BEGIN + timedelta(days=7 * number)
        style = Style("pop", tuple(rng.random(5)))
        level = 2000 * np.exp(0.4 * rng.standard_normal()) * (factor if number <= promoted else 1.0)
        streams = [round(level * (age + 1) ** -0.7) for age in range(28)]
        cycle = number // 4
        made.append(
            Song(id=track_id, cycle=cycle, asked=style, realised=style, certainty=1.0, provider="one", lost=None)
        )
        days = [day + timedelta(days=age) for age in range(28)]
        daily.append(
            DailyRows(
                release=track_id,
                released_on=day,
                platform="p",
                country="DE",
                days=days,
                streams=streams,
                listeners=[None] * 28,
                saves=[None] * 28,
            )
        )
        if number <= promoted:
            placed.append(Promotion(track=track_id, kind="playlist", first=day, last=None, size=1000.0))
    volume = {day: 5000 for row in daily for day in row.days}
    return Reports(space=SPACE, songs=made, daily=daily, volumes={"p": volume}, promotions=placed)


def test_without_promotion_an_outcome_is_the_streams() -> None:
    heard = hear(label(12, 1), days=7)
    assert heard.corrections == {}
    for each in heard.observations:
        assert each.id is not None
        assert each.outcome == pytest.approx(math.log1p(heard.outcomes[each.id].streams))
        assert each.weight == 1.0


def test_what_a_playlist_brought_is_taken_off_and_the_streams_stay() -> None:
    reports = label(40, 2, factor=3.0, promoted=12)
    heard = hear(reports, days=7)
    outcomes = np.array([each.outcome for each in heard.observations])
    raw = np.array([math.log1p(heard.outcomes[song.id].streams) for song in reports.songs])
    gap, left = (values[:12].mean() - values[12:].mean() for values in (raw, outcomes))
    assert gap > 0.8
    assert abs(left) < 0.3 * gap
    assert set(heard.corrections) == set(range(1, 13))
    promoted, other = heard.observations[0], heard.observations[20]
    assert promoted.weight < other.weight == 1.0
    assert promoted.by_country is not None
    assert promoted.by_country["DE"] == pytest.approx(promoted.outcome, abs=0.01)


def test_the_label_says_what_one_playlist_did() -> None:
    few = label(12, 3, factor=3.0, promoted=2)
    alone, taught = (hear(few, others, days=7) for others in ([], [label(40, 4, factor=3.0, promoted=15, first=100)]))
    assert alone.corrections[1].change == 0.0
    assert alone.observations[0].weight < 0.6
    assert 0.4 < taught.corrections[1].change < 1.5
    assert taught.observations[0].weight > alone.observations[0].weight
    assert taught.observations[5] == alone.observations[5]


def test_a_lost_version_teaches_nothing_but_is_not_repeated() -> None:
    reports = label(12, 5, factor=20.0, promoted=0)
    lost = replace(reports, songs=[replace(s, lost=LOST if s.id <= 4 else None) for s in reports.songs])
    heard = hear(lost, days=7)
    assert heard.lost == dict.fromkeys(range(1, 5), LOST)
    assert [each.weight > 0 for each in heard.observations] == [False] * 4 + [True] * 8
    assert [each.realised for each in heard.observations] == [song.realised for song in reports.songs]
    assert set(heard.outcomes) == set(range(1, 13))  # its streams are paid for all the same


def test_a_lost_version_does_not_teach_what_promotion_does() -> None:
    reports = label(40, 6, factor=3.0, promoted=12)
    lost = replace(reports, songs=[replace(s, lost=LOST if s.id <= 10 else None) for s in reports.songs])
    assert hear(reports, days=7).corrections[12].change > 0.3
    assert hear(lost, days=7).corrections[12].change == 0.0


def test_a_track_that_is_too_young_is_not_corrected() -> None:
    reports = label(20, 7, promoted=6)
    newest = reports.daily[-1]
    young = replace(newest, days=newest.days[:2], streams=newest.streams[:2], listeners=[None] * 2, saves=[None] * 2)
    volume = {day: n for day, n in reports.volumes["p"].items() if day <= young.days[-1]}
    kept = [row for row in reports.daily[:-1] if row.days[-1] <= young.days[-1]]
    placed = [*reports.promotions, replace(reports.promotions[0], track=20, first=newest.released_on)]
    heard = hear(replace(reports, daily=[*kept, young], volumes={"p": volume}, promotions=placed), days=7)
    assert heard.observations[-1].weight == 0.0
    assert set(heard.corrections) == set(range(1, 7))
