"""Charts that never were: songs that come, climb, fade and return, as daily positions of a country."""

from datetime import date, timedelta
from typing import Any

import numpy as np

from muzikantas.analysis.trajectories import Trajectories, trajectories

FIRST = date(2031, 1, 6)


def made_up(country: str, *, seed: int, days: int = 420, size: int = 50) -> Trajectories:
    """Draw a country's chart: log streams of each song rise within days and decay over weeks, with weekly noise."""
    rng = np.random.default_rng([seed, *country.encode()])
    songs = days * 2
    born = np.sort(rng.uniform(-120, days, songs))
    height, rise, life = rng.normal(0, 1, songs), rng.gamma(1.5, 6, songs), rng.lognormal(4.2, 0.9, songs)
    noise = np.zeros(songs)
    rows: list[dict[str, Any]] = []
    for day in range(days):
        age = day - born
        noise = 0.9 * noise + rng.normal(0, 0.12, songs)
        level = height - np.exp(-np.maximum(age, 0) / rise) * 2 - np.maximum(age, 0) / life + noise
        level[age < 0] = -np.inf
        for position, song in enumerate(np.argsort(-level)[:size], start=1):
            rows.append(_row(country, FIRST + timedelta(days=day), position, int(song), float(born[song])))
    return trajectories(rows, size)


def _row(country: str, day: date, position: int, song: int, born: float) -> dict[str, Any]:
    released = FIRST + timedelta(days=int(born))
    return {
        "day": day,
        "position": position,
        "track_title": f"{country} song {song}",
        "artist_names": f"{country} artist {song % 97}",
        "details": {"release_date": released.isoformat()},
    }
