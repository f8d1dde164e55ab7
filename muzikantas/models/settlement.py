"""How requests are settled from outside the submit: by a callback, a balance, or a person."""

import uuid
from datetime import timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from muzikantas.models.generation import FAILED, SUBMITTED, SUBMITTING, UNKNOWN, Generation, change


def by_reference(session: Session, provider: str, reference: uuid.UUID) -> Generation | None:
    """Load and lock the request behind our reference; None when there is none at this provider."""
    return _locked(session, Generation.reference == reference, Generation.provider == provider)


def find(session: Session, generation_id: int) -> Generation | None:
    """Load and lock a request by its number, or None."""
    return _locked(session, Generation.id == generation_id)


def unknown(session: Session) -> list[Generation]:
    """List the requests whose end nobody knows, oldest first."""
    return list(session.scalars(select(Generation).where(Generation.state == UNKNOWN).order_by(Generation.id)))


def owner_of(session: Session, provider: str, task_id: str) -> int | None:
    """Give the number of the request that has this task id at the provider, or None."""
    same = select(Generation.id).where(Generation.provider == provider, Generation.provider_task_id == task_id)
    return session.scalars(same.limit(1)).one_or_none()


def accept(
    session: Session, generation_id: int, *, task_id: str, patience_s: float, deadline_s: float, revive: bool = False
) -> Generation | None:
    """Note that the provider has the request, and let the poll come at once; None where nothing was in doubt.

    What was counted as spent stays so. The poll gets a new deadline: the old one may have passed while nobody knew.
    With `revive` a request that was given up counts too: the provider says that it made it after all.
    """
    return change(
        session,
        generation_id,
        Generation.state.in_((SUBMITTING, UNKNOWN, FAILED) if revive else (SUBMITTING, UNKNOWN)),
        state=SUBMITTED,
        reason=None,
        finished_at=None,
        provider_task_id=task_id,
        submitted_at=func.coalesce(Generation.submitted_at, Generation.sent_at, func.now()),
        next_poll_at=func.now(),
        due_at=func.now() + timedelta(seconds=patience_s),
        deadline_at=func.greatest(Generation.deadline_at, func.now() + timedelta(seconds=deadline_s)),
    )


def hasten(session: Session, generation_id: int, *, patience_s: float) -> Generation | None:
    """Let the next look at a submitted request come at once; None when one is due already."""
    return change(
        session,
        generation_id,
        Generation.state == SUBMITTED,
        Generation.next_poll_at > func.now(),
        next_poll_at=func.now(),
        due_at=func.now() + timedelta(seconds=patience_s),
    )


def lose(session: Session, generation_id: int, reason: str) -> Generation | None:
    """End an unknown request for good; None when it is not unknown any more."""
    return change(session, generation_id, Generation.state == UNKNOWN, state=FAILED, reason=reason)


def remark(session: Session, generation_id: int, remark: str) -> Generation | None:
    """Add to the reason of an unknown request; None when it says so already, or is not unknown any more."""
    said = func.coalesce(Generation.reason, "")
    new = ~said.contains(remark, autoescape=True)
    longer = func.concat_ws("; ", Generation.reason, remark)
    return change(session, generation_id, Generation.state == UNKNOWN, new, reason=longer)


def _locked(session: Session, *which: ColumnElement[bool]) -> Generation | None:
    return session.scalars(select(Generation).where(*which).with_for_update()).one_or_none()
