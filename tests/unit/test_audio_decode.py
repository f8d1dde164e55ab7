"""Files in, samples out; and what is no audio is refused by name."""

import io

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from muzikantas.analysis import audio
from muzikantas.domain.errors import UnusableAudio

RATE = 44100


def stereo(seconds: float = 12.0) -> npt.NDArray[np.float32]:
    time = np.arange(int(seconds * RATE)) / RATE
    return np.stack([0.5 * np.sin(2 * np.pi * hertz * time) for hertz in (440, 660)]).astype(np.float32)


def encode(samples: npt.NDArray[np.float32], format_: str, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples.T, rate, format=format_)
    return file.getvalue()


@pytest.mark.parametrize("format_", ["WAV", "FLAC", "OGG", "MP3"])
def test_each_format_gives_back_what_was_written(format_: str) -> None:
    written = stereo()
    read, rate = audio.decode(encode(written, format_))
    assert rate == RATE
    assert read.dtype == np.float32
    assert read.shape[0] == 2
    assert read.shape[1] == pytest.approx(written.shape[1], abs=3000)  # MP3 pads whole frames
    assert np.std(read, axis=1) == pytest.approx(np.std(written, axis=1), rel=0.02)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "0 bytes"),
        (b"<!DOCTYPE html><html><body>expired</body></html>", "a web page of 48 bytes"),
        (b"\n <html>" + b"x" * 600, "a web page"),
        (bytes(range(256)) * 2, "512 bytes starting with"),
        (encode(stereo(), "MP3")[:100], "100 bytes"),
        (encode(np.zeros((2, 0), dtype=np.float32), "WAV"), "no samples"),
    ],
    ids=["empty", "html", "html after blanks", "garbage", "truncated to nothing", "header only"],
)
def test_what_is_no_audio_is_refused_by_name(data: bytes, message: str) -> None:
    with pytest.raises(UnusableAudio, match=message):
        audio.decode(data)
    with pytest.raises(UnusableAudio, match=message):
        audio.preview(data, 5.0)


def test_a_file_cut_in_half_is_read_as_far_as_it_goes() -> None:
    whole = encode(stereo(), "MP3")
    read, rate = audio.decode(whole[: len(whole) // 2])
    assert read.shape[1] / rate == pytest.approx(6.0, abs=0.5)


def test_hours_of_audio_are_refused_before_they_fill_the_memory() -> None:
    # A WAV header may claim any length: 16 bits at 8 Hz make an hour and a second small.
    silent = encode(np.zeros((1, 3601 * 8), dtype=np.float32), "WAV", rate=8)
    with pytest.raises(UnusableAudio, match="3601 s"):
        audio.decode(silent)


def test_a_preview_is_a_small_mono_clip_from_the_middle() -> None:
    time = np.arange(30 * RATE) / RATE
    hertz = np.where((time > 10) & (time < 20), 880, 220)
    whole = np.tile(0.5 * np.sin(2 * np.pi * hertz * time), (2, 1)).astype(np.float32)
    clip = audio.preview(encode(whole, "FLAC"), 8.0)
    samples, rate = audio.decode(clip)
    assert samples.shape[0] == 1
    assert samples.shape[1] / rate == pytest.approx(8.0, abs=0.2)
    assert len(clip) == pytest.approx(8.0 * 48_000 / 8, rel=0.1)
    spectrum = np.abs(np.fft.rfft(samples[0]))
    assert np.argmax(spectrum) * rate / samples.shape[1] == pytest.approx(880, abs=1)
    assert np.sort(spectrum**2)[-100:].sum() > 0.99 * np.sum(spectrum**2)  # a clean tone, not a distorted one
    assert np.max(np.abs(samples)) == pytest.approx(0.5, rel=0.1)


def test_a_short_file_is_its_own_preview() -> None:
    samples, rate = audio.decode(audio.preview(encode(stereo(3.0), "WAV"), 20.0))
    assert samples.shape[1] / rate == pytest.approx(3.0, abs=0.2)
