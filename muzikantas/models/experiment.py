"""Experiments: a version of a profile beside the one before it. An index holds that one runs for an artist at most."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ForeignKey, Index, String, func, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.models.base import Base, Created, Id, Json, Moment, insert_or_keep

#: How an experiment ends: by the stop rule, or by the operator, who took another version.
RUNNING, ADOPTED, REVERTED, ENDED = "running", "adopted", "reverted", "ended"


class Experiment(Base):
    """A change of persona and prompts on trial: what one cycle has changed, against the version that it came from."""

    __tablename__ = "experiments"
    __table_args__ = (
        Index("uq_experiments_one_running", "artist_id", unique=True, postgresql_where=text("state = 'running'")),
    )

    id: Mapped[Id]
    artist_id: Mapped[int] = mapped_column(ForeignKey("artists.id"))
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycles.id"), unique=True)  #: whose last stages made the change
    before_id: Mapped[int] = mapped_column(ForeignKey("artist_profiles.id"))
    changed_id: Mapped[int] = mapped_column(ForeignKey("artist_profiles.id"))
    began: Mapped[int]  #: number of the first cycle whose slots both versions write
    state: Mapped[str] = mapped_column(String(16), server_default=RUNNING)
    reason: Mapped[str | None]  #: the newest verdict in words
    evidence: Mapped[Json | None] = mapped_column(JSONB)  #: probabilities and counts behind it
    judged: Mapped[int | None]  #: number of the cycle before which it was judged last
    created_at: Mapped[Created]
    ended_at: Mapped[Moment | None]


def begin(
    session: Session, *, artist_id: int, cycle_id: int, number: int, before_id: int, changed_id: int
) -> Experiment:
    """Put what cycle `number` has changed on trial; its second change joins the first. The caller holds the lock."""
    insert_or_keep(
        session,
        Experiment,
        artist_id=artist_id,
        cycle_id=cycle_id,
        before_id=before_id,
        changed_id=changed_id,
        began=number + 1,
    )
    joined = update(Experiment).where(Experiment.cycle_id == cycle_id).values(changed_id=changed_id)
    return session.scalars(joined.returning(Experiment)).one()


def in_the_way(session: Session, artist_id: int, cycle_id: int) -> Experiment | None:
    """Load the experiment that forbids this cycle to change anything: another one's, or its own that is over."""
    other = (Experiment.cycle_id != cycle_id) & (Experiment.state == RUNNING)
    over = (Experiment.cycle_id == cycle_id) & (Experiment.state != RUNNING)
    mine = select(Experiment).where(Experiment.artist_id == artist_id, other | over)
    return session.scalars(mine.limit(1)).one_or_none()


def running(session: Session, artist_id: int) -> Experiment | None:
    """Load the artist's running experiment, if there is one."""
    mine = select(Experiment).where(Experiment.artist_id == artist_id, Experiment.state == RUNNING)
    return session.scalars(mine).one_or_none()


def of_artist(session: Session, artist_id: int) -> list[Experiment]:
    """List an artist's experiments, oldest first."""
    return list(session.scalars(select(Experiment).where(Experiment.artist_id == artist_id).order_by(Experiment.id)))


def record(
    session: Session, experiment_id: int, number: int, *, state: str, reason: str, evidence: Mapping[str, Any]
) -> bool:
    """Store the verdict before cycle `number`; False when another process has judged it, or it has ended."""
    judged = update(Experiment).where(
        Experiment.id == experiment_id,
        Experiment.state == RUNNING,
        Experiment.judged.is_(None) | (Experiment.judged < number),
    )
    values = {"state": state, "reason": reason, "evidence": dict(evidence), "judged": number}
    if state != RUNNING:
        values["ended_at"] = func.now()
    return session.execute(judged.values(values).returning(Experiment.id)).first() is not None


def end_by_hand(session: Session, artist_id: int, reason: str) -> None:
    """End the running experiment, if there is one: the operator has taken another version."""
    mine = update(Experiment).where(Experiment.artist_id == artist_id, Experiment.state == RUNNING)
    session.execute(mine.values(state=ENDED, reason=reason, ended_at=func.now()))


def taken_back(session: Session, artist_id: int) -> dict[int, str]:
    """Ids of the versions that lost their experiment, and why: what they made is no measure of those that stayed."""
    lost = select(Experiment.changed_id, Experiment.reason).where(
        Experiment.artist_id == artist_id, Experiment.state.in_((REVERTED, ENDED))
    )
    return {version_id: reason or "no reason was given" for version_id, reason in session.execute(lost)}
