"""Which date of which chart was asked for when, and with what end: one row a date, made when it is first missing."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, String, UniqueConstraint, or_, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.analysis.chart_dates import Wanted, missing, pause_s
from muzikantas.models import chart as charts
from muzikantas.models.base import Base, Created, Id, Moment

IMPORTED, NOT_THERE, UNREACHABLE, BROKEN, REFUSED = "imported", "not there", "unreachable", "broken", "refused"
#: Nobody else asks for a date so long after somebody began to; a task's hard limit is far below.
LEASE = timedelta(minutes=15)


class ChartFetch(Base):
    """A chart's date and what became of asking for it."""

    __tablename__ = "chart_fetches"
    __table_args__ = (UniqueConstraint("source", "chart", "country", "day"),)

    id: Mapped[Id]
    source: Mapped[str] = mapped_column(String(32))
    chart: Mapped[str] = mapped_column(String(32))
    country: Mapped[str] = mapped_column(String(6))
    day: Mapped[date]
    attempts: Mapped[int] = mapped_column(server_default="0")
    asked_at: Mapped[Moment | None]
    due_at: Mapped[Moment]  #: not asked for before this
    outcome: Mapped[str | None] = mapped_column(String(16))  #: of the last attempt
    reason: Mapped[str | None]
    file: Mapped[str | None] = mapped_column(String(300))
    entries: Mapped[int | None]
    created_at: Mapped[Created]


def plan(session: Session, wanted: Iterable[Wanted], now: datetime, *, window_days: int) -> list[int]:
    """Find the dates that are missing and due at `now`; give their rows' ids, oldest date first within a chart."""
    due: list[int] = []
    for chart in wanted:
        since = now.date() - timedelta(days=window_days + 1)
        there = set(charts.days(session, *chart.names, first=since))
        absent = missing(chart, now, there, window_days=window_days)
        if not absent:
            continue
        names = dict(zip(("source", "chart", "country"), chart.names, strict=True))
        rows = [{**names, "day": day, "due_at": now} for day in absent]
        session.execute(pg_insert(ChartFetch).values(rows).on_conflict_do_nothing())
        asked = select(ChartFetch.id).where(*_of(chart), ChartFetch.day.in_(absent), *_due(now))
        due += session.scalars(asked.order_by(ChartFetch.day))
    return due


def claim(session: Session, fetch_id: int, now: datetime) -> ChartFetch | None:
    """Begin an attempt, so that nobody else does meanwhile; None when it is not due, or its date has come by itself."""
    begun = (
        update(ChartFetch)
        .where(ChartFetch.id == fetch_id, *_due(now))
        .values(attempts=ChartFetch.attempts + 1, asked_at=now, due_at=now + LEASE)
        .returning(ChartFetch)
    )
    fetch = session.scalar(begun)
    if fetch is None:
        return None
    if charts.days(session, fetch.source, fetch.chart, fetch.country, first=fetch.day, last=fetch.day):
        finish(session, fetch, IMPORTED, now, reason="another file had this date")
        return None
    return fetch


def finish(
    session: Session,
    fetch: ChartFetch,
    outcome: str,
    now: datetime,
    *,
    reason: str | None = None,
    file: str | None = None,
    entries: int | None = None,
    asked_s: float | None = None,
) -> None:
    """Note an attempt's end. What was not imported is due again after a pause that grows; `asked_s` is the source's."""
    due_at = now + timedelta(seconds=pause_s(fetch.attempts, asked_s))
    values = {"outcome": outcome, "reason": reason, "file": file, "entries": entries, "due_at": due_at}
    session.execute(update(ChartFetch).where(ChartFetch.id == fetch.id).values(**values))


def postpone(session: Session, fetch_id: int, until: datetime) -> None:
    """Ask for a date not before `until`."""
    session.execute(update(ChartFetch).where(ChartFetch.id == fetch_id).values(due_at=until))


def of_chart(session: Session, chart: Wanted) -> Sequence[ChartFetch]:
    """List a chart's dates that were ever missing, oldest first."""
    return session.scalars(select(ChartFetch).where(*_of(chart)).order_by(ChartFetch.day)).all()


def _of(chart: Wanted) -> tuple[ColumnElement[bool], ...]:
    return (ChartFetch.source == chart.source, ChartFetch.chart == chart.chart, ChartFetch.country == chart.country)


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (ChartFetch.due_at <= now, or_(ChartFetch.outcome.is_(None), ChartFetch.outcome != IMPORTED))
