"""The fence in PostgreSQL itself: many hands reach for one right, and one gets it."""

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func

from muzikantas.models import cycle, generation
from muzikantas.models.base import insert_or_keep
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
    """Run the same work in threads that begin together; give results."""
    gate = threading.Barrier(times)

    def one(_: int) -> Any:
        gate.wait()
        return work()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def claim(request_id: int) -> Generation | None:
    with studio().begin() as session:
        return generation.claim(
            session, request_id, account="test", token=uuid.uuid4(), deadline_s=60, credits_asked=10
        )


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
        late = generation.record_submitted(
            session, request_id, row.submit_token, task_id=f"made-{request_id}", first_look_s=1
        )
    assert late is not None
    assert (late.state, late.provider_task_id, late.finished_at) == (generation.SUBMITTED, f"made-{request_id}", None)


def test_no_state_goes_back(request_id: int) -> None:
    row = claim(request_id)
    assert row is not None
    with studio().begin() as session:
        generation.record_submitted(session, request_id, row.submit_token, task_id=f"made-{request_id}", first_look_s=1)
        assert generation.withdraw(session, request_id, row.submit_token) is None
        assert generation.park_unknown(session, request_id, "late") is None
        assert (
            generation.claim(session, request_id, account="test", token=uuid.uuid4(), deadline_s=60, credits_asked=10)
            is None
        )
        assert generation.complete(session, request_id, patience_s=60) is not None
        assert generation.finish(session, request_id, generation.COMPLETE, None) is not None
    assert claim(request_id) is None
