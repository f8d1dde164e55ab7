"""What a country plays, how sure that is, and where an artist should aim: its chart, and what is known of its artists.

Genres and homes of artists come from an operator's file. What the file does not name is unknown and stays so: it is
counted as a share of its own, and nothing is guessed from a name.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from scipy import stats

from muzikantas.analysis import seasons
from muzikantas.analysis.trajectories import Array

#: The days that shares are counted over; growth compares them with as many before.
WINDOW_DAYS = 28
WEEK = timedelta(days=7)
#: Draws behind an interval: its ends are exact to about one part in twenty of its width.
DRAWS = 1000
INTERVAL = (0.025, 0.975)
UNKNOWN = None
#: Share of a country's seasons that may be none.
FALSE_SEASONS = 0.05

Content = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One place on a country's chart on a day, with what is known of its artist; `demand` is streams, or 1."""

    day: date
    track: str
    artist: str
    genre: str | None
    home: str | None  #: country that the artist comes from
    demand: float


def profile(entries: Sequence[Entry], country: str, rng: np.random.Generator) -> Content:
    """Describe a country by shares with 95 % intervals; the tracks are the sample (Bayesian bootstrap, Rubin 1981).

    Returns
    -------
    dict
        `day`, `weeks` (from the first date to the last), `tracks`, `genres` (each `share`, `growth` over 28 days, with
        `low` and `high`, `artists`, `tracks`, and `season`: as in `analysis.seasons`, and whether it is `sure`),
        `unknown` (share whose genre nobody told), `local` (share of artists from here among those whose home is known,
        and `unknown` homes), `turnover` (share of places that a week refills), `months` (turnover by month of
        the year). A number that cannot be told is None.
    """
    last = max(entry.day for entry in entries)
    now = [entry for entry in entries if last - timedelta(days=WINDOW_DAYS) < entry.day]
    before = [
        entry
        for entry in entries
        if last - timedelta(days=2 * WINDOW_DAYS) < entry.day <= last - timedelta(days=WINDOW_DAYS)
    ]
    tracks = {track: number for number, track in enumerate(dict.fromkeys(e.track for e in [*now, *before]))}
    weights = rng.exponential(1.0, (DRAWS, len(tracks)))
    shares = {
        genre: (
            _share(now, tracks, weights, lambda e, g=genre: e.genre == g),
            _share(before, tracks, weights, lambda e, g=genre: e.genre == g) if before else None,
        )
        for genre in sorted({entry.genre for entry in now if entry.genre})
    }
    known = [entry for entry in now if entry.home]
    weeks = (last - min(entry.day for entry in entries)).days // 7 + 1
    swings = _seasons(entries, list(shares), last, weeks)
    return {
        "country": country,
        "day": last.isoformat(),
        "weeks": weeks,
        "tracks": len({entry.track for entry in now}),
        "genres": {genre: {**_genre(now, genre, *found), "season": swings[genre]} for genre, found in shares.items()},
        "unknown": _interval(_share(now, tracks, weights, lambda e: e.genre is UNKNOWN)),
        "local": {
            **(_interval(_share(known, tracks, weights, lambda e: e.home == country)) if known else _untold()),
            "unknown": round(1 - len(known) / len(now), 4),
        },
        "turnover": _beta(*_refilled(entries, since=last - timedelta(days=WINDOW_DAYS))),
        "months": _months(entries),
    }


def _share(entries: Sequence[Entry], tracks: Mapping[str, int], weights: Array, chosen: Any) -> Array:  # noqa: ANN401 (a test of an entry)
    """Draw the share of demand that chosen entries have; tracks weigh by chance, as if drawn anew."""
    whole, part = np.zeros(len(tracks)), np.zeros(len(tracks))
    for entry in entries:
        whole[tracks[entry.track]] += entry.demand
        if chosen(entry):
            part[tracks[entry.track]] += entry.demand
    share: Array = (weights @ part) / np.maximum(weights @ whole, 1e-12)
    return share


def _genre(now: Sequence[Entry], genre: str, share: Array, before: Array | None) -> Content:
    mine = [entry for entry in now if entry.genre == genre]
    grown = None if before is None or not before.any() else share / np.maximum(before, 1e-3)
    return {
        **_interval(share),
        "growth": None if grown is None else _interval(grown),
        "artists": len({entry.artist for entry in mine}),
        "tracks": len({entry.track for entry in mine}),
    }


def _seasons(entries: Sequence[Entry], genres: Sequence[str], last: date, weeks: int) -> dict[str, Content | None]:
    """Measure each genre's season; which of them are sure is one question to all of them together."""
    whole, parts = np.zeros(weeks), {genre: np.zeros(weeks) for genre in genres}
    for entry in entries:
        week = weeks - 1 - (last - entry.day).days // 7
        whole[week] += entry.demand
        if entry.genre in parts:
            parts[entry.genre][week] += entry.demand
    found = {genre: seasons.season(part, whole, last) for genre, part in parts.items()}
    measured = [each.chance for each in found.values() if each is not None]
    false = iter(stats.false_discovery_control(measured) if measured else [])
    return {
        genre: None if each is None else {**vars(each), "sure": bool(next(false) <= FALSE_SEASONS and each.peak_month)}
        for genre, each in found.items()
    }


def _interval(draws: Array) -> Content:
    low, high = np.quantile(draws, INTERVAL)
    return {"share": round(float(np.median(draws)), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def _untold() -> Content:
    return {"share": None, "low": None, "high": None}


def _refilled(entries: Sequence[Entry], since: date) -> tuple[int, int]:
    """Count the places a week after a date that has one a week before: how many went to new tracks, of how many."""
    days: dict[date, set[str]] = {}
    for entry in entries:
        days.setdefault(entry.day, set()).add(entry.track)
    fresh = places = 0
    # Every seventh day counts: days between hold the same tracks, and would make the interval too narrow.
    for day in sorted(days, reverse=True)[:: 7 if _daily(days) else 1]:
        if day > since and day - WEEK in days:
            fresh += len(days[day] - days[day - WEEK])
            places += len(days[day])
    return fresh, places


def _daily(days: Iterable[date]) -> bool:
    known = set(days)
    return any(day + timedelta(days=1) in known for day in known)


def _beta(hits: int, of: int) -> Content:
    """Give a share with its 95 % interval by Jeffreys' prior; untold where nothing was counted."""
    if not of:
        return _untold()
    low, high = stats.beta.ppf(INTERVAL, hits + 0.5, of - hits + 0.5)
    return {"share": round(hits / of, 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def _months(entries: Sequence[Entry]) -> list[Content]:
    """Give the turnover of each month of the year that was seen, and in how many years: one year is no season."""
    months: dict[int, list[Entry]] = {}
    for entry in entries:
        months.setdefault(entry.day.month, []).append(entry)
    return [
        {
            "month": month,
            "years": len({entry.day.year for entry in mine}),
            **_beta(*_refilled(mine, since=date.min)),
        }
        for month, mine in sorted(months.items())
    ]
