"""The floor and the ceiling of the score: choosing at random, and choosing with all that is hidden in sight."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks._learning.tastes import Array, Indices
from benchmarks._learning.world import World, alike, bored
from muzikantas.analysis.policy import Observation, Prior, Style, StyleSpace

#: Candidates of the oracle a genre, over the whole space and about the parts' middles, and steps of its local search.
UNIFORM, NEAR, TRIES = 400, 80, 60
STEPS = (0.15, 0.07, 0.03)


def random_batch(
    observations: Sequence[Observation],  # noqa: ARG001 (the signature of every policy)
    space: StyleSpace,
    count: int,
    *,
    cycle: int,  # noqa: ARG001 (the same)
    rng: np.random.Generator,
    prior: Prior | None = None,  # noqa: ARG001 (the same)
) -> list[Style]:
    """Draw genre and values uniformly: the zero of the score."""
    genres, values = rng.integers(0, len(space.genres), count), rng.random((count, len(space.dimensions)))
    return [Style(space.genres[g], tuple(map(float, v))) for g, v in zip(genres, values, strict=True)]


@dataclass(frozen=True, eq=False)
class _Pool:
    """Candidates: genre, what to ask, what is foreseen, log response summed over countries."""

    genre: Indices
    asked: Array
    foreseen: Array
    worth: Array


class Oracle:
    """A greedy batch that knows taste, drift, boredom and the generator's habits, but neither luck nor noise.

    Greedy, and blind to later cycles: not a strict maximum.
    """

    def __init__(self, world: World) -> None:
        self.world = world

    def __call__(
        self,
        observations: Sequence[Observation],
        space: StyleSpace,
        count: int,
        *,
        cycle: int,
        rng: np.random.Generator,
        prior: Prior | None = None,  # noqa: ARG002 (the signature of every policy)
    ) -> list[Style]:
        """Fill the slots one by one, each with the best that is left."""
        past = list({o.id: o for o in observations}.values())
        genre = np.array([space.genres.index(o.realised.genre) for o in past], dtype=np.intp)
        values = np.array([o.realised.values for o in past]).reshape(len(past), len(space.dimensions))
        fresh = self.world.market.forgotten ** (cycle - np.array([o.cycle for o in past], dtype=float))
        released = (genre, values, fresh)
        pool = self._candidates(cycle, rng)
        heard = self._heard(pool, released, spreads=1)
        chosen: list[_Pool] = []
        for _ in range(count):
            best = int(np.argmax(pool.worth - bored(self.world.market, heard)))
            taken = self._refine(cycle, rng, pool, best, released, chosen)
            chosen.append(taken)
            heard = heard + self._heard(pool, _as_released([taken]), spreads=2)
        return [Style(space.genres[int(p.genre[0])], tuple(map(float, p.asked[0]))) for p in chosen]

    def _candidates(self, cycle: int, rng: np.random.Generator) -> _Pool:
        """Uniform, and about where each country's listeners have the middles of their tastes."""
        world, d = self.world, self.world.market.dimensions
        genres, asked = [], []
        for g in range(world.market.genres):
            middles = world.tastes.middle[cycle, g][:, None, :] + world.tastes.shift[None, :, g]
            near = rng.choice(middles.reshape(-1, d), NEAR) + rng.normal(0.0, STEPS[0], (NEAR, d))
            aimed = 0.5 + (near - world.bias[g] - 0.5) / world.gain
            asked.append(np.vstack([rng.random((UNIFORM, d)), np.clip(aimed, 0.0, 1.0)]))
            genres.append(np.full(UNIFORM + NEAR, g, dtype=np.intp))
        return self._pool(cycle, np.concatenate(genres), np.vstack(asked))

    def _pool(self, cycle: int, genre: Indices, asked: Array) -> _Pool:
        foreseen = self.world.foreseen(genre, asked)
        worth = np.log(np.exp(self.world.tastes.log_response(cycle, genre, foreseen)).sum(axis=1))
        return _Pool(genre, asked, foreseen, worth)

    def _heard(self, pool: _Pool, released: tuple[Indices, Array, Array], *, spreads: int) -> Array:
        """How much of each candidate was heard; `spreads` of the two in a pair are still to be bent by noise."""
        genre, values, fresh = released
        blur = spreads * self.world.market.disobedience**2
        heard: Array = alike(self.world.market, pool.genre, pool.foreseen, genre, values, blur=blur) @ fresh
        return heard

    def _refine(
        self,
        cycle: int,
        rng: np.random.Generator,
        pool: _Pool,
        start: int,
        released: tuple[Indices, Array, Array],
        chosen: list[_Pool],
    ) -> _Pool:
        genre, asked = pool.genre[start], pool.asked[start]
        near, best = pool, start
        for width in STEPS:
            steps = rng.normal(0.0, width, (TRIES, len(asked))) * (rng.random((TRIES, len(asked))) < 0.5)
            tries = np.vstack([asked, np.clip(asked + steps, 0.0, 1.0)])
            near = self._pool(cycle, np.full(len(tries), genre), tries)
            heard = self._heard(near, released, spreads=1)
            if chosen:
                heard = heard + self._heard(near, _as_released(chosen), spreads=2)
            best = int(np.argmax(near.worth - bored(self.world.market, heard)))
            asked = near.asked[best]
        pick = [best]
        return _Pool(near.genre[pick], near.asked[pick], near.foreseen[pick], near.worth[pick])


def _as_released(chosen: list[_Pool]) -> tuple[Indices, Array, Array]:
    genre = np.concatenate([each.genre for each in chosen])
    return genre, np.vstack([each.foreseen for each in chosen]), np.ones(len(chosen))
