"""Analyse charts on a schedule: states, forecasts, countries and competitors, as numbers of our own making."""

import logging
import zlib
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from scipy import stats

from muzikantas.analysis import aims, charts, competitors, countries, gaps, trends
from muzikantas.analysis.changes import Motion, motion
from muzikantas.analysis.licences import shown_name
from muzikantas.analysis.trajectories import Trajectories, pace_of
from muzikantas.celery import StudioTask, app
from muzikantas.domain.errors import InputError
from muzikantas.models import artist, chart, cycle, insight, llm, market
from muzikantas.models.chart import ChartEntry
from muzikantas.tasks import market_rows
from muzikantas.tasks.conversation import ask
from muzikantas.tasks.market_rows import ChartName, rights
from muzikantas.tasks.stages import StageTask

logger = logging.getLogger(__name__)

#: Dates that a chart needs before anything is forecast: the rest is decided by `trends.fit`.
LEAST_DATES = 25
#: Other countries' charts that a forecast learns from: more of them make it slower, hardly better.
MOST_OTHERS = 4
#: Share of climbing tracks that may be none.
FALSE_DISCOVERIES = 0.05


@app.task(bind=True)
def analyse(self: StudioTask) -> int:
    """Describe every chart whose newest date has not been described yet; give how many were."""
    described = 0
    with self.studio.begin() as session:
        for source, name, country in market_rows.analysable(session, rights(self.studio)):
            days = chart.last_days(session, source, name, country, count=2)
            scope, basis = f"{source}:{name}:{country}", f"{days[0]:%Y-%m-%d}"
            if insight.has_analysis(session, kind="market", scope=scope, basis=basis):
                continue
            now, *before = (_rows(chart.entries(session, source, name, country, day)) for day in days)
            state = {"date": basis, **charts.market_state(now, before[0] if before else [])}
            insight.record_analysis(session, kind="market", scope=scope, basis=basis, content=state)
            described += 1
    return described


@app.task(bind=True)
def survey(self: StudioTask) -> int:
    """Send a task for every chart and running cycle that something new can be said of; give how many were sent."""
    with self.studio.begin() as session:
        names = market_rows.analysable(session, rights(self.studio))
        newest = {name: chart.last_days(session, *name, count=LEAST_DATES) for name in names}
        unprofiled = [name for name, days in newest.items() if not market.has_profile(session, *name, days[0])]
        unforecast = [
            (name, day)
            for name, days in newest.items()
            for day in _forecast_days(days)
            if not market.has_trends(session, *name, day)
        ]
        alone = market.running_without_comparison(session) if names else []
    for name in unprofiled:
        profile.delay(*name)
    for name, day in unforecast:
        forecast.delay(*name, day.isoformat())
    for cycle_id in alone:
        compare.delay(cycle_id)
    return len(unprofiled) + len(unforecast) + len(alone)


@app.task(bind=True)
def profile(self: StudioTask, source: str, name: str, country: str) -> str:
    """Describe a country as its newest chart shows it."""
    where = ChartName(source, name, country)
    with self.studio.begin() as session:
        day = chart.last_days(session, *where, count=1)[0]
        told = market_rows.artists(session, rights(self.studio))
        entries = market_rows.entries(session, where, told, day)
    content = countries.profile(entries, country, _rng(where, day))
    with self.studio.begin() as session:
        market.record_profile(session, source=source, chart=name, country=country, day=day, content=content)
    return f"{country} {day}"


@app.task(bind=True)
def forecast(self: StudioTask, source: str, name: str, country: str, on: str) -> int:
    """Forecast every track on a chart on a date by what was known then; give how many there were."""
    where, day = ChartName(source, name, country), date.fromisoformat(on)
    with self.studio.begin() as session:
        if market.has_trends(session, *where, day):
            return 0
        alike = [each for each in market_rows.analysable(session, rights(self.studio)) if each[:2] == where[:2]]
        others = [market_rows.paths(session, each, day) for each in alike if each != where][:MOST_OTHERS]
        own = market_rows.paths(session, where, day)
    try:
        model = trends.fit(own, others, _rng(where, day))
    except InputError as error:
        logger.info("%s %s %s is not forecast: %s", source, name, country, error)
        return 0
    rows = _trends(where, own, trends.outlooks(model, own))
    with self.studio.begin() as session:
        market.record_trends(session, rows)
    return len(rows)


