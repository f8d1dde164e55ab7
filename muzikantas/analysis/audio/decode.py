"""Files to samples, block by block, with every guard against what is no recording."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from muzikantas.analysis.audio import formats
from muzikantas.domain.errors import UnusableAudio

#: Amplitudes, full scale is 1. Shape `(channels, n)` or `(n,)`.
Samples = NDArray[np.float32]

#: No recording is longer; a small file of compressed silence may claim to be.
LONGEST_FILE_S = 3 * 3600.0
#: Of what is held in memory at once: an hour of stereo at 44.1 kHz fills 1.3 GB.
LONGEST_DECODED_S = 3600.0

#: Memory that a process may have which reads foreign files: five times what it needs. Who starts it sets the limit.
MOST_BYTES = 1 << 30

#: Telephone speech to the fastest converters; a header may claim anything.
RATES_HZ = (4000, 384_000)
MOST_CHANNELS = 16

#: Block length in seconds: a block and what is made of it then fit into a processor's cache, which halves the time. In
#: tenths of a second, so that the loudness meter keeps nothing from block to block.
BLOCK_S = 4.4
#: The samples of a block over all channels at most (32 MB), whatever the rate.
BLOCK_SAMPLES = 8_000_000

#: Full scale is 1; 40 dB above it are no longer amplitudes.
LARGEST_SAMPLE = 100.0

#: MPEG-2 layer III at this rate keeps speech and cymbals at 48 kbit/s, and any player reads it.
PREVIEW_RATE = 22050

#: libsndfile maps 0..1 to 160..8 kbit/s at this sample rate: `1 - (48 - 8) / (160 - 8)`.
PREVIEW_COMPRESSION = 0.737

#: A clip cut in mid-sound would click without a short fade at both ends.
FADE_S = 0.02


@dataclass(frozen=True, kw_only=True)
class Stream:
    """A recording that is read while it is worked on, so that memory does not grow with its length."""

    sample_rate: int  #: in Hz
    channels: int
    announced_s: float | None  #: its length by its own header; None where the format has none
    blocks: Iterator[Samples]  #: `[shape=(channels, n)]` each, once


def blocks(source: bytes | BinaryIO, seconds: float = BLOCK_S) -> Stream:
    """Open an audio file (MP3, WAV, FLAC, Ogg Vorbis and Opus, AIFF, CAF, AU) to be read block by block.

    A file cut short is read as far as it goes, and so is a damaged one; an MP3 also goes on after its damage.

    Parameters
    ----------
    source
        The bytes of the file, or the file itself, opened in binary mode and seekable.
    seconds
        Length of a block; the last one is shorter, and so are all of extreme rates and many channels.

    Raises
    ------
    UnusableAudio
        Here when the file is no audio that we read, and while it is read when it has no sample, a sample that is not
        a finite number or beyond `LARGEST_SAMPLE`, or when it is longer than `LONGEST_FILE_S`.
    """
    sound, announced_s = formats.open_sound(io.BytesIO(source) if isinstance(source, bytes) else source)
    rate, channels = int(sound.samplerate), int(sound.channels)
    if not RATES_HZ[0] <= rate <= RATES_HZ[1] or channels > MOST_CHANNELS:
        raise UnusableAudio(
            f"the header says {rate} Hz and {channels} channels; expected {RATES_HZ[0]} to {RATES_HZ[1]} Hz and "
            f"at most {MOST_CHANNELS} channels: render the file again"
        )
    if announced_s is not None and announced_s > LONGEST_FILE_S:
        raise UnusableAudio(f"the recording lasts {announced_s:.0f} s; at most {LONGEST_FILE_S:.0f} are read: cut it")
    size = max(1, min(int(seconds * rate), BLOCK_SAMPLES // channels))
    return Stream(sample_rate=rate, channels=channels, announced_s=announced_s, blocks=_guarded(sound, size))


def decode(source: bytes | BinaryIO) -> tuple[Samples, int]:
    """Read a whole audio file into memory.

    Parameters
    ----------
    source
        As `blocks`.

    Returns
    -------
    samples
        `[shape=(channels, n)]`, float32.
    sample_rate
        In Hz.

    Raises
    ------
    UnusableAudio
        As `blocks`, and when it is longer than `LONGEST_DECODED_S`.
    """
    stream = blocks(source)
    parts: list[Samples] = []
    left = int(LONGEST_DECODED_S * stream.sample_rate)
    for part in stream.blocks:
        left -= part.shape[1]
        if left < 0:
            raise UnusableAudio(f"the recording is longer than {LONGEST_DECODED_S:.0f} s, the most at once: cut it")
        parts.append(part)
    return np.concatenate(parts, axis=1), stream.sample_rate


def preview(source: bytes | BinaryIO, seconds: float) -> bytes:
    """Cut a clip from the middle of a file, as a mono MP3 of about 48 kbit/s.

    Parameters
    ----------
    source
        As `blocks`.
    seconds
        Length of the clip; a shorter file is taken whole.

    Raises
    ------
    UnusableAudio
        As `blocks`.
    """
    stream = blocks(source)
    mono = np.concatenate([block.mean(axis=0) for block in stream.blocks])
    clip = np.clip(resample(middle(mono, stream.sample_rate, seconds), stream.sample_rate, PREVIEW_RATE), -1.0, 1.0)
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
    changed: Samples = soxr.resample(mono, rate, to_rate, quality="HQ")
    return changed


def middle(samples: Samples, sample_rate: int, seconds: float) -> Samples:
    """Give the middle `seconds` of `samples` (time is the last axis), or all of them when they are fewer."""
    wanted = int(seconds * sample_rate)
    start = max(0, (samples.shape[-1] - wanted) // 2)
    return samples[..., start : start + wanted]


def check_samples(samples: Samples) -> None:
    """Raise `UnusableAudio` unless all samples are finite amplitudes; engines answer others with nonsense, or never."""
    # Maximum and minimum pass NaN on, and need no copy as an absolute value would.
    largest = max(float(samples.max()), -float(samples.min()))
    if not np.isfinite(largest):
        broken = int(np.count_nonzero(~np.isfinite(samples)))
        raise UnusableAudio(f"{broken} of {samples.size} samples are not finite numbers: render the file again")
    if largest > LARGEST_SAMPLE:
        raise UnusableAudio(f"samples reach {largest:.3g}; amplitudes with full scale 1 expected: scale them")


def _guarded(sound: soundfile.SoundFile, size: int) -> Iterator[Samples]:
    """Read block after block and check each."""
    with sound:
        read = 0
        while (block := _block(sound, size)).shape[1]:
            read += block.shape[1]
            if read > LONGEST_FILE_S * sound.samplerate:
                raise UnusableAudio(f"the recording is longer than {LONGEST_FILE_S:.0f} s: cut it")
            check_samples(block)
            yield block
            if block.shape[1] < size:
                return
        if not read:
            raise UnusableAudio(f"a {sound.format} file with a header and no samples: download it again")


def _block(sound: soundfile.SoundFile, size: int) -> Samples:
    """Read `size` samples of each channel, `[shape=(channels, size)]`; fewer where the file ends or cannot be read."""
    block: Samples = np.empty((size, sound.channels), dtype=np.float32)
    start = sound.tell()
    try:
        count = len(sound.read(out=block))
    except soundfile.LibsndfileError:
        # What came before the damage is in the block already.
        count = sound.tell() - start
    return block[:count].T
