"""What a recording is like: brightness, percussiveness, danceability, energy, valence.

Only the first three are measurements in the strict sense. Energy and valence are definitions of ours: they order
recordings, and claim nothing about any service's numbers of the same name.
"""

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from muzikantas.analysis.audio.spectrum import SAMPLE_RATE, Array, Frames

#: Fluctuation analysis: samples per level, and the shortest and longest segment in levels (10 ms: 310 ms to 8.8 s).
LEVEL_SAMPLES = SAMPLE_RATE // 100
SEGMENT_RANGE, SEGMENT_STEP = (31, 880), 1.1

#: The exponent of a random walk of level, the least danceable end of the scale.
WALK_EXPONENT = 1.5

#: Percussion is told from sustained sound on squares of 2 x 2 cells: a quarter of the work, and still 46 ms by half
#: a semitone at worst; medians reach over 9 of them (0.4 s).
CELL, REACH = 2, 9

#: Energy: onsets per second at which pace has reached 63 %; brightness from dull to bright; crest from limited to open.
PACE_HZ = 4.0
DULL_HZ, BRIGHT_HZ = 500.0, 4000.0
LIMITED_DB, OPEN_DB = 6.0, 20.0

#: Valence: the weights of its three terms, and the points where pace and brightness are neutral.
MODE_WEIGHT, PACE_WEIGHT, BRIGHTNESS_WEIGHT = 6.0, 0.5, 0.5
NEUTRAL_ONSETS_HZ, NEUTRAL_CENTROID_HZ = 3.0, 1500.0


def brightness_hz(frames: Frames) -> float:
    """Median of the spectral centroid over time in Hz, 0 to 11025, each frame weighted by its power.

    The weights keep the hiss of pauses and fades from counting as bright.
    """
    order = np.argsort(frames.centroid_hz)
    cumulated = np.cumsum(frames.power[order], dtype=np.float64)
    return float(frames.centroid_hz[order][int(np.searchsorted(cumulated, 0.5 * cumulated[-1]))])


