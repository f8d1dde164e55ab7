"""Tempo and onsets, from one novelty curve."""

import librosa
import numpy as np
import scipy.ndimage
import scipy.signal
from numpy.typing import NDArray

from muzikantas.analysis.audio.spectrum import FRAME_RATE, HOP, SAMPLE_RATE, Array, Frames

TEMPO_RANGE_BPM = (40.0, 250.0)

#: Tempo is compared at steps of half a per cent; `_refined` finds the rest.
CANDIDATES_BPM = np.geomspace(*TEMPO_RANGE_BPM, 368)

#: Centre and width in octaves of the log-normal prior of perceived tempo; a first guess on purpose: tuning it on some
#: hundred recordings overfits.
PRIOR_BPM, PRIOR_OCTAVES = 120.0, 0.8

#: Tempo is judged in windows of about 12 s, in which even a live band keeps time.
WINDOW_FRAMES = 512
NFFT = 8192
COMB_BEATS = 4

#: A candidate's salience is halved when its spectral power is this share of the strongest candidate's. Small on
#: purpose: it only refuses multiples of even clicks, and leaves real metres to the prior.
VETO = 0.005

#: The share of the mean over bands in the novelty: enough for pads and basses without a broadband attack, which leave
#: the median at zero.
MEAN_SHARE = 0.1

#: A rise of the typical band that counts as an onset, in dB, and as a share of the track's strong onsets.
ONSET_DB, ONSET_SHARE = 0.5, 0.1

Curve = NDArray[np.float64]


def novelty(frames: Frames) -> Curve:
    """How much louder the bands get from frame to frame, in dB, `[shape=(frames,)]`.

    The spectral flux of the mel spectrogram in dB (Böck & Widmer, DAFx 2013, without vibrato suppression); the median
    over bands instead of the mean holds single notes and vibrato back.
    """
    mel_db = librosa.power_to_db(frames.mel_power, ref=np.max, top_db=80.0)
    curve = librosa.onset.onset_strength(S=mel_db, sr=SAMPLE_RATE, hop_length=HOP, aggregate=_typical_rise)
    return np.asarray(curve, dtype=np.float64)


def _typical_rise(rises: Array, axis: int) -> Array:
    """Combine the rises of all bands: their median, and a little of their mean."""
    combined: Array = np.median(rises, axis=axis) + MEAN_SHARE * np.mean(rises, axis=axis)
    return combined


def tempo(curve: Curve) -> tuple[float, float]:
    """Beats per minute (40 to 250) and the confidence in them (0 to 1).

    Tempo is the candidate where three things agree: the autocorrelation of the novelty is high at one, two, three
    and four beats (the least of them counts, so that no fraction of the beat passes); its spectrum has power at the
    beat rate, which refuses multiples of an even click (after Peeters, EURASIP JASP 2007); and a log-normal prior.
    A fit of four harmonics over the whole recording then takes the tempo off the grid.

    Confidence is that least autocorrelation: 1 for a machine's even clicks, 0 for noise. It does not tell 70 from
    140: metrical level is ambiguous in music itself, so compare tempi modulo octaves.

    A recording without any change gives the middle of the prior with confidence 0.
    """
    detrended = curve - scipy.ndimage.uniform_filter1d(curve, round(1.5 * FRAME_RATE))
    if float(np.ptp(detrended)) <= np.finfo(np.float32).eps:
        return PRIOR_BPM, 0.0
    power, correlation, window = _periodicity(detrended)
    comb = _comb(correlation, window, CANDIDATES_BPM)
    beat_power = np.interp(CANDIDATES_BPM / 60.0, np.arange(power.size) * FRAME_RATE / NFFT, power)
    prior = np.exp(-0.5 * (np.log2(CANDIDATES_BPM / PRIOR_BPM) / PRIOR_OCTAVES) ** 2)
    salience = np.maximum(comb, 0.0) * beat_power / (beat_power + VETO * beat_power.max()) * prior
    best = _refined(detrended, float(CANDIDATES_BPM[int(np.argmax(salience))]))
    return best, float(np.clip(_comb(correlation, window, np.array([best]))[0], 0.0, 1.0))


def _periodicity(curve: Curve) -> tuple[Curve, Curve, int]:
    """Give the mean local power spectrum of a curve, its normalised autocorrelation, and the window in frames."""
    window = min(WINDOW_FRAMES, curve.size)
    _, power = scipy.signal.welch(curve, fs=FRAME_RATE, nperseg=window, nfft=NFFT)
    taper = scipy.signal.get_window("hann", window)
    # Dividing by the taper's own autocorrelation gives long lags the weight that the window took from them.
    bias = np.fft.irfft(np.abs(np.fft.rfft(taper, NFFT)) ** 2)[:window]
    # The spectrum is one-sided: half of everything but the two ends restores the even one.
    even = power / np.r_[1.0, np.full(power.size - 2, 2.0), 1.0]
    correlation = np.fft.irfft(even)[:window] / np.maximum(bias / bias[0], 0.05)
    return power, correlation / max(correlation[0], np.finfo(float).tiny), window


def _comb(correlation: Curve, window: int, tempi_bpm: Curve) -> Curve:
    """Least autocorrelation at one to four beats of each tempo, as many as fit into two thirds of the window."""
    beats = np.arange(1, COMB_BEATS + 1)[:, None]
    lags = beats * (60.0 * FRAME_RATE / tempi_bpm)[None, :]
    values = np.interp(lags, np.arange(correlation.size), correlation)
    # The first beat always fits: 40 bpm are 65 frames, and five seconds, the least we measure, are 215.
    fits = (lags <= window * 2.0 / 3.0) | (beats == 1)
    least: Curve = np.min(np.where(fits, values, np.inf), axis=0)
    return least


def _refined(curve: Curve, coarse_bpm: float) -> float:
    """Find the tempo within 2 % of a coarse one whose first four harmonics are strongest over the whole recording."""
    size = 8 * int(2 ** np.ceil(np.log2(curve.size)))
    magnitude = np.abs(np.fft.rfft(curve * np.hanning(curve.size), size))
    tempi = np.clip(coarse_bpm * np.linspace(0.98, 1.02, 401), *TEMPO_RANGE_BPM)
    harmonics = np.arange(1, 5)[:, None] * tempi[None, :] / 60.0
    strength = np.interp(harmonics, np.arange(magnitude.size) * FRAME_RATE / size, magnitude).sum(axis=0)
    return float(tempi[int(np.argmax(strength))])


def onset_rate(curve: Curve) -> float:
    """Onsets per second: peaks of the novelty that stand out, over the duration.

    A peak counts when its prominence is at least 0.5 dB and a tenth of the track's strong rises (99th percentile).
    Attacks less than 50 ms apart count once. At most about 20.
    """
    least = max(ONSET_DB, ONSET_SHARE * float(np.percentile(curve, 99)))
    peaks, _ = scipy.signal.find_peaks(curve, prominence=least, distance=2)
    return float(peaks.size * FRAME_RATE / curve.size)
