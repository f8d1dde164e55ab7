"""The ledger of paid music requests: one row a request, and the fence that lets it be sent at most once."""

import uuid
from datetime import timedelta

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, case, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.domain.brief import Brief
from muzikantas.domain.style import Style
from muzikantas.models.base import Base, Created, Id, Json, JsonList, Moment

INTENDED, SUBMITTING, SUBMITTED, COMPLETE = "intended", "submitting", "submitted", "complete"
FAILED, REFUSED, UNKNOWN = "failed", "refused", "unknown"
#: States in which a request may have been paid for and is not over.
IN_FLIGHT = (SUBMITTING, SUBMITTED)


class Generation(Base):
    """One paid request for music: `intended → submitting → submitted → complete | failed | refused`, and `unknown`."""

    __tablename__ = "generations"
    __table_args__ = (
        UniqueConstraint("cycle_id", "slot", "attempt"),
        Index("ix_generations_unfinished", "due_at", postgresql_where=text("finished_at IS NULL")),
        Index("ix_generations_submitted", "provider", "submitted_at"),
    )

    id: Mapped[Id]
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycles.id"))
    slot: Mapped[int]
    attempt: Mapped[int] = mapped_column(server_default="1")
    state: Mapped[str] = mapped_column(String(16), server_default=INTENDED)
    reason: Mapped[str | None]  #: why it failed, was refused, or is unknown
    asked_genre: Mapped[str] = mapped_column(String(64))
    asked_values: Mapped[JsonList]
    why_asked: Mapped[str]  #: the plan's reason for this style
    brief: Mapped[Json]  #: a `Brief`
    provider: Mapped[str] = mapped_column(String(32))
    reference: Mapped[uuid.UUID] = mapped_column(unique=True)  #: ours, sent along; nobody can guess it
    submit_token: Mapped[uuid.UUID | None]  #: of the one delivery that may write the answer
    submit_deadline: Mapped[Moment | None]  #: after it no answer can come any more
    provider_task_id: Mapped[str | None] = mapped_column(String(128))
    credits: Mapped[int] = mapped_column(server_default="0")  #: reserved or spent on it
    submitted_at: Mapped[Moment | None]
    completed_at: Mapped[Moment | None]
    next_poll_at: Mapped[Moment | None]  #: no look at the provider before
    due_at: Mapped[Moment]  #: when `reconcile` sends its tasks again, unless a stage moves this on
    deadline_at: Mapped[Moment]  #: when nobody waits for it any more
    finished_at: Mapped[Moment | None]  #: nothing is left to do for the cycle: a track, or a reason
    created_at: Mapped[Created]

    @property
    def asked(self) -> Style:
        """The style that was asked for."""
        return Style(self.asked_genre, tuple(self.asked_values))

    @property
    def words(self) -> Brief:
        """The request in words."""
        return Brief(**self.brief)


def get(session: Session, generation_id: int) -> Generation:
    """Load a generation by id."""
    return session.get_one(Generation, generation_id)


def of_cycle(session: Session, cycle_id: int) -> list[Generation]:
    """List a cycle's generations by slot and attempt."""
    mine = select(Generation).where(Generation.cycle_id == cycle_id)
    return list(session.scalars(mine.order_by(Generation.slot, Generation.attempt)))


def unfinished(session: Session, cycle_id: int) -> int:
    """Count the cycle's generations for which something is left to do."""
    left = select(func.count()).where(Generation.cycle_id == cycle_id, Generation.finished_at.is_(None))
    return session.scalar(left) or 0


def claim(
    session: Session, generation_id: int, *, token: uuid.UUID, deadline_s: float, credits_asked: int
) -> Generation | None:
    """Take the one right to send this request; None when it was taken before (who gets None does not call)."""
    return _change(
        session,
        generation_id,
        (INTENDED,),
        state=SUBMITTING,
        submit_token=token,
        submit_deadline=func.clock_timestamp() + timedelta(seconds=deadline_s),
        credits=credits_asked,
    )


