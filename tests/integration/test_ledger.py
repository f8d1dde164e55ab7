"""The fence and the budgets in PostgreSQL itself: many hands reach for one right, and one gets it."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func

from muzikantas.domain.errors import BudgetExceeded
from muzikantas.models import budget, cycle, generation
from muzikantas.models.base import insert_or_keep
from muzikantas.models.budget import Budget, BudgetEntry
from muzikantas.models.generation import Generation
from muzikantas.studio import studio
from muzikantas.tasks.cycles import start
from tests.integration.label import Label

BRIEF = {"style": "x", "title": "t", "lyrics": None, "negative_tags": "", "vocal_gender": None, "model": "V5"}


@pytest.fixture
def request_id(label: Label) -> int:
    """A generation of a cycle that no task works on: its cycle was cancelled."""
    artist_id, genre = label.artist(slots=1)
    with studio().begin() as session:
        from muzikantas.models import artist  # noqa: PLC0415 (only here)

        turn = start(session, artist.get(session, artist_id), studio().settings)
        assert turn is not None
        cycle.end(session, turn.id, "cancelled")
        reference = uuid.uuid4()
        insert_or_keep(
            session,
            Generation,
            cycle_id=turn.id,
            slot=1,
            asked_genre=genre,
            asked_values=[0.5] * 5,
            why_asked="a test",
            brief=BRIEF,
            provider="nobody",
            reference=reference,
            due_at=func.now() + timedelta(days=1),
            deadline_at=func.now() + timedelta(days=1),
        )
        session.flush()
        return generation.of_cycle(session, turn.id)[0].id


def at_once(work: Callable[[], Any], times: int) -> list[Any]:
    """Run the same work in threads that begin together; give results and errors."""
    gate = threading.Barrier(times)

    def one(_: int) -> Any:
        gate.wait()
        try:
            return work()
        except BudgetExceeded as error:
            return error

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def claim(request_id: int) -> Generation | None:
    with studio().begin() as session:
        return generation.claim(session, request_id, token=uuid.uuid4(), deadline_s=60, credits_asked=10)


def test_of_many_deliveries_one_gets_the_right_to_send(request_id: int) -> None:
    claims = at_once(lambda: claim(request_id), 5)
    assert sum(row is not None for row in claims) == 1


def test_a_withdrawn_right_can_be_taken_again_and_only_its_holder_can_withdraw(request_id: int) -> None:
    first = claim(request_id)
    assert first is not None
    with studio().begin() as session:
        assert generation.withdraw(session, request_id, uuid.uuid4()) is None
        assert generation.withdraw(session, request_id, first.submit_token) is not None
    second = claim(request_id)
    assert second is not None
    assert second.submit_token != first.submit_token


def test_a_late_answer_with_the_token_wakes_an_unknown_request_and_a_foreign_one_does_not(request_id: int) -> None:
    row = claim(request_id)
    assert row is not None
    with studio().begin() as session:
        assert generation.park_unknown(session, request_id, "nobody knows") is not None
    with studio().begin() as session:
        assert generation.record_submitted(session, request_id, uuid.uuid4(), task_id="x", first_look_s=1) is None
        late = generation.record_submitted(session, request_id, row.submit_token, task_id="made", first_look_s=1)
    assert late is not None
    assert (late.state, late.provider_task_id, late.finished_at) == (generation.SUBMITTED, "made", None)


def test_no_state_goes_back(request_id: int) -> None:
    row = claim(request_id)
    assert row is not None
    with studio().begin() as session:
        generation.record_submitted(session, request_id, row.submit_token, task_id="made", first_look_s=1)
        assert generation.withdraw(session, request_id, row.submit_token) is None
        assert generation.park_unknown(session, request_id, "late") is None
        assert generation.claim(session, request_id, token=uuid.uuid4(), deadline_s=60, credits_asked=10) is None
        assert generation.complete(session, request_id) is not None
        assert generation.finish(session, request_id, generation.COMPLETE, None) is not None
    assert claim(request_id) is None


def test_together_they_never_spend_more_than_the_hard_limit(label: Label) -> None:
    artist_id, _ = label.artist(credits_hard=35)
    numbers = iter(range(100))

    def reserve() -> None:
        with studio().begin() as session:
            budget.reserve(session, artist_id, budget.CREDITS, 10, subject=f"test {artist_id}:{next(numbers)}")

    outcomes = at_once(reserve, 5)
    assert sum(isinstance(outcome, BudgetExceeded) for outcome in outcomes) == 2
    assert "35" in str(next(outcome for outcome in outcomes if outcome))
    with studio().begin() as session:
        assert budget.spent_by(session, artist_id, budget.CREDITS) == (0, 30)


def test_settling_releasing_and_refunding_twice_is_once_and_the_entries_add_up(label: Label) -> None:
    artist_id, _ = label.artist(credits_hard=100)
    subject = f"test {artist_id}"
    for spent in (0, 10):
        with studio().begin() as session:
            budget.reserve(session, artist_id, budget.CREDITS, 12, subject=subject)
        for _ in range(2):
            with studio().begin() as session:
                budget.settle(session, subject=subject, spent=spent)
    with studio().begin() as session:
        assert budget.spent_by(session, artist_id, budget.CREDITS) == (10, 0)
    for _ in range(2):
        with studio().begin() as session:
            budget.refund(session, subject=subject, amount=10)
    with studio().begin() as session:
        assert budget.spent_by(session, artist_id, budget.CREDITS) == (0, 0)
        rows = session.query(BudgetEntry).filter_by(subject=subject).order_by(BudgetEntry.id).all()
        kinds = [(row.kind, row.amount) for row in rows]
    assert kinds == [("reserve", 12), ("release", 12), ("reserve", 12), ("settle", 10), ("refund", 10)]
    with studio().begin() as session:
        assert session.query(Budget).filter_by(artist_id=artist_id, period="default").one().spent == 0
