"""Brightness, percussiveness, fluctuation, energy and valence on signals with known answers."""

import numpy as np
import numpy.typing as npt
import pytest

from muzikantas.analysis.audio import character, spectrum

RATE = spectrum.SAMPLE_RATE
TIME = np.arange(10 * RATE) / RATE


def frames(samples: npt.NDArray[np.float64]) -> spectrum.Frames:
    return spectrum.frames(samples.astype(np.float32))


@pytest.mark.parametrize("hertz", [300.0, 997.0, 4000.0])
def test_a_sine_is_as_bright_as_its_frequency(hertz: float) -> None:
    assert character.brightness_hz(frames(np.sin(2 * np.pi * hertz * TIME))) == pytest.approx(hertz, rel=0.02)


def test_hiss_in_the_pauses_does_not_count_as_bright() -> None:
    tone = np.sin(2 * np.pi * 500 * TIME) * (TIME % 2 < 0.5)
    hiss = 1e-3 * np.random.default_rng(0).standard_normal(TIME.size)
    assert character.brightness_hz(frames(tone + hiss)) < 700


def test_clicks_are_percussive_and_drones_are_not() -> None:
    clicks = (np.arange(TIME.size) % (RATE // 2) == 0).astype(np.float64)
    drone = np.sin(2 * np.pi * 220 * TIME)
    noise = np.random.default_rng(0).standard_normal(TIME.size)
    assert character.percussive_ratio(frames(clicks)) > 0.95
    assert character.percussive_ratio(frames(drone)) < 0.05
    assert character.percussive_ratio(frames(noise)) == pytest.approx(0.5, abs=0.05)


def test_more_drums_over_the_same_drone_raise_the_percussive_ratio() -> None:
    drone = np.sin(2 * np.pi * 220 * TIME)
    drums = np.random.default_rng(0).standard_normal(TIME.size) * np.exp(-40 * (TIME % 0.5))
    ratios = [character.percussive_ratio(frames(drone + gain * drums)) for gain in (0.0, 0.1, 0.3, 1.0)]
    assert ratios == sorted(ratios)
    assert ratios[-1] > ratios[0] + 0.15


@pytest.mark.parametrize(
    ("power", "exponent"),
    [
        (0, 0.5),  # uncorrelated: the profile is a random walk, which spreads as the square root of time
        (1, 1.5),  # a random walk of level: its profile spreads as time to the 3/2
    ],
)
def test_fluctuation_exponent_of_known_processes(power: int, exponent: float) -> None:
    levels = np.random.default_rng(5).standard_normal(18_000)
    for _ in range(power):
        levels = np.cumsum(levels)
    assert character.fluctuation_exponent(levels) == pytest.approx(exponent, abs=0.08)


def test_a_constant_level_has_no_exponent() -> None:
    assert character.fluctuation_exponent(np.ones(2000)) == 0.0


def test_an_even_beat_is_more_danceable_than_a_wandering_level() -> None:
    rng = np.random.default_rng(1)
    beat = rng.standard_normal(TIME.size) * np.exp(-10 * (TIME % 0.5))
    walk = np.exp(np.interp(TIME, np.arange(0, 10, 0.01), np.cumsum(0.1 * rng.standard_normal(1000))))
    wandering = rng.standard_normal(TIME.size) * walk
    assert character.danceability(beat.astype(np.float32)) > character.danceability(wandering.astype(np.float32)) + 0.3


def test_crest_of_a_sine_is_three_decibels_and_of_a_square_none() -> None:
    sine = np.sin(2 * np.pi * 440 * TIME).astype(np.float32)
    assert character.crest_db(0.1 * sine) == pytest.approx(10 * np.log10(2), abs=0.01)
    assert character.crest_db(np.sign(sine) + np.float32(1e-9)) == pytest.approx(0.0, abs=0.01)
    assert character.crest_db(0 * sine) == 0.0


def test_energy_is_the_stated_formula() -> None:
    assert character.energy(0.0, 100.0, 25.0) == 0.0  # no onset, below 500 Hz, beyond 20 dB
    assert character.energy(0.0, 4000.0, 20.0) == pytest.approx(0.25)
    assert character.energy(0.0, 500.0, 6.0) == pytest.approx(0.25)
    assert character.energy(4.0, 500.0, 20.0) == pytest.approx(0.5 * (1 - np.exp(-1)))
    assert character.energy(1000.0, 9000.0, 0.0) == pytest.approx(1.0)


def test_valence_is_the_stated_formula() -> None:
    assert character.valence(0.0, 3.0, 1500.0) == pytest.approx(0.5)
    assert character.valence(0.2, 3.0, 1500.0) == pytest.approx(1 / (1 + np.exp(-1.2)))
    assert character.valence(0.0, 6.0, 3000.0) == pytest.approx(1 / (1 + np.exp(-1.0)))
    assert character.valence(0.1, 0.0, 0.0) == pytest.approx(1 - character.valence(-0.1, 99.0, 9000.0))
