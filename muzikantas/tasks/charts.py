"""Bring in the charts that are wanted: look every hour which dates are missing, and ask for each by itself.

No task means "today". What is due follows from the rows that are there, so an outage, a second beat or a clock change
loses no date and brings none twice. The newest dates are asked for again once a day, and any date of the window whose
file in the drop folder has changed: a corrected file wins without anybody's command.
"""

import contextlib
import logging
from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy.orm import Session

from muzikantas.analysis.chart_dates import Wanted
from muzikantas.analysis.chart_lines import Entry
from muzikantas.analysis.charts import read_entries
from muzikantas.analysis.reports import BadLine
from muzikantas.celery import StudioTask, app
from muzikantas.clients.chart_source import READING_S, ChartFile, ChartPlan
from muzikantas.domain.errors import InputError, PermanentError, TransientError
from muzikantas.models import chart, chart_fetch
from muzikantas.models.base import database_now
from muzikantas.models.chart_fetch import ChartFetch
from muzikantas.studio import Studio
from muzikantas.tasks.governed import governed

logger = logging.getLogger(__name__)


class ChartTask(StudioTask):
    """A task about one date of a chart."""

    abstract = True

    def wait_longer(self, until: datetime, *args: int) -> None:
        """Let the hourly look send it again after `until`."""
        with self.studio.begin() as session:
            chart_fetch.postpone(session, args[0], until)


@app.task(bind=True)
def fetch_missing(self: StudioTask) -> int:
    """Send a task for every date that is missing, may be corrected, or has a new file (beat); give how many are due."""
    due = look(self.studio, self.studio.charts)
    for fetch_id in due:
        fetch.delay(fetch_id)
    return len(due)


def look(studio: Studio, plan: ChartPlan) -> list[int]:
    """List the rows of dates that are to be asked for now."""
    with studio.begin() as session:
        now = database_now(session)
        asked = {
            each: chart_fetch.asked_before(session, each, now, window_days=plan.window_days) for each in plan.wanted
        }
    changed = [row.id for each, rows in asked.items() for row in rows if _newer(plan, each, row)]
    with studio.begin() as session:
        chart_fetch.hasten(session, changed, now)
        due = chart_fetch.plan(session, plan.wanted, now, window_days=plan.window_days)
    return list(dict.fromkeys([*due, *changed]))


def _newer(plan: ChartPlan, wanted: Wanted, row: ChartFetch) -> bool:
    since = row.asked_at
    return since is not None and any(source.newer(wanted, row.day, since) for source in plan.sources)


@app.task(base=ChartTask, bind=True)
def fetch(self: ChartTask, fetch_id: int) -> int:
    """Ask for one date of one chart and import what comes; what came of it is its row."""
    with admitted(self.studio, fetch_id):
        bring(self.studio, self.studio.charts, fetch_id)
    return fetch_id


@contextlib.contextmanager
def admitted(studio: Studio, fetch_id: int) -> Iterator[None]:
    """Stay within the limits of the HTTP source, where there is one; its `Retry-After` holds for every date."""
    governor = studio.charts_governor
    turn = governed(governor, f"chart:{fetch_id}", owner="label", lease_s=READING_S) if governor else None
    try:
        with turn or contextlib.nullcontext():
            yield
    except Unreachable as error:
        logger.warning("asked for again later: %s", error)


class Unreachable(TransientError):
    """The source did not answer; the date's row says so already, and when it is due again."""


def bring(studio: Studio, plan: ChartPlan, fetch_id: int) -> None:
    """Claim a date, read it from the first source that has it, import it, and note the end."""
    with studio.begin() as session:
        asked = chart_fetch.claim(session, fetch_id, database_now(session))
    if asked is None:
        return
    wanted = _wanted(plan, asked)
    if wanted is None:
        _end(studio, asked, chart_fetch.REFUSED, reason="not in CHARTS_WANTED, or SOURCES forbids to store it")
        return
    try:
        file = next((file for source in plan.sources if (file := source.read(wanted, asked.day))), None)
        if file is None:
            _missing(studio, asked)
            return
        _import(studio, asked, file)
    except InputError as error:
        _end(studio, asked, chart_fetch.BROKEN, reason=str(error))
    except PermanentError as error:
        _end(studio, asked, chart_fetch.REFUSED, reason=str(error))
    except TransientError as error:
        _end(studio, asked, chart_fetch.UNREACHABLE, reason=str(error), asked_s=error.retry_after_s)
        raise Unreachable(str(error), retry_after_s=error.retry_after_s) from error


def _import(studio: Studio, asked: ChartFetch, file: ChartFile) -> None:
    """Import a file whole or not at all, if it is not the one read before; note the end in the same transaction."""
    with studio.begin() as session:
        said = "the same file as before" if file.digest == asked.digest else _take(session, asked, file)
        there = chart_fetch.is_there(session, asked)
        outcome = chart_fetch.IMPORTED if there else chart_fetch.NOT_THERE
        reason = said if there else f"the file is there, without this date ({said})"
        chart_fetch.finish(session, asked, outcome, database_now(session), reason=reason)
    logger.info("%s: %s", file.name, reason)


def _take(session: Session, asked: ChartFetch, file: ChartFile) -> str:
    """Import a file's entries; say how many."""
    merged = chart.import_entries(session, _strict(read_entries(file.lines, file.name), file.name), file=file.name)
    chart_fetch.record_file(session, asked, file=file.name, digest=file.digest, entries=merged.rows)
    return f"{merged.rows} entries, {merged.new} new, {merged.changed} changed"


def _missing(studio: Studio, asked: ChartFetch) -> None:
    """Note that no source has the file, which is no loss where the date is in already."""
    if asked.outcome == chart_fetch.IMPORTED:
        _end(studio, asked, chart_fetch.IMPORTED, reason="no source has its file any more")
    else:
        _end(studio, asked, chart_fetch.NOT_THERE)


def _strict(entries: Iterable[Entry | BadLine], name: str) -> Iterator[Entry]:
    """Give the entries of a file that has no bad line. Raises `InputError` at the first one."""
    for entry in entries:
        if isinstance(entry, BadLine):
            raise InputError(f"{name} line {entry.line}: {entry.reason}; correct the file")
        yield entry


def _wanted(plan: ChartPlan, asked: ChartFetch) -> Wanted | None:
    names = (asked.source, asked.chart, asked.country)
    return next((each for each in plan.wanted if each.names == names), None)


def _end(
    studio: Studio, asked: ChartFetch, outcome: str, *, reason: str | None = None, asked_s: float | None = None
) -> None:
    with studio.begin() as session:
        chart_fetch.finish(session, asked, outcome, database_now(session), reason=reason, asked_s=asked_s)
    logger.info("%s of %s: %s%s", asked.chart, asked.day, outcome, f" ({reason})" if reason else "")
