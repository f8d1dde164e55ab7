"""What the listener hears in a recording."""

from dataclasses import dataclass
from typing import Literal

Mode = Literal["major", "minor"]
PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


@dataclass(frozen=True, kw_only=True)
class Features:
    """Measured features of one recording; definitions stand at the functions of `analysis/audio`."""

    extractor: str  #: name and version of the extractor, so that rows of different ones are never mixed
    duration_s: float
    tempo_bpm: float  #: beats per minute, 40 to 250; compare modulo octaves, 70 and 140 are often both right
    tempo_confidence: float  #: 0 to 1
    key: str  #: tonic, one of `PITCH_CLASSES`
    mode: Mode
    key_confidence: float  #: 0 to 1
    loudness_lufs: float  #: integrated, ITU-R BS.1770; the one feature that depends on level
    energy: float  #: 0 to 1: onset rate, brightness and density
    brightness_hz: float  #: median spectral centroid, weighted by power, 0 to 11025
    onset_rate_hz: float  #: onsets per second
    danceability: float  #: 0 to 1: how regular the level is over beats and bars
    valence: float  #: 0 to 1, experimental: mode, onset rate and brightness
    percussive_ratio: float  #: instrumental balance, 0 (all sustained) to 1 (all percussive)
