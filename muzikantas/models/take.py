"""Takes: the recordings that a request yielded, each copied to our store and measured."""

from datetime import timedelta

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint, func, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.domain.brief import AudioOffer
from muzikantas.domain.features import Features
from muzikantas.models.base import Base, Created, Id, Json, Moment

ANNOUNCED, STORED, MEASURED, FAILED = "announced", "stored", "measured", "failed"


class Take(Base):
    """One recording of a request: `announced → stored → measured`, or `failed` with its reason."""

    __tablename__ = "takes"
    __table_args__ = (UniqueConstraint("generation_id", "number"),)

    id: Mapped[Id]
    generation_id: Mapped[int] = mapped_column(ForeignKey("generations.id"))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), server_default=ANNOUNCED)
    reason: Mapped[str | None]
    provider_id: Mapped[str] = mapped_column(String(128))
    source_url: Mapped[str]
    announced_s: Mapped[float | None]  #: duration as the provider says
    fetch_attempts: Mapped[int] = mapped_column(server_default="0")
    listen_attempts: Mapped[int] = mapped_column(server_default="0")
    busy_until: Mapped[Moment | None]  #: a listener is at work on it; another waits until then
    audio_key: Mapped[str | None] = mapped_column(String(128))
    audio_bytes: Mapped[int | None] = mapped_column(BigInteger)
    features: Mapped[Json | None] = mapped_column(JSONB)  #: `Features`, with the extractor's version
    fingerprint: Mapped[bytes | None]  #: what it is known again by
    created_at: Mapped[Created]

    @property
    def heard(self) -> Features | None:
        """What the listener measured."""
        return Features(**self.features) if self.features else None


def announce(session: Session, generation_id: int, offers: tuple[AudioOffer, ...]) -> None:
    """Store what the provider offers; takes that are known already stay as they are."""
    rows = [
        {
            "generation_id": generation_id,
            "number": number,
            "provider_id": offer.provider_id,
            "source_url": offer.url,
            "announced_s": offer.duration_s,
        }
        for number, offer in enumerate(offers, start=1)
    ]
    session.execute(insert(Take).on_conflict_do_nothing(), rows)


def of_generation(session: Session, generation_id: int, *states: str) -> list[Take]:
    """List a request's takes, optionally only those in the given states."""
    mine = select(Take).where(Take.generation_id == generation_id).order_by(Take.number)
    return list(session.scalars(mine.where(Take.state.in_(states)) if states else mine))


def count_fetch(session: Session, take_id: int) -> int:
    """Count one more attempt at the download, before it begins."""
    counted = update(Take).where(Take.id == take_id).values(fetch_attempts=Take.fetch_attempts + 1)
    return session.scalars(counted.returning(Take.fetch_attempts)).one()


def record_stored(session: Session, take_id: int, *, key: str, size: int) -> None:
    """Note that the audio is in our store."""
    stored = update(Take).where(Take.id == take_id, Take.state == ANNOUNCED)
    session.execute(stored.values(state=STORED, audio_key=key, audio_bytes=size))


def claim_listening(session: Session, take_id: int, *, busy_s: float) -> int | None:
    """Count one more attempt at measuring, before the file is decoded; None when another listener is at it."""
    free = (Take.busy_until.is_(None)) | (Take.busy_until <= func.now())
    claimed = update(Take).where(Take.id == take_id, Take.state == STORED, free)
    values = claimed.values(listen_attempts=Take.listen_attempts + 1, busy_until=func.now() + timedelta(seconds=busy_s))
    return session.scalars(values.returning(Take.listen_attempts)).one_or_none()


def get(session: Session, take_id: int) -> Take:
    """Load a take by id."""
    return session.get_one(Take, take_id)


def record_features(session: Session, take_id: int, features: Features, fingerprint: bytes) -> None:
    """Store what was heard, and what the recording is known again by."""
    measured = update(Take).where(Take.id == take_id, Take.state == STORED)
    heard = {"features": vars(features), "fingerprint": fingerprint}
    session.execute(measured.values(state=MEASURED, busy_until=None, **heard))


def fail(session: Session, take_id: int, reason: str) -> None:
    """End a take that cannot be used, with its reason."""
    failed = update(Take).where(Take.id == take_id, Take.state.in_((ANNOUNCED, STORED)))
    session.execute(failed.values(state=FAILED, reason=reason, busy_until=None))
