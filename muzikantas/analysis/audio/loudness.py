"""Loudness as a broadcaster measures it, block by block: integrated, range and true peak.

Own filters instead of a library's, for speed and for streaming; the tests hold them to pyloudnorm, to the tables of
ITU-R BS.1770 and to the signals of EBU Tech 3341 and 3342.
"""

import numpy as np
import scipy.signal
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from muzikantas.analysis.audio.decode import Samples

#: The channels of 5.1 in the order of WAV files (left, right, centre, LFE, surrounds) without the LFE, which
#: BS.1770 leaves out.
FIVE_ONE, FIVE_ONE_WITHOUT_LFE = 6, (0, 1, 2, 4, 5)

#: The standard knows one to five channels; here two by two (first, second, weight), a lone one with itself. Surrounds
#: weigh 1.41.
PAIRS = {
    1: ((0, 0, 1.0),),
    2: ((0, 1, 1.0),),
    3: ((0, 1, 1.0), (2, 2, 1.0)),
    4: ((0, 1, 1.0), (2, 3, 1.0)),
    5: ((0, 1, 1.0), (2, 2, 1.0), (3, 4, 1.41)),
}

#: The rate at which BS.1770 tabulates its filter.
STANDARD_RATE = 48_000

#: Energies are kept for segments of 100 ms: four are a gating block, thirty a short-term window at 10 Hz.
SEGMENTS_PER_S, GATING_SEGMENTS, SHORT_TERM_SEGMENTS = 10, 4, 30

#: Loudness of a mean square of 1, and the gates: absolute in LUFS, the others relative to the mean in LU.
OFFSET_LUFS, ABSOLUTE_LUFS, RELATIVE_LU, RANGE_RELATIVE_LU = -0.691, -70.0, -10.0, -20.0

#: The percentiles between which the loudness range lies (EBU Tech 3342).
RANGE_PERCENTILES = (10.0, 95.0)

#: True peak: four-fold oversampling, taps a phase, and samples that share a bound, finely and coarsely.
OVERSAMPLING, TAPS, GROUP, STRETCH = 4, 16, 32, 512

#: Groups that could reach this share of what the highest could are looked into first.
LOUDEST = 0.9


def main_channels(samples: Samples) -> Samples:
    """Drop the low-frequency effects channel of a 5.1 recording, `[shape=(channels, n)]`; others stay as they are."""
    return samples[list(FIVE_ONE_WITHOUT_LFE)] if len(samples) == FIVE_ONE else samples


def k_weighting(sample_rate: int) -> NDArray[np.float32]:
    """Coefficients of the K filter of ITU-R BS.1770 at any rate, as second-order sections `[shape=(2, 6)]`.

    The standard tabulates them at 48 kHz only. The analogue prototypes behind its tables (a shelf of 4 dB above
    1682 Hz, a high pass at 38 Hz) are transformed bilinearly, as every meter does.
    """
    gain, middle = 10.0 ** (3.999843853973347 / 20.0), 0.4996667741545416
    k, q = np.tan(np.pi * 1681.974450955533 / sample_rate), 0.7071752369554196
    shelf = np.array([gain + gain**middle * k / q + k * k, 2.0 * (k * k - gain), gain - gain**middle * k / q + k * k])
    poles = np.array([1.0 + k / q + k * k, 2.0 * (k * k - 1.0), 1.0 - k / q + k * k])
    low_poles, tabulated = _high_pass(sample_rate), _high_pass(STANDARD_RATE)
    # The standard leaves its high pass a gain of 0.04 dB, which depends on the rate; it is held to the tables' rate.
    held = (low_poles[0] - low_poles[1] + low_poles[2]) / (tabulated[0] - tabulated[1] + tabulated[2])
    return np.array([np.r_[shelf, poles] / poles[0], np.r_[held, -2.0 * held, held, low_poles]], dtype=np.float32)


def _high_pass(sample_rate: int) -> NDArray[np.float64]:
    """Denominator of the high pass of the K filter."""
    k, q = np.tan(np.pi * 38.13547087602444 / sample_rate), 0.5003270373238773
    poles = np.array([1.0 + k / q + k * k, 2.0 * (k * k - 1.0), 1.0 - k / q + k * k])
    scaled: NDArray[np.float64] = poles / poles[0]
    return scaled


