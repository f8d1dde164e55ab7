"""Charts: a row per source, chart, country, date and position, with the file it came from."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Index, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.models.base import Base, Created, Id, Json
from muzikantas.models.bulk import Merged, merge


class ChartEntry(Base):
    """One position of one chart."""

    __tablename__ = "chart_entries"
    __table_args__ = (
        UniqueConstraint("source", "chart", "country", "day", "position"),
        Index("ix_chart_entries_day", "day", postgresql_using="brin"),
    )

    id: Mapped[Id]
    source: Mapped[str] = mapped_column(String(32))
    chart: Mapped[str] = mapped_column(String(32))
    country: Mapped[str] = mapped_column(String(6))
    day: Mapped[date]
    position: Mapped[int]
    track_title: Mapped[str]
    artist_names: Mapped[str]  #: as printed: a comma may stand inside a name, so nobody splits it
    uri: Mapped[str | None]
    streams: Mapped[int | None] = mapped_column(BigInteger)
    previous_position: Mapped[int | None]  #: None for a new entry and a re-entry
    peak_position: Mapped[int | None]
    periods_on_chart: Mapped[int | None]  #: weeks or days, as the chart counts
    details: Mapped[Json]  #: what else the file said (label, duration, release date …)
    file: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[Created]


def import_rows(session: Session, rows: Iterable[Mapping[str, Any]], *, file: str) -> Merged:
    """Merge chart rows (keys: the table's columns); the same file twice changes nothing, a corrected one wins."""
    values = (
        "track_title",
        "artist_names",
        "uri",
        "streams",
        "previous_position",
        "peak_position",
        "periods_on_chart",
        "details",
    )
    return merge(
        session,
        ChartEntry,
        ({**row, "file": file} for row in rows),
        key=("source", "chart", "country", "day", "position"),
        values=values,
        provenance=("file",),
    )


def charts(session: Session) -> list[tuple[str, str, str]]:
    """List the charts there are, as (source, chart, country)."""
    names = select(ChartEntry.source, ChartEntry.chart, ChartEntry.country).distinct()
    return [(source, chart, country) for source, chart, country in sorted(tuple(row) for row in session.execute(names))]


def last_days(session: Session, source: str, chart: str, country: str, *, count: int) -> list[date]:
    """Give the newest dates of a chart, newest first."""
    mine = _of(source, chart, country)
    days = select(ChartEntry.day).where(*mine).distinct().order_by(ChartEntry.day.desc()).limit(count)
    return list(session.scalars(days))


def entries(session: Session, source: str, chart: str, country: str, day: date) -> list[ChartEntry]:
    """List a chart's entries on a date by position."""
    mine = select(ChartEntry).where(*_of(source, chart, country), ChartEntry.day == day)
    return list(session.scalars(mine.order_by(ChartEntry.position)))


def _of(source: str, chart: str, country: str) -> tuple[Any, ...]:
    return (ChartEntry.source == source, ChartEntry.chart == chart, ChartEntry.country == country)


def count(session: Session) -> int:
    """Count all chart entries."""
    return session.scalar(select(func.count()).select_from(ChartEntry)) or 0
