"""Keys of cadences played by synthetic instruments, in all 24 keys."""

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from muzikantas.analysis.audio import key_model, tonality
from muzikantas.analysis.audio.decode import resample
from muzikantas.analysis.audio.spectrum import SAMPLE_RATE, SLOW_RATE
from muzikantas.domain.features import PITCH_CLASSES, Mode

RATE = SAMPLE_RATE
TIME = np.arange(RATE) / RATE
#: I-IV-V-I and i-iv-V-i, semitones above the tonic.
CADENCES: dict[Mode, tuple[tuple[int, ...], ...]] = {
    "major": ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7)),
    "minor": ((0, 3, 7), (5, 8, 12), (7, 11, 14), (0, 3, 7)),
}
Wave = npt.NDArray[np.float64]


def sine(midi: float) -> Wave:
    return np.asarray(np.sin(2 * np.pi * 440 * 2 ** ((midi - 69) / 12) * TIME) * np.minimum(TIME / 0.01, 1))


def sawtooth(midi: float) -> Wave:
    """Twenty harmonics that fall as 1/k and do not decay."""
    return np.asarray(sum(sine(midi + 12 * np.log2(k)) / k for k in range(1, 21)))


def piano(midi: float) -> Wave:
    """Eight harmonics, a little sharp as on strings, the higher the sooner gone."""
    partials = (sine(midi + 12 * np.log2(k * (1 + 0.0004 * k * k) ** 0.5)) * np.exp(-k * TIME) / k for k in range(1, 9))
    return np.asarray(sum(partials))


INSTRUMENTS: dict[str, Callable[[float], Wave]] = {"sine": sine, "sawtooth": sawtooth, "piano": piano}


@cache
def cadence(tonic: float, mode: Mode, instrument: str = "piano") -> npt.NDArray[np.float32]:
    """A cadence from C3 + `tonic` semitones with its roots in the bass, twice, with peak 1."""
    note = INSTRUMENTS[instrument]
    chords = [
        sum(note(48 + tonic + step) for step in chord) + 2 * note(36 + tonic + chord[0]) for chord in CADENCES[mode]
    ]
    song = np.tile(np.concatenate(chords), 2)
    return np.asarray(song / np.abs(song).max(), dtype=np.float32)


def listen(samples: npt.NDArray[np.float32]) -> tonality.Tonality:
    return tonality.listen(resample(samples, RATE, SLOW_RATE))


def named(heard: tonality.Tonality) -> tuple[str, Mode]:
    return heard.tonic, heard.mode


def related(tonic: int, mode: Mode) -> set[tuple[str, Mode]]:
    """The fifths either way, the relative and the parallel key."""
    other: Mode = "minor" if mode == "major" else "major"
    relative = tonic + (9 if mode == "major" else 3)
    steps: list[tuple[int, Mode]] = [(tonic + 7, mode), (tonic + 5, mode), (relative, other), (tonic, other)]
    return {(PITCH_CLASSES[step % 12], its_mode) for step, its_mode in steps}


@pytest.mark.parametrize("instrument", INSTRUMENTS)
@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_a_cadence_tells_its_key(tonic: int, mode: Mode, instrument: str) -> None:
    heard = listen(cadence(tonic, mode, instrument))
    assert named(heard) == (PITCH_CLASSES[tonic], mode)
    assert heard.confidence > 0.6
    assert heard.runner_up in related(tonic, mode)
    assert (heard.majorness > 0) == (mode == "major")


@pytest.mark.parametrize("cents", [-40, -20, 20, 40])
@pytest.mark.parametrize("mode", ["major", "minor"])
def test_a_detuned_recording_keeps_its_key_and_tells_its_tuning(cents: int, mode: Mode) -> None:
    in_tune, detuned = (listen(cadence(2 + by / 100, mode)) for by in (0, cents))
    assert named(detuned) == named(in_tune)
    # A piano's harmonics are sharp by themselves, so tunings are compared, not read.
    assert detuned.tuning_cents - in_tune.tuning_cents == pytest.approx(cents, abs=3)
    assert detuned.chroma == pytest.approx(in_tune.chroma, abs=0.02)


