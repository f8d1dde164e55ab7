"""Make one slot's takes: send the paid request at most once, then look until the provider has finished.

Every delivery reads the row and does what its state asks for, so any of them may be killed and run again.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from muzikantas.celery import app
from muzikantas.domain.brief import JobState
from muzikantas.domain.errors import TransientError, Unauthorized
from muzikantas.domain.waiting import Wait, peek, tick_s
from muzikantas.models import generation
from muzikantas.models.base import database_now
from muzikantas.models.cycle import Cycle
from muzikantas.models.generation import Generation
from muzikantas.studio import Studio
from muzikantas.tasks.answers import kept_answer, store_takes
from muzikantas.tasks.slots import SlotTask, end, hold, park, usual_s
from muzikantas.tasks.submission import record, submit

#: A wrong key is looked at again this often while the request's deadline allows.
KEY_MENDED_S = 60.0


@app.task(base=SlotTask, bind=True)
def generate(self: SlotTask, generation_id: int) -> int:
    """Bring a generation to `complete`, or to the reason why not."""
    with self.studio.alone() as session:
        row, turn, now = generation.with_turn(session, generation_id)
    if row.finished_at is None and row.state == generation.INTENDED:
        row = submit(self, row, turn)
    if row.finished_at is not None or row.state == generation.COMPLETE:
        _let_go(self.studio, row)
    elif row.state == generation.SUBMITTING:
        _wait_for_answer(self, row, now)
    elif row.state == generation.SUBMITTED:
        if row.next_poll_at is not None and row.next_poll_at > now:
            raise Wait(row.next_poll_at, "not the time to look yet")
        _look(self, row, turn, late=now > row.deadline_at)
    return generation_id


def _wait_for_answer(task: SlotTask, row: Generation, now: datetime) -> None:
    """Wait while the delivery that sent the request may still answer; then park it as unknown."""
    studio = task.studio
    if row.submit_deadline is not None and row.submit_deadline > now:
        raise Wait(peek(row.submit_deadline, now), "another delivery sent the request; its answer may still come")
    kept = kept_answer(studio, row) if studio.music(row.provider).facts.synchronous else None
    if kept is not None:
        record(studio, row.id, row.submit_token, kept[0])
    else:
        with studio.begin() as session:
            park(session, row, "the sending task died; nobody knows whether the provider accepted the request")
    _let_go(studio, row)


def _look(task: SlotTask, row: Generation, turn: Cycle, *, late: bool) -> None:
    """Ask the provider once, and store takes, failure, or the time of the next look; `late`: nobody waits any more."""
    studio = task.studio
    try:
        state = _ask(studio, row)
    except TransientError as error:
        if not late:
            raise
        state = JobState(failure=f"nobody waits for it any more, and its provider does not say how it is: {error}")
    with studio.begin() as session:
        takes = state.takes or (state.so_far if late or state.failure else ())
        next_look = None
        if takes:
            store_takes(session, row, takes, studio.settings)
        elif state.failure is not None:
            outcome = generation.REFUSED if state.refused else generation.FAILED
            end(session, row, outcome, state.failure, refunded=state.refunded)
        elif late:
            waited = f"{studio.settings.generation_deadline_s:.0f} s"
            end(session, row, generation.FAILED, f"the provider had not finished after {waited}")
        else:
            next_look = _plan_look(session, studio, row)
    if next_look is None:
        _let_go(studio, row)
    else:
        hold(studio, row, turn.artist_id, next_look)
        raise Wait(datetime.now(UTC) + timedelta(seconds=next_look), "the provider is still at work")


def _ask(studio: Studio, row: Generation) -> JobState:
    """Ask how the job is going. A wrong key is a passing failure: what was paid for is not given up over it."""
    music = studio.music(row.provider)
    try:
        return music.generator.look(row.provider_task_id or "", key=music.key(row.account))
    except Unauthorized as error:
        raise TransientError(str(error), retry_after_s=KEY_MENDED_S) from error


def _plan_look(session: Session, studio: Studio, row: Generation) -> float:
    """Plan the next look; give the seconds until then."""
    usual = usual_s(studio, session, row.provider)
    now = database_now(session)
    late_s = (now - (row.sent_at or now)).total_seconds() - usual
    pause = tick_s(usual, late_s=late_s, watched=generation.late(session, row.provider) + 1)
    generation.plan_look(session, row.id, in_s=pause, patience_s=studio.settings.reconcile_after_s)
    return pause


def _let_go(studio: Studio, row: Generation) -> None:
    """Give back the job's slot at its provider."""
    studio.music(row.provider).governor.release(str(row.reference))
