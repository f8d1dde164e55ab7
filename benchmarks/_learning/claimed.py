"""Whether a report claims what is not there, misses what is, and whether its intervals hold what they promise."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks._learning.bounds import random_batch
from benchmarks._learning.runs import Choose, live
from benchmarks._learning.scenarios import BASE, MARKETS
from benchmarks._learning.tastes import Array
from benchmarks._learning.world import Career, draw_world
from benchmarks._mean import Mean
from muzikantas.analysis.claims import Findings, learning_note
from muzikantas.analysis.policy import Observation, StyleSpace

#: Correlation of the one true effect, and the releases at which it should be seen.
TRUE_R, RELEASES = 0.3, 200
#: Cycles after which a career's report is read.
READ_AT = (5, 10, 20, 30)

#: No taste at all, and every report arrives: exactly 200 releases after 25 cycles.
PLAIN = replace(MARKETS["null"], cycles=RELEASES // BASE.slots, delays=(1.0,), never=0.0)


@dataclass(frozen=True, kw_only=True)
class Reported:
    """One report on 200 releases, one dimension of which truly matters.

    `claimed` whether that effect is supported; `false` how many others are; `covered` whether each interval holds its
    true effect, genres and dimensions.
    """

    claimed: bool
    false: int
    covered: tuple[bool, ...]


def claims_anything(observations: Sequence[Observation], space: StyleSpace) -> bool:
    """Whether a report claims any effect."""
    return any(effect.verdict == "supported" for effect in learning_note(observations, space).effects)


def null_reports(career: Career) -> list[bool]:
    """Read a career's report at several times; in a market without taste each claim is false."""
    return [claims_anything(career.observations(cycle + 1), career.world.space) for cycle in READ_AT]


def null_career(choose: Choose, seed: int) -> list[bool]:
    """Let a policy live in the market without taste, and read the reports."""
    return null_reports(live(choose, draw_world(MARKETS["null"], seed), seed).career)


def one_effect(seed: int) -> Reported:
    """Report on a market with one planted effect."""
    observations, space, slope = planted(seed)
    return _compare(learning_note(observations, space), space, slope)


def planted(seed: int) -> tuple[list[Observation], StyleSpace, float]:
    """Releases of a market in which the first dimension alone matters, linearly, with r = 0.3; and its slope."""
    world = draw_world(PLAIN, seed)
    luck = np.log(np.exp(world.luck[1:] + world.tastes.fondness[:, 0]).sum(axis=2)).std()
    slope = float(TRUE_R / np.sqrt(1 - TRUE_R**2) * luck / _usual_sd(PLAIN.disobedience, float(world.gain[0])))
    career = Career(world)
    for cycle in range(1, PLAIN.cycles + 1):
        batch = random_batch((), world.space, PLAIN.slots, cycle=cycle, rng=np.random.default_rng([seed, cycle]))
        _, values = world.realise(cycle, batch)
        career.release(cycle, batch, slope * (values[:, 0] - 0.5))
    return career.observations(PLAIN.cycles + 1), world.space, slope


def _usual_sd(noise: float, gain: float) -> float:
    """Standard deviation of a realised dimension when what is asked is uniform."""
    return float(np.sqrt(gain**2 / 12 + noise**2))


def _compare(found: Findings, space: StyleSpace, slope: float) -> Reported:
    """A dimension's effect is that of half its allowed width more."""
    truth = dict.fromkeys((*space.genres, *space.dimensions), 0.0) | {space.dimensions[0]: slope / 2}
    supported = {effect.name for effect in found.effects if effect.verdict == "supported"}
    return Reported(
        claimed=space.dimensions[0] in supported,
        false=len(supported - {space.dimensions[0]}),
        covered=tuple(effect.low <= truth[effect.name] <= effect.high for effect in found.effects),
    )


def summary(
    null: Sequence[Sequence[bool]], ours: Sequence[Sequence[bool]], reports: Sequence[Reported]
) -> dict[str, object]:
    """Shares over careers; `ours` are the careers that our policy led, whose styles are not drawn at random."""
    covered = np.array([each.covered for each in reports], dtype=float)
    everybody = np.array([*null, *ours], dtype=float)
    return {
        "null_claims_all": _short(everybody.mean()),
        "null_claims_random": _read(np.array(null, dtype=float)),
        "null_claims_ours": _read(np.array(ours, dtype=float)),
        "power": _short(np.mean([each.claimed for each in reports])),
        "false_claims_beside_it": _short(np.mean([each.false > 0 for each in reports])),
        "coverage": _short(covered.mean()),
        "coverage_of_the_effect": _short(covered[:, -BASE.dimensions].mean()),
        "careers": len(reports),
    }


def _read(claimed: Array) -> dict[str, object]:
    """Give the share of reports that claim anything (shape `(careers, reads)`), its error over careers, and by read."""
    by_career = claimed.mean(axis=1)
    return {
        "share": _short(claimed.mean()),
        "se": _short(Mean.of(by_career).error),
        "by_cycle": {str(cycle): _short(share) for cycle, share in zip(READ_AT, claimed.mean(axis=0), strict=True)},
        "careers_with_any": _short((by_career > 0).mean()),
        "careers": len(claimed),
    }


def _short(share: float | np.floating[Any]) -> float:
    return round(float(share), 4)
