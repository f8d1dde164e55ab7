"""What is kept of a recording to know it again: as the same take, played higher or faster, or as a relative.

Chromaprint is no part of this: no wheel carries its library, and it does not follow a change of pitch. The words are
those of Haitsma & Kalker, "A Highly Robust Audio Fingerprinting System", ISMIR 2002, with bands a semitone apart, so
that another pitch is a shift of bits and another speed a stretch of the sequence.
"""

import struct
from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from muzikantas.analysis.audio.decode import resample
from muzikantas.analysis.audio.spectrum import SLOW_RATE
from muzikantas.domain.errors import InputError

Words = NDArray[np.uint32]
Masks = NDArray[np.uint16]
Array = NDArray[np.float32]
Bits = NDArray[np.bool_]

#: Melody, chords and the body of the bass lie below 1.4 kHz, which this rate carries with room to spare.
RATE = SLOW_RATE
#: 0.46 s: two bins a semitone at the lowest band.
WINDOW = 2048
WORDS_HZ = 7
#: Semitones from A3 (220 Hz) on; one more than the bits of a word, which compare neighbours.
BANDS, LOWEST_HZ = 33, 220.0
#: Width (standard deviation in semitones) of a band. Wide for the words: a recording that was sped up lies up to half a
#: semitone between the bands. Narrow for harmony, which asks for the note.
WORD_WIDTH, NOTE_WIDTH = 1.0, 0.4
#: A bit compares 0.43 s with the 0.43 s before: a file cut half a word off the grid still agrees in 88 % of its bits.
REACH = 3
#: Added to every band, as a share of the frame's mean, so that the noise of empty bands decides no bit.
FLOOR = 1e-3

#: Beats are counted at the octave of the tempo in this range: 70 and 140 are often both right.
SLOWEST_BEAT_BPM = 70.0

#: Sketches keep how a sequence resembles itself some semitones higher and some time later, which does not change with
#: the pitch or the start of the recording. Lags in words and in beats.
SKETCH_SEMITONES = 5
SKETCH_LAGS = np.geomspace(2.0, 60.0, 24)
BEAT_LAGS = np.array([1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 28, 32])
#: Sketches are stored as bytes: -1 to 1 in steps of 1/127.
STEPS = 127.0

_HEADER = struct.Struct("<BHH")
#: The first byte of a stored fingerprint; grows when the definition changes, for old and new ones do not compare.
VERSION = 1


@dataclass(frozen=True, eq=False, kw_only=True)
class Fingerprint:
    """A recording's words and harmony, with a sketch of each to search by; about 6 kB for three minutes."""

    words: Words  #: `[shape=(n,)]`, `WORDS_HZ` a second; a bit is set where a band gains on the next lower one
    harmony: Masks  #: `[shape=(beats,)]`, a bit for each pitch class (C is the lowest) that is strong in the beat
    sketch: NDArray[np.int8]  #: of the words, `[shape=((2 * SKETCH_SEMITONES + 1) * len(SKETCH_LAGS),)]`
    harmony_sketch: NDArray[np.int8]  #: `[shape=(12 * len(BEAT_LAGS),)]`

    def to_bytes(self) -> bytes:
        """Pack it for a column of the database."""
        head = _HEADER.pack(VERSION, self.words.size, self.harmony.size)
        parts = (self.words.astype("<u4"), self.harmony.astype("<u2"), self.sketch, self.harmony_sketch)
        return head + b"".join(part.tobytes() for part in parts)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Fingerprint":
        """Unpack what `to_bytes` made; `InputError` for anything else."""
        version, words, beats = _HEADER.unpack_from(data) if len(data) >= _HEADER.size else (0, 0, 0)
        sizes = (4 * words, 2 * beats, (2 * SKETCH_SEMITONES + 1) * len(SKETCH_LAGS), 12 * len(BEAT_LAGS))
        if version != VERSION or len(data) != _HEADER.size + sum(sizes):
            raise InputError(
                f"a fingerprint of {len(data)} bytes, version {version}; expected version {VERSION} and "
                f"{_HEADER.size + sum(sizes)} bytes: compute it again from the audio"
            )
        ends = _HEADER.size + np.cumsum((0, *sizes))
        kinds = ("<u4", "<u2", "i1", "i1")
        parts = [np.frombuffer(data[a:b], kind) for a, b, kind in zip(ends, ends[1:], kinds, strict=False)]
        return cls(words=parts[0], harmony=parts[1], sketch=parts[2], harmony_sketch=parts[3])


def fingerprint(mono: Array, sample_rate: int, tempo_bpm: float) -> Fingerprint:
    """Take the fingerprint of a recording; its level does not matter.

    Parameters
    ----------
    mono
        `[shape=(n,)]`, finite; at least 5 s and at most 9,000 s.
    sample_rate
        In Hz; `spectrum.SLOW_RATE` saves the resampling.
    tempo_bpm
        Sets the length of a beat. A wrong tempo costs the harmony's likeness only: words know nothing of beats.
    """
    power = _power(mono if sample_rate == RATE else resample(mono, sample_rate, RATE))
    words = _pack(_gains(power @ _bands(WORD_WIDTH)))
    harmony = _harmony(np.sqrt(power @ _bands(NOTE_WIDTH)), tempo_bpm)
    return Fingerprint(
        words=words,
        harmony=harmony,
        sketch=_bytes(sketch(self_likeness(words), 1.0)),
        harmony_sketch=_bytes(_harmony_sketch(harmony)),
    )


