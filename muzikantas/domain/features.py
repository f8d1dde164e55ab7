"""What the listener hears in a recording."""

from dataclasses import dataclass, fields
from typing import Literal

Mode = Literal["major", "minor"]
PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


@dataclass(frozen=True, kw_only=True)
class Features:
    """Measured features of one recording; `docs/howto/features.md` has definitions and sources.

    Stored as JSON, which turns tuples into lists; `Features(**row)` turns them back.
    """

    extractor: str  #: name and version of the extractor, so that rows of different ones are never mixed
    duration_s: float
    tempo_bpm: float  #: beats per minute, 40 to 250; compare modulo octaves, 70 and 140 are often both right
    tempo_confidence: float  #: 0 to 1
    key: str  #: tonic, one of `PITCH_CLASSES`
    mode: Mode
    key_confidence: float  #: 0 to 1
    loudness_lufs: float  #: integrated, ITU-R BS.1770
    energy: float  #: 0 to 1: onset rate, brightness and density
    brightness_hz: float  #: median spectral centroid, weighted by power, 0 to 11025
    onset_rate_hz: float  #: onsets per second
    danceability: float  #: 0 to 1: how regular the level is over beats and bars
    valence: float  #: 0 to 1, experimental: mode, onset rate and brightness
    percussive_ratio: float  #: instrumental balance, 0 (all sustained) to 1 (all percussive)
    tempo_candidates: tuple[tuple[float, float], ...]  #: other tempi that were near, as (bpm, weight)
    beat_times_s: tuple[float, ...]  #: of a long recording those of its middle
    beat_steadiness: float  #: 0 to 1
    key_runner_up: tuple[str, Mode]  #: the next likely tonic and mode
    tuning_cents: float  #: of A = 440 Hz, -50 to 50
    loudness_range_lu: float  #: EBU Tech 3342
    true_peak_dbtp: float  #: ITU-R BS.1770 Annex 2
    contrast_db: tuple[float, ...]  #: peak over valley in seven bands, from low to high
    arousal: float  #: 0 to 1, experimental: onset rate and brightness
    section_bounds_s: tuple[float, ...]  #: where a new section begins
    section_confidence: float  #: 0 to 1; 0 where there is no bound
    repetition_share: float  #: share of the time in passages that come again, 0 to 1
    timbre: tuple[float, ...]  #: 20 means and 20 spreads of cepstral coefficients, in dB
    silence_start_s: float
    silence_end_s: float
    clipped_share: float  #: share of samples in runs at full scale
    clipped_runs: int
    missing_share: float  #: of the length that the file's header announces; such a file was cut or damaged

    def __post_init__(self) -> None:
        """Turn JSON's lists back into tuples."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, list):
                object.__setattr__(self, field.name, _tuples(value))


def _tuples(value: object) -> object:
    return tuple(_tuples(each) for each in value) if isinstance(value, list) else value


def certainty(features: Features) -> float:
    """How far the style that was heard can be trusted, 0 to 0.9: the weight of what is learnt from the recording.

    The mean over the five dimensions of style. Tempo counts by its confidence. Energy, brightness and percussiveness
    are measured, and count whole. Valence is experimental and counts half, by the confidence in the key that carries
    it. All of it shrinks by the share of the recording that is missing, silent at its ends, or cut off at full scale.

    >>> certainty_of(tempo=1.0, key=1.0, damaged=0.0), certainty_of(tempo=0.0, key=0.0, damaged=0.0)
    (0.9, 0.6)
    """
    silent = (features.silence_start_s + features.silence_end_s) / features.duration_s
    return certainty_of(
        tempo=features.tempo_confidence,
        key=features.key_confidence,
        damaged=min(1.0, silent + features.clipped_share + features.missing_share),
    )


def certainty_of(*, tempo: float, key: float, damaged: float) -> float:
    """Weigh the confidences as `certainty` says."""
    return (1.0 - damaged) * (tempo + 3.0 + 0.5 * key) / 5.0
