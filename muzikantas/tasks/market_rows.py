"""Rows of charts as analysis reads them: trajectories, entries with genres, appearances of competitors."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy.orm import Session

from muzikantas.analysis.artists import Artists
from muzikantas.analysis.changes import motion
from muzikantas.analysis.competitors import Appearance
from muzikantas.analysis.countries import Entry
from muzikantas.analysis.trajectories import Trajectories, lead, plain, trajectories
from muzikantas.domain.licence import Licences
from muzikantas.models import chart, market

#: History that forecasts and profiles look at: two winters and the summer between.
HISTORY = timedelta(days=800)
#: Days that demand and competitors are looked at: as long as a gap's growth is measured.
LATELY = timedelta(days=371)


class ChartName(NamedTuple):
    """What a chart is told apart by."""

    source: str
    chart: str
    country: str


def analysable(session: Session, licences: Licences) -> list[ChartName]:
    """List the charts whose source may be analysed."""
    return [ChartName(*names) for names in chart.charts(session) if licences.of(names[0]).may_analyse]


def artists(session: Session, licences: Licences) -> Artists:
    """Load what is told of artists by sources that may be analysed."""
    sources = [source for source in market.artist_sources(session) if licences.of(source).may_analyse]
    return Artists(market.artists(session, sources))


def paths(session: Session, name: ChartName, day: date) -> Trajectories:
    """Load a chart's history up to a day as trajectories."""
    rows = [row for row in market.entries(session, *name, since=day - HISTORY) if row["day"] <= day]
    return trajectories(rows)


def entries(session: Session, name: ChartName, told: Artists, day: date, back: timedelta = HISTORY) -> list[Entry]:
    """Load a chart's history as entries with what is known of their artists."""
    found = []
    for row in market.entries(session, *name, since=day - back):
        known = told.known(row["artist_names"])
        found.append(
            Entry(
                day=row["day"],
                track=f"{plain(row['track_title'])} {lead(row['artist_names'])}",
                artist=known.artist,
                genre=known.genre,
                home=known.home,
                demand=float(row["streams"] or 1),
            )
        )
    return found


def demand(session: Session, names: Iterable[ChartName], told: Artists) -> list[dict[str, Any]]:
    """Give what gaps are looked for in: who was heard of which genre, where and when."""
    rows = []
    for name in names:
        newest = chart.last_days(session, *name, count=1)
        for entry in entries(session, name, told, newest[0], LATELY):
            rows.append(  # noqa: PERF401 (five names in one line of a comprehension read badly)
                {
                    "country": name.country,
                    "day": entry.day,
                    "artist": entry.artist,
                    "genre": entry.genre,
                    "demand": entry.demand,
                }
            )
    return rows


def appearances(
    session: Session, names: Iterable[ChartName], told: Artists, genres: Sequence[str]
) -> tuple[list[Appearance], date | None, date | None]:
    """Give the tracks of competitors in some genres on some charts, and the first and last day that is known."""
    wanted = {genre.casefold() for genre in genres}
    found: list[Appearance] = []
    first, last = None, None
    for name in names:
        newest = chart.last_days(session, *name, count=1)[0]
        rows = list(market.entries(session, *name, since=newest - LATELY))
        if not rows:
            continue
        first = min(first or rows[0]["day"], rows[0]["day"])
        last = max(last or newest, newest)
        ways = trajectories(rows)
        found += [each for each in _of_chart(name, ways, told) if each.genre.casefold() in wanted]
    return found, first, last


def _of_chart(name: ChartName, ways: Trajectories, told: Artists) -> Iterable[Appearance]:
    for track, (_, printed) in enumerate(ways.names):
        known = told.known(printed)
        if known.genre is None:
            continue
        path = ways.positions[track]
        came = int(np.argmax(path < ways.off))
        on = path[-1] < ways.off
        yield Appearance(
            artist=known.artist,
            source=name.source,
            country=name.country,
            genre=known.genre,
            first_day=ways.day(came),
            best=int(path.min()),
            now=int(path[-1]) if on else None,
            velocity=_a_week(path, came, ways) if on else 0.0,
        )


def _a_week(path: np.ndarray[Any, np.dtype[np.float64]], came: int, ways: Trajectories) -> float:
    since = path[came:]
    return motion(since, ways.off).velocity * 7 / ways.pace.days if len(since) > 1 else 0.0
