"""The one spectrogram that every feature shares."""

from dataclasses import dataclass

import librosa
import numpy as np
from numpy.typing import NDArray

from muzikantas.analysis.audio.decode import Samples, resample

#: Rhythm, harmony and timbre of music lie below 11 kHz; half the work of 44.1 kHz.
SAMPLE_RATE = 22050
WINDOW = 2048
HOP = 512
FRAME_RATE = SAMPLE_RATE / HOP
MEL_BANDS = 128

#: Above this, peaks are mostly overtones, which blur the key.
LOW_HZ = 1000.0

#: About a minute at once: a 20-minute track then needs 60 MB instead of 640.
BLOCK_FRAMES = 2584

#: A fold to mono this much below its channels (in power) has cancelled itself out: side signals, reversed polarity.
CANCELLED = 0.01

Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Frames:
    """What is kept of the spectrogram; time is the last axis, `FRAME_RATE` frames a second."""

    mel_power: Array  #: `[shape=(MEL_BANDS, frames)]`
    low: Array  #: magnitudes of the bins below `LOW_HZ`, `[shape=(bins, frames)]`
    power: Array  #: `[shape=(frames,)]`
    centroid_hz: Array  #: mean frequency of each frame weighted by magnitude, `[shape=(frames,)]`


def fold(samples: Samples, sample_rate: int) -> Array:
    """Fold channels to mono at `SAMPLE_RATE` with peak 1, so that nothing after it depends on level.

    Channels that cancel each other are not averaged; the strongest is taken.

    Parameters
    ----------
    samples
        `[shape=(channels, n)]`, finite.
    """
    mono = samples[0] if len(samples) == 1 else samples.mean(axis=0, dtype=np.float32)
    powers = [float(np.dot(channel, channel)) for channel in samples]
    if float(np.dot(mono, mono)) < CANCELLED * max(powers):
        mono = samples[int(np.argmax(powers))]
    folded = resample(np.ascontiguousarray(mono), sample_rate, SAMPLE_RATE)
    peak = float(np.max(np.abs(folded), initial=0.0))
    return folded / np.float32(peak) if peak > 0.0 else folded


def frames(mono: Array) -> Frames:
    """Compute the shared spectrogram of a mono signal at `SAMPLE_RATE`, block by block.

    Frames are centred: the first one stands at the first sample.
    """
    padded = np.pad(mono, WINDOW // 2)
    count = 1 + mono.size // HOP
    mel = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=WINDOW, n_mels=MEL_BANDS)
    blocks = [_block(padded, start, min(start + BLOCK_FRAMES, count), mel) for start in range(0, count, BLOCK_FRAMES)]
    return Frames(
        mel_power=np.concatenate([block.mel_power for block in blocks], axis=1),
        low=np.concatenate([block.low for block in blocks], axis=1),
        power=np.concatenate([block.power for block in blocks]),
        centroid_hz=np.concatenate([block.centroid_hz for block in blocks]),
    )


def _block(padded: Array, start: int, stop: int, mel: Array) -> Frames:
    """Analyse frames `start` to `stop` of a padded signal."""
    piece = padded[start * HOP : (stop - 1) * HOP + WINDOW]
    magnitude = np.abs(librosa.stft(piece, n_fft=WINDOW, hop_length=HOP, center=False))
    bin_hz = np.arange(WINDOW // 2 + 1, dtype=np.float32) * np.float32(SAMPLE_RATE / WINDOW)
    total = magnitude.sum(axis=0)
    spectrum_power = np.square(magnitude)
    return Frames(
        mel_power=mel @ spectrum_power,
        low=magnitude[bin_hz <= LOW_HZ],
        power=spectrum_power.sum(axis=0),
        centroid_hz=(bin_hz @ magnitude) / np.maximum(total, np.finfo(np.float32).tiny),
    )
