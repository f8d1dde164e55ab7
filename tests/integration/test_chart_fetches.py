"""Dates of charts asked for on a schedule: each brought in once, whatever clocks, outages and sources do."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from muzikantas.analysis.chart_dates import Wanted, dates, wanted
from muzikantas.clients.chart_source import ChartPlan, FolderSource, HttpSource
from muzikantas.domain.errors import InputError, MuzikantasError, Refused, TransientError, Unauthorized
from muzikantas.domain.waiting import Wait
from muzikantas.models import chart, chart_fetch
from muzikantas.models.base import database_now
from muzikantas.models.chart_fetch import ChartFetch
from muzikantas.studio import Studio, studio
from muzikantas.tasks import charts as tasks
from muzikantas.tasks.charts import Unreachable, admitted, bring
from tests.integration.test_charts import HEADER, THURSDAY, entry, lines, stored

pytestmark = pytest.mark.usefixtures("label")

HOUR = timedelta(hours=1)
NEW_YEAR = datetime(2026, 1, 1, 0, 7, tzinfo=UTC)
GROWING = "date,position,song,artist\n"


def ticks() -> Iterator[datetime]:
    """A year of beat: every hour where clocks change, every sixth hour else; two days in May nobody looks."""
    changes = [datetime(2026, *day, tzinfo=UTC) for day in ((3, 8), (3, 29), (10, 25), (11, 1))]
    outage = datetime(2026, 5, 12, 9, tzinfo=UTC)
    for hour in range(365 * 24):
        now = NEW_YEAR + hour * HOUR
        near = any(abs(now - change) < timedelta(hours=36) for change in changes)
        if (near or hour % 6 == 0) and not outage <= now < outage + timedelta(days=2):
            yield now


def is_out(day: date, now: datetime) -> bool:
    """The source puts a date out twenty hours after its end, the thirteenth of a month nine days later than that."""
    late = timedelta(days=9) if day.day == 13 else timedelta()
    return now >= datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=44) + late


def look(session: Session, plan: Sequence[Wanted], now: datetime) -> Iterator[tuple[Wanted, date]]:
    """Do what one look of beat and its tasks do, the tasks twice; give what was brought in."""
    for fetch_id in chart_fetch.plan(session, plan, now, window_days=14) * 2:
        asked = chart_fetch.claim(session, fetch_id, now)
        if asked is None:
            continue
        of = next(each for each in plan if each.names == (asked.source, asked.chart, asked.country))
        if is_out(asked.day, now):
            merged = chart.import_entries(session, [entry(of, asked.day)], file=of.file_name(asked.day))
            chart_fetch.finish(session, asked, chart_fetch.IMPORTED, now)
            if merged.new:
                yield of, asked.day
        else:
            chart_fetch.finish(session, asked, chart_fetch.NOT_THERE, now)


@pytest.mark.timeout(600)
def test_a_year_with_clock_changes_and_an_outage_brings_each_date_in_once() -> None:
    plan = [wanted("regional-aa-daily"), wanted("regional-aa-weekly")]
    brought: list[tuple[Wanted, date]] = []

    for now in ticks():
        with studio().begin() as session:
            brought += look(session, plan, now)

    for of in plan:
        days = [day for each, day in brought if each == of]
        asked = dates(of, now, window_days=365 + 13)
        assert len(days) == len(set(days))
        assert {day for day in asked if is_out(day, now - timedelta(hours=20))} <= set(days) <= set(asked)
        assert [day for day, count in stored(of) if count == 1] == sorted(days)
    with studio().begin() as session:
        fetches = [fetch for of in plan for fetch in chart_fetch.of_chart(session, of)]
    assert max(fetch.attempts for fetch in fetches) < 30
    assert {fetch.outcome for fetch in fetches[:300]} == {chart_fetch.IMPORTED}


def fetch_of(of: Wanted, day: date) -> ChartFetch:
    """The row about a date, as if it had just been found missing."""
    with studio().begin() as session:
        session.add(ChartFetch(source=of.source, chart=of.chart, country=of.country, day=day, due_at=NEW_YEAR))
    return row_of(of, day)


def row_of(of: Wanted, day: date) -> ChartFetch:
    with studio().begin() as session:
        return next(fetch for fetch in chart_fetch.of_chart(session, of) if fetch.day == day)


def test_a_date_is_brought_in_from_the_folder_once_it_is_there(tmp_path: Path) -> None:
    of = wanted("regional-ab-weekly")
    plan = ChartPlan(wanted=[of], sources=[FolderSource(tmp_path)], window_days=14)
    fetch = fetch_of(of, THURSDAY)

    bring(studio(), plan, fetch.id)
    early = row_of(of, THURSDAY)
    bring(studio(), plan, fetch.id)  # not due yet: nothing is asked
    (tmp_path / of.file_name(THURSDAY)).write_text(HEADER + lines(3))
    with studio().begin() as session:
        chart_fetch.postpone(session, fetch.id, database_now(session))
    bring(studio(), plan, fetch.id)
    bring(studio(), plan, fetch.id)

    assert (early.outcome, early.attempts, early.due_at > early.created_at) == (chart_fetch.NOT_THERE, 1, True)
    late = row_of(of, THURSDAY)
    assert (late.outcome, late.attempts, late.entries, late.file) == ("imported", 2, 3, of.file_name(THURSDAY))
    assert stored(of) == [(THURSDAY, 3)]


def test_a_broken_file_is_refused_whole_and_says_why(tmp_path: Path) -> None:
    of = wanted("regional-ac-weekly")
    (tmp_path / of.file_name(THURSDAY)).write_text(HEADER + lines(900) + "901,too,few\n")
    fetch = fetch_of(of, THURSDAY)

    bring(studio(), ChartPlan(wanted=[of], sources=[FolderSource(tmp_path)], window_days=14), fetch.id)

    row = row_of(of, THURSDAY)
    assert row.outcome == chart_fetch.BROKEN
    assert row.reason == f"{of.file_name(THURSDAY)} line 902: 3 fields; the header has 9; correct the file"
    assert stored(of) == []


def test_a_growing_file_fills_every_date_and_ends_the_other_fetches(tmp_path: Path) -> None:
    of = wanted("top7-daily-spain")
    days = [date(2026, 1, day) for day in (1, 2, 3)]
    (tmp_path / "top7-daily-spain.csv").write_text(GROWING + "".join(f"{day},1,Song,Singer\n" for day in days))
    plan = ChartPlan(wanted=[of], sources=[FolderSource(tmp_path)], window_days=14)
    fetches = [fetch_of(of, day) for day in [*days, date(2026, 1, 4)]]

    for fetch in fetches:
        bring(studio(), plan, fetch.id)

    rows = [row_of(of, fetch.day) for fetch in fetches]
    assert [row.outcome for row in rows] == ["imported"] * 3 + ["not there"]
    assert rows[1].reason == "another file had this date"
    assert rows[3].reason == "the file is there, without this date (3 entries, 0 new, 0 changed)"
    assert stored(of) == [(day, 1) for day in days]


@contextlib.contextmanager
def server(answer: Callable[[str], tuple[int, dict[str, str], bytes]]) -> Iterator[tuple[str, list[str]]]:
    """Serve on loopback; give the address and the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, headers, body = answer(self.path)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}", asked
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def test_a_date_is_asked_for_by_its_words_and_led_on_within_the_host() -> None:
    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        if path.startswith("/old"):
            return 302, {"Location": path.replace("/old", "/new")}, b""
        return 200, {}, (HEADER + lines(2)).encode()

    of = wanted("viral-ad-weekly")
    with server(answer) as (url, asked):
        file = HttpSource(url + "/old/{chart}/{country}/{period}/{date}.csv").read(of, THURSDAY)
    assert file is not None
    assert file.name == "viral-ad-weekly-2026-01-01.csv"
    assert len(list(file.lines)) == 3
    assert asked == ["/old/viral/ad/weekly/2026-01-01.csv", "/new/viral/ad/weekly/2026-01-01.csv"]


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (302, {"Location": "http://192.0.2.1/elsewhere"}, Refused),
        (302, {"Location": "/again"}, Refused),
        (403, {}, Unauthorized),
        (400, {}, Refused),
        (503, {}, TransientError),
        (429, {"Retry-After": "7200"}, TransientError),
    ],
)
def test_answers_are_sorted_by_what_to_do(status: int, headers: dict[str, str], error: type[MuzikantasError]) -> None:
    with server(lambda _: (status, headers, b"no")) as (url, asked), pytest.raises(error) as raised:
        HttpSource(url + "/{date}").read(wanted("regional-ae-daily"), THURSDAY)
    assert len(asked) <= 3
    if isinstance(raised.value, TransientError):
        assert raised.value.retry_after_s == (7200 if status == 429 else None)


