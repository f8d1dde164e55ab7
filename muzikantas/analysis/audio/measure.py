"""All features of one recording, from one pass over it."""

import math
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from muzikantas.analysis.audio import character, rhythm, spectrum, structure, timbre, tonality
from muzikantas.analysis.audio.decode import BLOCK_S, Samples, Stream, blocks, check_samples
from muzikantas.analysis.audio.intake import Intake, Recording
from muzikantas.domain.errors import UnusableAudio
from muzikantas.domain.features import Features

#: Stored with every row; the number after the slash grows whenever a definition changes.
EXTRACTOR = "librosa-0.11/3"

#: Below this neither tempo nor key has enough to stand on.
SHORTEST_S = 5.0

#: Quieter than this is silence with noise.
QUIETEST_LUFS = -60.0


def measure(samples: Samples, sample_rate: int) -> Features:
    """Measure a recording.

    Parameters
    ----------
    samples
        Amplitudes with full scale 1, `[shape=(channels, n)]` or `[shape=(n,)]`. Of more than `spectrum.LONGEST_S` the
        middle is judged in tempo, key, timbre and structure; loudness, peaks and silence are those of the whole.
    sample_rate
        In Hz.

    Raises
    ------
    UnusableAudio
        When the samples are not finite, too large, too few (`SHORTEST_S`) or silent (`QUIETEST_LUFS`).
    """
    whole = np.atleast_2d(np.asarray(samples, dtype=np.float32))
    if whole.shape[0] > whole.shape[1]:
        raise UnusableAudio(f"the samples have the shape {whole.shape}; channels come first: transpose them")
    _check_length(whole.shape[1] / sample_rate)
    check_samples(whole)
    duration_s = whole.shape[1] / sample_rate
    pieces = _cut(whole, int(BLOCK_S * sample_rate))
    stream = Stream(sample_rate=sample_rate, channels=len(whole), announced_s=duration_s, blocks=pieces)
    return features(_taken(stream, duration_s).finish())


def measure_file(source: bytes | BinaryIO) -> Features:
    """Measure an audio file while it is decoded, in memory that hardly grows with its length.

    Parameters
    ----------
    source
        The bytes of the file, or the file itself, opened in binary mode and seekable.

    Raises
    ------
    UnusableAudio
        As `measure`, and when the file is no audio that we read.
    """
    return features(record(source))


def record(source: bytes | BinaryIO) -> Recording:
    """Decode a file in one pass, and keep what `features` and a fingerprint are made of.

    A long file that ends before the middle that its header announces is read again, for the middle of what there is.

    Raises `UnusableAudio` when the file is no audio that we read.
    """
    stream = blocks(source)
    intake = _taken(stream, stream.announced_s)
    if intake.misses_the_middle:
        intake = _taken(blocks(source), intake.duration_s)
    return intake.finish()


def _taken(stream: Stream, length_s: float | None) -> Intake:
    """Take in a stream, of which the middle is found by a length in seconds."""
    intake = Intake(stream.sample_rate, stream.channels, stream.announced_s, length_s)
    for block in stream.blocks:
        intake.add(block)
    return intake


def features(recording: Recording) -> Features:
    """Derive all features of a recording that was taken in.

    Raises `UnusableAudio` when it is too short (`SHORTEST_S`) or silent (`QUIETEST_LUFS`).
    """
    _check(recording)
    frames = recording.frames
    percussive_ratio = character.percussive_ratio(frames)
    level_db = spectrum.log_mel(frames.mel_power)
    beat = rhythm.listen(frames.mel_power, level_db)
    cepstrum = timbre.coefficients(level_db, timbre.COEFFICIENTS)
    key = tonality.listen(recording.slow)
    sections = structure.listen(frames, cepstrum)
    brightness_hz = character.brightness_hz(frames)
    silence_start_s, silence_end_s = character.silence_s(recording.levels)
    from_s = recording.start_s
    found = Features(
        extractor=EXTRACTOR,
        duration_s=recording.duration_s,
        tempo_bpm=beat.tempo_bpm,
        tempo_confidence=beat.confidence,
        tempo_candidates=tuple((round(bpm, 2), round(weight, 3)) for bpm, weight in beat.candidates),
        beat_times_s=_rounded(beat.beat_times_s, 3, from_s),
        beat_steadiness=beat.steadiness,
        key=key.tonic,
        mode=key.mode,
        key_confidence=key.confidence,
        key_runner_up=key.runner_up,
        tuning_cents=key.tuning_cents,
        loudness_lufs=recording.loudness_lufs,
        loudness_range_lu=recording.loudness_range_lu,
        true_peak_dbtp=recording.true_peak_dbtp,
        energy=character.energy(beat.onset_rate_hz, brightness_hz, recording.crest_db),
        brightness_hz=brightness_hz,
        contrast_db=_rounded(timbre.contrast_db(frames), 2),
        onset_rate_hz=beat.onset_rate_hz,
        danceability=character.danceability(recording.levels),
        valence=character.valence(key.majorness, beat.onset_rate_hz, brightness_hz),
        arousal=character.arousal(beat.onset_rate_hz, brightness_hz),
        percussive_ratio=percussive_ratio,
        section_bounds_s=_rounded(sections.bounds_s, 2, from_s),
        section_confidence=sections.confidence,
        repetition_share=sections.repetition_share,
        timbre=_rounded(timbre.vector(frames, cepstrum), 3),
        silence_start_s=silence_start_s,
        silence_end_s=silence_end_s,
        clipped_share=recording.clipped_share,
        clipped_runs=recording.clipped_runs,
        missing_share=recording.missing_share,
    )
    return _finite(found)


def warm_up() -> None:
    """Measure a synthetic recording once, so that everything compiled or loaded at first use is there.

    Run it at install time with `NUMBA_CACHE_DIR` set, and in a worker's parent before it forks.
    """
    time = np.arange(int(SHORTEST_S * spectrum.SAMPLE_RATE)) / spectrum.SAMPLE_RATE
    measure((0.3 * np.sin(2.0 * np.pi * 220.0 * time) * (time % 0.5 < 0.1)).astype(np.float32), spectrum.SAMPLE_RATE)


def _cut(samples: Samples, size: int) -> Iterator[Samples]:
    for start in range(0, samples.shape[1], size):
        yield samples[:, start : start + size]


def _rounded(values: tuple[float, ...], digits: int, shift: float = 0.0) -> tuple[float, ...]:
    """Round what is stored by the hundred: the digits beyond are noise, and fill the database."""
    return tuple(round(value + shift, digits) for value in values)


def _check_length(duration_s: float) -> None:
    if duration_s < SHORTEST_S:
        raise UnusableAudio(f"the recording lasts {duration_s:.2f} s; at least {SHORTEST_S:.0f} s are needed")


def _check(recording: Recording) -> None:
    _check_length(recording.duration_s)
    if recording.loudness_lufs < QUIETEST_LUFS:
        raise UnusableAudio(
            f"the recording is silent ({recording.loudness_lufs:.1f} LUFS; at least {QUIETEST_LUFS:.0f} expected)"
        )


def _finite(found: Features) -> Features:
    """Give the features back unless one is no number: JSON and the database would refuse the row much later."""
    for name, value in vars(found).items():
        if isinstance(value, float) and not math.isfinite(value):
            raise UnusableAudio(f"{name} came out as {value}; expected a finite number: render the file again")
    return found
