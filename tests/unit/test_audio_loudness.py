"""Loudness, its range and true peak: the standards' own signals, pyloudnorm, and blocks that leave no seam."""

import numpy as np
import numpy.typing as npt
import pyloudnorm
import pytest
import scipy.signal

from muzikantas.analysis.audio import loudness

Samples = npt.NDArray[np.float32]
RATE = 48_000


def sine(hertz: float, level_db: float, seconds: float, *, phase: float = 0.0, rate: int = RATE) -> Samples:
    time = np.arange(round(seconds * rate)) / rate
    return (10 ** (level_db / 20) * np.sin(2 * np.pi * hertz * time + phase)).astype(np.float32)


def both(mono: Samples) -> Samples:
    return np.stack([mono, mono])


def metered(samples: Samples, rate: int = RATE, piece: int = 65_536) -> loudness.Meter:
    meter = loudness.Meter(rate, len(samples))
    for start in range(0, samples.shape[1], piece):
        meter.add(samples[:, start : start + piece])
    return meter


def true_peak(samples: Samples, piece: int = 65_536) -> float:
    meter = loudness.PeakMeter(len(samples))
    for start in range(0, samples.shape[1], piece):
        meter.add(samples[:, start : start + piece])
    return meter.dbtp()


def test_the_filter_is_the_one_that_the_standard_tabulates() -> None:
    expected = [  # ITU-R BS.1770, tables 1 and 2
        [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585],
        [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621],
    ]
    assert loudness.k_weighting(48_000) == pytest.approx(np.array(expected), abs=1e-6)


@pytest.mark.parametrize("rate", [22_050, 44_100, 96_000, 192_000])
def test_the_filter_weighs_alike_at_every_rate(rate: int) -> None:
    hertz = np.array([20.0, 40.0, 100.0, 500.0, 997.0, 2000.0, 4000.0, 10_000.0])

    def response(at: int) -> npt.NDArray[np.float64]:
        _, gain = scipy.signal.sosfreqz(loudness.k_weighting(at).astype(np.float64), hertz, fs=at)
        return np.asarray(20 * np.log10(np.abs(gain)))

    assert response(rate) == pytest.approx(response(48_000), abs=0.05)


@pytest.mark.parametrize(
    ("parts", "lufs"),
    [
        ([(-20.0, 10)], -20.0),
        ([(-23.0, 20)], -23.0),  # EBU Tech 3341, case 1
        ([(-33.0, 20)], -33.0),  # case 2
        ([(-36.0, 10), (-23.0, 60), (-36.0, 10)], -23.0),  # case 3: the relative gate
        ([(-72.0, 10), (-36.0, 10), (-23.0, 60), (-36.0, 10), (-72.0, 10)], -23.0),  # case 4: both gates
        ([(-26.0, 20), (-20.0, 20.1), (-26.0, 20)], -23.0),  # case 5
    ],
)
def test_integrated_loudness_of_the_broadcasters_signals(parts: list[tuple[float, float]], lufs: float) -> None:
    samples = np.concatenate([sine(1000, level, seconds) for level, seconds in parts])
    assert metered(both(samples)).integrated_lufs() == pytest.approx(lufs, abs=0.1)


@pytest.mark.parametrize(
    ("levels_db", "range_lu"),
    [  # EBU Tech 3342, cases 1 to 4
        ((-20.0, -30.0), 10.0),
        ((-20.0, -15.0), 5.0),
        ((-40.0, -20.0), 20.0),
        ((-50.0, -35.0, -20.0, -35.0, -50.0), 15.0),
    ],
)
def test_loudness_range_of_the_broadcasters_signals(levels_db: tuple[float, ...], range_lu: float) -> None:
    samples = np.concatenate([sine(1000, level, 20) for level in levels_db])
    assert metered(both(samples)).range_lu() == pytest.approx(range_lu, abs=1.0)


@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 96_000, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_loudness_agrees_with_pyloudnorm(rate: int, channels: int) -> None:
    rng = np.random.default_rng(channels)
    time = np.arange(8 * rate) / rate
    noise = rng.standard_normal((channels, time.size)) * np.where(time % 4 < 2, 0.1, 0.02)
    samples = (noise + 0.5 * np.sin(2 * np.pi * 50 * time)).astype(np.float32)
    meter, library = metered(samples, rate), pyloudnorm.Meter(rate)
    assert meter.integrated_lufs() == pytest.approx(library.integrated_loudness(samples.T), abs=0.1)
    # The library goes on into a second and a half of silence before it takes the range.
    longer = np.pad(samples, ((0, 0), (0, round(1.5 * rate))))
    assert metered(longer, rate).range_lu() == pytest.approx(library.loudness_range(samples.T), abs=0.2)


