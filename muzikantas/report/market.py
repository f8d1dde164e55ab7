"""A country's market on one page, and its part of an artist's report: positions, shares, forecasts, gaps."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup
from sqlalchemy.orm import Session

from muzikantas import __version__
from muzikantas.analysis import gaps
from muzikantas.analysis.trajectories import Trajectories, lead, plain, trajectories
from muzikantas.domain.errors import InputError
from muzikantas.models import artist, chart, market
from muzikantas.models.market import ViralTrend
from muzikantas.report import market_pictures, market_words, words
from muzikantas.report.market_view import ChartView, Checked, MarketView, Share, Way
from muzikantas.report.paper import environment, put
from muzikantas.studio import Studio
from muzikantas.tasks import market_rows
from muzikantas.tasks.market_rows import ChartName

#: Days of the past that a track's picture shows, and tracks of a chart that are shown.
PAST_DAYS, MOST_WAYS = 120, 25


def write_market(market: MarketView, folder: Path) -> Path:
    """Write the page of a country into `folder`, over an older one; give its path."""
    page = _environment().get_template("market.html").render(market=market)
    path = folder / f"market-{market.country.lower()}.html"
    put(path, page)
    return path


def artist_section(studio: Studio, artist_id: int) -> Markup:
    """Give the section about an artist's market, for its report; empty while nothing is known of it."""
    with studio.begin() as session:
        beside = market.latest_comparison(session, artist_id)
        name = artist.get(session, artist_id).name
    if beside is None:
        return Markup("")
    licences = studio.settings.licences
    rows = [row for row in beside.numbers if all(licences.of(source).may_analyse for source in row["sources"])]
    told = {row["name"] for row in rows}
    sentences = [text for text in beside.sentences if text.rpartition("[")[2].rstrip("].! ") in told]
    template = _environment().get_template("parts/market.html")
    return Markup(template.render(beside=beside, name=name, rows=rows, sentences=sentences))  # noqa: S704 (escaped by the template)


def gather(studio: Studio, country: str) -> MarketView:
    """Read everything that the page of a country shows.

    Raises `InputError` when no chart of the country may be looked at.
    """
    licences = studio.settings.licences
    with studio.begin() as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        everything = [ChartName(*names) for names in chart.charts(session)]
        allowed = market_rows.analysable(session, licences)
        mine = [name for name in allowed if name.country == country]
        if not mine:
            raise InputError(_nothing(country, everything, allowed))
        told = market_rows.artists(session, licences)
        cells = gaps.find(market_rows.demand(session, allowed, told))
        profiles = {
            ChartName(row.source, row.chart, row.country): row.content for row in market.latest_profiles(session)
        }
        return MarketView(
            country=country,
            made_at=datetime.now(UTC),
            version=__version__,
            charts=[_chart(session, name, profiles.get(name)) for name in mine],
            gaps=[cell for cell in cells if cell.gap],
            looked_in=sorted({f"{name.chart} ({name.source})" for name in allowed}),
            looked_at=len(cells),
            named_artists=len(market.artists(session, market.artist_sources(session))),
            left_out=sorted({name.source for name in everything if name not in allowed and name.country == country}),
        )


def _nothing(country: str, everything: Sequence[ChartName], allowed: Sequence[ChartName]) -> str:
    if any(name.country == country for name in everything):
        sources = sorted({name.source for name in everything if name.country == country})
        return f"charts of {country} are there, but {', '.join(sources)} may not be analysed; see the setting SOURCES"
    there = sorted({name.country for name in allowed})
    return f"no chart of {country!r} is there (there are {', '.join(there) or 'none'}); `muzikantas charts import FILE`"


def _chart(session: Session, name: ChartName, profile: Mapping[str, Any] | None) -> ChartView:
    newest = chart.last_days(session, *name, count=1)[0]
    rows = list(market.entries(session, *name, since=newest - timedelta(days=PAST_DAYS)))
    ways = trajectories(rows)
    days = market.trend_days(session, *name)
    now = market.trends_on(session, *name, days[-1]) if days else []
    judged = [day for day in days if market.trends_on(session, *name, day)[0].expected_on <= newest]
    before = market.trends_on(session, *name, judged[-1]) if judged else []
    return ChartView(
        source=name.source,
        chart=name.chart,
        day=newest,
        first_day=ways.first,
        off=ways.off,
        ways=[_way(trend, ways) for trend in _shown(now)],
        checked=_checked(before, ways),
        checked_from=judged[-1] if judged else None,
        checked_on=before[0].expected_on if before else None,
        profile=profile,
        shares=_shares(profile) if profile else (),
    )


def _shown(trends: Sequence[ViralTrend]) -> list[ViralTrend]:
    """Choose tracks for the page: those that climb, then the highest."""
    ranked = sorted(trends, key=lambda trend: (not trend.rising, trend.position))
    return sorted(ranked[:MOST_WAYS], key=lambda trend: trend.position)


def _way(trend: ViralTrend, ways: Trajectories) -> Way:
    details = trend.details
    return Way(
        title=trend.track_title,
        artists=trend.artist_names,
        positions=_positions(trend, ways),
        now=trend.position,
        velocity=trend.velocity * 7 / ways.pace.days,
        rising=trend.rising,
        expected=trend.expected_position,
        low=details["expected"][0],
        high=details["expected"][1],
        peak=trend.peak_position,
        peak_on=trend.peak_on,
        peak_from=date.fromisoformat(details["peak_from"]),
        peak_until=date.fromisoformat(details["peak_until"]),
        changed_on=date.fromisoformat(details["changed_on"]),
        expires_on=trend.expires_on,
    )


def _key(title: str, artists: str) -> tuple[str, str]:
    return plain(title), lead(artists)


def _positions(trend: ViralTrend, ways: Trajectories) -> list[int | None]:
    tracks = {_key(*names): k for k, names in enumerate(ways.names)}
    path = ways.positions[tracks[_key(trend.track_title, trend.artist_names)]]
    return [int(position) if position < ways.off else None for position in path]


def _checked(before: Sequence[ViralTrend], ways: Trajectories) -> list[Checked]:
    """Set forecasts beside what came; a track that left is at the position below the last."""
    tracks = {_key(*names): k for k, names in enumerate(ways.names)}
    found = []
    for trend in before:
        step = (trend.expected_on - ways.first).days // ways.pace.days
        track = tracks.get(_key(trend.track_title, trend.artist_names))
        if not 0 <= step < len(ways.seen) or not ways.seen[step]:
            continue
        found.append(
            Checked(
                title=trend.track_title,
                expected=trend.expected_position,
                low=trend.details["expected"][0],
                high=trend.details["expected"][1],
                came=ways.off if track is None else int(ways.positions[track, step]),
                before=trend.position,
            )
        )
    return found


def _shares(profile: Mapping[str, Any]) -> list[Share]:
    """List the shares of genres, largest first, and what is unknown at the end."""
    known = [
        Share(
            name=genre,
            share=found["share"],
            low=found["low"],
            high=found["high"],
            growth=market_words.growth(found["growth"]),
            season=market_words.season(found["season"]),
            artists=found["artists"],
        )
        for genre, found in sorted(profile["genres"].items(), key=lambda item: -item[1]["share"])
    ]
    rest = profile["unknown"]
    return [
        *known,
        Share(
            name="unknown", share=rest["share"], low=rest["low"], high=rest["high"], growth="", season="", artists=None
        ),
    ]


@cache
def _environment() -> Environment:
    return environment(pictures=market_pictures, words=words, market_words=market_words)
