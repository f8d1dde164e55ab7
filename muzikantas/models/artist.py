"""Artists and the versions of their profiles. A version is never overwritten: the next one points to it."""

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.domain.errors import InputError
from muzikantas.domain.profile import Profile
from muzikantas.models import experiment
from muzikantas.models.base import Base, Created, Id, Json, JsonList, Moment, insert_or_keep


class Artist(Base):
    """A virtual artist of the label."""

    __tablename__ = "artists"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(200), unique=True)
    language: Mapped[str] = mapped_column(String(16))
    countries: Mapped[JsonList]
    policy: Mapped[str] = mapped_column(String(16), server_default="learned")  #: learned | fixed
    release_rule: Mapped[str] = mapped_column(String(16), server_default="manual")  #: manual | content_check
    slots: Mapped[int]  #: paid requests a cycle
    seed: Mapped[int] = mapped_column(BigInteger)  #: with a cycle's number it makes that cycle's plan repeatable
    cycle_every_days: Mapped[float | None]  #: None: cycles are started by hand
    next_cycle_at: Mapped[Moment | None]
    created_at: Mapped[Created]


class ArtistProfile(Base):
    """One version of an artist's profile, with what led to it."""

    __tablename__ = "artist_profiles"
    __table_args__ = (
        UniqueConstraint("artist_id", "version"),
        Index(
            "uq_artist_profiles_plan_kind", "plan_id", "kind", unique=True, postgresql_where=text("plan_id IS NOT NULL")
        ),
    )

    id: Mapped[Id]
    artist_id: Mapped[int] = mapped_column(ForeignKey("artists.id"))
    version: Mapped[int]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("artist_profiles.id"))
    kind: Mapped[str] = mapped_column(String(16))  #: created | evolved | adapted | reverted
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("evolution_plans.id", use_alter=True))
    llm_call_id: Mapped[int | None] = mapped_column(ForeignKey("llm_calls.id", use_alter=True))
    content: Mapped[Json]  #: a `Profile`
    reason: Mapped[str]
    created_at: Mapped[Created]

    @property
    def profile(self) -> Profile:
        """The version as a checked value."""
        return Profile.model_validate(self.content)


def create(session: Session, profile: Profile, **columns: Any) -> Artist:  # noqa: ANN401 (columns of `Artist`)
    """Insert an artist with its first version. Raises `InputError` when the name is taken."""
    name = columns["name"]
    if not insert_or_keep(session, Artist, **columns):
        raise InputError(f"an artist named {name!r} exists already; choose another name")
    artist = session.scalars(select(Artist).where(Artist.name == name)).one()
    add_version(session, artist.id, profile, parent=None, kind="created", reason="created by the operator")
    return artist


def find(session: Session, name_or_id: str) -> Artist:
    """Find an artist by number or by name. Raises `InputError` that lists the names there are."""
    by = Artist.id == int(name_or_id) if name_or_id.isdecimal() else func.lower(Artist.name) == name_or_id.lower()
    artist = session.scalars(select(Artist).where(by)).one_or_none()
    if artist is None:
        names = ", ".join(f"{row.id} {row.name}" for row in everyone(session)) or "none yet"
        raise InputError(f"no artist {name_or_id!r}; there are: {names}")
    return artist


def get(session: Session, artist_id: int) -> Artist:
    """Load an artist by id."""
    return session.get_one(Artist, artist_id)


def everyone(session: Session) -> list[Artist]:
    """List all artists by id."""
    return list(session.scalars(select(Artist).order_by(Artist.id)))


def due(session: Session) -> list[int]:
    """Ids of the artists whose next cycle is due by the database's clock."""
    return list(session.scalars(select(Artist.id).where(Artist.next_cycle_at <= func.now()).order_by(Artist.id)))


def current(session: Session, artist_id: int) -> ArtistProfile:
    """Load the newest version of an artist's profile."""
    newest = select(ArtistProfile).where(ArtistProfile.artist_id == artist_id).order_by(ArtistProfile.version.desc())
    return session.scalars(newest.limit(1)).one()


def history(session: Session, artist_id: int) -> list[ArtistProfile]:
    """List the versions of an artist's profile, oldest first."""
    mine = select(ArtistProfile).where(ArtistProfile.artist_id == artist_id)
    return list(session.scalars(mine.order_by(ArtistProfile.version)))


def version_of_plan(session: Session, plan_id: int, kind: str) -> ArtistProfile | None:
    """Load the version that a plan led to, if there is one of this kind yet."""
    made = select(ArtistProfile).where(ArtistProfile.plan_id == plan_id, ArtistProfile.kind == kind)
    return session.scalars(made).one_or_none()


def add_version(
    session: Session,
    artist_id: int,
    profile: Profile,
    *,
    parent: ArtistProfile | None,
    kind: str,
    reason: str,
    plan_id: int | None = None,
    llm_call_id: int | None = None,
) -> bool:
    """Add the version after `parent`; False when another process has added that number or this plan's version."""
    lock(session, artist_id)
    return insert_or_keep(
        session,
        ArtistProfile,
        artist_id=artist_id,
        version=parent.version + 1 if parent else 1,
        parent_id=parent.id if parent else None,
        kind=kind,
        plan_id=plan_id,
        llm_call_id=llm_call_id,
        content=profile.model_dump(mode="json"),
        reason=reason,
    )


def lock(session: Session, artist_id: int) -> None:
    """Let nobody else add a version to this artist until the transaction ends."""
    # Not against rows that refer to the artist: those are written all the time.
    session.execute(select(Artist.id).where(Artist.id == artist_id).with_for_update(key_share=True))


def revert(session: Session, artist_id: int, version: int) -> ArtistProfile:
    """Give the artist an old version's content again, by hand; a running experiment ends.

    A version whose content is in force already adds nothing. Raises `InputError` for a version that is not there.
    """
    lock(session, artist_id)
    versions = {row.version: row for row in history(session, artist_id)}
    newest = versions[max(versions)]
    if version not in versions or version == newest.version:
        raise InputError(
            f"cannot revert to version {version}; the newest is {newest.version}, older ones: 1 to {newest.version - 1}"
        )
    reason = f"reverted to version {version} by the operator"
    experiment.end_by_hand(session, artist_id, reason)
    return take_back(session, newest, versions[version], reason)


def take_back(session: Session, newest: ArtistProfile, old: ArtistProfile, reason: str) -> ArtistProfile:
    """Add a version with the content of an old one, unless the newest has it; the artist's row is locked."""
    if newest.content != old.content:
        add_version(session, newest.artist_id, old.profile, parent=newest, kind="reverted", reason=reason)
    return current(session, newest.artist_id)
