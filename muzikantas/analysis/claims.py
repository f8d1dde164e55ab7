"""What may be claimed about success: effects with intervals, and how many releases a claim would need.

Deciding and claiming are two things. `policy` acts on what is likely; here a claim needs a test that survives the
number of effects looked at. All claims are associations: playlists, advertising and fame are not randomised.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log
from typing import Literal

import numpy as np
from scipy import stats

from muzikantas.analysis.bayes import Belief, Regression, posterior
from muzikantas.analysis.history import Array, History, Observation, arrange
from muzikantas.analysis.taste import GENRE_SD, LEVEL_MEAN, LEVEL_SD, SLOPE_SD, TREND_SD, Basis
from muzikantas.domain.style import StyleSpace

#: False discovery rate that a claim may have.
FALSE_DISCOVERIES = 0.05
#: The effect that an operator would act on, and the chance of seeing it.
WORTH_SEEING, POWER = 1.2, 0.8
#: Releases a cycle, on average, from which each cycle can have a level of its own.
CYCLE_LEVELS_FROM = 3
#: Degrees of freedom below which a test is not worth printing.
LEAST_FREEDOM = 3

Verdict = Literal["supported", "not enough data"]


@dataclass(frozen=True)
class Effect:
    """One genre or dimension and what it is associated with.

    Parameters
    ----------
    name
        The genre (against the average of the genres) or the dimension (half its allowed width more).
    estimate, low, high
        Shrunken effect and its 95 % interval, in log units.
    q_value
        Benjamini-Hochberg adjusted p-value over all effects of the report.
    releases
        Releases that bear on it.
    verdict
        "supported" only if the q-value is at most 0.05 and the interval leaves out zero.
    """

    name: str
    estimate: float
    low: float
    high: float
    q_value: float
    releases: int
    verdict: Verdict


@dataclass(frozen=True)
class Findings:
    """What a report may say about an artist's releases.

    Parameters
    ----------
    effects
        Genres first, then dimensions.
    releases
        Releases with an outcome.
    residual_sd
        Standard deviation of the log outcome that style leaves unexplained; None before it can be measured.
    releases_needed
        Releases, half with and half without, to see an effect of +20 %; None before the spread is known.
    """

    effects: tuple[Effect, ...]
    releases: int
    residual_sd: float | None
    releases_needed: int | None


@dataclass(frozen=True, eq=False)
class _Question:
    """A linear model and the contrasts asked of it.

    `design` (shape `(n, p)`) and `outcomes` (shape `(n,)`) are whitened rows; `contrasts` (shape `(k, p)`) has a row an
    effect; `belief` is about the columns.
    """

    design: Array
    outcomes: Array
    contrasts: Array
    belief: Belief


def effects(observations: Sequence[Observation], space: StyleSpace) -> list[Effect]:
    """Estimate the average effect of each genre and dimension, and test all of them together.

    The estimate is Bayesian (shrunken, exists with any number of releases); the p-value is least squares' t-test. Both
    compare releases of the same cycle where there are enough, so that a good week is not taken for a good style.
    A curve with its peak in the middle has no average slope and is not claimed.
    """
    return list(learning_note(observations, space).effects)


def learning_note(observations: Sequence[Observation], space: StyleSpace) -> Findings:
    """Sum up what the releases support. Raises `InputError` for unusable observations."""
    history = arrange([o for o in observations if o.weight > 0], space)
    question = _ask(history, space)
    p_values, residual_sd = _test(question)
    q_values = stats.false_discovery_control(p_values)
    belief = posterior(Regression(question.design, question.outcomes, np.ones(len(question.outcomes))), question.belief)
    estimates, doubts = belief.expect(question.contrasts), belief.doubt(question.contrasts)
    bearing = [int(np.sum(history.genre == g)) for g in _compared(space)] + [history.heard] * len(space.dimensions)
    names = [space.genres[g] for g in _compared(space)] + list(space.dimensions)
    found = tuple(
        _effect(name, float(estimates[k]), float(doubts[k]), float(q_values[k]), bearing[k])
        for k, name in enumerate(names)
    )
    needed = None if residual_sd is None else releases_needed(residual_sd)
    return Findings(found, history.heard, residual_sd, needed)


def releases_needed(residual_sd: float, ratio: float = WORTH_SEEING) -> int:
    """Releases, half with and half without, to see `ratio` more streams at 80 % power and 5 % two-sided error.

    n = 4 (z₀.₉₇₅ + z₀.₈)² sd² / ln(ratio)², the usual size of a comparison of two means with equal arms.
    """
    z = float(stats.norm.ppf(0.975) + stats.norm.ppf(POWER))
    return max(2, ceil(4 * (z * residual_sd / log(ratio)) ** 2))


def _effect(name: str, estimate: float, sd: float, q_value: float, releases: int) -> Effect:
    reach = 1.96 * sd
    sure = q_value <= FALSE_DISCOVERIES and abs(estimate) > reach
    verdict: Verdict = "supported" if sure else "not enough data"
    return Effect(name, estimate, estimate - reach, estimate + reach, q_value, releases, verdict)


def _compared(space: StyleSpace) -> range:
    """Indices of the genres that have another to be compared with."""
    return range(len(space.genres) if len(space.genres) > 1 else 0)


def _ask(history: History, space: StyleSpace) -> _Question:
    """Columns: genres · dimensions, and a level and a trend where cycles are too small for levels of their own."""
    basis = Basis.of(space)
    genres, d, n = len(space.genres), len(space.dimensions), history.heard
    member = np.eye(genres)[history.genre]
    design = np.hstack([member, (history.realised - basis.middle) / basis.half])
    root = np.sqrt(history.weight)
    design, outcomes = design * root[:, None], (history.outcome - LEVEL_MEAN) * root
    mean_genre = np.full((genres, genres), 1 / genres)
    contrasts = np.zeros((len(_compared(space)) + d, genres + d))
    contrasts[: len(_compared(space)), :genres] = (np.eye(genres) - mean_genre)[: len(_compared(space))]
    contrasts[len(_compared(space)) :, genres:] = np.eye(d)
    sd = [GENRE_SD] * genres + [SLOPE_SD] * d
    if n >= CYCLE_LEVELS_FROM * len(np.unique(history.cycle)):
        design, outcomes = _within_cycles(history.cycle, root, design, outcomes)
    else:
        trend = (history.cycle - history.cycle.mean()) / 10
        design = np.hstack([design, root[:, None], (trend * root)[:, None]])
        contrasts = np.hstack([contrasts, np.zeros((len(contrasts), 2))])
        sd += [LEVEL_SD, TREND_SD]
    elastic = np.arange(len(sd)) < genres + d
    return _Question(design, outcomes, contrasts, Belief(np.zeros(len(sd)), np.array(sd), elastic))


def _within_cycles(cycle: Array, root: Array, design: Array, outcomes: Array) -> tuple[Array, Array]:
    """Project each cycle's level out of its whitened rows: k rows become k - 1, whose luck is as independent as before.

    A Householder reflection turns the level (proportional to `root`) into the first row, which is dropped.
    """
    rows = np.column_stack([design, outcomes])
    kept = [rows[:0]]
    for one in np.unique(cycle):
        mine = cycle == one
        mirror = root[mine] / np.linalg.norm(root[mine])
        mirror[0] += 1.0
        reflected = rows[mine] - np.outer(mirror, 2 / (mirror @ mirror) * (mirror @ rows[mine]))
        kept.append(reflected[1:])
    table = np.vstack(kept)
    return table[:, :-1], table[:, -1]


def _test(question: _Question) -> tuple[Array, float | None]:
    """Two-sided t-test p-value of each contrast (1 where the releases cannot tell) and the residual sd."""
    gram = question.design.T @ question.design
    inverse = np.linalg.pinv(gram, hermitian=True)
    coefficients = inverse @ question.design.T @ question.outcomes
    freedom = len(question.outcomes) - int(np.linalg.matrix_rank(question.design)) if len(question.outcomes) else 0
    p_values = np.ones(len(question.contrasts))
    if freedom < LEAST_FREEDOM:
        return p_values, None
    residual_sd = float(np.linalg.norm(question.outcomes - question.design @ coefficients) / np.sqrt(freedom))
    variance = np.einsum("ij,jk,ik->i", question.contrasts, inverse, question.contrasts)
    # A contrast that leaves the row space (a genre without releases, two dimensions that moved as one) has no estimate.
    known = np.abs(question.contrasts @ (inverse @ gram) - question.contrasts).max(axis=1) < 1e-6
    known &= (variance > 0) & (residual_sd > 0)
    t = (question.contrasts @ coefficients)[known] / (residual_sd * np.sqrt(variance[known]))
    p_values[known] = 2 * stats.t.sf(np.abs(t), freedom)
    return p_values, residual_sd
