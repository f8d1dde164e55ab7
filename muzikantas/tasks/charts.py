"""Bring in the charts that are wanted: look every hour which dates are missing, and ask for each by itself.

No task means "today". What is due follows from the rows that are there, so an outage, a second beat or a clock change
loses no date and brings none twice.
"""

import contextlib
import logging
from collections.abc import Iterable, Iterator
from datetime import datetime

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
    """Send a task for every date that is missing and due (beat); give how many that were.

    A source whose rows may not be stored is asked for nothing.
    """
    plan, licences = self.studio.charts, self.studio.settings.licences
    wanted = [each for each in plan.wanted if licences.of(each.source).may_store]
    with self.studio.begin() as session:
        due = chart_fetch.plan(session, wanted, database_now(session), window_days=plan.window_days)
    for fetch_id in due:
        fetch.delay(fetch_id)
    return len(due)


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
        _end(studio, asked, chart_fetch.REFUSED, reason="CHARTS_WANTED does not name this chart any more")
        return
    try:
        studio.settings.licences.check_store(asked.source)
    except InputError as error:
        _end(studio, asked, chart_fetch.REFUSED, reason=str(error))
        return
    try:
        file = next((file for source in plan.sources if (file := source.read(wanted, asked.day))), None)
        if file is None:
            _end(studio, asked, chart_fetch.NOT_THERE)
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
    """Import a file whole or not at all, and note the end in the same transaction."""
    with studio.begin() as session:
        merged = chart.import_entries(session, _strict(read_entries(file.lines, file.name), file.name), file=file.name)
        there = chart.days(session, asked.source, asked.chart, asked.country, first=asked.day, last=asked.day)
        now = database_now(session)
        if there:
            chart_fetch.finish(session, asked, chart_fetch.IMPORTED, now, file=file.name, entries=merged.rows)
        else:
            reason = f"the file is there, without this date ({merged.rows} entries)"
            chart_fetch.finish(session, asked, chart_fetch.NOT_THERE, now, file=file.name, reason=reason)
    logger.info("%s: %d entries, %d new, %d changed", file.name, merged.rows, merged.new, merged.changed)


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
