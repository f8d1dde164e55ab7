"""`muzikantas generations`: paid requests whose end nobody knows, and what a person found out about them."""

import json
from datetime import datetime
from typing import Any

import click
from sqlalchemy.orm import Session

from muzikantas.cli.rows import rows
from muzikantas.cli.sending import send
from muzikantas.domain.errors import InputError
from muzikantas.models import artist, audit, budget, cycle, generation, settlement
from muzikantas.models.base import database_now
from muzikantas.models.generation import Generation
from muzikantas.settings import Settings

#: Who decided, in the audit log and in the reason.
OPERATOR = "operator"
LOST = "resolved by the operator: lost"
TASK_ID_CHARS = 128


@click.group()
def generations() -> None:
    """Paid requests for music."""


@generations.command()
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
def unknown(as_json: bool) -> None:  # noqa: FBT001 (click's signature)
    """List the requests that were sent and of which nobody knows whether the provider took them."""
    with rows() as studio, studio.begin() as session:
        now = database_now(session)
        found = [_described(session, row, now) for row in settlement.unknown(session)]
    if not found and not as_json:
        click.echo("No request is in doubt.", err=True)
    for line in found:
        click.echo(json.dumps(line, ensure_ascii=False) if as_json else _line(line))


def _described(session: Session, row: Generation, now: datetime) -> dict[str, Any]:
    turn = cycle.get(session, row.cycle_id)
    return {
        "generation": row.id,
        "artist": artist.get(session, turn.artist_id).name,
        "cycle": turn.number,
        "slot": row.slot,
        "provider": row.provider,
        "title": row.words.title,
        "credits": row.credits,
        "unknown_since": row.finished_at.isoformat() if row.finished_at else None,
        "reason": row.reason,
        "answer_may_come": _answer_may_come(row, now),
    }


def _answer_may_come(row: Generation, now: datetime) -> bool:
    return row.submit_deadline is not None and row.submit_deadline > now


def _line(found: dict[str, Any]) -> str:
    since = (found["unknown_since"] or "")[:16].replace("T", " ")
    where = f"{found['artist']}, cycle {found['cycle']}, slot {found['slot']}"
    what = f"{found['provider']}, {found['credits']} credits, {found['title'] or 'no title'}"
    wait = " An answer may still come." if found["answer_may_come"] else ""
    return f"{found['generation']:>6}  {since}  {where}  ({what})\n        {found['reason']}{wait}"


@generations.command()
@click.argument("number", metavar="N", type=click.IntRange(1, 2**63 - 1))
@click.option("--made", metavar="TASK_ID", help="The provider has it, under this task id: it becomes a track.")
@click.option("--lost", is_flag=True, help="The provider never had it, or will not give it: it stays counted as spent.")
@click.option("--refunded", is_flag=True, help="With --lost: its credits are there again.")
def resolve(number: int, made: str | None, lost: bool, refunded: bool) -> None:  # noqa: FBT001 (click's signature)
    """Settle the unknown request N by what you found at the provider."""
    if (made is None) == (not lost):
        raise InputError(
            "expected one of --made TASK_ID and --lost; `muzikantas generations resolve --help` says which"
        )
    if refunded and not lost:
        raise InputError("--refunded goes with --lost: a request that was made has cost its credits")
    with rows() as studio:
        with studio.begin() as session:
            row = _in_doubt(session, number)
            if made is None:
                _lose(session, row, refunded=refunded)
            else:
                _take_up(session, row, made.strip(), studio.settings)
        if made is None:
            click.echo(
                f"Generation {number} is failed: {LOST}. Its credits {'came back' if refunded else 'are spent'}."
            )
        else:
            _bring_on(number, made.strip())


def _in_doubt(session: Session, number: int) -> Generation:
    """Load and lock an unknown request. Raises `InputError` while its answer may still come."""
    row = settlement.find(session, number)
    if row is None:
        raise InputError(f"there is no generation {number}; `muzikantas generations unknown` lists those in doubt")
    if row.state != generation.UNKNOWN:
        raise InputError(f"generation {number} is {row.state}; only one that is unknown can be resolved")
    now = database_now(session)
    if row.submit_deadline is not None and row.submit_deadline > now:
        left = (row.submit_deadline - now).total_seconds()
        raise InputError(f"the answer for generation {number} may still come; try again in {left:.0f} s")
    return row


def _lose(session: Session, row: Generation, *, refunded: bool) -> None:
    from muzikantas.tasks.slots import subject  # noqa: PLC0415 (Celery's tasks: only this command pays their import)

    settlement.lose(session, row.id, LOST)
    if refunded:
        budget.refund(session, subject=subject(row), amount=row.credits)
    audit.note(session, OPERATOR, "resolve", f"generation:{row.id}", lost=True, refunded=refunded)


def _take_up(session: Session, row: Generation, task_id: str, settings: Settings) -> None:
    """Give the request the task that a person found. Raises `InputError` for one that cannot be its own."""
    if not 0 < len(task_id) <= TASK_ID_CHARS or not task_id.isprintable():
        raise InputError(f"--made is {task_id[:60]!r}; expected the task id as the provider shows it")
    owner = settlement.owner_of(session, row.provider, task_id)
    if owner is not None:
        raise InputError(f"task {task_id} is generation {owner}'s; look for the task of generation {row.id}")
    settlement.accept(
        session,
        row.id,
        task_id=task_id,
        patience_s=settings.reconcile_after_s,
        deadline_s=settings.generation_deadline_s,
    )
    audit.note(session, OPERATOR, "resolve", f"generation:{row.id}", task_id=task_id)


def _bring_on(number: int, task_id: str) -> None:
    """Send the slot's tasks, or say who will."""
    from muzikantas.tasks import canvases  # noqa: PLC0415 (as above)

    click.echo(f"Generation {number} is submitted as task {task_id}.")
    try:
        send(canvases.slot(number))
    except InputError as error:
        click.echo(f"Its tasks are not sent: {error}. Once a stack runs, its reconcile sends them.", err=True)
    else:
        click.echo("A worker asks the provider now; what was made becomes the slot's track.")
