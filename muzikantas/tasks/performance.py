"""Collect how releases did: from the distributor's report where one is configured, else from imported files."""

import logging
from datetime import date, timedelta

from celery.exceptions import Ignore

from muzikantas.analysis.reports import BadLine, ReportRow, read_report
from muzikantas.celery import StudioTask, app
from muzikantas.domain.errors import PermanentError
from muzikantas.models import cycle, generation, performance, track
from muzikantas.studio import Studio
from muzikantas.tasks.governed import HTTP_CALL_S, governed
from muzikantas.tasks.stages import StageTask

logger = logging.getLogger(__name__)

#: The source of what the distributor's own report says.
DISTRIBUTOR = "distributor"
#: Distributors correct their numbers for weeks.
CORRECTIONS_DAYS = 45
#: The first report is asked for from here on.
BEGINNING = date(2015, 1, 1)


@app.task(base=StageTask, bind=True)
def collect(self: StageTask, cycle_id: int) -> int:
    """Begin a cycle's last stages: see that every slot is over and enough were made, then fetch the report."""
    studio = self.studio
    with studio.begin() as session:
        turn = cycle.enter(session, cycle_id, "collect", patience_s=studio.settings.reconcile_after_s)
        if turn is None:
            return cycle_id
        if generation.unfinished(session, cycle_id):
            logger.info("slots are still open; reconcile sends the last stages when they are over")
            raise Ignore
        slots = generation.of_cycle(session, cycle_id)
        made = track.made_in_cycle(session, [row.id for row in slots])
        if made < turn.quorum:
            why = "; ".join(sorted({row.reason for row in slots if row.reason}))
            cycle.end(
                session, cycle_id, "starved", f"{made} of {turn.slots} slots made a track, quorum {turn.quorum}: {why}"
            )
            return cycle_id
    fetch_report(studio, f"report:cycle:{cycle_id}")
    return cycle_id


@app.task(bind=True)
def collect_performance(self: StudioTask) -> int:
    """Fetch the newest report, whatever the cycles do (beat)."""
    return fetch_report(self.studio, "report:newest")


def fetch_report(studio: Studio, job: str) -> int:
    """Import the distributor's report since the last corrections; give the number of rows that were new or changed.

    `job` is this fetch's name at the governor. A distributor that refuses is logged, and the loop goes on with what is
    known.
    """
    if studio.distribution is None:
        return 0
    with studio.begin() as session:
        newest = performance.last_day(session, DISTRIBUTOR)  # an imported file may reach further, or be misdated
    since = newest - timedelta(days=CORRECTIONS_DAYS) if newest else BEGINNING
    try:
        with governed(studio.distribution_governor, job, owner="label", lease_s=HTTP_CALL_S):
            text = studio.distribution.report(since)
    except PermanentError:
        logger.exception("no report from the distributor")
        return 0
    lines = list(read_report(text))
    for bad in (line for line in lines if isinstance(line, BadLine)):
        logger.warning("the distributor's report, line %d: %s", bad.line, bad.reason)
    rows = [line for line in lines if isinstance(line, ReportRow)]
    with studio.begin() as session:
        known = {str(row.track_id) for row, _ in track.releases(session)}
        ours = [{"track_id": int(row.track), **row.values} for row in rows if row.track in known]
        merged = performance.import_rows(session, ours, source=DISTRIBUTOR)
    logger.info(
        "report: %d rows, %d new, %d changed, %d of no track of ours",
        len(rows),
        merged.new,
        merged.changed,
        len(rows) - len(ours),
    )
    return merged.new + merged.changed
