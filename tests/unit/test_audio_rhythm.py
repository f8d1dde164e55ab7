"""Tempo and onsets of click tracks, whose answers are known by construction."""

import numpy as np
import numpy.typing as npt
import pytest

from muzikantas.analysis.audio import rhythm, spectrum

RATE = spectrum.SAMPLE_RATE
SECONDS = 20


def clicks(bpm: float, *, accent_every: int = 1, start_s: float = 0.3) -> npt.NDArray[np.float32]:
    """Decaying 1 kHz bursts, one a beat; all but each `accent_every`-th at half amplitude."""
    samples = np.zeros(SECONDS * RATE)
    time = np.arange(RATE // 10) / RATE
    click = np.sin(2 * np.pi * 1000 * time) * np.exp(-time * 60)
    for beat in range(int((SECONDS - 1 - start_s) * bpm / 60)):
        at = round((start_s + beat * 60 / bpm) * RATE)
        samples[at : at + click.size] += click if beat % accent_every == 0 else 0.5 * click
    return samples.astype(np.float32)


def curve(samples: npt.NDArray[np.float32]) -> rhythm.Curve:
    return rhythm.novelty(spectrum.frames(samples))


@pytest.mark.parametrize("bpm", [60, 66.6, 75, 90, 95.0, 103.3, 120, 128, 140, 150.5, 174, 186, 200])
def test_tempo_of_a_click_track_is_within_half_a_per_cent(bpm: float) -> None:
    found, confidence = rhythm.tempo(curve(clicks(bpm)))
    octave = 2.0 ** round(np.log2(found / bpm)) if not 70 <= bpm <= 180 else 1.0
    assert found == pytest.approx(bpm * octave, rel=0.005)
    assert confidence > 0.5


def test_tempo_is_not_on_the_grid_of_frames() -> None:
    # One frame more or less of the lag at 124 bpm is 5 bpm; librosa's grid has 123.05 and 129.20 there.
    for bpm in (123.0, 124.0, 125.0, 126.0):
        assert rhythm.tempo(curve(clicks(bpm)))[0] == pytest.approx(bpm, rel=0.0005)


def test_a_steady_accent_does_not_move_the_period_off_the_beat() -> None:
    found, _ = rhythm.tempo(curve(clicks(110, accent_every=2)))
    assert min(abs(found / 110 - ratio) for ratio in (0.5, 1.0)) < 0.005


def test_tempo_does_not_depend_on_where_the_first_beat_is() -> None:
    found = [rhythm.tempo(curve(clicks(117, start_s=start)))[0] for start in (0.0, 0.21, 0.47)]
    assert max(found) - min(found) < 0.1


@pytest.mark.parametrize("bpm", [60, 120, 240])
def test_onset_rate_counts_the_clicks(bpm: int) -> None:
    made = int((SECONDS - 1 - 0.3) * bpm / 60)
    assert rhythm.onset_rate(curve(clicks(bpm))) * SECONDS == pytest.approx(made, abs=1)


def test_noise_has_no_tempo_to_be_sure_of() -> None:
    noise = np.random.default_rng(7).standard_normal(SECONDS * RATE).astype(np.float32)
    found, confidence = rhythm.tempo(curve(noise))
    assert 40 <= found <= 250
    assert confidence < 0.15


def test_nothing_happening_gives_the_prior_without_confidence() -> None:
    assert rhythm.tempo(np.zeros(1000)) == (rhythm.PRIOR_BPM, 0.0)
    assert rhythm.onset_rate(np.zeros(1000)) == 0.0
