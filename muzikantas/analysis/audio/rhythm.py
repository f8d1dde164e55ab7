"""Tempo, beats and onsets, from the mel spectrogram."""

from dataclasses import dataclass

import numpy as np
import scipy.ndimage
import scipy.signal
from numpy.lib.stride_tricks import sliding_window_view

from muzikantas.analysis.audio import onsets, tempo_model
from muzikantas.analysis.audio.spectrum import FRAME_RATE, Array
from muzikantas.analysis.audio.tempo_model import TEMPO_RANGE_BPM, Curve

#: What a recording without any change is said to have, with confidence 0.
NO_TEMPO_BPM = 120.0

#: The tempo is tuned to this share around a candidate, at these multiples of its rate, in pieces of a minute: sharp to
#: a hundredth of a per cent, and yet a slow drift does not smear it.
TUNING = np.linspace(0.97, 1.03, 401)
HARMONICS = np.array([1, 2, 3, 4, 6, 8])
PIECE_FRAMES = round(60 * FRAME_RATE)

#: How dearly a beat pays for an interval off the tempo (Ellis, JNMR 2007; with his value, for a curve of variance 1).
TIGHTNESS = 100.0

#: The analysis window sees an attack before its middle reaches it: rises come this many frames early.
EARLY_FRAMES = 1.1

#: A beat is steady when the strongest attack within `NEAR` of a beat is within `STEADY` of a beat, or a frame, of the
#: middle between its neighbours.
NEAR, STEADY = 0.2, 0.05

#: Other candidates that are kept.
OTHERS = 3

#: A rise of the typical band that counts as an onset, in dB, and as a share of the track's strong onsets.
ONSET_DB, ONSET_SHARE = 0.5, 0.1


@dataclass(frozen=True, kw_only=True)
class Rhythm:
    """What is heard of beats."""

    tempo_bpm: float  #: 40 to 250
    confidence: float  #: probability that `tempo_bpm` is the notated tempo, 0 to 1
    candidates: tuple[tuple[float, float], ...]  #: up to three other tempi, each with its weight; all weights sum to 1
    beat_times_s: tuple[float, ...]  #: ascending
    steadiness: float  #: share of beats in their place between the neighbours, 0 to 1
    onset_rate_hz: float  #: onsets a second


@dataclass(frozen=True, kw_only=True)
class Spectrum:
    """How strongly a curve repeats at each rate, both `[shape=(rates,)]`."""

    hertz: Curve  #: ascending from 0
    magnitude: Curve


def listen(mel_power: Array, level_db: Array) -> Rhythm:
    """Hear tempo, beats and onsets of at least five seconds of frames.

    The tempo is the candidate that `tempo_model` ranks first, tuned by the spectrum of all onset curves. A recording
    without any change gets `NO_TEMPO_BPM` with confidence 0 and no beats.

    Parameters
    ----------
    mel_power
        `[shape=(MEL_BANDS, frames)]`.
    level_db
        `spectrum.log_mel` of it.
    """
    curves, levels = onsets.curves_of(mel_power, level_db)
    onset_rate_hz = onset_rate(curves[0])
    spread = curves.std(axis=1, keepdims=True)
    if float(spread.max()) <= np.finfo(np.float32).eps:
        return Rhythm(
            tempo_bpm=NO_TEMPO_BPM,
            confidence=0.0,
            candidates=(),
            beat_times_s=(),
            steadiness=0.0,
            onset_rate_hz=onset_rate_hz,
        )
    ranking = tempo_model.rank(curves, levels, onset_rate_hz)
    pulse = _pulse(curves)
    spectrum = fine_spectrum(pulse)
    tempo_bpm = tuned(spectrum, ranking.tempi_bpm[0])
    times = beats(pulse, tempo_bpm)
    others = zip(ranking.tempi_bpm[1:], ranking.weights[1:], strict=True)
    return Rhythm(
        tempo_bpm=tempo_bpm,
        confidence=ranking.confidence,
        candidates=tuple((tuned(spectrum, bpm), weight) for bpm, weight in list(others)[:OTHERS]),
        beat_times_s=tuple(float(time) for time in times),
        steadiness=steadiness(pulse, times),
        onset_rate_hz=onset_rate_hz,
    )


def _pulse(curves: Array) -> Curve:
    """One curve of all, each without its moving mean and with the same weight, of variance 1."""
    detrended = curves - scipy.ndimage.uniform_filter1d(curves, round(1.5 * FRAME_RATE), axis=1)
    spread = detrended.std(axis=1, keepdims=True)
    pulse = (detrended / np.maximum(spread, np.finfo(np.float32).eps)).sum(axis=0, dtype=np.float64)
    curve: Curve = pulse / max(float(pulse.std()), np.finfo(np.float32).eps)
    return curve


def tuned(spectrum: Spectrum, coarse_bpm: float) -> float:
    """Find the tempo within 3 % of a coarse one whose harmonics are strongest, in bpm."""
    tempi = np.clip(coarse_bpm * TUNING, *TEMPO_RANGE_BPM)
    rates = HARMONICS[:, None] * tempi[None, :] / 60.0
    strength = np.interp(rates, spectrum.hertz, spectrum.magnitude, right=0.0).sum(axis=0)
    return float(tempi[int(np.argmax(strength))])


