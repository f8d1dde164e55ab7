"""Gaps in a market: genres whose demand in a country grows while few artists supply it, by a test with an error rate.

Two questions to each genre in each country. Is its supply thin? Fewer artists than cells of the same demand have, by
the prediction interval of all other cells. And of those that are thin: does the share of demand grow? Least squares on
weekly log-odds with errors that last from week to week (Prais, Winsten 1954), widened by how far growth scatters over
all cells (as between the studies of a meta-analysis: DerSimonian, Laird 1986, here by the median). False discoveries
are kept at 2 % among the thin cells: choosing them looks at no growth, so it does no harm to the second test
(Bourgon, Gentleman, Huber, PNAS 107, 2010).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from muzikantas.analysis import weekly
from muzikantas.analysis.trajectories import Array

#: Share of found growth that may be false, over all cells whose supply is thin.
FALSE_DISCOVERIES = 0.02
#: Chance that a supply like that of others passes for thin.
THIN_ERROR = 0.025
#: Weeks and cells below which nothing is tested.
LEAST_WEEKS, LEAST_CELLS = 12, 6
#: The last weeks, in which supply is counted.
RECENT_WEEKS = 12
#: Weeks that are looked at: growth a year ago is no gap today.
MOST_WEEKS = 52
#: Share of a country's demand below which a genre is too small to be measured there.
LEAST_SHARE = 0.002
#: Artists that are added before the logarithm: one or two make no chasm.
HALF = 0.5


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One genre in one country: what the numbers say of its demand and its supply.

    Parameters
    ----------
    share
        Of the country's demand in the last weeks.
    growth, growth_low, growth_high
        Factor of its odds against all other demand over a quarter (13 weeks), and its 95 % interval.
    growth_p
        Chance of such growth where there is none.
    artists
        Artists with demand in the last weeks.
    artists_usual
        Artists that cells of the same demand have.
    thin_p
        Chance of so few among such cells.
    gap
        Whether demand grows and supply is thin, within the error rates.
    """

    country: str
    genre: str
    share: float
    growth: float
    growth_low: float
    growth_high: float
    growth_p: float
    artists: int
    artists_usual: float
    thin_p: float
    gap: bool


@dataclass(frozen=True, eq=False)
class _Slope:
    """A trend of log-odds: a week's step, its standard error and degrees of freedom."""

    step: float
    error: float
    freedom: float


