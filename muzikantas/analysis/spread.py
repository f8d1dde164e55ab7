"""How varied the catalogue is: the last tracks against the earlier ones, and against what the corridor allows.

A policy that chases its own hits makes the same track again and again. Listeners tire of it and nothing new is learned,
so a catalogue that draws together is said aloud before the streams say it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np

from muzikantas.analysis.history import Array
from muzikantas.domain.style import Style, StyleSpace

#: How many tracks are the last ones; fewer than the least say nothing.
RECENT, LEAST = 12, 6
#: Collapsed: certainly below this share of what the corridor allows, or of what the artist did before.
OF_ALLOWED, OF_EARLIER = 0.25, 0.5
#: Mean square distance of two places drawn evenly from a range, in widths of that range.
EVEN = 1 / 6
#: Two tracks of different genres are this far apart, in the same units: as far as the ends of a range.
OTHER_GENRE = 1.0
#: Below this two tracks are the same to every ear; it keeps logarithms finite.
_NOTHING = 1e-6


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How far apart the last tracks are: root mean square distance of two of them, in widths of the corridor.

    Parameters
    ----------
    tracks
        The last tracks that were measured.
    recent
        Their spread.
    allowed
        The spread of tracks drawn evenly from the corridor.
    share, low, high
        `recent` over `allowed` and its 95 % interval.
    earlier
        The spread of the tracks before; None while there are too few.
    warning
        What has drawn together, in words; None when the catalogue is as varied as it should be.
    """

    tracks: int
    recent: float
    allowed: float
    share: float
    low: float
    high: float
    earlier: float | None
    warning: str | None


def measure(styles: Sequence[Style], space: StyleSpace) -> Spread | None:
    """Measure the spread of an artist's heard styles, oldest first; None while there are too few of them."""
    if len(styles) < LEAST:
        return None
    squares = _squares(styles, space)
    allowed = log(_allowed(space))
    recent, doubt = _log_spread(squares[-RECENT:, -RECENT:])
    before = squares[:-RECENT, :-RECENT]
    earlier = _log_spread(before) if len(before) >= LEAST else None
    reach = 1.96 * doubt
    return Spread(
        tracks=min(len(styles), RECENT),
        recent=exp(recent),
        allowed=exp(allowed),
        share=exp(recent - allowed),
        low=exp(recent - allowed - reach),
        high=exp(recent - allowed + reach),
        earlier=None if earlier is None else exp(earlier[0]),
        warning=_warning(recent - allowed + reach, recent, doubt, earlier),
    )


def _warning(highest: float, recent: float, doubt: float, earlier: tuple[float, float] | None) -> str | None:
    """Say what has drawn together; all numbers are logarithms."""
    if highest < log(OF_ALLOWED):
        return (
            f"the last tracks are spread over at most {exp(highest):.0%} of what the corridor allows; widen the choice "
            "or look at what is planned"
        )
    if earlier is not None and recent - earlier[0] + 1.96 * sqrt(doubt**2 + earlier[1] ** 2) < log(OF_EARLIER):
        return f"the last tracks are spread over {exp(recent - earlier[0]):.0%} of what the earlier ones covered"
    return None


def _squares(styles: Sequence[Style], space: StyleSpace) -> Array:
    """Square distances between tracks (shape `(n, n)`): the mean over dimensions, in widths of the genre's corridor."""
    widths = {genre: [max(high - low, _NOTHING) for low, high in space.ranges(genre)] for genre in space.genres}
    scaled = np.array([np.divide(s.values, widths.get(s.genre, [1.0] * len(s.values))) for s in styles])
    genres = np.array([s.genre for s in styles])
    apart = np.mean((scaled[:, None, :] - scaled[None, :, :]) ** 2, axis=2)
    found: Array = np.where(genres[:, None] == genres[None, :], apart, OTHER_GENRE)
    return found


def _allowed(space: StyleSpace) -> float:
    """Spread of tracks drawn evenly from the corridor, genres alike."""
    same = 1 / len(space.genres)
    return sqrt(same * EVEN + (1 - same) * OTHER_GENRE)


def _log_spread(squares: Array) -> tuple[float, float]:
    """Logarithm of the spread and its standard error by the jackknife, one track left out at a time.

    A mean over pairs is a U-statistic, of which the jackknife knows the error (Arvesen 1969).
    """
    n = len(squares)
    total, own = squares.sum(), squares.sum(axis=1)
    whole = 0.5 * log(max(total / (n * (n - 1)), _NOTHING**2))
    without = 0.5 * np.log(np.maximum((total - 2 * own) / ((n - 1) * (n - 2)), _NOTHING**2))
    return whole, float(np.sqrt((n - 1) / n * np.sum((without - without.mean()) ** 2)))