def percussive_ratio(frames: Frames) -> float:
    """Share of percussive sound, 0 (all sustained) to 1 (all percussive); white noise is in the middle.

    Medians along time keep what is sustained, medians along frequency what is percussive; each cell of the mel
    spectrogram (amplitudes) is divided between the two in proportion to their squares (Fitzgerald, DAFx 2010).
    """
    bands, count = (size - size % CELL for size in frames.mel_power.shape)
    cells = frames.mel_power[:bands, :count].reshape(bands // CELL, CELL, count // CELL, CELL)
    amplitude = np.sqrt(cells.mean(axis=(1, 3)))
    sustained = np.square(scipy.ndimage.median_filter(amplitude, size=(1, REACH)))
    percussive = np.square(scipy.ndimage.median_filter(amplitude, size=(REACH, 1)))
    both = sustained + percussive
    share = np.where(both > 0.0, percussive / np.maximum(both, np.finfo(np.float32).tiny), 0.5)
    return float(np.sum(share * amplitude) / max(float(np.sum(amplitude)), np.finfo(np.float32).tiny))


def danceability(mono: Array) -> float:
    """How regular the loudness is over beats and bars, 0 to 1 (1: returns exactly, 0: wanders off).

    Detrended fluctuation analysis of the level (standard deviation every 10 ms) in segments of 310 ms to 8.8 s;
    `1 - exponent / 1.5` with the mean exponent. Uncorrelated level has the exponent 0.5, 1/f level 1, a random
    walk 1.5. After Streich & Herrera, AES 118th Convention, 2005; often reported as the exponent's inverse (0 to
    about 3), which orders recordings the same way and has no upper end.
    """
    usable = mono[: mono.size - mono.size % LEVEL_SAMPLES].reshape(-1, LEVEL_SAMPLES)
    exponent = fluctuation_exponent(usable.std(axis=1, dtype=np.float64))
    return float(np.clip(1.0 - exponent / WALK_EXPONENT, 0.0, 1.0))


def fluctuation_exponent(levels: NDArray[np.float64]) -> float:
    """Mean scaling exponent of a series by detrended fluctuation analysis (Peng et al., Phys. Rev. E 49, 1994).

    0 when the series is constant.

    Parameters
    ----------
    levels
        `[shape=(n,)]`, at least 100. Segments are at most half of it.
    """
    profile = np.cumsum(levels - levels.mean())
    longest = min(SEGMENT_RANGE[1], levels.size // 2)
    steps = int(np.log(longest / SEGMENT_RANGE[0]) / np.log(SEGMENT_STEP))
    lengths = np.unique(np.rint(SEGMENT_RANGE[0] * SEGMENT_STEP ** np.arange(steps + 1)).astype(np.int64))
    fluctuation = np.array([_fluctuation(profile, int(length)) for length in lengths])
    if fluctuation.min() <= 1e-9:
        return 0.0
    slopes = np.diff(np.log(fluctuation)) / np.diff(np.log(lengths))
    return float(slopes.mean())


def _fluctuation(profile: NDArray[np.float64], length: int) -> float:
    """Root mean square distance of a profile from the straight lines fitted to its half-overlapping segments."""
    segments = np.lib.stride_tricks.sliding_window_view(profile, length)[:: max(1, length // 2)]
    time = np.arange(length) - (length - 1) / 2.0
    level = segments - segments.mean(axis=1, keepdims=True)
    slope = level @ time / np.dot(time, time)
    return float(np.sqrt(np.mean(np.square(level - slope[:, None] * time))))


def crest_db(mono: Array) -> float:
    """Peak over root mean square in dB: a sine has 3, a limited master about 8, an open recording 20. 0 for silence."""
    peak, mean_square = float(np.max(np.abs(mono))), float(np.mean(np.square(mono), dtype=np.float64))
    return 20.0 * float(np.log10(peak / np.sqrt(mean_square))) if mean_square > 0.0 else 0.0


def energy(onset_rate_hz: float, centroid_hz: float, crest: float) -> float:
    """How driving a recording is, 0 to 1: `0.5 pace + 0.25 brightness + 0.25 density`. A definition of ours.

    `pace = 1 - exp(-onsets / 4)`; `brightness` runs from 500 Hz (0) to 4 kHz (1) in octaves; `density` from a crest
    of 20 dB (0) to 6 dB (1). Level is left out on purpose: streaming services level everything. Onset rate weighs
    most, because fast and dense events go with rated arousal more than any other single descriptor.
    """
    pace = 1.0 - float(np.exp(-onset_rate_hz / PACE_HZ))
    brightness = np.log2(max(centroid_hz, DULL_HZ) / DULL_HZ) / np.log2(BRIGHT_HZ / DULL_HZ)
    density = (OPEN_DB - crest) / (OPEN_DB - LIMITED_DB)
    return float(0.5 * pace + 0.25 * np.clip(brightness, 0.0, 1.0) + 0.25 * np.clip(density, 0.0, 1.0))


def valence(majorness: float, onset_rate_hz: float, centroid_hz: float) -> float:
    """How positive a recording may sound, 0 to 1. EXPERIMENTAL: weights by judgement, not fitted to ratings.

    `1 / (1 + exp(-z))` with `z = 6 majorness + 0.5 log2(onsets / 3 per s) + 0.5 log2(centroid / 1500 Hz)`, both
    logarithms held to -1..1. Mode carries most (Eerola, Friberg & Bresin, Frontiers in Psychology 4, 2013); words
    and voice, which carry much of the mood of a song, are not heard.
    """
    pace = float(np.clip(np.log2(max(onset_rate_hz, 0.1) / NEUTRAL_ONSETS_HZ), -1.0, 1.0))
    brightness = float(np.clip(np.log2(max(centroid_hz, 1.0) / NEUTRAL_CENTROID_HZ), -1.0, 1.0))
    z = MODE_WEIGHT * majorness + PACE_WEIGHT * pace + BRIGHTNESS_WEIGHT * brightness
    return float(1.0 / (1.0 + np.exp(-z)))
