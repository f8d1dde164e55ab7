"""Key, mode and tuning, from the notes of the lower four octaves and a half.

Key has its own small spectrogram: semitones of the bass lie 3 Hz apart, which takes windows of half a second, and
nothing above 2 kHz is needed.
"""

import cmath
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.fft
import scipy.ndimage
from numpy.typing import NDArray

from muzikantas.analysis.audio import key_model
from muzikantas.analysis.audio.spectrum import SLOW_RATE, Array
from muzikantas.domain.features import PITCH_CLASSES, Mode

#: Windows of 464 ms tell semitones apart from 145 Hz on.
WINDOW, HOP = 2048, 1024

#: Frames at once: their spectra then fit into a processor's cache.
BLOCK_FRAMES = 128

#: MIDI pitches from D1 to C7: the lowest note that a bass plays, and the upper end of tunes.
LOWEST, HIGHEST = 26, 96

#: A peak this far below the loudest of its frame is taken for noise (50 dB).
FAINTEST = 0.003

#: Tuning is read off peaks from here on: one bin is half a semitone below it.
TUNING_LOWEST = 45

#: Frames this far below the loud ones (34 dB under the 95th percentile) are pauses, fades and tails.
PAUSE = 0.02

#: Loudness of peaks within a frame, and of frames within the piece, counts with these powers: quiet notes and quiet
#: passages have the same key.
PEAK_POWER, FRAME_POWER = 0.5, 0.25

#: MIDI pitches at which bass, middle and treble begin.
MIDDLE, TREBLE = 48, 72

#: The published profiles are compared with what is below this pitch (1 kHz): above are mostly overtones.
OVERTONES = 85

#: The lowest peak of a frame that is no further below the loudest than this (16 dB) is its bass note.
BASS_SHARE = 0.15

#: How fast the weight of the start and of the end falls off, in frames (2 s).
EDGE_FRAMES = 2.0 * SLOW_RATE / HOP

#: Chords are told from so many frames (1.2 s), as the major and the minor triad; of two fits that differ by a twentieth
#: of what sounds, the better counts 2.7 times as much.
CHORD_FRAMES, TRIADS, SHARPNESS = 5, ((0, 4, 7), (0, 3, 7)), 20.0

#: Contrast (standard deviation over mean) of a chroma below which there is less pitch than in any music: of 2,880
#: rendered clips 1 in 200 lies below, white noise at 0.05. The model has learnt from music only.
PLAIN_CONTRAST = 0.3

MODES: tuple[Mode, Mode] = ("major", "minor")

#: Share of each scale degree in a corpus of common-practice music: Albrecht & Shanahan, "The Use of Large Corpora to
#: Train a New Type of Key-Finding Algorithm", Music Perception 31(1), 2013.
PROFILES: dict[Mode, tuple[float, ...]] = {
    "major": (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081),
    "minor": (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052),
}

Chroma = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Tonality:
    """The key of a recording, how sure it is, and what it was read from."""

    tonic: str  #: one of `PITCH_CLASSES`
    mode: Mode
    confidence: float  #: probability that tonic and mode are right, 0 to 1
    runner_up: tuple[str, Mode]  #: the next likely key
    tuning_cents: float  #: how far the recording lies from A = 440 Hz, -50 to 50
    majorness: float  #: best major correlation minus best minor correlation, -2 to 2, in music about -0.3 to 0.3
    chroma: tuple[float, ...]  #: share of each pitch class from C; 12 numbers, sum 1, or all 0 without a pitch


UNPITCHED = Tonality(
    tonic="C",
    mode="major",
    confidence=0.0,
    runner_up=("C", "minor"),
    tuning_cents=0.0,
    majorness=0.0,
    chroma=(0.0,) * 12,
)


def listen(slow: Array) -> Tonality:
    """Find the key of a recording.

    A recording without any pitch is `UNPITCHED`: C major with confidence 0.

    Parameters
    ----------
    slow
        The mono signal at `spectrum.SLOW_RATE`, `[shape=(n,)]`.
    """
    levels, tuning_cents = notes(slow)
    if not levels.any():
        return UNPITCHED
    classes = chroma(levels)
    fits = profile_fits(classes)
    scores = key_model.scores(evidence(levels), fits)
    # The stable sort keeps a flat spectrum at C major.
    first, second = (divmod(int(key), 12) for key in np.argsort(-scores, axis=None, kind="stable")[:2])
    return Tonality(
        tonic=PITCH_CLASSES[first[1]],
        mode=MODES[first[0]],
        confidence=key_model.confidence(scores) * min(1.0, 12.0 * float(np.std(classes)) / PLAIN_CONTRAST),
        runner_up=(PITCH_CLASSES[second[1]], MODES[second[0]]),
        tuning_cents=tuning_cents,
        majorness=float(fits[0].max() - fits[1].max()),
        chroma=tuple(float(share) for share in classes),
    )


