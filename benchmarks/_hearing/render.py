"""Renders pieces to short audio files with known tempo and key; runs in the benchmark's own environment.

Every choice comes from the seed: tempo, transposition, instruments, band, timing, tuning, room and coding. Test and
training share neither tunes (split by title) nor instruments (split by sound font and program).
"""

import argparse
import importlib
import json
import math
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._hearing import sound
from benchmarks._hearing.arrange import BASS, CHORDS, DRUMS, Event, arrange
from benchmarks._hearing.pieces import Half, Mode, Piece, load
from benchmarks._hearing.score import PITCH_CLASSES
from benchmarks._hearing.sound import RATE, Audio

TEMPO_RANGE_BPM = (56.0, 210.0)

#: Notes of the melody a second that people write and play; a tempo outside of it is drawn again.
PLAYED_HZ = (0.9, 6.0)

#: Players of one band are not quite in tune with each other.
PLAYERS_CENTS = 4.0

#: Share of tunes that a band plays, and the lengths of clips.
BANDS, SECONDS = 0.55, (16.0, 26.0)

#: Programs of General MIDI that carry a melody or chords, and basses.
TUNED = (
    *range(0, 8),
    11,
    12,
    *range(16, 32),
    *range(40, 44),
    *range(48, 53),
    *range(56, 78),
    *range(80, 96),
    104,
    105,
    110,
)
BASSES = tuple(range(32, 40))

#: Pieces of a source that are drawn a turn, one of others: a third of the music is written for voices.
TURNS = {"bach": 2}

