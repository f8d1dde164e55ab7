"""The timbre vector: what it measures, and what must not move it."""

import numpy as np
import numpy.typing as npt
import pytest

from muzikantas.analysis.audio import spectrum, timbre

RATE = spectrum.SAMPLE_RATE
TIME = np.arange(8 * RATE) / RATE
HALF = timbre.COEFFICIENTS
Sound = npt.NDArray[np.float64]


def tone(partials: int, seed: int = 0) -> Sound:
    """Notes of so many partials at random pitches, two a second, over a little noise."""
    rng = np.random.default_rng(seed)
    hertz = np.repeat(110 * 2 ** (rng.integers(0, 24, 16) / 12), RATE // 2)
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    notes: Sound = sum((np.sin(k * phase) / k for k in range(1, partials + 1)), np.zeros(TIME.size))
    return notes + 1e-3 * rng.standard_normal(TIME.size)


def vector(sound: Sound) -> Sound:
    frames = spectrum.frames(sound.astype(np.float32))
    return np.array(timbre.vector(frames, timbre.coefficients(spectrum.log_mel(frames.mel_power), HALF)))


def test_level_does_not_count() -> None:
    assert vector(0.01 * tone(6)) == pytest.approx(vector(tone(6)), abs=0.02)


def test_pauses_do_not_count() -> None:
    with_pauses = np.concatenate([np.zeros(4 * RATE), tone(6), np.zeros(4 * RATE)])
    assert vector(with_pauses) == pytest.approx(vector(tone(6)), abs=0.2)


def test_other_notes_of_an_instrument_are_nearer_than_another_instrument() -> None:
    same = np.linalg.norm(vector(tone(8, seed=1)) - vector(tone(8, seed=2)))
    other = np.linalg.norm(vector(tone(8, seed=1)) - vector(tone(1, seed=1)))
    assert other > 2 * same


def test_distance_of_means_is_decibels_between_spectra() -> None:
    rng = np.random.default_rng(0)
    bands = np.arange(spectrum.MEL_BANDS)
    shape = 6 * np.cos(np.pi * (bands + 0.5) * 3 / bands.size)  # one smooth ripple of 6 dB: 4.24 dB rms
    level = rng.standard_normal((bands.size, 50)).astype(np.float32)
    flat, rippled = (timbre.coefficients(x, HALF).mean(axis=1) for x in (level, level + shape[:, None].astype("f")))
    assert np.linalg.norm(rippled - flat) == pytest.approx(6 / np.sqrt(2), rel=1e-3)


def test_a_sound_that_changes_has_more_spread_than_a_steady_one() -> None:
    hiss = np.random.default_rng(0).standard_normal(TIME.size)
    switching = np.where(TIME % 1 < 0.5, hiss, np.convolve(hiss, np.ones(20) / 4, mode="same"))
    steady, changing = (np.linalg.norm(vector(sound)[HALF:]) for sound in (hiss, switching))
    assert changing > 3 * steady


def test_silence_has_the_null_vector() -> None:
    assert vector(np.zeros(RATE)).tolist() == [0.0] * 40
