"""Reads the tune books, chorales and quartets that music21 ships into pieces; runs in the benchmark's own environment.

Key and beat are taken from the notation, and a piece is dropped when they are not certain: its last bass note must be
the tonic, a tune's thirds must fit the mode, and its metre must be one whose beat is undisputed.
"""

import argparse
import importlib
import random
import re
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks._hearing.pieces import METRES, Mode, Note, Piece, save

TUNE_BOOKS = ("oneills1850", "ryansMammoth", "airdsAirs", "essenFolksong", "miscFolk")
QUARTETS = ("haydn", "mozart", "beethoven")

#: Tunes tried from each book, chorales, and movements from each composer, the shortest first: reading a tune takes a
#: tenth of a second, a chorale a third, a long movement ten seconds.
TUNES_PER_BOOK, CHORALES, MOVEMENTS = 300, 300, 6

#: Quarters of a long movement that are kept: more than 30 s at 200 beats a minute.
LONGEST = 128.0

#: Fewer bars than this are a fragment.
SHORTEST_BARS = 6

METRE_LINE = re.compile(rf"^M:\s*({'|'.join(METRES)}|C|C\|)\s*$", flags=re.MULTILINE)
#: Which tunes are tried; the seed of a run then draws from them.
SEED = 4

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

#: How many times as long the thirds of a mode must sound as those of the other one.
CLEAR_THIRDS = 2.0

#: What a tune book may call the mode of a tune, and the mode that its third makes of it. Phrygian, Lydian and Locrian
#: tunes are left out.
MODE_WORDS: dict[str, Mode] = {"": "major", "maj": "major", "ion": "major", "mix": "major", "m": "minor"}
MODE_WORDS |= {"min": "minor", "aeo": "minor", "dor": "minor"}


def sources(root: Path, seed: int) -> list[tuple[str, str]]:
    """List what to read in music21's corpus folder, by source: texts of tunes, paths of scores; a seeded choice."""
    found = []
    for book in TUNE_BOOKS:
        texts = [
            text for path in sorted((root / book).rglob("*.abc")) for text in tunes(path) if METRE_LINE.search(text)
        ]
        random.Random(f"{seed} {book}").shuffle(texts)  # noqa: S311 (a reproducible choice of tunes)
        found += [(book, text) for text in texts[:TUNES_PER_BOOK]]
    chorales = sorted((root / "bach").glob("bwv*.mxl"))
    random.Random(f"{seed} bach").shuffle(chorales)  # noqa: S311 (a reproducible choice of chorales)
    found += [("bach", str(path)) for path in chorales[:CHORALES]]
    for composer in QUARTETS:
        movements = sorted((root / composer).rglob("*.mxl"), key=lambda path: (path.stat().st_size, path))
        found += [(composer, str(path)) for path in movements[:MOVEMENTS]]
    return found


def tunes(path: Path) -> list[str]:
    """Split an ABC tune book into the texts of its tunes."""
    text = path.read_text(encoding="utf-8", errors="replace")
    return [f"X:{part}" for part in re.split(r"^X:", text, flags=re.MULTILINE)[1:]]


def read(source: str, where: str) -> Piece | None:
    """Give the piece, or nothing when it cannot be read or is not certain."""
    music21: Any = importlib.import_module("music21")
    is_abc = source in TUNE_BOOKS
    try:
        score = music21.converter.parse(where, **({"format": "abc"} if is_abc else {}))
        return _piece(source, score, where, is_abc=is_abc)
    except Exception:  # noqa: BLE001 (old transcriptions break the parser in many ways, and there are enough tunes)
        return None


def _piece(source: str, score: Any, where: str, *, is_abc: bool) -> Piece | None:  # noqa: ANN401 (music21 has no types)
    """Turn a parsed score into a piece; None when metre or key is not certain."""
    parts = list(score.parts) or [score]
    notes = [_notes(voice, part) for voice, part in enumerate(parts)]
    metre = _metre(parts[0])
    if metre is None or not all(notes):
        return None
    last_bass = min(n.pitch for voice in notes for n in voice if n.start + n.length >= notes[-1][-1].start + 0.01)
    key = _abc_key(where, notes[0], last_bass % 12) if is_abc else _signature_key(parts[0], last_bass % 12)
    quarters_per_beat, beats = METRES[metre]
    first, pickup = _pickup(parts[0], quarters_per_beat * beats)
    kept = tuple(n for voice in notes for n in voice if n.start < LONGEST)
    if key is None or max(n.start for n in kept) < SHORTEST_BARS * quarters_per_beat * beats or first != 0.0:
        return None
    moved = tuple(Note(voice=n.voice, start=n.start - pickup, length=n.length, pitch=n.pitch) for n in kept)
    title = _title(where, notes[0], is_abc=is_abc)
    return Piece(source=source, title=title, metre=metre, tonic=key[0], mode=key[1], pickup=pickup, notes=moved)


