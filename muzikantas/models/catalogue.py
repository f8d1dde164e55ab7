"""Descriptions of artists of the market, as a source gave them: what they play, and where it is said.

A description is looked up anew after a while, and forgotten when nobody asks for it: Spotify's terms forbid to build a
database of its content (Developer Terms, IV.3).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, UniqueConstraint, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.models.base import Base, Created, Id, Json, Moment, insert_or_keep

#: The source of what Spotify's Web API says; its terms let nobody feed it to a model.
SPOTIFY = "spotify-api"
LONGEST_NAME = 200
#: A description is good for so long.
KEEP = timedelta(days=30)
#: Whoever began a look-up is taken for lost after this: longer than a task may take.
BUSY = timedelta(minutes=10)


class ArtistDescription(Base):
    """What one source says of one artist, by the name that was asked for; `looked_up_at` is None until it has said."""

    __tablename__ = "artist_descriptions"
    __table_args__ = (UniqueConstraint("name", "source"),)

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    source: Mapped[str] = mapped_column(String(32))
    content: Mapped[Json]  #: what was found; empty until then, and where nothing was
    reason: Mapped[str | None]  #: why nothing is known
    looked_up_at: Mapped[Moment | None]
    due_at: Mapped[Moment | None]  #: when to ask (again); None: there is nothing to do
    created_at: Mapped[Created]


def want(session: Session, name: str) -> ArtistDescription:
    """Load the description of an artist, made where there is none yet; one that is too old is not known any more."""
    insert_or_keep(session, ArtistDescription, name=name, source=SPOTIFY, content={}, due_at=func.now() + BUSY)
    old = ArtistDescription.looked_up_at < func.now() - KEEP
    again = update(ArtistDescription).where(*_of(name), old)
    session.execute(again.values(content={}, reason=None, looked_up_at=None, due_at=func.now() + BUSY))
    return session.scalars(select(ArtistDescription).where(*_of(name))).one()


def find(session: Session, name: str) -> ArtistDescription | None:
    """Load the description of an artist, or None when nobody has asked for it lately."""
    return session.scalars(select(ArtistDescription).where(*_of(name))).one_or_none()


def record(session: Session, name: str, content: Mapping[str, Any], *, reason: str | None = None) -> None:
    """Write down what was found, or why nothing was."""
    found = update(ArtistDescription).where(*_of(name))
    session.execute(found.values(content=content, reason=reason, looked_up_at=func.now(), due_at=None))


def postpone(session: Session, name: str, until: datetime, reason: str) -> None:
    """Note that an artist is to be looked up (again) at `until`, and why not now."""
    session.execute(update(ArtistDescription).where(*_of(name)).values(due_at=until, reason=reason))


def due(session: Session, *, most: int) -> list[str]:
    """Name the artists whose look-up is due; each is due again some minutes later, should it get lost."""
    late = (
        select(ArtistDescription.id)
        .where(ArtistDescription.due_at <= func.now())
        .order_by(ArtistDescription.due_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    moved = update(ArtistDescription).where(ArtistDescription.id.in_(late)).values(due_at=func.now() + BUSY)
    return list(session.scalars(moved.returning(ArtistDescription.name)))


def forget_old(session: Session) -> None:
    """Delete the descriptions that are too old, and those that nobody could give in all that time."""
    since = func.coalesce(ArtistDescription.looked_up_at, ArtistDescription.created_at)
    session.execute(delete(ArtistDescription).where(since < func.now() - KEEP))


def _of(name: str) -> tuple[Any, ...]:
    return (ArtistDescription.name == name, ArtistDescription.source == SPOTIFY)
