"""One pass over the samples: what needs all channels at the full rate, and what everything else is read from.

Samples arrive in blocks and are let go, so that an hour costs hardly more memory than ten minutes.
"""

from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from muzikantas.analysis.audio import loudness
from muzikantas.analysis.audio.decode import Samples
from muzikantas.analysis.audio.spectrum import LONGEST_S, SAMPLE_RATE, SLOW_RATE, Array, Frames, Spectrogram

#: Samples a level (10 ms).
LEVEL_SAMPLES = SAMPLE_RATE // 100

#: A fold to mono this much below its channels (in power) has cancelled itself out: side signals, reversed polarity.
CANCELLED = 0.01

#: 16-bit full scale less one step; and how many samples in a row at it are a cut-off peak, not a peak that just fits.
FULL_SCALE, CLIPPED_RUN = 32766.0 / 32768.0, 3


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What one pass over a recording leaves."""

    duration_s: float
    missing_share: float  #: of the length that the file's header announces, 0 to 1
    loudness_lufs: float  #: -inf for silence
    loudness_range_lu: float
    true_peak_dbtp: float
    clipped_share: float
    clipped_runs: int
    levels: Array  #: standard deviation of the mono signal every 10 ms, over the whole recording
    crest_db: float
    start_s: float  #: where in the recording `frames` and `slow` begin; they cover at most `LONGEST_S`
    frames: Frames
    slow: Array  #: the mono signal at `SLOW_RATE`, `[shape=(n,)]`


class Intake:
    """Takes a recording in blocks.

    Parameters
    ----------
    sample_rate
        In Hz.
    channels
        How many rows every block has.
    announced_s
        Length that the file's header gives, or None.
    length_s
        Length by which the middle is found, where it is known; None: the beginning is kept.
    """

    def __init__(self, sample_rate: int, channels: int, announced_s: float | None, length_s: float | None) -> None:
        self._rate, self._announced_s, self._count = sample_rate, announced_s, 0
        main = channels - 1 if channels == loudness.FIVE_ONE else channels
        self._meter = loudness.Meter(sample_rate, main)
        self._peaks, self._clipping = loudness.PeakMeter(main), _Clipping(main)
        self._resampler = soxr.ResampleStream(sample_rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")
        self._fold, self._levels, self._middle = _Fold(main), _Levels(), _Middle(length_s)

    def add(self, samples: Samples) -> None:
        """Take the next block, `[shape=(channels, n)]`, finite; fastest in blocks of `decode.BLOCK_S`."""
        # Decoders give the channels of each sample side by side; all that follows reads channel by channel.
        rows = np.ascontiguousarray(loudness.main_channels(samples))
        self._count += rows.shape[1]
        self._meter.add(rows)
        self._peaks.add(rows)
        self._clipping.add(rows)
        self._keep(self._resampler.resample_chunk(self._fold.mono(rows)))

    @property
    def duration_s(self) -> float:
        """Length of what came so far."""
        return self._count / self._rate

    @property
    def misses_the_middle(self) -> bool:
        """Whether so little came that the middle of it was taken for its beginning."""
        return self._middle.start_s > 0.0 and self.duration_s < self._middle.start_s + LONGEST_S

    def finish(self) -> Recording:
        """Give what was heard; nothing can be added after."""
        self._keep(self._resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True))
        frames, slow = self._middle.taken()
        clipped_share, clipped_runs = self._clipping.taken()
        return Recording(
            duration_s=self.duration_s,
            missing_share=max(0.0, 1.0 - self.duration_s / self._announced_s) if self._announced_s else 0.0,
            loudness_lufs=self._meter.integrated_lufs(),
            loudness_range_lu=self._meter.range_lu(),
            true_peak_dbtp=self._peaks.dbtp(),
            clipped_share=clipped_share,
            clipped_runs=clipped_runs,
            levels=self._levels.taken(),
            crest_db=self._levels.crest_db(),
            start_s=self._middle.start_s,
            frames=frames,
            slow=slow,
        )

    def _keep(self, mono: Array) -> None:
        self._levels.add(mono)
        self._middle.add(mono)


class _Fold:
    """Channels to mono; those that cancel each other are not averaged, the strongest is taken.

    Judged by everything heard so far, so that one passage does not switch it.
    """

    def __init__(self, channels: int) -> None:
        self._powers = np.zeros(channels)
        self._power = 0.0

    def mono(self, samples: Samples) -> Array:
        if len(samples) == 1:
            return np.ascontiguousarray(samples[0])
        mean: Array = np.add(samples[0], samples[1])
        for row in samples[2:]:
            mean += row
        mean *= np.float32(1.0 / len(samples))
        self._powers += [float(np.dot(row, row)) for row in samples]
        self._power += float(np.dot(mean, mean))
        if self._power < CANCELLED * self._powers.max():
            return np.ascontiguousarray(samples[int(np.argmax(self._powers))])
        return mean


class _Levels:
    """Level of a mono signal every 10 ms."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, dtype=np.float32)
        self._levels: list[Array] = []
        self._peak, self._energy, self._count = 0.0, 0.0, 0

    def add(self, mono: Array) -> None:
        joined: Array = np.concatenate([self._rest, mono])
        used = joined.size - joined.size % LEVEL_SAMPLES
        self._levels.append(levels(joined[:used]))
        self._rest = joined[used:].copy()
        self._peak = max(self._peak, float(mono.max(initial=0.0)), -float(mono.min(initial=0.0)))
        self._energy += float(np.dot(mono, mono))
        self._count += mono.size

    def taken(self) -> Array:
        joined: Array = np.concatenate([np.zeros(0, dtype=np.float32), *self._levels])
        return joined

    def crest_db(self) -> float:
        """Peak over root mean square in dB: a sine has 3, a limited master about 8, an open recording 20."""
        if not self._energy:
            return 0.0
        return 20.0 * float(np.log10(self._peak / np.sqrt(self._energy / self._count)))


