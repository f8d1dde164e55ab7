"""Keys of cadences played by a synthetic organ, in all 24 keys."""

import numpy as np
import numpy.typing as npt
import pytest

from muzikantas.analysis.audio import spectrum, tonality
from muzikantas.domain.features import PITCH_CLASSES, Mode

RATE = spectrum.SAMPLE_RATE
#: I-IV-V-I and i-iv-V-i, semitones above the tonic.
CADENCES: dict[Mode, tuple[tuple[int, ...], ...]] = {
    "major": ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7)),
    "minor": ((0, 3, 7), (5, 8, 12), (7, 11, 14), (0, 3, 7)),
}


def note(midi: float) -> npt.NDArray[np.float64]:
    """One second of an organ: six harmonics, falling as 1/k."""
    time = np.arange(RATE) / RATE
    hertz = 440 * 2 ** ((midi - 69) / 12)
    partials = sum(np.sin(2 * np.pi * k * hertz * time) / k for k in range(1, 7))
    return np.asarray(partials * np.minimum(time / 0.01, 1) * np.exp(-1.5 * time))


def cadence(tonic: float, mode: Mode) -> npt.NDArray[np.float32]:
    """A cadence from C3 + `tonic` semitones with its roots in the bass, twice, with peak 1."""
    chords = [
        sum(note(48 + tonic + step) for step in chord) + 2 * note(36 + tonic + chord[0]) for chord in CADENCES[mode]
    ]
    song = np.tile(np.concatenate(chords), 2)
    return np.asarray(song / np.abs(song).max(), dtype=np.float32)


def hear(samples: npt.NDArray[np.float32]) -> tonality.Key:
    return tonality.key(tonality.chroma(spectrum.frames(samples)))


@pytest.mark.parametrize("mode", ["major", "minor"])
@pytest.mark.parametrize("tonic", range(12))
def test_a_cadence_tells_its_key(tonic: int, mode: Mode) -> None:
    key = hear(cadence(tonic, mode))
    assert (key.tonic, key.mode) == (PITCH_CLASSES[tonic], mode)
    assert key.confidence > 0.6
    assert (key.majorness > 0) == (mode == "major")


@pytest.mark.parametrize("cents", [-47, -20, 20, 47])
def test_a_recording_in_another_tuning_has_the_same_chroma(cents: int) -> None:
    in_tune, detuned = (tonality.chroma(spectrum.frames(cadence(2 + by / 100, "minor"))) for by in (0, cents))
    assert detuned == pytest.approx(in_tune, abs=0.02)


def test_chroma_of_a_triad_is_the_triad() -> None:
    triad = np.concatenate([sum(note(60 + step) for step in (0, 4, 7))] * 3).astype(np.float32)
    classes = tonality.chroma(spectrum.frames(triad))
    assert classes.sum() == pytest.approx(1.0)
    assert set(np.argsort(classes)[-3:]) == {0, 4, 7}


def test_profiles_are_distributions() -> None:
    # Printed with three decimals, so twelve of them add up to 1 within 0.006.
    assert all(sum(profile) == pytest.approx(1.0, abs=0.006) for profile in tonality.PROFILES.values())


def test_drums_alone_have_no_key_to_be_sure_of() -> None:
    noise = np.random.default_rng(3).standard_normal(20 * RATE).astype(np.float32)
    assert hear(noise).confidence < 0.2


def test_no_pitch_gives_no_confidence() -> None:
    assert tonality.key(np.zeros(12)).confidence == 0.0
    assert tonality.key(np.full(12, 1 / 12)).confidence == 0.0
