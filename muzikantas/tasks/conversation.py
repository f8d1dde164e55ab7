"""One question to a language model: admitted and counted before it is asked, answered once, refused by name.

At least once and bounded: a call whose end is unknown may be made again, a few times a cycle and purpose.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from muzikantas.domain.errors import BudgetExceeded, OutOfCredits, PermanentError, TransientError
from muzikantas.domain.money import tokens_micros
from muzikantas.domain.replies import Reply
from muzikantas.domain.waiting import PEEK_S, Wait, peek
from muzikantas.models import budget, llm
from muzikantas.models.base import database_now
from muzikantas.models.cycle import Cycle
from muzikantas.studio import Studio
from muzikantas.tasks.governed import governed
from muzikantas.tasks.slots import owner

if TYPE_CHECKING:
    from muzikantas.clients.llm import Usage

logger = logging.getLogger(__name__)

R = TypeVar("R", bound=Reply)
V = TypeVar("V")

#: What a call is held to cost until its tokens are known: a few thousand of each.
RESERVED_TOKENS = 4000


def ask(
    studio: Studio, cycle: Cycle, purpose: str, question: tuple[str, str], reply: type[R], check: Callable[[R], V]
) -> tuple[V, int] | None:
    """Get a checked answer and the id of its call; None when the model gave none within its bounds.

    A question that was answered before is not asked again: the stored reply is checked and used. Raises
    `TransientError` or `Wait` while an answer may still come.
    """
    with studio.begin() as session:
        calls = llm.calls(session, cycle.id, purpose)
        now = database_now(session)
    for call in calls:
        if call.state == llm.OK:
            return check(reply.model_validate(call.reply)), call.id
    busy = timedelta(seconds=_busy_s(studio))
    if calls and calls[-1].state == llm.SENT and now < calls[-1].created_at + busy:
        raise Wait(peek(calls[-1].created_at + busy, now), f"another delivery is asking ({purpose})")
    counted = [call for call in calls if call.state != llm.POSTPONED]
    if len(counted) >= studio.settings.llm_calls_per_purpose or now > cycle.deadline_at:
        return None
    models = studio.settings.openai_models
    model = models[min(len(counted), len(models) - 1)]
    return _call(studio, cycle, purpose, question, reply, check, attempt=len(calls) + 1, model=model)


def _call(
    studio: Studio,
    cycle: Cycle,
    purpose: str,
    question: tuple[str, str],
    reply: type[R],
    check: Callable[[R], V],
    *,
    attempt: int,
    model: str,
) -> tuple[V, int] | None:
    """Make one call when it may be made; a reply that breaks a bound is asked for again, of the next model.

    No model answers for an empty account or past a budget, nor in time when it may be asked after the cycle's deadline
    only: the cycle goes on with what it has.
    """
    job = f"llm:{cycle.id}:{purpose}:{attempt}"
    lease_s = _busy_s(studio)
    try:
        with governed(studio.llm_governor, job, owner=owner(cycle.artist_id), lease_s=lease_s):
            call_id = _begin(studio, cycle, purpose, attempt=attempt, model=model, prompt="\n\n".join(question))
            return _asked(studio, call_id, model, question, reply, check), call_id
    except Wait as wait:
        if wait.until <= cycle.deadline_at:
            raise
        studio.llm_governor.release(job)
        logger.warning("%s goes without an answer: %s", job, wait)
        return None
    except (BudgetExceeded, OutOfCredits) as error:
        logger.warning("%s goes without an answer: %s", job, error)
        return None
    except PermanentError:
        return ask(studio, cycle, purpose, question, reply, check)


def _busy_s(studio: Studio) -> float:
    """Give how long a call can take at most: no delivery outlives its task's hard limit (`celery.limits`)."""
    return studio.settings.visibility_timeout_s * 0.45


def _asked(
    studio: Studio, call_id: int, model: str, question: tuple[str, str], reply: type[R], check: Callable[[R], V]
) -> V:
    """Ask the model, check what it says, and write down how the call ended."""
    usage = None
    try:
        value, usage = studio.llm.ask(model, *question, reply)
        checked = check(value)
    except TransientError as error:
        _end(studio, call_id, llm.POSTPONED, reason=str(error))
        raise
    except PermanentError as error:
        _end(studio, call_id, llm.FAILED, reason=str(error), usage=getattr(error, "usage", usage))
        raise
    _end(studio, call_id, llm.OK, reply=value, usage=usage)
    return checked


def _begin(studio: Studio, cycle: Cycle, purpose: str, *, attempt: int, model: str, prompt: str) -> int:
    """Write down that a call is about to be made, with its money set aside; `Wait` when another delivery did."""
    with studio.begin() as session:
        call_id = llm.begin(session, cycle_id=cycle.id, purpose=purpose, attempt=attempt, model=model, prompt=prompt)
        if call_id is None:
            later = database_now(session) + timedelta(seconds=PEEK_S)
            raise Wait(later, f"another delivery is asking ({purpose}, attempt {attempt})")
        price = _price(studio, RESERVED_TOKENS, RESERVED_TOKENS)
        subject = f"llm:{call_id}"
        budget.reserve(session, cycle.artist_id, budget.USD_MICROS, price, subject=subject, cycle_id=cycle.id)
    return call_id


def _end(
    studio: Studio,
    call_id: int,
    state: str,
    *,
    reason: str | None = None,
    reply: Reply | None = None,
    usage: "Usage | None" = None,
) -> None:
    """Write down how a call ended and what it cost."""
    spent = _price(studio, usage.input_tokens, usage.output_tokens) if usage else 0
    tokens = vars(usage) if usage else {}
    with studio.begin() as session:
        content = reply.model_dump(mode="json") if reply else None
        llm.end(session, call_id, state=state, reason=reason, reply=content, cost_micros=spent, **tokens)
        budget.settle(session, subject=f"llm:{call_id}", spent=spent)


def _price(studio: Studio, input_tokens: int, output_tokens: int) -> int:
    """Price of tokens in millionths of a dollar."""
    settings = studio.settings
    return tokens_micros(input_tokens, settings.openai_usd_per_million_input) + tokens_micros(
        output_tokens, settings.openai_usd_per_million_output
    )
