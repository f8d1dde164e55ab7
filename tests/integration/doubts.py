"""Requests in doubt, for tests: the sandbox was paid, its answer was lost, and it does not call back."""

from typing import Any

from sqlalchemy import update

from muzikantas.models import budget, cycle, generation, settlement
from muzikantas.models.generation import Generation
from muzikantas.studio import studio
from tests.integration.label import Label, fault

#: What the sandbox charges for a request.
PRICE = 10


def in_doubt(label: Label, **more: Any) -> tuple[Generation, str]:
    """Make a paid request whose answer is lost, in a cycle that has ended without it; give it and its real task."""
    artist_id, genre = label.artist(slots=1)
    with label.faults(fault("generate", genre, do={"accept_then_drop": True, "callback": "missing", **more})):
        cycle_id = label.start(artist_id)
        ended = label.finish(cycle_id)
    (row,) = label.slots(cycle_id)
    assert (ended.state, row.state) == ("starved", generation.UNKNOWN), f"{ended.reason}; {row.reason}"
    assert spent(row) == PRICE
    return row, task_of(label, row)


def task_of(label: Label, row: Generation) -> str:
    """Give the sandbox's task of a request."""
    entries = label.admin("ledger")["requests"]
    (task_id,) = [str(entry["task_id"]) for entry in entries if (entry["reference"] or "").endswith(str(row.reference))]
    return task_id


def now(row: Generation) -> Generation:
    """Load a request as it stands."""
    with studio().begin() as session:
        found = settlement.find(session, row.id)
    assert found is not None
    return found


def change(row: Generation, **values: Any) -> None:
    """Put a request into a state that takes long to come about."""
    with studio().begin() as session:
        session.execute(update(Generation).where(Generation.id == row.id).values(**values))


def spent(row: Generation) -> int:
    """What the request's artist has spent; nothing may be reserved any more."""
    with studio().begin() as session:
        owner = cycle.get(session, row.cycle_id).artist_id
        total, reserved = budget.spent_by(session, owner, budget.CREDITS)
    assert reserved == 0
    return total


def becomes_a_track(label: Label, row: Generation) -> None:
    """Wait until the request is a track: one, paid once, in the cycle that asked for it."""

    def is_over() -> bool:
        current = now(row)
        return current.finished_at is not None and current.state != generation.UNKNOWN

    label.wait(is_over, f"generation {row.id} is over")
    assert (now(row).state, now(row).reason) == (generation.COMPLETE, None)
    assert label.tracks(row.cycle_id) == 1
    assert label.paid(row.cycle_id) == [str(row.reference)]
    assert spent(row) == PRICE
