"""Cycles begin, end, and are brought on when something was lost on the way."""

import logging
import math
from datetime import timedelta

from celery.canvas import Signature
from sqlalchemy import func, update
from sqlalchemy.orm import Session

from muzikantas.celery import StudioTask, app
from muzikantas.models import artist, cycle, generation, track
from muzikantas.models.artist import Artist
from muzikantas.models.base import database_now
from muzikantas.models.cycle import Cycle
from muzikantas.settings import Settings
from muzikantas.tasks import canvases
from muzikantas.tasks.slots import end, park

logger = logging.getLogger(__name__)

#: The last stages are sent again this often; a cycle that they cannot close is failed, for a person to look at.
BODY_ATTEMPTS = 10


@app.task(bind=True)
def evolve_artist(self: StudioTask, artist_id: int) -> int:
    """Start the artist's next turn of the loop; give the cycle's id, or 0 when one is running already."""
    settings = self.studio.settings
    with self.studio.begin() as session:
        turn = start(session, artist.get(session, artist_id), settings)
    if turn is None:
        logger.info("a cycle is running already")
        return 0
    canvases.stage("briefing.brief", turn.id).delay()
    return turn.id


def start(session: Session, owner: Artist, settings: Settings) -> Cycle | None:
    """Insert the artist's next cycle; None when one is running already."""
    quorum = max(1, math.ceil(owner.slots * settings.quorum_share))
    if owner.cycle_every_days is not None:
        next_at = func.now() + timedelta(days=owner.cycle_every_days)
        session.execute(update(Artist).where(Artist.id == owner.id).values(next_cycle_at=next_at))
    return cycle.start(
        session,
        owner,
        artist.current(session, owner.id).id,
        quorum=quorum,
        deadline_s=settings.cycle_deadline_s,
        patience_s=settings.reconcile_after_s,
    )


@app.task(bind=True)
def start_due_cycles(self: StudioTask) -> int:
    """Start a cycle for every artist whose next one is due (beat); give how many artists that were."""
    with self.studio.begin() as session:
        due = artist.due(session)
    for artist_id in due:
        evolve_artist.delay(artist_id)
    return len(due)


@app.task(bind=True)
def close(self: StudioTask, cycle_id: int) -> int:
    """End a turn that went well."""
    with self.studio.begin() as session:
        cycle.end(session, cycle_id, "closed")
    return cycle_id


@app.task(bind=True)
def hurry(self: StudioTask, cycle_id: int) -> int:
    """Let `reconcile` look after a cycle soon: a stage after the slots has failed, or the chord has broken."""
    with self.studio.begin() as session:
        session.execute(update(Cycle).where(Cycle.id == cycle_id).values(due_at=func.now()))
    return cycle_id


@app.task(bind=True)
def reconcile(self: StudioTask) -> int:
    """Send again what was lost: tasks of slots, the last stages of cycles, releases (beat); give how many were sent.

    It never rebuilds a chord. What it sends may run beside the original: every stage's result is unique.
    """
    signatures = []
    settings = self.studio.settings
    with self.studio.begin() as session:
        for row in generation.overdue(session):
            generation.move_due(session, row.id, patience_s=settings.reconcile_after_s)
            signatures.append(canvases.slot(row.id))
        for turn in cycle.overdue(session):
            signature = _bring_on(session, turn, settings)
            if signature is not None:
                signatures.append(signature)
        signatures += [canvases.stage("releasing.publish", release_id) for release_id in track.undelivered(session)]
    for signature in signatures:
        signature.delay()
    if signatures:
        logger.warning("sent again: %s", "; ".join(str(signature) for signature in signatures))
    return len(signatures)


def _bring_on(session: Session, turn: Cycle, settings: Settings) -> "Signature[int] | None":
    """Decide what a cycle needs that nobody has touched in time."""
    turn.due_at = database_now(session) + timedelta(seconds=settings.reconcile_after_s)
    slots = generation.of_cycle(session, turn.id)
    if not slots:
        if database_now(session) > turn.deadline_at:
            cycle.end(session, turn.id, "starved", "no brief was written before the cycle's deadline")
            return None
        return canvases.stage("briefing.brief", turn.id)
    open_slots = [row for row in slots if row.finished_at is None]
    if open_slots and database_now(session) <= turn.deadline_at:
        return None  # its generations are looked after one by one
    for row in open_slots:
        if row.state == generation.SUBMITTING:
            park(session, row, "the cycle's deadline passed while the request was being sent")
        else:
            end(session, row, generation.FAILED, f"the cycle's deadline passed while it was {row.state}")
    turn.body_sent += 1
    if turn.body_sent > BODY_ATTEMPTS:
        cycle.end(
            session, turn.id, "failed", f"stage {turn.stage} did not end in {BODY_ATTEMPTS} attempts; see the logs"
        )
        return None
    return canvases.body(turn.id)