def _notes(voice: int, part: Any) -> list[Note]:  # noqa: ANN401 (music21 has no types)
    """All sounding notes of a part, ties joined, grace notes left out."""
    found = part.stripTies().flatten().notes
    return [
        Note(voice=voice, start=float(each.offset), length=float(each.quarterLength), pitch=int(pitch.midi))
        for each in found
        if float(each.quarterLength) > 0.0
        for pitch in each.pitches
    ]


def _metre(part: Any) -> str | None:  # noqa: ANN401 (music21 has no types)
    """The one metre of the part's first stretch, if its beat is certain."""
    signs = [s for s in part.flatten().getElementsByClass("TimeSignature") if float(s.offset) < LONGEST]
    names = {str(sign.ratioString) for sign in signs}
    return names.pop() if len(names) == 1 and names <= METRES.keys() else None


def _pickup(part: Any, bar: float) -> tuple[float, float]:  # noqa: ANN401 (music21 has no types)
    """Where the first bar starts, and how much of it is an incomplete one."""
    bars = list(part.getElementsByClass("Measure"))[:2]
    if len(bars) < 2:
        return 0.0, 0.0
    length = float(bars[1].offset) - float(bars[0].offset)
    return float(bars[0].offset), length if 0.0 < length < bar else 0.0


def _signature_key(part: Any, last_bass: int) -> tuple[int, Mode] | None:  # noqa: ANN401 (music21 has no types)
    """The key whose signature stands at the start and whose tonic is the last bass note; modal pieces have none."""
    signs = [s for s in part.flatten().getElementsByClass("KeySignature") if float(s.offset) < LONGEST]
    if len({sign.sharps for sign in signs}) != 1:
        return None
    major = (7 * int(signs[0].sharps)) % 12
    keys: dict[int, Mode] = {major: "major", (major + 9) % 12: "minor"}
    return (last_bass, keys[last_bass]) if last_bass in keys else None


def _abc_key(text: str, melody: list[Note], last: int) -> tuple[int, Mode] | None:
    """The key of an ABC tune: its `K:` names the tonic on which it ends, and its thirds sound in that mode."""
    named = re.search(r"^K:\s*([A-G])([#b]?)\s*(\w*)", text, flags=re.MULTILINE)
    if named is None:
        return None
    tonic = (STEPS[named[1]] + {"#": 1, "b": -1, "": 0}[named[2]]) % 12
    mode = MODE_WORDS.get(named[3].lower()[:3])
    minor, major = (sum(n.length for n in melody if n.pitch % 12 == (tonic + k) % 12) for k in (3, 4))
    if tonic != last or mode is None or max(minor, major) == 0.0:
        return None
    if major >= CLEAR_THIRDS * minor:
        return (tonic, "major") if mode == "major" else None
    # The Essen collection writes `K:G` for G minor too, with accidentals.
    return (tonic, "minor") if minor >= CLEAR_THIRDS * major else None


def _title(where: str, melody: list[Note], *, is_abc: bool) -> str:
    """What the piece is called: a tune by its title, a chorale by its first line, a movement by its work.

    Settings of one chorale share a tune and no title, so that the steps of its melody name it, as letters around m.
    """
    if is_abc:
        named = re.search(r"^T:\s*(.+)$", where, flags=re.MULTILINE)
        return named[1].strip() if named else where[:20]
    path = Path(where)
    if not path.name.startswith("bwv"):
        return f"{path.parents[1].name} {path.parent.name}"
    steps = [b.pitch - a.pitch for a, b in pairwise(melody) if a.pitch != b.pitch]
    return "chorale " + "".join(chr(ord("m") + max(-12, min(12, step))) for step in steps[:6])


def main() -> None:
    """Write the pieces of the corpus to a file; with `--part i/n` those of every n-th source."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks._hearing.corpus", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--part", default="0/1")
    given = parser.parse_args()
    part, parts = (int(number) for number in given.part.split("/"))
    warnings.simplefilter("ignore")
    root = Path(importlib.import_module("music21").__file__ or "").parent / "corpus"
    pieces = (read(source, where) for source, where in sources(root, SEED)[part::parts])
    save(given.out, (piece for piece in pieces if piece is not None))


if __name__ == "__main__":
    main()