def notes(slow: Array) -> tuple[Array, float]:
    """Level of every semitone over time, in the recording's own tuning, and that tuning in cents.

    Peaks of the magnitude, their frequencies interpolated by a parabola through the log magnitudes; the mean
    direction on the circle of one semitone is how far the whole recording is from A = 440 Hz (Gómez, PhD thesis,
    UPF 2006).

    Parameters
    ----------
    slow
        `[shape=(n,)]` at `SLOW_RATE`.

    Returns
    -------
    levels
        `[shape=(frames, HIGHEST - LOWEST + 1)]`, magnitudes; only frames that sound.
    tuning_cents
        -50 to 50; 0 without a pitch.
    """
    found, frames = _peaks(slow)
    direction = sum(_direction(peaks) for peaks in found)
    tuning = cmath.phase(direction) / (2.0 * np.pi) if abs(direction) > 0.0 else 0.0
    levels = np.zeros((frames, HIGHEST - LOWEST + 1), dtype=np.float32)
    for peaks in found:
        semitone = np.rint(peaks.pitch - np.float32(tuning)).astype(np.int64) - LOWEST
        held = (semitone >= 0) & (semitone <= HIGHEST - LOWEST)
        # By one index: with two, this takes ten times as long.
        np.maximum.at(levels.reshape(-1), (peaks.frame * levels.shape[1] + semitone)[held], peaks.level[held])
    loudness = np.sqrt(np.square(levels).sum(axis=1))
    return levels[loudness > PAUSE * np.percentile(loudness, 95)], 100.0 * tuning


class _Peaks(NamedTuple):
    """Peaks of the magnitude in some frames, `[shape=(peaks,)]` each."""

    frame: NDArray[np.int64]
    pitch: Array  #: MIDI number and share of a semitone
    level: Array


