"""What others would do: habits of people, and the frame in which every peer is asked.

Each peer is judged twice: out of the box (it learns from what was asked, and may repeat itself), and with our guard
and what was realised.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from benchmarks._learning.bounds import random_batch
from benchmarks._learning.guard import Guard
from benchmarks._learning.tastes import Array, Indices
from muzikantas.analysis.policy import Observation, Prior, Style, StyleSpace


@dataclass(frozen=True, eq=False)
class Told:
    """The releases that were heard, as arrays: what a peer may learn from.

    `asked` are the values that the peer chose, `values` those it is told (the same out of the box).
    """

    ids: tuple[int | None, ...]
    genre: Indices
    asked: Array
    values: Array
    outcome: Array
    genres: int


class Peer(Protocol):
    """A way to choose one style at a time."""

    #: Whether it wants a first cycle drawn at random, because it has nothing to go by.
    starts_at_random: bool

    def learn(self, told: Told, rng: np.random.Generator) -> None:
        """Take in all that was heard so far, before a batch."""

    def draw(self, guard: Guard) -> tuple[int, Array]:
        """Choose genre and values; whatever the guard would not have should be avoided."""


class Asking:
    """A peer that behaves like our `propose`."""

    def __init__(self, peer: Peer, *, guarded: bool) -> None:
        self.peer = peer
        self.guarded = guarded

    def __call__(
        self,
        observations: Sequence[Observation],
        space: StyleSpace,
        count: int,
        *,
        cycle: int,
        rng: np.random.Generator,
        prior: Prior | None = None,
    ) -> list[Style]:
        """Tell the peer what was heard, and draw a batch."""
        told = self._told(observations, space)
        if self.peer.starts_at_random and not told.ids:
            return random_batch(observations, space, count, cycle=cycle, rng=rng, prior=prior)
        self.peer.learn(told, rng)
        guard = self._guard(observations, space, cycle)
        batch = []
        for _ in range(count):
            genre, values = self.peer.draw(guard)
            guard.took(genre, values)
            batch.append(Style(space.genres[genre], tuple(map(float, values))))
        return batch

    def _told(self, observations: Sequence[Observation], space: StyleSpace) -> Told:
        heard = [o for o in observations if o.weight > 0]
        shape = (len(heard), len(space.dimensions))
        asked = np.array([o.asked.values for o in heard]).reshape(shape)
        realised = np.array([o.realised.values for o in heard]).reshape(shape)
        return Told(
            ids=tuple(o.id for o in heard),
            genre=np.array([space.genres.index(o.asked.genre) for o in heard], dtype=np.intp),
            asked=asked,
            values=realised if self.guarded else asked,
            outcome=np.array([o.outcome for o in heard]),
            genres=len(space.genres),
        )

    def _guard(self, observations: Sequence[Observation], space: StyleSpace, cycle: int) -> Guard:
        shape = (len(observations), len(space.dimensions))
        genre = np.array([space.genres.index(o.realised.genre) for o in observations], dtype=np.intp)
        values = np.array([o.realised.values for o in observations]).reshape(shape)
        return Guard(genre, values, np.array([float(cycle - o.cycle) for o in observations]), on=self.guarded)


class Static:
    """A persona drawn once, and never changed; under the guard it strays as far as it must."""

    starts_at_random = False

    def __init__(self) -> None:
        self.persona: tuple[int, Array] | None = None

    def learn(self, told: Told, rng: np.random.Generator) -> None:
        """Draw the persona, the first time."""
        self.rng = rng
        if self.persona is None:
            values: Array = rng.uniform(0.25, 0.75, (told.values.shape[1],))
            self.persona = int(rng.integers(told.genres)), values

    def draw(self, guard: Guard) -> tuple[int, Array]:
        """Give the persona again."""
        assert self.persona is not None
        genre, values = self.persona
        strays = 0.06 if guard.on else 0.0
        return guard.pick(lambda: (genre, np.clip(values + self.rng.normal(0.0, strays, len(values)), 0.0, 1.0)))


class GreedyCorrelation:
    """Correlate every dimension with success, believe it, and go there: the usual success-factor report, acted upon."""

    starts_at_random = True
    #: What such reports call a factor, and how people vary what they make again.
    FACTOR, HAND = 0.3, 0.03

    def learn(self, told: Told, rng: np.random.Generator) -> None:
        """Take the best genre, and the sides on which the successes were."""
        self.rng = rng
        means = [
            told.outcome[told.genre == g].mean() if (told.genre == g).any() else -np.inf for g in range(told.genres)
        ]
        self.genre = int(np.argmax(means))
        values, outcome = told.values - told.values.mean(axis=0), told.outcome - told.outcome.mean()
        scale = np.sqrt((values**2).sum(axis=0) * (outcome**2).sum())
        r = np.divide(outcome @ values, scale, out=np.zeros(values.shape[1]), where=scale > 0)
        self.target = np.where(np.abs(r) > self.FACTOR, 0.5 + 0.45 * np.sign(r), np.clip(0.5 + r, 0.05, 0.95))

    def draw(self, guard: Guard) -> tuple[int, Array]:
        """Go where the factors point."""
        hand = 3 * self.HAND if guard.on else self.HAND
        return guard.pick(
            lambda: (self.genre, np.clip(self.target + self.rng.normal(0.0, hand, len(self.target)), 0.0, 1.0))
        )


class MutateHits:
    """More like the best: vary one of the most successful releases."""

    starts_at_random = True
    #: Share of releases that count as hits, how far a variation goes, and how often it is in another genre.
    HITS, STEP, ELSEWHERE = 0.2, 0.1, 0.1

    def learn(self, told: Told, rng: np.random.Generator) -> None:
        """Look up the hits."""
        self.rng, self.genres = rng, told.genres
        best = np.argsort(-told.outcome)[: max(3, round(self.HITS * len(told.ids)))]
        self.hits = [(int(told.genre[i]), told.values[i]) for i in best]

    def draw(self, guard: Guard) -> tuple[int, Array]:
        """Vary a hit."""
        return guard.pick(self._vary)

    def _vary(self) -> tuple[int, Array]:
        genre, values = self.hits[int(self.rng.integers(len(self.hits)))]
        if self.rng.random() < self.ELSEWHERE:
            genre = int(self.rng.integers(self.genres))
        return genre, np.clip(values + self.rng.normal(0.0, self.STEP, len(values)), 0.0, 1.0)
