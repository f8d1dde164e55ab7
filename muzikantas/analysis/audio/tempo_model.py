"""Which of the possible tempi is the beat: a small trained ranker over what several onset curves repeat.

Signal processing finds the family of a tempo (60, 90, 120, 180, 240, ...) and cannot tell its members apart; listeners
can, because drums, basses and chords change at different levels of the metre. So every member of the family is
described by how each curve repeats at fractions and multiples of its beat, and a small network compares them. Its
numbers are in `tempo_model.npz`; `benchmarks/train_tempo.py` makes them.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import scipy.fft
import scipy.ndimage
import scipy.signal
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from muzikantas.analysis.audio.spectrum import FRAME_RATE, Array

Curve = NDArray[np.float64]

TEMPO_RANGE_BPM = (40.0, 250.0)

#: Tempo is searched in steps of half a per cent.
GRID_BPM = np.geomspace(*TEMPO_RANGE_BPM, 368)

#: Periodicity is judged in windows of about 18 s: eight beats of a slow piece, and yet a live band keeps time.
WINDOW_FRAMES = 768
NFFT = 2048

#: Curves whose spectra are taken at once: they then fit into a processor's cache.
CURVES = 8

#: Multiples of a candidate's beat at which repetition is read, and of its rate at which spectral power is.
LAGS = np.array([1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1, 3 / 2, 2, 3, 4, 6, 8])
RATES = np.array([1 / 4, 1 / 3, 1 / 2, 2 / 3, 1, 3 / 2, 2, 3, 4, 6, 8])

#: Salience falls with the distance in octaves from here, so that neither end of the range crowds out the middle.
CENTRE_BPM = 115.0

#: Relatives of a strong tempo that are heard in its stead.
RELATIVES = np.array([1 / 3, 1 / 2, 2 / 3, 1, 3 / 2, 2, 3])
STRONGEST = 4

#: Tempi closer than this are one candidate.
SAME = 0.04

#: Where a candidate stands is counted in octaves from here.
TYPICAL_BPM = 110.0

#: Clarity below this is noise.
LEAST_CLARITY = 0.01

#: Descriptions further from the mean of the training set than this many standard deviations count as this far.
LARGEST_INPUT = 4.0


@dataclass(frozen=True, kw_only=True)
class Periodicity:
    """How a set of curves repeats itself, each in `[shape=(curves, n)]`."""

    correlation: Curve  #: by lag in frames, 1 at lag 0
    power: Curve  #: by rate (`FRAME_RATE / NFFT` a step), as a share of the curve's mean
    window: int  #: frames in which it was judged


def periodicity(curves: Array, levels: Array) -> Periodicity:
    """Judge how each curve, and last all coarse levels together, repeat themselves."""
    window = min(WINDOW_FRAMES, curves.shape[1])
    spectra = _spectra(curves, round(1.5 * FRAME_RATE), window)
    together = _spectra(levels, round(3 * FRAME_RATE), window).mean(axis=0, keepdims=True)
    power = np.concatenate([spectra, together]).astype(np.float64)
    taper = scipy.signal.get_window("hann", window)
    # Dividing by the taper's own autocorrelation gives long lags the weight that the window took from them.
    bias = np.fft.irfft(np.abs(np.fft.rfft(taper, NFFT)) ** 2)[:window]
    # The spectrum is one-sided: half of everything but the two ends restores the even one.
    even = power / np.r_[1.0, np.full(power.shape[1] - 2, 2.0), 1.0]
    correlation = np.fft.irfft(even)[:, :window] / np.maximum(bias / bias[0], 0.05)
    tiny = np.finfo(float).tiny
    return Periodicity(
        correlation=correlation / np.maximum(correlation[:, :1], tiny),
        power=power / np.maximum(power.mean(axis=1, keepdims=True), tiny),
        window=window,
    )


def _spectra(curves: Array, around: int, window: int) -> Array:
    """Mean local power spectra of curves (Welch), each without its moving mean over `around` frames."""
    some = [curves[start : start + CURVES] for start in range(0, len(curves), CURVES)]
    return np.concatenate([_few_spectra(few, around, window) for few in some])


def _few_spectra(curves: Array, around: int, window: int) -> Array:
    detrended = curves - scipy.ndimage.uniform_filter1d(curves, around, axis=1)
    windows = sliding_window_view(detrended, window, axis=1)[:, :: window - window // 2]
    taper = scipy.signal.get_window("hann", window).astype(np.float32)
    transformed = scipy.fft.rfft(windows * taper, NFFT, axis=2)
    power: Array = np.square(np.abs(transformed)).mean(axis=1)
    # One-sided: all but the two ends stand for two.
    power[:, 1:-1] *= 2.0
    return power


def candidates(heard: Periodicity) -> Curve:
    """Find the tempi worth comparing, `[shape=(n,)]` bpm: the most salient, and their relatives in the range."""
    salience = np.maximum(clarity(heard, GRID_BPM), 0.0) * np.exp(-0.5 * np.log2(GRID_BPM / CENTRE_BPM) ** 2)
    peaks, _ = scipy.signal.find_peaks(np.r_[0.0, salience, 0.0])
    strongest = GRID_BPM[peaks[np.argsort(salience[peaks - 1])[::-1]][:STRONGEST] - 1]
    tempi: list[float] = []
    for bpm in (strongest[:, None] * RELATIVES).ravel() if strongest.size else [CENTRE_BPM]:
        if TEMPO_RANGE_BPM[0] <= bpm <= TEMPO_RANGE_BPM[1]:
            near = np.clip(bpm * np.linspace(0.975, 1.025, 21), *TEMPO_RANGE_BPM)
            tuned = float(near[int(np.argmax(clarity(heard, near)))])
            if all(abs(tuned / other - 1.0) > SAME for other in tempi):
                tempi.append(tuned)
    return np.array(tempi)


def clarity(heard: Periodicity, tempi_bpm: Curve) -> Curve:
    """Mean autocorrelation over all curves and one to four beats of each tempo: 1 for a machine, about 0 for noise."""
    values = _read(heard.correlation.mean(axis=0, keepdims=True), np.arange(1.0, 5.0), tempi_bpm, heard.window)
    mean: Curve = values[:, 0, :].mean(axis=1)
    return mean


def _read(correlation: Curve, beats: Curve, tempi_bpm: Curve, window: int) -> Curve:
    """Read autocorrelations at some beats of each tempo, `[shape=(tempi, curves, beats)]`; 0 beyond the window."""
    lags = beats[None, :] * (60.0 * FRAME_RATE / tempi_bpm)[:, None]
    columns = np.minimum(lags, window - 2).astype(int)
    share = np.minimum(lags, window - 2) - columns
    values = correlation[:, columns] * (1.0 - share) + correlation[:, columns + 1] * share
    read: Curve = np.where(lags <= 0.8 * window, values, 0.0).transpose(1, 0, 2)
    return read


def describe(heard: Periodicity, tempi_bpm: Curve, onset_rate_hz: float) -> Curve:
    """Describe each candidate by numbers for the ranker, `[shape=(tempi, numbers)]`.

    They are how each curve repeats at `LAGS`, the logarithm of its power at `RATES`, and where the candidate stands in
    the range and against the rate of onsets.
    """
    repeats = _read(heard.correlation, LAGS, tempi_bpm, heard.window)
    bins = np.minimum(RATES[None, :] * (tempi_bpm / 60.0 * NFFT / FRAME_RATE)[:, None], heard.power.shape[1] - 2)
    columns = bins.astype(int)
    share = bins - columns
    strength = (heard.power[:, columns] * (1.0 - share) + heard.power[:, columns + 1] * share).transpose(1, 0, 2)
    octaves = np.log2(tempi_bpm / TYPICAL_BPM)
    onsets = np.log2(np.maximum(onset_rate_hz, 0.1) * 60.0 / tempi_bpm)
    own = np.stack([octaves, octaves**2, octaves**3, onsets, onsets**2, octaves * onsets], axis=1)
    count = len(tempi_bpm)
    return np.concatenate([repeats.reshape(count, -1), np.log1p(strength).reshape(count, -1), own], axis=1)


def bounded(deviations: Curve) -> Curve:
    """Bound how far a description may be from what the networks were trained on, in standard deviations."""
    inputs: Curve = np.clip(deviations, -LARGEST_INPUT, LARGEST_INPUT)
    return inputs


@dataclass(frozen=True, kw_only=True)
class Ranker:
    """Small networks with one hidden layer whose mean score ranks candidates, and the line that calibrates them.

    Scores are compared by softmax among the candidates of one recording only. Weights are
    `[shape=(networks, numbers, hidden)]`, `[shape=(networks, hidden)]` and `[shape=(networks, hidden)]`.
    """

    centre: Curve
    scale: Curve
    inner: Curve
    bias: Curve
    outer: Curve
    calibration: Curve  #: offset, factor of the winner's log odds, factor of the log of its clarity

    def weights(self, described: Curve) -> Curve:
        """Probability of each candidate, given that one of them is the beat, `[shape=(candidates,)]`."""
        inputs = bounded((described - self.centre) / self.scale)
        hidden = np.tanh(inputs[None] @ self.inner + self.bias[:, None, :])
        scores = np.einsum("nch,nh->c", hidden, self.outer) / len(self.outer)
        odds = np.exp(scores - scores.max())
        weights: Curve = odds / odds.sum()
        return weights

    def confidence(self, weight: float, clarity: float) -> float:
        """Probability that a winner of this weight and clarity is within 4 % of the notated tempo."""
        return float(1.0 / (1.0 + np.exp(-self.calibration @ evidence(weight, clarity))))


def evidence(weight: float, clarity: float) -> Curve:
    """Give what the confidence in a winner rests on: one, its log odds and the log of its clarity, both bounded."""
    share = np.clip(weight, 0.02, 0.995)
    return np.array([1.0, np.log(share / (1.0 - share)), np.log(max(clarity, LEAST_CLARITY))])


@cache
def ranker() -> Ranker:
    """Read the trained numbers that ship with the package."""
    with np.load(Path(__file__).with_name("tempo_model.npz")) as numbers:
        return Ranker(**{name: numbers[name].astype(np.float64) for name in numbers.files})


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Candidates with their weights, the likeliest first, and how sure the first one is."""

    tempi_bpm: tuple[float, ...]
    weights: tuple[float, ...]
    confidence: float


def rank(curves: Array, levels: Array, onset_rate_hz: float) -> Ranking:
    """Order the possible tempi of a recording by how likely each one is the notated beat.

    Confidence is the probability that the first is within 4 % of the notated tempo, fitted on renderings whose tune
    and sound font the ranker had not seen, and on noise.
    """
    heard = periodicity(curves, levels)
    tempi = candidates(heard)
    weights = ranker().weights(describe(heard, tempi, onset_rate_hz))
    order = np.argsort(weights)[::-1]
    first = float(clarity(heard, tempi[order[:1]])[0])
    return Ranking(
        tempi_bpm=tuple(float(bpm) for bpm in tempi[order]),
        weights=tuple(float(weight) for weight in weights[order]),
        confidence=ranker().confidence(float(weights[order[0]]), first),
    )
