"""Associations between style and outcome: fair intervals, a fair test beside them, and a look at later releases.

Every cycle's own level is taken out first, so that a good week is not taken for a good style. What is left are rows of
a linear model, and contrasts that are asked of it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from muzikantas.analysis.history import Array, History
from muzikantas.analysis.taste import LEVEL_MEAN, Basis
from muzikantas.domain.style import StyleSpace

#: Releases a cycle, on average, from which each cycle can have a level of its own.
CYCLE_LEVELS_FROM = 3
#: Degrees of freedom below which a test is not worth printing.
LEAST_FREEDOM = 3
#: Share of the releases, the last ones, in which a claim must hold again.
LATER_SHARE = 1 / 3
#: Standard errors that the estimates of earlier and later releases may lie apart: 1 % of true effects are further.
APART = 2.58
#: Cycles, the newest included, by whose variety of styles a cycle's score is scaled.
RECENT = 4
#: Sum of squared half widths by which a cycle's releases must differ to say anything of an effect.
LEAST_MOVED = 1e-6
#: Releases that are taken together where cycles are smaller.
RUN = 8


@dataclass(frozen=True, eq=False)
class Question:
    """A linear model and the contrasts asked of it.

    `design` (shape `(n, p)`: genres, then dimensions), `outcomes` (shape `(n,)`) and `cycle` (shape `(n,)`) are
    whitened rows without their level; `contrasts` (shape `(k, p)`) has a row an effect.
    """

    design: Array
    outcomes: Array
    cycle: Array
    contrasts: Array
    genres: int


@dataclass(frozen=True, eq=False)
class Answer:
    """What the releases say to each contrast, arrays of shape `(k,)`; NaN where they cannot tell.

    Parameters
    ----------
    estimate, error
        The contrast and its standard error.
    p_value
        Two-sided, of the fair test; 1 where the releases cannot tell.
    later, held
        The estimate from the last third of the releases, and whether it keeps the sign and lies within reach of the
        earlier one's; NaN and False while there is nothing later.
    freedom
        Degrees of freedom of the residual.
    residual_sd
        Standard deviation that style leaves unexplained; None before it can be measured.
    """

    estimate: Array
    error: Array
    p_value: Array
    later: Array
    held: npt.NDArray[np.bool_]
    freedom: int
    residual_sd: float | None


def ask(history: History, space: StyleSpace) -> Question:
    """Ask for each genre against the mean of the genres (where there are two), then for each dimension's slope."""
    basis = Basis.of(space)
    genres, d = len(space.genres), len(space.dimensions)
    compared = genres if genres > 1 else 0
    contrasts = np.zeros((compared + d, genres + d))
    contrasts[:compared, :genres] = (np.eye(genres) - 1 / genres)[:compared]
    contrasts[compared:, genres:] = np.eye(d)
    root = np.sqrt(history.weight)
    member = np.eye(genres)[history.genre]
    rows = np.column_stack([member, (history.realised - basis.middle) / basis.half, history.outcome - LEVEL_MEAN])
    rows, cycle = _without_level(rows * root[:, None], root, history.cycle)
    return Question(rows[:, :-1], rows[:, -1], cycle, contrasts, genres)


