"""`measure` as a whole: what may change a feature, what must not, and what is refused."""

import io
import json
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from muzikantas.analysis import audio
from muzikantas.analysis.audio import intake, spectrum
from muzikantas.analysis.audio.intake import Intake
from muzikantas.domain.errors import UnusableAudio
from muzikantas.domain.features import PITCH_CLASSES, Features, certainty

Samples = npt.NDArray[np.float32]
RATE = 44100
SECONDS = 12
SHARES = ("tempo_confidence", "key_confidence", "energy", "danceability", "valence", "arousal", "percussive_ratio")


@cache
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
    for name in SHARES:
        assert getattr(b, name) == pytest.approx(getattr(a, name), abs=tolerance), name


def assert_in_range(features: Features) -> None:
    numbers = {name: value for name, value in asdict(features).items() if isinstance(value, float)}
    assert all(np.isfinite(value) for value in numbers.values())
    assert all(0 <= numbers[name] <= 1 for name in (*SHARES, "beat_steadiness", "repetition_share", "clipped_share"))
    assert all(0 <= value <= 80 for value in features.contrast_db)
    assert np.all(np.isfinite(features.timbre))
    assert len(features.timbre) == 40
    assert features.loudness_range_lu >= 0
    assert -50 <= features.tuning_cents <= 50
    assert list(features.section_bounds_s) == sorted(features.section_bounds_s)
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
    assert len(heard.beat_times_s) == pytest.approx(2 * SECONDS, abs=2)
    assert heard.silence_start_s == heard.silence_end_s == heard.clipped_share == heard.missing_share == 0.0
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
        (song(RATE, 4.9), r"lasts 4\.90 s; at least 5 s"),
        (np.zeros((1, 0), dtype=np.float32), "channels come first"),
        (np.zeros((2, 3), dtype=np.float32), r"lasts 0\.00 s"),
        (np.zeros((RATE * 10, 2), dtype=np.float32), r"\(441000, 2\); channels come first"),
        (song(RATE, 10) * 32768, "full scale 1"),
    ],
    ids=["zeros", "whisper", "nan", "inf", "short", "empty", "tiny", "transposed", "integers"],
)
def test_what_cannot_be_measured_is_refused_by_name(samples: npt.NDArray[Any], message: str) -> None:
    with pytest.raises(UnusableAudio, match=message):
        audio.measure(samples, RATE)


def test_of_a_long_recording_the_middle_is_judged_and_the_whole_is_levelled(heard: Features) -> None:
    rate = 4000
    noise = 0.5 * _noise(np.empty(300 * rate, dtype=np.float32))  # much louder than the song: a second would show
    found = audio.measure(np.concatenate([noise, np.tile(song(rate), 50), noise]), rate)
    assert found.duration_s == 1200.0
    assert (found.key, found.mode) == ("A", "minor")
    assert found.tempo_bpm == pytest.approx(120, rel=0.005)
    assert found.loudness_lufs > heard.loudness_lufs + 6
    assert 300 <= min(found.beat_times_s) < 302
    assert 898 < max(found.beat_times_s) <= 900


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 2), (48_000, 1), (22_050, 2), (8000, 1), (96_000, 2)])
def test_a_file_is_measured_as_its_samples_are(rate: int, channels: int) -> None:
    samples = np.stack([song(rate, 23.4)] * channels)
    data = encoded(samples, rate)
    by_file, by_samples = asdict(audio.measure_file(data)), asdict(audio.measure(samples, rate))
    for name, value in by_samples.items():
        if isinstance(value, float) or name in {"timbre", "contrast_db", "section_bounds_s", "beat_times_s"}:
            assert by_file[name] == pytest.approx(value, rel=1e-3, abs=2e-3), name
        else:
            assert by_file[name] == value, name


def test_memory_does_not_grow_with_the_length_of_a_file() -> None:
    data = encoded(np.tile(song(8000), 150)[None], 8000)  # half an hour: 58 MB, at 22 kHz it were 160
    tracemalloc.start()
    try:
        recording = audio.record(io.BytesIO(data))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert recording.duration_s == 1800.0
    assert recording.slow.size == pytest.approx(spectrum.LONGEST_S * 4410, abs=2)
    assert most < len(data) + 40e6  # ten minutes of spectrogram are 15 MB, of the slow signal 11 MB


def encoded(samples: Samples, rate: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples.T, rate, format="WAV", subtype="FLOAT")
    return file.getvalue()


