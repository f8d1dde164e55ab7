"""Cold start: what a fourth artist gains from what three others have learnt."""

from dataclasses import dataclass, replace

import numpy as np

from benchmarks._learning.bounds import Oracle, random_batch
from benchmarks._learning.contest import RANDOM_CAREERS
from benchmarks._learning.runs import Curve, live
from benchmarks._learning.settings import Market
from benchmarks._learning.world import World, draw_world
from muzikantas.analysis.policy import learn_prior, propose

#: Artists before this one, the cycles that count, and how far an artist's listeners differ from the common ones.
ARTISTS, FIRST = 3, 6
OWN_SHIFT, OWN_FONDNESS = 0.06, 0.3


@dataclass(frozen=True, eq=False)
class Start:
    """The first cycles of an artist, with and without what others learnt, between random and clairvoyant."""

    shared: Curve
    alone: Curve
    random: float
    oracle: float
    random_log: float
    oracle_log: float

    def captures(self, curve: Curve) -> tuple[float, float]:
        """Share of the way from random to oracle, in streams and in log response."""
        streams = (float(curve.streams.sum()) - self.random) / (self.oracle - self.random)
        return streams, (float(curve.log_response.mean()) - self.random_log) / (self.oracle_log - self.random_log)


def start(market: Market, seed: int) -> Start:
    """Let three artists of one market live without drift, then the fourth begin."""
    world = draw_world(market, seed)
    careers = [live(propose, _other(world, seed, k), seed).career for k in range(1, ARTISTS + 1)]
    prior = learn_prior([each.observations(market.cycles + 1) for each in careers], world.space)
    zeros = [live(random_batch, world, RANDOM_CAREERS * seed + k, cycles=FIRST) for k in range(RANDOM_CAREERS)]
    best = live(Oracle(world), world, seed, cycles=FIRST)
    return Start(
        shared=live(propose, world, seed, prior=prior, cycles=FIRST),
        alone=live(propose, world, seed, cycles=FIRST),
        random=float(np.mean([each.streams.sum() for each in zeros])),
        oracle=float(best.streams.sum()),
        random_log=float(np.mean([each.log_response.mean() for each in zeros])),
        oracle_log=float(best.log_response.mean()),
    )


def _other(world: World, seed: int, artist: int) -> World:
    """Another artist's world: the tastes as they are when the fourth begins, somewhat shifted; other luck."""
    frozen = replace(world.market, drift=0.0, breaks=False)
    own = draw_world(frozen, 1_000_003 * artist + seed)
    rng = np.random.default_rng([seed, artist, 11])
    tastes = draw_world(frozen, seed).tastes
    shift = rng.normal(0.0, OWN_SHIFT, tastes.middle.shape[1:])
    fondness = tastes.fondness + rng.normal(0.0, OWN_FONDNESS, tastes.fondness.shape[1])
    middle = np.clip(tastes.middle + shift, 0.0, 1.0)
    return replace(own, tastes=replace(tastes, middle=middle, fondness=fondness), gain=world.gain, bias=world.bias)