def fine_spectrum(pulse: Curve) -> Spectrum:
    """Spectrum of the pulse, eight times as fine as its length asks for.

    The magnitudes of pieces of about a minute are added, so that only the period has to last, not the phase.
    """
    pieces = np.array_split(pulse, max(1, round(pulse.size / PIECE_FRAMES)))
    size = 8 * int(2 ** np.ceil(np.log2(pieces[0].size)))
    magnitude = np.sum([np.abs(np.fft.rfft(piece * np.hanning(piece.size), size)) for piece in pieces], axis=0)
    return Spectrum(hertz=np.arange(magnitude.size) * FRAME_RATE / size, magnitude=magnitude)


def beats(pulse: Curve, tempo_bpm: float) -> Curve:
    """Place beats where the pulse is strong and their intervals are near the tempo, in ascending seconds.

    Dynamic programming after Ellis (Journal of New Music Research 2007). Beats are at least half a period apart, so all
    frames of half a period are decided at once. Weak beats before the first and after the last strong one are left out.
    """
    period = 60.0 * FRAME_RATE / tempo_bpm
    reach = np.arange(-int(period), int(period) + 1)
    local = np.convolve(pulse, np.exp(-0.5 * (reach * 32.0 / period) ** 2), mode="same")
    local /= max(float(local.std()), np.finfo(np.float32).eps)
    lags = np.arange(max(1, round(period / 2)), round(2 * period) + 1)
    price = TIGHTNESS * np.log(lags / period) ** 2
    # Nothing before the first frame: a chain may begin anywhere at no cost.
    score = np.r_[np.zeros(lags[-1]), local]
    before = np.full(score.size, -1)
    # Row n holds the scores that frame `n + lags[-1]` may follow, the nearest first.
    followed = sliding_window_view(score, lags.size)[:, ::-1]
    for start in range(lags[-1], score.size, lags[0]):
        stop = min(start + lags[0], score.size)
        value = followed[start - lags[-1] : stop - lags[-1]] - price
        gain = value.max(axis=1)
        before[start:stop] = np.where(gain > 0.0, np.arange(start, stop) - lags[value.argmax(axis=1)], -1)
        score[start:stop] += np.maximum(gain, 0.0)
    chain = [score.size - lags[-1] + int(np.argmax(score[-lags[-1] :]))]
    while before[chain[-1]] >= lags[-1]:
        chain.append(int(before[chain[-1]]))
    return _times(local, np.array(chain[::-1]) - lags[-1])


def _times(local: Curve, beat_frames: Curve) -> Curve:
    """Turn frames into seconds between frames, without weak beats at both ends."""
    found = np.asarray(beat_frames, dtype=int)
    inner = found[(found > 0) & (found < local.size - 1)]
    strong = np.flatnonzero(local[inner] >= 0.5 * np.sqrt(np.mean(np.square(local[inner])))) if inner.size else inner
    if not strong.size:
        return np.empty(0)
    kept = inner[strong[0] : strong[-1] + 1]
    left, middle, right = local[kept - 1], local[kept], local[kept + 1]
    bend = left - 2.0 * middle + right
    # A parabola through three frames has its top between them only where the middle one is the highest.
    shift = np.where(
        (middle >= left) & (middle >= right) & (bend < 0.0), 0.5 * (left - right) / np.minimum(bend, -1e-9), 0
    )
    times: Curve = np.maximum((kept + shift + EARLY_FRAMES) / FRAME_RATE, 0.0)
    return times


def steadiness(pulse: Curve, times: Curve) -> float:
    """Share of beats whose attack is in the middle between the neighbouring beats, 0 to 1.

    The attack is the strongest frame within a fifth of a beat; in the middle means within a twentieth of a beat or a
    frame. 1 for a machine, whatever its tempo, also when it slowly drifts; about a half where attacks are anywhere; 0
    when there are fewer than three beats.
    """
    if times.size < 3:
        return 0.0
    places = times * FRAME_RATE - EARLY_FRAMES
    middle = 0.5 * (places[:-2] + places[2:])
    beat = float(np.median(np.diff(places)))
    reach = max(2, round(NEAR * beat))
    near = np.round(middle).astype(int)[:, None] + np.arange(-reach, reach + 1)
    attack = near[:, 0] + pulse[np.clip(near, 0, pulse.size - 1)].argmax(axis=1)
    return float(np.mean(np.abs(attack - middle) <= max(STEADY * beat, 1.0)))


def onset_rate(curve: Array | Curve) -> float:
    """Onsets per second: peaks of the novelty in dB that stand out, over the duration.

    A peak counts when its prominence is at least 0.5 dB and a tenth of the track's strong rises (99th percentile).
    Attacks less than 50 ms apart count once. At most about 20.
    """
    least = max(ONSET_DB, ONSET_SHARE * float(np.percentile(curve, 99)))
    peaks, _ = scipy.signal.find_peaks(curve, prominence=least, distance=2)
    return float(peaks.size * FRAME_RATE / curve.size)