def _peaks(slow: Array) -> tuple[list[_Peaks], int]:
    """Give the peaks of all frames, some frames at a time, and the number of frames."""
    padded = np.pad(slow, WINDOW // 2)
    if padded.size < WINDOW + HOP:
        padded = np.pad(padded, (0, WINDOW + HOP - padded.size))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    taper = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    starts = range(0, len(frames), BLOCK_FRAMES)
    return [_block_peaks(frames[start : start + BLOCK_FRAMES] * taper, start) for start in starts], len(frames)


def _direction(peaks: _Peaks) -> complex:
    """Add up how far peaks are from the semitones of A = 440 Hz, as directions on the circle of one semitone."""
    weight = np.sqrt(peaks.level) * (peaks.pitch > TUNING_LOWEST)
    angle = np.float32(2.0 * np.pi) * (peaks.pitch - np.rint(peaks.pitch))
    return complex(np.dot(weight, np.cos(angle)), np.dot(weight, np.sin(angle)))


def _block_peaks(tapered: Array, start: int) -> _Peaks:
    """Find the peaks of some frames, of which the first has the number `start`."""
    highest_bin = int(_hertz(HIGHEST + 1) * WINDOW / SLOW_RATE) + 1
    spectrum = scipy.fft.rfft(tapered, axis=1)[:, : highest_bin + 1]
    power = np.square(np.abs(spectrum))
    centre = power[:, 1:-1]
    faintest = np.float32(FAINTEST**2) * power.max(axis=1, keepdims=True)
    frame, bins = np.divmod(
        np.flatnonzero((centre > power[:, :-2]) & (centre >= power[:, 2:]) & (centre > faintest)), centre.shape[1]
    )
    tiny = np.finfo(np.float32).tiny
    at = frame * power.shape[1] + bins
    left, mid, right = (np.log(np.maximum(power.reshape(-1)[at + k], tiny)) for k in range(3))
    offset = np.clip(
        np.float32(0.5) * (left - right) / np.minimum(left - 2 * mid + right, np.float32(-1e-9)), -0.5, 0.5
    )
    pitch = np.float32(69.0) + np.float32(12.0) * np.log2(
        (bins + 1 + offset).astype(np.float32) * np.float32(SLOW_RATE / WINDOW / 440.0)
    )
    level = np.exp(np.float32(0.5) * (mid - np.float32(0.25) * (left - right) * offset))
    held = (pitch > LOWEST - 0.5) & (pitch < HIGHEST + 0.5)
    return _Peaks(frame[held] + start, pitch[held], level[held])


def _hertz(midi: float) -> float:
    return float(440.0 * 2.0 ** ((midi - 69.0) / 12.0))


def chroma(levels: Array) -> Chroma:
    """Share of each pitch class from C below 1 kHz, `[shape=(12,)]`; sums to 1, or is all 0 when nothing sounds there.

    Parameters
    ----------
    levels
        `[shape=(frames, HIGHEST - LOWEST + 1)]`.
    """
    classes = _folded(levels, LOWEST, OVERTONES).sum(axis=0)
    shares: Chroma = classes / max(float(classes.sum()), float(np.finfo(np.float32).tiny))
    return shares


def evidence(levels: Array) -> Chroma:
    """What the key is judged by, `[shape=(8, 12)]`: six chromas, each from C, and two rows of chords by their root.

    Bass, middle and treble of the whole, as shares of all that sounds (three rows that sum to 1 together); the bass
    notes, of each frame the lowest; what sounds at the end; what sounds at the start. Pieces end, and mostly start,
    on their tonic. Last the shares of time of the major and of the minor triads (two rows that sum to 1 together).

    Parameters
    ----------
    levels
        `[shape=(frames, HIGHEST - LOWEST + 1)]`, at least one of them above 0.
    """
    loudness = np.sqrt(np.square(levels).sum(axis=1))
    weight = loudness**FRAME_POWER
    compressed = levels**PEAK_POWER
    compressed *= (weight / np.maximum(compressed.sum(axis=1), np.finfo(np.float32).tiny))[:, None]
    bass, middle, treble = (
        _folded(compressed, low, high) for low, high in ((LOWEST, MIDDLE), (MIDDLE, TREBLE), (TREBLE, HIGHEST + 1))
    )
    lowest = np.argmax(levels > BASS_SHARE * levels.max(axis=1, keepdims=True), axis=1)
    root = np.zeros((len(levels), 12))
    root[np.arange(len(levels)), (lowest + LOWEST) % 12] = weight
    every = bass + middle + treble
    after = np.exp(-np.arange(len(levels)) / EDGE_FRAMES)
    rows = [root.sum(axis=0), after[::-1] @ every, after @ every]
    registers = np.stack([bass.sum(axis=0), middle.sum(axis=0), treble.sum(axis=0)])
    return np.concatenate([registers / registers.sum(), [row / row.sum() for row in rows], _triads(every, weight)])


def _triads(every: Chroma, weight: Array) -> Chroma:
    """Share of time in which each triad fits what sounds best, `[shape=(2, 12)]`: major and minor, by root from C.

    Frames in which two fit alike are divided between them.

    Parameters
    ----------
    every
        What sounds in each frame, `[shape=(frames, 12)]`.
    weight
        What each frame counts, `[shape=(frames,)]`.
    """
    around = scipy.ndimage.uniform_filter1d(every, CHORD_FRAMES, axis=0, mode="constant")
    fits = np.stack([sum(np.roll(around, -step, axis=1) for step in triad) for triad in TRIADS], axis=1)
    fits /= np.maximum(around.sum(axis=1), np.finfo(np.float32).tiny)[:, None, None]
    shares = np.exp(SHARPNESS * (fits - fits.max(axis=(1, 2), keepdims=True)))
    shares /= shares.sum(axis=(1, 2), keepdims=True)
    triads: Chroma = np.tensordot(weight, shares, axes=1)
    triads /= triads.sum()
    return triads


def _folded(levels: Array, low: int, high: int) -> Chroma:
    """Add up the octaves of the semitones from `low` up to, not including, `high`, `[shape=(frames, 12)]`."""
    classes = np.zeros((len(levels), 12))
    for pitch in range(low, high):
        classes[:, pitch % 12] += levels[:, pitch - LOWEST]
    return classes


def profile_fits(classes: Chroma) -> Chroma:
    """Correlation of a chroma, `[shape=(12,)]`, with the published profile of each key, `[shape=(2, 12)]`."""
    return np.array([[_correlation(classes, np.roll(PROFILES[mode], tonic)) for tonic in range(12)] for mode in MODES])


def _correlation(a: Chroma, b: Chroma) -> float:
    """Pearson correlation of two vectors; 0 when one is flat."""
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt(np.dot(a, a) * np.dot(b, b)))
    return float(np.dot(a, b)) / norm if norm > 1e-12 else 0.0