@pytest.mark.parametrize("piece", [1, 17, 4799, 48_000])
def test_blocks_of_any_length_give_the_same(piece: int) -> None:
    samples = np.random.default_rng(1).standard_normal((2, 3000 if piece == 1 else 48_000 * 4)).astype(np.float32)
    whole = metered(samples, piece=samples.shape[1])
    assert metered(samples, piece=piece).integrated_lufs() == pytest.approx(whole.integrated_lufs(), abs=1e-4)
    assert true_peak(samples, piece) == pytest.approx(true_peak(samples, samples.shape[1]), abs=1e-4)


@pytest.mark.parametrize("rate", [8000, 10_007, 11_025, 44_100, 192_000])
def test_filtering_run_by_run_is_filtering_sample_by_sample(rate: int) -> None:
    low = 3.0 * np.sin(2 * np.pi * 30.0 * np.arange(2 * rate) / rate)
    samples = (np.random.default_rng(rate).normal(0.0, 0.1, 2 * rate) + low).astype(np.float32)
    segment = round(rate / loudness.SEGMENTS_PER_S)
    weighted = scipy.signal.sosfilt(loudness.k_weighting(rate), samples.astype(np.float64))
    # Blocks of 400 ms, one starting every 100 ms; at this level both gates let all of them pass.
    powers = [np.mean(weighted[k * segment : (k + 4) * segment] ** 2) for k in range(len(samples) // segment - 3)]
    expected = -0.691 + 10 * np.log10(np.mean(powers))
    assert metered(samples[None], rate, piece=7001).integrated_lufs() == pytest.approx(expected, abs=1e-4)


def test_silence_has_no_loudness() -> None:
    silence = np.zeros((2, 5 * RATE), dtype=np.float32)
    assert metered(silence).integrated_lufs() == -np.inf
    assert metered(silence).range_lu() == 0.0
    assert true_peak(silence) == -np.inf


def test_a_sine_between_the_samples_peaks_three_decibels_above_them() -> None:
    samples = sine(RATE / 4, -6.0, 2, phase=np.pi / 4)[None]
    samples *= np.hanning(samples.size).astype(np.float32)  # an abrupt start would overshoot by itself
    assert np.abs(samples).max() == pytest.approx(10 ** (-6 / 20) / np.sqrt(2), rel=1e-3)
    assert true_peak(samples) == pytest.approx(-6.0, abs=0.1)


@pytest.mark.parametrize("at", [0, 1, 511, 512, 2016, 4990, 4999])
def test_the_peak_is_found_wherever_it_is(at: int) -> None:
    quiet = 0.01 * np.random.default_rng(at).standard_normal(5000).astype(np.float32)
    quiet[at : at + 2] = 0.9  # between two equal samples the curve rises above both
    expected = np.abs(scipy.signal.resample_poly(np.pad(quiet.astype(np.float64), 64), 4, 1)).max()
    assert true_peak(np.stack([0 * quiet, quiet])) == pytest.approx(20 * np.log10(expected), abs=0.15)


@pytest.mark.parametrize("seed", range(5))
def test_true_peak_agrees_with_oversampling_everything(seed: int) -> None:
    rng = np.random.default_rng(seed)
    loud = scipy.signal.lfilter(*scipy.signal.butter(2, 0.3), rng.standard_normal((2, 100_000)))
    limited = np.clip(loud, -1.0, 1.0).astype(np.float32)
    # Longer filters overshoot a little more on such signals: within the 0.3 dB that BS.1770 expects of meters.
    everything = np.abs(scipy.signal.resample_poly(limited.astype(np.float64), 4, 1, axis=1)).max()
    assert true_peak(limited) == pytest.approx(20 * np.log10(everything), abs=0.3)


def test_the_low_frequency_channel_of_five_one_does_not_count() -> None:
    channels = np.arange(6, dtype=np.float32)[:, None] * np.ones(4, dtype=np.float32)
    assert loudness.main_channels(channels)[:, 0].tolist() == [0, 1, 2, 4, 5]
    assert len(loudness.main_channels(channels[:4])) == 4