def find(rows: Iterable[Mapping[str, Any]]) -> list[Cell]:
    """Test every genre in every country; gaps first, then by growth.

    Parameters
    ----------
    rows
        Appearances: `country`, `day` (a date), `artist`, `genre` (None: unknown, which counts as demand of no genre)
        and `demand` (streams, or 1 for an entry of a chart without streams).

    Returns
    -------
    list of Cell
        Empty with fewer than 12 weeks or 6 cells: nothing can be said then.
    """
    demand, artists, weeks = _weekly(rows)
    if weeks < LEAST_WEEKS or len(demand) < LEAST_CELLS:
        return []
    cells = sorted(demand)
    slopes = _slopes([weekly.log_odds(*demand[cell]) for cell in cells])
    errors = _widened(slopes)
    p_values = [float(stats.t.sf(s.step / e, s.freedom)) for s, e in zip(slopes, errors, strict=True)]
    recent = min(RECENT_WEEKS, weeks // 2)
    shares = np.array([demand[cell][0][-recent:].sum() / demand[cell][1][-recent:].sum() for cell in cells])
    amounts = np.array([demand[cell][0][-recent:].sum() for cell in cells])
    counts = np.array([len(artists[cell]) for cell in cells])
    usual, thin = _thinness(amounts, counts, [country for country, _ in cells])
    gaps = _found(np.array(p_values), thin)
    found = []
    for k, (country, genre) in enumerate(cells):
        low, high = (slopes[k].step + side * errors[k] * stats.t.ppf(0.975, slopes[k].freedom) for side in (-1, 1))
        found.append(
            Cell(
                country=country,
                genre=genre,
                share=round(float(shares[k]), 4),
                growth=_quarter(slopes[k].step),
                growth_low=_quarter(low),
                growth_high=_quarter(high),
                growth_p=round(p_values[k], 5),
                artists=int(counts[k]),
                artists_usual=round(float(usual[k]), 1),
                thin_p=round(float(thin[k]), 5),
                gap=k in gaps,
            )
        )
    return sorted(found, key=lambda cell: (not cell.gap, -cell.growth))


def _found(growth: Array, thin: Array) -> set[int]:
    """Give the cells that are gaps: thin, and among the thin those whose growth is no chance."""
    candidates = np.flatnonzero(thin <= THIN_ERROR)
    if not len(candidates):
        return set()
    false = stats.false_discovery_control(growth[candidates])
    return {int(cell) for cell, q in zip(candidates, false, strict=True) if q <= FALSE_DISCOVERIES}


def _quarter(step: float) -> float:
    return round(float(np.exp(np.clip(step * 13, -7, 7))), 3)


_Demand = dict[tuple[str, str], tuple[Array, Array]]


def _weekly(rows: Iterable[Mapping[str, Any]]) -> tuple[_Demand, dict[tuple[str, str], set[str]], int]:
    """Sum demand by cell and week beside the country's whole demand, and name each cell's artists of late.

    Weeks are counted back from the newest day, so that the last one is whole; genres too small to measure are left out.
    """
    kept = [(r["country"], r["genre"], r["artist"], r["day"].toordinal(), float(r["demand"])) for r in rows]
    if not kept:
        return {}, {}, 0
    last, first = max(row[3] for row in kept), min(row[3] for row in kept)
    weeks = min((last - first) // 7 + 1, MOST_WEEKS)
    whole: dict[str, Array] = defaultdict(lambda: np.zeros(weeks))
    parts: dict[tuple[str, str], Array] = defaultdict(lambda: np.zeros(weeks))
    artists: dict[tuple[str, str], set[str]] = defaultdict(set)
    recent = min(RECENT_WEEKS, weeks // 2)
    for country, genre, artist, day, amount in kept:
        back = (last - day) // 7
        if back >= weeks:
            continue
        whole[country][weeks - 1 - back] += amount
        if genre is not None:
            parts[country, genre][weeks - 1 - back] += amount
            if back < recent:
                artists[country, genre].add(artist)
    demand = {
        cell: (part[whole[cell[0]] > 0], whole[cell[0]][whole[cell[0]] > 0])
        for cell, part in parts.items()
        if part[-recent:].sum() >= LEAST_SHARE * whole[cell[0]][-recent:].sum()
        and (whole[cell[0]] > 0).sum() >= LEAST_WEEKS
    }
    return demand, artists, weeks


def _slopes(series: Sequence[Array]) -> list[_Slope]:
    """Fit a line to each series whose errors last: weeks that resemble each other are no independent evidence.

    How long errors last is one number for all series: a single one of some months cannot tell it from growth.
    """
    lasting = 0.0
    for _ in range(3):
        fitted = [_fit(values, lasting) for values in series]
        lasting = float(np.median([_lasting(values, *fit[:2]) for values, fit in zip(series, fitted, strict=True)]))
    return [_Slope(step, error, len(values) - 2) for values, (_, step, error) in zip(series, fitted, strict=True)]


def _fit(values: Array, lasting: float) -> tuple[float, float, float]:
    """Give level and step of the line, and the step's standard error (Prais and Winsten's least squares)."""
    n = len(values)
    design = weekly.whitened(np.column_stack([np.ones(n), np.arange(n) - (n - 1) / 2]), lasting)
    outcome = weekly.whitened(values, lasting)
    inverse = np.linalg.inv(design.T @ design)
    fitted = inverse @ design.T @ outcome
    rest = outcome - design @ fitted
    error = np.sqrt(max(float(rest @ rest) / (n - 2) * inverse[1, 1], 1e-12))
    return float(fitted[0]), float(fitted[1]), float(error)


def _lasting(values: Array, level: float, step: float) -> float:
    """How long errors last around a line."""
    n = len(values)
    return weekly.lasting(values - level - step * (np.arange(n) - (n - 1) / 2), columns=2)


def _widened(slopes: Sequence[_Slope]) -> Array:
    """Widen all standard errors by how far the cells' growth scatters beyond them: seasons and fashions come and go.

    The scatter is measured robustly, so that a few genres that really grow do not hide themselves.
    """
    steps = np.array([slope.step for slope in slopes])
    errors = np.array([slope.error for slope in slopes])
    scatter = float(np.median(np.abs(steps - np.median(steps)))) / 0.6745
    beyond = max(scatter**2 - float(np.median(errors**2)), 0.0)
    widened: Array = np.sqrt(errors**2 + beyond)
    return widened


def _thinness(amounts: Array, counts: Array, countries: list[str]) -> tuple[Array, Array]:
    """Give the artists that other cells of the same demand have, and the chance of as few as there are.

    Demand is measured against its country's middle: countries differ in size, and charts in what they count.
    """
    middle = {name: np.median([a for a, c in zip(amounts, countries, strict=True) if c == name]) for name in countries}
    x = np.log(amounts / np.array([middle[name] for name in countries]))
    y = np.log(counts + HALF)
    usual, chance = np.empty(len(x)), np.empty(len(x))
    for k in range(len(x)):
        others = np.arange(len(x)) != k
        line, spread, freedom = _line(x[others], y[others], x[k])
        usual[k] = max(np.exp(line) - HALF, 0.0)
        chance[k] = stats.t.cdf((y[k] - line) / spread, freedom)
    return usual, chance


def _line(x: Array, y: Array, at: float) -> tuple[float, float, int]:
    """Predict a point from a line through the others: middle, standard error of a prediction, degrees of freedom.

    A count has at least the spread of chance: log of a Poisson number of the usual size.
    """
    centre = x - x.mean()
    slope = float(np.clip(centre @ y / max(centre @ centre, 1e-9), 0.0, 1.0))
    line = float(y.mean() + slope * (at - x.mean()))
    freedom = len(x) - 2
    rest = y - y.mean() - slope * centre
    variance = max(float(rest @ rest) / freedom, 1 / max(np.exp(line), 1.0))
    reach = 1 + 1 / len(x) + (at - x.mean()) ** 2 / max(float(centre @ centre), 1e-9)
    return line, float(np.sqrt(variance * reach)), freedom
