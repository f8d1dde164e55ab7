"""What listeners like, as a linear model: levels, slopes and curves of style, pooled over genres."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from muzikantas.analysis.bayes import Belief
from muzikantas.analysis.history import Array
from muzikantas.domain.errors import InputError
from muzikantas.domain.style import StyleSpace

#: Standard deviations before data, in log units for one half width of the space.
LEVEL_MEAN, LEVEL_SD = 5.0, 3.0  # a new artist's month: a hundred and fifty streams, give or take a factor of twenty
GENRE_SD = 0.5
SLOPE_SD = 0.4
CURVE_MEAN, CURVE_SD = -0.2, 0.25
GENRE_SLOPE_SD = 0.3
GENRE_CURVE_SD = 0.15
TREND_SD = 0.3  # for ten cycles
#: A dimension's half width is at least this, lest a corridor of one point blow up every measured deviation.
NARROWEST = 0.15


@dataclass(frozen=True)
class Prior:
    """What other artists' histories say about the coefficients: one Gaussian each, in the order of `Basis.rows`.

    Plain numbers, so that it can be stored as a row; it holds for the same space only.
    """

    genres: tuple[str, ...]
    dimensions: tuple[str, ...]
    mean: tuple[float, ...]
    sd: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Basis:
    """Turns styles into rows of the design; coordinates are half widths from the middle of the space's corridors."""

    genres: int
    middle: Array
    half: Array

    @classmethod
    def of(cls, space: StyleSpace) -> "Basis":
        """Scale by the union of the genres' corridors, so that a slope means the same in every genre."""
        ranges = np.array([space.ranges(genre) for genre in space.genres], dtype=float)
        low, high = ranges[:, :, 0].min(axis=0), ranges[:, :, 1].max(axis=0)
        return cls(len(space.genres), (low + high) / 2, np.maximum((high - low) / 2, NARROWEST))

    @property
    def styles(self) -> int:
        """How many columns of `rows` say something of style: all but the trend, which is the last."""
        return 1 + self.genres + 2 * (1 + self.genres) * len(self.middle)

    def place(self, values: Array) -> Array:
        """Half widths from the middle (shape `(n, d)`)."""
        placed: Array = (values - self.middle) / self.half
        return placed

    def rows(self, genre: npt.NDArray[np.intp], values: Array, ago: Array) -> Array:
        """Design of styles (`genre` shape `(n,)`, `values` shape `(n, d)`) made `ago` cycles before now.

        Columns: level · genre levels · slopes · curves · slopes of each genre · curves of each genre · trend.
        """
        z = self.place(values)
        curve = z**2 - 1 / 3  # mean zero over the space, so that levels stay levels
        member = np.eye(self.genres)[genre]
        own = [member[:, [g]] * part for part in (z, curve) for g in range(self.genres)]
        columns = [np.ones((len(z), 1)), member, z, curve, *own, -ago[:, None] / 10]
        return np.hstack(columns)

    def belief(self) -> Belief:
        """Expectations for an artist about whom nothing is known."""
        d, g = len(self.middle), self.genres
        blocks = (
            (1, LEVEL_MEAN, LEVEL_SD, False),
            (g, 0.0, GENRE_SD, True),
            (d, 0.0, SLOPE_SD, True),
            (d, CURVE_MEAN, CURVE_SD, True),
            (g * d, 0.0, GENRE_SLOPE_SD, True),
            (g * d, 0.0, GENRE_CURVE_SD, True),
            (1, 0.0, TREND_SD, False),
        )
        mean, sd, elastic = (np.concatenate([np.full(b[0], b[k]) for b in blocks]) for k in (1, 2, 3))
        return Belief(mean, sd, elastic.astype(bool))


def belief_of(basis: Basis, space: StyleSpace, prior: Prior | None) -> Belief:
    """Give the usual belief, or what other artists' histories say; `InputError` when they are of another space."""
    usual = basis.belief()
    if prior is None:
        return usual
    if (prior.genres, prior.dimensions) != (space.genres, space.dimensions):
        raise InputError(
            f"prior is for genres {prior.genres} and dimensions {prior.dimensions}; the space has {space.genres} and "
            f"{space.dimensions}; learn the prior again for this space"
        )
    return Belief(np.array(prior.mean), np.array(prior.sd), usual.elastic)
