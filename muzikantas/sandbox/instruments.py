"""The players: one-shot drums and band-limited tones, as float32 arrays of shape `(n,)` at 44.1 kHz."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

SAMPLE_RATE = 44_100
_TABLE = 2048
_TOP_HZ = 11_000  #: harmonics above this are left out: far below the Nyquist frequency, so that nothing aliases


def _seconds(duration_s: float) -> NDArray[np.float64]:
    return np.arange(round(duration_s * SAMPLE_RATE)) / SAMPLE_RATE


def kick() -> Samples:
    """A sine that falls from 130 to 48 Hz within a tenth of a second."""
    t = _seconds(0.28)
    phase = 2 * np.pi * (48 * t + 82 * 0.03 * (1 - np.exp(-t / 0.03)))
    click = np.exp(-t / 0.002) * np.sin(2 * np.pi * 1800 * t)
    return _single(np.sin(phase) * np.exp(-t / 0.08) + 0.25 * click)


def snare(rng: np.random.Generator) -> Samples:
    """A 185 Hz skin under a burst of noise."""
    t = _seconds(0.22)
    wires = rng.standard_normal(t.size) * np.exp(-t / 0.055)
    return _single(0.5 * wires + 0.6 * np.sin(2 * np.pi * 185 * t) * np.exp(-t / 0.05))


def hat(rng: np.random.Generator) -> Samples:
    """A short burst of noise, differentiated twice, so that little is left below 3 kHz."""
    t = _seconds(0.06)
    return _single(0.3 * np.diff(rng.standard_normal(t.size + 2), n=2) * np.exp(-t / 0.016))


class Voice:
    """A pitched instrument with its own overtones; repeated notes are rendered once.

    Parameters
    ----------
    rolloff
        Overtone h has amplitude `h ** -rolloff`: 1 is a sawtooth, 3 nearly a sine.
    attack_s, decay_s
        Rise time, and the time constant of the exponential fall.
    """

    def __init__(self, *, rolloff: float, attack_s: float, decay_s: float, rng: np.random.Generator) -> None:
        self._rolloff, self._attack_s, self._decay_s = rolloff, attack_s, decay_s
        self._phases = np.exp(2j * np.pi * rng.random(_TABLE // 2 + 1))
        self._notes: dict[tuple[int, int], Samples] = {}

    def note(self, midi: int, duration_s: float) -> Samples:
        """Play one note of equal temperament (69 = A4 = 440 Hz)."""
        length = round(duration_s * SAMPLE_RATE)
        if (midi, length) not in self._notes:
            self._notes[midi, length] = self._render(midi, length)
        return self._notes[midi, length]

    def _render(self, midi: int, length: int) -> Samples:
        frequency = 440.0 * 2.0 ** ((midi - 69) / 12)
        harmonics = np.arange(_TABLE // 2 + 1, dtype=float)
        harmonics[0] = np.inf
        amplitudes = harmonics**-self._rolloff * (harmonics * frequency < _TOP_HZ)
        table = np.fft.irfft(amplitudes * self._phases) * _TABLE / 2
        positions = (np.arange(length) * (frequency * _TABLE / SAMPLE_RATE)).astype(np.int64) & (_TABLE - 1)
        return _single(table.astype(np.float32)[positions] * self._envelope(length))

    def _envelope(self, length: int) -> Samples:
        t = np.arange(length, dtype=np.float32) / SAMPLE_RATE
        release = np.minimum(1, (length / SAMPLE_RATE - t) / 0.02)
        return _single(np.minimum(1, t / self._attack_s) * np.exp(-t / self._decay_s) * release)


def _single(samples: NDArray[Any]) -> Samples:
    return samples.astype(np.float32, copy=False)
