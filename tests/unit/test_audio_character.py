"""Brightness, percussiveness, fluctuation, energy and valence on signals with known answers."""

import numpy as np
import numpy.typing as npt
import pytest
import scipy.ndimage

from muzikantas.analysis.audio import character, intake, spectrum

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
    even, uneven = (intake.levels(sound.astype(np.float32)) for sound in (beat, wandering))
    assert character.danceability(even) > character.danceability(uneven) + 0.3
    assert character.danceability(100 * even) == pytest.approx(character.danceability(even), abs=1e-6)


def test_the_fluctuation_is_what_is_left_after_fitting_lines() -> None:
    levels = np.random.default_rng(2).standard_normal(500)
    profile = np.cumsum(levels - levels.mean())
    logs = []
    for length in (31, 34):  # the first two lengths, straight from the definition
        starts = range(0, profile.size - length + 1, length // 2)
        time = np.arange(length)
        rests = [
            profile[s : s + length] - np.polyval(np.polyfit(time, profile[s : s + length], 1), time) for s in starts
        ]
        logs.append(0.5 * np.log(np.mean(np.square(rests))))
    short = character.SEGMENT_RANGE[0], 35
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(character, "SEGMENT_RANGE", short)
        found = character.fluctuation_exponent(levels)
    assert found == pytest.approx((logs[1] - logs[0]) / np.log(34 / 31), abs=1e-6)


def test_the_median_of_nine_is_the_median() -> None:
    rows = np.random.default_rng(3).random((20, 50)).astype(np.float32)
    assert np.array_equal(character.median_of_nine(rows), scipy.ndimage.median_filter(rows, size=(1, 9)))


@pytest.mark.parametrize(("before_s", "after_s"), [(0.0, 0.0), (0.5, 0.0), (1.25, 2.0)])
@pytest.mark.parametrize("hiss", [0.0, 1e-5])
def test_silence_at_both_ends_is_measured(before_s: float, after_s: float, hiss: float) -> None:
    sound = np.sin(2 * np.pi * 440 * TIME)
    padded = np.pad(sound, (round(before_s * RATE), round(after_s * RATE)))
    padded += hiss * np.random.default_rng(0).standard_normal(padded.size)
    found = character.silence_s(intake.levels(padded.astype(np.float32)))
    assert found == pytest.approx((before_s, after_s), abs=0.015)


def test_a_pause_inside_is_no_silence_at_an_end() -> None:
    sound = np.sin(2 * np.pi * 440 * TIME) * ((TIME < 3) | (TIME > 7))
    assert character.silence_s(intake.levels(sound.astype(np.float32))) == (0.0, 0.0)


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


def test_arousal_is_the_stated_formula() -> None:
    assert character.arousal(3.0, 1500.0) == pytest.approx(0.5)
    assert character.arousal(6.0, 1500.0) == pytest.approx(1 / (1 + np.exp(-1.5)))
    assert character.arousal(3.0, 750.0) == pytest.approx(1 / (1 + np.exp(0.5)))
    assert character.arousal(0.0, 0.0) == pytest.approx(1 - character.arousal(99.0, 9000.0))
