"""Send one paid request at most once, and write down how that ended, whatever is down meanwhile."""

import logging
import uuid
from collections.abc import Callable

from kombu.exceptions import OperationalError

from muzikantas.celery import StudioTask, app
from muzikantas.domain.accounts import Account
from muzikantas.domain.errors import OutOfCredits, PermanentError, TransientError, UnknownOutcome
from muzikantas.domain.waiting import Wait, first_look_s
from muzikantas.models import budget, cycle, generation
from muzikantas.models.generation import Generation
from muzikantas.studio import Studio
from muzikantas.tasks.slots import SlotTask, end, park, subject

logger = logging.getLogger(__name__)


def submit(task: SlotTask, row: Generation) -> Generation:
    """Send the request, if this delivery gets the right to; give the row as it stands then."""
    studio = task.studio
    with studio.begin() as session:
        turn = cycle.get(session, row.cycle_id)
        if turn.state != cycle.RUNNING:
            end(session, row, generation.FAILED, "the cycle ended before the request was sent")
    if turn.state != cycle.RUNNING:
        studio.suno_governor.release(str(row.reference))
        with studio.begin() as session:
            return generation.get(session, row.id)
    account = studio.suno_governor.admit(
        str(row.reference), owner=f"artist:{turn.artist_id}", lease_s=lease_s(studio, studio.settings.submit_deadline_s)
    )
    try:
        claimed = _claim(studio, row)
    except PermanentError:
        studio.suno_governor.release(str(row.reference))
        raise
    if claimed is None:  # another delivery was faster
        with studio.begin() as session:
            return generation.get(session, row.id)
    return _send(studio, claimed, account)


def lease_s(studio: Studio, wait_s: float) -> float:
    """Give how long a job's slot is held when its next sign of life comes in `wait_s`: a lost job frees its own."""
    return wait_s + 2 * studio.settings.reconcile_after_s


def _claim(studio: Studio, row: Generation) -> Generation | None:
    """Take the right to send and set the money aside, in one transaction."""
    price = studio.settings.suno_credits_per_request
    token = uuid.uuid4()
    try:
        with studio.begin() as session:
            claimed = generation.claim(
                session, row.id, token=token, deadline_s=studio.settings.submit_deadline_s, credits_asked=price
            )
            if claimed is not None:
                owner = cycle.get(session, row.cycle_id).artist_id
                budget.reserve(session, owner, budget.CREDITS, price, subject=subject(row))
    except TransientError:
        # The commit may have come through although its answer did not; nothing was sent under this token.
        _carry(withdraw_request, row.id, token)
        raise
    return claimed


def _send(studio: Studio, row: Generation, account: Account) -> Generation:
    """Make the paid call and write down its answer."""
    job = str(row.reference)
    key = studio.settings.suno_api_key.get_secret_value()
    try:
        made = studio.music.submit(row.words, key=key, reference=job, callback_url=callback_url(studio, row))
    except UnknownOutcome as error:
        with studio.begin() as session:
            park(session, row, str(error))
            parked = generation.get(session, row.id)
        studio.suno_governor.release(job)
        return parked
    except (TransientError, PermanentError) as error:
        # Documented as not created: the right to send goes back, and the error says what comes next.
        _surely(lambda: _withdraw(studio, row.id, row.submit_token), withdraw_request, row)
        studio.suno_governor.release(job)
        if isinstance(error, OutOfCredits) and len(studio.suno_governor.accounts) > 1:  # there is another to turn to
            studio.suno_governor.out_of_credits(account)
        if isinstance(error, TransientError) and error.retry_after_s is not None:
            studio.suno_governor.cool_down(account, error.retry_after_s)
        raise
    _surely(lambda: _record(studio, row.id, row.submit_token, made.task_id), record_answer, row, made.task_id)
    with studio.begin() as session:
        submitted = generation.get(session, row.id)
    if submitted.state == generation.SUBMITTED and submitted.next_poll_at is not None:
        raise Wait(submitted.next_poll_at, "the provider is at work")
    return submitted


def callback_url(studio: Studio, row: Generation) -> str | None:
    """Give the address that only this request has; None where no callback can reach us, and polling carries all."""
    base = studio.settings.public_url.rstrip("/")
    return f"{base}/callbacks/{row.provider}/{row.reference}" if base else None


def _surely(write: Callable[[], None], task: StudioTask, row: Generation, *words: str) -> None:
    """Write an answer down; without a database to hold it, the broker carries it until there is one."""
    try:
        write()
    except TransientError:
        _carry(task, row.id, row.submit_token, *words)
        raise


def _carry(task: StudioTask, generation_id: int, token: uuid.UUID | None, *words: str) -> None:
    """Let the broker carry what could not be written; without a broker the log is what is left for a person."""
    try:
        task.delay(generation_id, str(token), *words)
    except OperationalError:
        logger.critical("neither database nor broker: generation %d was answered with %s", generation_id, words)


@app.task(bind=True)
def record_answer(self: StudioTask, generation_id: int, token: str, task_id: str) -> int:
    """Write down the answer to a paid request that could not be written at once."""
    _record(self.studio, generation_id, uuid.UUID(token), task_id)
    return generation_id


@app.task(bind=True)
def withdraw_request(self: StudioTask, generation_id: int, token: str) -> int:
    """Give back the right to send a request that was surely not accepted, which could not be written at once."""
    _withdraw(self.studio, generation_id, uuid.UUID(token))
    return generation_id


def _record(studio: Studio, generation_id: int, token: uuid.UUID | None, task_id: str) -> None:
    """Store the provider's task id, and when to look first."""
    with studio.begin() as session:
        row = generation.get(session, generation_id)
        look_in = first_look_s(generation.usual_s(session, row.provider, default_s=studio.settings.suno_usual_s))
        generation.record_submitted(session, generation_id, token, task_id=task_id, first_look_s=look_in)
        generation.move_due(session, generation_id, patience_s=look_in + studio.settings.reconcile_after_s)
    studio.suno_governor.renew(str(row.reference), lease_s(studio, look_in))


def _withdraw(studio: Studio, generation_id: int, token: uuid.UUID | None) -> None:
    """Go back to `intended`, and give back the money that was set aside."""
    with studio.begin() as session:
        row = generation.withdraw(session, generation_id, token)
        if row is not None:
            budget.settle(session, subject=subject(row), spent=0)
