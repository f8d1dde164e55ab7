"""`measure` as a whole: what may change a feature, what must not, and what is refused."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from muzikantas.analysis import audio
from muzikantas.domain.errors import UnusableAudio
from muzikantas.domain.features import PITCH_CLASSES, Features

Samples = npt.NDArray[np.float32]
RATE = 44100
SECONDS = 12


def song(rate: int = RATE, seconds: float = SECONDS) -> Samples:
    """An A minor organ (A, C, E to 2 kHz) and band-limited drums at 120 bpm, mono; the same sound at any rate."""
    time = np.arange(int(seconds * rate)) / rate
    pad = sum(np.sin(2 * np.pi * 220 * 2 ** (step / 12) * k * time) / k for step in (0, 3, 7) for k in (1, 2, 3))
    # Sines of random phase between 100 Hz and 3 kHz: noise that 8 kHz carries too.
    phases = np.random.default_rng(2).uniform(0, 2 * np.pi, 59)
    hiss = sum(np.sin(2 * np.pi * 50 * k * time + phase) for k, phase in enumerate(phases, start=2))
    return np.asarray(0.05 * pad + 0.04 * hiss * np.exp(-25 * (time % 0.5)), dtype=np.float32)


def tone(hertz: float, level_db: float, rate: int = RATE) -> Samples:
    time = np.arange(10 * rate) / rate
    return np.asarray(10 ** (level_db / 20) * np.sin(2 * np.pi * hertz * time), dtype=np.float32)


@pytest.fixture(scope="module")
def heard() -> Features:
    return audio.measure(song(), RATE)


def assert_alike(a: Features, b: Features, *, loudness_shift: float = 0.0, tolerance: float = 0.02) -> None:
    assert (a.key, a.mode) == (b.key, b.mode)
    assert b.loudness_lufs - a.loudness_lufs == pytest.approx(loudness_shift, abs=0.1)
    assert b.tempo_bpm == pytest.approx(a.tempo_bpm, rel=0.005)
    assert b.brightness_hz == pytest.approx(a.brightness_hz, rel=0.05)
    assert b.onset_rate_hz == pytest.approx(a.onset_rate_hz, abs=1.5 / SECONDS)
    for name in ("tempo_confidence", "key_confidence", "energy", "danceability", "valence", "percussive_ratio"):
        assert getattr(b, name) == pytest.approx(getattr(a, name), abs=tolerance), name


def assert_in_range(features: Features) -> None:
    numbers = {name: value for name, value in asdict(features).items() if isinstance(value, float)}
    assert all(np.isfinite(value) for value in numbers.values())
    shares = ("tempo_confidence", "key_confidence", "energy", "danceability", "valence", "percussive_ratio")
    assert all(0 <= numbers[name] <= 1 for name in shares)
    assert 40 <= features.tempo_bpm <= 250
    assert 0 <= features.brightness_hz <= 11025
    assert 0 <= features.onset_rate_hz <= 22
    assert features.key in PITCH_CLASSES


def test_a_song_is_heard_as_it_was_made(heard: Features) -> None:
    assert (heard.key, heard.mode) == ("A", "minor")
    assert heard.tempo_bpm == pytest.approx(120, rel=0.005)
    assert heard.onset_rate_hz == pytest.approx(2.0, abs=0.1)
    assert heard.duration_s == SECONDS
    assert heard.extractor == audio.EXTRACTOR
    assert_in_range(heard)


@pytest.mark.parametrize(
    ("channels", "level_db", "lufs"),
    [
        (1, 0.0, -3.01),  # BS.1770: a 997 Hz sine at full scale in one channel reads -3.01
        (2, 0.0, 0.0),  # two channels add 3.01 LU
        (2, -23.0, -23.0),  # EBU Tech 3341, case 1
        (2, -33.0, -33.0),  # EBU Tech 3341, case 2
    ],
)
def test_loudness_of_a_sine(channels: int, level_db: float, lufs: float) -> None:
    samples = np.tile(tone(997, level_db, 48000), (channels, 1))
    assert audio.measure(samples, 48000).loudness_lufs == pytest.approx(lufs, abs=0.1)


@pytest.mark.parametrize("gain_db", [-30.0, 6.0, 20.0])
def test_gain_shifts_loudness_and_nothing_else(heard: Features, gain_db: float) -> None:
    louder = audio.measure(song() * np.float32(10 ** (gain_db / 20)), RATE)
    assert_alike(heard, louder, loudness_shift=gain_db, tolerance=1e-4)


def test_a_later_start_changes_nothing(heard: Features) -> None:
    for shift_s in (0.0101, 0.25):
        start = int(shift_s * RATE)
        shifted = audio.measure(song(seconds=SECONDS + shift_s)[start : start + SECONDS * RATE], RATE)
        assert_alike(heard, shifted, tolerance=0.05)


@pytest.mark.parametrize("rate", [8000, 22050, 48000, 96000])
def test_the_sample_rate_does_not_matter(heard: Features, rate: int) -> None:
    assert_alike(heard, audio.measure(song(rate), rate), tolerance=0.05)


#: Ways to put one mono song into channels, and what BS.1770 says they add in LU.
LAYOUTS: dict[str, tuple[Callable[[Samples], Samples], float]] = {
    "one row": (lambda mono: mono[None], 0.0),
    "stereo": (lambda mono: np.stack([mono, mono]), 10 * np.log10(2)),
    "reversed polarity": (lambda mono: np.stack([mono, -mono]), 10 * np.log10(2)),
    # Centre only; the LFE is full of noise that must not count. The fold divides by five, level is no feature.
    "5.1": (lambda mono: np.stack([0 * mono, 0 * mono, mono, _noise(mono), 0 * mono, 0 * mono]), 0.0),
}


def _noise(like: Samples) -> Samples:
    return np.random.default_rng(0).standard_normal(like.size).astype(np.float32)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_channels_change_loudness_as_the_standard_says_and_nothing_else(heard: Features, layout: str) -> None:
    arrange, shift = LAYOUTS[layout]
    assert_alike(heard, audio.measure(arrange(song()), RATE), loudness_shift=float(shift))


def test_silence_in_one_channel_is_no_silence(heard: Features) -> None:
    assert_alike(heard, audio.measure(np.stack([song(), 0 * song()]), RATE), tolerance=0.02)


@pytest.mark.parametrize(
    "samples",
    [
        tone(15000, -6.0),  # above everything that is analysed
        tone(440, -6.0),  # no onset at all
        np.sign(tone(110, 0.0)),  # clipped flat
        _noise(np.empty(RATE * 10, dtype=np.float32)),
        (np.arange(RATE * 10) == RATE * 5).astype(np.float32) * 30,  # one click
    ],
    ids=["ultrasound", "drone", "square", "noise", "one click"],
)
def test_odd_sounds_give_finite_features(samples: Samples) -> None:
    assert_in_range(audio.measure(samples, RATE))


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((2, RATE * 10), dtype=np.float32), "silent"),
        (tone(997, -63.0), r"silent \(-66\."),
        (np.where(np.arange(RATE * 10) == 5, np.nan, song(RATE, 10)), "1 of 441000 samples are not finite"),
        (np.where(np.arange(RATE * 10) == 5, np.inf, song(RATE, 10)), "not finite"),
        (song(RATE, 4.9), r"lasts 4\.90 s .* at least 5 s"),
        (np.zeros((2, 0), dtype=np.float32), r"lasts 0\.00 s"),
        (np.zeros((RATE * 10, 2), dtype=np.float32), "channels first"),
        (song(RATE, 10) * 32768, "full scale 1"),
    ],
    ids=["zeros", "whisper", "nan", "inf", "short", "empty", "transposed", "integers"],
)
def test_what_cannot_be_measured_is_refused_by_name(samples: npt.NDArray[Any], message: str) -> None:
    with pytest.raises(UnusableAudio, match=message):
        audio.measure(samples, RATE)


def test_of_a_long_recording_the_middle_is_measured(heard: Features) -> None:
    rate = 4000
    noise = _noise(np.empty(300 * rate, dtype=np.float32))  # 20 dB louder than the song: one second would show
    found = audio.measure(np.concatenate([noise, np.tile(song(rate), 100), noise]), rate)
    assert found.duration_s == 1800.0
    assert (found.key, found.mode) == ("A", "minor")
    assert found.tempo_bpm == pytest.approx(120, rel=0.005)
    assert found.loudness_lufs == pytest.approx(heard.loudness_lufs, abs=0.3)


def test_measuring_twice_gives_the_same(heard: Features) -> None:
    audio.warm_up()
    assert audio.measure(song(), RATE) == heard