def withdraw(session: Session, generation_id: int, token: uuid.UUID | None) -> Generation | None:
    """Go back to `intended` after an answer that proves that nothing was made and nothing charged."""
    return _change(session, generation_id, (SUBMITTING,), token, state=INTENDED, submit_token=None, credits=0)


def record_submitted(
    session: Session, generation_id: int, token: uuid.UUID | None, *, task_id: str, first_look_s: float
) -> Generation | None:
    """Store the provider's task id; a late answer with the token counts on `unknown` too."""
    return _change(
        session,
        generation_id,
        (SUBMITTING, UNKNOWN),
        token,
        state=SUBMITTED,
        reason=None,
        finished_at=None,
        provider_task_id=task_id,
        submitted_at=func.now(),
        next_poll_at=func.now() + timedelta(seconds=first_look_s),
    )


def park_unknown(session: Session, generation_id: int, reason: str) -> Generation | None:
    """Mark a request whose end nobody knows. It counts as spent and is never sent again by itself."""
    return _change(session, generation_id, (SUBMITTING,), state=UNKNOWN, reason=reason, finished_at=func.now())


def plan_look(session: Session, generation_id: int, *, in_s: float) -> Generation | None:
    """Set when to look at the provider next."""
    return _change(session, generation_id, (SUBMITTED,), next_poll_at=func.now() + timedelta(seconds=in_s))


def complete(session: Session, generation_id: int) -> Generation | None:
    """Note that the provider has made it."""
    return _change(session, generation_id, (SUBMITTED,), state=COMPLETE, completed_at=func.now())


def finish(session: Session, generation_id: int, state: str, reason: str | None) -> Generation | None:
    """End a request that is not over yet, with its reason; None when it was over already."""
    over = (INTENDED, SUBMITTING, SUBMITTED, COMPLETE)
    return _change(session, generation_id, over, state=state, reason=reason, finished_at=func.now())


def move_due(session: Session, generation_id: int, *, patience_s: float) -> None:
    """Tell `reconcile` that somebody is at work on this generation."""
    moved = update(Generation).where(Generation.id == generation_id, Generation.finished_at.is_(None))
    session.execute(moved.values(due_at=func.now() + timedelta(seconds=patience_s)))


def overdue(session: Session) -> list[Generation]:
    """List generations that nobody has touched in time; rows that another `reconcile` holds are left out."""
    late = select(Generation).where(Generation.finished_at.is_(None), Generation.due_at <= func.now())
    return list(session.scalars(late.order_by(Generation.id).with_for_update(skip_locked=True)))


def in_flight(session: Session, provider: str) -> int:
    """Count the provider's requests that are on their way."""
    flying = select(func.count()).where(Generation.provider == provider, Generation.state.in_(IN_FLIGHT))
    return session.scalar(flying) or 0


def usual_s(session: Session, provider: str, *, default_s: float, sample: int = 50) -> float:
    """Median seconds from submit to completion of the provider's last jobs; `default_s` while under five are known."""
    took = func.extract("epoch", Generation.completed_at - Generation.submitted_at)
    last = (
        select(took.label("took"))
        .where(Generation.provider == provider, Generation.completed_at.is_not(None))
        .order_by(Generation.completed_at.desc())
        .limit(sample)
        .subquery()
    )
    median = func.percentile_cont(0.5).within_group(last.c.took)
    usual = session.scalar(select(case((func.count() >= 5, median))).select_from(last))
    return default_s if usual is None else float(usual)


def _change(
    session: Session, generation_id: int, states: tuple[str, ...], token: uuid.UUID | None = None, **values: object
) -> Generation | None:
    """Update the row if it is in one of `states` (and holds `token`, where one is given): one conditional statement."""
    allowed = update(Generation).where(Generation.id == generation_id, Generation.state.in_(states))
    if token is not None:
        allowed = allowed.where(Generation.submit_token == token)
    changed = allowed.values(**values).returning(Generation).execution_options(populate_existing=True)
    return session.scalars(changed).one_or_none()
