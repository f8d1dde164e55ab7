"""Chart files that are corrected where they come from: they win without a command, and what they replaced stays."""

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from muzikantas.analysis.chart_dates import Wanted, wanted
from muzikantas.clients.chart_source import ChartPlan, FolderSource, HttpSource
from muzikantas.models import chart, chart_fetch
from muzikantas.models.base import database_now
from muzikantas.studio import studio
from muzikantas.tasks import charts as tasks
from muzikantas.tasks.charts import bring
from tests.integration.test_chart_fetches import GROWING, HOUR, row_of, server
from tests.integration.test_charts import HEADER, THURSDAY, entry, lines

pytestmark = pytest.mark.usefixtures("label")


def later(of: Wanted, by: timedelta) -> None:
    """Let time pass for a chart's dates: as if all that was asked for had been asked for so much earlier."""
    with studio().begin() as session:
        for row in chart_fetch.of_chart(session, of):
            row.due_at -= by
            row.asked_at = row.asked_at and row.asked_at - by


def ask_all(plan: ChartPlan) -> int:
    """Do one look and its tasks; give how many there were."""
    due = tasks.look(studio(), plan)
    for fetch_id in due:
        bring(studio(), plan, fetch_id)
    return len(due)


def days_before(count: int) -> list[date]:
    with studio().begin() as session:
        today = database_now(session).date()
    return [today - timedelta(days=back) for back in range(count, 0, -1)]


def streams_of(of: Wanted, day: date) -> tuple[list[int | None], list[int]]:
    """Streams of a date's entries as they are, and those that were corrected."""
    with studio().begin() as session:
        now = [each.streams for each in chart.entries(session, *of.names, day)]
        return now, [each.was["streams"] for each in chart.corrections(session, *of.names, day)]


def test_a_file_corrected_in_the_folder_wins_by_the_next_look(tmp_path: Path) -> None:
    """However old the date is within the window; a file that was only touched changes nothing."""
    of = wanted("regional-as-daily")
    plan = ChartPlan(wanted=[of], sources=[FolderSource(tmp_path)], window_days=14)
    days = days_before(14)
    for day in days:
        (tmp_path / of.file_name(day)).write_text(HEADER + lines(2))
    asked = [ask_all(plan), ask_all(plan)]
    (tmp_path / of.file_name(days[0])).write_text(HEADER + lines(2, streams=77))
    later(of, timedelta(hours=2))
    asked.append(ask_all(plan))

    assert asked == [14, 0, 14]
    assert streams_of(of, days[0]) == ([77, 77], [100, 100])
    assert row_of(of, days[0]).reason == "2 entries, 0 new, 2 changed"
    assert {row_of(of, day).reason for day in days[1:]} == {"the same file as before"}


def test_a_folder_tells_what_is_newer_without_reading_it(tmp_path: Path) -> None:
    of, source, now = wanted("regional-av-daily"), FolderSource(tmp_path), datetime.now(UTC)
    file = tmp_path / of.file_name(THURSDAY)
    file.write_text("moved here with an old date")
    os.utime(file, (0, 0))
    assert source.newer(of, THURSDAY, now - HOUR)
    assert not source.newer(of, THURSDAY, now + HOUR)
    assert not source.newer(of, THURSDAY + timedelta(days=1), now - HOUR)


def test_the_newest_dates_are_asked_for_again_once_a_day_and_only_what_changed_is_imported() -> None:
    of = wanted("regional-at-daily")
    days = days_before(14)
    streams = dict.fromkeys(days, 100)

    def answer(path: str) -> tuple[int, dict[str, str], bytes]:
        return 200, {}, (HEADER + lines(2, streams[date.fromisoformat(path.strip("/"))])).encode()

    with server(answer) as (url, asked):
        plan = ChartPlan(wanted=[of], sources=[HttpSource(url + "/{date}")], window_days=14)
        counts = [ask_all(plan), ask_all(plan)]
        streams[days[-2]] = 88
        with studio().begin() as session:  # meanwhile somebody has corrected another date by hand
            chart.import_entries(session, [entry(of, days[-1], place, 55) for place in (1, 2)], file="by hand.csv")
        later(of, timedelta(days=1))
        counts += [ask_all(plan), ask_all(plan)]

    assert counts == [14, 0, 7, 0]
    assert asked[14:] == [f"/{day}" for day in days[-7:]]
    assert streams_of(of, days[-2]) == ([88, 88], [100, 100])
    assert streams_of(of, days[-1]) == ([55, 55], [100, 100])
    assert row_of(of, days[-1]).reason == "the same file as before"


def test_a_broken_correction_is_told_and_the_date_stays(tmp_path: Path) -> None:
    of = wanted("regional-au-daily")
    plan = ChartPlan(wanted=[of], sources=[FolderSource(tmp_path)], window_days=7)
    days = days_before(7)
    file = tmp_path / of.file_name(days[-1])
    file.write_text(HEADER + lines(2))
    ask_all(plan)
    ends = []
    for text in (HEADER + "1,too,few\n", None, HEADER + lines(2, streams=66)):
        file.unlink() if text is None else file.write_text(text)
        later(of, timedelta(days=1))
        ask_all(plan)
        ends.append((row_of(of, days[-1]).outcome, streams_of(of, days[-1])[0]))
    assert ends == [("broken", [100, 100]), ("not there", [100, 100]), ("imported", [66, 66])]


def test_a_growing_file_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    of = wanted("top8-daily-spain")
    plan = ChartPlan(wanted=[of], sources=[FolderSource(tmp_path)], window_days=7)
    days = days_before(7)
    file = tmp_path / of.file_name(days[0])

    def write(title: str) -> None:
        file.write_text(GROWING + "".join(f"{day},1,{title},Singer\n" for day in days))

    write("Song")
    ask_all(plan)
    later(of, timedelta(days=1))
    write("Söng")
    assert ask_all(plan) == 1
    with studio().begin() as session:
        titles = {each.track_title for day in days for each in chart.entries(session, *of.names, day)}
        replaced = [chart.corrections(session, *of.names, day)[0].was["track_title"] for day in days]
    assert (titles, replaced) == ({"Söng"}, ["Song"] * 7)
