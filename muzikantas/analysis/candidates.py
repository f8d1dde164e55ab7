"""Where a batch may go: candidate styles, the guard against repetition, and the local search around a choice."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from muzikantas.analysis.history import Array, History
from muzikantas.analysis.obedience import Obedience
from muzikantas.analysis.opinion import Opinion
from muzikantas.analysis.surface import Rows, apart
from muzikantas.domain.style import StyleSpace

#: Candidates a genre: uniform in the corridor, and near what was asked for the best releases.
UNIFORM, NEAR_HITS, HITS = 160, 80, 12
#: The guard: how wide "similar" is, as a root mean square over dimensions, and how much of it is left after each cycle.
SIMILAR_WITHIN, FRESH_AGAIN = 0.06, 0.8
#: A sibling in another genre repeats less.
OTHER_GENRE = 0.3
#: Steps of the local search around a choice, in widths of the corridor.
REFINEMENTS = (0.12, 0.05)
TRIES = 40


@dataclass(frozen=True, eq=False)
class Points:
    """Styles as arrays: genre (shape `(n,)`), what is asked and what is expected to come out (shape `(n, d)`)."""

    genre: npt.NDArray[np.intp]
    asked: Array
    realised: Array

    def at(self, index: int) -> "Points":
        """One of them, still as arrays."""
        pick = [index]
        return Points(self.genre[pick], self.asked[pick], self.realised[pick])


@dataclass(frozen=True, eq=False)
class Scene:
    """All that is known when a batch is planned."""

    space: StyleSpace
    history: History
    obedience: Obedience
    taste: Opinion
    cycle: int
    rng: np.random.Generator

    def points(self, genre: npt.NDArray[np.intp], asked: Array) -> Points:
        """What the generator is expected to make of what is asked."""
        return Points(genre, asked, self.obedience.foresee(genre, asked))

    def rows(self, points: Points) -> Rows:
        """See the points as if released now."""
        return self.taste.rows(points.genre, points.realised)

    def corridor(self) -> Array:
        """Low and high of each genre and dimension, shape `(genres, d, 2)`."""
        return np.array([self.space.ranges(g) for g in self.space.genres], dtype=float)


def candidates(scene: Scene) -> Points:
    """Uniform in each genre's corridor, and around what was asked for the best releases so far."""
    history, d = scene.history, len(scene.space.dimensions)
    heard = np.flatnonzero(history.weight)
    best = heard[np.argsort(-history.outcome[heard], kind="stable")][:HITS]
    genre, asked = [], []
    for g in range(len(scene.space.genres)):
        low, high = np.moveaxis(scene.corridor()[g], -1, 0)
        asked.append(inside(scene, np.full(UNIFORM, g), scene.rng.random((UNIFORM, d))))
        if len(best):
            start = history.asked[scene.rng.choice(best, NEAR_HITS)]
            step = (high - low) * scene.rng.normal(0.0, REFINEMENTS[0], (NEAR_HITS, d))
            asked.append(np.clip(start + step, low, high))
        genre.append(np.full(UNIFORM + (NEAR_HITS if len(best) else 0), g, dtype=np.intp))
    return scene.points(np.concatenate(genre), np.vstack(asked))


def refine(scene: Scene, start: Points, chosen: list[Points], cost: float) -> Points:
    """Search around a choice in shrinking steps; the start stays when nothing near it is better.

    `cost` is what an exact repetition costs, in log units.
    """
    low, high = np.moveaxis(scene.corridor()[start.genre[0]], -1, 0)
    for width in REFINEMENTS:
        steps = (high - low) * scene.rng.normal(0.0, width, (TRIES, len(low)))
        asked = np.vstack([start.asked, np.clip(start.asked + steps, low, high)])
        near = scene.points(np.repeat(start.genre, TRIES + 1), asked)
        value = scene.taste.expect(scene.rows(near)) - cost * crowding(scene, near, chosen)
        start = near.at(int(np.argmax(value)))
    return start


def crowding(scene: Scene, points: Points, chosen: list[Points]) -> Array:
    """How much each point repeats recent releases and the batch so far: similarities summed, faded by age in cycles."""
    history = scene.history
    age = np.maximum(scene.cycle - history.cycle, 0.0)
    recent = FRESH_AGAIN**age > 0.05
    total = similarity(points, history.genre[recent], history.realised[recent]) @ (FRESH_AGAIN ** age[recent])
    for other in chosen:
        total = total + similarity(points, other.genre, other.realised)[:, 0]
    return total


def repeated(history: History) -> Array:
    """How much each release repeated those of earlier cycles and, half, those of its own; shape `(n,)`."""
    alike = similarity(Points(history.genre, history.asked, history.realised), history.genre, history.realised)
    age = history.cycle[:, None] - history.cycle[None, :]
    fresh = np.where(age > 0, FRESH_AGAIN ** np.maximum(age, 0.0), 0.5 * (age == 0))
    np.fill_diagonal(fresh, 0.0)
    total: Array = np.sum(alike * fresh, axis=1)
    return total


def similarity(points: Points, genre: npt.NDArray[np.intp], realised: Array) -> Array:
    """Likeness in [0, 1] of each point to each release, shape `(points, releases)`."""
    distance = apart(points.realised, realised)
    same = np.where(points.genre[:, None] == genre[None, :], 1.0, OTHER_GENRE)
    alike: Array = same * np.exp(-0.5 * distance / SIMILAR_WITHIN**2)
    return alike


def inside(scene: Scene, genre: npt.NDArray[np.intp], unit: Array) -> Array:
    """Lay points of the unit cube (shape `(n, d)`) into the corridors of their genres."""
    low, high = np.moveaxis(scene.corridor()[genre], -1, 0)
    placed: Array = np.clip(low + (high - low) * unit, low, high)  # rounding may step over an edge
    return placed
