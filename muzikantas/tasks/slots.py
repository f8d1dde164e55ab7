"""What the tasks of a slot share: their final failure is a row, and the slot ends in one place."""

import contextlib
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from muzikantas.celery import StudioTask
from muzikantas.domain.errors import Refused, TransientError
from muzikantas.models import budget, generation
from muzikantas.models.generation import Generation
from muzikantas.studio import Studio


class SlotTask(StudioTask):
    """A task in a chord's header, about one generation: it never raises for good."""

    abstract = True

    def give_up(self, error: BaseException, *args: Any) -> bool:  # noqa: ANN401 (the generation's id)
        """End the slot with its reason; a request that may be on its way is parked, not failed."""
        why = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        with self.studio.begin() as session:
            row = generation.get(session, args[0])
            if row.state == generation.SUBMITTING:
                park(session, row, f"the sending task ended without an answer ({why})")
            else:
                state = generation.REFUSED if isinstance(error, Refused) else generation.FAILED
                end(session, row, state, why)
        with contextlib.suppress(TransientError):  # without Redis the lease ends by itself
            self.studio.music(row.provider).governor.release(str(row.reference))
        return True

    def wait_longer(self, until: datetime, *args: Any) -> None:  # noqa: ANN401 (the generation's id)
        """Let `reconcile` send this generation's tasks again at `until`."""
        seconds = (until - datetime.now(UTC)).total_seconds()
        with self.studio.begin() as session:
            generation.move_due(session, args[0], patience_s=seconds)

    at_work = wait_longer


def subject(row: Generation) -> str:
    """Name a generation in the budget's book."""
    return f"generation:{row.id}"


def owner(artist_id: int) -> str:
    """Name an artist as the governor knows it: artists share what a provider allows."""
    return f"artist:{artist_id}"


def lease_s(studio: Studio, wait_s: float) -> float:
    """Give how long a job's slot is held when its next sign of life comes in `wait_s`: a lost job frees its own."""
    return wait_s + 2 * studio.settings.reconcile_after_s


def usual_s(studio: Studio, session: Session, provider: str) -> float:
    """Give after how many seconds most of a provider's jobs are finished; the figure is at most a second old."""
    default_s = studio.music(provider).facts.usual_s

    def ask() -> float:
        return generation.usual_s(session, provider, default_s=default_s)

    return studio.remembered(f"usual_s:{provider}", ask, for_s=1.0)


def hold(studio: Studio, row: Generation, artist_id: int, wait_s: float) -> None:
    """Keep a job's slot at its provider until the next sign of life; a job that had lost it has one again."""
    if row.account is None:
        return
    governor = studio.music(row.provider).governor
    # What was written down stands without Redis too: then the lease ends by itself.
    with contextlib.suppress(TransientError):
        governor.renew(str(row.reference), lease_s(studio, wait_s), account=row.account, owner=owner(artist_id))


def end(session: Session, row: Generation, state: str, reason: str | None, *, refunded: bool = False) -> None:
    """End a slot and its money: what was sent counts as spent, unless the provider gave it back."""
    if generation.finish(session, row.id, state, reason) is None:
        return
    sent = row.submitted_at is not None
    budget.settle(session, subject=subject(row), spent=row.credits if sent else 0)
    if refunded and sent:
        budget.refund(session, subject=subject(row), amount=row.credits)


def park(session: Session, row: Generation, reason: str) -> None:
    """Park a request whose end nobody knows; it counts as spent."""
    parked = generation.park_unknown(session, row.id, reason)
    if parked is not None:
        budget.settle(session, subject=subject(parked), spent=parked.credits)


def rights(studio: Studio, row: Generation) -> dict[str, Any]:
    """Give the rights receipt of what a request yielded."""
    facts = studio.music(row.provider).facts
    return {
        "provider": row.provider,
        "account": row.account,
        "plan": studio.settings.music(row.provider).plan,
        "model": row.words.model,
        "made_at": row.completed_at.isoformat() if row.completed_at else None,
        "task_id": row.provider_task_id,
        "terms": facts.terms,
        "commercial_rights": facts.commercial_rights,
    }


#: Which parts a machine made; a stage that involves people would change its own entry.
DISCLOSURE = {"vocals": True, "composition": True, "lyrics": True, "instrumentation": True, "artwork": False}
