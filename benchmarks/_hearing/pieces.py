"""Pieces of music as numbers, and which of them a benchmark may use."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Mode = Literal["major", "minor"]
Half = Literal["test", "train"]

#: Quarters a beat and beats a bar of each metre whose beat nobody disputes. 3/8, 6/4 and longer units are left out.
METRES = {
    "2/4": (1.0, 2),
    "3/4": (1.0, 3),
    "4/4": (1.0, 4),
    "2/2": (2.0, 2),
    "6/8": (1.5, 2),
    "9/8": (1.5, 3),
    "12/8": (1.5, 4),
}

#: Three in ten titles are kept for the test.
TEST_SHARE = 0.3


@dataclass(frozen=True, kw_only=True)
class Note:
    """One note of one voice; times in quarters from the first bar line."""

    voice: int
    start: float
    length: float
    pitch: int  #: MIDI number


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A notated piece of constant metre whose key and beat are certain."""

    source: str
    title: str
    metre: str  #: one of `METRES`
    tonic: int  #: pitch class from C
    mode: Mode
    pickup: float  #: quarters before the first bar line
    notes: tuple[Note, ...]  #: voice 0 is the highest

    @property
    def quarters_per_beat(self) -> float:
        """Quarters in a notated beat: 1.5 in 6/8."""
        return METRES[self.metre][0]

    @property
    def beats_per_bar(self) -> int:
        """Notated beats in a bar: 2 in 6/8."""
        return METRES[self.metre][1]

    @property
    def quarters_per_bar(self) -> float:
        """Quarters in a bar."""
        return self.quarters_per_beat * self.beats_per_bar

    @property
    def half(self) -> Half:
        """Whether the piece belongs to the test or to training: by title, so that versions of a tune stay together."""
        words = re.sub(r"[^a-z]", "", self.title.lower())
        digest = hashlib.sha256(words.encode()).digest()
        return "test" if digest[0] < 256 * TEST_SHARE else "train"


def save(path: Path, pieces: Iterable[Piece]) -> None:
    """Write pieces as JSON lines."""
    with path.open("w") as file:
        for piece in pieces:
            row = asdict(piece) | {"notes": [[n.voice, n.start, n.length, n.pitch] for n in piece.notes]}
            file.write(json.dumps(row) + "\n")


def load(path: Path) -> list[Piece]:
    """Read pieces written by `save`."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        row["notes"] = tuple(Note(voice=v, start=s, length=n, pitch=p) for v, s, n, p in row["notes"])
    return [Piece(**row) for row in rows]
