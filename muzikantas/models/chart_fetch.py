"""Which date of which chart was asked for when, and with what end: one row a date, made when it is first missing."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, String, UniqueConstraint, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.analysis.chart_dates import AGAIN_S, Wanted, correctable, missing, pause_s
from muzikantas.models import chart as charts
from muzikantas.models.base import Base, Created, Id, Moment

IMPORTED, NOT_THERE, UNREACHABLE, BROKEN, REFUSED = "imported", "not there", "unreachable", "broken", "refused"
#: Outcomes after which a date's own file is asked for again, whatever other files have brought.
READ = (IMPORTED, BROKEN)
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
    digest: Mapped[str | None] = mapped_column(String(64))  #: of the file as it was read last; the same is not imported
    created_at: Mapped[Created]


def plan(session: Session, wanted: Iterable[Wanted], now: datetime, *, window_days: int) -> list[int]:
    """Find the dates that are due at `now`; give their rows' ids, oldest date first within a chart.

    Due are those that are missing, and once a day the newest ones that are there: they may have been corrected.
    """
    due: list[int] = []
    for chart in wanted:
        since = now.date() - timedelta(days=window_days + 1)
        there = set(charts.days(session, *chart.names, first=since))
        days = {*missing(chart, now, there, window_days=window_days), *correctable(chart, now, window_days=window_days)}
        if not days:
            continue
        names = dict(zip(("source", "chart", "country"), chart.names, strict=True))
        rows = [{**names, "day": day, "due_at": now} for day in sorted(days)]
        session.execute(pg_insert(ChartFetch).values(rows).on_conflict_do_nothing())
        asked = select(ChartFetch.id).where(*_of(chart), ChartFetch.day.in_(days), ChartFetch.due_at <= now)
        due += session.scalars(asked.order_by(ChartFetch.day))
    return due


def asked_before(session: Session, chart: Wanted, now: datetime, *, window_days: int) -> Sequence[ChartFetch]:
    """List the attempts of the window that have ended: one for each file, so of a file that grows the newest."""
    since = now.date() - timedelta(days=window_days + 1)
    ended = (ChartFetch.day >= since, ChartFetch.asked_at < now - LEASE)
    listed = select(ChartFetch).where(*_of(chart), *ended).order_by(ChartFetch.day.desc())
    return session.scalars(listed if chart.dated_files else listed.limit(1)).all()


def hasten(session: Session, fetch_ids: Collection[int], now: datetime) -> None:
    """Make dates due whose file is known to have changed."""
    session.execute(update(ChartFetch).where(ChartFetch.id.in_(fetch_ids)).values(due_at=now))


def claim(session: Session, fetch_id: int, now: datetime) -> ChartFetch | None:
    """Begin an attempt, so that nobody else does meanwhile; None when it is not due, or its date has come by itself."""
    begun = (
        update(ChartFetch)
        .where(ChartFetch.id == fetch_id, ChartFetch.due_at <= now)
        .values(attempts=ChartFetch.attempts + 1, asked_at=now, due_at=now + LEASE)
        .returning(ChartFetch)
    )
    fetch = session.scalar(begun)
    if fetch is None:
        return None
    if fetch.outcome not in READ and fetch.digest is None and is_there(session, fetch):
        finish(session, fetch, IMPORTED, now, reason="another file had this date")
        return None
    return fetch


def is_there(session: Session, fetch: ChartFetch) -> bool:
    """Whether the charts have the date."""
    return bool(charts.days(session, fetch.source, fetch.chart, fetch.country, first=fetch.day, last=fetch.day))


def finish(
    session: Session,
    fetch: ChartFetch,
    outcome: str,
    now: datetime,
    *,
    reason: str | None = None,
    asked_s: float | None = None,
) -> None:
    """Note an attempt's end. It is due again after a pause that grows, and a day later when all is well.

    `asked_s` is the source's own wish, in seconds.
    """
    due_at = now + timedelta(seconds=AGAIN_S if outcome == IMPORTED else pause_s(fetch.attempts, asked_s))
    values = {"outcome": outcome, "reason": reason, "due_at": due_at}
    session.execute(update(ChartFetch).where(ChartFetch.id == fetch.id).values(**values))


def record_file(session: Session, fetch: ChartFetch, *, file: str, digest: str, entries: int) -> None:
    """Note which file was imported for a date; other dates that it was read for know its digest, too."""
    mine = update(ChartFetch).where(ChartFetch.id == fetch.id)
    session.execute(mine.values(file=file, digest=digest, entries=entries))
    session.execute(update(ChartFetch).where(*_of(fetch), ChartFetch.file == file).values(digest=digest))


def postpone(session: Session, fetch_id: int, until: datetime) -> None:
    """Ask for a date not before `until`."""
    session.execute(update(ChartFetch).where(ChartFetch.id == fetch_id).values(due_at=until))


def of_chart(session: Session, chart: Wanted) -> Sequence[ChartFetch]:
    """List a chart's dates that were ever missing, oldest first."""
    return session.scalars(select(ChartFetch).where(*_of(chart)).order_by(ChartFetch.day)).all()


def _of(chart: Wanted | ChartFetch) -> tuple[ColumnElement[bool], ...]:
    return (ChartFetch.source == chart.source, ChartFetch.chart == chart.chart, ChartFetch.country == chart.country)
