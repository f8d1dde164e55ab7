"""Make one slot's takes: send the paid request at most once, then look until the provider has finished.

Every delivery reads the row and does what its state asks for, so any of them may be killed and run again.
"""

import uuid
from datetime import timedelta

from muzikantas.celery import StudioTask, app
from muzikantas.domain.errors import PermanentError, TransientError, UnknownOutcome
from muzikantas.domain.waiting import Wait, first_look_s, tick_s
from muzikantas.models import budget, cycle, generation, take
from muzikantas.models.base import database_now
from muzikantas.models.generation import Generation
from muzikantas.studio import Studio
from muzikantas.tasks.slots import SlotTask, end, park, subject

#: Longer than a submit's connect and total timeouts together (`clients/http.py`): after it no answer can come.
SUBMIT_DEADLINE_S = 60.0


@app.task(base=SlotTask, bind=True)
def generate(self: SlotTask, generation_id: int) -> int:
    """Bring a generation to `complete`, or to the reason why not."""
    with self.studio.begin() as session:
        row = generation.get(session, generation_id)
        over = row.finished_at is not None or row.state == generation.COMPLETE
        now = database_now(session)
    if over:
        return generation_id
    if row.state == generation.INTENDED:
        row = _submit(self, row)
    if row.state == generation.SUBMITTING:
        _wait_for_answer(self, row)
    elif row.state == generation.SUBMITTED:
        if row.next_poll_at is not None and row.next_poll_at > now:
            raise Wait(row.next_poll_at, "not the time to look yet")
        _look(self, row)
    return generation_id


def _submit(task: SlotTask, row: Generation) -> Generation:
    """Send the request, if this delivery gets the right to; give the row as it stands then."""
    studio = task.studio
    with studio.begin() as session:
        if cycle.get(session, row.cycle_id).state != cycle.RUNNING:
            end(session, row, generation.FAILED, "the cycle ended before the request was sent")
            return generation.get(session, row.id)
    studio.suno_governor.admit(lease=str(row.reference), lease_s=studio.settings.generation_deadline_s)
    try:
        claimed = _claim(task, row)
    except PermanentError:
        studio.suno_governor.release(str(row.reference))
        raise
    if claimed is None:  # another delivery was faster
        with studio.begin() as session:
            return generation.get(session, row.id)
    return _send(task, claimed)


def _claim(task: SlotTask, row: Generation) -> Generation | None:
    """Take the right to send and set the money aside, in one transaction."""
    price = task.studio.settings.suno_credits_per_request
    with task.studio.begin() as session:
        claimed = generation.claim(session, row.id, deadline_s=SUBMIT_DEADLINE_S, credits_asked=price)
        if claimed is not None:
            owner = cycle.get(session, row.cycle_id).artist_id
            budget.reserve(session, owner, budget.CREDITS, price, subject=subject(row))
    return claimed


def _send(task: SlotTask, row: Generation) -> Generation:
    """Make the paid call and write down its answer."""
    studio = task.studio
    try:
        task_id = studio.suno.submit(row.words, reference=str(row.reference))
    except UnknownOutcome as error:
        with studio.begin() as session:
            park(session, row, str(error))
            return generation.get(session, row.id)
    except (TransientError, PermanentError) as error:
        # Documented as not created: the right to send goes back, and the error says what comes next.
        with studio.begin() as session:
            if generation.withdraw(session, row.id, row.submit_token) is not None:
                budget.settle(session, subject=subject(row), spent=0)
        studio.suno_governor.release(str(row.reference))
        if isinstance(error, TransientError) and error.retry_after_s is not None:
            studio.suno_governor.cool_down(error.retry_after_s)
        raise
    try:
        submitted = _record(studio, row.id, row.submit_token, task_id)
    except TransientError:
        # The answer was paid for: without a database to hold it, the broker carries it until there is one.
        record_answer.delay(row.id, str(row.submit_token), task_id)
        raise
    if submitted.next_poll_at is not None:
        raise Wait(submitted.next_poll_at, "the provider is at work")
    return submitted


@app.task(bind=True)
def record_answer(self: StudioTask, generation_id: int, token: str, task_id: str) -> int:
    """Write down the answer to a paid request that could not be written at once."""
    _record(self.studio, generation_id, uuid.UUID(token), task_id)
    return generation_id


def _record(studio: Studio, generation_id: int, token: uuid.UUID | None, task_id: str) -> Generation:
    """Store the provider's task id, and when to look first."""
    with studio.begin() as session:
        provider = generation.get(session, generation_id).provider
        look_in = first_look_s(generation.usual_s(session, provider, default_s=studio.settings.suno_usual_s))
        generation.record_submitted(session, generation_id, token, task_id=task_id, first_look_s=look_in)
        generation.move_due(session, generation_id, patience_s=look_in + studio.settings.reconcile_after_s)
        return generation.get(session, generation_id)


def _wait_for_answer(task: SlotTask, row: Generation) -> None:
    """Wait while the delivery that sent the request may still answer; then park it as unknown."""
    with task.studio.begin() as session:
        if row.submit_deadline is not None and row.submit_deadline > database_now(session):
            raise Wait(row.submit_deadline, "another delivery sent the request; its answer may still come")
        park(session, row, "the sending task died; nobody knows whether the provider accepted the request")


def _look(task: SlotTask, row: Generation) -> None:
    """Ask the provider once, and store takes, failure, or the time of the next look."""
    studio = task.studio
    state = studio.suno.look(row.provider_task_id or "")
    with studio.begin() as session:
        if state.takes is not None:
            take.announce(session, row.id, state.takes)
            generation.complete(session, row.id)
            generation.move_due(session, row.id, patience_s=studio.settings.reconcile_after_s)
            budget.settle(session, subject=subject(row), spent=row.credits)
        elif state.failure is not None:
            outcome = generation.REFUSED if state.refused else generation.FAILED
            end(session, row, outcome, state.failure, refunded=state.refunded)
        elif database_now(session) > row.deadline_at:
            waited = f"{studio.settings.generation_deadline_s:.0f} s"
            end(session, row, generation.FAILED, f"the provider had not finished after {waited}")
        else:
            _look_again(task, row)
    studio.suno_governor.release(str(row.reference))


def _look_again(task: SlotTask, row: Generation) -> None:
    """Plan the next look and wait for it."""
    studio = task.studio
    with studio.begin() as session:
        usual = generation.usual_s(session, row.provider, default_s=studio.settings.suno_usual_s)
        pause = tick_s(usual, generation.in_flight(session, row.provider))
        generation.plan_look(session, row.id, in_s=pause)
        generation.move_due(session, row.id, patience_s=pause + studio.settings.reconcile_after_s)
        now = database_now(session)
    raise Wait(now + timedelta(seconds=pause), "the provider is still at work")
