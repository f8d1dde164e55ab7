"""Analyse charts on a schedule: the state of each market, as numbers of our own making."""

from collections.abc import Sequence
from typing import Any

from muzikantas.analysis import charts
from muzikantas.celery import StudioTask, app
from muzikantas.models import chart, insight
from muzikantas.models.chart import ChartEntry


@app.task(bind=True)
def analyse(self: StudioTask) -> int:
    """Describe every chart whose newest date has not been described yet; give how many were."""
    described = 0
    with self.studio.begin() as session:
        for source, name, country in chart.charts(session):
            days = chart.last_days(session, source, name, country, count=2)
            scope, basis = f"{source}:{name}:{country}", f"{days[0]:%Y-%m-%d}"
            if insight.has_analysis(session, kind="market", scope=scope, basis=basis):
                continue
            now, *before = (_rows(chart.entries(session, source, name, country, day)) for day in days)
            state = {"date": basis, **charts.market_state(now, before[0] if before else [])}
            insight.record_analysis(session, kind="market", scope=scope, basis=basis, content=state)
            described += 1
    return described


def _rows(entries: Sequence[ChartEntry]) -> list[dict[str, Any]]:
    return [
        {
            "track": entry.uri or f"{entry.artist_names} / {entry.track_title}",
            "position": entry.position,
            "streams": entry.streams,
        }
        for entry in entries
    ]
