"""Bayesian linear regression in closed form, averaged over how loud the luck is and how strong the effects are."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular

Array = npt.NDArray[np.float64]

#: Standard deviations of luck that are weighed, in log units: a cheap proxy, raw streams (about 1.1), and worse.
NOISE_SDS = (0.15, 0.25, 0.4, 0.6, 0.85, 1.15, 1.6, 2.3)
#: Multiples of the prior's standard deviations that are weighed: hardly any effect to twice what is usual.
STRENGTHS = (0.25, 0.5, 1.0, 2.0)
#: How often each is expected before seeing data: log-normal about luck of 0.8 and about the prior's own strength.
_NOISE_LOG_CENTRE, _NOISE_LOG_SD, _STRENGTH_LOG_SD = np.log(0.8), 0.7, 0.8


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is believed about the coefficients, as a Gaussian.

    Parameters
    ----------
    mean
        Expected coefficients (shape `(p,)`).
    covariance
        Their covariance (shape `(p, p)`), doubt about luck and strength included.
    """

    mean: Array
    covariance: Array

    def expect(self, rows: Array) -> Array:
        """Expected outcome of each row of a design (shape `(n, p)`) as an array of shape `(n,)`."""
        expected: Array = rows @ self.mean
        return expected

    def doubt(self, rows: Array) -> Array:
        """Standard deviation of that expectation (luck not included), shape `(n,)`."""
        variance: Array = np.sum((rows @ self.covariance) * rows, axis=1)
        return np.sqrt(np.maximum(variance, 0.0))


@dataclass(frozen=True, eq=False)
class Regression:
    """A design (shape `(n, p)`), its outcomes and precision weights (shape `(n,)`), summed once for every fit."""

    design: Array
    outcomes: Array
    weights: Array


@dataclass(frozen=True, eq=False)
class Belief:
    """Independent Gaussians over the coefficients before data: `mean` and `sd` (shape `(p,)`).

    `elastic` (boolean, shape `(p,)`) marks the effects whose strength is weighed; levels stay as they are.
    """

    mean: Array
    sd: Array
    elastic: npt.NDArray[np.bool_]


def posterior(data: Regression, belief: Belief) -> Posterior:
    """Average the exact posteriors over the grid of noise and strength, each by its evidence.

    Averaging instead of picking the best point keeps short histories honest: with ten releases the best point is
    often "no noise at all". Reference: Bishop, Pattern Recognition and Machine Learning, 3.3 to 3.5.
    """
    weighted = data.design.T * data.weights
    gram = weighted @ data.design
    residual = data.outcomes - data.design @ belief.mean
    score = weighted @ residual
    energy = float(residual @ (data.weights * residual))
    used = int(np.count_nonzero(data.weights))
    fits = [
        _fit(gram, score, energy, used, noise, np.where(belief.elastic, strength, 1.0) * belief.sd, strength)
        for strength in STRENGTHS
        for noise in NOISE_SDS
    ]
    evidence = np.array([fit[0] for fit in fits])
    share = np.exp(evidence - evidence.max())
    share /= share.sum()
    return _mix(belief.mean, [(w, *fit[1:]) for w, fit in zip(share, fits, strict=True) if w > 1e-4])


def noise_log_odds(noise: float) -> float:
    """How likely a standard deviation of luck is before seeing data, in log units, up to a constant."""
    return -0.5 * float((np.log(noise) - _NOISE_LOG_CENTRE) / _NOISE_LOG_SD) ** 2


def strength_log_odds(strength: float) -> float:
    """How likely a strength of the effects is before seeing data, in log units, up to a constant."""
    return -0.5 * float(np.log(strength) / _STRENGTH_LOG_SD) ** 2


def _fit(
    gram: Array, score: Array, energy: float, used: int, noise: float, sd: Array, strength: float
) -> tuple[float, Array, Array]:
    """Give log evidence, shift of the mean and the factor L⁻¹ with covariance L⁻ᵀL⁻¹ at one grid point.

    Works in units of the prior's standard deviations, where the precision is the identity plus data: well conditioned.
    """
    scaled = gram * np.outer(sd, sd) / noise**2
    scaled[np.diag_indices_from(scaled)] += 1.0
    lower = np.linalg.cholesky(scaled)
    half = solve_triangular(lower, score * sd / noise**2, lower=True, check_finite=False)
    evidence = (
        -used * np.log(noise)
        - 0.5 * energy / noise**2
        + 0.5 * float(half @ half)
        - float(np.log(np.diag(lower)).sum())
        + noise_log_odds(noise)
        + strength_log_odds(strength)
    )
    shift = solve_triangular(lower, half, lower=True, trans="T", check_finite=False) * sd
    return float(evidence), shift, lower / sd[:, None]


def _mix(centre: Array, parts: list[tuple[float, Array, Array]]) -> Posterior:
    """Match the moments of a mixture of Gaussians given as (share, shift, factor of precision)."""
    total = sum(part[0] for part in parts)
    mean = np.sum([w * shift for w, shift, _ in parts], axis=0) / total
    covariance = np.zeros((len(centre), len(centre)))
    for w, shift, factor in parts:
        inverse = solve_triangular(factor, np.eye(len(centre)), lower=True, check_finite=False)
        off = shift - mean
        covariance += (w / total) * (inverse.T @ inverse + np.outer(off, off))
    return Posterior(mean=centre + mean, covariance=covariance)
