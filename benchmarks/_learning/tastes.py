"""Hidden tastes: what the listeners of each country like in each genre, as hills, ridges and plateaus that wander.

None of them has the shape of a model that is judged here: hills are turned, stretched and heavy-tailed, and come up to
three at a time; a ridge is a long crest on which most dimensions hardly matter; a plateau is flat on top, and falls.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks._learning.settings import Market

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

HILL, RIDGE, PLATEAU = range(3)
#: A hill's value is (1 + q/TAIL)^(-TAIL/2) at squared distance q: heavier tails than a Gaussian's.
TAIL = 6.0
#: How softly a plateau falls off beyond its edge, in units of its radius.
EDGE = 0.3
#: Directions across which a ridge falls; along the others it hardly changes.
ACROSS = 2


@dataclass(frozen=True, eq=False)
class Tastes:
    """Log response by cycle, genre, country and style.

    Parameters
    ----------
    kind
        Hill, ridge or plateau, shape `(genres, parts)`.
    height
        Log units that a part adds at its top, 0 where a genre has fewer parts; shape `(genres, parts)`.
    middle
        Where the parts are, shape `(cycles, genres, parts, d)`.
    across
        Turns and scales a deviation from the middle, shape `(genres, parts, d, d)`.
    shift
        How far a country's parts are from the common ones, shape `(countries, genres, d)`.
    fondness
        Log units by which a country likes a genre, its audience included; shape `(countries, genres)`.
    break_cycle
        First cycle after the break; beyond the last cycle when there is none.
    """

    kind: Indices
    height: Array
    middle: Array
    across: Array
    shift: Array
    fondness: Array
    break_cycle: int

    def log_response(self, cycle: int, genre: Indices, values: Array) -> Array:
        """Expected log streams of styles in each country, shape `(n, countries)`, repetition and luck left out."""
        answer = np.empty((len(genre), len(self.fondness)))
        for g in np.unique(genre):
            mine = genre == g
            answer[mine] = self.fondness[:, g] + self._liking(cycle, int(g), values[mine])
        return answer

    def _liking(self, cycle: int, genre: int, values: Array) -> Array:
        """Give the tallest of the genre's parts at each style, shape `(n, countries)`."""
        best = np.zeros((len(values), len(self.shift)))
        for part, height in enumerate(self.height[genre]):
            middles = self.middle[cycle, genre, part] + self.shift[:, genre]
            away = (values[:, None, :] - middles[None, :, :]) @ self.across[genre, part].T
            squared = np.sum(away**2, axis=2)
            np.maximum(best, height * _profile(int(self.kind[genre, part]), squared), out=best)
        return best


def draw_tastes(market: Market, rng: np.random.Generator) -> Tastes:
    """Draw the tastes of one market; one generator state gives one market."""
    shape = (market.genres, market.most_parts)
    kind = rng.choice(3, size=shape, p=market.kinds)
    parts = rng.choice(np.arange(1, market.most_parts + 1), size=market.genres, p=market.parts)
    height = rng.uniform(*market.heights, size=shape) * np.where(
        np.arange(market.most_parts) == 0, 1.0, rng.uniform(*market.lesser, size=shape)
    )
    height[np.arange(market.most_parts)[None, :] >= parts[:, None]] = 0.0
    across = np.array([[_across(market, int(k), rng) for k in row] for row in kind])
    shift = rng.normal(0.0, market.country_shift, (market.countries, market.genres, market.dimensions))
    audience = np.log(rng.dirichlet(np.full(market.countries, market.evenness)))
    fondness = market.level + audience[:, None] + rng.normal(0.0, market.fondness, (market.countries, market.genres))
    fondness = fondness + rng.normal(0.0, market.genre_level, market.genres)
    # Drawn in any case, so that a seed's market with and without a break is the same before it.
    break_cycle = int(rng.integers(*market.break_between))
    break_cycle = break_cycle if market.breaks else market.cycles + 1
    middle = _wander(market, (fondness.mean(axis=0) + height[:, 0]), break_cycle, rng)
    return Tastes(kind, height, middle, across, shift, fondness, break_cycle)


def _wander(market: Market, worth: Array, break_cycle: int, rng: np.random.Generator) -> Array:
    """Middles of the parts by cycle (index 0 is before the first): a slow walk, and at the break a jump.

    The break takes the genre that is worth most and some others: a trend that passes.
    """
    shape = (market.genres, market.most_parts, market.dimensions)
    start, elsewhere = rng.uniform(*market.middles, shape), rng.uniform(*market.middles, shape)
    steps = rng.normal(0.0, 1.0, (market.cycles + 1, *shape)) * market.drift
    steps[0] = 0.0
    path = start + np.cumsum(steps, axis=0)
    broken = np.argsort(-worth)[:1].tolist() + rng.permutation(np.argsort(-worth)[1:]).tolist()
    for genre in broken[: market.broken_genres]:
        path[break_cycle:, genre] += elsewhere[genre] - start[genre]
    return _reflected(path)


def _across(market: Market, kind: int, rng: np.random.Generator) -> Array:
    """Draw a turned and stretched metric, shape `(d, d)`."""
    d = market.dimensions
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    widths = market.width * np.exp(rng.normal(0.0, market.stretch, d))
    if kind == RIDGE:
        widths = np.where(np.arange(d) < ACROSS, market.ridge_width, 20.0)
    if kind == PLATEAU:
        widths = widths * market.plateau_width
    turned: Array = turn / widths[:, None]
    return turned


def _profile(kind: int, squared: Array) -> Array:
    """Value in [0, 1] at a squared distance from the middle."""
    if kind == PLATEAU:
        fallen = np.exp(np.minimum((np.sqrt(squared) - 1.0) / EDGE, 50.0))
        plateau: Array = (1 + np.exp(-1.0 / EDGE)) / (1 + fallen)
        return plateau
    hill: Array = (1 + squared / TAIL) ** (-TAIL / 2)
    return hill


def _reflected(values: Array) -> Array:
    """Walks that leave [0, 1] come back as from a mirror."""
    folded: Array = np.abs(values) % 2.0
    return np.where(folded > 1.0, 2.0 - folded, folded)
