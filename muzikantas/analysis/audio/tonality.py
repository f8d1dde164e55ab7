"""Key and mode, from the peaks of the low spectrum."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from muzikantas.analysis.audio.spectrum import SAMPLE_RATE, WINDOW, Frames
from muzikantas.domain.features import PITCH_CLASSES, Mode

#: Share of each scale degree in a corpus of common-practice music: Albrecht & Shanahan, "The Use of Large Corpora to
#: Train a New Type of Key-Finding Algorithm", Music Perception 31(1), 2013. Far surer of thirds than Krumhansl's.
PROFILES: dict[Mode, tuple[float, ...]] = {
    "major": (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081),
    "minor": (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052),
}
MODES: tuple[Mode, Mode] = ("major", "minor")

#: Below about G1 semitones are 3 Hz apart, which no peak of a 93 ms window can tell.
LOWEST_HZ = 50.0

#: A peak this far below the loudest of its frame is taken for noise (40 dB).
FAINTEST = 0.01

#: How fast the confidence falls with the rival's correlation: 0.05 is the typical distance of a relative key.
RIVAL = 0.05

#: Contrast (standard deviation over mean) of a chroma from which on the key is taken to be heard plainly.
PLAIN_CONTRAST = 0.5

Chroma = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Key:
    """A tonic and mode, how sure it is, and how major the piece sounds."""

    tonic: str
    mode: Mode
    confidence: float  #: 0 to 1
    majorness: float  #: best major correlation minus best minor correlation, -2 to 2, in music about -0.3 to 0.3


def chroma(frames: Frames) -> Chroma:
    """Share of each pitch class, from C, `[shape=(12,)]`; sums to 1, or is all 0 when nothing has a pitch.

    Local maxima of the magnitude between 50 Hz and 1 kHz, their frequencies interpolated by a parabola through
    the log magnitudes, moved by the recording's own tuning, weighted by magnitude (Gómez, PhD thesis, UPF 2006).
    """
    pitch, weight = _peaks(frames.low)
    total = float(weight.sum())
    if total <= 0.0:
        return np.zeros(12)
    # The mean direction on the circle of one semitone is how far the whole recording is from A = 440 Hz.
    tuning = float(np.angle(np.sum(weight * np.exp(2j * np.pi * pitch)))) / (2.0 * np.pi)
    classes = np.rint(pitch - tuning).astype(np.int64) % 12
    return np.bincount(classes, weights=weight, minlength=12) / total


def _peaks(low: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give MIDI pitch and weight of every spectral peak, `[shape=(peaks,)]` each."""
    centre = low[1:-1]
    loudest = low.max(axis=0)
    is_peak = (centre > low[:-2]) & (centre >= low[2:]) & (centre > FAINTEST * loudest)
    bins, times = np.nonzero(is_peak)
    tiny = np.finfo(np.float32).tiny
    left, mid, right = (np.log(np.maximum(low[bins + k, times], tiny).astype(np.float64)) for k in range(3))
    offset = 0.5 * (left - right) / np.minimum(left - 2.0 * mid + right, -1e-9)
    hertz = (bins + 1 + np.clip(offset, -0.5, 0.5)) * SAMPLE_RATE / WINDOW
    heard = hertz >= LOWEST_HZ
    pitch = 69.0 + 12.0 * np.log2(hertz[heard] / 440.0)
    return pitch, low[bins + 1, times][heard].astype(np.float64)


def key(classes: Chroma) -> Key:
    """Find the key whose profile correlates best with a chroma.

    Confidence is the best key's share among all 24 after a softmax of the correlations (temperature `RIVAL`), scaled
    down when the chroma is flat. An ordering, not a probability: it is not calibrated.

    A flat chroma gives C major with confidence 0.

    Parameters
    ----------
    classes
        `[shape=(12,)]`, from C.
    """
    scores = np.array([[_correlation(classes, np.roll(PROFILES[mode], k)) for k in range(12)] for mode in MODES])
    mode_index, tonic = divmod(int(np.argmax(scores)), 12)
    share = 1.0 / float(np.sum(np.exp((scores - scores.max()) / RIVAL)))
    contrast = float(np.std(classes) / max(float(np.mean(classes)), 1e-12))
    return Key(
        tonic=PITCH_CLASSES[tonic],
        mode=MODES[mode_index],
        confidence=share * min(1.0, contrast / PLAIN_CONTRAST),
        majorness=float(scores[0].max() - scores[1].max()),
    )


def _correlation(a: Chroma, b: Chroma) -> float:
    """Pearson correlation of two vectors; 0 when one is flat."""
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt(np.dot(a, a) * np.dot(b, b)))
    return float(np.dot(a, b)) / norm if norm > 1e-12 else 0.0
