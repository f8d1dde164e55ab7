"""Places of tracks in a style, outliers with their reasons, and drift, on tables whose answers are known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from muzikantas.analysis import audio, consistency
from muzikantas.domain.errors import InputError
from muzikantas.domain.features import Features


@pytest.fixture(scope="module")
def usual() -> Features:
    time = np.arange(6 * 22050) / 22050
    return audio.measure((0.3 * np.sin(2 * np.pi * 220 * time) * (time % 0.5 < 0.1)).astype(np.float32), 22050)


def tracks(usual: Features, count: int, seed: int = 0, spread: float = 1.0, **moved: Any) -> list[Features]:
    """Tracks of one style: every feature spreads as usual about the same middle."""
    rng = np.random.default_rng(seed)
    wide = {name: spread * value for name, value in consistency.USUAL_SPREAD.items()}
    return [
        replace(
            usual,
            tempo_bpm=120 * 2 ** rng.normal(0, wide["tempo_octaves"]),
            loudness_lufs=rng.normal(-12, wide["loudness_lufs"]),
            energy=rng.normal(0.5, wide["energy"]),
            brightness_hz=1500 * 2 ** rng.normal(0, wide["brightness_octaves"]),
            onset_rate_hz=4 * 2 ** rng.normal(0, wide["onset_rate_octaves"]),
            danceability=rng.normal(0.5, wide["danceability"]),
            valence=rng.normal(0.5, wide["valence"]),
            percussive_ratio=rng.normal(0.4, wide["percussive_ratio"]),
            **moved,
        )
        for _ in range(count)
    ]


@pytest.mark.parametrize("count", [10, 40, 200])
def test_a_stranger_is_an_outlier_and_says_why(usual: Features, count: int) -> None:
    own = tracks(usual, count)
    stranger = replace(own[0], energy=0.9, brightness_hz=6000.0)
    found = consistency.place(stranger, own)
    assert found is not None
    assert found.outlier
    assert {reason.feature for reason in found.reasons[:2]} == {"energy", "brightness_octaves"}
    assert all(reason.deviations > 2 for reason in found.reasons[:2])
    assert found.reasons[0].value > found.reasons[0].usual


def test_few_of_one_style_are_outliers() -> None:
    time = np.arange(6 * 22050) / 22050
    usual = audio.measure(np.sin(2 * np.pi * 220 * time).astype(np.float32) * (time % 0.5 < 0.1), 22050)
    flagged = [place.outlier for seed in range(20) for place in consistency.places(tracks(usual, 20, seed))]
    assert np.mean(flagged) < 0.01


def test_a_few_equal_tracks_do_not_make_an_outlier_of_a_like_one(usual: Features) -> None:
    # Three releases that agree to the last digit have no spread of their own; the usual one stands in.
    same = tracks(usual, 1) * 3
    near = replace(same[0], energy=same[0].energy + 0.05, loudness_lufs=same[0].loudness_lufs + 1)
    found = consistency.place(near, same)
    assert found is not None
    assert not found.outlier
    assert found.from_centre < 1


def test_the_same_track_again_is_at_distance_zero_of_the_nearest(usual: Features) -> None:
    own = tracks(usual, 12)
    again = consistency.place(own[3], own)
    other = consistency.place(tracks(usual, 1, seed=99)[0], own)
    assert again is not None
    assert other is not None
    assert again.from_nearest == 0.0
    assert other.from_nearest > 0.2


def test_tempo_octaves_are_no_difference(usual: Features) -> None:
    own = tracks(usual, 12)
    halved = [replace(track, tempo_bpm=track.tempo_bpm / 2) if i % 3 == 0 else track for i, track in enumerate(own)]
    one, other = consistency.describe(own), consistency.describe(halved)
    assert np.ptp(one[:, 0] - other[:, 0]) == pytest.approx(0.0, abs=1e-9)


def test_places_do_not_depend_on_the_order(usual: Features) -> None:
    own = tracks(usual, 9)
    there, back = consistency.places(own), consistency.places(own[::-1])[::-1]
    assert [place.surprise for place in there] == pytest.approx([place.surprise for place in back])


def test_correlated_features_count_once(usual: Features) -> None:
    # Energy and onset rate go together in this artist: a track far out on that line is less strange than one beside it.
    rng = np.random.default_rng(3)
    own = [
        replace(track, energy=0.5 + 0.08 * z, onset_rate_hz=4 * 2 ** (0.3 * z))
        for track, z in zip(tracks(usual, 100), rng.normal(size=100), strict=True)
    ]
    along = consistency.place(replace(own[0], energy=0.66, onset_rate_hz=4 * 2**0.6), own)
    beside = consistency.place(replace(own[0], energy=0.66, onset_rate_hz=4 * 2**-0.6), own)
    assert along is not None
    assert beside is not None
    assert beside.surprise < along.surprise / 10


def test_drift_is_found_with_its_slope_and_nothing_else(usual: Features) -> None:
    own = [
        replace(track, brightness_hz=1500 * 2 ** (0.05 * i)) for i, track in enumerate(tracks(usual, 30, spread=0.5))
    ]
    found = {each.feature: each for each in consistency.drift(own)}
    bright = found["brightness_octaves"]
    assert bright.per_release == pytest.approx(0.05)
    assert bright.change == pytest.approx(0.05 * 29)
    assert bright.certain
    assert [name for name, each in found.items() if each.certain] == ["brightness_octaves"]


def test_one_strange_release_is_no_drift(usual: Features) -> None:
    own = tracks(usual, 20, spread=0.5)
    own[-1] = replace(own[-1], loudness_lufs=0.0)
    found = {each.feature: each for each in consistency.drift(own)}
    assert not found["loudness_lufs"].certain


def test_too_few_tracks_say_nothing(usual: Features) -> None:
    assert consistency.places(tracks(usual, 2)) == []
    assert consistency.place(usual, [usual]) is None
    assert consistency.drift(tracks(usual, 4)) == []


def test_extractors_are_not_mixed(usual: Features) -> None:
    with pytest.raises(InputError, match="old/0"):
        consistency.places([*tracks(usual, 5), replace(usual, extractor="old/0")])
