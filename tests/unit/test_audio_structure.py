"""Sections and repetition of pieces that were put together from known parts."""

import numpy as np
import numpy.typing as npt
import pytest

from muzikantas.analysis.audio import spectrum, structure, timbre

RATE = spectrum.SAMPLE_RATE
Sound = npt.NDArray[np.float64]

#: Two kinds of section: chords (semitones from A3), and how many partials a note has.
SECTIONS = {"A": (((0, 3, 7), (5, 8, 12)), 2), "B": (((-4, 0, 3), (-2, 2, 5)), 9)}


def section(name: str, seconds: float, seed: int) -> Sound:
    """Chords that change every two seconds, with a random melody, so that no two sections are the same samples."""
    chords, partials = SECTIONS[name]
    rng = np.random.default_rng(seed)
    time = np.arange(RATE) / RATE
    beats = []
    for second in range(round(seconds)):
        steps = (*chords[second // 2 % 2], 12 + chords[0][rng.integers(3)])
        hertz = 220 * 2 ** (np.array(steps) / 12)
        waves = [np.sin(2 * np.pi * f * k * time) / k for f in hertz for k in range(1, partials + 1)]
        beats.append(np.sum(waves, axis=0) * np.exp(-2 * (time % 0.5)))
    return np.concatenate(beats)


def piece(order: str, seconds: float = 20) -> Sound:
    return np.concatenate([section(name, seconds, seed) for seed, name in enumerate(order)])


def heard(sound: Sound) -> structure.Structure:
    frames = spectrum.frames((sound / np.abs(sound).max()).astype(np.float32))
    return structure.listen(frames, timbre.coefficients(spectrum.log_mel(frames.mel_power), timbre.COEFFICIENTS))


@pytest.mark.parametrize("seconds", [10, 16, 20])
@pytest.mark.parametrize("order", ["ABAB", "AABBA", "ABB"])
def test_bounds_are_where_sections_change(order: str, seconds: int) -> None:
    expected = [seconds * k for k in range(1, len(order)) if order[k] != order[k - 1]]
    found = heard(piece(order, seconds))
    assert found.bounds_s == pytest.approx(expected, abs=1.0)
    assert found.confidence > 0.5


def test_one_section_has_hardly_a_bound() -> None:
    """Eight seconds of a random melody may by chance differ from the next eight; a section change is nearly sure."""
    found = [heard(section(name, 40, seed)) for name in "AB" for seed in range(4)]
    assert sum(len(each.bounds_s) for each in found) <= 1


def test_noise_has_no_bound_and_repeats_nothing() -> None:
    found = heard(np.random.default_rng(0).standard_normal(60 * RATE))
    assert (found.bounds_s, found.repetition_share) == ((), 0.0)


def test_what_comes_again_is_counted() -> None:
    once = [section("A", 16, 1), np.random.default_rng(1).standard_normal(16 * RATE), section("B", 16, 2)]
    new = heard(np.concatenate([once[0], once[2]]))
    verse = heard(np.concatenate([once[0], once[2], once[0], once[2]]))
    assert verse.repetition_share > 0.9
    assert new.repetition_share < verse.repetition_share


def test_too_short_for_sections() -> None:
    found = heard(section("A", 10, 0))
    assert (found.bounds_s, found.confidence, found.repetition_share) == ((), 0.0, 0.0)


def test_level_does_not_move_a_bound() -> None:
    sound = piece("ABA", 14)
    assert heard(1e-3 * sound) == heard(sound)
