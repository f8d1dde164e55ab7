"""Random markets with a planted gap and a planted non-gap, in several shapes that real ones might have."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

FIRST = date(2031, 1, 5)
#: How demand comes and lasts: streams of artists, entries of a chart, few large hits, waves of the year, few weeks.
SHAPES = ("streams", "chart", "hits", "waves", "short")
#: What looks like a gap and is none: growth with many artists, few artists without growth, one hit, few that shrink.
DECOYS = ("crowded growth", "thin and still", "one hit", "thin and falling")

Cell = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Market:
    """Appearances, and what was planted where; `growth` is the planted factor of demand over the whole time."""

    shape: str
    decoy: str
    rows: list[dict[str, Any]]
    gap: Cell
    non_gap: Cell
    growth: float
    weeks: int


def market(seed: int) -> Market:
    """Draw a market: 3 to 8 countries, 6 to 14 genres, 26 to 60 weeks, artists of very different size."""
    rng = np.random.default_rng([77, seed])
    shape, decoy = SHAPES[seed % len(SHAPES)], DECOYS[seed // len(SHAPES) % len(DECOYS)]
    weeks = int(rng.integers(24, 33) if shape == "short" else rng.integers(36, 61))
    countries = [f"C{n}" for n in range(rng.integers(3, 9))]
    genres = [f"genre {n}" for n in range(rng.integers(6, 15))]
    cells = [(country, genre) for country in countries for genre in genres]
    gap, non_gap = (cells[n] for n in rng.choice(len(cells), 2, replace=False))
    growth = float(rng.uniform(3, 5))
    rows = []
    crowd = {genre: float(rng.lognormal(2.7, 0.3)) for genre in genres}
    for cell in cells:
        thin = cell == gap or (cell == non_gap and decoy.startswith("thin"))
        artists = int(rng.integers(2, 4)) if thin else max(6, int(rng.poisson(crowd[cell[1]])))
        if cell == non_gap and decoy == "crowded growth":
            artists = max(artists, int(crowd[cell[1]] * 1.2))
        level = _level(rng, shape, weeks)
        level += _planted(rng, cell, gap, non_gap, decoy, growth, weeks)
        rows += list(_appearances(rng, cell, artists, level, shape))
    if shape == "chart":
        rows = _topped(rng, rows, size=100)
    return Market(shape=shape, decoy=decoy, rows=rows, gap=gap, non_gap=non_gap, growth=growth, weeks=weeks)


def _level(rng: np.random.Generator, shape: str, weeks: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Log demand of a genre by week: noise that lasts, and what the shape adds."""
    lasting, sd = {"short": (0.5, 0.12), "hits": (0.75, 0.2)}.get(shape, (0.7, 0.15))
    noise = np.zeros(weeks)
    for week in range(weeks):
        noise[week] = lasting * (noise[week - 1] if week else 0.0) + rng.normal(0, sd)
    if shape == "waves":
        noise += 0.2 * np.sin(2 * np.pi * (np.arange(weeks) + rng.uniform(0, 52)) / 52)
    return noise + rng.normal(0, 0.3)


def _planted(
    rng: np.random.Generator, cell: Cell, gap: Cell, non_gap: Cell, decoy: str, growth: float, weeks: int
) -> np.ndarray[Any, np.dtype[np.float64]]:
    along = np.linspace(0, 1, weeks)
    grows: np.ndarray[Any, np.dtype[np.float64]] = np.log(growth) * along
    if cell == gap or (cell == non_gap and decoy == "crowded growth"):
        return grows
    if cell == non_gap and decoy == "thin and falling":
        return -grows
    if cell == non_gap and decoy == "one hit":
        peak = rng.uniform(0.2, 0.8)
        spike: np.ndarray[Any, np.dtype[np.float64]] = 1.2 * np.exp(-(((along - peak) / 0.05) ** 2))
        return spike
    return np.zeros(weeks)


def _appearances(
    rng: np.random.Generator, cell: Cell, artists: int, level: np.ndarray[Any, np.dtype[np.float64]], shape: str
) -> Iterator[dict[str, Any]]:
    """Share a genre's demand out to its artists, who come and go."""
    country, genre = cell
    size = rng.lognormal(0, 1.2 if shape == "hits" else 0.7, artists)
    size /= size.sum()
    for week, log_demand in enumerate(level):
        wobble = size * rng.lognormal(0, 0.25, artists)
        demand = 1e6 * np.exp(log_demand) * wobble / wobble.sum()
        for number, amount in enumerate(demand):
            yield {
                "country": country,
                "day": FIRST + timedelta(weeks=week),
                "artist": f"{country} {genre} artist {number}",
                "genre": genre,
                "demand": float(round(amount)),
            }


def _topped(rng: np.random.Generator, rows: list[dict[str, Any]], size: int) -> list[dict[str, Any]]:
    """Keep what a chart without streams shows: the first songs of each country and week, each counts as one.

    An artist has as many songs out as demand carries, of very different success.
    """
    songs: dict[tuple[str, date], list[tuple[float, dict[str, Any]]]] = {}
    for row in rows:
        count = 1 + int(rng.poisson(row["demand"] / 40_000))
        shares = rng.dirichlet(np.full(count, 0.8)) * row["demand"]
        songs.setdefault((row["country"], row["day"]), []).extend((float(share), row) for share in shares)
    return [
        {**row, "demand": 1.0}
        for listed in songs.values()
        for _, row in sorted(listed, key=lambda song: -song[0])[:size]
    ]
