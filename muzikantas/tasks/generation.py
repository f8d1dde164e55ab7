"""Make one slot's takes: send the paid request at most once, then look until the provider has finished.

Every delivery reads the row and does what its state asks for, so any of them may be killed and run again.
"""

from datetime import timedelta

from muzikantas.celery import app
from muzikantas.domain.errors import TransientError, Unauthorized
from muzikantas.domain.waiting import Wait, peek, tick_s
from muzikantas.models import budget, generation, take
from muzikantas.models.base import database_now
from muzikantas.models.generation import Generation
from muzikantas.tasks.slots import SlotTask, end, park, subject
from muzikantas.tasks.submission import lease_s, submit

#: A wrong key is looked at again this often while the request's deadline allows.
KEY_MENDED_S = 60.0


@app.task(base=SlotTask, bind=True)
def generate(self: SlotTask, generation_id: int) -> int:
    """Bring a generation to `complete`, or to the reason why not."""
    with self.studio.begin() as session:
        row = generation.get(session, generation_id)
        now = database_now(session)
    if row.finished_at is None and row.state == generation.INTENDED:
        row = submit(self, row)
    if row.finished_at is not None or row.state == generation.COMPLETE:
        self.studio.suno_governor.release(str(row.reference))
    elif row.state == generation.SUBMITTING:
        _wait_for_answer(self, row)
    elif row.state == generation.SUBMITTED:
        if row.next_poll_at is not None and row.next_poll_at > now:
            raise Wait(row.next_poll_at, "not the time to look yet")
        _look(self, row)
    return generation_id


def _wait_for_answer(task: SlotTask, row: Generation) -> None:
    """Wait while the delivery that sent the request may still answer; then park it as unknown."""
    with task.studio.begin() as session:
        now = database_now(session)
        if row.submit_deadline is not None and row.submit_deadline > now:
            raise Wait(peek(row.submit_deadline, now), "another delivery sent the request; its answer may still come")
        park(session, row, "the sending task died; nobody knows whether the provider accepted the request")
    task.studio.suno_governor.release(str(row.reference))


def _look(task: SlotTask, row: Generation) -> None:
    """Ask the provider once, and store takes, failure, or the time of the next look."""
    studio = task.studio
    try:
        state = studio.music.look(row.provider_task_id or "", key=studio.settings.suno_api_key.get_secret_value())
    except Unauthorized as error:
        # What was paid for is not given up over a key that an operator can mend.
        raise TransientError(str(error), retry_after_s=KEY_MENDED_S) from error
    with studio.begin() as session:
        late = database_now(session) > row.deadline_at
        takes = state.takes or (state.so_far if late or state.failure else ())
        if takes:
            take.announce(session, row.id, takes)
            generation.complete(session, row.id)
            generation.move_due(session, row.id, patience_s=studio.settings.reconcile_after_s)
            budget.settle(session, subject=subject(row), spent=row.credits)
        elif state.failure is not None:
            outcome = generation.REFUSED if state.refused else generation.FAILED
            end(session, row, outcome, state.failure, refunded=state.refunded)
        elif late:
            waited = f"{studio.settings.generation_deadline_s:.0f} s"
            end(session, row, generation.FAILED, f"the provider had not finished after {waited}")
        else:
            _look_again(task, row)
    studio.suno_governor.release(str(row.reference))


def _look_again(task: SlotTask, row: Generation) -> None:
    """Plan the next look, keep the job's slot until then, and wait."""
    studio = task.studio
    with studio.begin() as session:
        usual = generation.usual_s(session, row.provider, default_s=studio.settings.suno_usual_s)
        pause = tick_s(usual, generation.in_flight(session, row.provider))
        generation.plan_look(session, row.id, in_s=pause)
        generation.move_due(session, row.id, patience_s=pause + studio.settings.reconcile_after_s)
        now = database_now(session)
    studio.suno_governor.renew(str(row.reference), lease_s(studio, pause))
    raise Wait(now + timedelta(seconds=pause), "the provider is still at work")
