"""Tracks, the better take of each slot, and their releases: nothing is published without a release."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.domain.errors import InputError
from muzikantas.domain.style import Style
from muzikantas.models.base import Base, Created, Id, Json, JsonList, Moment, insert_or_keep
from muzikantas.models.cycle import Cycle
from muzikantas.models.generation import Generation
from muzikantas.models.take import Take

#: A distributor that refused is asked again after this.
DELIVER_AGAIN = timedelta(minutes=5)


class Track(Base):
    """A slot's recording in the catalogue: what was asked, what was heard, and the rights to it."""

    __tablename__ = "tracks"

    id: Mapped[Id]
    artist_id: Mapped[int] = mapped_column(ForeignKey("artists.id"), index=True)
    generation_id: Mapped[int] = mapped_column(ForeignKey("generations.id"), unique=True)
    take_id: Mapped[int] = mapped_column(ForeignKey("takes.id"), unique=True)
    title: Mapped[str | None] = mapped_column(String(200))  #: None until a model or the operator has written one
    isrc: Mapped[str | None] = mapped_column(String(12), unique=True)
    genre: Mapped[str] = mapped_column(String(64))
    asked_values: Mapped[JsonList]
    realised_values: Mapped[JsonList]
    extractor: Mapped[str] = mapped_column(String(64))
    tempo_bpm: Mapped[float]
    key: Mapped[str] = mapped_column(String(4))
    mode: Mapped[str] = mapped_column(String(8))
    loudness_lufs: Mapped[float]
    duration_s: Mapped[float]
    features: Mapped[Json]
    audio_key: Mapped[str] = mapped_column(String(128))
    rights: Mapped[Json]  #: provider, plan, model, date, task id, terms
    disclosure: Mapped[Json]  #: which parts a machine made; platforms ask for it
    created_at: Mapped[Created]

    @property
    def asked(self) -> Style:
        """The style that was asked for."""
        return Style(self.genre, tuple(self.asked_values))

    @property
    def realised(self) -> Style:
        """The style that was heard."""
        return Style(self.genre, tuple(self.realised_values))


class Release(Base):
    """The decision that a track goes out: by whom or which rule, and when it really did."""

    __tablename__ = "releases"
    __table_args__ = (UniqueConstraint("track_id"),)

    id: Mapped[Id]
    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id"))
    decided_by: Mapped[str] = mapped_column(String(64))
    released_on: Mapped[date | None]  #: the day on the platforms' calendar; None until published
    published_at: Mapped[Moment | None]
    due_at: Mapped[Moment] = mapped_column(server_default=text("now() + interval '1 minute'"))  #: when to deliver again
    created_at: Mapped[Created]


def add(session: Session, **columns: Any) -> tuple[Track, bool]:  # noqa: ANN401 (columns of `Track`)
    """Insert the slot's track, or load the one that was chosen before; tell whether this call chose."""
    chose = insert_or_keep(session, Track, **columns)
    return session.scalars(select(Track).where(Track.generation_id == columns["generation_id"])).one(), chose


def get(session: Session, track_id: int) -> Track:
    """Load a track. Raises `InputError` when there is none."""
    track = session.get(Track, track_id)
    if track is None:
        raise InputError(f"no track {track_id}; `muzikantas report ARTIST` and `muzikantas releases` list them")
    return track


def of_artist(session: Session, artist_id: int) -> list[Track]:
    """List an artist's tracks, oldest first."""
    return list(session.scalars(select(Track).where(Track.artist_id == artist_id).order_by(Track.id)))


def styles(session: Session, artist_id: int) -> list[tuple[Style, Style]]:
    """List the asked and the realised style of an artist's tracks, oldest first, without the rest of the rows."""
    rows = select(Track.genre, Track.asked_values, Track.realised_values).where(Track.artist_id == artist_id)
    return [
        (Style(genre, tuple(asked)), Style(genre, tuple(realised)))
        for genre, asked, realised in session.execute(rows.order_by(Track.id))
    ]


def fingerprints(session: Session, *, after: int) -> list[tuple[int, bytes, list[float]]]:
    """List the label's tracks from the one after `after` on: id, fingerprint and timbre of each that has them."""
    rows = (
        select(Track.id, Take.fingerprint, Track.features["timbre"])
        .join(Take, Take.id == Track.take_id)
        .where(Track.id > after, Take.fingerprint.is_not(None), Track.features.has_key("timbre"))
        .order_by(Track.id)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(rows)]


def with_cycles(session: Session, artist_id: int) -> list[tuple[Track, int]]:
    """List an artist's tracks, oldest first, each with the number of its cycle."""
    rows = (
        select(Track, Cycle.number)
        .join(Generation, Generation.id == Track.generation_id)
        .join(Cycle, Cycle.id == Generation.cycle_id)
        .where(Track.artist_id == artist_id)
        .order_by(Track.id)
    )
    return [(row[0], row[1]) for row in session.execute(rows)]


def written_by(session: Session, artist_id: int) -> dict[int, int | None]:
    """Tell which version of the profile wrote the brief of each of an artist's tracks, by their ids."""
    rows = select(Track.id, Generation.profile_id).join(Generation, Generation.id == Track.generation_id)
    return {row[0]: row[1] for row in session.execute(rows.where(Track.artist_id == artist_id))}


def made_in_cycle(session: Session, generation_ids: list[int]) -> int:
    """Count the tracks that these requests led to."""
    made = select(func.count()).select_from(Track).where(Track.generation_id.in_(generation_ids))
    return session.scalar(made) or 0


def release(session: Session, track: Track, *, decided_by: str) -> Release:
    """Decide that a track goes out. Raises `InputError` for a track without a title; twice is once."""
    if not track.title:
        raise InputError(f"track {track.id} has no title that a model wrote; give one with --title")
    insert_or_keep(session, Release, track_id=track.id, decided_by=decided_by)
    return session.scalars(select(Release).where(Release.track_id == track.id)).one()


def release_of(session: Session, release_id: int) -> tuple[Release, Track]:
    """Load a release with its track."""
    row = session.execute(
        select(Release, Track).join(Track, Track.id == Release.track_id).where(Release.id == release_id)
    )
    found = row.one()
    return found[0], found[1]


def publish(session: Session, release_id: int, *, released_on: date) -> None:
    """Note the day on which the release went out; the first one stands."""
    going = update(Release).where(Release.id == release_id, Release.published_at.is_(None))
    session.execute(going.values(released_on=released_on, published_at=func.now()))


def undelivered(session: Session) -> list[int]:
    """Ids of the releases that were to be delivered by now; each is tried again some minutes later."""
    late = update(Release).where(Release.published_at.is_(None), Release.due_at <= func.now())
    moved = late.values(due_at=func.now() + DELIVER_AGAIN).returning(Release.id)
    return list(session.scalars(moved))


def releases(session: Session, artist_id: int | None = None) -> list[tuple[Release, Track]]:
    """List releases with their tracks, oldest first."""
    rows = select(Release, Track).join(Track, Track.id == Release.track_id).order_by(Release.id)
    if artist_id is not None:
        rows = rows.where(Track.artist_id == artist_id)
    return [(row[0], row[1]) for row in session.execute(rows)]
