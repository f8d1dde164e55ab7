"""Cycles: one turn of an artist's loop. At most one runs for an artist, which a partial unique index holds."""

from datetime import timedelta

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.models.artist import Artist
from muzikantas.models.base import Base, Created, Id, Moment, insert_or_keep

RUNNING = "running"
#: How a cycle ends: closed; starved (too few tracks); cancelled (by the operator); failed (its stages would not run).
ENDS = ("closed", "starved", "cancelled", "failed")


class Cycle(Base):
    """One turn of the loop."""

    __tablename__ = "cycles"
    __table_args__ = (
        UniqueConstraint("artist_id", "number"),
        Index("uq_cycles_one_running", "artist_id", unique=True, postgresql_where=text("state = 'running'")),
    )

    id: Mapped[Id]
    artist_id: Mapped[int] = mapped_column(ForeignKey("artists.id"))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(16), server_default=RUNNING)
    stage: Mapped[str] = mapped_column(String(16), server_default="brief")  #: for the eye: the last stage that began
    reason: Mapped[str | None]  #: why it ended otherwise than closed
    profile_id: Mapped[int] = mapped_column(ForeignKey("artist_profiles.id"))
    slots: Mapped[int]
    quorum: Mapped[int]
    seed: Mapped[int] = mapped_column(BigInteger)
    deadline_at: Mapped[Moment]
    due_at: Mapped[Moment]  #: when `reconcile` looks after it, unless a stage moves this on
    body_sent: Mapped[int] = mapped_column(server_default="0")  #: times that `reconcile` sent the last stages again
    started_at: Mapped[Created]
    ended_at: Mapped[Moment | None]


def start(
    session: Session, artist: Artist, profile_id: int, *, quorum: int, deadline_s: float, patience_s: float
) -> Cycle | None:
    """Insert the artist's next cycle; None when one is running already."""
    number = 1 + (session.scalar(select(func.max(Cycle.number)).where(Cycle.artist_id == artist.id)) or 0)
    made = insert_or_keep(
        session,
        Cycle,
        artist_id=artist.id,
        number=number,
        profile_id=profile_id,
        slots=artist.slots,
        quorum=quorum,
        seed=(artist.seed * 1_000_003 + number) % 2**63,
        deadline_at=func.now() + timedelta(seconds=deadline_s),
        due_at=func.now() + timedelta(seconds=patience_s),
    )
    if not made:
        return None
    return session.scalars(select(Cycle).where(Cycle.artist_id == artist.id, Cycle.number == number)).one()


def get(session: Session, cycle_id: int) -> Cycle:
    """Load a cycle by id."""
    return session.get_one(Cycle, cycle_id)


def running(session: Session, artist_id: int) -> Cycle | None:
    """Load the artist's running cycle, if there is one."""
    return session.scalars(select(Cycle).where(Cycle.artist_id == artist_id, Cycle.state == RUNNING)).one_or_none()


def of_artist(session: Session, artist_id: int) -> list[Cycle]:
    """List an artist's cycles, oldest first."""
    return list(session.scalars(select(Cycle).where(Cycle.artist_id == artist_id).order_by(Cycle.number)))


def enter(session: Session, cycle_id: int, stage: str, *, patience_s: float) -> Cycle | None:
    """Note that a stage begins and move `due_at` on; None when the cycle has ended and nothing is left to do."""
    return session.scalars(
        update(Cycle)
        .where(Cycle.id == cycle_id, Cycle.state == RUNNING)
        .values(stage=stage, due_at=func.now() + timedelta(seconds=patience_s))
        .returning(Cycle)
    ).one_or_none()


def hold(session: Session, cycle_id: int) -> bool:
    """Keep a running cycle from ending until the transaction does; False where it has ended: nothing is written then.

    A stage that worked for a while asks this before it writes; the operator may have cancelled the cycle meanwhile.
    """
    # Shared: the same stage may run in several processes.
    locked = select(Cycle.id).where(Cycle.id == cycle_id, Cycle.state == RUNNING).with_for_update(read=True)
    return session.scalars(locked).one_or_none() is not None


def end(session: Session, cycle_id: int, state: str, reason: str | None = None) -> bool:
    """End a running cycle; False when it had ended already (the first end stands)."""
    ended = update(Cycle).where(Cycle.id == cycle_id, Cycle.state == RUNNING)
    changed = ended.values(state=state, reason=reason, ended_at=func.now()).returning(Cycle.id)
    return session.execute(changed).first() is not None


def overdue(session: Session) -> list[Cycle]:
    """List running cycles that no stage has touched in time; rows that another `reconcile` holds are left out."""
    late = select(Cycle).where(Cycle.state == RUNNING, Cycle.due_at <= func.now()).order_by(Cycle.id)
    return list(session.scalars(late.with_for_update(skip_locked=True)))