def answer(question: Question) -> Answer:
    """Estimate and test every contrast.

    The estimates hold all other columns fixed. The test does not: two dozen dimensions that do nothing cost it no
    power. Both are made for releases whose styles a policy has chosen by earlier outcomes.
    """
    design, outcomes = question.design, question.outcomes
    gram = design.T @ design
    inverse = np.linalg.pinv(gram, hermitian=True)
    freedom = len(outcomes) - int(np.linalg.matrix_rank(gram, tol=1e-8 * max(1.0, np.trace(gram)), hermitian=True))
    k = len(question.contrasts)
    unknown = np.full(k, np.nan)
    if freedom < LEAST_FREEDOM:
        return Answer(unknown, unknown, np.ones(k), unknown, np.zeros(k, dtype=bool), freedom, None)
    residuals = outcomes - design @ (inverse @ (design.T @ outcomes))
    residual_sd = float(np.linalg.norm(residuals) / np.sqrt(freedom))
    # A contrast that leaves the row space (a genre without releases, two dimensions that moved as one) has no estimate.
    known = np.abs(question.contrasts @ (inverse @ gram) - question.contrasts).max(axis=1) < 1e-6
    pulls = np.where(known[:, None], question.contrasts @ inverse @ design.T, np.nan)
    known &= np.nansum(pulls**2, axis=1) > 0
    known &= residual_sd > 0
    later, held = _later(question, pulls, residuals, residual_sd)
    fair = _fair_pulls(question)
    return Answer(
        estimate=np.where(known, fair @ outcomes, np.nan),
        error=np.where(known, residual_sd * np.sqrt(np.sum(fair**2, axis=1)), np.nan),
        p_value=np.where(known, _fair_p(question, freedom), 1.0),
        later=later,
        held=held & known,
        freedom=freedom,
        residual_sd=residual_sd,
    )


def _without_level(rows: Array, root: Array, cycle: Array) -> tuple[Array, Array]:
    """Take each cycle's level out, or a level and a trend where cycles are too small for levels of their own."""
    cycles = np.unique(cycle)
    if len(cycle) >= CYCLE_LEVELS_FROM * len(cycles):
        parts = [_dropped(rows[cycle == one], root[cycle == one]) for one in cycles]
        kept = np.vstack([part[0] for part in parts] or [rows])
        return kept, np.concatenate([cycle[cycle == one][1:] for one in cycles] or [cycle])
    trend = (cycle - cycle.mean()) * root
    kept, trend = _dropped(np.column_stack([rows, trend]), root)[0], cycle[1:]
    if np.ptp(cycle) > 0 and len(kept) > 1:
        return _dropped(kept[:, :-1], kept[:, -1])[0], trend[1:]
    return kept[:, :-1], trend


def _dropped(rows: Array, direction: Array) -> tuple[Array, Array]:
    """Project a direction out of whitened rows: n rows become n - 1, whose luck is as independent as before.

    A Householder reflection turns the direction into the first row, which is dropped.
    """
    length = np.linalg.norm(direction)
    if length == 0:
        return rows[1:], direction[1:]
    mirror = direction / length
    mirror[0] += 1.0 if mirror[0] >= 0 else -1.0
    reflected = rows - np.outer(mirror, 2 / (mirror @ mirror) * (mirror @ rows))
    return reflected[1:], direction[1:]


