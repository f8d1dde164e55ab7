"""The one spectrogram that rhythm, character, timbre and structure share, taken while the sound comes in."""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import scipy.fft
from librosa.filters import mel as mel_filters
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.sparse import csr_array

#: Rhythm, harmony and timbre of music lie below 11 kHz; half the work of 44.1 kHz.
SAMPLE_RATE = 22050
#: Keys and fingerprints live below 2 kHz.
SLOW_RATE = SAMPLE_RATE // 5
WINDOW = 2048
HOP = 512
FRAME_RATE = SAMPLE_RATE / HOP
MEL_BANDS = 128

#: Of longer recordings the middle is judged in tempo, key, timbre and structure: intros and outros say least.
LONGEST_S = 600.0

#: Pitch classes are told between these: below, neighbouring semitones share a bin; above are mostly overtones.
PITCHED_HZ = (110.0, 1000.0)

#: Contrast is taken in these bands (octaves from 200 Hz on), in every eighth frame (0.19 s): its summary needs no more.
CONTRAST_EDGES_HZ = (0.0, 200.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0, SAMPLE_RATE / 2)
CONTRAST_EVERY = 8

#: Share of a band's bins that make its peak and its valley, and the largest contrast told from digital silence.
CONTRAST_SHARE, CONTRAST_MOST_DB = 0.1, 80.0

#: A band this far below the loudest cell of the recording is empty.
EMPTY_DB = 80.0

#: Frames at once: their spectra then fit into a processor's cache. A multiple of `CONTRAST_EVERY`.
BLOCK_FRAMES = 128

Array = NDArray[np.float32]

