"""Arranges a piece for a band, seeded: harmony, bass, accompaniment and drums around a notated melody."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks._hearing.harmony import Chord, bridge, harmony, taste
from benchmarks._hearing.pieces import Note, Piece

MELODY, CHORDS, BASS, DRUMS = 0, 4, 5, 9

KICK, RIM, SNARE, CLOSED, OPEN, RIDE = 36, 37, 38, 42, 46, 51
Pattern = dict[int, tuple[float, ...]]

#: Drum patterns by beats in the bar; places are in beats. They are usual ones, half time and one-drop among them.
SIMPLE_DRUMS: dict[int, tuple[Pattern, ...]] = {
    4: (
        {KICK: (0, 2), SNARE: (1, 3), CLOSED: (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5)},
        {KICK: (0, 1.75, 2.5), SNARE: (1, 3), CLOSED: tuple(k / 4 for k in range(16))},
        {KICK: (0, 2.5), SNARE: (2,), CLOSED: (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5)},
        {KICK: (0, 1, 2, 3), SNARE: (1, 3), OPEN: (0.5, 1.5, 2.5, 3.5)},
        {KICK: (0, 1.5, 2, 3.5), RIM: (0, 0.75, 1.5, 2.5, 3), CLOSED: (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5)},
        {KICK: (0, 0.5, 2.5), SNARE: (1, 1.75, 2.25, 3), RIDE: (0, 1, 2, 3)},
        {KICK: (2,), RIM: (2,), CLOSED: (0.5, 1.5, 2.5, 3.5)},
        {RIDE: (0, 1, 1.67, 2, 3, 3.67), CLOSED: (1, 3)},
    ),
    2: (
        {KICK: (0,), SNARE: (1,), CLOSED: (0.5, 1.5)},
        {KICK: (0, 1), SNARE: (0.5, 1.5)},
        {KICK: (0, 0.75), SNARE: (1,), CLOSED: tuple(k / 4 for k in range(8))},
    ),
    3: (
        {KICK: (0,), CLOSED: (1, 2)},
        {KICK: (0,), SNARE: (1, 2), CLOSED: (0, 0.5, 1, 1.5, 2, 2.5)},
        {KICK: (0, 1.5), SNARE: (2,), RIDE: (0, 1, 2)},
    ),
}
THIRDS = (0.0, 1 / 3, 2 / 3)

#: Bars between two verses of some band pieces, and the share of these; and the share of tunes that begin at any bar.
BRIDGE_BARS, BRIDGE_SHARE, ENTERED_LATE = 8, 0.3, 0.3


@dataclass(frozen=True, kw_only=True)
class Event:
    """A note that a channel plays; times in quarters, with room for human timing later."""

    channel: int
    start: float
    length: float
    pitch: int
    velocity: int


@dataclass(frozen=True, kw_only=True)
class Line:
    """Where an accompanying voice plays within a bar, in beats, and how long."""

    places: tuple[float, ...]
    length: float


def arrange(piece: Piece, quarters: float, rng: random.Random, *, drums: bool, band: bool) -> list[Event]:
    """Play so many quarters of a piece that is repeated, alone or with a band, from its start or from some bar on."""
    bars = max(1, round((max(n.start + n.length for n in piece.notes) + piece.pickup) / piece.quarters_per_bar))
    bridged = BRIDGE_BARS if band and rng.random() < BRIDGE_SHARE else 0
    loop = (bars + bridged) * piece.quarters_per_bar
    is_tune = len({n.voice for n in piece.notes}) == 1
    # Chorales and movements wander through keys, and only their whole has the one that is written.
    from_bar = rng.randrange(bars + bridged) if is_tune and rng.random() < ENTERED_LATE else 0
    cut = from_bar * piece.quarters_per_bar
    times = range(int((quarters + cut) // loop) + 1)
    voices = 1 if band and is_tune else 4
    events = [_melody(piece, n, k * loop, rng) for k in times for n in piece.notes if n.voice < voices]
    if band:
        events += _band(piece, bars, [k * loop for k in times], rng, has_bridge=bridged > 0)
    if drums:
        events += _drums(piece, quarters + cut, rng)
    return [replace(event, start=event.start - cut) for event in events if cut <= event.start < cut + quarters]


def _melody(piece: Piece, note: Note, offset: float, rng: random.Random) -> Event:
    """Play a notated note: bar lines and beats a little louder."""
    place = (note.start % piece.quarters_per_bar) / piece.quarters_per_beat
    accent = 12 if place == 0.0 else 6 if place.is_integer() else 0
    velocity = min(127, 84 + accent + rng.randrange(-10, 11))
    start = note.start + offset + piece.pickup
    return Event(channel=min(note.voice, 3), start=start, length=note.length, pitch=note.pitch, velocity=velocity)


def _band(piece: Piece, bars: int, offsets: Sequence[float], rng: random.Random, *, has_bridge: bool) -> list[Event]:
    """Chords and bass for all repeats, in one style."""
    own = taste(rng)
    chords = harmony(piece, bars, own, rng) + (bridge(piece, own, rng) if has_bridge else [])
    broken, walking = rng.random() < 0.35, rng.random() < 0.15
    every_beat = Line(places=tuple(float(b) for b in range(piece.beats_per_bar)), length=0.9)
    chord_line, bass_line = rng.choice(_chord_lines(piece)), every_beat if walking else rng.choice(_bass_lines(piece))
    events = []
    for offset in offsets:
        for bar, (chord, following) in enumerate(zip(chords, chords[1:] + chords[:1], strict=True)):
            start = offset + piece.pickup + bar * piece.quarters_per_bar
            turns = _walk(chord, following, piece.beats_per_bar, rng) if walking else _bass(chord)
            events += _played(piece, BASS, bass_line, start, turns, rng)
            voicing = [48 + (chord.root + q) % 12 for q in chord.tones]
            events += _played(piece, CHORDS, chord_line, start, [[p] for p in voicing] if broken else [voicing], rng)
    return events


def _bass(chord: Chord) -> list[list[int]]:
    """The bass note of a chord, now and then its fifth."""
    low = 28 + (chord.bass - 28) % 12
    return [[low], [low], [low], [28 + (chord.root + 7 - 28) % 12]]


def _walk(chord: Chord, following: Chord, beats: int, rng: random.Random) -> list[list[int]]:
    """A note a beat: the chord's tones, at the end a semitone beside the next bass note."""
    tones = [28 + (chord.root + q - 28) % 12 for q in chord.tones]
    inner = [rng.choice(tones) for _ in range(max(0, beats - 2))]
    approach = 28 + (following.bass + rng.choice((-1, 1)) - 28) % 12
    return [[pitch] for pitch in (28 + (chord.bass - 28) % 12, *inner, approach)][:beats]


