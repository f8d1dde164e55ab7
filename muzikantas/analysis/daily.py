"""Rows of streams reports as series by age: a day without a row is a zero, or a day that nobody has reported yet."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from muzikantas.analysis.outcome import AGES, Series

#: The country of rows that count the whole world.
WORLDWIDE = "GLOBAL"
#: Reported days on either side that say how much a platform usually reports of the whole label.
NEIGHBOURS = 7
#: Streams of the label a day from which a platform's day without any row is a report that has not come.
SURELY_SOME = 20.0


@dataclass(frozen=True, kw_only=True)
class DailyRows:
    """What one platform reported of one release in one country, a value a day; counts are None where not reported."""

    release: int
    released_on: date
    platform: str
    country: str
    days: Sequence[date]
    streams: Sequence[int]
    listeners: Sequence[int | None]
    saves: Sequence[int | None]


def by_age(rows: Iterable[DailyRows], volumes: Mapping[str, Mapping[date, int]]) -> list[Series]:
    """Lay rows out by age, in the order of release, platform and country.

    `volumes` gives the label's streams by platform and day. Worldwide rows count only where a platform gives no
    countries of the release.
    """
    rows = list(rows)
    newest = max((max(days) for days in volumes.values() if days), default=date.min)
    silent = {platform: unreported(days, newest) for platform, days in volumes.items()}
    countries = {(row.release, row.platform) for row in rows if row.country != WORLDWIDE}
    counted = [row for row in rows if row.country != WORLDWIDE or (row.release, row.platform) not in countries]
    ordered = sorted(counted, key=lambda row: (row.release, row.platform, row.country))
    return [_series(row, silent.get(row.platform, set()), newest) for row in ordered]


def unreported(volume: Mapping[date, int], newest: date) -> set[date]:
    """Days up to `newest` on which a platform has no row at all, though it usually has many streams of the label.

    With few streams in all, a day without a row is an ordinary quiet day.
    """
    if not volume:
        return set()
    days = sorted(volume)
    span = (newest - days[0]).days + 1
    every = [days[0] + timedelta(days=n) for n in range(span)]
    places = np.searchsorted([day.toordinal() for day in days], [day.toordinal() for day in every])
    counts = [volume[day] for day in days]
    return {
        day
        for day, place in zip(every, places.tolist(), strict=True)
        if day not in volume and float(np.mean(counts[max(place - NEIGHBOURS, 0) : place + NEIGHBOURS])) >= SURELY_SOME
    }


def _series(row: DailyRows, silent: set[date], newest: date) -> Series:
    """Fill one series: zeros on reported days, NaN on days that are not reported or still to come."""
    streams, listeners, saves = (np.full(AGES, np.nan) for _ in range(3))
    for age in range(min(AGES, (newest - row.released_on).days + 1)):
        if row.released_on + timedelta(days=age) not in silent:
            streams[age] = 0.0
    for day, heard, people, kept in zip(row.days, row.streams, row.listeners, row.saves, strict=True):
        age = (day - row.released_on).days
        if 0 <= age < AGES:
            streams[age] = heard
            listeners[age] = np.nan if people is None else people
            saves[age] = np.nan if kept is None else kept
    return Series(
        release=row.release,
        platform=row.platform,
        country=row.country,
        streams=streams,
        listeners=listeners,
        saves=saves,
    )