class Meter:
    """Loudness of a recording that arrives in blocks.

    Two channels pass the filter as real and imaginary part of one signal: the filter is real, so they do not mix, and
    a processor that waits for each step's result does two at once.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._segment = round(sample_rate / SEGMENTS_PER_S)
        self._filter = k_weighting(sample_rate)
        self._pairs = PAIRS.get(channels, ((0, 0, 1.0),))
        # Poles this close to 1 need doubles: in single precision a bass would leave noise only 30 dB below itself.
        exact = np.complex64 if sample_rate <= STANDARD_RATE else np.complex128
        self._state = np.zeros((len(self._pairs), len(self._filter), 2), dtype=exact)
        self._rest = np.zeros((len(self._pairs), 0), dtype=exact)
        self._energies = [np.zeros(0)]

    def add(self, samples: Samples) -> None:
        """Take the next block, `[shape=(channels, n)]`, n at least 1, without LFE; of more than five their mean."""
        rows = samples if len(samples) in PAIRS else samples.mean(axis=0, keepdims=True)
        weighted = np.empty((len(self._pairs), rows.shape[1]), dtype=self._state.dtype)
        for index, (first, second, _) in enumerate(self._pairs):
            weighted[index].real = rows[first]
            weighted[index].imag = rows[second] if second != first else 0.0
            weighted[index], self._state[index] = scipy.signal.sosfilt(
                self._filter, weighted[index], zi=self._state[index]
            )
        joined = np.concatenate([self._rest, weighted], axis=1)
        count = joined.shape[1] // self._segment
        energy = np.zeros(count)
        for (_, _, weight), row in zip(self._pairs, joined, strict=True):
            parts = row[: count * self._segment].view(row.real.dtype).reshape(count, 2 * self._segment)
            energy += weight * np.einsum("ij,ij->i", parts, parts) / self._segment
        self._energies.append(energy)
        self._rest = joined[:, count * self._segment :].copy()

    def integrated_lufs(self) -> float:
        """Integrated loudness in LUFS after ITU-R BS.1770-4 (K-weighting, both gates); silence is -inf.

        Two equal channels are 3 LU above one of them, by definition.
        """
        blocks = self._windows(GATING_SEGMENTS)
        heard = blocks[_lufs(blocks) > ABSOLUTE_LUFS]
        if not heard.size:
            return -np.inf
        kept = heard[_lufs(heard) > _lufs(heard.mean()) + RELATIVE_LU]
        return float(_lufs(kept.mean()))

    def range_lu(self) -> float:
        """Loudness range in LU after EBU Tech 3342: 10th to 95th percentile of 3 s windows above both gates.

        0 for a recording that is shorter than 3 s or silent.
        """
        windows = self._windows(SHORT_TERM_SEGMENTS)
        heard = windows[_lufs(windows) > ABSOLUTE_LUFS]
        if not heard.size:
            return 0.0
        kept = _lufs(heard[_lufs(heard) > _lufs(heard.mean()) + RANGE_RELATIVE_LU])
        low, high = np.percentile(kept, RANGE_PERCENTILES)
        return float(high - low)

    def _windows(self, segments: int) -> NDArray[np.float64]:
        """Mean square of every window of so many segments, one starting at each segment."""
        energies = np.concatenate(self._energies)
        if energies.size < segments:
            return np.zeros(0)
        means: NDArray[np.float64] = sliding_window_view(energies, segments).mean(axis=1)
        return means


def _lufs(mean_square: NDArray[np.float64]) -> NDArray[np.float64]:
    level: NDArray[np.float64] = OFFSET_LUFS + 10.0 * np.log10(np.maximum(mean_square, np.finfo(float).tiny))
    return level


class PeakMeter:
    """The highest point of the curve that a converter draws through the samples, block by block.

    BS.1770 Annex 2: the samples are oversampled four-fold. Only stretches that could reach higher than what was found
    are: no interpolated value exceeds the largest sample in reach times the sum of the filter's magnitudes.
    """

    def __init__(self, channels: int) -> None:
        between = _interpolation()
        self._bound = np.float32(np.abs(between).sum(axis=0).max())
        # The interpolation of a whole group as one matrix: shape (GROUP + TAPS - 1, GROUP * 3).
        self._matrix = np.concatenate([np.pad(between, ((k, GROUP - 1 - k), (0, 0))) for k in range(GROUP)], axis=1)
        self._rest = np.zeros((channels, TAPS), dtype=np.float32)
        self._peak = np.float32(0.0)

    def add(self, samples: Samples) -> None:
        """Take the next block, `[shape=(channels, n)]`."""
        joined = np.concatenate([self._rest, samples], axis=1)
        # Whole stretches, and behind them what the windows of the last one reach into.
        count = (joined.shape[1] - TAPS) // STRETCH
        self._rest = joined[:, count * STRETCH :].copy()
        for row in joined if count else ():
            stretches = sliding_window_view(row[: count * STRETCH + TAPS], STRETCH + TAPS)[::STRETCH]
            highest = np.maximum(stretches.max(axis=1), -stretches.min(axis=1))
            self._peak = max(self._peak, highest.max())
            high = self._bound * highest > self._peak
            if high.any():
                self._look(stretches[high])

    def dbtp(self) -> float:
        """True peak in dB relative to full scale; -inf for silence. Nothing can be added after."""
        self.add(np.zeros((len(self._rest), STRETCH + TAPS), dtype=np.float32))
        with np.errstate(divide="ignore"):  # silence is log(0): -inf is the answer
            return float(20.0 * np.log10(self._peak))

    def _look(self, stretches: Samples) -> None:
        """Oversample those parts of some stretches, `[shape=(count, STRETCH + TAPS)]`, that could hold the peak."""
        magnitude = np.abs(stretches)
        groups = magnitude[:, :STRETCH].reshape(len(stretches), -1, GROUP).max(axis=2)
        # Windows reach into the group behind theirs, those of the last one into the taps behind the stretch.
        behind = np.column_stack([groups[:, 1:], magnitude[:, STRETCH:].max(axis=1)])
        reach = self._bound * np.maximum(groups, behind)
        windows = sliding_window_view(stretches, GROUP + TAPS - 1, axis=1)[:, ::GROUP]
        loudest = reach > LOUDEST * reach.max()
        for chosen in (loudest, ~loudest):  # the loudest first: what they reach rules most of the others out
            candidates = windows[chosen & (reach > self._peak)]
            if candidates.size:
                self._peak = max(self._peak, np.abs(candidates @ self._matrix).max())


def _interpolation() -> Samples:
    """Filters for the three points between two samples, `[shape=(TAPS, OVERSAMPLING - 1)]`."""
    filter_ = scipy.signal.firwin(TAPS * OVERSAMPLING + 1, 1.0 / OVERSAMPLING, window=("kaiser", 5.0)) * OVERSAMPLING
    phases = filter_[:-1].reshape(TAPS, OVERSAMPLING)
    return np.asarray(phases[:, 1:], dtype=np.float32)
