"""The sandbox's pure parts: reading a prompt, obeying it roughly, playing it, and the hidden market."""

from datetime import date, timedelta

import numpy as np
import pytest

from muzikantas.sandbox import phrases
from muzikantas.sandbox.market import COUNTRIES, Market, Release
from muzikantas.sandbox.mastering import loudness
from muzikantas.sandbox.obedience import Realised, realise, seeded
from muzikantas.sandbox.prompt import GRADES, VOCABULARY, Asked, read_style
from muzikantas.sandbox.synth import render

DAY = date(2026, 1, 5)


@pytest.mark.parametrize("dimension", VOCABULARY)
def test_each_grade_is_read_by_its_first_phrase_among_the_others(dimension: str) -> None:
    for grade, (phrase, *_) in zip(GRADES, VOCABULARY[dimension], strict=True):
        others = dict.fromkeys(VOCABULARY, 0.5) | {dimension: grade}
        words = [VOCABULARY[name][GRADES.index(value)][0] for name, value in others.items()]
        asked = read_style(f"dream pop, 96 bpm, {', '.join(words)}, minor key")
        assert getattr(asked, dimension) == grade, phrase
        assert (asked.genre, asked.tempo_bpm, asked.tonic, asked.mode) == ("dream pop", 96.0, None, "minor")


@pytest.mark.parametrize(
    ("text", "tonic", "mode"),
    [
        ("folk, in A minor", 9, "minor"),
        ("folk, C# major, bright", 1, "major"),
        ("folk, Bb minor", 10, "minor"),
        ("folk, in a minor key", None, "minor"),
        ("folk, gentle", None, None),
    ],
)
def test_a_key_is_read(text: str, tonic: int | None, mode: str | None) -> None:
    asked = read_style(text)

    assert (asked.tonic, asked.mode) == (tonic, mode)


@pytest.mark.parametrize("text", [*phrases.SENTENCES, *phrases.TOUCHES])
def test_the_writers_words_ask_for_no_other_sound(text: str) -> None:
    asked = read_style(f"folk, {text}")

    assert {getattr(asked, dimension) for dimension in VOCABULARY} == {0.5}
    assert asked.mode is None


def test_obedience_is_a_slope_below_one_with_the_stated_noise() -> None:
    low, high = (
        np.array([realise(Asked(genre="folk", energy=grade), seed=7, take_id=str(n)).energy for n in range(400)])
        for grade in (0.3, 0.7)
    )

    assert 0.7 < (high.mean() - low.mean()) / 0.4 < 0.9  # slopes lie between 0.75 and 0.85
    assert low.std() == pytest.approx(0.08, rel=0.15)


def test_a_realised_tempo_stays_within_six_per_cent() -> None:
    tempos = [realise(Asked(genre="folk", tempo_bpm=100.0), seed=7, take_id=str(n)).tempo_bpm for n in range(400)]

    assert 94 <= min(tempos) < max(tempos) <= 106


def test_a_take_sounds_the_same_each_time_and_as_loud_as_its_energy() -> None:
    levels = []
    for energy in (0.1, 0.5, 0.9):
        take = _realised(energy=energy)
        samples = render(take, audio_seconds=8, rng=np.random.default_rng(1))
        again = render(take, audio_seconds=8, rng=np.random.default_rng(1))
        assert np.array_equal(samples, again)
        assert samples.dtype == np.float32
        levels.append(loudness(samples))

    assert levels == sorted(levels)
    assert levels[2] - levels[0] > 12


def _realised(**values: float) -> Realised:
    plain = {"tempo_bpm": 120.0, "energy": 0.5, "brightness": 0.5, "valence": 0.7, "percussiveness": 0.5, "feel": 1.0}
    return Realised(genre="folk", tonic=0, mode="major", **(plain | values))


def _release(number: int, place: tuple[float, ...], *, artist: str = "Vela", day: date = DAY) -> Release:
    return Release(
        number=number,
        reference=f"R-{number}",
        take_id=f"take-{number}",
        title="Song",
        artist=artist,
        released_on=day,
        genre="folk",
        place=place,
    )


MIDDLE = (0.5,) * 5


def _wish(rng: np.random.Generator) -> Asked:
    energy, brightness, valence, percussiveness = (float(grade) for grade in rng.choice(GRADES, 4))
    return Asked(
        genre="folk",
        tempo_bpm=float(rng.uniform(70, 170)),
        energy=energy,
        brightness=brightness,
        valence=valence,
        percussiveness=percussiveness,
    )


@pytest.mark.parametrize("seed", range(6))
def test_the_best_style_earns_at_least_eight_times_the_typical(seed: int) -> None:
    market, rng = Market(seed), seeded(seed, "styles")
    wishes = [_wish(rng) for _ in range(300)]
    typical = np.array([realise(asked, seed=seed, take_id=str(n)).place() for n, asked in enumerate(wishes)])

    median = float(np.median(market.expected_week("folk", typical, DAY)))
    best = float(market.expected_week("folk", rng.uniform(0.1, 0.9, (40_000, 5)), DAY).max())

    assert 100 < median < 1000
    assert best > 8 * median


def test_a_longer_history_begins_with_the_shorter_one() -> None:
    market, release = Market(7), _release(1, MIDDLE)

    short = market.history(release, [release], DAY + timedelta(days=6))
    long = market.history(release, [release, _release(2, MIDDLE)], DAY + timedelta(days=13))

    assert len(short) == 7 * len(COUNTRIES)
    assert long[: len(short)] == short


def test_streams_fall_with_age() -> None:
    history = Market(7).history(_release(1, MIDDLE), [], DAY + timedelta(days=59))

    by_week = [sum(day.streams for day in history if (day.date - DAY).days // 7 == week) for week in range(8)]
    assert by_week[0] > by_week[1] > by_week[3] > by_week[7] > 0


def test_counts_are_consistent() -> None:
    for day in Market(7).history(_release(1, MIDDLE), [], DAY + timedelta(days=30)):
        assert 0 <= day.saves <= day.listeners <= day.streams
        assert 0 <= day.skips <= day.streams


def test_a_twin_earns_less_unless_it_is_another_artists_or_old() -> None:
    market, second = Market(7), _release(2, MIDDLE, day=DAY + timedelta(days=1))
    far = tuple(value + 0.4 for value in MIDDLE)

    assert market.novelty(second, [_release(1, MIDDLE)]) < 0.8
    assert market.novelty(second, [_release(1, far)]) > 0.99
    assert market.novelty(second, [_release(1, MIDDLE, artist="Other")]) == 1
    assert market.novelty(second, [_release(1, MIDDLE, day=DAY - timedelta(days=300))]) > 0.99
