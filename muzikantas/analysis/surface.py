"""How styles are liked, as a Gaussian process: lines, bumps on them, boredom, and perhaps one break of taste.

A guess fixes how loud luck is, how strong the lines and how high and wide the bumps are, and since when tastes are what
they are now. Given a guess all is exact, and guesses are weighed by their evidence. References: Rasmussen & Williams,
Gaussian Processes for Machine Learning (2006), 2.7; Adams & MacKay, Bayesian Online Changepoint Detection (2007).
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.linalg import cholesky, solve_triangular

from muzikantas.analysis.bayes import NOISE_SDS, STRENGTHS, Belief, noise_log_odds, strength_log_odds
from muzikantas.analysis.history import Array

#: Heights of bumps that are weighed, in log units (0: lines alone, as likely as all others), and their widths: root
#: mean square distance a dimension, in half widths of the space.
HEIGHTS = (0.0, 0.35, 0.7, 1.2)
WIDTHS = (0.25, 0.5, 0.9)
_HEIGHT_CENTRE, _HEIGHT_LOG_SD = 0.6, 0.8
#: Tastes break about once in so many cycles; what was liked before speaks for what is liked after, this
#: strongly.
CYCLES_A_BREAK, CARRIED_OVER = 40.0, 0.25
#: Releases needed before a break and after it.
BEFORE, AFTER = 3, 1
#: A guess so many log units below the best one is not followed further, nor a break that begins so far below.
FOLLOWED, FOLLOWED_BREAK = 4.5, 3.0
#: Tiny weights are taken for this one, lest a covariance overflow.
LEAST_WEIGHT = 1e-6


@dataclass(frozen=True, eq=False)
class Rows:
    """Styles as the model sees them.

    Parameters
    ----------
    design
        Lines and boredom, shape `(n, p)`.
    genre
        Index into the space's genres, shape `(n,)`.
    place
        Half widths from the middle of the space, shape `(n, d)`.
    """

    design: Array
    genre: npt.NDArray[np.intp]
    place: Array


@dataclass(frozen=True)
class Guess:
    """One point of the grid, by index into noises, strengths, heights and widths; and the first cycle of the tastes.

    `since` is minus infinity where tastes never broke.
    """

    noise: int = 4
    strength: int = 2
    height: int = 1
    width: int = 0
    since: float = -np.inf

    def neighbours(self) -> list["Guess"]:
        """Guesses one step away, the break the same; without bumps their width does not matter."""
        found = []
        for name, size in (("noise", NOISE_SDS), ("strength", STRENGTHS), ("height", HEIGHTS), ("width", WIDTHS)):
            here = int(getattr(self, name))
            found += [replace(self, **{name: k}) for k in (here - 1, here + 1) if 0 <= k < len(size)]
        return [each if each.height else replace(each, width=0) for each in found]


@dataclass(frozen=True, eq=False)
class Ground:
    """What was heard (`n` releases), and the covariances that do not depend on the guess.

    Parameters
    ----------
    rows, cycle, weight
        Styles, the cycles that made them (shape `(n,)`) and the outcomes' precisions (shape `(n,)`).
    surplus
        Outcomes minus what the belief expects, shape `(n,)`.
    belief
        Gaussians over the design's coefficients before data.
    firm, elastic, bumps
        Covariances of levels, of lines of usual strength, and of bumps of height one at each width, shape `(n, n)`.
    """

    rows: Rows
    cycle: Array
    weight: Array
    surplus: Array
    belief: Belief
    firm: Array
    elastic: Array
    bumps: tuple[Array, ...]

    @classmethod
    def of(cls, rows: Rows, cycle: Array, outcome: Array, weight: Array, belief: Belief) -> "Ground":
        """Prepare the covariances."""
        firm, elastic = (
            (rows.design[:, part] * belief.sd[part] ** 2) @ rows.design[:, part].T
            for part in (~belief.elastic, belief.elastic)
        )
        return cls(
            rows=rows,
            cycle=cycle,
            weight=np.maximum(weight, LEAST_WEIGHT),
            surplus=outcome - rows.design @ belief.mean,
            belief=belief,
            firm=firm,
            elastic=elastic,
            bumps=tuple(bumps(rows, rows, width) for width in WIDTHS),
        )


@dataclass(frozen=True, eq=False)
class Fit:
    """The exact posterior under one guess.

    Parameters
    ----------
    evidence
        Log probability of guess and outcomes, up to a constant.
    lower
        Cholesky factor of the outcomes' covariance, shape `(n, n)`.
    half
        The factor's inverse times the surplus, shape `(n,)`.
    kept
        How much of each release's taste still holds, shape `(n,)`.
    """

    guess: Guess
    evidence: float
    lower: Array
    half: Array
    kept: Array

    @cached_property
    def pull(self) -> Array:
        """The inverse covariance times the surplus, shape `(n,)`."""
        pull: Array = solve_triangular(self.lower, self.half, lower=True, trans="T", check_finite=False)
        return pull


def bumps(rows: Rows, others: Rows, width: float) -> Array:
    """Correlation of bumps at two sets of styles, shape `(n, others)`; genres have bumps of their own."""
    same = rows.genre[:, None] == others.genre[None, :]
    near: Array = same * np.exp(-0.5 * apart(rows.place, others.place) / width**2)
    return near


def apart(places: Array, others: Array) -> Array:
    """Mean square distance a dimension between two sets of places (shapes `(n, d)`, `(m, d)`), shape `(n, m)`."""
    squared = np.sum(places**2, axis=1)[:, None] + np.sum(others**2, axis=1) - 2 * places @ others.T
    distance: Array = np.maximum(squared, 0.0) / places.shape[1]
    return distance


def weigh(ground: Ground) -> list[tuple[float, Fit]]:
    """Fit the guesses that matter, each with its share of belief; the shares sum to one.

    Guesses grow from a usual one over the grid as long as they hold up, and once more from the likeliest break.
    """
    found: dict[Guess, Fit] = {}
    _grow(ground, Guess(), found)
    best = max(found.values(), key=lambda each: each.evidence)
    broken = [_fit(ground, replace(best.guess, since=since)) for since in _breaks(ground)]
    found |= {each.guess: each for each in broken}
    likeliest = max(broken, key=lambda each: each.evidence, default=best)
    if likeliest is not best and likeliest.evidence > best.evidence - FOLLOWED_BREAK:
        _grow(ground, likeliest.guess, found)
    evidence = np.array([each.evidence for each in found.values()])
    share = np.exp(evidence - evidence.max())
    kept = share > 1e-3
    fits = [each for each, keep in zip(found.values(), kept, strict=True) if keep]
    return list(zip((share[kept] / share[kept].sum()).tolist(), fits, strict=True))


def _grow(ground: Ground, start: Guess, found: dict[Guess, Fit]) -> None:
    """Visit guesses outward from the start, going on from those that come near the best one so far."""
    top = max((each.evidence for each in found.values()), default=-np.inf)
    waiting, seen = [start], set[Guess]()
    while waiting:
        guess = waiting.pop()
        if guess in seen:
            continue
        seen.add(guess)
        if guess not in found:
            found[guess] = _fit(ground, guess)
        top = max(top, found[guess].evidence)
        if found[guess].evidence >= top - FOLLOWED:
            waiting += guess.neighbours()


def _fit(ground: Ground, guess: Guess) -> Fit:
    kept = np.where(ground.cycle < guess.since, CARRIED_OVER, 1.0)
    covariance = STRENGTHS[guess.strength] ** 2 * ground.elastic
    if guess.height:
        covariance = covariance + HEIGHTS[guess.height] ** 2 * ground.bumps[guess.width]
    if np.isfinite(guess.since):
        covariance = covariance * np.where(kept[:, None] == kept[None, :], 1.0, CARRIED_OVER)
    covariance = covariance + ground.firm
    covariance[np.diag_indices_from(covariance)] += NOISE_SDS[guess.noise] ** 2 / ground.weight
    lower: Array = cholesky(covariance, lower=True, check_finite=False)
    half = solve_triangular(lower, ground.surplus, lower=True, check_finite=False)
    likelihood = -0.5 * float(half @ half) - float(np.log(np.diag(lower)).sum())
    return Fit(guess, likelihood + _log_odds(ground, guess), lower, half, kept)


def _log_odds(ground: Ground, guess: Guess) -> float:
    """How likely a guess is before anything is heard, in log units, up to a constant."""
    odds = noise_log_odds(NOISE_SDS[guess.noise]) + strength_log_odds(STRENGTHS[guess.strength])
    if guess.height:
        away = np.log(HEIGHTS[guess.height] / _HEIGHT_CENTRE) / _HEIGHT_LOG_SD
        odds -= 0.5 * away**2 + np.log(len(WIDTHS))
    lived = 1 + float(np.ptp(ground.cycle))
    never = float(np.exp(-lived / CYCLES_A_BREAK))
    return odds + float(np.log((1 - never) / lived if np.isfinite(guess.since) else never))


def _breaks(ground: Ground) -> list[float]:
    """Cycles at which tastes may have begun to be what they are."""
    cycles = np.unique(ground.cycle)
    before = np.searchsorted(np.sort(ground.cycle), cycles)
    enough = (before >= BEFORE) & (len(ground.cycle) - before >= AFTER)
    return [float(each) for each in cycles[enough]]
