"""What to make next: greedy on the expected log outcome, with a guard against repeating oneself.

Optimism about what is uncertain loses here, because luck is large and releases are few; so the choice follows the
posterior mean, and variety comes from the guard, from a small stated share of exploration and from the generator's
own disobedience.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from muzikantas.analysis.candidates import Points, Scene, candidates, crowding, inside, refine, repeated, similarity
from muzikantas.analysis.history import Observation, arrange
from muzikantas.analysis.obedience import learn_obedience
from muzikantas.analysis.opinion import SHARE, Sight, learn_opinion
from muzikantas.analysis.pooling import learn_prior
from muzikantas.analysis.reasons import FILLS, OTHERS, Step, evidence, explain
from muzikantas.analysis.taste import Prior
from muzikantas.domain.errors import InputError
from muzikantas.domain.style import Style, StyleSpace

__all__ = ["Observation", "Prior", "Proposal", "Style", "StyleSpace", "Ways", "learn_prior", "propose", "propose_with"]

#: Share of slots that explore: this much with no release heard, fading over this many releases to this floor.
EXPLORE_FIRST, EXPLORE_FADES, EXPLORE_FLOOR = 0.1, 30.0, 0.03
#: Before anything is heard a batch fills this share of each range, about its middle: few tastes are best at an edge.
FIRST_WITHIN = 0.6
#: Tastes are learnt from so many of the latest releases: fifty cycles of eight.
LEARNT_FROM = 400
#: Releases at least this like a choice are called similar.
SIMILAR = 0.05


@dataclass(frozen=True)
class Ways:
    """How choices are made; the defaults are what measured best, the rest is for measuring.

    Parameters
    ----------
    guard
        A choice is charged for repeating recent releases and the batch so far.
    realised
        Tastes are learnt from what was heard, not from what was asked.
    hills
        Tastes are also seen as hills, not as lines and bumps alone.
    countries
        Hills are also looked for in how countries differ, where outcomes by country are known.
    explore
        A small, shrinking share of slots goes to one of the better half of candidates, whichever.
    thompson
        Each slot follows one draw of the levels and lines of taste, not their mean.
    """

    guard: bool = True
    realised: bool = True
    hills: bool = True
    countries: bool = True
    explore: bool = True
    thompson: bool = False


@dataclass(frozen=True)
class Proposal:
    """One style to ask for.

    Parameters
    ----------
    style
        What to ask; inside the corridor, and aimed so that the realised style lands on the target.
    expected
        Expected log outcome.
    uncertainty
        Standard deviation of that expectation, in the same log units; the luck of a single release comes on top.
    propensity
        Probability of this choice given the candidates and the slots before it; None where a design filled the space.
    reason
        One sentence for the operator.
    evidence
        Ids of the observations that speak for it most, the strongest first.
    """

    style: Style
    expected: float
    uncertainty: float
    propensity: float | None
    reason: str
    evidence: tuple[int, ...]


@dataclass(frozen=True)
class Chance:
    """How a slot came to its choice: with which probability, None where a design filled the space."""

    propensity: float | None
    explores: bool = False


def propose(
    observations: Sequence[Observation],
    space: StyleSpace,
    count: int,
    *,
    cycle: int,
    rng: np.random.Generator,
    prior: Prior | None = None,
) -> list[Proposal]:
    """Choose `count` styles for `cycle`, good ones first to be chosen, each unlike the ones before it.

    The same generator state and the same set of observations, in any order, give the same proposals. With nothing
    known the batch fills the middle of the space, genres balanced. Raises `InputError` for unusable observations or an
    empty space.
    """
    return propose_with(Ways(), observations, space, count, cycle=cycle, rng=rng, prior=prior)


def propose_with(
    ways: Ways,
    observations: Sequence[Observation],
    space: StyleSpace,
    count: int,
    *,
    cycle: int,
    rng: np.random.Generator,
    prior: Prior | None = None,
) -> list[Proposal]:
    """Choose like `propose`, in other ways than the measured best."""
    if count < 0 or not space.genres or not space.dimensions:
        raise InputError(
            f"{count} proposals in genres {space.genres} and dimensions {space.dimensions}; expected a count of at "
            "least 0, one genre and one dimension; complete the artist's style corridor"
        )
    history = arrange(observations, space)
    if not ways.realised:
        history = replace(history, realised=history.asked)
    if not ways.countries:
        history = replace(history, by_country=history.by_country[:, :0])
    lately = history.latest(LEARNT_FROM)
    scene = Scene(
        space=space,
        history=history,
        obedience=learn_obedience(history, len(space.genres)),
        taste=learn_opinion(lately, repeated(lately), space, cycle, rng, prior, share=SHARE * ways.hills),
        cycle=cycle,
        rng=rng,
    )
    if history.heard == 0 and prior is None:
        return _fill(scene, count)
    return _choose(scene, ways, count)


def _fill(scene: Scene, count: int) -> list[Proposal]:
    """A Latin hypercube over the slots, about the middle of their corridors; genres take turns in a drawn order."""
    genres, d = len(scene.space.genres), len(scene.space.dimensions)
    genre = np.resize(scene.rng.permutation(genres), count)
    strata = np.array([scene.rng.permutation(count) for _ in range(d)]).reshape(d, count).T
    unit = (strata + scene.rng.random((count, d))) / max(count, 1)
    points = scene.points(genre, inside(scene, genre, 0.5 + FIRST_WITHIN * (unit - 0.5)))
    return _proposals(scene, [(points.at(i), Chance(None)) for i in range(count)])


def _choose(scene: Scene, ways: Ways, count: int) -> list[Proposal]:
    """Fill the slots one by one; what is chosen weighs on its neighbours in the slots that follow."""
    pool = candidates(scene)
    rows, led = scene.rows(pool), scene
    worth = led.taste.expect(rows)
    cost = scene.taste.repetition * ways.guard
    repeats = cost * crowding(scene, pool, [])
    share = EXPLORE_FLOOR + (EXPLORE_FIRST - EXPLORE_FLOOR) * float(np.exp(-scene.history.heard / EXPLORE_FADES))
    share *= ways.explore
    chosen: list[tuple[Points, Chance]] = []
    for _ in range(count):
        if ways.thompson:
            led = replace(scene, taste=scene.taste.one(scene.rng))
            worth = led.taste.expect(rows)
        value = worth - repeats
        explores = bool(scene.rng.random() < share)
        if explores:
            better = np.flatnonzero(value >= np.median(value))
            point, chance = pool.at(int(scene.rng.choice(better))), Chance(share / len(better), explores=True)
        else:
            start = pool.at(int(np.argmax(value)))
            point, chance = refine(led, start, [each for each, _ in chosen], cost), Chance(1 - share)
        chosen.append((point, chance))
        repeats = repeats + cost * similarity(pool, point.genre, point.realised)[:, 0]
    return _proposals(scene, chosen)


def _proposals(scene: Scene, chosen: list[tuple[Points, Chance]]) -> list[Proposal]:
    """Say what is expected of each choice, alone and against the average release, and which releases speak for it."""
    taste, count = scene.taste, len(chosen)
    if count == 0:
        return []
    rows = taste.rows(
        np.concatenate([*(point.genre for point, _ in chosen), taste.heard.genre]),
        np.vstack([*(point.realised for point, _ in chosen), taste.heard.realised]),
    )
    alone = np.eye(count, count + taste.heard.heard)
    average = (np.arange(alone.shape[1]) >= count) / max(taste.heard.heard, 1)
    sight = taste.look(rows, np.vstack([alone, alone - average]))
    return [_proposal(scene, chosen, sight, slot) for slot in range(count)]


def _proposal(scene: Scene, chosen: list[tuple[Points, Chance]], sight: Sight, slot: int) -> Proposal:
    (point, chance), heard = chosen[slot], scene.taste.heard
    against = len(chosen) + slot
    if chance.propensity is None:
        reason = FILLS
    elif heard.heard == 0:
        reason = OTHERS
    else:
        step = _step(scene, point, float(sight.expected[against]), float(sight.doubt[against]))
        alike = int(np.sum(similarity(point, heard.genre, heard.realised) >= SIMILAR))
        reason = explain(step, alike, explores=chance.explores)
    surplus = heard.weight * (heard.outcome - np.average(heard.outcome, weights=heard.weight)) if heard.heard else 0.0
    return Proposal(
        style=Style(scene.space.genres[int(point.genre[0])], tuple(float(v) for v in point.asked[0])),
        expected=float(sight.expected[slot]),
        uncertainty=float(sight.doubt[slot]),
        propensity=chance.propensity,
        reason=reason,
        evidence=evidence(sight.influence[slot] * surplus, heard.ids),
    )


def _step(scene: Scene, point: Points, gain: float, doubt: float) -> Step:
    """Compare the choice with the average of what was heard so far, one dimension at a time and as a whole."""
    taste, d = scene.taste, len(scene.space.dimensions)
    usual = taste.heard.realised.mean(axis=0)
    moved = np.tile(usual, (d + 1, 1))
    moved[np.arange(d), np.arange(d)] = point.realised[0]
    expected = taste.expect(taste.rows(np.repeat(point.genre, d + 1), moved))
    return Step(
        genre=scene.space.genres[int(point.genre[0])],
        dimensions=scene.space.dimensions,
        change=point.realised[0] - usual,
        gains=expected[:d] - expected[d],
        gain=gain,
        doubt=doubt,
    )
