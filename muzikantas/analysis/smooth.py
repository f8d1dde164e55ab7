"""How styles are liked, as lines and bumps: one Gaussian process, averaged over all guesses that matter."""

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular

from muzikantas.analysis.bayes import STRENGTHS, Belief
from muzikantas.analysis.history import Array, History
from muzikantas.analysis.surface import HEIGHTS, WIDTHS, Fit, Ground, Rows, bumps, weigh
from muzikantas.analysis.taste import Basis, Prior, belief_of
from muzikantas.domain.style import StyleSpace

#: Log units that an exact repetition costs: expected before data, its standard deviation, and at most.
REPETITION, REPETITION_SD, REPETITION_MOST = 0.5, 0.3, 1.5


@dataclass(frozen=True, eq=False)
class Smooth:
    """A mixture of exact posteriors.

    Parameters
    ----------
    heard
        The releases whose outcomes speak, `n` of them.
    basis
        Turns styles into the model's coordinates.
    ground
        The same releases as the model sees them.
    fits
        Posteriors with their shares of belief; none before anything is heard.
    coefficients
        Expected levels, lines and cost of repetition, shape `(p,)`.
    lifts
        Weights of the bumps about each release, for each width, shape `(widths, n)`.
    """

    heard: History
    basis: Basis
    ground: Ground
    fits: list[tuple[float, Fit]] = field(repr=False)
    coefficients: Array
    lifts: Array

    @property
    def repetition(self) -> float:
        """Log units that an exact repetition in the same cycle costs; never a gain."""
        return float(np.clip(self.coefficients[-1], 0.0, REPETITION_MOST))

    @property
    def level(self) -> float:
        """The artist's usual log outcome."""
        return float(self.coefficients[0])

    def rows(self, genre: npt.NDArray[np.intp], values: Array) -> Rows:
        """See styles (`genre` shape `(n,)`, `values` shape `(n, d)`) as released now, repeating nothing."""
        lines = self.basis.rows(genre, values, np.zeros(len(genre)))
        return Rows(np.hstack([lines, np.zeros((len(genre), 1))]), genre, self.basis.place(values))

    def expect(self, rows: Rows) -> Array:
        """Expected log outcome of each row, shape `(n,)`."""
        expected: Array = rows.design @ self.coefficients
        for width, lift in zip(WIDTHS, self.lifts, strict=True):
            if lift.any():
                expected = expected + bumps(rows, self.ground.rows, width) @ lift
        return expected

    def look(self, rows: Rows, sums: Array) -> tuple[Array, Array, Array]:
        """Look closely at weighted sums of rows (`sums` shape `(k, rows)`), such as one style less another.

        Give expectations and their standard deviations (shape `(k,)`), and by how much each expectation rises for a log
        unit more of each release heard (shape `(k, n)`).
        """
        expected = sums @ self.expect(rows)
        design = sums @ rows.design
        near = [sums @ bumps(rows, self.ground.rows, width) for width in WIDTHS]
        own = [np.sum((sums @ bumps(rows, rows, width)) * sums, axis=1) for width in WIDTHS]
        belief = self.ground.belief
        influence = np.zeros((len(sums), self.heard.heard))
        variance = np.zeros(len(sums)) if self.fits else np.sum(design**2 * belief.sd**2, axis=1)
        for share, fit in self.fits:
            spread = _spread(belief, fit) ** 2
            height = HEIGHTS[fit.guess.height] ** 2
            across = self._across(design, near[fit.guess.width], fit)
            known = solve_triangular(fit.lower, across.T, lower=True, check_finite=False)
            influence += share * solve_triangular(fit.lower, known, lower=True, trans="T", check_finite=False).T
            within = design**2 @ spread + height * own[fit.guess.width] - np.sum(known**2, axis=0)
            off = design @ belief.mean + across @ fit.pull - expected
            variance += share * (np.maximum(within, 0.0) + off**2)
        return expected, np.sqrt(variance), influence

    def beside_style(self) -> Array:
        """What the trend and repetition did to each release heard, in log units, shape `(n,)`."""
        styles = self.basis.styles
        beside: Array = self.ground.rows.design[:, styles:] @ self.coefficients[styles:]
        return beside

    def one(self, rng: np.random.Generator) -> "Smooth":
        """Give one draw of levels and lines as if it were all that is believed; bumps stay as expected."""
        belief = self.ground.belief
        if not self.fits:
            return replace(self, coefficients=belief.mean + belief.sd * rng.standard_normal(len(belief.sd)))
        fit = self.fits[int(rng.choice(len(self.fits), p=[share for share, _ in self.fits]))][1]
        spread = _spread(belief, fit)
        known = solve_triangular(fit.lower, _kept(self.ground, fit) * spread**2, lower=True, check_finite=False)
        covariance = np.diag(spread**2) - known.T @ known
        return replace(self, coefficients=rng.multivariate_normal(self.coefficients, covariance, method="eigh"))

    def _across(self, design: Array, near: Array, fit: Fit) -> Array:
        """Covariance of sums of styles now with each release's outcome, shape `(k, n)`."""
        lines = (design * _spread(self.ground.belief, fit) ** 2) @ _kept(self.ground, fit).T
        across: Array = lines + HEIGHTS[fit.guess.height] ** 2 * near * fit.kept
        return across


def learn_smooth(history: History, boredom: Array, space: StyleSpace, cycle: int, prior: Prior | None = None) -> Smooth:
    """Learn from realised styles and how much each release repeated others (`boredom`, shape `(n,)`).

    With no history the belief comes back. Raises `InputError` when the prior was learnt for another space.
    """
    basis = Basis.of(space)
    speaks = np.flatnonzero(history.weight)
    heard = history.pick(speaks)
    lines = basis.rows(heard.genre, heard.realised, cycle - heard.cycle)
    design = np.hstack([lines, -boredom[speaks, None]])  # what was repeated is liked less
    usual = belief_of(basis, space, prior)
    belief = Belief(
        np.append(usual.mean, REPETITION), np.append(usual.sd, REPETITION_SD), np.append(usual.elastic, False)
    )
    rows = Rows(design, heard.genre, basis.place(heard.realised))
    ground = Ground.of(rows, heard.cycle, heard.outcome, heard.weight, belief)
    fits = weigh(ground) if len(speaks) else []
    coefficients, lifts = belief.mean, np.zeros((len(WIDTHS), len(speaks)))
    for share, fit in fits:
        coefficients = coefficients + share * _spread(belief, fit) ** 2 * (_kept(ground, fit).T @ fit.pull)
        lifts[fit.guess.width] += share * HEIGHTS[fit.guess.height] ** 2 * fit.kept * fit.pull
    return Smooth(heard, basis, ground, fits, coefficients, lifts)


def _spread(belief: Belief, fit: Fit) -> Array:
    """Give the coefficients' standard deviations under a guess, shape `(p,)`."""
    return np.where(belief.elastic, STRENGTHS[fit.guess.strength], 1.0) * belief.sd


def _kept(ground: Ground, fit: Fit) -> Array:
    """Give the design with what a break took away taken away; levels and boredom outlive a break, shape `(n, p)`."""
    kept: Array = ground.rows.design * np.where(ground.belief.elastic, fit.kept[:, None], 1.0)
    return kept
