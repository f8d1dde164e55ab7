"""The shared spectrogram: blocks leave no seam, and the fold keeps nothing of level or cancellation."""

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
    for name in ("mel_power", "low", "power", "centroid_hz"):
        expected = getattr(whole, name)[..., start:][..., inside]
        assert getattr(later, name)[..., inside] == pytest.approx(expected, rel=1e-3, abs=1e-4), name


def test_the_fold_has_peak_one_whatever_the_level() -> None:
    tone = np.sin(np.arange(48000) / 10)
    for gain in (1e-4, 1.0, 30.0):
        folded = spectrum.fold((gain * np.stack([tone, 0.5 * tone])).astype(np.float32), 48000)
        assert np.max(np.abs(folded)) == pytest.approx(1.0)
        assert folded.size == spectrum.SAMPLE_RATE


def test_silence_folds_to_silence() -> None:
    assert not spectrum.fold(np.zeros((2, 48000), dtype=np.float32), 48000).any()
