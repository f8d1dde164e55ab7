"""Charts: a row per source, chart, country, date and position, with the file it came from and when."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Index, String, UniqueConstraint, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.analysis.chart_lines import COLUMNS, DAY, Entry
from muzikantas.models.base import Base, Created, Id, Json, Moment
from muzikantas.models.bulk import Merged, copy, merge, merge_tuples

KEY, VALUES, PROVENANCE = COLUMNS[:5], COLUMNS[5:], ("file",)
#: Any constant: names of charts are locked within it.
LOCK = 7_266_005
#: Entries that are looked at before the database is asked what is there: a shorter file is known whole by then.
HEAD = 500


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
    imported_at: Mapped[Created]  #: when these values came; those before them are in `chart_corrections`


class ChartCorrection(Base):
    """What a corrected file replaced: the values of one position as they were, whence and since when."""

    __tablename__ = "chart_corrections"
    __table_args__ = (Index("ix_chart_corrections_chart", "source", "chart", "country", "day"),)

    id: Mapped[Id]
    source: Mapped[str] = mapped_column(String(32))
    chart: Mapped[str] = mapped_column(String(32))
    country: Mapped[str] = mapped_column(String(6))
    day: Mapped[date]
    position: Mapped[int]
    was: Mapped[Json]  #: the values by column
    file: Mapped[str] = mapped_column(String(300))
    imported_at: Mapped[Moment]
    corrected_at: Mapped[Created]


def import_entries(session: Session, entries: Iterable[Entry], *, file: str) -> Merged:
    """Import one file's entries, each position once; the same file twice changes nothing, a corrected one wins.

    What is not there yet goes straight into the table, which is half the work of a merge. From the first date on that
    is there already, the rest of the file is merged. Who imports the same chart meanwhile waits.
    """
    rest = iter(entries)
    head = list(itertools.islice(rest, HEAD))
    if not head:
        return Merged(rows=0, new=0, changed=0)
    name = head[0][:DAY]
    _lock(session, [name])
    first, last = (choose(entry[DAY] for entry in head) for choose in (min, max))
    known = days(session, *name, first=first, last=last if len(head) < HEAD else date.max)
    rest = itertools.chain(head, rest)
    fresh = _Fresh(rest, set(known), since=first)
    new = copy(session, ChartEntry, (*COLUMNS, *PROVENANCE), ((*entry, file) for entry in fresh))
    if fresh.stopped_at is None:
        return Merged(rows=new, new=new, changed=0)
    again = ((*entry, file) for entry in itertools.chain([fresh.stopped_at], rest))
    merged = merge_tuples(
        session, ChartEntry, again, key=KEY, values=VALUES, provenance=PROVENANCE, history=ChartCorrection
    )
    return Merged(rows=new + merged.rows, new=new + merged.new, changed=merged.changed)


class _Fresh:
    """The entries up to the first one whose date is known already, or lies before all that was asked about."""

    def __init__(self, entries: Iterator[Entry], known: set[date], *, since: date) -> None:
        self._entries, self._known, self._since = entries, known, since
        self.stopped_at: Entry | None = None

    def __iter__(self) -> Iterator[Entry]:
        for entry in self._entries:
            if entry[DAY] in self._known or entry[DAY] < self._since:
                self.stopped_at = entry
                return
            yield entry


def import_rows(session: Session, rows: Iterable[Mapping[str, Any]], *, file: str) -> Merged:
    """Merge rows of any charts (keys: `COLUMNS`), in any order; of a position told twice the last one counts."""
    given = [{**row, "file": file} for row in rows]
    _lock(session, sorted({tuple(row[name] for name in KEY[:DAY]) for row in given}))
    return merge(session, ChartEntry, given, key=KEY, values=VALUES, provenance=PROVENANCE, history=ChartCorrection)


def _lock(session: Session, names: Iterable[Sequence[str]]) -> None:
    """Let nobody else import these charts before this transaction has ended."""
    for name in names:
        lock = select(func.pg_advisory_xact_lock(LOCK, func.hashtext(":".join(name))))
        session.execute(lock)


def charts(session: Session) -> list[tuple[str, str, str]]:
    """List the charts there are, as (source, chart, country): one look into the index for each."""
    steps = text("""
        WITH RECURSIVE step AS (
            (SELECT source, chart, country FROM chart_entries ORDER BY source, chart, country LIMIT 1)
            UNION ALL
            SELECT next.* FROM step CROSS JOIN LATERAL (
                SELECT t.source, t.chart, t.country FROM chart_entries AS t
                WHERE (t.source, t.chart, t.country) > (step.source, step.chart, step.country)
                ORDER BY t.source, t.chart, t.country LIMIT 1
            ) AS next
        )
        SELECT source, chart, country FROM step
    """)
    return sorted((row.source, row.chart, row.country) for row in session.execute(steps))


def days(
    session: Session, source: str, chart: str, country: str, *, first: date = date.min, last: date = date.max
) -> list[date]:
    """List a chart's dates between two, oldest first: one look into the index for each."""
    steps = text("""
        WITH RECURSIVE step AS (
            (SELECT min(day) AS day FROM chart_entries
             WHERE source = :source AND chart = :chart AND country = :country AND day BETWEEN :first AND :last)
            UNION ALL
            SELECT (SELECT min(t.day) FROM chart_entries AS t
                    WHERE t.source = :source AND t.chart = :chart AND t.country = :country
                      AND t.day > step.day AND t.day <= :last)
            FROM step WHERE step.day IS NOT NULL
        )
        SELECT day FROM step WHERE day IS NOT NULL
    """)
    names = {"source": source, "chart": chart, "country": country, "first": first, "last": last}
    return list(session.scalars(steps, names))


def last_days(session: Session, source: str, chart: str, country: str, *, count: int) -> list[date]:
    """Give the newest dates of a chart, newest first."""
    mine = _of(source, chart, country)
    listed = select(ChartEntry.day).where(*mine).distinct().order_by(ChartEntry.day.desc()).limit(count)
    return list(session.scalars(listed))


def entries(session: Session, source: str, chart: str, country: str, day: date) -> list[ChartEntry]:
    """List a chart's entries on a date by position."""
    mine = select(ChartEntry).where(*_of(source, chart, country), ChartEntry.day == day)
    return list(session.scalars(mine.order_by(ChartEntry.position)))


def corrections(session: Session, source: str, chart: str, country: str, day: date) -> list[ChartCorrection]:
    """List what was replaced of a chart's date, oldest first."""
    of = (ChartCorrection.source == source, ChartCorrection.chart == chart, ChartCorrection.country == country)
    replaced = select(ChartCorrection).where(*of, ChartCorrection.day == day)
    return list(session.scalars(replaced.order_by(ChartCorrection.corrected_at, ChartCorrection.position)))


def _of(source: str, chart: str, country: str) -> tuple[Any, ...]:
    return (ChartEntry.source == source, ChartEntry.chart == chart, ChartEntry.country == country)


def count(session: Session) -> int:
    """Count all chart entries."""
    return session.scalar(select(func.count()).select_from(ChartEntry)) or 0
