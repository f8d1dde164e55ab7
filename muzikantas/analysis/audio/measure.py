"""All features of one recording, from one pass over it."""

import numpy as np

from muzikantas.analysis.audio import character, loudness, rhythm, spectrum, tonality
from muzikantas.analysis.audio.decode import Samples, middle
from muzikantas.domain.errors import UnusableAudio
from muzikantas.domain.features import Features

#: Stored with every row; the number after the slash grows whenever a definition changes.
EXTRACTOR = "librosa-0.11/1"

#: Below this neither tempo nor key has enough to stand on.
SHORTEST_S = 5.0

#: Longer recordings are judged by their middle: memory stays bounded, and intros and outros say least.
LONGEST_S = 1200.0

#: Quieter than this is silence with noise.
QUIETEST_LUFS = -60.0

#: Full scale is 1; 40 dB above it are no longer amplitudes.
LARGEST_SAMPLE = 100.0


def measure(samples: Samples, sample_rate: int) -> Features:
    """Measure a recording.

    Parameters
    ----------
    samples
        Amplitudes with full scale 1, `[shape=(channels, n)]` or `[shape=(n,)]`. Of more than `LONGEST_S` the middle
        is measured; `duration_s` stays that of the whole.
    sample_rate
        In Hz.

    Raises
    ------
    UnusableAudio
        When the samples are not finite, too large, too few (`SHORTEST_S`) or silent (`QUIETEST_LUFS`).
    """
    whole = np.atleast_2d(np.asarray(samples, dtype=np.float32))
    part = loudness.main_channels(middle(whole, sample_rate, LONGEST_S))
    _check(part, sample_rate)
    lufs = loudness.integrated_lufs(part, sample_rate)
    if lufs < QUIETEST_LUFS:
        raise UnusableAudio(f"the recording is silent ({lufs:.1f} LUFS; at least {QUIETEST_LUFS:.0f} expected)")
    mono = spectrum.fold(part, sample_rate)
    frames = spectrum.frames(mono)
    curve = rhythm.novelty(frames)
    tempo_bpm, tempo_confidence = rhythm.tempo(curve)
    onset_rate_hz = rhythm.onset_rate(curve)
    key = tonality.key(tonality.chroma(frames))
    brightness_hz = character.brightness_hz(frames)
    return Features(
        extractor=EXTRACTOR,
        duration_s=whole.shape[1] / sample_rate,
        tempo_bpm=tempo_bpm,
        tempo_confidence=tempo_confidence,
        key=key.tonic,
        mode=key.mode,
        key_confidence=key.confidence,
        loudness_lufs=lufs,
        energy=character.energy(onset_rate_hz, brightness_hz, character.crest_db(mono)),
        brightness_hz=brightness_hz,
        onset_rate_hz=onset_rate_hz,
        danceability=character.danceability(mono),
        valence=character.valence(key.majorness, onset_rate_hz, brightness_hz),
        percussive_ratio=character.percussive_ratio(frames),
    )


def warm_up() -> None:
    """Measure a synthetic recording once, so that everything compiled at first use is compiled and cached.

    Run it at install time with `NUMBA_CACHE_DIR` set (librosa compiles for many seconds on its first import) and in a
    worker's parent before it forks.
    """
    time = np.arange(int(SHORTEST_S * spectrum.SAMPLE_RATE)) / spectrum.SAMPLE_RATE
    measure((0.3 * np.sin(2.0 * np.pi * 220.0 * time) * (time % 0.5 < 0.1)).astype(np.float32), spectrum.SAMPLE_RATE)


def _check(samples: Samples, sample_rate: int) -> None:
    """Refuse what no engine can measure; engines answer nonsense with confidence, or never."""
    duration_s = samples.shape[1] / sample_rate
    if duration_s < SHORTEST_S:
        raise UnusableAudio(
            f"the recording lasts {duration_s:.2f} s (shape {samples.shape}, channels first); "
            f"at least {SHORTEST_S:.0f} s are needed"
        )
    largest = float(np.max(np.abs(samples)))
    if not np.isfinite(largest):
        broken = int(np.count_nonzero(~np.isfinite(samples)))
        raise UnusableAudio(f"{broken} of {samples.size} samples are not finite numbers: render the file again")
    if largest > LARGEST_SAMPLE:
        raise UnusableAudio(f"samples reach {largest:.3g}; amplitudes with full scale 1 expected: scale them")
