"""Files in, samples out, block by block; and what is no audio is refused by name."""

import io
import re
import tracemalloc

import numpy as np
import pytest

from muzikantas.analysis import audio
from muzikantas.analysis.audio import pieces
from muzikantas.analysis.audio.decode import blocks
from muzikantas.analysis.audio.mpeg import frames
from muzikantas.domain.errors import UnusableAudio
from tests import broken
from tests.broken import encode, garbage, music

RATE = 44100
REFUSED, READABLE = broken.refused(), broken.readable()


@pytest.mark.parametrize("format_", ["WAV", "FLAC", "OGG", "MP3"])
def test_each_format_gives_back_what_was_written(format_: str) -> None:
    written = music(12.0, RATE, channels=2)
    read, rate = audio.decode(encode(written, format_, RATE))
    assert rate == RATE
    assert read.dtype == np.float32
    assert read.shape[0] == 2
    assert read.shape[1] == pytest.approx(len(written), abs=3000)  # MP3 pads whole frames
    assert np.std(read, axis=1) == pytest.approx(np.std(written, axis=0), rel=0.02)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_music_is_refused_by_name(name: str) -> None:
    data, words = REFUSED[name]
    with pytest.raises(UnusableAudio, match=re.compile(words, re.DOTALL)):
        audio.measure_file(data)


@pytest.mark.parametrize("name", READABLE)
def test_what_can_be_had_of_a_damaged_or_unusual_file_is_read(name: str) -> None:
    data, seconds = READABLE[name]
    samples, rate = audio.decode(io.BytesIO(data))
    assert samples.shape[1] / rate == pytest.approx(seconds, abs=0.6)
    assert np.isfinite(samples).all()


@pytest.mark.parametrize("name", ["cut in half.mp3", "cut in half.wav", "cut in half.flac"])
def test_a_cut_file_still_announces_its_length(name: str) -> None:
    assert blocks(READABLE[name][0]).announced_s == pytest.approx(broken.SECONDS, abs=0.1)


@pytest.mark.parametrize("name", ["size unknown.wav", "length unknown.flac", "without its start.mp3"])
def test_no_length_is_guessed_where_the_header_has_none(name: str) -> None:
    announced_s = blocks(READABLE[name][0]).announced_s
    assert announced_s is None or announced_s == pytest.approx(READABLE[name][1], abs=0.1)


def test_blocks_are_the_whole_in_pieces() -> None:
    data = encode(music(12.3, channels=2), "FLAC")
    stream = blocks(data, seconds=2.0)
    parts = list(stream.blocks)
    assert (stream.sample_rate, stream.channels) == (broken.RATE, 2)
    assert [part.shape[1] for part in parts[:-1]] == [2 * broken.RATE] * 6
    assert np.array_equal(np.concatenate(parts, axis=1), audio.decode(data)[0])


def test_an_hour_passes_in_the_memory_of_a_block() -> None:
    data = encode(np.tile(music(60.0, 8000), (60, 1)), "FLAC", 8000)
    tracemalloc.start()
    try:
        stream = blocks(data)
        seconds = sum(block.shape[1] for block in stream.blocks) / stream.sample_rate
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seconds == 3600.0
    assert most < 10 * 8000 * 4 * 3  # the block in hand, the next, and as much again


def frames_of(data: bytes) -> bytes:
    found = frames(io.BytesIO(data))
    return found.file.read() if found else b""


@pytest.mark.parametrize("held", [1000, 1 << 20])
def test_mp3_frames_are_found_whole_and_in_order_whatever_stands_between_them(
    held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "HELD", held)
    mp3 = encode(music(), "MP3")
    assert frames_of(mp3) == mp3
    assert frames_of(garbage(5000) + mp3 + garbage(300)) == mp3
    torn = b"".join(mp3[start : start + 20_000] + garbage(700) for start in range(0, len(mp3), 20_000))
    kept = frames_of(torn)
    assert 0.9 * len(mp3) < len(kept) < len(mp3)
    assert frames_of(kept) == kept
    assert frames_of(garbage(1 << 20)) == b""


@pytest.mark.parametrize("rate", [8000, 22050, 44100])
@pytest.mark.parametrize("channels", [1, 2])
def test_an_mp3_is_read_to_its_end_whatever_its_table_says(rate: int, channels: int) -> None:
    # Its first seconds are nearly silent and its frames small: a length guessed from them would be far too short.
    sound = np.concatenate([0.001 * music(2.0, rate, channels), music(10.0, rate, channels)])
    mp3 = encode(sound, "MP3", rate)
    first = next(at for at in range(4, len(mp3)) if mp3[at : at + 2] == mp3[:2])
    for data, seconds in ((mp3[first:], 12.0), (mp3 + mp3, 24.0)):
        samples, _ = audio.decode(data)
        assert samples.shape[1] / rate == pytest.approx(seconds, abs=0.5)  # the encoder pads
        assert blocks(data).announced_s is None


def test_arrived_content_is_checked_against_what_was_announced() -> None:
    whole, cut = encode(music(), "MP3"), READABLE["cut in half.mp3"][0]
    audio.check_content(whole, announced_s=broken.SECONDS)
    audio.check_content(whole, announced_s=None)
    with pytest.raises(UnusableAudio, match=r"truncated: 6\.9 s of audio where 14\.0 s"):
        audio.check_content(cut, announced_s=broken.SECONDS)
    with pytest.raises(UnusableAudio, match="truncated"):
        audio.check_content(cut, announced_s=None)
    with pytest.raises(UnusableAudio, match="s of silence"):
        audio.check_content(REFUSED["silence.mp3"][0], announced_s=None)
    with pytest.raises(UnusableAudio, match=r"0\.1 s of audio"):
        audio.check_content(REFUSED["tenth of a second.wav"][0], announced_s=None)


def test_a_preview_is_a_small_mono_clip_from_the_middle() -> None:
    time = np.arange(30 * RATE) / RATE
    hertz = np.where((time > 10) & (time < 20), 880, 220)
    whole = np.tile(0.5 * np.sin(2 * np.pi * hertz * time), (2, 1)).astype(np.float32)
    clip = audio.preview(encode(whole.T, "FLAC", RATE), 8.0)
    samples, rate = audio.decode(clip)
    assert samples.shape[0] == 1
    assert samples.shape[1] / rate == pytest.approx(8.0, abs=0.2)
    assert len(clip) == pytest.approx(8.0 * 48_000 / 8, rel=0.1)
    spectrum = np.abs(np.fft.rfft(samples[0]))
    assert np.argmax(spectrum) * rate / samples.shape[1] == pytest.approx(880, abs=1)
    assert np.sort(spectrum**2)[-100:].sum() > 0.99 * np.sum(spectrum**2)  # a clean tone, not a distorted one
    assert np.max(np.abs(samples)) == pytest.approx(0.5, rel=0.1)


def test_a_short_file_is_its_own_preview() -> None:
    samples, rate = audio.decode(audio.preview(encode(music(3.0), "WAV"), 20.0))
    assert samples.shape[1] / rate == pytest.approx(3.0, abs=0.2)


@pytest.mark.parametrize("name", ["zero bytes.mp3", "web page.mp3", "aac.m4a"])
def test_what_is_no_audio_has_no_preview(name: str) -> None:
    with pytest.raises(UnusableAudio, match=REFUSED[name][1]):
        audio.preview(REFUSED[name][0], 5.0)
