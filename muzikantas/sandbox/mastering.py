"""The last step of a take: tone by a tilt filter, level by a soft limiter. Both aim at a measured target."""

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from muzikantas.sandbox.instruments import SAMPLE_RATE, Samples

CEILING = 0.78  #: -2.2 dBFS: decoding an mp3 may overshoot its samples by about one decibel
_FRAME = 2048
_HEARD_HZ = 11_000  #: listeners usually resample to 22.05 kHz; the tone is aimed at what they hear


def tilt_to(samples: Samples, centroid_hz: float) -> Samples:
    """Filter `samples` (shape `(n, 2)`) so that their median spectral centroid comes to `centroid_hz`."""
    frequencies = np.fft.rfftfreq(_FRAME, 1 / SAMPLE_RATE)
    spectra = _spectra(samples.mean(axis=1))[:, frequencies < _HEARD_HZ]
    heard = frequencies[frequencies < _HEARD_HZ]
    flattest, steepest = 4.0, -4.0
    for _ in range(18):
        exponent = (flattest + steepest) / 2
        weighted = spectra * _curve(heard, exponent)
        centroid = float(np.median(weighted @ heard / (weighted.sum(axis=1) + 1e-12)))
        steepest, flattest = (exponent, flattest) if centroid < centroid_hz else (steepest, exponent)
    return _filtered(samples, _curve(frequencies, exponent))


def _spectra(mono: NDArray[Any]) -> NDArray[Any]:
    starts = np.linspace(0, mono.size - _FRAME, 96).astype(int)
    frames = np.stack([mono[start : start + _FRAME] for start in starts]) * np.hanning(_FRAME)
    spectra: NDArray[Any] = np.abs(np.fft.rfft(frames))
    loudness = spectra.sum(axis=1)
    heard: NDArray[Any] = spectra[loudness >= np.quantile(loudness, 0.2)]
    return heard


def _curve(frequencies: NDArray[Any], exponent: float) -> NDArray[Any]:
    curve: NDArray[Any] = (np.clip(frequencies, 60, 12_000) / 1000) ** exponent
    return curve


def _filtered(samples: Samples, curve: NDArray[Any]) -> Samples:
    from scipy.signal import oaconvolve  # noqa: PLC0415 - half a second of import that start-up must not pay

    taps = np.roll(np.fft.irfft(curve), _FRAME // 2)[:-1] * np.hanning(_FRAME - 1)
    filtered: Samples = oaconvolve(samples, taps[:, None].astype(np.float32), mode="same", axes=0)
    return filtered


def level_to(samples: Samples, loudness_lufs: float) -> Samples:
    """Bring `samples` to about `loudness_lufs` (ITU-R BS.1770), peaks bent softly below `CEILING`."""
    gain_db = loudness_lufs - loudness(samples)
    for _ in range(2):
        gain_db += loudness_lufs - loudness(_limited(samples, gain_db))
    return _limited(samples, gain_db)


def _limited(samples: Samples, gain_db: float) -> Samples:
    limited: Samples = np.float32(CEILING) * np.tanh(samples * np.float32(10 ** (gain_db / 20) / CEILING))
    return limited


def loudness(samples: Samples) -> float:
    """Estimate the loudness in LUFS, ungated, from every fourth half second: enough to set a level."""
    from scipy.signal import sosfilt  # noqa: PLC0415 - see above

    block = SAMPLE_RATE // 2
    whole = samples[: samples.shape[0] // (4 * block) * 4 * block]
    chosen = whole.reshape(-1, 4, block, 2)[:, 1].reshape(-1, 2) if whole.size else samples
    power = np.mean(np.square(sosfilt(_k_weighting(), chosen, axis=0)), axis=0).sum()
    return float(-0.691 + 10 * np.log10(power + 1e-12))


@functools.cache
def _k_weighting() -> NDArray[Any]:
    """Give the two filters of BS.1770-5, annex 1: a shelf and a high-pass, by the bilinear transform."""
    shelf_k = np.tan(np.pi * 1681.974450955533 / SAMPLE_RATE)
    high, quality = 10 ** (3.999843853973347 / 20), 0.7071752369554196
    band = high**0.4996667741545416
    a0 = 1 + shelf_k / quality + shelf_k**2
    poles = (1.0, 2 * (shelf_k**2 - 1) / a0, (1 - shelf_k / quality + shelf_k**2) / a0)
    zeros = (
        (high + band * shelf_k / quality + shelf_k**2) / a0,
        2 * (shelf_k**2 - high) / a0,
        (high - band * shelf_k / quality + shelf_k**2) / a0,
    )
    pass_k, pass_q = np.tan(np.pi * 38.13547087602444 / SAMPLE_RATE), 0.5003270373238773
    b0 = 1 + pass_k / pass_q + pass_k**2
    floor = (1.0, 2 * (pass_k**2 - 1) / b0, (1 - pass_k / pass_q + pass_k**2) / b0)
    return np.array([[*zeros, *poles], [1.0, -2.0, 1.0, *floor]])