def test_a_source_that_asks_to_wait_is_left_alone_so_long() -> None:
    of = wanted("regional-af-daily")
    fetch = fetch_of(of, THURSDAY)
    with server(lambda _: (429, {"Retry-After": "86000"}, b"")) as (url, asked):
        plan = ChartPlan(wanted=[of], sources=[HttpSource(url + "/{date}")], window_days=14)
        with pytest.raises(Unreachable):
            bring(studio(), plan, fetch.id)
        bring(studio(), plan, fetch.id)

    row = row_of(of, THURSDAY)
    assert len(asked) == 1
    assert row.asked_at is not None
    assert (row.outcome, row.due_at - row.asked_at > timedelta(hours=23)) == (chart_fetch.UNREACHABLE, True)


def test_a_retry_after_holds_back_every_other_date() -> None:
    of = wanted("regional-aq-daily")
    first, second = (fetch_of(of, THURSDAY + timedelta(days=back)) for back in (0, 1))
    with server(lambda _: (429, {"Retry-After": "86000"}, b"")) as (url, asked):
        settings = studio().settings.model_copy(update={"charts_url": url + "/{date}", "charts_wanted": (of.name,)})
        own = Studio(settings)
        with admitted(own, first.id):
            bring(own, own.charts, first.id)
        with pytest.raises(Wait) as wait, admitted(own, second.id):
            bring(own, own.charts, second.id)

    assert len(asked) == 1
    assert wait.value.until > datetime.now(UTC) + timedelta(hours=23)
    assert (row_of(of, first.day).outcome, row_of(of, second.day).attempts) == (chart_fetch.UNREACHABLE, 0)