def _later(question: Question, pulls: Array, residuals: Array, sd: float) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Estimate each contrast again from the last releases alone, with the other columns' effects as they are.

    With x the part of a contrast's regressor that the other columns do not explain (Frisch, Waugh & Lovell), the whole
    estimate is the mean of both parts' estimates, weighted by their sums of x².
    """
    last = _last(question.cycle)
    whole = np.sum(pulls**2, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = pulls / whole[:, None]
        parts = [np.sum(x[:, rows] ** 2, axis=1) for rows in (~last, last)]
        ends = [
            pulls @ question.outcomes + x[:, rows] @ residuals[rows] / part
            for rows, part in zip((~last, last), parts, strict=True)
        ]
        reach = APART * sd * np.sqrt(1 / parts[0] + 1 / parts[1])
        held = (ends[1] * (pulls @ question.outcomes) > 0) & (np.abs(ends[1] - ends[0]) <= reach)
    return np.where(np.isfinite(ends[1]), ends[1], np.nan), held


def _last(cycle: Array) -> npt.NDArray[np.bool_]:
    """Mark the rows of the last cycles, about a third; of a single cycle, in which none is later, every third row."""
    bound = np.quantile(cycle, 1 - LATER_SHARE, method="lower")
    last: npt.NDArray[np.bool_] = cycle > bound if np.any(cycle > bound) else cycle == bound
    return np.arange(len(cycle)) % 3 == 2 if last.all() else last


def _fair_pulls(question: Question) -> Array:
    """Weigh the outcomes for each contrast, shape `(k, n)`, all other columns held fixed.

    Least squares follows the cycles in which styles varied most. Which those are, an adaptive policy decides by earlier
    luck, and its intervals come out too narrow. Here each cycle's normal equations are scaled by what styles varied
    lately, which is known before the outcomes: luck moves early and late cycles alike, in every direction (as in
    `_fair_p`). One cycle alone gives least squares.
    """
    design, blocks = question.design, _blocks(question)
    grams = np.array([design[rows].T @ design[rows] for rows in blocks])
    scaled = np.zeros(design.T.shape)
    for c, rows in enumerate(blocks):
        scaled[:, rows] = _inverse_root(grams[max(0, c + 1 - RECENT) : c + 1].mean(axis=0)) @ design[rows].T
    fair: Array = question.contrasts @ np.linalg.pinv(scaled @ design, rcond=1e-9) @ scaled
    return fair


def _inverse_root(gram: Array) -> Array:
    """Give the symmetric root of the inverse, nothing in directions in which nothing varied."""
    values, vectors = np.linalg.eigh(gram)
    moved = values > max(LEAST_MOVED, 1e-9 * float(values.max(initial=0.0)))
    root: Array = (vectors * np.where(moved, 1 / np.sqrt(np.where(moved, values, 1.0)), 0.0)) @ vectors.T
    return root


def _fair_p(question: Question, freedom: int) -> Array:
    """Two-sided p-values that stay right when earlier outcomes have chosen the later styles.

    A policy moves on while an effect looks small and stays where it looks large, as a gambler who stops when he is
    ahead: the plain t-test claims too much of its releases. Here each cycle gives one score, scaled so that luck moves
    early and late cycles alike; where nothing matters their sum is a martingale (weights that stabilise variance: Hadad
    et al. 2021). Other effects are not held fixed; that is for the interval.
    """
    columns = np.argmax(question.contrasts, axis=1)
    blocks = _blocks(question)
    own = [question.design[np.ix_(rows, columns)] for rows in blocks]
    pulls = np.array([mine.T @ question.outcomes[rows] for mine, rows in zip(own, blocks, strict=True)])
    lengths = np.array([np.sum(mine**2, axis=0) for mine in own])
    recent = np.array([lengths[max(0, c + 1 - RECENT) : c + 1].mean(axis=0) for c in range(len(blocks))])
    moved = recent > LEAST_MOVED
    scale = np.where(moved, np.sqrt(np.where(moved, recent, 1.0)), np.inf)
    worth = np.sum(lengths / scale**2, axis=0)
    energy = float(question.outcomes @ question.outcomes)
    explained = pulls.sum(axis=0) ** 2 / np.maximum(lengths.sum(axis=0), 1e-12)
    luck = (energy - explained) / max(len(question.outcomes) - 1, 1)
    t = np.sum(pulls / scale, axis=0) / np.sqrt(np.maximum(luck * worth, 1e-12))
    tail: Array = np.where((worth > 0) & (luck > 0), 2 * special.stdtr(freedom, -np.abs(t)), 1.0)
    return tail


def _blocks(question: Question) -> list[npt.NDArray[np.intp]]:
    """Rows that were chosen together: those of a cycle, or runs of as many where cycles are small."""
    cycles, counts = np.unique(question.cycle, return_counts=True)
    if len(question.cycle) >= (CYCLE_LEVELS_FROM - 1) * len(cycles) and counts.size:
        return [np.flatnonzero(question.cycle == one) for one in cycles]
    order = np.argsort(question.cycle, kind="stable")
    return np.array_split(order, max(1, len(order) // RUN))
