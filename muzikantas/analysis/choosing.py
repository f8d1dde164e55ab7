"""Which of a request's takes becomes the track: sound before broken, new before a repetition, then obedience.

The rule, its weights and their reasons stand in `docs/decisions/0009-the-better-take.md`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from muzikantas.analysis.candidates import SIMILAR_WITHIN
from muzikantas.analysis.history import Array
from muzikantas.analysis.obedience import SCATTER
from muzikantas.domain.features import Features
from muzikantas.domain.style import DIMENSIONS, Style, heard, tempo_bpm

#: Outside of this no music is mastered, in LUFS: below is nearly silence, above are samples cut off at full scale (a
#: sine at full scale has -3).
LOUDNESS_LUFS = (-45.0, -4.0)
#: A take shorter than this share of its longest sibling broke off: takes of one request differ, but seldom by half.
FAR_SHORTER = 0.5
#: With fewer earlier tracks than this nobody knows which dimension the generator misses by how much.
ENOUGH_PAIRS = 8
#: Differences below this, on the scale from 0 to 1, are the listener's rather than the generator's.
FINEST = 0.02
#: Nearer than this to an earlier track (root mean square over the dimensions) is a repetition: a tenth of the usual
#: scatter, which two different songs in one style rarely reach.
REPEATS = 0.01
#: Farther than this is new, and more is not newer: twice the width within which the plan calls styles similar.
NEW = 2 * SIMILAR_WITHIN
#: Misses that differ by less, in usual misses, are equal to the ear; then the newer take is the better one.
NEARLY = 0.1


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The take that becomes the track, and why, in one line for the operator."""

    index: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class _Judged:
    """What the rule knows of one take."""

    index: int
    fault: str | None
    miss: float  #: distance to what was asked, in usual misses a dimension
    away: float  #: distance to the nearest earlier track of the genre; infinite where there is none

    def told(self) -> str:
        """Say it in numbers."""
        near = "the first of its genre" if math.isinf(self.away) else f"{self.away:.3f} from the nearest earlier track"
        fault = f", {self.fault}" if self.fault else ""
        return f"{self.miss:.2f} usual misses from what was asked, {near}{fault}"


def better_take(asked: Style, takes: Sequence[Features], catalogue: Sequence[tuple[Style, Style]]) -> Choice:
    """Choose the take that becomes the track; the first of equals.

    Each step keeps the takes that pass it, or all when none does: sound content; not a repetition of an earlier track;
    as close to what was asked as the closest, within `NEARLY`; the farthest from the catalogue, up to `NEW`. Of what is
    left the closest to what was asked is chosen.

    Parameters
    ----------
    asked
        The style of the brief.
    takes
        What was heard in each take, at least one.
    catalogue
        The artist's earlier tracks as (asked, realised), in any order. Repetitions are looked for in the asked genre;
        how exactly the generator obeys is learnt from all of them.
    """
    judged = _judge(asked, takes, catalogue)
    sound = [take for take in judged if not take.fault] or judged
    fresh = [take for take in sound if take.away >= REPEATS] or sound
    closest = min(take.miss for take in fresh)
    near = [take for take in fresh if take.miss <= closest + NEARLY]
    best = min(near, key=lambda take: (-min(take.away, NEW), take.miss))
    if len(judged) == 1:
        why = "the only take"
    elif len(sound) == 1:
        why = "the only sound take"
    elif len(fresh) == 1:
        why = "the only sound take that does not repeat an earlier track"
    elif best.miss > closest:
        why = "nearly as close to what was asked as the closest, and farther from earlier tracks"
    else:
        why = "the closest to what was asked"
    others = "".join(f"; the other: {take.told()}" for take in judged if take is not best)
    return Choice(index=best.index, reason=f"{why}: {best.told()}{others}")


def usual_misses(pairs: Sequence[tuple[Style, Style]]) -> Array:
    """How far the generator usually is from what was asked, a dimension: root mean square of realised minus asked.

    The same for all dimensions while fewer than `ENOUGH_PAIRS` are known. It is taken around zero, not around the mean,
    so that a dimension which is always missed by the same amount weighs less, not more.
    """
    if len(pairs) < ENOUGH_PAIRS:
        return np.full(len(DIMENSIONS), SCATTER)
    gaps = np.array([was.values for _, was in pairs]) - np.array([asked.values for asked, _ in pairs])
    return np.maximum(_rms(gaps.T), FINEST)


def _judge(asked: Style, takes: Sequence[Features], catalogue: Sequence[tuple[Style, Style]]) -> list[_Judged]:
    bpm = tempo_bpm(asked.values[0])
    realised = np.array([heard(features, asked.genre, asked_bpm=bpm).values for features in takes])
    misses = _rms((realised - np.array(asked.values)) / usual_misses(catalogue))
    distances = _to_nearest(realised, [was.values for _, was in catalogue if was.genre == asked.genre])
    faults = _faults(takes)
    return [
        _Judged(index=i, fault=faults[i], miss=float(misses[i]), away=float(distances[i])) for i in range(len(takes))
    ]


def _faults(takes: Sequence[Features]) -> list[str | None]:
    """What is broken in each take, as far as features tell; files that are no recording never come this far."""
    faults = [_level_fault(features.loudness_lufs) for features in takes]
    audible = [features.duration_s for features, fault in zip(takes, faults, strict=True) if fault is None]
    for i, features in enumerate(takes):
        # Only an audible take can be the measure: a long silence would make its sound sibling look broken off.
        if faults[i] is None and features.duration_s < FAR_SHORTER * max(audible):
            faults[i] = f"broken off: {features.duration_s:.0f} s where another take has {max(audible):.0f} s"
    return faults


def _level_fault(loudness_lufs: float) -> str | None:
    quietest, loudest = LOUDNESS_LUFS
    if loudness_lufs < quietest:
        return f"nearly silent at {loudness_lufs:.1f} LUFS"
    if loudness_lufs > loudest:
        return f"cut off at full scale: {loudness_lufs:.1f} LUFS"
    return None


def _rms(rows: Array) -> Array:
    """Root mean square of each row."""
    rooted: Array = np.sqrt(np.mean(rows**2, axis=1))
    return rooted


def _to_nearest(points: Array, others: Sequence[tuple[float, ...]]) -> Array:
    """Distance of each point (shape `(n, d)`) to its nearest neighbour among the others; infinite without any."""
    if not others:
        return np.full(len(points), math.inf)
    return np.array([_rms(point - np.array(others)).min() for point in points])
