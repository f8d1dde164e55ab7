"""Who takes part: our policy, its ablations, and every peer out of the box and guarded."""

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial

import numpy as np

from benchmarks._learning.bounds import Oracle, random_batch
from benchmarks._learning.optimisers import CmaEs, GaussianProcess, Optuna, missing
from benchmarks._learning.peers import Asking, GreedyCorrelation, MutateHits, Peer, Static
from benchmarks._learning.runs import Choose, Curve, live
from benchmarks._learning.settings import Market
from benchmarks._learning.world import Career, World, draw_world
from muzikantas.analysis.policy import Ways, propose, propose_with

OURS, RANDOM, ORACLE = "ours", "random", "oracle"
GUARDED = ", guarded"
#: Random choosing is averaged over so many careers, lest its luck be taken for a policy's merit.
RANDOM_CAREERS = 4

PEERS: dict[str, Callable[[], Peer]] = {
    "static persona": Static,
    "greedy correlation": GreedyCorrelation,
    "mutate the hits": MutateHits,
    "Optuna TPE": lambda: Optuna("TPESampler"),
    "Optuna GP": lambda: Optuna("GPSampler"),
    "CMA-ES": CmaEs,
    "scikit-learn GP, EI": GaussianProcess,
}


def ablations() -> dict[str, Choose]:
    """Turn each of the policy's switches alone."""
    return {
        f"ours, {'without' if default else 'with'} {name}": partial(
            propose_with, replace(Ways(), **{name: not default})
        )
        for name, default in asdict(Ways()).items()
    }


def compete(market: Market, seed: int, *, peers: bool, switches: bool) -> tuple[dict[str, Curve], Career]:
    """Run everybody through the market of one seed, the same tastes, luck and delays for all; give our career too."""
    world = draw_world(market, seed)
    ours = live(propose, world, seed)
    curves = {OURS: ours.bare(), ORACLE: live(Oracle(world), world, seed).bare(), RANDOM: _random(world, seed)}
    if switches:
        curves |= {name: live(choose, world, seed).bare() for name, choose in ablations().items()}
    for name, make in PEERS.items() if peers else ():
        if name not in missing():
            curves[name] = live(Asking(make(), guarded=False), world, seed).bare()
            curves[name + GUARDED] = live(Asking(make(), guarded=True), world, seed).bare()
    return curves, ours.career


def _random(world: World, seed: int) -> Curve:
    """Average careers that choose at random, each with another generator."""
    careers = [live(random_batch, world, RANDOM_CAREERS * seed + k).bare() for k in range(RANDOM_CAREERS)]
    return replace(
        careers[0],
        log_response=np.mean([each.log_response for each in careers], axis=0),
        streams=np.mean([each.streams for each in careers], axis=0),
    )