@app.task(bind=True)
def compare(self: StudioTask, cycle_id: int) -> int:
    """Set an artist beside its competitors, its markets' gaps, and the countries it could aim for."""
    licences = rights(self.studio)
    with self.studio.begin() as session:
        turn = cycle.get(session, cycle_id)
        owner = artist.get(session, turn.artist_id)
        genres = sorted(artist.current(session, owner.id).profile.corridor)
        names = market_rows.analysable(session, licences)
        told = market_rows.artists(session, licences)
        mine = [name for name in names if name.country in owner.countries] or names
        found, since, today = market_rows.appearances(session, mine, told, genres)
        cells = gaps.find(market_rows.demand(session, names, told))
        known = {row.country: row.content for row in market.latest_profiles(session) if _of(row) in names}
    if since is None or today is None:
        return cycle_id
    rows = competitors.compare(found, today, since)
    rows += competitors.gap_rows([cell for cell in cells if cell.genre in genres], first=len(rows) + 1)
    aimed = aims.aim(known, genres, owner.language, np.random.default_rng(turn.seed))
    with self.studio.begin() as session:
        market.record_comparison(
            session,
            cycle_id=cycle_id,
            artist_id=owner.id,
            day=today,
            numbers=[{**vars(row), "sources": list(row.sources)} for row in rows],
            aims=[vars(each) for each in aimed],
            sentences=competitors.sentences(rows, {row.name: row.subject for row in rows}),
            worded=not rows,
        )
    if rows:
        word_competitors.delay(cycle_id)
    return cycle_id


@app.task(base=StageTask, bind=True)
def word_competitors(self: StageTask, cycle_id: int) -> int:
    """Let a language model word a comparison; where it does not keep to the numbers, our own words stay."""
    licences = rights(self.studio)
    with self.studio.begin() as session:
        turn, beside = cycle.get(session, cycle_id), market.comparison(session, cycle_id)
        name = artist.get(session, turn.artist_id).name
    if beside is None or beside.worded:
        return cycle_id
    told = [competitors.Row(**row) for row in beside.numbers]
    rows = [row for row in told if all(licences.of(source).may_analyse for source in row.sources)]
    shown = {row.name: shown_name(row.subject, row.sources, k, licences) for k, row in enumerate(rows, start=1)}
    question = competitors.question(name, rows, shown)

    def check(reply: competitors.MarketWords) -> list[str]:
        return competitors.named(competitors.checked(reply, rows, shown), rows, shown)

    answer = ask(self.studio, turn, "market", question, competitors.MarketWords, check) if rows else None
    with self.studio.begin() as session:
        words = answer and (answer[0], llm.get(session, answer[1]))
        market.record_words(session, beside.id, prompt="\n\n".join(question), answer=words)
    return cycle_id


def _forecast_days(days: Sequence[date]) -> list[date]:
    """Give the newest date, and the one that forecasts reach from to it: what came of them can be seen at once."""
    if len(days) < LEAST_DATES:
        return []
    pace = pace_of(days)
    past = [day for day in days if (days[0] - day).days >= pace.ahead * pace.days]
    return [days[0], *past[:1]]


def _of(row: market.CountryProfile) -> ChartName:
    return ChartName(row.source, row.chart, row.country)


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


def _rows(entries: Sequence[ChartEntry]) -> list[dict[str, Any]]:
    return [
        {
            "track": entry.uri or f"{entry.artist_names} / {entry.track_title}",
            "position": entry.position,
            "streams": entry.streams,
        }
        for entry in entries
    ]
