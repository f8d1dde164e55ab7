"""What the tasks of a slot share: their final failure is a row, and the slot ends in one place."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from muzikantas.celery import StudioTask
from muzikantas.domain.errors import Refused
from muzikantas.models import budget, generation
from muzikantas.models.generation import Generation


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
        return True

    def wait_longer(self, until: datetime, *args: Any) -> None:  # noqa: ANN401 (the generation's id)
        """Let `reconcile` send this generation's tasks again at `until`."""
        seconds = (until - datetime.now(UTC)).total_seconds()
        with self.studio.begin() as session:
            generation.move_due(session, args[0], patience_s=seconds)


def subject(row: Generation) -> str:
    """Name a generation in the budget's book."""
    return f"generation:{row.id}"


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


def rights(row: Generation, *, plan: str, terms: str) -> dict[str, Any]:
    """Give the rights receipt of what a request yielded."""
    return {
        "provider": row.provider,
        "plan": plan,
        "model": row.words.model,
        "made_at": row.completed_at.isoformat() if row.completed_at else None,
        "task_id": row.provider_task_id,
        "terms": terms,
    }


#: Which parts a machine made; a stage that involves people would change its own entry.
DISCLOSURE = {"vocals": True, "composition": True, "lyrics": True, "instrumentation": True, "artwork": False}
