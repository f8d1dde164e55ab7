"""Long files for the time and memory tables."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

RATE = 44100

#: A little less than a minute, so that sixty of them and the padding of the encoder stay within an hour.
MINUTE_S = 59.5

#: libsndfile maps 0..1 to 320..32 kbit/s at 44.1 kHz: `1 - (192 - 32) / (320 - 32)`.
COMPRESSION_192K = 0.444


def song(clips: Sequence[Path], seconds: float, path: Path) -> Path:
    """Join rendered clips to one MP3 of 192 kbit/s, as long as a usual track."""
    if not path.exists():
        parts = [soundfile.read(clip, dtype="float32", always_2d=True)[0] for clip in clips]
        samples = np.concatenate(parts)[: int(seconds * RATE)]
        with _writer(path) as file:
            file.write(samples)
    return path


def drone(minutes: int, path: Path) -> Path:
    """Write a pulsing chord in noise: one minute is encoded, and its frames are repeated."""
    if not path.exists():
        time = np.arange(int(MINUTE_S * RATE)) / RATE
        chord = sum(np.sin(2.0 * np.pi * hertz * time) for hertz in (220.0, 277.2, 329.6)) * np.exp(-4.0 * (time % 0.5))
        mono = 0.2 * chord + 0.01 * np.random.default_rng(4).standard_normal(time.size)
        with _writer(path) as file:
            file.write(np.stack([mono, mono[::-1]], axis=1).astype(np.float32))
        path.write_bytes(_frames(path.read_bytes()) * minutes)
    return path


def _frames(data: bytes) -> bytes:
    """Cut the first frame off an MP3: it holds no sound but the length of the file, which is to be repeated."""
    if b"Info" not in data[:200] and b"Xing" not in data[:200]:
        return data
    # The next frame starts with the same three bytes of header, but for the padding bit.
    second = next(k for k in range(4, len(data)) if data[k : k + 2] == data[:2] and (data[k + 2] ^ data[2]) & 0xFD == 0)
    return data[second:]


def _writer(path: Path) -> soundfile.SoundFile:
    return soundfile.SoundFile(
        path,
        "w",
        samplerate=RATE,
        channels=2,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=COMPRESSION_192K,
    )
