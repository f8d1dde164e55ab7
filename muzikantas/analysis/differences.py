"""How countries differ in what they make of a release, whatever luck the release had in all of them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import helmert

from muzikantas.analysis.history import Array, History

#: The largest countries that are compared, and the share of releases in which a country must be known.
COUNTRIES, KNOWN = 5, 0.75


@dataclass(frozen=True, eq=False)
class Differences:
    """Orthonormal contrasts between countries, release by release.

    Parameters
    ----------
    values
        Log units, about their mean over all releases; shape `(n, countries - 1)`. 0 where a country is not known.
    weight
        How much each release counts, 0 where a country is not known; shape `(n,)`.
    """

    values: Array
    weight: Array

    @property
    def releases(self) -> int:
        """How many releases count."""
        return int(np.count_nonzero(self.weight)) if self.values.shape[1] else 0

    def pick(self, rows: npt.NDArray[np.bool_], kept: Array) -> "Differences":
        """Keep some of the rows, each (`kept`, shape `(rows,)`) as far as it still holds."""
        return Differences(self.values[rows], self.weight[rows] * kept)


def differences(heard: History) -> Differences:
    """Compare the largest countries that are known in most releases; with fewer than two nothing is compared."""
    known = np.isfinite(heard.by_country)
    loudest = np.max(heard.by_country, initial=0.0, where=known)
    streams = np.exp(np.where(known, heard.by_country - loudest, -np.inf)).sum(axis=0)  # in units of the loudest
    told = np.count_nonzero(known.any(axis=1))
    usual = np.flatnonzero(known.sum(axis=0) >= max(KNOWN * told, 1))
    largest = usual[np.argsort(-streams[usual], kind="stable")][:COUNTRIES]
    complete: npt.NDArray[np.bool_] = np.all(known[:, largest], axis=1)
    if len(largest) < 2 or not complete.any():
        return Differences(np.zeros((len(known), 0)), np.zeros(len(known)))
    contrasts = np.where(complete[:, None], heard.by_country[:, largest], 0.0) @ helmert(len(largest)).T
    values = np.where(complete[:, None], contrasts - contrasts[complete].mean(axis=0), 0.0)
    return Differences(values, complete.astype(float))
