"""Loudness as a broadcaster measures it, block by block: integrated, range and true peak.

Own filters instead of a library's, for speed and for streaming; the tests hold them to pyloudnorm, to the tables of
ITU-R BS.1770 and to the signals of EBU Tech 3341 and 3342.
"""

from functools import lru_cache

import numpy as np
import scipy.signal
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from muzikantas.analysis.audio.decode import Samples

#: The channels of 5.1 in the order of WAV files (left, right, centre, LFE, surrounds) without the LFE, which
#: BS.1770 leaves out.
FIVE_ONE, FIVE_ONE_WITHOUT_LFE = 6, (0, 1, 2, 4, 5)

#: Weight of each channel; the standard knows one to five of them. Surrounds weigh 1.41.
WEIGHTS = {count: np.array([1.0, 1.0, 1.0, 1.41, 1.41][:count]) for count in range(1, 6)}
WEIGHTS[4] = np.ones(4)

#: The rate at which BS.1770 tabulates its filter.
STANDARD_RATE = 48_000

#: Energies are kept for segments of 100 ms: four are a gating block, thirty a short-term window at 10 Hz.
SEGMENTS_PER_S, GATING_SEGMENTS, SHORT_TERM_SEGMENTS = 10, 4, 30

#: Samples in a run, and runs in a group, at most: the filter of a run, and the memory of a group, are one product of
#: matrices each.
LONGEST_RUN, LONGEST_GROUP = 42, 16

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


def k_weighting(sample_rate: int) -> NDArray[np.float64]:
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
    return np.array([np.r_[shelf, poles] / poles[0], np.r_[held, -2.0 * held, held, low_poles]])


def _high_pass(sample_rate: int) -> NDArray[np.float64]:
    """Denominator of the high pass of the K filter."""
    k, q = np.tan(np.pi * 38.13547087602444 / sample_rate), 0.5003270373238773
    poles = np.array([1.0 + k / q + k * k, 2.0 * (k * k - 1.0), 1.0 - k / q + k * k])
    scaled: NDArray[np.float64] = poles / poles[0]
    return scaled


