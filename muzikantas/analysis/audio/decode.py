"""Files to samples, and samples to a small clip for a report."""

import io

import librosa
import numpy as np
import soundfile
from numpy.typing import NDArray

from muzikantas.domain.errors import UnusableAudio

#: Amplitudes, full scale is 1. Shape `(channels, n)` or `(n,)`.
Samples = NDArray[np.float32]

#: An hour of stereo at 44.1 kHz fills 1.3 GB; four listeners must fit into one ordinary machine.
LONGEST_FILE_S = 3600.0

#: MPEG-2 layer III at this rate keeps speech and cymbals at 48 kbit/s, and any player reads it.
PREVIEW_RATE = 22050

#: libsndfile maps 0..1 to 160..8 kbit/s at this sample rate: `1 - (48 - 8) / (160 - 8)`.
PREVIEW_COMPRESSION = 0.737

#: A clip cut in mid-sound would click without a short fade at both ends.
FADE_S = 0.02


def decode(data: bytes) -> tuple[Samples, int]:
    """Read an audio file (MP3, WAV, FLAC, Ogg and what else libsndfile knows) into samples.

    Parameters
    ----------
    data
        The bytes of the file. A file cut short is read as far as it goes.

    Returns
    -------
    samples
        `[shape=(channels, n)]`, float32.
    sample_rate
        In Hz.

    Raises
    ------
    UnusableAudio
        When the bytes are none, no audio, without a sample, or longer than `LONGEST_FILE_S`.
    """
    if not data:
        raise UnusableAudio("the file has 0 bytes; expected audio: download it again")
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            rate = int(file.samplerate)
            if file.frames > LONGEST_FILE_S * rate:
                raise UnusableAudio(
                    f"the file holds {file.frames / rate:.0f} s; at most {LONGEST_FILE_S:.0f} s are read: cut it"
                )
            samples: Samples = file.read(dtype="float32", always_2d=True).T
    except soundfile.LibsndfileError as error:
        found = _describe(data)
        raise UnusableAudio(f"{found} is no audio that libsndfile can read ({error}): check its source") from error
    if samples.shape[1] == 0:
        raise UnusableAudio(f"{_describe(data)} has a header and no samples: download it again")
    return samples, rate


def preview(data: bytes, seconds: float) -> bytes:
    """Cut a clip from the middle of a file, as a mono MP3 of about 48 kbit/s.

    Parameters
    ----------
    data
        The bytes of the file.
    seconds
        Length of the clip; a shorter file is taken whole.

    Raises
    ------
    UnusableAudio
        As `decode`.
    """
    samples, rate = decode(data)
    mono = np.nan_to_num(middle(samples, rate, seconds).mean(axis=0, dtype=np.float32))
    clip = np.clip(resample(mono, rate, PREVIEW_RATE), -1.0, 1.0)
    ramp = np.linspace(0.0, 1.0, min(int(FADE_S * PREVIEW_RATE), clip.size // 2), dtype=np.float32)
    clip[: ramp.size] *= ramp
    clip[clip.size - ramp.size :] *= ramp[::-1]
    file = io.BytesIO()
    # Floats on purpose: given int16, soundfile's MP3 writer distorts stereo heavily (0.14).
    soundfile.write(
        file,
        clip,
        PREVIEW_RATE,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode="CONSTANT",
        compression_level=PREVIEW_COMPRESSION,
    )
    return file.getvalue()


def resample(mono: Samples, rate: int, to_rate: int) -> Samples:
    """Change the sample rate of one channel, `[shape=(n,)]`, by soxr at its high quality."""
    changed: Samples = librosa.resample(mono, orig_sr=rate, target_sr=to_rate, res_type="soxr_hq")
    return changed


def middle(samples: Samples, sample_rate: int, seconds: float) -> Samples:
    """Give the middle `seconds` of `samples` (time is the last axis), or all of them when they are fewer."""
    wanted = int(seconds * sample_rate)
    start = max(0, (samples.shape[-1] - wanted) // 2)
    return samples[..., start : start + wanted]


def _describe(data: bytes) -> str:
    """Name what the bytes look like, for an error message."""
    if data[:512].lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return f"a web page of {len(data)} bytes"
    return f"a file of {len(data)} bytes starting with {data[:8]!r}"
