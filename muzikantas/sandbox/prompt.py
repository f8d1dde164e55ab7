"""Reading a style prompt the way a music model would: a tempo, a key, a genre and graded adjectives."""

import re
from dataclasses import dataclass
from typing import Literal

Mode = Literal["major", "minor"]

#: The five grades of every dimension, from least to most.
GRADES = (0.1, 0.3, 0.5, 0.7, 0.9)

#: Phrases of each grade. The longest phrase found wins, so "very bright tone" is not read as "bright".
VOCABULARY: dict[str, tuple[tuple[str, ...], ...]] = {
    "energy": (
        ("very calm", "very quiet", "sleepy", "ambient mood", "very low energy"),
        ("gentle", "calm", "mellow", "relaxed", "soft", "low energy", "low-energy", "laid-back"),
        ("moderate energy", "medium energy", "steady", "mid-energy"),
        ("energetic", "lively", "upbeat", "driving energy"),
        ("high-energy", "high energy", "very energetic", "intense", "explosive", "aggressive"),
    ),
    "brightness": (
        ("very dark tone", "very dark", "muffled", "very warm tone"),
        ("dark tone", "dark", "warm tone", "warm"),
        ("balanced tone", "balanced", "neutral tone", "natural tone"),
        ("bright tone", "bright", "crisp"),
        ("very bright tone", "very bright", "sparkling", "shimmering"),
    ),
    "valence": (
        ("melancholic", "melancholy", "sad", "sorrowful", "mournful"),
        ("wistful", "nostalgic", "pensive", "longing"),
        ("bittersweet", "ambivalent", "neutral mood"),
        ("hopeful", "optimistic", "uplifting", "positive"),
        ("joyful", "happy", "euphoric", "cheerful"),
    ),
    "percussiveness": (
        ("no drums", "without drums", "beatless", "no percussion", "drumless"),
        ("sparse percussion", "sparse drums", "minimal percussion", "soft percussion"),
        ("light drums", "light percussion", "brushed drums", "moderate drums"),
        ("driving drums", "driving beat", "punchy drums", "strong drums"),
        ("heavy drums", "pounding drums", "massive drums", "heavy percussion"),
    ),
}

_NOTES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ACCIDENTALS = {"": 0, "#": 1, "♯": 1, "sharp": 1, "b": -1, "♭": -1, "flat": -1}
_BPM = re.compile(r"(\d{2,3}(?:\.\d+)?)\s*-?\s*bpm", re.IGNORECASE)
# "in a minor key" names no tonic: hence upper case, and no "key" behind.
_KEY = re.compile(r"(?<![\w#])([A-G])\s?-?(#|♯|b|♭|sharp|flat)?[ -]?(major|minor)\b(?! key)")
_MODE = re.compile(r"\b(major|minor)\b", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a prompt asks for. None and 0.5 stand for "not mentioned"."""

    genre: str
    tempo_bpm: float | None = None
    tonic: int | None = None  #: pitch class, 0 = C
    mode: Mode | None = None
    energy: float = 0.5
    brightness: float = 0.5
    valence: float = 0.5
    percussiveness: float = 0.5


def read_style(style: str) -> Asked:
    """Read a style prompt: the genre is the text before the first comma, the rest may come in any order.

    >>> asked = read_style("dream pop, 96 bpm, in A minor, gentle, very bright tone, wistful, light drums")
    >>> asked.genre, asked.tempo_bpm, asked.tonic, asked.mode, asked.brightness
    ('dream pop', 96.0, 9, 'minor', 0.9)
    """
    genre, _, rest = style.partition(",")
    wishes = rest or style
    tonic, mode = _key(wishes)
    tempo = _BPM.search(style)
    return Asked(
        genre=" ".join(genre.split()).lower() or "pop",
        tempo_bpm=float(tempo[1]) if tempo else None,
        tonic=tonic,
        mode=mode,
        **{dimension: _grade(dimension, wishes.lower()) for dimension in VOCABULARY},
    )


def _key(text: str) -> tuple[int | None, Mode | None]:
    found = _KEY.search(text)
    if found:
        return (_NOTES[found[1]] + _ACCIDENTALS[found[2] or ""]) % 12, _mode(found[3])
    named = _MODE.search(text)
    return None, _mode(named[1]) if named else None


def _mode(word: str) -> Mode:
    return "major" if word.lower() == "major" else "minor"


def _grade(dimension: str, text: str) -> float:
    found = [
        (len(phrase), grade)
        for grade, phrases in zip(GRADES, VOCABULARY[dimension], strict=True)
        for phrase in phrases
        if re.search(rf"(?<![\w-]){re.escape(phrase)}(?![\w-])", text)
    ]
    return max(found)[1] if found else 0.5