def bits(words: NDArray[np.unsignedinteger], count: int) -> Array:
    """Spell words as rows of -1 and 1, the lowest bit first, `[shape=(n, count)]`."""
    spelt = (words[:, None] >> np.arange(count, dtype=words.dtype)) & words.dtype.type(1)
    return spelt.astype(np.float32) * np.float32(2.0) - np.float32(1.0)


def self_likeness(words: Words) -> Array:
    """How alike the words are to themselves `k` semitones higher and `lag` words later, -1 to 1.

    `[shape=(2 * SKETCH_SEMITONES + 1, lags)]` with `k` from -SKETCH_SEMITONES and lags from 0 to a little past the
    longest of the sketch's, as a faster recording is compared at longer ones. Autocorrelation has served before to
    recognise recordings at another speed: Haitsma & Kalker, "Speed-Change Resistant Audio Fingerprinting Using
    Auto-Correlation", ISMIR 2003.
    """
    lags = int(1.1 * SKETCH_LAGS[-1]) + 2
    shape = (32 + SKETCH_SEMITONES, scipy.fft.next_fast_len(words.size + lags, real=True))
    spectrum = scipy.fft.rfft2(bits(words, 32), shape, axes=(1, 0))
    product: Array = scipy.fft.irfft2(np.square(np.abs(spectrum)), shape, axes=(1, 0))[:lags]
    semitones = np.arange(-SKETCH_SEMITONES, SKETCH_SEMITONES + 1)
    pairs = np.maximum(words.size - np.arange(lags), 1)[:, None] * (32 - np.abs(semitones))
    return np.asarray((product[:, semitones] / pairs).T, dtype=np.float32)


def sketch(likeness: Array, speed: float) -> Array:
    """Give the sketch of a recording as it would be if played `speed` times as fast, from its `self_likeness`."""
    at = SKETCH_LAGS * speed
    whole = at.astype(np.int64)
    part = (at - whole).astype(np.float32)
    return np.asarray(likeness[:, whole] * (1 - part) + likeness[:, whole + 1] * part).ravel()


def _power(slow: Array) -> Array:
    """Power spectrum at every word, `[shape=(n, bins)]`; frames are centred, and rounded to samples."""
    starts = np.arange(int(slow.size * WORDS_HZ / RATE)) * RATE // WORDS_HZ
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(slow, (WINDOW // 2, WINDOW)), WINDOW)[starts]
    taper = np.hanning(WINDOW).astype(np.float32)
    return np.asarray(np.square(np.abs(scipy.fft.rfft(frames * taper, axis=1))), dtype=np.float32)


@cache
def _bands(width: float) -> Array:
    """Weights of the bins in each band, `[shape=(bins, BANDS)]`, which add up to 1."""
    hertz = np.maximum(np.arange(WINDOW // 2 + 1) * RATE / WINDOW, 1.0)
    pitch = 12.0 * np.log2(hertz / LOWEST_HZ)
    weights = np.exp(-0.5 * np.square((pitch[:, None] - np.arange(BANDS)) / width))
    return np.asarray(weights / weights.sum(axis=0), dtype=np.float32)


def _gains(energy: Array) -> Bits:
    """Tell where each band gains on the next lower one, `[shape=(n - 2 * REACH + 1, BANDS - 1)]`."""
    level = np.log(energy + FLOOR * energy.mean(axis=1, keepdims=True) + np.finfo(np.float32).tiny)
    tilt = np.diff(level.astype(np.float64), axis=1)
    total = np.cumsum(np.pad(tilt, ((1, 0), (0, 0))), axis=0)
    half = total[REACH:] - total[:-REACH]
    return np.asarray(half[REACH:] > half[:-REACH])


def _pack(gains: Bits) -> Words:
    return np.packbits(gains, axis=1, bitorder="little").view("<u4")[:, 0].astype(np.uint32)


def _harmony(amplitude: Array, tempo_bpm: float) -> Masks:
    """Mark the pitch classes above the mean of their beat.

    Parameters
    ----------
    amplitude
        Of the bands at every word, `[shape=(n, BANDS)]`.
    """
    octave = np.floor(np.log2(tempo_bpm / SLOWEST_BEAT_BPM))
    beat = 60.0 * WORDS_HZ / (tempo_bpm / 2.0**octave)
    a_is = 9
    classes = np.zeros((len(amplitude) + 1, 12))
    for band in range(BANDS):
        classes[1:, (band + a_is) % 12] += amplitude[:, band]
    total = np.cumsum(classes, axis=0)
    edges = np.arange(0.0, len(amplitude), beat)
    sums = np.diff([np.interp(edges, np.arange(len(total)), each) for each in total.T], axis=1).T
    strong = sums > sums.mean(axis=1, keepdims=True)
    return np.asarray(strong @ (1 << np.arange(12)), dtype=np.uint16)


def _harmony_sketch(harmony: Masks) -> Array:
    """How alike the beats are to later ones in any transposition, `[shape=(12 * len(BEAT_LAGS),)]`."""
    shape = (12, scipy.fft.next_fast_len(harmony.size + int(BEAT_LAGS[-1]) + 1, real=True))
    spectrum = scipy.fft.rfft2(bits(harmony, 12), shape, axes=(1, 0))
    product = scipy.fft.irfft2(np.square(np.abs(spectrum)), shape, axes=(1, 0))[BEAT_LAGS]
    return np.asarray(product / (12 * np.maximum(harmony.size - BEAT_LAGS, 1))[:, None], dtype=np.float32).ravel()


def _bytes(values: Array) -> NDArray[np.int8]:
    return np.asarray(np.rint(np.clip(values, -1.0, 1.0) * STEPS), dtype=np.int8)
