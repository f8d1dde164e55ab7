"""The ledger of paid music requests: one row a request, and the fence that lets it be sent at most once."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    bindparam,
    case,
    func,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from muzikantas.domain.brief import Brief
from muzikantas.domain.style import Style
from muzikantas.models.base import Base, Created, Id, Json, JsonList, Moment
from muzikantas.models.cycle import Cycle

INTENDED, SUBMITTING, SUBMITTED, COMPLETE = "intended", "submitting", "submitted", "complete"
FAILED, REFUSED, UNKNOWN = "failed", "refused", "unknown"
#: States in which a request may have been paid for and is not over.
IN_FLIGHT = (SUBMITTING, SUBMITTED)
#: Share of jobs that are to be finished at their first look. More would wait too long for the many quick ones.
USUALLY = 0.7
#: One job in so many is looked at earlier than the others, by this share of the usual duration: a job that is finished
#: at its first look does not say since when, and without scouts the usual duration could never become shorter.
SCOUTS, SCOUTING = 8, 0.9
#: So many scouts make a finding; when most of them came to finished jobs, the usual duration is taken to be shorter.
FINDING = 3


class Generation(Base):
    """One paid request for music: `intended → submitting → submitted → complete | failed | refused`, and `unknown`."""

    __tablename__ = "generations"
    __table_args__ = (
        UniqueConstraint("cycle_id", "slot", "attempt"),
        Index("ix_generations_unfinished", "due_at", postgresql_where=text("finished_at IS NULL")),
        Index("ix_generations_completed", "provider", "completed_at"),
        Index("ix_generations_sent", "account", "sent_at"),
        Index(
            "uq_generations_provider_task",
            "provider",
            "provider_task_id",
            unique=True,
            postgresql_where=text("provider_task_id IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    cycle_id: Mapped[int] = mapped_column(ForeignKey("cycles.id"))
    slot: Mapped[int]
    attempt: Mapped[int] = mapped_column(server_default="1")
    profile_id: Mapped[int | None] = mapped_column(ForeignKey("artist_profiles.id"))  #: whose words the brief has
    state: Mapped[str] = mapped_column(String(16), server_default=INTENDED)
    reason: Mapped[str | None]  #: why it failed, was refused, or is unknown
    asked_genre: Mapped[str] = mapped_column(String(64))
    asked_values: Mapped[JsonList]
    why_asked: Mapped[str]  #: the plan's reason for this style
    brief: Mapped[Json]  #: a `Brief`
    provider: Mapped[str] = mapped_column(String(32))
    account: Mapped[str | None] = mapped_column(String(64))  #: the key that it is sent with, by its public name
    reference: Mapped[uuid.UUID] = mapped_column(unique=True)  #: ours, sent along; nobody can guess it
    submit_token: Mapped[uuid.UUID | None]  #: of the one delivery that may write the answer
    submit_deadline: Mapped[Moment | None]  #: after it no answer can come any more
    provider_task_id: Mapped[str | None] = mapped_column(String(128))
    credits: Mapped[int] = mapped_column(server_default="0")  #: reserved or spent on it
    sent_at: Mapped[Moment | None]  #: when the right to send was taken
    submitted_at: Mapped[Moment | None]  #: when the provider was known to have it
    pending_at: Mapped[Moment | None]  #: the last look that found it unfinished
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


_WITH_TURN = (
    select(Generation, Cycle, func.clock_timestamp())
    .join(Cycle, Cycle.id == Generation.cycle_id)
    .where(Generation.id == bindparam("wanted"))
)


def with_turn(session: Session, generation_id: int) -> tuple[Generation, Cycle, datetime]:
    """Load a generation with its cycle, and the database's clock."""
    row = session.execute(_WITH_TURN, {"wanted": generation_id}).one()
    return row[0], row[1], row[2]


def of_cycle(session: Session, cycle_id: int) -> list[Generation]:
    """List a cycle's generations by slot and attempt."""
    mine = select(Generation).where(Generation.cycle_id == cycle_id)
    return list(session.scalars(mine.order_by(Generation.slot, Generation.attempt)))


def unfinished(session: Session, cycle_id: int) -> int:
    """Count the cycle's generations for which something is left to do."""
    left = select(func.count()).where(Generation.cycle_id == cycle_id, Generation.finished_at.is_(None))
    return session.scalar(left) or 0


def claim(
    session: Session, generation_id: int, *, account: str, token: uuid.UUID, deadline_s: float, credits_asked: int
) -> Generation | None:
    """Take the one right to send this request; None when it was taken before (who gets None does not call)."""
    return _change(
        session,
        generation_id,
        (INTENDED,),
        state=SUBMITTING,
        account=account,
        sent_at=func.clock_timestamp(),
        submit_token=token,
        submit_deadline=func.clock_timestamp() + timedelta(seconds=deadline_s),
        credits=credits_asked,
    )