def _played(
    piece: Piece, channel: int, line: Line, start: float, turns: Sequence[Sequence[int]], rng: random.Random
) -> list[Event]:
    """Play one bar of a line; its places take turns with some sets of pitches."""
    beat = piece.quarters_per_beat
    return [
        Event(
            channel=channel,
            start=start + place * beat,
            length=line.length * beat,
            pitch=pitch,
            velocity=rng.randrange(62, 88),
        )
        for k, place in enumerate(line.places)
        for pitch in turns[k % len(turns)]
    ]


def _chord_lines(piece: Piece) -> list[Line]:
    """Ways to play chords in the metre: held, on the beat, after it, running, syncopated."""
    beats = range(piece.beats_per_bar)
    parts = THIRDS if piece.quarters_per_beat == 1.5 else (0.0, 0.5)
    lines = [
        Line(places=(0.0,), length=piece.beats_per_bar * 0.98),
        Line(places=tuple(float(b) for b in beats), length=0.8),
        Line(places=tuple(b + parts[-1] for b in beats), length=0.3),
        Line(places=tuple(b + part for b in beats for part in parts), length=0.45),
    ]
    if piece.beats_per_bar == 4:
        lines.append(Line(places=(0.0, 0.75, 1.5, 2.0, 2.75, 3.5), length=0.5))
    return lines


def _bass_lines(piece: Piece) -> list[Line]:
    """Ways to play the bass: the bar, its half, each beat, running, syncopated."""
    beats = piece.beats_per_bar
    lines = [
        Line(places=(0.0,), length=beats * 0.95),
        Line(places=tuple(float(b) for b in range(beats)), length=0.85),
        Line(places=tuple(b + k for b in range(beats) for k in (0.0, 0.5)), length=0.45),
    ]
    if beats == 4:
        lines += [Line(places=(0.0, 2.0), length=1.6), Line(places=(0.0, 1.5, 2.0, 3.5), length=0.6)]
    return lines


def _drums(piece: Piece, quarters: float, rng: random.Random) -> list[Event]:
    """One drum pattern for the whole clip, now and then with a fill."""
    beats, beat = piece.beats_per_bar, piece.quarters_per_beat
    pattern = _compound_pattern(beats, rng) if beat == 1.5 else rng.choice(SIMPLE_DRUMS[beats])
    events = []
    for bar in range(int((quarters - piece.pickup) / piece.quarters_per_bar) + 1):
        start = piece.pickup + bar * piece.quarters_per_bar
        hits = [(drum, place) for drum, places in pattern.items() for place in places]
        if bar % 4 == 3 and rng.random() < 0.5:
            hits += [(SNARE, beats - 1 + k / 4) for k in range(4)]
        events += [
            Event(
                channel=DRUMS, start=start + place * beat, length=0.2, pitch=drum, velocity=_loudness(drum, place, rng)
            )
            for drum, place in hits
        ]
    return events


def _compound_pattern(beats: int, rng: random.Random) -> Pattern:
    """A pattern for beats of three: kick and snare take turns, the hi-hat runs or lilts."""
    running = rng.random() < 0.5
    places = tuple(b + third for b in range(beats) for third in (THIRDS if running else (0.0, 2 / 3)))
    snare = tuple(float(b) for b in range(1, beats, 2)) if beats != 3 else (2.0,)
    return {KICK: (0.0,) if beats < 4 else (0.0, 2.0), SNARE: snare, CLOSED: places}


def _loudness(drum: int, place: float, rng: random.Random) -> int:
    """Cymbals are softer, and softest between beats."""
    base = 92 if drum in (KICK, SNARE) else 66 if float(place).is_integer() else 54
    return base + rng.randrange(-8, 9)