@pytest.mark.parametrize("blocks", [(12 * RATE,), (RATE, 11 * RATE), (7, 12 * RATE - 7), (RATE // 2,) * 24])
def test_blocks_of_any_length_are_the_same_recording(blocks: tuple[int, ...]) -> None:
    samples = np.stack([song(), 0.5 * song()])
    samples[:, 3 * RATE : 3 * RATE + 500] = 1.0
    whole, parts = (Intake(RATE, 2, SECONDS, SECONDS) for _ in range(2))
    whole.add(samples)
    for start, size in zip(np.cumsum([0, *blocks[:-1]]), blocks, strict=True):
        parts.add(samples[:, start : start + size])
    expected, found = whole.finish(), parts.finish()
    for name in vars(expected).keys() - {"frames"}:
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-4, atol=1e-4, err_msg=name)
    for name, value in vars(expected.frames).items():
        np.testing.assert_allclose(getattr(found.frames, name), value, rtol=1e-3, atol=1e-2, err_msg=name)
    assert expected.clipped_runs == 2
    assert expected.clipped_share == pytest.approx(500 / samples.shape[1])


@pytest.mark.parametrize(
    ("row", "runs", "share"),
    [
        ([0.5, 1.0, 1.0, 0.5, 0.5, -1.0], 0, 0.0),  # two in a row just fit
        ([1.0, 1.0, 1.0, 0.5, 0.5, 0.5], 1, 0.5),
        ([0.5, -1.0, -1.2, -1.0, 0.5, 0.5], 1, 0.5),
        ([1.0, 1.0, 1.0, 0.9, 1.0, 1.0], 1, 0.5),
        ([0.5, 0.5, 0.5, 1.0, 1.0, 1.0], 1, 0.5),
        ([1.0] * 6, 1, 1.0),
    ],
)
@pytest.mark.parametrize("piece", [1, 2, 4, 6])
def test_clipping_is_three_samples_in_a_row_at_full_scale(
    row: list[float], runs: int, share: float, piece: int
) -> None:
    taking = Intake(RATE, 2, None, None)
    for start in range(0, len(row), piece):
        part = np.array(row[start : start + piece], dtype=np.float32)
        taking.add(np.stack([part, 0 * part]))
    found = taking.finish()
    assert found.clipped_runs == runs
    assert found.clipped_share == pytest.approx(share / 2)


@pytest.mark.parametrize(
    ("announced_s", "heard_s", "kept_s"),
    [
        (10.0, 10, (2, 8)),  # the middle
        (None, 10, (0, 6)),  # nobody knows where the middle is
        (3.0, 10, (0, 6)),  # a header that says too little
    ],
)
def test_which_part_of_a_long_recording_is_kept(
    announced_s: float | None, heard_s: int, kept_s: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (intake, spectrum):
        monkeypatch.setattr(module, "LONGEST_S", 6.0)
    rate = 22_050  # samples pass as they are
    taking = Intake(rate, 1, announced_s, announced_s)
    for second in range(heard_s):
        taking.add(np.full((1, rate), 1.0 + second, dtype=np.float32))
    assert not taking.misses_the_middle
    recording = taking.finish()
    assert recording.start_s == kept_s[0]
    assert recording.slow[2205] == pytest.approx(1 + kept_s[0], abs=0.01)
    assert recording.slow.size == pytest.approx((kept_s[1] - kept_s[0]) * 4410, abs=1)
    assert recording.frames.power.size == 1 + (kept_s[1] - kept_s[0]) * rate // 512
    assert recording.missing_share == pytest.approx(max(0.0, 1 - heard_s / announced_s) if announced_s else 0.0)


def test_of_a_long_file_that_was_cut_the_middle_is_that_of_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (intake, spectrum):
        monkeypatch.setattr(module, "LONGEST_S", 6.0)
    data = encoded(np.repeat(np.arange(20) / 20, 22_050).astype(np.float32)[None], 22_050)
    recording = audio.record(data[: len(data) // 2])
    assert recording.duration_s == pytest.approx(10.0, abs=0.01)
    assert recording.missing_share == pytest.approx(0.5, abs=0.01)
    assert recording.start_s == pytest.approx(2.0, abs=0.01)
    assert recording.slow[2205] == pytest.approx(2 / 20, abs=0.01)


def test_features_survive_json(heard: Features) -> None:
    assert Features(**json.loads(json.dumps(vars(heard)))) == heard
    assert hash(heard) == hash(Features(**json.loads(json.dumps(vars(heard)))))


def test_certainty_falls_with_each_confidence_and_with_damage(heard: Features) -> None:
    sure = certainty(replace(heard, tempo_confidence=1.0, key_confidence=1.0))
    assert sure == pytest.approx(0.9)  # valence is experimental, and counts half
    doubts: dict[str, Any] = {
        "tempo_confidence": 0.2,
        "key_confidence": 0.2,
        "silence_end_s": 3.0,
        "clipped_share": 0.1,
        "missing_share": 0.3,
    }
    for name, value in doubts.items():
        assert 0 < certainty(replace(heard, **{name: value})) < certainty(heard), name
    assert certainty(replace(heard, silence_end_s=SECONDS, missing_share=0.5)) == 0.0


def test_measuring_twice_gives_the_same(heard: Features) -> None:
    audio.warm_up()
    assert audio.measure(song(), RATE) == heard
