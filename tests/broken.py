"""A folder of files as they should not be, each with what must be said of it: `python -m tests.broken FOLDER`."""

import io
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

Sound = npt.NDArray[np.float32]

RATE = 22050
#: Long enough to be measured when half of it is lost.
SECONDS = 14.0


def music(seconds: float = SECONDS, rate: int = RATE, channels: int = 1) -> Sound:
    """Strike a chord twice a second over a little hiss, `[shape=(n, channels)]`."""
    time = np.arange(int(seconds * rate)) / rate
    chord = sum(np.sin(2 * np.pi * hertz * time) for hertz in (220.0, 277.2, 329.6))
    hiss = np.random.default_rng(1).standard_normal(time.size)
    mono = 0.2 * chord * np.exp(-5 * (time % 0.5)) + 0.003 * hiss
    return np.repeat(mono[:, None], channels, axis=1).astype(np.float32)


def encode(sound: Sound, format_: str, rate: int = RATE, subtype: str | None = None) -> bytes:
    """Encode a sound; second by second, because libsndfile's Ogg writer crashes on long arrays."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate, sound.shape[1], format=format_, subtype=subtype) as out:
        for start in range(0, len(sound), rate):
            out.write(sound[start : start + rate])
    return file.getvalue()


def garbage(size: int) -> bytes:
    """Bytes without any order."""
    return np.random.default_rng(2).integers(0, 256, size, dtype=np.uint8).tobytes()


def spoiled(sound: Sound, value: float) -> Sound:
    """Put one wrong sample near the end."""
    copy = sound.copy()
    copy[-RATE, 0] = value
    return copy


def refused() -> dict[str, tuple[bytes, str]]:
    """Files that hold no music we can measure, with words that the refusal must have."""
    mp3, wav = encode(music(), "MP3"), encode(music(), "WAV")
    quiet = np.zeros((int(SECONDS * RATE), 1), dtype=np.float32)
    many_channels = bytearray(wav)
    many_channels[22:24] = struct.pack("<H", 1000)
    return {
        "zero bytes.mp3": (b"", "0 bytes"),
        "few bytes.mp3": (garbage(500), "500 bytes"),
        "megabyte of noise.mp3": (garbage(1 << 20), "no audio: check its source"),
        "sync words only.mp3": (b"\xff\xfb\x90\x64" * 20_000, "no audio: check its source"),
        "web page.mp3": (b"\n <!DOCTYPE html><html>expired</html>", "a web page"),
        "json.mp3": (b'{"code": 404, "msg": "not found"}', "a JSON text"),
        "picture.mp3": (b"\x89PNG\r\n\x1a\n" + garbage(2000), "a PNG picture"),
        "text.wav": (b"no music " * 100, "no audio: check its source"),
        "cut to nothing.mp3": (mp3[:60], "60 bytes"),
        "cut to its header.wav": (wav[:40], "cannot be opened"),
        "header only.wav": (encode(quiet[:0], "WAV"), "no samples"),
        "garbage after its header.flac": (encode(music(), "FLAC")[:42] + garbage(9000), "no samples|cannot be opened"),
        "silence.wav": (encode(quiet, "WAV"), "silent"),
        "silence.mp3": (encode(quiet, "MP3"), "silent"),
        "tenth of a second.wav": (encode(music(0.1), "WAV"), "0.1"),
        "not a number.wav": (encode(spoiled(music(), np.nan), "WAV", subtype="FLOAT"), "not finite"),
        "infinite.wav": (encode(spoiled(music(), np.inf), "WAV", subtype="FLOAT"), "not finite"),
        "absurdly loud.wav": (encode(spoiled(music(), 1e30), "WAV", subtype="FLOAT"), "full scale"),
        "eight hertz.wav": (encode(music(), "WAV", rate=8), "8 Hz"),
        "thousand channels.wav": (bytes(many_channels), "1000 channels|cannot be opened"),
        "four hours.flac": (encode(np.zeros((4 * 3600 * 4000, 1), np.float32), "FLAC", rate=4000), "at most 10800"),
        "aac.m4a": (b"\0\0\0\x20ftypM4A " + garbage(5000), "MP4.*convert it to FLAC or MP3"),
        "aac named.mp3": (b"\0\0\0\x20ftypisom" + garbage(5000), "MP4.*convert it to FLAC or MP3"),
        "aac.aac": (b"\xff\xf1\x50\x80" + garbage(5000), "ADTS.*convert it to FLAC or MP3"),
        "opus in webm.webm": (b"\x1aE\xdf\xa3" + garbage(5000), "WebM"),
        "notes.mid.mp3": (b"MThd" + garbage(500), "MIDI"),
    }


def readable() -> dict[str, tuple[bytes, float]]:
    """Files that are damaged or unusual and hold music all the same, with the seconds that can be had of them."""
    mp3, wav, flac = (encode(music(), name) for name in ("MP3", "WAV", "FLAC"))
    half = SECONDS / 2
    middle = len(mp3) // 2
    piped = flac[:21] + bytes([flac[21] & 0xF0, 0, 0, 0, 0]) + flac[26:]
    streamed = wav[:4] + b"\xff" * 4 + wav[8:40] + b"\xff" * 4 + wav[44:]
    return {
        "cut in half.mp3": (mp3[:middle], half),
        "without its start.mp3": (mp3[len(mp3) // 3 :], SECONDS * 2 / 3),
        "garbage put inside.mp3": (mp3[:middle] + garbage(200_000) + mp3[middle:], SECONDS),
        "garbage in place of sound.mp3": (mp3[:middle] + garbage(5000) + mp3[middle + 5000 :], SECONDS - 0.7),
        "zeros inside.mp3": (mp3[:middle] + bytes(2000) + mp3[middle:], SECONDS),
        "after an error page.mp3": (garbage(3000) + mp3, SECONDS),
        "large tag.mp3": (b"ID3\x04\0\0" + struct.pack("4B", 0, 64, 0, 0) + bytes(64 << 14) + mp3, SECONDS),
        "text after its end.mp3": (mp3 + b"TAG" + b"nobody " * 500, SECONDS),
        "cut in half.wav": (wav[: len(wav) // 2], half),
        "size unknown.wav": (streamed, SECONDS),
        "length unknown.flac": (piped, SECONDS),
        "cut in half.flac": (flac[: len(flac) // 2], half),
        "garbage inside.flac": (flac[: len(flac) // 2] + garbage(len(flac) // 2), half),
        "cut in half.ogg": ((ogg := encode(music(), "OGG"))[: len(ogg) // 2], half),
        "opus.opus": (encode(music(rate=48000), "OGG", 48000, "OPUS"), SECONDS),
        "telephone.wav": (encode(music(rate=8000), "WAV", 8000), SECONDS),
        "studio.flac": (encode(music(rate=96000, channels=2), "FLAC", 96000, "PCM_24"), SECONDS),
        "studio.wav": (encode(music(rate=96000, channels=2), "WAV", 96000, "PCM_24"), SECONDS),
        "five channels and one.wav": (encode(music(channels=6), "WAV"), SECONDS),
        "flac named.mp3": (flac, SECONDS),
        "mp3 named.wav": (mp3, SECONDS),
        "lossless.aiff": (encode(music(), "AIFF"), SECONDS),
        "clipped.wav": (encode(np.clip(100 * music(), -1, 1), "WAV"), SECONDS),
    }


def write(folder: Path, files: dict[str, tuple[bytes, object]]) -> list[Path]:
    """Write files into a folder; give their paths, sorted."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (data, _) in files.items():
        (folder / name).write_bytes(data)
    return sorted(folder / name for name in files)


if __name__ == "__main__":
    makers: tuple[Callable[[], dict[str, tuple[bytes, object]]], ...] = (refused, readable)  # type: ignore[assignment]  # dict is invariant
    for maker in makers:
        write(Path(sys.argv[1]), maker())
