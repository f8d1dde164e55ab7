"""What other artists' histories teach about a new one."""

from collections.abc import Sequence

import numpy as np

from muzikantas.analysis.bayes import Belief, Posterior, Regression, posterior
from muzikantas.analysis.history import Observation, arrange
from muzikantas.analysis.taste import Basis, Prior
from muzikantas.domain.style import StyleSpace

#: The usual belief counts as much as this many artists, so that two lucky careers do not become a law.
USUAL_ARTISTS = 3.0
#: Rounds of expectation and maximisation; the mean moves by less than a hundredth of its doubt after about ten.
ROUNDS = 12


def learn_prior(histories: Sequence[Sequence[Observation]], space: StyleSpace) -> Prior:
    """Estimate how coefficients are spread over artists, from one history an artist.

    Expectation-maximisation of a diagonal Gaussian over artists, kept near the usual belief. Artists enter in an order
    that carries no meaning. With no histories the usual belief comes back.
    """
    basis = Basis.of(space)
    usual = basis.belief()
    regressions = []
    for observations in histories:
        history = arrange(observations, space)
        if history.heard:
            ago = history.cycle.max() - history.cycle
            design = basis.rows(history.genre, history.realised, ago)
            regressions.append(Regression(design, history.outcome, history.weight))
    # Sums over artists must not depend on the order in which they are given.
    regressions.sort(key=lambda r: (len(r.outcomes), tuple(r.outcomes), tuple(r.design.ravel())))
    belief = usual
    for _ in range(ROUNDS if regressions else 0):
        belief = _update([posterior(r, belief) for r in regressions], usual)
    return Prior(space.genres, space.dimensions, tuple(map(float, belief.mean)), tuple(map(float, belief.sd)))


def _update(artists: list[Posterior], usual: Belief) -> Belief:
    """Re-estimate mean and spread over artists, the usual belief standing in for `USUAL_ARTISTS` of them."""
    total = len(artists) + USUAL_ARTISTS
    mean = (np.sum([a.mean for a in artists], axis=0) + USUAL_ARTISTS * usual.mean) / total
    spread = np.sum([(a.mean - mean) ** 2 + np.diag(a.covariance) for a in artists], axis=0)
    variance = (spread + USUAL_ARTISTS * (usual.sd**2 + (usual.mean - mean) ** 2)) / total
    return Belief(mean, np.sqrt(variance), usual.elastic)
