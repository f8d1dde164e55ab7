"""How the generator bends what it is asked for, learnt from pairs of asked and realised styles."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from muzikantas.analysis.history import Array, History

#: Usual scatter of a realised dimension about its expectation, and how far each habit strays from "does as told".
SCATTER = 0.1
BIAS_SD, GENRE_BIAS_SD, GAIN_SD, SPILL_SD = 0.15, 0.1, 0.3, 0.05


@dataclass(frozen=True, eq=False)
class Obedience:
    """Linear map from asked to expected realised values: biases, gains, and spill from one dimension to another."""

    genres: int
    habits: Array  #: shape (1 + genres + dimensions, dimensions)

    def foresee(self, genre: npt.NDArray[np.intp], asked: Array) -> Array:
        """Expected realised values (shape `(n, dimensions)`) of what is asked, kept in [0, 1]."""
        return np.clip(asked + _rows(genre, asked, self.genres) @ self.habits, 0.0, 1.0)


def learn_obedience(history: History, genres: int) -> Obedience:
    """Shrunken regression of realised minus asked; with no history the generator is taken at its word.

    The gain has the wider prior: a generator that reacts weakly is common, one that confuses dimensions is not.
    """
    d = history.asked.shape[1]
    rows = _rows(history.genre, history.asked, genres)
    gram = rows.T @ rows / SCATTER**2
    pull = rows.T @ (history.realised - history.asked) / SCATTER**2
    habits = np.empty((1 + genres + d, d))
    for k in range(d):
        sd = np.concatenate([[BIAS_SD], np.full(genres, GENRE_BIAS_SD), np.full(d, SPILL_SD)])
        sd[1 + genres + k] = GAIN_SD
        habits[:, k] = np.linalg.solve(gram + np.diag(sd**-2.0), pull[:, k])
    return Obedience(genres, habits)


def _rows(genre: npt.NDArray[np.intp], asked: Array, genres: int) -> Array:
    return np.hstack([np.ones((len(asked), 1)), np.eye(genres)[genre], asked - 0.5])