def test_a_chart_that_nobody_wants_any_more_is_not_asked_for() -> None:
    of = wanted("regional-ar-daily")
    asked = fetch_of(of, THURSDAY)

    assert tasks.fetch_missing.apply().get() == 0
    assert tasks.fetch.apply(args=(asked.id,)).get() == asked.id

    row = row_of(of, THURSDAY)
    assert (row.outcome, row.reason) == ("refused", "not in CHARTS_WANTED, or SOURCES forbids to store it")


@pytest.mark.parametrize("body", [b"<html>please log in</html>", HEADER.encode() + b"1,\xff"])
def test_what_is_no_chart_file_is_a_broken_one(body: bytes) -> None:
    of = wanted(f"regional-{'ag' if body[:1] == b'<' else 'ah'}-daily")
    fetch = fetch_of(of, THURSDAY)
    with server(lambda _: (200, {}, body)) as (url, _):
        bring(studio(), ChartPlan(wanted=[of], sources=[HttpSource(url + "/{date}")], window_days=14), fetch.id)

    row = row_of(of, THURSDAY)
    assert row.outcome == chart_fetch.BROKEN
    assert "the header is" in str(row.reason) or "line 2: byte 0xff is no UTF-8" in str(row.reason)


@pytest.mark.parametrize("template", ["ftp://127.0.0.1/{date}", "http://127.0.0.1/{day}", "{date}"])
def test_a_template_that_cannot_work_is_refused(template: str) -> None:
    with pytest.raises(InputError, match="CHARTS_URL has"):
        HttpSource(template)


def test_a_chart_whose_source_may_not_be_stored_is_not_wanted() -> None:
    wishes = {"charts_wanted": ("regional-de-weekly", "top50-daily-japan")}
    told: dict[str, tuple[str, ...]] = {"as documented": (), "spotify off": ("spotify=none",)}
    settings = {
        name: studio().settings.model_copy(update={**wishes, "sources": sources}) for name, sources in told.items()
    }
    wanted_of = {name: [chart.source for chart in Studio(each).charts.wanted] for name, each in settings.items()}
    assert wanted_of == {"as documented": ["spotify", "positions"], "spotify off": ["positions"]}
