"""Which charts are wanted, which dates they have, and when one that was not there is asked for again.

All dates are UTC: no calendar of a country, and no hour that a clock change skips or repeats, decides what is due.
"""

import re
from collections.abc import Container
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from muzikantas.analysis.charts import chart_of
from muzikantas.domain.errors import InputError

_WANTED = re.compile(r"(?P<chart>regional|viral)-(?P<country>[a-z]+)-(?P<period>daily|weekly)")
_WANTED_TOP = re.compile(r"(?P<chart>top\d+)-(?P<period>daily)-(?P<country>[a-z]+)")
#: Weekly charts are dated by the Thursday that ends their week.
THURSDAY = 3
#: First pause after a date that was not there: a little less than an hour, so that the next hourly look asks again.
PAUSE_S = 3300.0
#: A chart that is late by days is asked for twice a day.
LONGEST_PAUSE_S = 12 * 3600.0
#: Newest dates of a chart that are asked for again although they are there, and how long after the last time: sources
#: correct what is days old, and a date a day keeps within anybody's limits.
AGAIN_DATES, AGAIN_S = 7, 23 * 3600.0


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One chart of one country that is wanted on each of its dates."""

    source: str
    chart: str
    country: str
    name: str  #: as the setting spells it, which is how its files begin
    words: tuple[str, str, str]  #: chart, country and period as file names spell them
    dated_files: bool  #: a file for each date, or one file that grows

    @property
    def names(self) -> tuple[str, str, str]:
        """Source, chart and country as the tables have them."""
        return (self.source, self.chart, self.country)

    @property
    def weekly(self) -> bool:
        """Whether its dates are weeks."""
        return self.words[2] == "weekly"

    def file_name(self, day: date) -> str:
        """Give the name of the file that holds a date."""
        return f"{self.name}-{day.isoformat()}.csv" if self.dated_files else f"{self.name}.csv"


def wanted(name: str) -> Wanted:
    """Read one wanted chart as the setting names it, such as regional-de-weekly or top50-daily-japan.

    Raises `InputError` that says what was found and expected.
    """
    match = _WANTED.fullmatch(name) or _WANTED_TOP.fullmatch(name)
    if match is None:
        raise InputError(
            f"no chart is called {name!r}; expected regional-COUNTRY-weekly (or daily, or viral) with COUNTRY global "
            "or two letters, or top50-daily-COUNTRY"
        )
    dated = match.re is _WANTED
    chart = chart_of(f"{name}-2026-01-01" if dated else name)
    words = (match["chart"], match["country"], match["period"])
    return Wanted(
        source=chart.source, chart=chart.chart, country=chart.country, name=name, words=words, dated_files=dated
    )


def dates(chart: Wanted, now: datetime, *, window_days: int) -> list[date]:
    """List a chart's dates of the last `window_days` that are over at `now` (aware), oldest first.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 11, 6, 12, tzinfo=UTC)
    >>> [day.isoformat() for day in dates(wanted("regional-de-weekly"), noon, window_days=14)]
    ['2026-10-29', '2026-11-05']
    >>> [day.isoformat() for day in dates(wanted("viral-global-daily"), noon, window_days=2)]
    ['2026-11-04', '2026-11-05']
    """
    today = (now - _offset(now)).date()
    all_days = (today - timedelta(days=back) for back in range(window_days, 0, -1))
    return [day for day in all_days if not chart.weekly or day.weekday() == THURSDAY]


def _offset(now: datetime) -> timedelta:
    """Give by how much a clock is ahead of UTC. Raises `ValueError` for one that does not say."""
    offset = now.utcoffset()
    if offset is None:
        raise ValueError(f"{now.isoformat()} has no time zone; expected an aware time")
    return offset


def missing(chart: Wanted, now: datetime, there: Container[date], *, window_days: int) -> list[date]:
    """List the dates within the window that are over and not there."""
    return [day for day in dates(chart, now, window_days=window_days) if day not in there]


def correctable(chart: Wanted, now: datetime, *, window_days: int) -> list[date]:
    """List the dates that are asked for again once a day: the newest ones; of a file that grows the newest one.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 11, 6, 12, tzinfo=UTC)
    >>> [day.day for day in correctable(wanted("regional-de-daily"), noon, window_days=35)]
    [30, 31, 1, 2, 3, 4, 5]
    >>> [day.day for day in correctable(wanted("top50-daily-japan"), noon, window_days=35)]
    [5]
    """
    return dates(chart, now, window_days=window_days)[-AGAIN_DATES if chart.dated_files else -1 :]


def pause_s(attempts: int, asked_s: float | None = None) -> float:
    """Seconds until a date is asked for again that was not there at so many attempts; the source's own wish wins.

    >>> [round(pause_s(n) / 3600, 1) for n in (1, 2, 3, 4, 5, 6)], pause_s(1, asked_s=86400)
    ([0.9, 1.8, 3.7, 7.3, 12.0, 12.0], 86400.0)
    """
    grown = min(PAUSE_S * 2.0 ** min(max(attempts, 1) - 1, 10), LONGEST_PAUSE_S)
    return max(grown, float(asked_s or 0.0))
