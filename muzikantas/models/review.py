"""Lines of reports about tracks that nobody could tell, by the name that they gave; an operator decides whose it is."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.analysis.reports import Unmatched
from muzikantas.analysis.songs import Decision, Names, bare_isrc
from muzikantas.analysis.statements import KEY, totals
from muzikantas.domain.errors import InputError
from muzikantas.models.base import Base, Created, Id, Json, Moment, insert_or_keep
from muzikantas.models.bulk import Merged, merge
from muzikantas.models.track import Track

#: What a line will be a row of: `performance_metrics`, or `statement_entries`.
DAY, STATEMENT = "day", "statement"
#: What tells two lines of one name apart.
TOLD_OF = {DAY: ("platform", "country", "day"), STATEMENT: KEY}


class ReviewName(Base):
    """What reports call a track that is not known by it. Undecided until `decided_at` is set."""

    __tablename__ = "review_names"
    __table_args__ = (UniqueConstraint("key"),)

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(String(64))  #: digest of the name without its spelling
    track: Mapped[str | None]
    isrc: Mapped[str | None]
    title: Mapped[str | None]
    artist: Mapped[str | None]
    reason: Mapped[str]
    track_id: Mapped[int | None] = mapped_column(ForeignKey("tracks.id"))  #: whose it is; None: none of ours
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[Moment | None]
    created_at: Mapped[Created]

    @property
    def names(self) -> Names:
        """What lines call it."""
        return Names(track=self.track, isrc=self.isrc, title=self.title, artist=self.artist)


class ReviewLine(Base):
    """What a report says under such a name, kept until it is decided."""

    __tablename__ = "review_lines"
    __table_args__ = (UniqueConstraint("name_id", "form", "key"),)

    id: Mapped[Id]
    name_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("review_names.id"))
    form: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(String(64))  #: digest of what the line is of; the same of a corrected file
    content: Mapped[Json]
    file: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[Created]


@dataclass(frozen=True, kw_only=True)
class Open:
    """A name that waits for a decision, and how much is told under it."""

    name: ReviewName
    lines: int
    files: tuple[str, ...]


def keep(session: Session, lines: Iterable[Unmatched], *, form: str, file: str) -> Merged:
    """Put lines on the list; the same file again changes nothing, corrections win."""
    ids: dict[tuple[str, str, str], int] = {}
    rows: list[dict[str, Any]] = []
    for line in lines:
        if line.names.key not in ids:
            ids[line.names.key] = _name_id(session, line)
        rows.append({"name_id": ids[line.names.key], **line.values})
    if form == STATEMENT:
        rows = totals(rows, about="name_id")
    found = ({"file": file, "form": form, **_kept(row, form)} for row in rows)
    return merge(session, ReviewLine, found, key=("name_id", "form", "key"), values=("content",), provenance=("file",))


def waiting(session: Session) -> list[Open]:
    """List the names that wait for a decision, those with most lines first."""
    lines = func.count(ReviewLine.id)
    rows = (
        select(ReviewName, lines, func.array_agg(ReviewLine.file.distinct()))
        .join(ReviewLine, ReviewLine.name_id == ReviewName.id)
        .where(ReviewName.decided_at.is_(None))
        .group_by(ReviewName.id)
        .order_by(lines.desc(), ReviewName.id)
    )
    return [Open(name=row[0], lines=row[1], files=tuple(sorted(row[2]))) for row in session.execute(rows)]


def decisions(session: Session) -> list[Decision]:
    """List what operators have decided."""
    decided = select(ReviewName).where(ReviewName.decided_at.is_not(None))
    return [Decision(names=row.names, track_id=row.track_id) for row in session.scalars(decided)]


def decide(session: Session, name_id: int, track_id: int | None, *, by: str) -> list[ReviewLine]:
    """Decide whose a name is (None: none of ours), and take its lines off the list: they are given to be imported.

    A track without an ISRC gets the one that the name has. A decision may be changed; what was imported by the old one
    stays. Raises `InputError` when there is no such name.
    """
    name = session.get(ReviewName, name_id, with_for_update=True)
    if name is None:
        raise InputError(f"no name {name_id} on the list; `muzikantas performance review` shows it")
    name.track_id, name.decided_by, name.decided_at = track_id, by, func.now()
    session.flush()
    if track_id is not None and name.isrc:
        taken = select(Track.id).where(Track.isrc == bare_isrc(name.isrc)).exists()
        nameless = update(Track).where(Track.id == track_id, Track.isrc.is_(None), ~taken)
        session.execute(nameless.values(isrc=bare_isrc(name.isrc)))
    gone = delete(ReviewLine).where(ReviewLine.name_id == name_id).returning(ReviewLine)
    return sorted(session.scalars(gone), key=lambda line: line.id)


def _name_id(session: Session, line: Unmatched) -> int:
    key = _digest(line.names.key)
    insert_or_keep(session, ReviewName, key=key, reason=line.reason, **vars(line.names))
    return session.scalars(select(ReviewName.id).where(ReviewName.key == key)).one()


def _kept(row: dict[str, Any], form: str) -> dict[str, Any]:
    """Write a row as the table has it."""
    told = {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items()}
    name_id = told.pop("name_id")
    return {"name_id": name_id, "key": _digest(told[name] for name in TOLD_OF[form]), "content": told}


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