def withdraw(session: Session, generation_id: int, token: uuid.UUID | None) -> Generation | None:
    """Go back to `intended` after an answer that proves that nothing was made and nothing charged."""
    values = {"state": INTENDED, "account": None, "sent_at": None, "submit_token": None, "credits": 0}
    return _change(session, generation_id, (SUBMITTING,), token, **values)


def turn_to(session: Session, generation_id: int, *, provider: str, model: str) -> Generation | None:
    """Intend to ask another provider, for its model."""
    words = Generation.brief.op("||")(func.jsonb_build_object("model", model))
    return _change(session, generation_id, (INTENDED,), provider=provider, brief=words)


def record_submitted(
    session: Session,
    generation_id: int,
    token: uuid.UUID | None,
    *,
    task_id: str,
    first_look_s: float,
    patience_s: float = 0.0,
) -> Generation | None:
    """Store the provider's task id; a late answer with the token counts on `unknown` too.

    `patience_s` after the first look is due, `reconcile` sends the tasks again.
    """
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
        due_at=func.now() + timedelta(seconds=first_look_s + patience_s),
    )


def park_unknown(session: Session, generation_id: int, reason: str) -> Generation | None:
    """Mark a request whose end nobody knows. It counts as spent and is never sent again by itself."""
    return _change(session, generation_id, (SUBMITTING,), state=UNKNOWN, reason=reason, finished_at=func.now())


def plan_look(session: Session, generation_id: int, *, in_s: float, patience_s: float) -> Generation | None:
    """Note that the provider has not finished, when to look next, and how long after that somebody else is to."""
    next_at, due_at = (func.now() + timedelta(seconds=seconds) for seconds in (in_s, in_s + patience_s))
    return _change(session, generation_id, (SUBMITTED,), pending_at=func.now(), next_poll_at=next_at, due_at=due_at)


def complete(session: Session, generation_id: int, *, patience_s: float) -> Generation | None:
    """Note that the provider has made it; after `patience_s` without a sign of life its tasks are sent again."""
    due_at = func.now() + timedelta(seconds=patience_s)
    return _change(session, generation_id, (SUBMITTED,), state=COMPLETE, completed_at=func.now(), due_at=due_at)


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


def late(session: Session, provider: str) -> int:
    """Count the provider's requests that were unfinished when they were looked at: each is looked at again."""
    watched = select(func.count()).where(Generation.provider == provider, Generation.pending_at.is_not(None))
    return session.scalar(watched.where(Generation.state == SUBMITTED)) or 0


def usual_s(session: Session, provider: str, *, default_s: float, sample: int = 50) -> float:
    """Seconds after which most jobs are finished, by the provider's last ones; `default_s` while under five are known.

    A job's own duration lies between the last look that found it unfinished and the one that did not: the middle
    stands for it. A look counts when it was due: that our workers came late says nothing about the provider.
    """
    seen = func.extract("epoch", Generation.next_poll_at - Generation.submitted_at)
    before = func.extract("epoch", Generation.pending_at - Generation.submitted_at)
    last = (
        select(
            case((Generation.pending_at.is_(None), seen), else_=(before + seen) / 2).label("took"),
            (Generation.id % SCOUTS == 0).label("scout"),
            Generation.pending_at.is_(None).label("at_once"),
        )
        .where(Generation.provider == provider, Generation.completed_at.is_not(None))
        .order_by(Generation.completed_at.desc())
        .limit(sample)
        .subquery()
    )
    most = func.percentile_cont(USUALLY).within_group(last.c.took)
    scouts = func.count().filter(last.c.scout)
    quick = func.count().filter(last.c.scout, last.c.at_once)
    shorter = case((scouts >= FINDING, case((quick >= USUALLY * scouts, SCOUTING), else_=1.0)), else_=1.0)
    usual = session.scalar(select(case((func.count() >= 5, most * shorter))).select_from(last))
    return default_s if usual is None else float(usual)


def first_look_s(generation_id: int, usual_s: float) -> float:
    """Seconds from a submit to the first look: scouts come a little earlier.

    >>> [first_look_s(n, 100) for n in (7, 8, 9)]
    [100, 90.0, 100]
    """
    return usual_s * SCOUTING if generation_id % SCOUTS == 0 else usual_s


def change(session: Session, generation_id: int, *which: ColumnElement[bool], **values: object) -> Generation | None:
    """Update a row if `which` still holds: one conditional statement. None when it does not."""
    changed = update(Generation).where(Generation.id == generation_id, *which).values(**values).returning(Generation)
    # What comes back is all that the session needs to know: it need not work out which of its rows have changed.
    known = {"populate_existing": True, "synchronize_session": False}
    return session.scalars(changed.execution_options(**known)).one_or_none()


def _change(
    session: Session, generation_id: int, states: tuple[str, ...], token: uuid.UUID | None = None, **values: object
) -> Generation | None:
    """Update a row that is in one of `states`, and holds `token` where one is given."""
    mine = () if token is None else (Generation.submit_token == token,)
    return change(session, generation_id, Generation.state.in_(states), *mine, **values)