def levels(mono: Array) -> Array:
    """Standard deviation of every 10 ms of a mono signal at `SAMPLE_RATE`, `[shape=(n // LEVEL_SAMPLES,)]`."""
    segments = mono[: mono.size - mono.size % LEVEL_SAMPLES].reshape(-1, LEVEL_SAMPLES)
    means = segments @ np.full(LEVEL_SAMPLES, 1.0 / LEVEL_SAMPLES, dtype=np.float32)
    variance = np.einsum("ij,ij->i", segments, segments) / LEVEL_SAMPLES - np.square(means)
    level: Array = np.sqrt(np.maximum(variance, 0.0))
    return level


class _Clipping:
    """Samples at full scale, where at least `CLIPPED_RUN` stand in a row of one channel."""

    def __init__(self, channels: int) -> None:
        self._samples, self._runs, self._all = 0, 0, 0
        self._open = [0] * channels  # length of the run that reaches the end of the last block

    def add(self, samples: Samples) -> None:
        self._all += samples.size
        for index, row in enumerate(samples):
            self._open[index] = self._listen(row, self._open[index])

    def taken(self) -> tuple[float, int]:
        """Give the share of samples in such runs, and the number of runs; all of them end here."""
        self._count(np.array(self._open))
        return self._samples / max(1, self._all), self._runs

    def _listen(self, row: Samples, open_: int) -> int:
        """Count the runs that end in a row; give the length of the one that reaches its end."""
        if not open_ and max(row.max(), -row.min()) < FULL_SCALE:
            return 0
        at_scale = np.flatnonzero(np.abs(row) >= FULL_SCALE)
        breaks = np.flatnonzero(np.diff(at_scale) > 1)
        lengths = np.diff(np.r_[0, breaks + 1, at_scale.size])
        if at_scale.size and at_scale[0] == 0:
            lengths[0] += open_
        else:
            lengths = np.r_[open_, lengths]
        reaches = at_scale.size > 0 and at_scale[-1] == row.size - 1
        self._count(lengths[:-1] if reaches else lengths)
        return int(lengths[-1]) if reaches else 0

    def _count(self, lengths: NDArray[np.int64]) -> None:
        long = lengths[lengths >= CLIPPED_RUN]
        self._runs += int(long.size)
        self._samples += int(long.sum())


class _Middle:
    """The spectrogram and the slow signal of the middle of a recording of known length, or of its beginning."""

    def __init__(self, length_s: float | None) -> None:
        most = int(LONGEST_S * SAMPLE_RATE)
        self._start = max(0, int(length_s * SAMPLE_RATE) - most) // 2 if length_s else 0
        self._stop, self._position = self._start + most, 0
        self._spectrogram = Spectrogram()
        self._resampler = soxr.ResampleStream(SAMPLE_RATE, SLOW_RATE, 1, dtype="float32", quality="HQ")
        # Memory that nothing is written to costs nothing.
        self._slow, self._slow_count = np.empty(most * SLOW_RATE // SAMPLE_RATE + 1, dtype=np.float32), 0

    @property
    def start_s(self) -> float:
        return self._start / SAMPLE_RATE

    def add(self, mono: Array) -> None:
        piece = mono[max(0, self._start - self._position) : max(0, self._stop - self._position)]
        self._position += mono.size
        if piece.size:
            self._spectrogram.add(piece)
            self._keep(self._resampler.resample_chunk(piece))

    def taken(self) -> tuple[Frames, Array]:
        self._keep(self._resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True))
        return self._spectrogram.finish(), self._slow[: self._slow_count]

    def _keep(self, slow: Array) -> None:
        kept = slow[: self._slow.size - self._slow_count]
        self._slow[self._slow_count : self._slow_count + kept.size] = kept
        self._slow_count += kept.size
