"""One pass over the samples: what needs all channels at the full rate, and the mono signal for everything else.

Samples arrive in blocks and are let go, so that an hour costs no more memory than ten minutes.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from muzikantas.analysis.audio import loudness
from muzikantas.analysis.audio.decode import Samples
from muzikantas.analysis.audio.spectrum import SAMPLE_RATE, Array

#: Of longer recordings the middle is kept for tempo, key, timbre and structure: intros and outros say least.
LONGEST_S = 600.0

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
    mono: Array  #: at `SAMPLE_RATE` with peak 1, `[shape=(n,)]`, at most `LONGEST_S`
    mono_start_s: float  #: where in the recording `mono` begins


class Intake:
    """Takes a recording in blocks.

    Parameters
    ----------
    sample_rate
        In Hz.
    channels
        How many rows every block has.
    announced_s
        Length that the file's header gives, by which the middle is found; None: the beginning is kept.
    """

    def __init__(self, sample_rate: int, channels: int, announced_s: float | None) -> None:
        self._rate, self._announced_s, self._count = sample_rate, announced_s, 0
        main = channels - 1 if channels == loudness.FIVE_ONE else channels
        self._meter = loudness.Meter(sample_rate, main)
        self._peaks, self._clipping = loudness.PeakMeter(main), _Clipping(main)
        self._resampler = soxr.ResampleStream(sample_rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")
        self._fold, self._levels, self._window = _Fold(main), _Levels(), _Window(announced_s)

    def add(self, samples: Samples) -> None:
        """Take the next block, `[shape=(channels, n)]`, finite; fastest in blocks of `decode.BLOCK_S`."""
        # Decoders give the channels of each sample side by side; all that follows reads channel by channel.
        rows = np.ascontiguousarray(loudness.main_channels(samples))
        self._count += rows.shape[1]
        self._meter.add(rows)
        self._peaks.add(rows)
        self._clipping.add(rows)
        self._keep(self._resampler.resample_chunk(self._fold.mono(rows)))

    def finish(self) -> Recording:
        """Give what was heard; nothing can be added after."""
        self._keep(self._resampler.resample_chunk(np.zeros(0, dtype=np.float32), last=True))
        mono, start = self._window.taken()
        clipped_share, clipped_runs = self._clipping.taken()
        # Not the maximum of the magnitudes: those would be a second signal in memory.
        peak = max(float(mono.max(initial=0.0)), -float(mono.min(initial=0.0)))
        if peak > 0.0:
            mono /= np.float32(peak)
        duration_s = self._count / self._rate
        return Recording(
            duration_s=duration_s,
            missing_share=max(0.0, 1.0 - duration_s / self._announced_s) if self._announced_s else 0.0,
            loudness_lufs=self._meter.integrated_lufs(),
            loudness_range_lu=self._meter.range_lu(),
            true_peak_dbtp=self._peaks.dbtp(),
            clipped_share=clipped_share,
            clipped_runs=clipped_runs,
            levels=self._levels.taken(),
            crest_db=self._levels.crest_db(),
            mono=mono,
            mono_start_s=start / SAMPLE_RATE,
        )

    def _keep(self, mono: Array) -> None:
        self._levels.add(mono)
        self._window.add(mono)


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


class _Window:
    """The middle of a mono signal whose length is only announced: a queue that drops its oldest part.

    It holds the latest `LONGEST_S` until the middle's end has come; where less comes than was announced, those are
    the last that there are.
    """

    def __init__(self, announced_s: float | None) -> None:
        self._most = int(LONGEST_S * SAMPLE_RATE)
        middle = (announced_s * SAMPLE_RATE) / 2.0 if announced_s else 0.0
        self._end = max(self._most, int(middle) + self._most // 2)
        self._position, self._held = 0, 0
        self._chunks: deque[Array] = deque()

    def add(self, mono: Array) -> None:
        piece = mono[: max(0, self._end - self._position)]
        if not piece.size:
            return
        self._chunks.append(piece)
        self._position += piece.size
        self._held += piece.size
        while self._held - self._chunks[0].size >= self._most:
            self._held -= self._chunks.popleft().size

    def taken(self) -> tuple[Array, int]:
        """Give the signal and the sample at which it begins; the chunks are let go one by one, to save memory."""
        size = min(self._held, self._most)
        mono = np.empty(size, dtype=np.float32)
        stop = size
        while self._chunks and stop > 0:
            piece = self._chunks.pop()[-stop:]
            mono[stop - piece.size : stop] = piece
            stop -= piece.size
        return mono, self._position - size
