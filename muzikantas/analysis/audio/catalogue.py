"""All recordings of an artist or of the label, to ask whether a new one is among them.

A question costs two matrix products over the sketches and an exact comparison with the best few.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from muzikantas.analysis.audio.fingerprint import STEPS, Array, Fingerprint, self_likeness, sketch
from muzikantas.analysis.audio.matching import Alignment, align, likeness
from muzikantas.domain.errors import InputError

Kind = Literal["same recording", "transposed", "faster", "slower", "sounds like"]

#: Speeds that are tried: between them a sketch still fits, and the comparison word by word finds the rest.
SPEEDS = (1.0, 0.94, 0.96, 0.98, 1.02, 1.04, 1.06)
#: Speeds nearer to 1 than this are 1.
SAME_SPEED = 0.008

#: As many empty sketches are counted into the mean of all, lest the mean of a few be each of them.
FEW = 20
#: The best by sketch that are compared word by word, and the least likeness of sketches (cosine) that is worth it.
SHORTLIST, WORTH_A_LOOK = 5, 0.3

#: Distance of timbre in dB at which the likeness of sound has fallen to 1/e.
TIMBRE_DB = 12.0
#: Product of the likenesses of harmony and of timbre from which on one recording sounds like the other.
RELATED = 0.5


@dataclass(frozen=True, kw_only=True)
class Match:
    """One recording of the catalogue that the asked one resembles."""

    id: int
    kind: Kind
    score: float  #: 0 to 1: equal bits of copies; likeness of harmony times likeness of timbre for "sounds like"
    semitones: int  #: how much higher the asked one is
    speed: float  #: how many times as fast it is; 1 for "sounds like", where nothing is known of it


class Catalogue:
    """Recordings by id. Adding is cheap; the first question after it builds the matrices anew."""

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._prints: list[Fingerprint] = []
        self._timbres: list[Sequence[float]] = []
        self._matrices: _Matrices | None = None

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, take_id: int, taken: Fingerprint, timbre: Sequence[float]) -> None:
        """Add a recording with its fingerprint and its timbre vector in dB (`Features.timbre`)."""
        if self._timbres and len(timbre) != len(self._timbres[0]):
            raise InputError(
                f"take {take_id}: a timbre vector of {len(timbre)} numbers where the others have "
                f"{len(self._timbres[0])}: measure it again"
            )
        self._ids.append(take_id)
        self._prints.append(taken)
        self._timbres.append(timbre)
        self._matrices = None

    def query(self, taken: Fingerprint, timbre: Sequence[float]) -> list[Match]:
        """Find what a recording is a copy or a relative of: copies first, each by falling score.

        Only the five likeliest of each are looked at, so that of a crowd of copies some are left out.
        """
        if not self._ids:
            return []
        if self._matrices is None:
            self._matrices = _Matrices.of(self._prints, self._timbres)
        found: dict[int, Match] = {}
        for row, speed in self._matrices.copies(taken):
            aligned = align(taken.words, self._prints[row].words, speed)
            if aligned is not None and aligned.same:
                found[row] = _copy(self._ids[row], aligned)
        for row, closeness in self._matrices.relatives(taken, timbre):
            harmony, semitones = likeness(taken.harmony, self._prints[row].harmony)
            score = harmony * closeness
            if row not in found and score >= RELATED:
                found[row] = Match(id=self._ids[row], kind="sounds like", score=score, semitones=semitones, speed=1.0)
        return sorted(found.values(), key=lambda match: (match.kind == "sounds like", -match.score, match.id))


@dataclass(frozen=True, eq=False)
class _Matrices:
    """Sketches and timbres of the whole catalogue, a row each; what all sketches have in common is taken off."""

    common: Array
    sketches: Array
    common_harmony: Array
    harmonies: Array
    timbres: Array

    @classmethod
    def of(cls, prints: Sequence[Fingerprint], timbres: Sequence[Sequence[float]]) -> "_Matrices":
        common, sketches = _centred(np.stack([each.sketch for each in prints]))
        common_harmony, harmonies = _centred(np.stack([each.harmony_sketch for each in prints]))
        return cls(common, sketches, common_harmony, harmonies, np.array(timbres, dtype=np.float32))

    def copies(self, asked: Fingerprint) -> list[tuple[int, float]]:
        """Give rows that are worth comparing word by word, each with the speed that fits best, the likeliest first."""
        own = self_likeness(asked.words)
        wanted = _unit(np.stack([sketch(own, 1.0 / speed) for speed in SPEEDS]) - self.common)
        scores = wanted @ self.sketches.T
        best = scores.max(axis=0)
        rows = (int(row) for row in _largest(best, SHORTLIST) if best[row] >= WORTH_A_LOOK)
        return [(row, SPEEDS[int(scores[:, row].argmax())]) for row in rows]

    def relatives(self, asked: Fingerprint, timbre: Sequence[float]) -> list[tuple[int, float]]:
        """Give rows that may sound alike, each with the likeness of its timbre (0 to 1), the likeliest first."""
        wanted = _unit(asked.harmony_sketch.astype(np.float32) / np.float32(STEPS) - self.common_harmony)
        away = np.linalg.norm(self.timbres - np.asarray(timbre, dtype=np.float32), axis=1)
        closeness = np.exp(-away / np.float32(TIMBRE_DB))
        rows = _largest(closeness * (1.0 + self.harmonies @ wanted), SHORTLIST)
        return [(int(row), float(closeness[row])) for row in rows if closeness[row] >= RELATED]


def _copy(take_id: int, aligned: Alignment) -> Match:
    kind: Kind = "same recording" if aligned.semitones == 0 else "transposed"
    if abs(aligned.speed - 1.0) > SAME_SPEED:
        kind = "faster" if aligned.speed > 1.0 else "slower"
    return Match(id=take_id, kind=kind, score=aligned.agreement, semitones=aligned.semitones, speed=aligned.speed)


def _centred(stored: NDArray[np.int8]) -> tuple[Array, Array]:
    values = stored.astype(np.float32) / np.float32(STEPS)
    common = values.sum(axis=0) / np.float32(len(values) + FEW)
    return common, _unit(values - common)


def _unit(rows: Array) -> Array:
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.maximum(length, np.finfo(np.float32).eps), dtype=np.float32)


def _largest(values: Array, count: int) -> NDArray[np.int64]:
    """Rows of the largest values, the largest first."""
    rows = np.argpartition(-values, count - 1)[:count] if values.size > count else np.arange(values.size)
    return np.asarray(rows[np.argsort(-values[rows], kind="stable")], dtype=np.int64)