#: Drum kits of both sound fonts.
KITS = (0, 16, 25, 32)


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One rendered file and the truth about it."""

    file: str
    tempo_bpm: float
    beats_per_bar: int
    metre: str
    key: str
    mode: Mode
    kind: str  #: solo, score, band or band with drums
    drums: bool
    instrument: str
    cents: float
    source: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Orchestra:
    """A synthesiser with its sound fonts loaded."""

    synth: Any
    fonts: tuple[int, ...]

    def choose(self, channel: int, programs: Sequence[int], half: Half, rng: random.Random) -> str:
        """Give a channel one of the programs that this half of the data may use."""
        parity = 0 if half == "test" else 1
        font = rng.randrange(len(self.fonts))
        allowed = [p for k, p in enumerate(programs) if (k + font) % 2 == parity]
        program, is_drums = rng.choice(allowed), channel == DRUMS
        self.synth.program_select(channel, self.fonts[font], 128 if is_drums else 0, program, is_drums)
        return f"{font}:{program}"


def orchestra() -> Orchestra:
    """Load the sound fonts that come in Python packages: TimGM6mb (pretty_midi) and Merlin (scamp)."""
    synth = importlib.import_module("tinysoundfont").Synth(samplerate=RATE)
    packages = Path(importlib.import_module("tinysoundfont").__file__ or "").parents[1]
    files = ("pretty_midi/TimGM6mb.sf2", "scamp/soundfonts/Merlin.sf2")
    return Orchestra(synth=synth, fonts=tuple(synth.sfload(str(packages / file)) for file in files))


def render(piece: Piece, seconds: float, half: Half, seed: str, folder: Path) -> Clip:
    """Render one clip; the same arguments give the same samples."""
    rng = random.Random(seed)  # noqa: S311 (reproducible on purpose)
    tempo_bpm = _tempo(piece, rng)
    per_quarter_s = 60.0 / tempo_bpm / piece.quarters_per_beat
    is_tune = len({n.voice for n in piece.notes}) == 1
    band = is_tune and rng.random() < BANDS
    drums = rng.random() < (0.4 if band else 0.05 if is_tune else 0.25)
    events = arrange(piece, seconds / per_quarter_s, rng, drums=drums, band=band)
    shift, cents = rng.randrange(-6, 6), rng.choice((0.0, rng.uniform(-40.0, 40.0)))
    players = orchestra()
    instrument = _dress(players, half, rng, cents, is_tune=is_tune)
    played = _timed(events, per_quarter_s, shift, rng)
    plain = _play(players.synth, played, seconds)
    if not plain.any():  # an instrument that lacks the piece's register: another one
        return render(piece, seconds, half, f"{seed} again", folder)
    audio = sound.finished(plain, rng)
    name = sound.written(audio, folder / seed.replace(" ", "-"), rng)
    return Clip(
        file=name,
        tempo_bpm=tempo_bpm,
        beats_per_bar=piece.beats_per_bar,
        metre=piece.metre,
        key=PITCH_CLASSES[(piece.tonic + shift) % 12],
        mode=piece.mode,
        kind="band" if band else "solo" if is_tune else "score",
        drums=drums,
        instrument=instrument,
        cents=cents,
        source=piece.source,
        title=piece.title,
    )


def _tempo(piece: Piece, rng: random.Random) -> float:
    """A tempo at which the melody is playable, evenly drawn in octaves."""
    melody = [n for n in piece.notes if n.voice == 0]
    per_beat = len(melody) / (melody[-1].start + melody[-1].length + piece.pickup) * piece.quarters_per_beat
    low, high = (math.log2(bpm) for bpm in TEMPO_RANGE_BPM)
    for _ in range(50):
        tempo_bpm = math.exp2(rng.uniform(low, high))
        if PLAYED_HZ[0] <= per_beat * tempo_bpm / 60.0 <= PLAYED_HZ[1]:
            break
    return round(tempo_bpm, 3)


def _dress(players: Orchestra, half: Half, rng: random.Random, cents: float, *, is_tune: bool) -> str:
    """Give all channels their instruments: chorales one for all voices, or one each."""
    state = rng.getstate()
    names = [players.choose(0, TUNED, half, rng)]
    alike = not is_tune and rng.random() < 0.6
    for channel in (1, 2, 3):
        if alike:
            rng.setstate(state)
        names.append(players.choose(channel, TUNED, half, rng))
    names.append(players.choose(CHORDS, TUNED, half, rng))
    names.append(players.choose(BASS, BASSES, half, rng))
    names.append(players.choose(DRUMS, KITS, half, rng))
    for channel in (0, 1, 2, 3, CHORDS, BASS):
        players.synth.set_tuning(channel, (cents + rng.gauss(0.0, PLAYERS_CENTS)) / 100.0)
    for channel, level in zip((0, CHORDS, BASS, DRUMS), rng.choices((70, 85, 100, 115), k=4), strict=True):
        players.synth.control_change(channel, 7, level)
    return " ".join(names)


def _timed(
    events: Sequence[Event], per_quarter_s: float, shift: int, rng: random.Random
) -> list[tuple[float, float, Event, int]]:
    """Put events on the clock as people play: each note a few milliseconds off, and a slow sway that keeps the mean."""
    jitter_s = rng.choice((0.0, 0.005, 0.01, 0.018))
    sway_s, sway_quarters = rng.choice((0.0, 0.01, 0.02, 0.03)), rng.uniform(8.0, 24.0)
    played = []
    for event in events:
        sway = sway_s * math.sin(2.0 * math.pi * event.start / sway_quarters)
        start_s = max(0.0, 0.1 + event.start * per_quarter_s + sway + rng.gauss(0.0, jitter_s))
        pitch = event.pitch if event.channel == DRUMS else event.pitch + shift
        played.append((start_s, start_s + max(0.05, 0.95 * event.length * per_quarter_s), event, pitch))
    return played


def _play(synth: Any, played: Sequence[tuple[float, float, Event, int]], seconds: float) -> Audio:  # noqa: ANN401 (tinysoundfont has no types)
    """Run the synthesiser from event to event, `[shape=(n, 2)]`."""
    actions = [(start, 1, e.channel, pitch, e.velocity) for start, _, e, pitch in played]
    actions += [(stop, 0, e.channel, pitch, 0) for _, stop, e, pitch in played]
    pieces, now = [], 0
    for when, on, channel, pitch, velocity in [*sorted(actions), (seconds, 0, 0, 0, 0)]:
        until = min(int(when * RATE), int(seconds * RATE))
        if until > now:
            pieces.append(np.frombuffer(bytes(synth.generate(until - now)), dtype=np.float32).reshape(-1, 2))
            now = until
        if on:
            synth.noteon(channel, pitch, velocity)
        else:
            synth.noteoff(channel, pitch)
    return np.concatenate(pieces)


def choose(pieces: Sequence[Piece], half: Half, count: int, seed: int) -> list[Piece]:
    """Draw pieces of one half, as even as can be over sources; when there are too few, some twice."""
    rng = random.Random(f"{seed} {half}")  # noqa: S311 (reproducible on purpose)
    by_source: dict[str, list[Piece]] = {}
    for piece in pieces:
        if piece.half == half:
            by_source.setdefault(piece.source, []).append(piece)
    for each in by_source.values():
        rng.shuffle(each)
    chosen: list[Piece] = []
    for turn in range(count):
        for source, each in by_source.items():
            places = range(turn * (times := TURNS.get(source, 1)), (turn + 1) * times)
            chosen += [each[place % len(each)] for place in places if place < 2 * len(each)]
        if len(chosen) >= count:
            break
    return chosen[:count]


def main() -> None:
    """Render a set into a folder with a manifest; with `--part i/n` only every n-th clip."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks._hearing.render", description=__doc__)
    parser.add_argument("pieces", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--half", choices=("test", "train"), default="test")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--part", default="0/1")
    given = parser.parse_args()
    part, parts = (int(number) for number in given.part.split("/"))
    given.folder.mkdir(parents=True, exist_ok=True)
    chosen = choose(load(given.pieces), given.half, given.count, given.seed)
    clips = []
    for number, piece in list(enumerate(chosen))[part::parts]:
        seed = f"{given.half} {given.seed} {number:04d}"
        clips.append(asdict(render(piece, random.Random(seed).uniform(*SECONDS), given.half, seed, given.folder)))  # noqa: S311 (reproducible on purpose)
        (given.folder / f"manifest-{part}.json").write_text(json.dumps(clips, indent=1))


if __name__ == "__main__":
    main()
