"""The ways that tracks take through a chart: positions on an even grid of dates, and what can be said of a moment."""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from muzikantas.domain.errors import InputError

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How a chart is counted: everything but `days` is in steps.

    Parameters
    ----------
    days
        Between two dates of the chart.
    lags
        How far back a moment looks, in five steps.
    ahead
        To the position that is predicted.
    window
        Within which peak and departure are predicted.
    """

    days: int
    lags: tuple[int, int, int, int, int]
    ahead: int
    window: int


DAILY = Pace(days=1, lags=(1, 3, 7, 14, 28), ahead=14, window=28)
WEEKLY = Pace(days=7, lags=(1, 2, 3, 4, 6), ahead=2, window=4)


@dataclass(frozen=True, kw_only=True, eq=False)
class Trajectories:
    """Positions of all tracks of one chart.

    Parameters
    ----------
    first
        The date of column 0.
    off
        The position of a track that is not on the chart: one below its last.
    positions
        Shape `(tracks, dates)`; `off` where a track is not on the chart. A date that is missing repeats the one before.
    seen
        Which dates there are, shape `(dates,)`.
    released
        Day of release, counted from `first`; NaN where no file says it. Shape `(tracks,)`.
    leads
        Number of the lead artist of each track, shape `(tracks,)`.
    names
        Title and artists as printed, newest spelling.
    """

    pace: Pace
    first: date
    off: int
    positions: Array
    seen: npt.NDArray[np.bool_]
    released: Array
    leads: Numbers
    names: tuple[tuple[str, str], ...]

    def day(self, step: int) -> date:
        """Give the date of a column."""
        return self.first + timedelta(days=step * self.pace.days)


def plain(text: str) -> str:
    """Give a name without what spellings differ in: case, spaces, signs.

    >>> plain("shy taupe") == plain("ShyTaupe"), plain("???")
    (True, '???')
    """
    return re.sub(r"[\W_]+", "", text.casefold()) or text


def lead(artists: str) -> str:
    """Give the part of printed artist names that stays when guests are added; a comma may be part of a name.

    >>> lead("Marshmello & Manuel Turizo"), lead("Tyler, The Creator")
    ('marshmello', 'tylerthecreator')
    """
    return plain(artists.partition(" & ")[0])


def trajectories(entries: Iterable[Mapping[str, Any]], size: int | None = None) -> Trajectories:
    """Arrange the rows of one chart (keys of `chart_entries`: `day`, `position`, names) as trajectories.

    A track is its title and lead artist: its id may change, and guests come and go in the spelling. `size` is the
    chart's length, the worst position met by default. Raises `InputError` when there is no row with a name.
    """
    rows = [row for row in entries if row["track_title"] or row["artist_names"]]
    if not rows:
        raise InputError("the chart has no entries with a title or an artist; import its files first")
    days = sorted({row["day"] for row in rows})
    pace = pace_of(days)
    steps = (days[-1] - days[0]).days // pace.days + 1
    off = (size or max(row["position"] for row in rows)) + 1
    known: dict[tuple[str, str], int] = {}
    found = [known.setdefault((plain(r["track_title"]), lead(r["artist_names"])), len(known)) for r in rows]
    positions = np.full((len(known), steps), float(off))
    names: list[tuple[str, str]] = [("", "")] * len(known)
    released = np.full(len(known), np.nan)
    for track, row in zip(found, rows, strict=True):
        step = (row["day"] - days[0]).days // pace.days
        positions[track, step] = min(positions[track, step], row["position"])
        names[track] = (row["track_title"], row["artist_names"])
        released[track] = _release(row, days[0], released[track])
    seen = np.zeros(steps, dtype=bool)
    seen[[(day - days[0]).days // pace.days for day in days]] = True
    for step in np.flatnonzero(~seen):
        positions[:, step] = positions[:, step - 1]
    leads = {name: number for number, name in enumerate(dict.fromkeys(artist for _, artist in known))}
    return Trajectories(
        pace=pace,
        first=days[0],
        off=off,
        positions=positions,
        seen=seen,
        released=released,
        leads=np.array([leads[artist] for _, artist in known]),
        names=tuple(names),
    )


def pace_of(days: Sequence[date]) -> Pace:
    """Tell how a chart with these dates is counted: daily when any two are less than a week apart."""
    gaps = [abs((after - before).days) for before, after in itertools.pairwise(days)]
    return WEEKLY if gaps and min(gaps) >= WEEKLY.days else DAILY


def _release(row: Mapping[str, Any], first: date, known: float) -> float:
    """Give the earliest day of release that a file tells; some tell the year alone, or nothing."""
    text = str((row.get("details") or {}).get("release_date") or "")
    match = re.fullmatch(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?", text)
    if match is None:
        return known
    try:
        day = float((date(int(match[1]), int(match[2] or 1), int(match[3] or 1)) - first).days)
    except ValueError:
        return known
    return day if np.isnan(known) else min(day, known)
