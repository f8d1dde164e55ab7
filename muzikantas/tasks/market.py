"""Analyse charts on a schedule: states, forecasts, countries and competitors, as numbers of our own making."""

import logging
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from muzikantas.analysis import aims, charts, competitors, gaps
from muzikantas.analysis.licences import shown_name
from muzikantas.celery import StudioTask, app
from muzikantas.models import artist, chart, cycle, insight, llm, market
from muzikantas.models.chart import ChartEntry
from muzikantas.tasks import market_charts, market_rows
from muzikantas.tasks.conversation import ask
from muzikantas.tasks.market_rows import ChartName
from muzikantas.tasks.stages import StageTask

logger = logging.getLogger(__name__)


@app.task(bind=True)
def analyse(self: StudioTask) -> int:
    """Describe every chart whose newest date has not been described yet; give how many were."""
    described = 0
    with self.studio.begin() as session:
        for source, name, country in market_rows.analysable(session, self.studio.settings.licences):
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
        names = market_rows.analysable(session, self.studio.settings.licences)
        unprofiled, unforecast = market_charts.due(session, names)
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
    day = market_charts.describe(self.studio, ChartName(source, name, country))
    return f"{country} {day}"


@app.task(bind=True)
def forecast(self: StudioTask, source: str, name: str, country: str, on: str) -> int:
    """Forecast every track on a chart on a date by what was known then; give how many there were."""
    return market_charts.foresee(self.studio, ChartName(source, name, country), date.fromisoformat(on))


@app.task(bind=True)
def compare(self: StudioTask, cycle_id: int) -> int:
    """Set an artist beside its competitors, its markets' gaps, and the countries it could aim for."""
    licences = self.studio.settings.licences
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
    licences = self.studio.settings.licences
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


def _of(row: market.CountryProfile) -> ChartName:
    return ChartName(row.source, row.chart, row.country)


def _rows(entries: Sequence[ChartEntry]) -> list[dict[str, Any]]:
    return [
        {
            "track": entry.uri or f"{entry.artist_names} / {entry.track_title}",
            "position": entry.position,
            "streams": entry.streams,
        }
        for entry in entries
    ]
