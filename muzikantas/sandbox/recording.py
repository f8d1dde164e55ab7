"""One take becomes one mp3 file, written whole or not at all."""

import functools
import io
import math
from pathlib import Path

import numpy as np

from muzikantas.sandbox.instruments import SAMPLE_RATE, Samples
from muzikantas.sandbox.obedience import Realised

#: Of libsndfile, 0 to 1: about 90 kbit/s, a quarter quicker to encode than its default.
_COMPRESSION = 0.9


def warm_up() -> None:
    """Import what the first take needs, while nobody waits for it yet."""
    import soundfile  # noqa: F401, PLC0415 - start-up must not pay for it
    from scipy.signal import oaconvolve, sosfilt  # noqa: F401, PLC0415 - as above


def record(path: Path, take: Realised, *, audio_seconds: float, rng: np.random.Generator) -> float:
    """Play a take into a file; give its length in seconds."""
    from muzikantas.sandbox import synth  # noqa: PLC0415 - keeps numpy's friends out of the start-up

    samples = synth.render(take, audio_seconds=audio_seconds, rng=rng)
    write(path, _mp3(samples))
    return math.floor(100 * len(samples) / SAMPLE_RATE) / 100


def write(path: Path, data: bytes) -> None:
    """Put a file in its place at once, so that nobody sees half of it."""
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(data)
    unfinished.replace(path)


def play_into_wav(path: Path) -> None:
    """Write what an mp3 file sounds like beside it, as WAV of 16 bits."""
    import soundfile  # noqa: PLC0415 - see above

    samples, rate = soundfile.read(path, dtype="int16")
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="WAV", subtype="PCM_16")
    write(path.with_suffix(".wav"), file.getvalue())


@functools.lru_cache(maxsize=8)
def silence(seconds: int) -> bytes:
    """Give a file in which nothing sounds."""
    return _mp3(np.zeros((seconds * SAMPLE_RATE, 2), np.float32))


def _mp3(samples: Samples) -> bytes:
    """Encode samples. They must be float32: int16 comes out of libsndfile's encoder badly distorted."""
    import soundfile  # noqa: PLC0415 - see above

    file = io.BytesIO()
    soundfile.write(file, samples, SAMPLE_RATE, format="MP3", compression_level=_COMPRESSION)
    return file.getvalue()