class _Runs:
    """A recursive filter as matrices over runs of samples, which a processor does ten times as fast as step by step.

    What a run leaves in the filter is four numbers. In the basis in which they do not mix, two fade with one complex
    pole each, and the other two are their conjugates. Groups of runs hand them on by one more matrix, and group by
    group they are handed on step by step.
    """

    def __init__(self, sections: NDArray[np.float64], segment: int) -> None:
        self.length = max(n for n in range(1, LONGEST_RUN + 1) if segment % n == 0)  #: in samples
        self.group = max(n for n in range(1, LONGEST_GROUP + 1) if segment // self.length % n == 0)  #: in runs
        silence = np.zeros((len(sections), self.length, 2))
        answers, left = scipy.signal.sosfilt(sections, np.eye(self.length), zi=silence)
        started = np.eye(4).reshape(4, 2, 2).transpose(1, 0, 2)
        fading, kept = scipy.signal.sosfilt(sections, np.zeros((4, self.length)), zi=started)
        poles, basis = np.linalg.eig(kept.transpose(1, 0, 2).reshape(4, 4))
        chosen = poles.imag > 0.0
        #: How what is left fades in a group, `[shape=(2,)]`.
        self.poles = poles[chosen] ** self.group
        #: From a run to what it leaves, `[shape=(length, 4)]`: real parts, then imaginary parts.
        self.leaving = _parts(left.transpose(1, 0, 2).reshape(self.length, 4) @ basis[:, chosen], axis=1)
        #: From a run and what was left before it to the filtered run, `[shape=(length + 4, length)]`.
        fading = 2.0 * (np.linalg.inv(basis)[chosen] @ fading).conj()
        self.filtering = np.concatenate([answers.astype(np.float32), _parts(fading, axis=0)])
        #: From what is left before a group and by each of its runs to what is there before each of them and behind the
        #: last, `[shape=(4 * (1 + group), 4 * (group + 1))]`.
        self.handing = np.zeros((4 * (1 + self.group), 4 * (1 + self.group)), dtype=np.float32)
        for left_by, found_by in zip(*np.triu_indices(1 + self.group), strict=True):
            power = poles[chosen] ** (found_by - left_by)
            real, imaginary = np.diag(power.real), np.diag(power.imag)
            place = np.s_[4 * left_by : 4 * left_by + 4, 4 * found_by : 4 * found_by + 4]
            self.handing[place] = np.block([[real, imaginary], [-imaginary, real]])


@lru_cache(maxsize=8)
def _runs(sample_rate: int, segment: int) -> _Runs:
    """Give the K filter for a rate, for segments of so many samples; the usual rates are few."""
    return _Runs(k_weighting(sample_rate), segment)


def _parts(numbers: NDArray[np.complex128], axis: int) -> Samples:
    """Real parts, then imaginary parts."""
    return np.concatenate([numbers.real, numbers.imag], axis=axis).astype(np.float32)


class Meter:
    """Loudness of a recording that arrives in blocks."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._segment = round(sample_rate / SEGMENTS_PER_S)
        self._weights = WEIGHTS.get(channels, np.ones(1))
        self._runs = _runs(sample_rate, self._segment)
        self._left = np.zeros((2, len(self._weights)), dtype=np.complex128)
        self._rest = np.zeros((len(self._weights), 0), dtype=np.float32)
        self._energies = [np.zeros(0)]

    def add(self, samples: Samples) -> None:
        """Take the next block, `[shape=(channels, n)]`, without LFE; of more than five channels their mean."""
        rows = samples if len(samples) in WEIGHTS else samples.mean(axis=0, keepdims=True)
        joined = np.concatenate([self._rest, rows], axis=1) if self._rest.size else rows
        used = joined.shape[1] - joined.shape[1] % self._segment
        self._rest = joined[:, used:].copy()
        if used:
            weighted = self._weighted(joined[:, :used].reshape(len(joined), -1, self._runs.length))
            parts = weighted.reshape(len(joined), -1, self._segment)
            self._energies.append(self._weights @ (np.vecdot(parts, parts) / self._segment))

    def _weighted(self, runs: Samples) -> Samples:
        """Filter the next runs, `[shape=(channels, count, length)]`."""
        channels, count, length = runs.shape
        group, size = self._runs.group, 4 * self._runs.group
        left = np.empty((channels, count // group, 4 + size), dtype=np.float32)
        left[:, :, 4:] = (runs @ self._runs.leaving).reshape(channels, -1, size)
        by_group = left[:, :, 4:] @ self._runs.handing[4:, size:]
        for k, pole in enumerate(self._runs.poles):
            before = np.empty((channels, count // group + 1), dtype=np.complex128)
            before[:, 0] = self._left[k]
            step = by_group[:, :, k] + 1j * by_group[:, :, k + 2]
            before[:, 1:], _ = scipy.signal.lfilter([1.0], [1.0, -pole], step, zi=pole * before[:, :1])
            self._left[k] = before[:, -1]
            left[:, :, k], left[:, :, k + 2] = before[:, :-1].real, before[:, :-1].imag
        joined = np.empty((channels, count, length + 4), dtype=np.float32)
        joined[:, :, :length] = runs
        joined[:, :, length:] = (left @ self._runs.handing[:, :size]).reshape(channels, count, 4)
        filtered: Samples = joined.reshape(-1, length + 4) @ self._runs.filtering
        return filtered

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
    are. No interpolated value exceeds the largest sample in reach times the sum of the filter's magnitudes; nor, which
    says more where the curve is smooth, the largest sample by more than a share of the largest second difference.
    """

    def __init__(self, channels: int) -> None:
        between = _interpolation()
        self._bound = np.float32(np.abs(between).sum(axis=0).max())
        self._smooth, self._bend = _smooth_bound(between)
        # The interpolation of a whole group as one matrix: shape (GROUP + TAPS - 1, GROUP * 3).
        self._matrix = np.concatenate([np.pad(between, ((k, GROUP - 1 - k), (0, 0))) for k in range(GROUP)], axis=1)
        self._rest = np.zeros((channels, TAPS), dtype=np.float32)
        self._peak = np.float32(0.0)

    def add(self, samples: Samples) -> None:
        """Take the next block, `[shape=(channels, n)]`."""
        joined = np.concatenate([self._rest, samples], axis=1)
        # Whole stretches, and behind them what the windows of the last one reach into.
        count = (joined.shape[1] - TAPS) // STRETCH
        used = count * STRETCH
        self._rest = joined[:, used:].copy()
        if count:
            highest = _magnitudes(joined[:, : used + TAPS])
            self._peak = max(self._peak, highest[:, :count].max())
            reach = np.maximum(highest[:, :count], highest[:, 1:])
            candidates = self._bound * reach > self._peak
            if candidates.any():
                windows = sliding_window_view(joined[:, : used + TAPS], STRETCH + TAPS, axis=1)[:, ::STRETCH]
                self._look(windows[candidates], reach[candidates])

    def dbtp(self) -> float:
        """True peak in dB relative to full scale; -inf for silence. Nothing can be added after."""
        self.add(np.zeros((len(self._rest), STRETCH + TAPS), dtype=np.float32))
        with np.errstate(divide="ignore"):  # silence is log(0): -inf is the answer
            return float(20.0 * np.log10(self._peak))

    def _look(self, stretches: Samples, reach: Samples) -> None:
        """Oversample those parts of some stretches, `[shape=(count, STRETCH + TAPS)]`, that could hold the peak."""
        bends = stretches[:, 2:] + stretches[:, :-2]
        bends *= np.float32(0.5)
        bends -= stretches[:, 1:-1]
        np.abs(bends, out=bends)
        high = self._smooth * reach + self._bend * bends.max(axis=1) > self._peak
        if high.any():
            self._interpolate(stretches[high])

    def _interpolate(self, stretches: Samples) -> None:
        """Oversample the groups of some stretches that could hold the peak, the loudest first."""
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


def _magnitudes(samples: Samples) -> Samples:
    """Largest magnitude in each stretch of each channel; no copy, as absolute values would be."""
    starts = np.arange(0, samples.shape[1], STRETCH)
    largest: Samples = np.maximum.reduceat(samples, starts, axis=1)
    np.maximum(largest, -np.minimum.reduceat(samples, starts, axis=1), out=largest)
    return largest


def _interpolation() -> Samples:
    """Filters for the three points between two samples, `[shape=(TAPS, OVERSAMPLING - 1)]`."""
    filter_ = scipy.signal.firwin(TAPS * OVERSAMPLING + 1, 1.0 / OVERSAMPLING, window=("kaiser", 5.0)) * OVERSAMPLING
    phases = filter_[:-1].reshape(TAPS, OVERSAMPLING)
    return np.asarray(phases[:, 1:], dtype=np.float32)


def _smooth_bound(between: Samples) -> tuple[np.float32, np.float32]:
    """Bound an interpolated value by the largest sample and half the largest second difference in reach: two factors.

    Each filter is a straight line between the two middle samples plus a rest. What the rest makes of a constant and of
    a slope is small; without these it is a sum of second differences, whose weights are its own double sums.
    """
    middle = TAPS // 2 - 1
    smooth, bend = 0.0, 0.0
    for phase in range(1, OVERSAMPLING):
        rest = between[:, phase - 1].astype(np.float64)
        rest[[middle, middle + 1]] -= (phase / OVERSAMPLING, 1.0 - phase / OVERSAMPLING)
        constant, slope = rest.sum(), float(rest @ (np.arange(TAPS) - middle))
        rest[[middle, middle + 1]] -= (constant - slope, slope)
        smooth = max(smooth, 1.0 + abs(constant) + 2.0 * abs(slope))
        bend = max(bend, 2.0 * float(np.abs(np.cumsum(np.cumsum(rest))).sum()))
    return np.float32(smooth), np.float32(bend)