BIN_HZ = np.arange(WINDOW // 2 + 1, dtype=np.float32) * np.float32(SAMPLE_RATE / WINDOW)
MOMENTS = np.stack([np.ones_like(BIN_HZ), BIN_HZ], axis=1)


@dataclass(frozen=True, kw_only=True)
class Frames:
    """What is kept of the spectrogram; time is the last axis, `FRAME_RATE` frames a second."""

    mel_power: Array  #: `[shape=(MEL_BANDS, frames)]`
    chroma: Array  #: magnitude of each pitch class from A, coarse as the bins are, `[shape=(12, frames)]`
    power: Array  #: `[shape=(frames,)]`
    centroid_hz: Array  #: mean frequency of each frame weighted by magnitude, `[shape=(frames,)]`
    contrast_db: Array  #: peak over valley of each band, `[shape=(7, frames / CONTRAST_EVERY)]`

    def audible(self, floor_db: float) -> NDArray[np.bool_]:
        """Which frames are less than `floor_db` below the loudest, `[shape=(frames,)]`; none in silence."""
        audible: NDArray[np.bool_] = self.power > self.power.max(initial=0.0) * np.float32(10.0 ** (-floor_db / 10.0))
        return audible


class Spectrogram:
    """Takes a mono signal at `SAMPLE_RATE` in blocks, at most `LONGEST_S` of it.

    Frames are centred: the first one stands at the first sample.
    """

    def __init__(self) -> None:
        most = 2 + int(LONGEST_S * SAMPLE_RATE) // HOP
        # Memory that nothing is written to costs nothing, and rows that grow would be copied.
        self._kept = Frames(
            mel_power=np.empty((MEL_BANDS, most), dtype=np.float32),
            chroma=np.empty((12, most), dtype=np.float32),
            power=np.empty(most, dtype=np.float32),
            centroid_hz=np.empty(most, dtype=np.float32),
            contrast_db=np.empty((len(CONTRAST_EDGES_HZ) - 1, 1 + most // CONTRAST_EVERY), dtype=np.float32),
        )
        self._filters, self._classes = _mel_bands(), _pitch_classes()
        self._taper = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
        self._rest = np.zeros(WINDOW // 2, dtype=np.float32)
        self._count, self._contrasts = 0, 0
        self._some: list[Array] = []

    def add(self, mono: Array) -> None:
        """Take the next block, `[shape=(n,)]`."""
        joined = np.concatenate([self._rest, mono])
        whole = max(0, 1 + (joined.size - WINDOW) // HOP) // BLOCK_FRAMES * BLOCK_FRAMES
        for start in range(0, whole, BLOCK_FRAMES):
            self._take(joined[start * HOP :], BLOCK_FRAMES)
        self._rest = joined[whole * HOP :].copy()

    def finish(self) -> Frames:
        """Give what was taken; nothing can be added after."""
        self.add(np.zeros(WINDOW // 2, dtype=np.float32))
        self._take(self._rest, 1 + (self._rest.size - WINDOW) // HOP)
        self._contrast_of_some()
        kept = {name: rows[..., : self._count] for name, rows in vars(self._kept).items()}
        return Frames(**kept | {"contrast_db": self._kept.contrast_db[:, : self._contrasts]})

    def _take(self, samples: Array, count: int) -> None:
        """Keep what is kept of the next `count` frames, of which the first begins with `samples`."""
        if count < 1:
            return
        windows = sliding_window_view(samples, WINDOW)[: count * HOP : HOP]
        magnitude = np.abs(scipy.fft.rfft(windows * self._taper))
        power = np.square(magnitude)
        inside = slice(self._count, self._count + count)
        self._kept.mel_power[:, inside] = self._filters @ np.ascontiguousarray(power.T)
        self._kept.chroma[:, inside] = (magnitude[:, : len(self._classes)] @ self._classes).T
        self._kept.power[inside] = power.sum(axis=1)
        moments = magnitude @ MOMENTS
        self._kept.centroid_hz[inside] = moments[:, 1] / np.maximum(moments[:, 0], np.finfo(np.float32).tiny)
        self._some.append(power[::CONTRAST_EVERY].copy())
        self._count += count
        if len(self._some) == CONTRAST_EVERY:
            self._contrast_of_some()

    def _contrast_of_some(self) -> None:
        """Take the contrast of the frames that were set aside for it, many at once."""
        if self._some:
            found = _contrast(np.concatenate(self._some))
            self._kept.contrast_db[:, self._contrasts : self._contrasts + found.shape[1]] = found
            self._contrasts += found.shape[1]
            self._some.clear()


def frames(mono: Array) -> Frames:
    """Compute the shared spectrogram of a mono signal at `SAMPLE_RATE`, at most `LONGEST_S`, `[shape=(n,)]`."""
    taking = Spectrogram()
    taking.add(mono)
    return taking.finish()


def log_mel(mel_power: Array) -> Array:
    """Mel spectrogram in dB below its loudest cell, at least `-EMPTY_DB`, of the same shape."""
    loudest = max(float(mel_power.max(initial=0.0)), float(np.finfo(np.float32).tiny))
    level: Array = mel_power * np.float32(1.0 / loudest)
    np.maximum(level, np.float32(10.0 ** (-EMPTY_DB / 10.0)), out=level)
    np.log10(level, out=level)
    level *= np.float32(10.0)
    return level


@cache
def _mel_bands() -> csr_array:
    """Give the matrix from bins to mel bands, `[shape=(MEL_BANDS, bins)]`."""
    return csr_array(mel_filters(sr=SAMPLE_RATE, n_fft=WINDOW, n_mels=MEL_BANDS))


@cache
def _pitch_classes() -> Array:
    """Give the matrix from the lowest bins to twelve pitch classes from A, `[shape=(bins, 12)]`."""
    bins = np.arange(*np.searchsorted(BIN_HZ, PITCHED_HZ))
    matrix = np.zeros((bins[-1] + 1, 12), dtype=np.float32)
    matrix[bins, np.rint(12.0 * np.log2(BIN_HZ[bins] / 440.0)).astype(np.int64) % 12] = 1.0
    return matrix


def _contrast(power: Array) -> Array:
    """Peak over valley of each band in dB, `[shape=(bands, frames)]`, of power spectra `[shape=(frames, bins)]`.

    The mean of the strongest and of the weakest tenth of the band's bins (Jiang et al., ICME 2002).
    """
    edges = np.searchsorted(BIN_HZ, CONTRAST_EDGES_HZ)
    edges[-1] = BIN_HZ.size
    result = np.empty((edges.size - 1, len(power)), dtype=np.float32)
    least = np.float32(10.0 ** (-CONTRAST_MOST_DB / 10.0))
    for band, (low, high) in enumerate(pairwise(edges)):
        few = max(1, round(CONTRAST_SHARE * (high - low)))
        # A whole sort has a vectorised kernel, and is far faster than a partition around two places.
        parted = np.sort(power[:, low:high], axis=1)
        peak = np.maximum(parted[:, -few:].mean(axis=1), np.finfo(np.float32).tiny)
        result[band] = -10.0 * np.log10(np.maximum(parted[:, :few].mean(axis=1) / peak, least))
    return result
