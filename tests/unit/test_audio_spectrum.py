"""The shared spectrogram: blocks leave no seam, and what is kept agrees with librosa and with closed forms."""

import librosa
import numpy as np
import pytest

from muzikantas.analysis.audio import spectrum


def test_blocks_leave_no_seam() -> None:
    hops = 2 * spectrum.BLOCK_FRAMES + 100
    noise = np.random.default_rng(0).standard_normal(hops * spectrum.HOP).astype(np.float32)
    whole = spectrum.frames(noise)
    assert whole.mel_power.shape == (spectrum.MEL_BANDS, hops + 1)
    # Started 50 frames before the first seam, the same sounds fall into one block: frame k is frame `start` + k.
    start = spectrum.BLOCK_FRAMES - 50
    later = spectrum.frames(noise[start * spectrum.HOP :])
    inside = slice(4, 200)  # the first frames of `later` reach into its padding
    for name in ("mel_power", "chroma", "power", "centroid_hz"):
        expected = getattr(whole, name)[..., start:][..., inside]
        assert getattr(later, name)[..., inside] == pytest.approx(expected, rel=1e-3, abs=1e-4), name


def test_a_frame_stands_at_its_sample() -> None:
    click = np.zeros(spectrum.SAMPLE_RATE, dtype=np.float32)
    click[20 * spectrum.HOP] = 1.0
    assert int(np.argmax(spectrum.frames(click).power)) == 20


def test_the_mel_spectrogram_is_librosas() -> None:
    noise = np.random.default_rng(1).standard_normal(spectrum.SAMPLE_RATE).astype(np.float32)
    expected = librosa.feature.melspectrogram(
        y=noise, sr=spectrum.SAMPLE_RATE, n_fft=spectrum.WINDOW, hop_length=spectrum.HOP, n_mels=spectrum.MEL_BANDS
    )
    assert spectrum.frames(noise).mel_power == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_contrast_of_a_tone_is_high_in_its_band_and_of_noise_low_in_all() -> None:
    time = np.arange(3 * spectrum.SAMPLE_RATE) / spectrum.SAMPLE_RATE
    hiss = np.random.default_rng(2).standard_normal(time.size)
    noise = np.median(spectrum.frames(hiss.astype(np.float32)).contrast_db, axis=1)
    tone = np.median(
        spectrum.frames((np.sin(2 * np.pi * 600 * time) + 1e-3 * hiss).astype(np.float32)).contrast_db, axis=1
    )
    # The power of a noise's bin is exponential: the mean of its highest tenth over that of its lowest is 18 dB.
    assert noise[-3:] == pytest.approx(10 * np.log10((1 + np.log(10)) / (1 + 9 * np.log(0.9))), abs=0.5)
    assert int(np.argmax(tone - noise)) == 2
    assert tone[2] > noise[2] + 30


def test_nothing_is_audible_in_silence() -> None:
    assert not spectrum.frames(np.zeros(spectrum.SAMPLE_RATE, dtype=np.float32)).audible(40.0).any()
