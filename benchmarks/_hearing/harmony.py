"""Harmonises a melody as a band would: plain or coloured triads, inversions, and a bridge in a related key."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks._hearing.pieces import Mode, Note, Piece

MAJOR, MINOR, DIMINISHED = (0, 4, 7), (0, 3, 7), (0, 3, 6)
Quality = tuple[int, ...]

#: Semitones above the tonic, quality of the triad, and how usual it is: the chords of the key.
Triad = tuple[int, Quality, float]
PLAIN: dict[Mode, tuple[Triad, ...]] = {
    "major": ((0, MAJOR, 1.0), (5, MAJOR, 0.7), (7, MAJOR, 0.8), (9, MINOR, 0.5), (2, MINOR, 0.35), (4, MINOR, 0.15)),
    "minor": (
        (0, MINOR, 1.0),
        (5, MINOR, 0.7),
        (7, MAJOR, 0.7),
        (7, MINOR, 0.3),
        (8, MAJOR, 0.5),
        (3, MAJOR, 0.45),
        (10, MAJOR, 0.5),
    ),
}

#: Chords from outside of it: secondary dominants, and what is borrowed from the other mode and from modes.
COLOURED: dict[Mode, tuple[Triad, ...]] = {
    "major": (
        (2, MAJOR, 0.8),
        (9, MAJOR, 0.8),
        (4, MAJOR, 0.8),
        (10, MAJOR, 0.8),
        (5, MINOR, 0.6),
        (8, MAJOR, 0.5),
        (3, MAJOR, 0.4),
    ),
    "minor": ((5, MAJOR, 0.8), (0, MAJOR, 0.5), (2, DIMINISHED, 0.5), (1, MAJOR, 0.4), (2, MAJOR, 0.4)),
}

#: Where bridges go, in semitones above the tonic: fourth, fifth and relative key, seldom the other mode of the tonic.
BRIDGE_KEYS: dict[Mode, tuple[tuple[int, Mode], ...]] = {
    "major": ((5, "major"), (7, "major"), (9, "minor"), (9, "minor"), (0, "minor")),
    "minor": ((3, "major"), (3, "major"), (5, "minor"), (7, "minor"), (0, "major")),
}

#: Four bars each, as places in `PLAIN`.
BRIDGES: dict[Mode, tuple[tuple[int, ...], ...]] = {
    "major": ((0, 2, 3, 1), (0, 3, 1, 2), (3, 1, 0, 2), (4, 2, 0, 0), (1, 2, 5, 3)),
    "minor": ((0, 4, 5, 6), (0, 6, 4, 2), (0, 1, 2, 0), (0, 1, 6, 5), (4, 6, 0, 0)),
}

#: How probable it is that root, third or fifth of a chord are in the bass, of plain and of moving basses.
ROOT_POSITION, INVERTED = (1.0, 0.0, 0.0), (0.55, 0.25, 0.2)


@dataclass(frozen=True, kw_only=True)
class Chord:
    """What sounds in one bar; pitch classes from C."""

    root: int
    tones: Quality  #: semitones above the root
    bass: int  #: pitch class of the lowest note


@dataclass(frozen=True, kw_only=True)
class Taste:
    """How one band harmonises, the same for a whole clip."""

    colour: float  #: how readily chords from outside the key are taken, 0 to 1
    positions: tuple[float, ...]  #: of `ROOT_POSITION` or `INVERTED`
    tones: str  #: "triad", "seventh" (with one), "power" (root and fifth) or "fourth" (now and then for the third)


def taste(rng: random.Random) -> Taste:
    """Draw a taste."""
    return Taste(
        colour=rng.choice((0.0, 0.4, 0.8)),
        positions=rng.choice((ROOT_POSITION, ROOT_POSITION, INVERTED)),
        tones=rng.choice(("triad", "triad", "triad", "seventh", "seventh", "power", "fourth")),
    )


def harmony(piece: Piece, bars: int, own: Taste, rng: random.Random) -> list[Chord]:
    """Choose a chord for each bar by the notes that it shares with the melody; the last bar has the tonic."""
    plain = PLAIN[piece.mode]
    triads = [*plain, *((degree, quality, own.colour * usual) for degree, quality, usual in COLOURED[piece.mode])]
    if own.colour == 0.0:
        triads = list(plain)
    chosen = []
    for bar in range(bars):
        start, stop = bar * piece.quarters_per_bar, (bar + 1) * piece.quarters_per_bar
        notes = [n for n in piece.notes if start <= n.start < stop]

        def fit(triad: Triad, notes: Sequence[Note] = notes, first: float = start) -> float:
            degree, quality, usual = triad
            pitches = {(piece.tonic + degree + q) % 12 for q in quality}
            heard = sum(n.length * (1.5 if n.start == first else 1.0) for n in notes if n.pitch % 12 in pitches)
            return heard / piece.quarters_per_bar + 0.5 * usual + rng.uniform(0.0, 0.3)

        triad = plain[0] if bar == bars - 1 else max(triads, key=fit)
        chosen.append(_chord(piece.tonic, triad, own, rng))
    return chosen


def bridge(piece: Piece, own: Taste, rng: random.Random) -> list[Chord]:
    """Eight bars without the melody in a related key, as between two verses."""
    step, mode = rng.choice(BRIDGE_KEYS[piece.mode])
    loop = rng.choice(BRIDGES[mode])
    return [_chord(piece.tonic + step, PLAIN[mode][place], own, rng) for place in 2 * loop]


def _chord(tonic: int, triad: Triad, own: Taste, rng: random.Random) -> Chord:
    """A triad as this band plays it."""
    degree, quality, _ = triad
    tones: Quality = quality
    if own.tones == "seventh":
        # Dominants and minor chords have the small seventh, the other major chords the large one.
        large = quality == MAJOR and degree not in {7, 2, 9, 4, 10}
        tones = (*quality, 11 if large else 10)
    elif own.tones == "power":
        tones = (0, 7)
    elif own.tones == "fourth" and rng.random() < 0.5:
        tones = (0, 5, 7)
    (place,) = rng.choices((0, 1, 2), own.positions)
    root = (tonic + degree) % 12
    return Chord(root=root, tones=tones, bass=(root + quality[place]) % 12)
