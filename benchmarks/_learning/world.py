"""One simulated market and what became of an artist's releases in it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks._learning.settings import Market
from benchmarks._learning.tastes import Array, Indices, Tastes, draw_tastes
from muzikantas.analysis.policy import Observation, Style, StyleSpace

NAMES = ("tempo", "energy", "brightness", "valence", "percussiveness", "density", "space", "warmth")
#: Likeness to a release in another genre counts this much.
OTHER_GENRE = 0.2
MISSING, TWICE, LATER = range(3)


@dataclass(frozen=True, eq=False)
class World:
    """A market with all its luck drawn beforehand, so that every policy meets the same one.

    Parameters
    ----------
    gain, bias
        The generator's imperfection, shapes `(d,)` and `(genres, d)`.
    noise
        What it adds to each slot, shape `(cycles + 1, slots, d)`.
    luck
        Log luck of each slot in each country, shape `(cycles + 1, slots, countries)`.
    delay
        Cycles until a slot's report arrives, -1: never; shape `(cycles + 1, slots)`.
    twice
        Whether it is delivered twice.
    """

    market: Market
    space: StyleSpace
    tastes: Tastes
    gain: Array
    bias: Array
    noise: Array
    luck: Array
    delay: Indices
    twice: Indices

    def realise(self, cycle: int, asked: Sequence[Style]) -> tuple[Indices, Array]:
        """What the generator makes of a batch: genre indices and values (shape `(slots, d)`)."""
        genre = np.array([self.space.genres.index(style.genre) for style in asked], dtype=np.intp)
        wished = np.array([style.values for style in asked])
        return genre, np.clip(self.foreseen(genre, wished) + self.noise[cycle, : len(asked)], 0.0, 1.0)

    def foreseen(self, genre: Indices, asked: Array) -> Array:
        """Realised values (shape `(n, d)`) before noise."""
        return np.clip(0.5 + self.gain * (asked - 0.5) + self.bias[genre], 0.0, 1.0)


def draw_world(market: Market, seed: int) -> World:
    """Draw a market; the same seed and settings give the same one."""
    streams = [np.random.default_rng([seed, part]) for part in range(6)]
    d, slots, cycles = market.dimensions, market.slots, market.cycles + 1
    genres = tuple(f"genre {g}" for g in range(1, market.genres + 1))
    track = streams[3].normal(0.0, market.luck, (cycles, slots, 1))
    delay, twice = _reports(market, streams[4], streams[5])
    return World(
        market=market,
        space=StyleSpace(genres, NAMES[:d]),
        tastes=draw_tastes(market, streams[0]),
        gain=streams[1].uniform(*market.obeys, d),
        bias=streams[1].normal(0.0, market.bias, (market.genres, d)),
        noise=streams[2].normal(0.0, market.disobedience, (cycles, slots, d)),
        luck=track + streams[3].normal(0.0, market.country_luck, (cycles, slots, market.countries)),
        delay=delay,
        twice=twice,
    )


def _reports(market: Market, rng: np.random.Generator, faults: np.random.Generator) -> tuple[Indices, Indices]:
    shape = (market.cycles + 1, market.slots)
    delay = rng.choice(len(market.delays), size=shape, p=market.delays)
    delay[rng.random(shape) < market.never] = -1
    fault = np.where(faults.random(shape) < market.faults, faults.integers(0, 3, shape), -1)
    delay = np.where(fault == MISSING, -1, np.where((fault == LATER) & (delay >= 0), delay + 2, delay))
    return delay, (fault == TWICE).astype(np.intp)


class Career:
    """An artist's releases in a world, cycle by cycle."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.genre: Indices = np.zeros(0, dtype=np.intp)
        self.values: Array = np.zeros((0, world.market.dimensions))
        self.cycle: Indices = np.zeros(0, dtype=np.intp)
        self._reports: list[tuple[int, int, Observation]] = []

    def release(self, cycle: int, asked: Sequence[Style], effect: Array | None = None) -> Array:
        """Release a batch; give each track's expected log response, shape `(slots,)`, luck left out.

        `effect` (shape `(slots,)`) is added to the log response: what a change of persona does.
        """
        genre, values = self.world.realise(cycle, asked)
        response = self.world.tastes.log_response(cycle, genre, values)
        response = response - self._lost(cycle, genre, values)[:, None]
        if effect is not None:
            response = response + effect[:, None]
        expected: Array = np.log(np.exp(response).sum(axis=1))
        luck = self.world.luck[cycle, : len(asked)].copy()
        if cycle == 1 and self.world.market.first_hit:
            luck[int(np.argmin(expected))] = self.world.market.first_hit
        self._report(cycle, asked, values, response + luck)
        self.genre, self.values = np.concatenate([self.genre, genre]), np.vstack([self.values, values])
        self.cycle = np.concatenate([self.cycle, np.full(len(genre), cycle)])
        return expected

    def observations(self, cycle: int) -> list[Observation]:
        """What is known when `cycle` is planned; a release without a report has weight 0."""
        known = []
        for made, slot, told in self._reports:
            delay = int(self.world.delay[made, slot])
            arrived = delay >= 0 and made + delay < cycle
            known.append(told if arrived else _unheard(told))
            if arrived and self.world.twice[made, slot]:
                known.append(told)
        return known

    def _lost(self, cycle: int, genre: Indices, values: Array) -> Array:
        """Boredom of a batch: releases of earlier cycles, and those before it in the batch, count."""
        market = self.world.market
        fresh = market.forgotten ** (cycle - self.cycle)
        earlier = alike(market, genre, values, self.genre, self.values) @ fresh
        within = np.tril(alike(market, genre, values, genre, values), -1).sum(axis=1)
        return bored(market, earlier + within)

    def _report(self, cycle: int, asked: Sequence[Style], values: Array, log_streams: Array) -> None:
        countries = [f"country {c}" for c in range(1, log_streams.shape[1] + 1)]
        for slot, (style, was, row) in enumerate(zip(asked, values, np.exp(log_streams), strict=True)):
            told = Observation(
                cycle=cycle,
                asked=style,
                realised=Style(style.genre, tuple(map(float, was))),
                outcome=float(np.log1p(row.sum())),
                by_country=dict(zip(countries, map(float, np.log1p(row)), strict=True)),
                age_days=28,
                id=len(self._reports) + 1,
                provider="generator",
            )
            self._reports.append((cycle, slot, told))


def alike(
    market: Market, genre: Indices, values: Array, other_genre: Indices, others: Array, *, blur: float = 0.0
) -> Array:
    """Likeness in [0, 1] of each style to each other, shape `(n, others)`: a cone that ends, not a bell.

    `blur` is the variance that the generator will add to the distance.
    """
    distance = np.sqrt(np.mean((values[:, None, :] - others[None, :, :]) ** 2, axis=2) + blur)
    near: Array = np.maximum(1 - distance / market.alike_within, 0.0) ** 1.5
    return near * np.where(genre[:, None] == other_genre[None, :], 1.0, OTHER_GENRE)


def bored(market: Market, heard: Array) -> Array:
    """Log units lost by a style of which so much was heard lately: saturating."""
    lost: Array = market.repetition * heard / (1 + heard)
    return lost


def _unheard(told: Observation) -> Observation:
    return Observation(
        cycle=told.cycle,
        asked=told.asked,
        realised=told.realised,
        outcome=0.0,
        weight=0.0,
        id=told.id,
        provider=told.provider,
    )
