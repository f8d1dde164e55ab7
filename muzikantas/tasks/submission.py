"""Send one paid request at most once, and write down how that ended, whatever is down meanwhile."""

import logging
import uuid
from collections.abc import Callable
from typing import NoReturn

from kombu.exceptions import OperationalError

from muzikantas.celery import StudioTask, app
from muzikantas.clients.music import Music
from muzikantas.domain.accounts import Account
from muzikantas.domain.errors import OutOfCredits, PermanentError, TransientError, UnknownOutcome
from muzikantas.domain.waiting import Wait
from muzikantas.models import budget, cycle, generation
from muzikantas.models.cycle import Cycle
from muzikantas.models.generation import Generation
from muzikantas.studio import Studio
from muzikantas.tasks.answers import keep_answer, kept_answer, store_takes
from muzikantas.tasks.slots import SlotTask, end, hold, lease_s, owner, park, subject, usual_s

logger = logging.getLogger(__name__)


def submit(task: SlotTask, row: Generation, turn: Cycle) -> Generation:
    """Send the request, if this delivery gets the right to; give the row as it stands then."""
    studio = task.studio
    music = studio.music(row.provider)
    if turn.state != cycle.RUNNING:
        with studio.begin() as session:
            end(session, row, generation.FAILED, "the cycle ended before the request was sent")
        return _now(studio, row.id)
    try:
        account = music.governor.admit(
            str(row.reference), owner=owner(turn.artist_id), lease_s=lease_s(studio, deadline_s(studio, music))
        )
        claimed = _claim(studio, row, turn, music, account)
    except OutOfCredits as error:
        _turn_elsewhere(studio, row, error)
    except PermanentError:
        music.governor.release(str(row.reference))
        raise
    # None: another delivery was faster.
    return _now(studio, row.id) if claimed is None else _send(studio, claimed, turn, music, account)


def deadline_s(studio: Studio, music: Music) -> float:
    """Give how long the answer to a submit may take: connecting, the whole answer, and a silence at its end."""
    longest = 2 * music.facts.answer_s + 10 if music.facts.synchronous else 0.0
    return max(studio.settings.submit_deadline_s, longest)


def _now(studio: Studio, generation_id: int) -> Generation:
    with studio.alone() as session:
        return generation.get(session, generation_id)


def _turn_elsewhere(studio: Studio, row: Generation, error: OutOfCredits) -> NoReturn:
    """Come back to the next provider of the settings. Raises `OutOfCredits` when there is none."""
    names = studio.settings.music_providers
    following = names[names.index(row.provider) + 1 :] if row.provider in names else ()
    if not following:
        raise error
    facts = studio.music(following[0]).facts
    with studio.begin() as session:
        generation.turn_to(session, row.id, provider=facts.name, model=facts.default_model)
    logger.warning("%s; turning to %s", error, facts.name)
    raise TransientError(f"{row.provider} is out of credits; {facts.name} is next", retry_after_s=0.0) from error


def _claim(studio: Studio, row: Generation, turn: Cycle, music: Music, account: Account) -> Generation | None:
    """Take the right to send and set the money aside, in one transaction."""
    price = music.facts.credits_per_request
    token = uuid.uuid4()
    try:
        with studio.begin() as session:
            claimed = generation.claim(
                session,
                row.id,
                account=account.name,
                token=token,
                deadline_s=deadline_s(studio, music),
                credits_asked=price,
            )
            if claimed is not None:
                budget.reserve(session, turn.artist_id, budget.CREDITS, price, subject=subject(row), cycle_id=turn.id)
    except TransientError:
        # The commit may have come through although its answer did not; nothing was sent under this token.
        _carry(withdraw_request, row.id, token)
        raise
    return claimed