@pytest.mark.parametrize("cents", [-45, 0, 30])
def test_tuning_of_a_sine_is_its_distance_from_the_semitone(cents: int) -> None:
    assert listen(sine(69 + cents / 100).astype(np.float32)).tuning_cents == pytest.approx(cents, abs=1)


def test_level_changes_nothing() -> None:
    loud = listen(cadence(5, "minor"))
    quiet = listen(cadence(5, "minor") * np.float32(1 / 64))
    assert named(quiet) == named(loud)
    assert quiet.confidence == pytest.approx(loud.confidence, abs=1e-3)


@pytest.mark.parametrize("seconds", [0.1, 3.0])
def test_silence_before_and_after_changes_little(seconds: float) -> None:
    song = cadence(9, "major")
    moved = listen(np.pad(song, int(seconds * RATE)))
    assert named(moved) == named(listen(song))
    assert moved.confidence == pytest.approx(listen(song).confidence, abs=0.05)


@pytest.mark.parametrize("steps", [1, 5, 11])
def test_a_transposed_recording_has_the_turned_scores(steps: int) -> None:
    turned = np.roll(np.random.default_rng(steps).random((8, 12)), steps, axis=1)
    fits = np.random.default_rng(7).random((2, 12))
    back = key_model.scores(np.roll(turned, -steps, axis=1), np.roll(fits, -steps, axis=1))
    assert np.roll(back, steps, axis=1) == pytest.approx(key_model.scores(turned, fits))


def test_chroma_of_a_triad_is_the_triad() -> None:
    triad = np.concatenate([sum(sine(60 + step) for step in (0, 4, 7))] * 5).astype(np.float32)
    classes = np.array(listen(triad).chroma)
    assert classes.sum() == pytest.approx(1.0)
    # Three equal sines; attacks and window edges may take a tenth.
    assert classes[[0, 4, 7]] == pytest.approx([1 / 3] * 3, abs=0.05)


def test_chords_are_counted_by_their_time() -> None:
    levels, _ = tonality.notes(resample(cadence(0, "minor"), RATE, SLOW_RATE))
    major, minor = tonality.evidence(levels)[6:]
    # i-iv-V-i: half of the time the tonic; changes of chord blur a part of it.
    assert minor[0] == pytest.approx(0.5, abs=0.1)
    assert minor[5] == pytest.approx(0.25, abs=0.1)
    assert major[7] == pytest.approx(0.25, abs=0.1)
    assert major.sum() + minor.sum() == pytest.approx(1.0)


def test_profiles_are_distributions() -> None:
    # Printed with three decimals, so twelve of them add up to 1 within 0.006.
    assert all(sum(profile) == pytest.approx(1.0, abs=0.006) for profile in tonality.PROFILES.values())


@pytest.mark.parametrize("seed", range(5))
def test_noise_has_no_key_to_be_sure_of(seed: int) -> None:
    noise = np.random.default_rng(seed).standard_normal(20 * RATE).astype(np.float32)
    assert listen(noise).confidence < 0.2


@pytest.mark.parametrize("samples", [0, 1, 100, RATE])
def test_silence_of_any_length_is_unpitched(samples: int) -> None:
    assert listen(np.zeros(samples, dtype=np.float32)) == tonality.UNPITCHED


def test_one_chord_in_a_minute_of_silence_is_heard() -> None:
    chord = np.sum([piano(57 + step) for step in (0, 4, 7)], axis=0, dtype=np.float32)
    assert named(listen(np.pad(chord, 30 * RATE))) == ("A", "major")


def test_a_flat_spectrum_speaks_for_no_key() -> None:
    flat = key_model.scores(np.full((8, 12), 1 / 12), np.zeros((2, 12)))
    # Equal within each mode, so at most one in twelve, whatever minor starts from.
    assert np.ptp(flat, axis=1) == pytest.approx(0.0, abs=1e-9)
    assert key_model.log_odds(flat) < np.log(1 / 11) + 1e-9
