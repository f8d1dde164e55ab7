"""Style as a point: a genre and one number in [0, 1] a dimension."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from muzikantas.domain.features import Features

#: What a brief asks for and the listener hears, in the order of every `values` tuple.
DIMENSIONS = ("tempo", "energy", "brightness", "valence", "percussiveness")

Range = tuple[float, float]


@dataclass(frozen=True)
class Style:
    """A genre and its place in the style space (`values`: shape `(dimensions,)`, each in [0, 1])."""

    genre: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class StyleSpace:
    """What may be asked for: genres, dimensions, and optionally the allowed range per genre and dimension."""

    genres: tuple[str, ...]
    dimensions: tuple[str, ...]
    corridor: Mapping[str, tuple[Range, ...]] | None = None

    def ranges(self, genre: str) -> tuple[Range, ...]:
        """Give the allowed (low, high) of each dimension for `genre`; [0, 1] where no corridor is set."""
        if self.corridor is None or genre not in self.corridor:
            return ((0.0, 1.0),) * len(self.dimensions)
        return tuple(self.corridor[genre])


#: Slowest and fastest tempo of the scale, beats per minute; equal steps of the scale are equal ratios of tempo.
TEMPO_BPM: Range = (60.0, 180.0)
#: Darkest and brightest spectral centroid of the scale, Hz, on a logarithmic scale.
BRIGHTNESS_HZ: Range = (500.0, 4000.0)


def tempo_value(tempo_bpm: float) -> float:
    """Place of a tempo on the scale from 0 (60 bpm) to 1 (180 bpm).

    >>> round(tempo_value(60), 3), round(tempo_value(103.923), 3), tempo_value(300)
    (0.0, 0.5, 1.0)
    """
    return _log_scaled(tempo_bpm, TEMPO_BPM)


def tempo_bpm(value: float) -> float:
    """Tempo in beats per minute at a place on the scale; the inverse of `tempo_value`.

    >>> round(tempo_bpm(0.5), 1)
    103.9
    """
    low, high = TEMPO_BPM
    return float(low * (high / low) ** value)


def octave_near(heard_bpm: float, asked_bpm: float) -> float:
    """Name a heard tempo in the octave that is nearest to what was asked: 70 and 140 are often both right.

    >>> octave_near(140.0, 75.0), octave_near(70.0, 75.0), octave_near(62.0, 120.0), octave_near(100.0, 110.0)
    (70.0, 70.0, 124.0, 100.0)
    """
    octaves = round(math.log2(asked_bpm / heard_bpm))
    return float(heard_bpm * 2.0 ** min(max(octaves, -1), 1))


def heard(features: Features, genre: str, *, asked_bpm: float | None = None) -> Style:
    """Place a recording in the style space by what was measured (genre as it was asked for: nobody measures that).

    With the tempo that was asked for, the heard one is named in its octave.
    """
    bpm = features.tempo_bpm if asked_bpm is None else octave_near(features.tempo_bpm, asked_bpm)
    return Style(
        genre,
        (
            tempo_value(bpm),
            features.energy,
            _log_scaled(features.brightness_hz, BRIGHTNESS_HZ),
            features.valence,
            features.percussive_ratio,
        ),
    )


def _log_scaled(value: float, scale: Range) -> float:
    low, high = scale
    return min(max(math.log(value / low) / math.log(high / low), 0.0), 1.0)