def _send(studio: Studio, row: Generation, turn: Cycle, music: Music, account: Account) -> Generation:
    """Make the paid call and write down its answer."""
    job = str(row.reference)
    try:
        made = music.generator.submit(
            row.words, key=music.key(account.name), reference=job, callback_url=callback_url(studio, row)
        )
    except UnknownOutcome as error:
        with studio.begin() as session:
            park(session, row, str(error))
        music.governor.release(job)
        return _now(studio, row.id)
    except (TransientError, PermanentError) as error:
        # Documented as not created: the right to send goes back, and the error says what comes next.
        _surely(lambda: _withdraw(studio, row.id, row.submit_token), withdraw_request, row)
        music.governor.release(job)
        if isinstance(error, TransientError) and error.retry_after_s is not None:
            music.governor.cool_down(account, error.retry_after_s)
        if isinstance(error, OutOfCredits):
            _next_account(studio, row, music, account, error)
        raise
    if made.audio:
        keep_answer(studio, row, made)
    submitted = _surely(
        lambda: _record(studio, row, turn, row.submit_token, made.task_id), record_answer, row, made.task_id
    )
    if submitted is not None and submitted.state == generation.SUBMITTED and submitted.next_poll_at is not None:
        raise Wait(submitted.next_poll_at, "the provider is at work")
    return submitted or _now(studio, row.id)


def _next_account(studio: Studio, row: Generation, music: Music, account: Account, error: OutOfCredits) -> None:
    """Come back with another account or another provider, where there is one; the empty one is left alone a while."""
    if len(music.governor.accounts) > 1:
        music.governor.out_of_credits(account)
        raise TransientError(f"{error}; another account is next", retry_after_s=0.0) from error
    _turn_elsewhere(studio, row, error)


def callback_url(studio: Studio, row: Generation) -> str | None:
    """Give the address that only this request has; None where no callback can reach us, and polling carries all."""
    base = studio.settings.public_url.rstrip("/")
    return f"{base}/callbacks/{row.provider}/{row.reference}" if base else None


def _surely(
    write: Callable[[], Generation | None], task: StudioTask, row: Generation, *words: str
) -> Generation | None:
    """Write an answer down; without a database to hold it, the broker carries it until there is one."""
    try:
        return write()
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
    record(self.studio, generation_id, uuid.UUID(token), task_id)
    return generation_id


@app.task(bind=True)
def withdraw_request(self: StudioTask, generation_id: int, token: str) -> int:
    """Give back the right to send a request that was surely not accepted, which could not be written at once."""
    _withdraw(self.studio, generation_id, uuid.UUID(token))
    return generation_id


def record(studio: Studio, generation_id: int, token: uuid.UUID | None, task_id: str) -> None:
    """Write down the answer to a request that another delivery has sent."""
    with studio.alone() as session:
        row, turn, _ = generation.with_turn(session, generation_id)
    _record(studio, row, turn, token, task_id)


def _record(studio: Studio, row: Generation, turn: Cycle, token: uuid.UUID | None, task_id: str) -> Generation | None:
    """Store the provider's task id, and when to look first; or the takes, where they came with the answer."""
    patience_s = studio.settings.reconcile_after_s
    music = studio.music(row.provider)
    kept = kept_answer(studio, row) if music.facts.synchronous else None
    write = studio.alone if kept is None else studio.begin
    with write() as session:
        look_in = generation.first_look_s(row.id, usual_s(studio, session, row.provider))
        taken = generation.record_submitted(
            session, row.id, token, task_id=task_id, first_look_s=look_in, patience_s=patience_s
        )
        if taken is not None and kept is not None:
            store_takes(session, taken, kept[1], studio.settings)
    if taken is not None:
        hold(studio, taken, turn.artist_id, look_in)
    return taken


def _withdraw(studio: Studio, generation_id: int, token: uuid.UUID | None) -> Generation | None:
    """Go back to `intended`, and give back the money that was set aside."""
    with studio.begin() as session:
        row = generation.withdraw(session, generation_id, token)
        if row is not None:
            budget.settle(session, subject=subject(row), spent=0)
    return row
