"""The score: which note or drum sounds when. Arithmetic on a grid of sixteenths; nothing here makes a sound."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from muzikantas.sandbox.obedience import Realised

STEPS = 16  #: sixteenths of a bar of 4/4
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}

#: Chord roots as scale degrees; all dwell on the tonic, so that the key is never in doubt.
PROGRESSIONS = {
    "minor": ((0, 3, 0, 4), (0, 5, 3, 0), (0, 5, 6, 0)),
    "major": ((0, 5, 3, 0), (0, 3, 4, 0), (0, 3, 0, 4)),
}

#: How strong each sixteenth is: bar, half, beats, eighths, the rest. Dense playing reaches the weak ones.
STRENGTH = np.array([1.0, 0.2, 0.5, 0.2, 0.75, 0.2, 0.5, 0.2, 0.9, 0.2, 0.5, 0.2, 0.75, 0.2, 0.5, 0.2])

#: Levels of the sections, two bars each: an opening, a verse, a chorus, a bridge, a chorus.
SECTION_LEVELS = (0.7, 0.85, 1.0, 0.8, 1.0)

_FOUR_ON_THE_FLOOR = ("house", "techno", "dance", "disco", "edm", "trance", "electro")


@dataclass(frozen=True)
class Note:
    """One event: `start` and `length` in sixteenths from the beginning; drums use no pitch and no length."""

    part: str
    start: int
    length: int
    midi: int
    level: float


def section_level(bar: int) -> float:
    """Give the level of the section that bar lies in."""
    return SECTION_LEVELS[bar // 2 % len(SECTION_LEVELS)]


def score(take: Realised, bars: int, rng: np.random.Generator) -> Iterator[Note]:
    """Write all parts of a take, bar by bar."""
    choices = PROGRESSIONS[take.mode]
    progression = choices[int(rng.integers(len(choices)))]
    for bar in range(bars):
        root = progression[bar % len(progression)]
        yield from _harmony(take, bar, root)
        yield from _lines(take, bar, root, rng)
        yield from _drums(take, bar, rng)


def _pitch(take: Realised, degree: int, octave: int) -> int:
    """Give the MIDI number of a scale degree; degrees above 6 are in the next octave."""
    return 12 * (octave + 1 + degree // 7) + take.tonic + SCALES[take.mode][degree % 7]


def _harmony(take: Realised, bar: int, root: int) -> Iterator[Note]:
    strokes = (0,) if take.energy < 0.35 else (0, 8) if take.energy < 0.7 else (0, 4, 8, 12)
    length, level = STEPS // len(strokes), section_level(bar)
    # Mood: the further from neutral, the plainer the chord's third, and the louder a drone of the tonic triad.
    depth = float(np.clip((take.valence - 0.5) * (2 if take.mode == "major" else -2), 0, 1))
    for step in strokes:
        for degree, weight in ((root, 1.0), (root + 2, 0.3 + 0.7 * depth), (root + 4, 1.0)):
            yield Note("pad", bar * STEPS + step, length, _pitch(take, degree, 3), 0.30 * weight * level)
    for degree, weight in ((0, 0.22 + 0.25 * depth), (2, 0.4 * depth), (4, 0.3 * depth)):
        yield Note("pad", bar * STEPS, STEPS, _pitch(take, degree, 3), weight * level)


def _played(density: float, rng: np.random.Generator) -> list[int]:
    """Choose the sixteenths that a player of this density touches: the strong ones first."""
    chance = 1 / (1 + np.exp(-(STRENGTH - (1 - density)) / 0.06))
    return [int(step) for step in np.flatnonzero(rng.random(STEPS) < chance)]


def _lines(take: Realised, bar: int, root: int, rng: np.random.Generator) -> Iterator[Note]:
    density, level = 0.02 + 0.95 * take.energy, section_level(bar)
    for step in _played(min(density, 0.6), rng):
        yield Note("bass", bar * STEPS + step, 4, _pitch(take, root, 1), 0.55 * level * STRENGTH[step])
    for count, step in enumerate(_played(density, rng)):
        degree = root + (0, 2, 4, 7, 4, 2)[count % 6]
        yield Note("arp", bar * STEPS + step, 3, _pitch(take, degree, 4), 0.34 * level * (0.4 + 0.6 * STRENGTH[step]))
    for step in _played(0.75 * density, rng):
        chord_tone = STRENGTH[step] > 0.6 or rng.random() < 0.6
        degree = root + int(rng.choice([0, 2, 4])) if chord_tone else int(rng.integers(0, 7))
        yield Note("lead", bar * STEPS + step, 6, _pitch(take, degree, 5), 0.26 * level)


def _drums(take: Realised, bar: int, rng: np.random.Generator) -> Iterator[Note]:
    loud = take.percussiveness
    if loud < 0.15:
        return
    first, level = bar * STEPS, section_level(bar)
    for step in _kicks(take):
        yield Note("kick", first + step, 0, 0, level * min(1, 0.4 + loud))
    for step in {0.5: (8,), 1.0: (4, 12), 2.0: (2, 6, 10, 14)}[take.feel]:
        yield Note("snare", first + step, 0, 0, level * min(1, 0.2 + loud))
    for step in _played(0.05 + 0.5 * loud + 0.3 * take.energy, rng):
        yield Note("hat", first + step, 0, 0, level * (0.3 + 0.5 * STRENGTH[step]))


def _kicks(take: Realised) -> tuple[int, ...]:
    if any(word in take.genre for word in _FOUR_ON_THE_FLOOR):
        return (0, 4, 8, 12)
    if take.percussiveness < 0.45:
        return (0,)
    return (0, 8) if take.feel != 2.0 else (0, 4, 8, 12)
