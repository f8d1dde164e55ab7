"""What is made of one chart, once a date: the profile of its country, and forecasts of its tracks."""

import logging
import zlib
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np
from scipy import stats
from sqlalchemy.orm import Session

from muzikantas.analysis import countries, trends
from muzikantas.analysis.changes import Motion, motion
from muzikantas.analysis.trajectories import Trajectories, pace_of
from muzikantas.domain.errors import InputError
from muzikantas.models import chart, market
from muzikantas.studio import Studio
from muzikantas.tasks import market_rows
from muzikantas.tasks.market_rows import ChartName

logger = logging.getLogger(__name__)

#: Dates that a chart needs before anything is forecast: the rest is decided by `trends.fit`.
LEAST_DATES = 25
#: Other countries' charts that a forecast learns from: more of them make it slower, hardly better.
MOST_OTHERS = 4
#: Share of climbing tracks that may be none.
FALSE_DISCOVERIES = 0.05


def due(session: Session, names: Sequence[ChartName]) -> tuple[list[ChartName], list[tuple[ChartName, date]]]:
    """List the charts whose newest date has no profile, and the dates of charts that have no forecast."""
    newest = {name: chart.last_days(session, *name, count=LEAST_DATES) for name in names}
    unprofiled = [name for name, days in newest.items() if not market.has_profile(session, *name, days[0])]
    unforecast = [
        (name, day)
        for name, days in newest.items()
        for day in _forecast_days(days)
        if not market.has_trends(session, *name, day)
    ]
    return unprofiled, unforecast


def catch_up(studio: Studio, country: str, tell: Callable[[str], None]) -> None:
    """Do at once what is due for a country's charts and Beat would do later; `tell` hears of each step before it."""
    with studio.begin() as session:
        allowed = market_rows.analysable(session, studio.settings.licences)
        unprofiled, unforecast = due(session, [name for name in allowed if name.country == country])
    for name in unprofiled:
        tell(f"describing {name.chart} of {country} ...")
        describe(studio, name)
    for name, day in unforecast:
        tell(f"forecasting {name.chart} of {country} by what was known on {day} ...")
        foresee(studio, name, day)


def describe(studio: Studio, where: ChartName) -> date:
    """Store the profile of a chart's newest date; give that date."""
    with studio.begin() as session:
        day = chart.last_days(session, *where, count=1)[0]
        told = market_rows.artists(session, studio.settings.licences)
        entries = market_rows.entries(session, where, told, day)
    content = countries.profile(entries, where.country, _rng(where, day))
    with studio.begin() as session:
        market.record_profile(session, **where._asdict(), day=day, content=content)
    return day


def foresee(studio: Studio, where: ChartName, day: date) -> int:
    """Store forecasts of every track on a chart on a date, by what was known then; give how many were made.

    None are made where they are there already, or where the chart's past is too short.
    """
    with studio.begin() as session:
        if market.has_trends(session, *where, day):
            return 0
        allowed = market_rows.analysable(session, studio.settings.licences)
        alike = [each for each in allowed if each[:2] == where[:2]]
        others = [market_rows.paths(session, each, day) for each in alike if each != where][:MOST_OTHERS]
        own = market_rows.paths(session, where, day)
    try:
        model = trends.fit(own, others, _rng(where, day))
    except InputError as error:
        logger.info("%s %s %s is not forecast: %s", *where, error)
        return 0
    rows = _trends(where, own, trends.outlooks(model, own))
    with studio.begin() as session:
        market.record_trends(session, rows)
    return len(rows)


def _forecast_days(days: Sequence[date]) -> list[date]:
    """Give the newest date, and the one that forecasts reach from to it: what came of them can be seen at once."""
    if len(days) < LEAST_DATES:
        return []
    pace = pace_of(days)
    past = [day for day in days if (days[0] - day).days >= pace.ahead * pace.days]
    return [days[0], *past[:1]]


def _rng(where: ChartName, day: date) -> np.random.Generator:
    """Make the chance of one analysis: the same chart and day give the same numbers again."""
    return np.random.default_rng([zlib.crc32(":".join(where).encode()), day.toordinal()])


def _trends(where: ChartName, own: Trajectories, outlooks: Sequence[trends.Outlook]) -> list[dict[str, Any]]:
    """Write forecasts as rows; which tracks climb is one question to all of them together."""
    motions = [motion(own.positions[each.track], own.off) for each in outlooks]
    false = stats.false_discovery_control([each.falling_chance for each in motions]) if motions else []
    return [
        {
            **where._asdict(),
            "day": each.day,
            "position": each.now,
            "track_title": each.title,
            "artist_names": each.artists,
            "velocity": moved.velocity,
            "rising": bool(q <= FALSE_DISCOVERIES),
            "expected_position": each.position.middle,
            "expected_on": each.position_on,
            "peak_position": each.peak.middle,
            "peak_on": each.peak_on,
            "expires_on": each.expires_on,
            "details": _details(each, moved, own),
        }
        for each, moved, q in zip(outlooks, motions, false, strict=True)
    ]


def _details(each: trends.Outlook, moved: Motion, own: Trajectories) -> dict[str, Any]:
    steps_ago = len(own.seen) - 1 - moved.since
    return {
        "off": own.off,
        "expected": [each.position.low, each.position.high],
        "peak": [each.peak.low, each.peak.high],
        "peak_from": each.peak_from.isoformat(),
        "peak_until": each.peak_until.isoformat(),
        "velocity": [round(moved.low, 4), round(moved.high, 4)],
        "changed_on": own.day(max(steps_ago, 0)).isoformat(),
        "changed_lately": round(moved.changed_lately, 3),
    }
