"""What to make next: greedy on the expected log outcome, with a guard against repeating oneself.

Optimism about what is uncertain loses here, because luck is large and releases are few; so the choice follows the
posterior mean, and variety comes from the guard, from a small stated share of exploration and from the generator's
own disobedience.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from muzikantas.analysis.candidates import REPETITION, Points, Scene, candidates, crowding, inside, refine, similarity
from muzikantas.analysis.history import Array, Observation, arrange
from muzikantas.analysis.obedience import learn_obedience
from muzikantas.analysis.pooling import learn_prior
from muzikantas.analysis.reasons import FILLS, OTHERS, Step, evidence, explain
from muzikantas.analysis.taste import Basis, Prior, fit_taste
from muzikantas.domain.errors import InputError
from muzikantas.domain.style import Style, StyleSpace

__all__ = ["Observation", "Prior", "Proposal", "Style", "StyleSpace", "Ways", "learn_prior", "propose", "propose_with"]

#: Share of slots that explore: this much with no release heard, fading over this many releases to this floor.
EXPLORE_FIRST, EXPLORE_FADES, EXPLORE_FLOOR = 0.1, 30.0, 0.03
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
    explore
        A small, shrinking share of slots goes to one of the better half of candidates, whichever.
    thompson
        Each slot follows one draw of the tastes, not their mean.
    """

    guard: bool = True
    realised: bool = True
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
    known the batch fills the space, genres balanced. Raises `InputError` for unusable observations or an empty space.
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
    scene = Scene(
        space=space,
        history=history,
        obedience=learn_obedience(history, len(space.genres)),
        taste=fit_taste(history, space, cycle, prior),
        basis=Basis.of(space),
        cycle=cycle,
        rng=rng,
    )
    if history.heard == 0 and prior is None:
        return _fill(scene, count)
    return _choose(scene, ways, count)


def _fill(scene: Scene, count: int) -> list[Proposal]:
    """A Latin hypercube over the slots, laid into each slot's corridor; genres take turns in a drawn order."""
    genres, d = len(scene.space.genres), len(scene.space.dimensions)
    genre = np.resize(scene.rng.permutation(genres), count)
    strata = np.array([scene.rng.permutation(count) for _ in range(d)]).reshape(d, count).T
    points = scene.points(genre, inside(scene, genre, (strata + scene.rng.random((count, d))) / max(count, 1)))
    return [_proposal(scene, points.at(i), None) for i in range(count)]


def _choose(scene: Scene, ways: Ways, count: int) -> list[Proposal]:
    """Fill the slots one by one; what is chosen weighs on its neighbours in the slots that follow."""
    pool = candidates(scene)
    cost = REPETITION * ways.guard
    repeats = cost * crowding(scene, pool, [])
    share = EXPLORE_FLOOR + (EXPLORE_FIRST - EXPLORE_FLOOR) * float(np.exp(-scene.history.heard / EXPLORE_FADES))
    share *= ways.explore
    chosen: list[Points] = []
    proposals = []
    for _ in range(count):
        led = replace(scene, taste=scene.taste.one(scene.rng)) if ways.thompson else scene
        value = led.taste.expect(led.rows(pool)) - repeats
        if scene.rng.random() < share:
            better = np.flatnonzero(value >= np.median(value))
            point = pool.at(int(scene.rng.choice(better)))
            proposals.append(_proposal(scene, point, share / len(better), explores=True))
        else:
            point = refine(led, pool.at(int(np.argmax(value))), chosen, cost)
            proposals.append(_proposal(scene, point, 1 - share))
        chosen.append(point)
        repeats = repeats + cost * similarity(pool, point.genre, point.realised)[:, 0]
    return proposals


def _proposal(scene: Scene, point: Points, propensity: float | None, *, explores: bool = False) -> Proposal:
    row = scene.rows(point)
    if propensity is None:
        reason = FILLS
    elif scene.history.heard == 0:
        reason = OTHERS
    else:
        reason = _reason(scene, point, explores=explores)
    return Proposal(
        style=Style(scene.space.genres[int(point.genre[0])], tuple(float(v) for v in point.asked[0])),
        expected=float(scene.taste.expect(row)[0]),
        uncertainty=float(scene.taste.doubt(row)[0]),
        propensity=propensity,
        reason=reason,
        evidence=_evidence(scene, row[0]),
    )


def _reason(scene: Scene, point: Points, *, explores: bool) -> str:
    """Compare the choice with the average of what was heard so far, one dimension at a time and as a whole."""
    history, d = scene.history, len(scene.space.dimensions)
    heard = history.weight > 0
    usual = history.realised[heard].mean(axis=0)
    moved = np.tile(usual, (d + 1, 1))
    moved[np.arange(d), np.arange(d)] = point.realised[0]
    rows = scene.basis.rows(np.repeat(point.genre, d + 1), moved, np.zeros(d + 1))
    known = scene.basis.rows(history.genre[heard], history.realised[heard], np.zeros(history.heard))
    step = Step(
        genre=scene.space.genres[int(point.genre[0])],
        dimensions=scene.space.dimensions,
        change=point.realised[0] - usual,
        gains=scene.taste.expect(rows[:d] - rows[d]),
        row=scene.rows(point)[0] - known.mean(axis=0),
    )
    similar = similarity(point, history.genre[heard], history.realised[heard]) >= SIMILAR
    return explain(step, scene.taste, int(similar.sum()), explores=explores)


def _evidence(scene: Scene, row: Array) -> tuple[int, ...]:
    history = scene.history
    if history.heard == 0:
        return ()
    average = np.average(history.outcome, weights=history.weight)
    design = scene.basis.rows(history.genre, history.realised, scene.cycle - history.cycle)
    return evidence(row, scene.taste, design, history.weight * (history.outcome - average), history.ids)
