"""Scores of tempo and key answers against the truth."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmarks._mean import Mean

PITCH_CLASSES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

#: Gouyon et al., "An experimental comparison of audio tempo induction algorithms", IEEE TASLP 14(5), 2006.
TOLERANCE = 0.04
LEVELS = (1.0, 2.0, 0.5, 3.0, 1.0 / 3.0)

#: A tempo that a listener could mix by.
FINE_TOLERANCE = 0.005
OCTAVES = (1.0, 2.0, 0.5)


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What a clip was rendered with."""

    tempo_bpm: float
    key: str
    mode: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an engine heard; None where it does not answer at all."""

    tempo_bpm: float | None
    key: str | None
    mode: str | None


def near(answer: float, truth: float, tolerance: float, levels: Iterable[float]) -> bool:
    """Whether an answer is near the truth at one of some metrical levels.

    >>> near(240.5, 120.0, 0.005, OCTAVES), near(240.5, 120.0, 0.005, [1.0])
    (True, False)
    """
    return any(abs(answer - level * truth) <= tolerance * level * truth for level in levels)


def mirex(answer: Answer, truth: Truth) -> float:
    """Weighted key score as in MIREX: 1 for the key, 0.5 a fifth off either way, 0.3 relative, 0.2 parallel.

    >>> a_minor, c_major = Answer(tempo_bpm=None, key="A", mode="minor"), Truth(tempo_bpm=1.0, key="C", mode="major")
    >>> mirex(a_minor, c_major)
    0.3
    """
    if answer.key is None:
        return 0.0
    steps = (PITCH_CLASSES.index(answer.key) - PITCH_CLASSES.index(truth.key)) % 12
    if answer.mode == truth.mode:
        return {0: 1.0, 7: 0.5, 5: 0.5}.get(steps, 0.0)
    relative = 9 if truth.mode == "major" else 3
    return {relative: 0.3, 0: 0.2}.get(steps, 0.0)


def scores(answers: Mapping[str, Answer], truths: Mapping[str, Truth]) -> dict[str, Mean]:
    """Score all clips; one without an answer counts as wrong. Engines without tempo or key lack those scores."""
    pairs = [(answers.get(name, Answer(tempo_bpm=None, key=None, mode=None)), truth) for name, truth in truths.items()]
    found: dict[str, Mean] = {}
    if any(answer.tempo_bpm is not None for answer, _ in pairs):
        tempi = [(answer.tempo_bpm or 0.0, truth.tempo_bpm) for answer, truth in pairs]
        found["tempo_acc1"] = Mean.of([near(a, t, TOLERANCE, LEVELS[:1]) for a, t in tempi])
        found["tempo_acc2"] = Mean.of([near(a, t, TOLERANCE, LEVELS) for a, t in tempi])
        found["tempo_fine"] = Mean.of([near(a, t, FINE_TOLERANCE, OCTAVES) for a, t in tempi])
    if any(answer.key is not None for answer, _ in pairs):
        found["key_exact"] = Mean.of([mirex(answer, truth) == 1.0 for answer, truth in pairs])
        found["key_mirex"] = Mean.of([mirex(answer, truth) for answer, truth in pairs])
    return found
