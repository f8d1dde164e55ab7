"""What happens to a clip after it was played: room, distortion, noise, level and coding, seeded."""

import random
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import fftconvolve

RATE = 44100

#: How soundfile is told the bit rate of an MP3 at 44.1 kHz: 320 to 32 kbit/s are 0 to 1.
MP3_KBITS, MOST_KBITS, LEAST_KBITS = (64, 96, 128, 192), 320, 32

Audio = NDArray[np.float32]


def finished(audio: Audio, rng: random.Random) -> Audio:
    """Add a room, hiss and a limiter to some clips, and set the level."""
    noise = np.random.default_rng(rng.randrange(2**32))
    if rng.random() < 0.5:
        time = np.arange(int(1.5 * RATE)) / RATE
        tail = noise.standard_normal((time.size, 2)) * np.exp(-time / rng.uniform(0.08, 0.35))[:, None]
        wet = fftconvolve(audio, tail / np.sqrt(np.sum(tail**2)), axes=0)[: len(audio)]
        audio = audio + rng.uniform(0.1, 0.5) * wet
    audio = audio / max(float(np.max(np.abs(audio))), 1e-6)
    if rng.random() < 0.3:
        audio = np.tanh(rng.uniform(1.0, 4.0) * audio)
    if rng.random() < 0.2:
        level = 10 ** (rng.uniform(-60.0, -40.0) / 20.0)
        audio = audio + np.float32(level) * noise.standard_normal(audio.shape, dtype=np.float32)
    return np.asarray(rng.uniform(0.3, 0.95) * audio / np.max(np.abs(audio)), dtype=np.float32)


def written(audio: Audio, stem: Path, rng: random.Random) -> str:
    """Write a clip as FLAC or as MP3 of some bit rate; give the file's name."""
    if rng.random() < 0.5:
        path = stem.with_suffix(".flac")
        soundfile.write(path, audio, RATE)
        return path.name
    path = stem.with_suffix(".mp3")
    share = (MOST_KBITS - rng.choice(MP3_KBITS)) / (MOST_KBITS - LEAST_KBITS)
    # Floats on purpose: given int16, soundfile's MP3 writer distorts heavily.
    soundfile.write(path, audio, RATE, format="MP3", bitrate_mode="CONSTANT", compression_level=share)
    return path.name
