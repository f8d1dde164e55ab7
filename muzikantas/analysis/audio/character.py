"""What a recording is like: brightness, percussiveness, danceability, energy, valence, arousal.

Only the first three are measurements in the strict sense. The others are definitions of ours: they order recordings,
and claim nothing about any service's numbers of the same name.
"""

import numpy as np
from numpy.typing import NDArray

from muzikantas.analysis.audio.spectrum import Array, Frames

#: Fluctuation analysis: the shortest and longest segment in levels (10 ms: 310 ms to 8.8 s), and their ratio.
SEGMENT_RANGE, SEGMENT_STEP = (31, 880), 1.1

#: The exponent of a random walk of level, the least danceable end of the scale.
WALK_EXPONENT = 1.5

#: Percussion is told from sustained sound on squares of 2 x 2 cells: a quarter of the work, and still 46 ms by half
#: a semitone at worst; medians reach over 9 of them (0.4 s).
CELL, REACH = 2, 9

#: Cells whose medians are taken at once.
MEDIAN_CELLS = 16_384

#: Exchanges after which the middle one of nine values is their median (Smith, Graphics Gems V, 1995, IV.4).
EXCHANGES = (
    *((1, 2), (4, 5), (7, 8), (0, 1), (3, 4), (6, 7), (1, 2), (4, 5), (7, 8), (0, 3)),
    *((5, 8), (4, 7), (3, 6), (1, 4), (2, 5), (4, 7), (4, 2), (6, 4), (4, 2)),
)

#: Energy: onsets per second at which pace has reached 63 %; brightness from dull to bright; crest from limited to open.
PACE_HZ = 4.0
DULL_HZ, BRIGHT_HZ = 500.0, 4000.0
LIMITED_DB, OPEN_DB = 6.0, 20.0

#: Valence: the weights of its three terms, and the points where pace and brightness are neutral.
MODE_WEIGHT, PACE_WEIGHT, BRIGHTNESS_WEIGHT = 6.0, 0.5, 0.5
NEUTRAL_ONSETS_HZ, NEUTRAL_CENTROID_HZ = 3.0, 1500.0

#: Arousal: the weights of pace and brightness.
AROUSAL_PACE_WEIGHT, AROUSAL_BRIGHTNESS_WEIGHT = 1.5, 0.5

#: Both ends of a recording are silent while the level is this far below its loudest 10 ms, in dB.
SILENCE_DB = 60.0
LEVELS_PER_S = 100


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
    power = frames.mel_power[:bands, :count]
    amplitude = np.sqrt(sum(power[row::CELL, column::CELL] for row in range(CELL) for column in range(CELL)) / CELL**2)
    sustained = np.square(median_of_nine(amplitude))
    percussive = np.square(median_of_nine(amplitude.T).T)
    both = sustained + percussive
    share = np.where(both > 0.0, percussive / np.maximum(both, np.finfo(np.float32).tiny), 0.5)
    return float(np.sum(share * amplitude) / max(float(np.sum(amplitude)), np.finfo(np.float32).tiny))


