"""Run one policy through one market."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from benchmarks._learning.settings import Market
from benchmarks._learning.tastes import Array
from benchmarks._learning.world import Career, World, draw_world
from muzikantas.analysis.policy import Observation, Prior, Proposal, Style, StyleSpace


class Choose(Protocol):
    """What chooses a batch: our `propose` as it is, or a peer that behaves like it (and may keep state in a run)."""

    def __call__(
        self,
        observations: Sequence[Observation],
        space: StyleSpace,
        count: int,
        *,
        cycle: int,
        rng: np.random.Generator,
        prior: Prior | None = None,
    ) -> Sequence[Proposal] | Sequence[Style]: ...


@dataclass(frozen=True, eq=False)
class Curve:
    """What one policy reached in one market.

    Parameters
    ----------
    log_response
        Mean expected log response of each cycle's tracks, shape `(cycles,)`; luck left out.
    streams
        Expected streams of each cycle, in units of a track that nobody likes in particular; shape `(cycles,)`.
    spread
        Mean root mean square distance, a dimension, between two realised styles of one genre in the last third.
    seconds
        Mean processor seconds a decision; on one thread, so that a busy machine does not count.
    break_cycle
        The first cycle after the break.
    """

    log_response: Array
    streams: Array
    spread: float
    seconds: float
    break_cycle: int


@dataclass(frozen=True, eq=False)
class Lived(Curve):
    """The same with the releases themselves."""

    career: Career

    def bare(self) -> Curve:
        """Leave the releases out, to be sent to another process."""
        return Curve(self.log_response, self.streams, self.spread, self.seconds, self.break_cycle)


def run(choose: Choose, market: Market, seed: int, *, prior: Prior | None = None) -> Lived:
    """Let a policy plan all cycles of the market that `seed` draws; cycles count from 1."""
    return live(choose, draw_world(market, seed), seed, prior=prior)


def live(choose: Choose, world: World, seed: int, *, prior: Prior | None = None, cycles: int | None = None) -> Lived:
    """Let a policy plan a world's cycles, or the first few of them."""
    career = Career(world)
    seconds = 0.0
    expected = []
    for cycle in range(1, (cycles or world.market.cycles) + 1):
        known = career.observations(cycle)
        rng = np.random.default_rng([seed, cycle, 7])
        began = time.process_time()
        chosen = choose(known, world.space, world.market.slots, cycle=cycle, rng=rng, prior=prior)
        seconds += time.process_time() - began
        expected.append(career.release(cycle, [style_of(each) for each in chosen]))
    return _sum_up(career, np.array(expected), seconds)


def _sum_up(career: Career, expected: Array, seconds: float) -> Lived:
    """Make the curve from expected log responses, shape `(cycles, slots)`."""
    return Lived(
        log_response=expected.mean(axis=1),
        streams=np.exp(expected - career.world.market.level).sum(axis=1),
        spread=_spread(career),
        seconds=seconds / len(expected),
        break_cycle=career.world.tastes.break_cycle,
        career=career,
    )


def style_of(chosen: Proposal | Style) -> Style:
    """Read the style of what a policy chose."""
    return chosen.style if isinstance(chosen, Proposal) else chosen


def _spread(career: Career) -> float:
    late = career.cycle > career.world.market.cycles * 2 // 3
    genre, values = career.genre[late], career.values[late]
    distance = np.sqrt(np.mean((values[:, None, :] - values[None, :, :]) ** 2, axis=2))
    pairs = (genre[:, None] == genre[None, :]) & ~np.eye(len(genre), dtype=bool)
    return float(distance[pairs].mean()) if pairs.any() else 0.0
