"""`muzikantas cycle`: turn an artist's loop once, see where it stands, stop it."""

import json
from collections.abc import Sequence
from typing import Any

import click
from celery.exceptions import TimeoutError as NoResult
from sqlalchemy.orm import Session

from muzikantas.cli.rows import rows
from muzikantas.cli.sending import require_broker, send
from muzikantas.domain.errors import InputError, MuzikantasError
from muzikantas.models import artist, audit, generation, track
from muzikantas.models import cycle as cycles
from muzikantas.models.artist import Artist
from muzikantas.models.cycle import Cycle
from muzikantas.models.generation import Generation

#: A free worker starts a cycle in well under a second.
STARTS_WITHIN_S = 10.0


@click.group()
def cycle() -> None:
    """Cycles: turns of an artist's loop."""


@cycle.command()
@click.argument("name", metavar="ARTIST")
def start(name: str) -> None:
    """Start the next cycle of ARTIST (name or number) on the workers."""
    require_broker()
    with rows() as studio:
        with studio.begin() as session:
            owner = artist.find(session, name)
            running = cycles.running(session, owner.id)
        if running is not None:
            click.echo(f"{owner.name}: cycle {running.number} is running already, in stage {running.stage}.")
            return
        cycle_id = _begin(owner)
        if cycle_id is None:
            return
        with studio.begin() as session:
            turn = cycles.get(session, cycle_id) if cycle_id else cycles.running(session, owner.id)
    if turn is None:
        raise MuzikantasError(f"{owner.name}: another cycle ran when the worker looked, and has ended; start it again")
    said = "started" if cycle_id else "is running already"
    click.echo(f"{owner.name}: cycle {turn.number} {said}, {turn.slots} slots. See `muzikantas cycle status`.")


def _begin(owner: Artist) -> int | None:
    """Ask the workers; give the cycle's id, 0 when one was running, None (and say so) when none took it in time."""
    from muzikantas.tasks import evolve_artist  # noqa: PLC0415 (Celery's tasks: only this command pays their import)

    result = send(evolve_artist.si(owner.id))
    try:
        return int(result.get(timeout=STARTS_WITHIN_S))
    except NoResult:
        click.echo(
            f"{owner.name}: sent, and no worker has taken it in {STARTS_WITHIN_S:.0f} s. The cycle starts when one for "
            "the queue `default` is free; see `muzikantas doctor`.",
            err=True,
        )
        return None
    except Exception as error:  # whatever the worker raised, Celery raises here again
        raise MuzikantasError(f"the worker could not start the cycle: {type(error).__name__}: {error}") from error
    finally:
        # Else Celery forgets it while Python shuts down, with a traceback.
        backend: Any = result.backend
        backend.remove_pending_result(result)


@cycle.command()
@click.argument("name", metavar="[ARTIST]", required=False)
@click.option("--json", "as_json", is_flag=True, help="One object a cycle.")
def status(name: str | None, as_json: bool) -> None:  # noqa: FBT001 (click's signature)
    """Show all cycles of ARTIST with the slots of the newest, or the newest cycle of every artist."""
    with rows() as studio, studio.begin() as session:
        owners = [artist.find(session, name)] if name else artist.everyone(session)
        found = []
        for owner in owners:
            turns = cycles.of_artist(session, owner.id)
            found += [_described(session, owner, turn) for turn in (turns if name else turns[-1:])]
    if not found and not as_json:
        click.echo("No cycle yet; `muzikantas cycle start ARTIST` starts one.", err=True)
    for line in found:
        click.echo(json.dumps(line, ensure_ascii=False) if as_json else _line(line))
    if name and found and not as_json:
        for slot in found[-1]["requests"]:
            click.echo(f"    slot {slot['slot']:>2}  {slot['state']:<10}  {slot['reason'] or slot['genre']}")


def _described(session: Session, owner: Artist, turn: Cycle) -> dict[str, Any]:
    requests = generation.of_cycle(session, turn.id)
    return {
        "artist": owner.name,
        "cycle": turn.number,
        "state": turn.state,
        "stage": turn.stage,
        "reason": turn.reason,
        "slots": turn.slots,
        "tracks": track.made_in_cycle(session, [row.id for row in requests]),
        "started_at": turn.started_at.isoformat(),
        "ended_at": turn.ended_at.isoformat() if turn.ended_at else None,
        "requests": [
            {"slot": row.slot, "state": row.state, "genre": row.asked_genre, "reason": row.reason} for row in requests
        ],
    }


def _line(found: dict[str, Any]) -> str:
    stage = f" in {found['stage']}" if found["state"] == cycles.RUNNING else ""
    why = f": {found['reason']}" if found["reason"] else ""
    made = f"{found['tracks']} of {found['slots']} tracks"
    return f"{found['artist']:<24}  cycle {found['cycle']:>3}  {made:<16}  {found['state']}{stage}{why}"


@cycle.command()
@click.argument("name", metavar="ARTIST")
def cancel(name: str) -> None:
    """Stop the running cycle of ARTIST: nothing more is bought, what was paid for still becomes tracks."""
    with rows() as studio, studio.begin() as session:
        owner = artist.find(session, name)
        turn = cycles.running(session, owner.id)
        if turn is None or not cycles.end(session, turn.id, "cancelled", "cancelled by the operator"):
            raise InputError(
                f"{owner.name} has no running cycle; `muzikantas cycle status {owner.id}` lists its cycles"
            )
        requests = generation.of_cycle(session, turn.id)
        stopped = _stop_unsent(session, requests)
        audit.note(session, "operator", "cancel", f"cycle:{turn.id}", number=turn.number, stopped=stopped)
    paid = [row for row in requests if row.finished_at is None and row.state != generation.INTENDED]
    made = "The tracks of this cycle stay." if owner.release_rule == "manual" else RULE_GOES_ON
    click.echo(f"{owner.name}: cycle {turn.number} is cancelled. {stopped} requests were not sent and never will be.")
    click.echo(f"{len(paid)} are paid for or on their way: workers still turn them into tracks. {made}")


RULE_GOES_ON = "Its release rule (content_check) still releases tracks that pass."


def _stop_unsent(session: Session, requests: Sequence[Generation]) -> int:
    """End the requests that nobody has sent; give how many. Each row is locked first: a worker may be claiming it."""
    from muzikantas.tasks.slots import end  # noqa: PLC0415 (as above)

    stopped = 0
    for row in requests:
        session.refresh(row, with_for_update=True)
        if row.state == generation.INTENDED and row.finished_at is None:
            end(session, row, generation.FAILED, "the cycle was cancelled before the request was sent")
            stopped += 1
    return stopped