def median_of_nine(rows: Array) -> Array:
    """Median of nine neighbours along the last axis of a matrix, mirrored at both ends; far faster than a general one.

    A few rows at a time, so that all nine copies stay in a processor's cache.
    """
    padded = np.pad(rows, [(0, 0), (REACH // 2, REACH // 2)], mode="symmetric")
    few = max(1, MEDIAN_CELLS // padded.shape[1])
    return np.concatenate([_middle(padded[start : start + few]) for start in range(0, len(padded), few)])


def _middle(padded: Array) -> Array:
    """Median of each cell with the eight after it along the last axis."""
    count = padded.shape[1] - REACH + 1
    values = [padded[:, k : k + count] for k in range(REACH)]
    for low, high in EXCHANGES:
        values[low], values[high] = np.minimum(values[low], values[high]), np.maximum(values[low], values[high])
    return values[REACH // 2]


def danceability(levels: Array) -> float:
    """How regular the loudness is over beats and bars, 0 to 1 (1: returns exactly, 0: wanders off).

    Detrended fluctuation analysis of the level (standard deviation every 10 ms, at least 100 of them) in segments of
    310 ms to 8.8 s; `1 - exponent / 1.5` with the mean exponent. Uncorrelated level has the exponent 0.5, 1/f level 1,
    a random walk 1.5. After Streich & Herrera, AES 118th Convention, 2005; often reported as the exponent's inverse
    (0 to about 3), which orders recordings the same way and has no upper end.
    """
    loudest = float(levels.max(initial=0.0))
    if loudest <= 0.0:
        return 1.0
    exponent = fluctuation_exponent(levels.astype(np.float64) / loudest)
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
    # Running sums of the profile, of its square, and of it times time: a segment's fit is then six differences.
    terms = profile, np.square(profile), profile * np.arange(profile.size)
    sums = np.stack([np.concatenate([[0.0], np.cumsum(term)]) for term in terms])
    fluctuation = np.array([_fluctuation(sums, int(length)) for length in lengths])
    if fluctuation.min() <= 1e-6:
        return 0.0
    slopes = np.diff(np.log(fluctuation)) / np.diff(np.log(lengths))
    return float(slopes.mean())


def _fluctuation(sums: NDArray[np.float64], length: int) -> float:
    """Root mean square distance of a profile from the straight lines fitted to its half-overlapping segments."""
    starts = np.arange(0, sums.shape[1] - length, max(1, length // 2))
    values, squares, moments = sums[:, starts + length] - sums[:, starts]
    about_middle = moments - (starts + (length - 1) / 2.0) * values
    spread = length * (length**2 - 1) / 12.0
    rest = squares - np.square(values) / length - np.square(about_middle) / spread
    return float(np.sqrt(max(0.0, float(rest.mean()) / length)))


def silence_s(levels: Array) -> tuple[float, float]:
    """Seconds of silence at the start and at the end, in steps of 10 ms: 60 dB below the loudest 10 ms.

    Relative to the recording, so that a quiet one is not taken for silence; a fade counts from where it is inaudible.
    """
    heard = np.flatnonzero(levels > levels.max(initial=0.0) * 10.0 ** (-SILENCE_DB / 20.0))
    if not heard.size:
        return levels.size / LEVELS_PER_S, levels.size / LEVELS_PER_S
    return float(heard[0] / LEVELS_PER_S), float((levels.size - 1 - heard[-1]) / LEVELS_PER_S)


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
    pace, brightness = _octaves(onset_rate_hz, NEUTRAL_ONSETS_HZ), _octaves(centroid_hz, NEUTRAL_CENTROID_HZ)
    z = MODE_WEIGHT * majorness + PACE_WEIGHT * pace + BRIGHTNESS_WEIGHT * brightness
    return float(1.0 / (1.0 + np.exp(-z)))


def arousal(onset_rate_hz: float, centroid_hz: float) -> float:
    """How activating a recording may sound, 0 to 1. EXPERIMENTAL: weights by judgement, not fitted to ratings.

    `1 / (1 + exp(-z))` with `z = 1.5 log2(onsets / 3 per s) + 0.5 log2(centroid / 1500 Hz)`, both logarithms held to
    -1..1. Many and bright events go with rated arousal (Gomez & Danuser, Emotion 7, 2007: tempo, accentuation and
    articulation; Eerola et al. 2013: timbre). Loudness does too, and is left out as a master's choice, not a piece's.
    """
    pace, brightness = _octaves(onset_rate_hz, NEUTRAL_ONSETS_HZ), _octaves(centroid_hz, NEUTRAL_CENTROID_HZ)
    return float(1.0 / (1.0 + np.exp(-(AROUSAL_PACE_WEIGHT * pace + AROUSAL_BRIGHTNESS_WEIGHT * brightness))))


def _octaves(value: float, neutral: float) -> float:
    """Octaves above the neutral point, held to -1..1."""
    return float(np.clip(np.log2(max(value, 0.01 * neutral) / neutral), -1.0, 1.0))
