"""The one spectrogram that rhythm, character, timbre and structure share."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.fft
from librosa.filters import mel as mel_filters
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.sparse import csr_array

#: Rhythm, harmony and timbre of music lie below 11 kHz; half the work of 44.1 kHz.
SAMPLE_RATE = 22050
WINDOW = 2048
HOP = 512
FRAME_RATE = SAMPLE_RATE / HOP
MEL_BANDS = 128

#: Above this, peaks are mostly overtones.
LOW_HZ = 1000.0

#: Contrast is taken in these bands (octaves from 200 Hz on), in every eighth frame (0.19 s): its summary needs no more.
CONTRAST_EDGES_HZ = (0.0, 200.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0, SAMPLE_RATE / 2)
CONTRAST_EVERY = 8

#: Share of a band's bins that make its peak and its valley, and the largest contrast told from digital silence.
CONTRAST_SHARE, CONTRAST_MOST_DB = 0.1, 80.0

#: Frames at once: their spectra then fit into a processor's cache. A multiple of `CONTRAST_EVERY`.
BLOCK_FRAMES = 128

Array = NDArray[np.float32]

BIN_HZ = np.arange(WINDOW // 2 + 1, dtype=np.float32) * np.float32(SAMPLE_RATE / WINDOW)
MOMENTS = np.stack([np.ones_like(BIN_HZ), BIN_HZ], axis=1)
LOW_BINS = int(np.count_nonzero(BIN_HZ <= LOW_HZ))


@dataclass(frozen=True, kw_only=True)
class Frames:
    """What is kept of the spectrogram; time is the last axis, `FRAME_RATE` frames a second."""

    mel_power: Array  #: `[shape=(MEL_BANDS, frames)]`
    low: Array  #: magnitudes of the bins below `LOW_HZ`, `[shape=(bins, frames)]`
    power: Array  #: `[shape=(frames,)]`
    centroid_hz: Array  #: mean frequency of each frame weighted by magnitude, `[shape=(frames,)]`
    contrast_db: Array  #: peak over valley of each band, `[shape=(7, frames / CONTRAST_EVERY)]`

    def audible(self, floor_db: float) -> NDArray[np.bool_]:
        """Which frames are less than `floor_db` below the loudest, `[shape=(frames,)]`; none in silence."""
        audible: NDArray[np.bool_] = self.power > self.power.max(initial=0.0) * np.float32(10.0 ** (-floor_db / 10.0))
        return audible


def frames(mono: Array) -> Frames:
    """Compute the shared spectrogram of a mono signal at `SAMPLE_RATE`, block by block.

    Frames are centred: the first one stands at the first sample.
    """
    count = 1 + mono.size // HOP
    taken = Frames(
        mel_power=np.empty((MEL_BANDS, count), dtype=np.float32),
        low=np.empty((LOW_BINS, count), dtype=np.float32),
        power=np.empty(count, dtype=np.float32),
        centroid_hz=np.empty(count, dtype=np.float32),
        contrast_db=np.empty((len(CONTRAST_EDGES_HZ) - 1, -(-count // CONTRAST_EVERY)), dtype=np.float32),
    )
    filters = csr_array(mel_filters(sr=SAMPLE_RATE, n_fft=WINDOW, n_mels=MEL_BANDS))
    taper = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    some = []
    for start in range(0, count, BLOCK_FRAMES):
        windows = sliding_window_view(_around(mono, start, min(start + BLOCK_FRAMES, count)), WINDOW)[::HOP]
        power = _fill(taken, start, scipy.fft.rfft(windows * taper, overwrite_x=True), filters)
        some.append(power[::CONTRAST_EVERY].copy())
    taken.contrast_db[:] = _contrast(np.concatenate(some))
    return taken


def _around(mono: Array, start: int, stop: int) -> Array:
    """Give the samples under frames `start` to `stop`, with zeros beyond both ends."""
    first, last = start * HOP - WINDOW // 2, (stop - 1) * HOP + WINDOW // 2
    return np.pad(mono[max(0, first) : last], (max(0, -first), max(0, last - mono.size)))


def _fill(taken: Frames, start: int, spectra: NDArray[np.complex64], filters: csr_array) -> Array:
    """Write what is kept of a block of spectra, `[shape=(frames, bins)]`, from frame `start` on; give their power."""
    magnitude = np.abs(spectra)
    power: Array = np.square(magnitude)
    inside = slice(start, start + len(power))
    taken.mel_power[:, inside] = filters @ np.ascontiguousarray(power.T)
    taken.low[:, inside] = magnitude[:, :LOW_BINS].T
    taken.power[inside] = power.sum(axis=1)
    moments = magnitude @ MOMENTS
    taken.centroid_hz[inside] = moments[:, 1] / np.maximum(moments[:, 0], np.finfo(np.float32).tiny)
    return power


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
