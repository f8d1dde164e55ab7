"""Money in tests: cycles that nobody works on, amounts that are booked on them, and what the rows say then."""

import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from muzikantas.domain.errors import BudgetExceeded
from muzikantas.models import artist, budget, cycle
from muzikantas.models.budget import CREDITS, Budget, BudgetEntry
from muzikantas.studio import studio
from muzikantas.tasks.cycles import start

_numbers = itertools.count()


def new_subject() -> str:
    """Name something that nobody has paid for yet."""
    return f"test:{next(_numbers)}"


def turn(artist_id: int) -> int:
    """Start the artist's next cycle in the database alone: no task works on it. One that runs is ended first."""
    with studio().begin() as session:
        running = cycle.running(session, artist_id)
        if running is not None:
            cycle.end(session, running.id, "cancelled")
        made = start(session, artist.get(session, artist_id), studio().settings)
        assert made is not None
        made.due_at += timedelta(days=1)  # else `reconcile` would begin its work, and spend
        return made.id


def limit(artist_id: int, template: str, *, soft: int | None = None, hard: int | None = None) -> None:
    """Set the limits of an artist's credits."""
    with studio().begin() as session:
        budget.set_limits(session, artist_id, CREDITS, soft=soft, hard=hard, template=template)


def reserve(artist_id: int, cycle_id: int, amount: int, subject: str | None = None) -> str:
    """Reserve credits for a subject, a new one unless it is given; give its name."""
    name = subject or new_subject()
    with studio().begin() as session:
        budget.reserve(session, artist_id, CREDITS, amount, subject=name, cycle_id=cycle_id)
    return name


def book(artist_id: int) -> dict[str, tuple[int, int]]:
    """Give spent and reserved by period, of every row that the artist has."""
    with studio().begin() as session:
        found = session.scalars(select(Budget).where(Budget.artist_id == artist_id, Budget.unit == CREDITS))
        return {row.period: (row.spent, row.reserved) for row in found}


def kinds(subject: str, period: str) -> list[tuple[str, int]]:
    """Give a subject's movements on one budget."""
    mine = select(BudgetEntry).join(Budget, Budget.id == BudgetEntry.budget_id).where(BudgetEntry.subject == subject)
    with studio().begin() as session:
        rows = session.scalars(mine.where(Budget.period == period).order_by(BudgetEntry.id))
        return [(row.kind, row.amount) for row in rows]


def month(artist_id: int) -> str:
    """Name the month that the artist's money is booked in: the newest."""
    return max(period for period in book(artist_id) if period[0].isdigit())


def added_up(entries: Sequence[BudgetEntry]) -> tuple[int, int]:
    """Add a budget's entries up by their meaning: a settlement or release ends all that its subject had reserved."""
    spent, reserved = 0, dict[str, int]()
    for entry in entries:
        if entry.kind == "reserve":
            reserved[entry.subject] = reserved.get(entry.subject, 0) + entry.amount
        if entry.kind in {"settle", "release"}:
            reserved[entry.subject] = 0
        spent += {"settle": 1, "charge": 1, "refund": -1}.get(entry.kind, 0) * entry.amount
    return spent, sum(reserved.values())


def at_once(*work: Callable[[], Any]) -> list[Any]:
    """Run work in threads that begin together; give results and refusals."""
    gate = threading.Barrier(len(work))

    def one(each: Callable[[], Any]) -> Any:
        gate.wait()
        try:
            return each()
        except BudgetExceeded as error:
            return error

    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(one, work))
