"""What statements counted and paid: a row per track, statement, place, time and kind; a month, or a longer time.

Apart from `performance_metrics` on purpose: a month's sum among days would be the best day that a track ever had.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint, func, select
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.models.base import Base, Created, Id
from muzikantas.models.bulk import Merged, merge
from muzikantas.models.track import Track

KEY = ("track_id", "source", "statement", "platform", "country", "period", "kind", "currency")
VALUES = ("units", "listeners", "saves", "revenue_micros")


class StatementEntry(Base):
    """What one statement says of one track at one place in one period."""

    __tablename__ = "statement_entries"
    __table_args__ = (UniqueConstraint(*KEY, name="uq_statement_entries_key"),)

    id: Mapped[Id]
    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id"))
    source: Mapped[str] = mapped_column(String(32))  #: whose form the file had
    statement: Mapped[str] = mapped_column(String(64))  #: when it was reported; a later one adds, the same one corrects
    platform: Mapped[str] = mapped_column(String(100))
    country: Mapped[str] = mapped_column(String(64))  #: as the file writes it
    period: Mapped[str] = mapped_column(String(16))  #: 2026-07, 2026-Q3, or a window such as 28day
    kind: Mapped[str] = mapped_column(String(64))
    units: Mapped[int | None] = mapped_column(BigInteger)  #: streams or sales; below 0 in a return
    listeners: Mapped[int | None] = mapped_column(BigInteger)
    saves: Mapped[int | None] = mapped_column(BigInteger)
    revenue_micros: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))  #: empty where nothing was earned
    file: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[Created]


def import_rows(session: Session, rows: Iterable[Mapping[str, Any]], *, file: str) -> Merged:
    """Merge the sums of a file (keys: the table's columns); the same file twice changes nothing, corrections win."""
    found = ({**row, "file": file} for row in rows)
    return merge(session, StatementEntry, found, key=KEY, values=VALUES, provenance=("file",))


def add_rows(session: Session, rows: Iterable[Mapping[str, Any]], *, file: str) -> None:
    """Add sums to what is known: lines of a statement whose others were imported before."""
    known = StatementEntry.__table__.c
    for row in rows:
        statement = pg_insert(StatementEntry).values({**row, "file": file})
        more = {
            name: func.coalesce(known[name] + statement.excluded[name], known[name], statement.excluded[name])
            for name in VALUES
        }
        session.execute(statement.on_conflict_do_update(index_elements=KEY, set_=more))


def revenue(session: Session, artist_id: int) -> list[tuple[str, str, int]]:
    """Add up what an artist's tracks earned, as (period, currency, micros)."""
    total = func.sum(StatementEntry.revenue_micros)
    earned = (
        select(StatementEntry.period, StatementEntry.currency, total)
        .join(Track, Track.id == StatementEntry.track_id)
        .where(Track.artist_id == artist_id, StatementEntry.revenue_micros.is_not(None))
        .group_by(StatementEntry.period, StatementEntry.currency)
        .order_by(StatementEntry.period, StatementEntry.currency)
    )
    return [(period, currency, int(micros or 0)) for period, currency, micros in session.execute(earned)]
